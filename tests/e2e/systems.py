# SPDX-License-Identifier: Apache-2.0
"""Root file systems of Debian releases, kept in the build folder."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

# The C library of each release.
GLIBC = {"bullseye": (2, 31), "bookworm": (2, 36), "trixie": (2, 41)}


def system_root(build: Path, release: str) -> Path:
    """A minimal installation of that release, without Python."""
    folder = build / "roots" / release
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_suffix(".lock"), "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            if os.geteuid() != 0:
                pytest.skip("debootstrap and chroot need root")
            shutil.rmtree(folder, ignore_errors=True)
            subprocess.run(
                ["debootstrap", "--variant=minbase", release, str(folder)],
                check=True,
                stdout=subprocess.DEVNULL,
            )
            (folder / "done").touch()
    return folder
