# SPDX-License-Identifier: Apache-2.0
"""The tree as a file system: what a program and its user see of it."""

from __future__ import annotations

import os
from textwrap import dedent
from typing import Dict

from conftest import BASE
from sides import LIB, Result, run


def python(source: str, **env: str) -> Result:
    """The base with `source`, which finds the standard library as LIB."""
    text = "import os\nLIB = os.path.dirname(os.__file__)\n" + dedent(source)
    full: Dict[str, str] = {"PATH": os.environ["PATH"], **env}
    return run([BASE, "-c", text], env=full)


def test_trace_shows_what_is_not_found() -> None:
    source = """
        import subprocess
        os.path.exists(LIB + "/none/x")
        os.access(LIB + "/os.py/x", os.R_OK)
        subprocess.run(["true", LIB, "--x=" + LIB + "/os.py"])
        os.path.exists("/proc/none")
        os.path.exists(LIB)
        """
    quiet = python(source)
    assert (quiet.code, quiet.out, quiet.err) == (0, b"", b"")
    lines = python(source, PEXCZ_TRACE="x,vfs").err.decode().splitlines()
    lib = LIB
    assert f"pexcz: vfs: {lib}/none/x: No such file or directory" in lines
    assert f"pexcz: vfs: {lib}/os.py/x: Not a directory" in lines
    (seen, *others) = [line for line in lines if "cannot see" in line]
    assert seen.endswith(f"/true: cannot see its argument {lib}")
    assert [line.split("argument ")[1] for line in others] == [f"--x={lib}/os.py"]
    assert not [line for line in lines if "/proc/none" in line]
    assert not [line for line in lines if f"{lib}:" in line]
    assert python(source, PEXCZ_TRACE="all").err == b""


def test_directory_descriptors_and_syscalls() -> None:
    source = """
        import ctypes, tempfile
        libc = ctypes.CDLL(None, use_errno=True)
        fd = libc.syscall(2, (LIB + "/os.py").encode(), 0)
        print(os.fstat(fd).st_size == os.stat(LIB + "/os.py").st_size)
        for call in (lambda: tempfile.mkdtemp(dir=LIB),
                     lambda: os.mkfifo(LIB + "/x"),
                     lambda: os.read(os.open(LIB + "/os.py", os.O_PATH), 1)):
            try:
                call()
            except OSError as e:
                print(e.strerror)
        top = os.open(LIB, os.O_RDONLY)
        print(sum(1 for _ in os.fwalk("json", dir_fd=top)) > 0)
        print(os.stat("os.py", dir_fd=top).st_ino == os.stat(LIB + "/os.py").st_ino)
        """
    done = python(source)
    assert done.text.split("\n") == [
        "True",
        *("Read-only file system", "Read-only file system"),
        *("Bad file descriptor", "True", "True", ""),
    ], done.err
