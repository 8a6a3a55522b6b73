# SPDX-License-Identifier: Apache-2.0
"""A restored process cannot be told from a booted one: the same program, which
imports much and tells all that it can find out (snapshot_probe/), is started
both ways in many surroundings, and every line must be the same."""

from __future__ import annotations

import ast
import os
import pty
import resource
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import pytest
from conftest import PACK, run

PROBE = Path(__file__).with_name("snapshot_probe") / "probe.py"
PROJECTS = ("attrs click django flask idna jinja2 markdown-it-py packaging platformdirs "
            "pygments requests rich tzdata urllib3 werkzeug").split()
TYPED = b"first\nsecond line\n"


@pytest.fixture(scope="module")
def exe(make_pex: Callable[..., Path], tmp_path_factory: Any) -> Path:
    pex = make_pex(*PROJECTS, "-e", "probe:main", sources={"probe.py": PROBE.read_text()})
    path = tmp_path_factory.mktemp("facts") / "app"
    done = run([PACK, "-v", "--snapshot", "require", pex, "-o", path])
    assert done.code == 0, done.err.decode()
    return path


@dataclass
class Case:
    """How the program is started."""

    env: Dict[str, str] = field(default_factory=dict)
    stdin: str = "pipe"  # pipe, file, null, tty, closed
    out: str = "pipe"  # of stdout and stderr: pipe, file, append, tty, null, closed
    err: str = "pipe"
    arguments: Tuple[str, ...] = ()
    before: Callable[[], None] = lambda: None
    cwd: str = "work"  # also: deleted
    name: str = "app"  # by which it is started: app, link, relative, path
    boots: bool = False  # must boot ordinarily


def ignore_all() -> None:
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        if number < 32:
            signal.signal(number, signal.SIG_IGN)


def block_some() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGUSR2])


def reset_all() -> None:
    """What subprocess leaves ignored is the default."""
    for number in signal.SIGPIPE, signal.SIGXFSZ:
        signal.signal(number, signal.SIG_DFL)


def limit() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 100))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_STACK, (4 << 20, 16 << 20))


def big_stack() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_STACK)
    resource.setrlimit(resource.RLIMIT_STACK, (hard, hard))


def one_processor() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def alone() -> None:
    os.setsid()
    os.umask(0o077)
    os.nice(3)


def many_files() -> None:
    for _ in range(20):
        os.set_inheritable(os.open("/dev/null", os.O_RDWR), True)


