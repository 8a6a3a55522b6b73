# SPDX-License-Identifier: Apache-2.0
"""One executable on other releases of Debian: glibc 2.31 and 2.41."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Callable

import pytest
from conftest import BUILD, App, run
from systems import system_root

PROGRAM = """\
import ctypes, hashlib, json, os, sqlite3, ssl, sys, threading, zlib

def main():
    thread = threading.Thread(target=print, args=("thread",))
    thread.start()
    thread.join()
    print(sys.argv[1:], hashlib.sha256(b"x").hexdigest()[:8], zlib.crc32(b"x"))
    print(sqlite3.connect(":memory:").execute("select 6 * 7").fetchone())
    print(ssl.OPENSSL_VERSION.split()[0], json.dumps({"pid": os.getpid() > 0}))
    print(os.popen("echo child").read().strip())
    ctypes.CDLL(None).sem_post, ctypes.CDLL("libpthread.so.0").sem_post
    ctypes.CDLL(None).dlinfo, ctypes.CDLL("libdl.so.2")
    raise SystemExit(3)
"""


@pytest.fixture(scope="session", params=["bullseye", "trixie"])
def system(request: pytest.FixtureRequest) -> Path:
    if os.geteuid() != 0:
        pytest.skip("chroot needs root")
    return system_root(BUILD, request.param)


# An old glibc's threads are in a library that is loaded behind ld.so's work.
@pytest.mark.parametrize("binding", ["lazy", "now"])
@pytest.mark.parametrize("mode", ["snapshot", "ordinary"])
def test_other_releases(
    make_app: Callable[..., App], system: Path, mode: str, binding: str
) -> None:
    app = make_app("-e", "several:main", sources={"several.py": PROGRAM})
    exe = system / "tmp" / f"app-{mode}-{os.getpid()}"
    shutil.copy(app.exe, exe)
    env = {"LANG": "C.UTF-8", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    env["PEXCZ_SNAPSHOT"] = "explain" if mode == "snapshot" else "0"
    if binding == "now":
        env["LD_BIND_NOW"] = "1"
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
