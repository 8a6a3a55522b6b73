# SPDX-License-Identifier: Apache-2.0
"""Processes that a snapshot does not suit: they boot ordinarily, or the
snapshot takes from them what it must.  The output is always the same."""

from __future__ import annotations

import ctypes
import os
import re
import resource
import struct
import subprocess
from pathlib import Path
from typing import Callable, Dict, Optional, Tuple

import pytest
from conftest import BUILD, PACK, App, run
from sides import VERSION

EXPLAIN = {"LANG": "C.UTF-8", "PEXCZ_SNAPSHOT": "explain"}
CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
MS_REC, MS_PRIVATE = 16384, 1 << 18
SYS_MREMAP, SYS_MADVISE = 25, 28
libc = ctypes.CDLL(None, use_errno=True)

PEEK = """\
import hashlib, os, sys, zlib
def main():
    if len(sys.argv) > 1:
        with open("/proc/self/mem", "rb") as memory:
            memory.seek(int(sys.argv[1], 16))
            print(memory.read(8).hex())
    print(hashlib.sha256(b"x" * 1000).hexdigest(), zlib.crc32(b"y" * 1000))
"""

LATE = """\
import importlib, sys
def features():
    with open("/proc/self/mem", "rb") as memory:
        memory.seek(int(sys.argv[1], 16))
        return memory.read(8).hex()
def main():
    before = features()
    module = importlib.import_module("".join(["_hash", "lib"]))
    print(before, features(), module.new("sha256", b"x" * 1000).hexdigest())
"""


@pytest.fixture(scope="session")
def peek(make_app: Callable[..., App]) -> App:
    return make_app("-e", "peek:main", sources={"peek.py": PEEK})


def start(
    exe: Path,
    *arguments: str,
    env: Optional[Dict[str, str]] = None,
    before: Optional[Callable[[], None]] = None,
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [exe, *arguments], env={**EXPLAIN, **(env or {})}, preexec_fn=before,
        stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60,
    )  # fmt: skip


def restored(done: subprocess.CompletedProcess[bytes]) -> bytes:
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout


def booted(done: subprocess.CompletedProcess[bytes], why: str) -> bytes:
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr.startswith(b"pexcz: ordinary boot: "), done.stderr.decode()
    assert why in done.stderr.decode()
    return done.stdout


# --- the processor -----------------------------------------------------------


def address_of(symbol: str) -> str:
    names = run(["nm", str(BUILD / f"obj/release/base-{VERSION}.elf.debug")]).out.decode()
    found = re.search(rf"^0*([0-9a-f]+) \w {symbol}$", names, re.M)
    assert found, symbol
    return found[1]


def test_cpu_features_are_those_of_the_process(peek: App) -> None:
    """Packed on one processor, started on another: OpenSSL's choice of code is
    made anew, as by this mask, which leaves out AES, AVX and SHA."""
    where = address_of("OPENSSL_ia32cap_P")
    mask = {"OPENSSL_ia32cap": "~0x1200020000000000:~0x20000020"}
    plain = restored(start(peek.exe, where))
    masked = restored(start(peek.exe, where, env=mask))
    ordinary = run([peek.exe, where], env={**mask, "PEXCZ_SNAPSHOT": "0"})
    assert masked == ordinary.out
    assert masked.split()[0] != plain.split()[0]
    assert masked.split()[1:] == plain.split()[1:]


def test_cpu_features_are_asked_for_when_they_are_needed(make_app: Callable[..., App]) -> None:
    """A module that uses OpenSSL and is imported at run time only."""
    app = make_app("-e", "late:main", sources={"late.py": LATE})
    where = address_of("OPENSSL_ia32cap_P")
    mask = {"OPENSSL_ia32cap": "~0x1200020000000000:~0x20000020"}
    before, plain, digest = restored(start(app.exe, where)).split()
    assert before == b"0" * 16 != plain
    masked = restored(start(app.exe, where, env=mask)).split()
    assert masked[0::2] == [before, digest] and masked[1] not in (before, plain)
    ordinary = run([app.exe, where], env={**mask, "PEXCZ_SNAPSHOT": "0"})
    assert ordinary.out.split() == masked


def test_libc_for_another_cpu(peek: App) -> None:
    tunables = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-AVX512F,-ERMS,-AVX"}
    assert restored(start(peek.exe, env=tunables)) == restored(start(peek.exe))


# --- another file's snapshot -------------------------------------------------


def section(exe: Path) -> Tuple[int, int]:
    found = re.search(
        r"\.pexcz\.snapshot +PROGBITS +\w+ (\w+) (\w+)",
        run(["readelf", "-SW", str(exe)]).out.decode(),
    )
    assert found
    return int(found[1], 16), int(found[2], 16)


