# SPDX-License-Identifier: Apache-2.0
"""CPython's suite as an application: regrtest is its entry point, and all of
the standard library that imports without a word is in its snapshot."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from suite import HERE, Suite

REPOSITORY = HERE.parents[1]
sys.path[:0] = [str(REPOSITORY / "bench"), str(REPOSITORY / "tests/e2e")]

from pexes import build_pex  # noqa: E402
from subjects import Subjects  # noqa: E402

MAIN = """
def main():
    from test.libregrtest.main import main
    main()
"""


def pack_application(suite: Suite, build: Path) -> Path:
    build = build.resolve()
    python = next((build / "dist/3.11/python/install/bin").glob("python3.*"))
    names = Subjects(build, python).modules()
    text = "".join(f"import {name}\n" for name in names) + MAIN
    digest = hashlib.sha256(suite.packed.read_bytes() + text.encode()).hexdigest()[:16]
    exe = suite.folder / "application" / digest / "regrtest"
    if not exe.is_file():
        exe.parent.mkdir(parents=True, exist_ok=True)
        small = build_pex(build, ["-e", "suite_application:main"],
                          {"suite_application.py": text})  # fmt: skip
        subprocess.run([build / "bin/pexcz-pack", "-q", "--snapshot", "require", small,
                        suite.folder / "suite.pex", "-o", exe], check=True)  # fmt: skip
    check_restored(exe)
    return exe


def check_restored(exe: Path) -> None:
    """It must be the snapshot that is tested."""
    env = {"LANG": "C.UTF-8", "PATH": os.environ["PATH"], "HOME": "/nowhere",
           "PEXCZ_SNAPSHOT": "explain"}
    done = subprocess.run([exe, "--help"], env=env, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=True)  # fmt: skip
    if "ordinary boot" in done.stderr:
        raise SystemExit(done.stderr)