CASES: Dict[str, Case] = {
    "plain": Case(),
    "arguments": Case(arguments=("", "ü", "-x", "--", "\udcff", "a b\nc")),
    "empty environment": Case(env={"LANG": ""}),
    "C": Case(env={"LC_ALL": "C"}),
    "POSIX": Case(env={"LC_CTYPE": "POSIX"}),
    "UTF-8 of a language": Case(env={"LC_ALL": "en_US.UTF-8", "LANGUAGE": "de:fr"}),
    "unknown locale": Case(env={"LC_ALL": "xx_YY"}),
    "zone": Case(env={"TZ": "America/New_York"}),
    "zone rule": Case(env={"TZ": "ABC-3:30DEF,M3.2.0,M11.1.0"}),
    "file of a zone": Case(env={"TZ": ":Asia/Kolkata"}),
    "empty zone": Case(env={"TZ": ""}),
    "unknown zone": Case(env={"TZ": "Nowhere/Here"}),
    "odd variables": Case(env={"A\udcff": "\udcfe", "EMPTY": "", "S P": "a=b"}),
    "home": Case(env={"HOME": "/nowhere", "XDG_RUNTIME_DIR": "/nowhere"}),
    "no home": Case(env={"HOME": ""}),
    "temporary files": Case(env={"TMPDIR": "/var/tmp"}),
    "terminal size": Case(env={"COLUMNS": "33", "LINES": "7", "TERM": "dumb"}),
    "colours": Case(env={"NO_COLOR": "1", "TERM": "xterm-256color"}),
    "forced colours": Case(env={"FORCE_COLOR": "1", "PY_COLORS": "1"}),
    "proxies": Case(env={"http_proxy": "http://p:1", "NO_PROXY": "x"}),
    "certificates": Case(env={"SSL_CERT_FILE": "/nowhere", "REQUESTS_CA_BUNDLE": "/n"}),
    "unbuffered": Case(env={"PYTHONUNBUFFERED": "1"}),
    "no bytecode": Case(env={"PYTHONDONTWRITEBYTECODE": "1"}),
    "paths": Case(env={"PYTHONPATH": "/nowhere", "PYTHONHOME": "/nowhere"}),
    "breakpoint": Case(env={"PYTHONBREAKPOINT": "0"}, boots=True),
    "hash seed": Case(env={"PYTHONHASHSEED": "3"}, boots=True),
    "development": Case(env={"PYTHONDEVMODE": "1"}, boots=True),
    "optimised": Case(env={"PYTHONOPTIMIZE": "1"}, boots=True),
    "warnings": Case(env={"PYTHONWARNINGS": "error::UserWarning"}, boots=True),
    "allocator": Case(env={"PYTHONMALLOC": "malloc"}, boots=True),
    "traced": Case(env={"PYTHONTRACEMALLOC": "2"}, boots=True),
    "faults": Case(env={"PYTHONFAULTHANDLER": "1"}, boots=True),
    "encoding": Case(env={"PYTHONIOENCODING": "latin-1:replace"}, boots=True),
    "no UTF-8": Case(env={"PYTHONUTF8": "0", "LC_ALL": "C"}, boots=True),
    "UTF-8": Case(env={"PYTHONUTF8": "1"}, boots=True),
    "no coercion": Case(env={"PYTHONCOERCECLOCALE": "0"}, boots=True),
    "no site": Case(env={"PYTHONNOUSERSITE": "1"}, boots=True),
    "digits": Case(env={"PYTHONINTMAXSTRDIGITS": "1000"}, boots=True),
    "asyncio": Case(env={"PYTHONASYNCIODEBUG": "1"}, boots=True),
    "files": Case(stdin="file", out="file", err="file"),
    "appended": Case(stdin="null", out="append", err="append"),
    "nothing": Case(stdin="null", out="null", err="null"),
    "terminal": Case(stdin="tty", out="tty", err="tty"),
    "errors to a terminal": Case(out="file", err="tty"),
    "no input": Case(stdin="closed", boots=True),
    "no output": Case(out="closed", boots=True),
    "no errors": Case(err="closed", boots=True),
    "nothing at all": Case(stdin="closed", out="closed", err="closed", boots=True),
    "ignored signals": Case(before=ignore_all),
    "default signals": Case(before=reset_all),
    "blocked signals": Case(before=block_some),
    "limits": Case(before=limit),
    "unlimited stack": Case(before=big_stack),
    "one processor": Case(before=one_processor),
    "own session": Case(before=alone),
    "inherited files": Case(before=many_files),
    "deleted folder": Case(cwd="deleted", boots=True),
    "link": Case(name="link"),
    "relative": Case(name="relative"),
    "by PATH": Case(name="path"),
}  # fmt: skip


class Stream:
    """One side's descriptor for a stream, and what came out of it."""

    def __init__(self, kind: str, folder: Path, number: int) -> None:
        self.kind = kind
        self.path = folder / f"stream{number}"
        self.master = -1
        self.fd = subprocess.PIPE
        if kind == "file" and number == 0:
            self.path.write_bytes(TYPED)
            self.fd = os.open(self.path, os.O_RDONLY)
        elif kind in ("file", "append"):
            flags = os.O_RDWR | os.O_CREAT | (os.O_APPEND if kind == "append" else 0)
            self.path.write_bytes(b"before\n" if kind == "append" else b"")
            self.fd = os.open(self.path, flags)
        elif kind == "null":
            self.fd = os.open("/dev/null", os.O_RDWR)
        elif kind == "tty":
            self.master, self.fd = pty.openpty()
            if number == 0:
                os.write(self.master, TYPED + b"\x04\x04")

    def end(self) -> bytes:
        if self.fd >= 0:
            os.close(self.fd)
        if self.kind in ("file", "append"):
            return self.path.read_bytes()
        if self.kind != "tty":
            return b""
        text = b""
        try:
            while more := os.read(self.master, 4096):
                text += more
        except OSError:
            pass  # nobody has the other end
        os.close(self.master)
        return text