def test_snapshot_of_another_file(make_app: Callable[..., App], tmp_path: Path) -> None:
    files = []
    for word in "one", "two":
        text = f"def main(): print({word!r})\n"
        files.append(make_app("-e", "say:main", sources={"say.py": text}).exe)
    (at, size), (other_at, other_size) = map(section, files)
    assert size == other_size
    data = bytearray(files[0].read_bytes())
    data[at : at + size] = files[1].read_bytes()[other_at : other_at + size]
    mixed = tmp_path / "mixed"
    mixed.write_bytes(data)
    mixed.chmod(0o755)
    assert booted(start(mixed), "another file's") == b"one\n"


# --- files that must not be there --------------------------------------------


def test_file_that_was_not_there(make_pex: Callable[..., Path], tmp_path: Path) -> None:
    file = tmp_path / "xx/LC_MESSAGES/seek.mo"
    pex = make_pex(
        "-e", "seek:main",
        sources={"seek.py": "import gettext\n"
                            f"found = gettext.find('seek', {str(tmp_path)!r}, ['xx'])\n"
                            "def main(): print(found)\n"},
    )  # fmt: skip
    exe = tmp_path / "app"
    done = run([PACK, "-v", "--snapshot", "require", pex, "-o", exe])
    assert f"is not used when {file} is there" in done.err.decode()
    assert restored(start(exe)) == b"None\n"
    file.parent.mkdir(parents=True)
    file.touch()
    assert booted(start(exe), "looked for") == f"{file}\n".encode()


# --- what is asked again -----------------------------------------------------

SPILL = """\
import glob, os, sqlite3
def main():
    db = sqlite3.connect("")
    db.executescript("PRAGMA cache_size=5; CREATE TABLE t(a)")
    db.executemany("INSERT INTO t VALUES (?)", [("x" * 900,)] * 2000)
    for path in glob.glob("/proc/self/fd/*"):
        if "etilqs" in (os.readlink(path) if os.path.islink(path) else ""):
            print(os.path.dirname(os.readlink(path)))
"""


@pytest.mark.parametrize("name", ["TMPDIR", "SQLITE_TMPDIR"])
def test_folder_of_temporary_files(
    make_app: Callable[..., App], tmp_path: Path, name: str
) -> None:
    app = make_app("-e", "spill:main", sources={"spill.py": SPILL})
    done = start(app.exe, env={name: str(tmp_path)})
    assert restored(done) == f"{tmp_path}\n".encode()
    assert restored(start(app.exe)) != restored(done)


# --- what a kernel may refuse ------------------------------------------------


def refuse(*calls: int) -> None:
    """A seccomp filter: these system calls fail with EPERM."""
    code = [struct.pack("HBBI", 0x20, 0, 0, 0)]
    for i, number in enumerate(calls):
        code.append(struct.pack("HBBI", 0x15, len(calls) - i, 0, number))
    code.append(struct.pack("HBBI", 0x06, 0, 0, 0x7FFF0000))
    code.append(struct.pack("HBBI", 0x06, 0, 0, 0x00050000 | 1))
    text = ctypes.create_string_buffer(b"".join(code))
    program = struct.pack("HxxxxxxQ", len(code), ctypes.addressof(text))
    if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(22, 2, program, 0, 0) != 0:
        os._exit(99)


@pytest.mark.parametrize("call", [SYS_MREMAP, SYS_MADVISE])
def test_refused_system_calls(peek: App, call: int) -> None:
    done = start(peek.exe, before=lambda: refuse(call))
    if done.returncode == 99:
        pytest.skip("no seccomp filters here")
    assert restored(done) == restored(start(peek.exe))


@pytest.mark.parametrize("size", [120, 160, 300])
def test_limited_address_space(peek: App, size: int) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (size << 20, size << 20))

    assert restored(start(peek.exe, before=limit)) == restored(start(peek.exe))


def hide_proc() -> None:
    ids = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWNS | (CLONE_NEWUSER if ids[0] else 0)) != 0:
        os._exit(99)
    if (
        libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None) != 0
        or libc.mount(b"none", b"/proc", b"tmpfs", 0, None) != 0
    ):
        os._exit(99)


def test_without_proc(peek: App) -> None:
    done = start(peek.exe, before=hide_proc)
    if done.returncode == 99:
        pytest.skip("no mount namespaces here")
    assert restored(done) == restored(start(peek.exe))


@pytest.mark.parametrize("proc", [True, False], ids=["proc", "no proc"])
def test_snapshot_cut_short(peek: App, tmp_path: Path, proc: bool) -> None:
    """Pages behind the end of the file would be a SIGBUS."""
    at, size = section(peek.exe)
    whole = peek.exe.read_bytes()
    cut = tmp_path / "cut"
    want = restored(start(peek.exe))
    for end in at, at + 4096, at + size // 2, at + size - 4097:
        cut.write_bytes(whole[:end])
        cut.chmod(0o755)
        done = start(cut, before=None if proc else hide_proc)
        if done.returncode == 99:
            pytest.skip("no mount namespaces here")
        assert booted(done, "no snapshot") == want
