# SPDX-License-Identifier: Apache-2.0
"""One executable on other releases of Debian: glibc 2.31 and 2.41."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path
from typing import Callable

import pytest
from conftest import BUILD, App, run

PROGRAM = """\
import hashlib, json, os, sqlite3, ssl, sys, threading, zlib

def main():
    thread = threading.Thread(target=print, args=("thread",))
    thread.start()
    thread.join()
    print(sys.argv[1:], hashlib.sha256(b"x").hexdigest()[:8], zlib.crc32(b"x"))
    print(sqlite3.connect(":memory:").execute("select 6 * 7").fetchone())
    print(ssl.OPENSSL_VERSION.split()[0], json.dumps({"pid": os.getpid() > 0}))
    print(os.popen("echo child").read().strip())
    raise SystemExit(3)
"""


@pytest.fixture(scope="session", params=["bullseye", "trixie"])
def system(request: pytest.FixtureRequest) -> Path:
    """A root file system of that release, kept in the build folder."""
    if os.geteuid() != 0:
        pytest.skip("debootstrap and chroot need root")
    folder = BUILD / "roots" / request.param
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_suffix(".lock"), "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            shutil.rmtree(folder, ignore_errors=True)
            subprocess.run(
                ["debootstrap", "--variant=minbase", request.param, str(folder)],
                check=True,
                stdout=subprocess.DEVNULL,
            )
            (folder / "done").touch()
    return folder


@pytest.mark.parametrize("mode", ["snapshot", "ordinary"])
def test_other_releases(
    make_app: Callable[..., App], system: Path, mode: str
) -> None:
    app = make_app("-e", "several:main", sources={"several.py": PROGRAM})
    exe = system / "tmp" / f"app-{mode}-{os.getpid()}"
    shutil.copy(app.exe, exe)
    env = {"LANG": "C.UTF-8", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    env["PEXCZ_SNAPSHOT"] = "explain" if mode == "snapshot" else "0"
    try:
        here = run([exe, "a"], env=env)
        mount = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"'
        there = run(
            ["unshare", "--mount", "--pid", "--fork", "sh", "-c", mount, system]
            + [f"/tmp/{exe.name}", "a"],
            env=env,
        )
    finally:
        exe.unlink()
    assert here.code == 3 and here.err == b"", here.err.decode()
    assert (there.code, there.out, there.err) == (here.code, here.out, here.err)