def started(exe: Path, case: Case, folder: Path, snapshot: str) -> List[str]:
    """The facts, then what was written and how it ended."""
    work, told = folder / "work", folder / "told"
    work.mkdir(exist_ok=True)
    told.unlink(missing_ok=True)
    streams = [Stream(kind, folder, n)
               for n, kind in enumerate((case.stdin, case.out, case.err))]
    closed = [n for n, s in enumerate(streams) if s.kind == "closed"]
    env = {"LANG": "C.UTF-8", "PATH": f"{folder}:/usr/bin:/bin",
           "HOME": str(folder), **case.env, "PEXCZ_SNAPSHOT": snapshot}  # fmt: skip
    path = {"app": folder / "app", "path": Path("app"),
            "relative": Path("../app"), "link": folder / "link"}[case.name]

    def before() -> None:
        case.before()
        if case.cwd == "deleted":
            os.mkdir("gone")
            os.chdir("gone")
            os.rmdir("../gone")
        for fd in closed:
            os.close(fd)

    with subprocess.Popen(
        [path, told, *case.arguments], stdin=streams[0].fd, stdout=streams[1].fd,
        stderr=streams[2].fd, cwd=work, preexec_fn=before, close_fds=False,
        env={os.fsencode(k): os.fsencode(v) for k, v in env.items()},
    ) as process:  # fmt: skip
        typed = TYPED if streams[0].fd == subprocess.PIPE else None
        out, err = process.communicate(typed, timeout=120)
    written = [s.end() for s in streams]
    return [*told.read_text(errors="surrogateescape").splitlines(),
            f"stdout: {out or written[1]!r}", f"stderr: {err or written[2]!r}",
            f"code: {process.returncode}"]  # fmt: skip


def draws(lines: List[str]) -> List[object]:
    (line,) = [line for line in lines if line.startswith("chance: draws: ")]
    found: List[object] = ast.literal_eval(line.split(": ", 2)[2])[0]
    return found


@pytest.mark.parametrize("name", CASES)
def test_every_fact_is_the_same(exe: Path, tmp_path: Path, name: str) -> None:
    case = CASES[name]
    os.link(exe, tmp_path / "app")
    (tmp_path / "link").symlink_to("app")
    old = signal.signal(signal.SIGINT, signal.SIG_DFL)  # is inherited
    try:
        restored = started(exe, case, tmp_path, "1")
        booted = started(exe, case, tmp_path, "0")
    finally:
        signal.signal(signal.SIGINT, old)
    assert len(draws(booted)) == len(draws(restored)) > 8
    assert not set(draws(booted)) & set(draws(restored))
    same = [[line for line in lines if not line.startswith("chance: draws")]
            for lines in (restored, booted)]  # fmt: skip
    different = [pair for pair in zip(*same) if pair[0] != pair[1]]
    assert not different
    assert len(same[0]) == len(same[1]) > 150


def test_snapshot_is_used(exe: Path, tmp_path: Path) -> None:
    """The cases above compare what they say that they compare."""
    os.link(exe, tmp_path / "app")
    for name, case in CASES.items():
        if "closed" in (case.stdin, case.out, case.err) or case.err != "pipe":
            continue
        (tmp_path / "link").unlink(missing_ok=True)
        (tmp_path / "link").symlink_to("app")
        lines = started(exe, case, tmp_path, "explain")
        (text,) = [line for line in lines if line.startswith("stderr: ")]
        assert ("ordinary boot" in text) == case.boots, name
