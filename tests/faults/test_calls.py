# SPDX-License-Identifier: Apache-2.0
"""Each system call of a first run fails, one at a time, in each position."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from pathlib import Path
from typing import Tuple

import pytest
from conftest import ALL, INJECTOR, PEXCZ

ENV = {"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"}
CALLS = {
    "pwrite": [errno.ENOSPC, errno.EINTR, errno.EDQUOT],
    "fsync": [errno.EIO],
    "renameat": [errno.EIO, errno.ESTALE, errno.EXDEV],
    "mmap": [errno.ENOMEM, errno.EPERM],
    "openat": [errno.EACCES, errno.EMFILE, errno.ENOSPC, errno.ENXIO],
    "mkdir": [errno.ENOSPC],
    "mkdirat": [errno.ENOSPC, errno.EROFS],
    "ftruncate": [errno.EFBIG],
    "fchmod": [errno.EPERM],
    "fchmodat": [errno.EPERM],
    "futimens": [errno.EPERM],
    "flock": [errno.ENOLCK],
    "fcntl": [errno.EMFILE],
    "fstat": [errno.EIO],
    "lstat": [errno.EIO],
    "stat": [errno.EIO],
    "fstatat": [errno.EIO, errno.ENOENT],
    "statvfs": [errno.EIO],
    "pthread_create": [errno.EAGAIN],
}
MAX_CALLS = 60


def temps(folder: Path) -> list:
    return [p for p in folder.rglob("*") if p.name.startswith(".tmp-")]


def run_with_fault(
    app: Path, cache: Path, call: str, at: int, number: int, short: bool, **env: str
) -> Tuple[int, bytes, bytes, int]:
    read, write = os.pipe()
    try:
        done = subprocess.run(
            [app],
            env={
                **ENV,
                "PEXCZ_CACHE": str(cache),
                "LD_PRELOAD": str(INJECTOR),
                "FAULT_CALL": call,
                "FAULT_AT": str(at),
                "FAULT_ERRNO": str(number),
                "FAULT_FD": str(write),
                **({"FAULT_SHORT": "1"} if short else {}),
                **env,
            },
            pass_fds=[write],
            capture_output=True,
            check=False,
            timeout=60,
        )
    finally:
        os.close(write)
    with os.fdopen(read) as stream:
        seen = stream.read()
    return done.returncode, done.stdout, done.stderr, int(seen or -1)


def check_after(app: Path, cache: Path, what: str) -> None:
    assert temps(cache) == [], what
    again = subprocess.run(
        [app], env={**ENV, "PEXCZ_CACHE": str(cache)}, capture_output=True, check=False
    )
    assert (again.returncode, again.stdout) == (0, b"answer 42\n"), what
    verify = subprocess.run(
        [PEXCZ, "cache", "verify", "-q"],
        env={**ENV, "PEXCZ_CACHE": str(cache)},
        capture_output=True,
        check=False,
    )
    assert verify.returncode == 0, what


@pytest.mark.parametrize("call", CALLS)
def test_call_fails_once(app: Path, tmp_path: Path, points, call: str) -> None:
    cache = tmp_path / "cache"
    tried = 0
    kinds = [(number, False) for number in CALLS[call]]
    if call == "pwrite":
        kinds.append((0, True))
    for number, short in kinds if ALL else kinds[:1] + kinds[4:]:
        for at in range(1, MAX_CALLS):
            shutil.rmtree(cache, ignore_errors=True)
            cache.mkdir(mode=0o700)
            what = f"{call} number {at}, {errno.errorcode.get(number, 'short')}"
            code, out, err, seen = run_with_fault(app, cache, call, at, number, short)
            assert (code, out) == (0, b"answer 42\n"), f"{what}: {err.decode()}"
            assert err == b"", what
            if seen < at:
                break
            tried += 1
            check_after(app, cache, what)
    assert tried > 0, "nothing calls it any more"
    points.add(f"calls of {call} that failed once, first run", tried)


@pytest.mark.parametrize("call", ["openat", "fstatat", "fstat", "lstat"])
def test_call_fails_once_in_a_warm_run(
    app: Path, tmp_path: Path, points, call: str
) -> None:
    cache = tmp_path / "cache"
    cache.mkdir(mode=0o700)
    check_after(app, cache, "first run")
    for at in range(1, MAX_CALLS):
        number = CALLS[call][0]
        code, out, err, seen = run_with_fault(app, cache, call, at, number, False)
        assert (code, out, err) == (0, b"answer 42\n", b""), f"{call} number {at}"
        if seen < at:
            break
        points.add(f"calls of {call} that failed once, warm run")
        check_after(app, cache, f"{call} number {at}")


def test_memory_calls_fail_once(app: Path, tmp_path: Path, points) -> None:
    """Without a cache: one line, or it works after all (other folders)."""
    for call in ("memfd_create", "pwrite", "write", "fcntl", "readlink"):
        for at in range(1, MAX_CALLS):
            code, out, err, seen = run_with_fault(
                app, tmp_path / "none/none", call, at, errno.ENOSYS, False
            )
            if seen != -1 and seen < at:
                break
            if code != 0:
                lines = err.decode().splitlines()
                assert lines[0].startswith("pexcz: "), f"{call} {at}: {lines}"
                assert lines[-1].startswith("OSError: "), f"{call} {at}: {lines}"
            else:
                assert out == b"answer 42\n"
            points.add(f"calls of {call} that failed once, without a cache")
            if seen == -1 and at > 20:
                break
