# SPDX-License-Identifier: Apache-2.0
"""The machine that Python is built for: the compiler says it."""

import os
import platform
import subprocess
from pathlib import Path

# As the kernel calls the machines and as Debian does.
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


class TargetError(Exception):
    pass


class Target:
    """`sysroot`: folder with the libraries of a machine that is not this one."""

    def __init__(self, cc, sysroot=None):
        self.cc = cc
        self.machine = self.ask("-dumpmachine").split("-")[0]
        if self.machine not in MACHINES:
            raise TargetError(f"{cc} compiles for {self.machine}, not for one of"
                              f" {', '.join(MACHINES)}")
        self.debian = MACHINES[self.machine]
        self.multiarch = f"{self.machine}-linux-gnu"
        self.is_cross = self.machine != platform.machine()
        self.root = Path(sysroot).resolve() if self.is_cross and sysroot else Path("/")

    def ask(self, option):
        return subprocess.check_output([self.cc, option], text=True).strip()

    def tool(self, name):
        """ar, nm, strip … for this machine."""
        return self.ask(f"-print-prog-name={name}")

    def find_library(self, name):
        """A static library, or None."""
        if self.is_cross:
            found = self.root / "usr/lib" / self.multiarch / name
            return found.resolve() if found.is_file() else None
        found = self.ask(f"-print-file-name={name}")
        return Path(found).resolve() if os.path.isabs(found) else None
