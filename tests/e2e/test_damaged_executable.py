# SPDX-License-Identifier: Apache-2.0
"""Packed files that were changed afterwards: where that matters, exit code 127
and one line that says what is wrong, and never a crash."""

from __future__ import annotations

import random
import re
import struct
import subprocess
from pathlib import Path
from typing import Callable, Dict

import pytest
from conftest import PACK, PEXCZ, App
from sides import run

SAYS = b"hello\n"


@pytest.fixture(scope="module")
def app(make_app: Callable[..., App]) -> App:
    """Two modules, of which one is read when it is used only."""
    return make_app("-e", "m", sources={
        "m.py": "import late\nprint(open(late.__file__[:-7] + 'data.txt').read(5))\n",
        "late.py": "import colorsys\n", "data.txt": "hello" * 2000,
    })


@pytest.fixture(scope="module")
def plain(app: App, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same without a snapshot: every module comes out of the blobs."""
    exe = tmp_path_factory.mktemp("plain") / "app"
    assert run([PACK, "-q", "--snapshot", "off", app.pex, "-o", exe]).code == 0
    return exe


def sections(exe: Path) -> Dict[str, range]:
    """Offsets in the file of what pexcz added."""
    text = run(["readelf", "-SW", exe]).out.decode()
    found = {}
    for m in re.finditer(r"(\.pexcz\.\w+)\s+PROGBITS\s+\w+ (\w+) (\w+)", text):
        at = int(m[2], 16)
        found[m[1]] = range(at, at + int(m[3], 16))
    return found


def test_verified_always(app: App, tmp_path: Path) -> None:
    """With --verify always also what no start would look at."""
    for when in "first-use", "always":
        exe = tmp_path / when
        options = ["-q", "--verify", when, app.pex, "-o", exe]
        assert run([PACK, *options]).code == 0
        assert run([exe]).out == SAYS
        where = sections(exe)
        # A payload of the standard library, and a page of the heap.
        for name in ".pexcz.stdlib", ".pexcz.snapshot":
            whole = exe.read_bytes()
            at = where[name].start + len(where[name]) // 3
            while whole[at] == 0:
                at += 1
            damaged = Damaged(exe, tmp_path / "copy")
            damaged.write(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            got = run([damaged.copy])
            if when == "always":
                assert got.code == 127 and got.out == b"", name
                assert got.err.startswith(b"pexcz: ") and got.err.count(b"\n") == 1
            elif name == ".pexcz.stdlib":
                assert got.out == SAYS
    assert run([PACK, "--verify", "never", app.pex, "-o", exe]).code == 2


class Damaged:
    """A copy that is changed, run, and mended again."""

    def __init__(self, exe: Path, copy: Path) -> None:
        self.copy = copy
        self.whole = exe.read_bytes()
        self.write(self.whole)

    def write(self, data: bytes) -> None:
        self.copy.unlink(missing_ok=True)
        self.copy.write_bytes(data)
        self.copy.chmod(0o755)

    def run(self) -> subprocess.CompletedProcess:
        return run([self.copy])

    def run_flipped(self, at: int, mask: int):
        with open(self.copy, "r+b") as f:
            f.seek(at)
            f.write(bytes([self.whole[at] ^ mask]))
        got = self.run()
        with open(self.copy, "r+b") as f:
            f.seek(at)
            f.write(self.whole[at : at + 1])
        return got

    def says(self, data: bytes, *words: bytes) -> None:
        self.write(data)
        got = self.run()
        assert got.code == 127, (got.code, got.err)
        assert got.out == b""
        assert got.err.startswith(b"pexcz: ") and got.err.count(b"\n") == 1
        for word in words:
            assert word in got.err, got.err


def test_cut(app: App, tmp_path: Path) -> None:
    """At any place behind the part that the kernel itself must load."""
    damaged = Damaged(app.exe, tmp_path / "bad")
    parts = sections(app.exe)
    needed = [parts[name] for name in (".pexcz.stdlib", ".pexcz.app")]
    for size in (*(s.stop - 1 for s in needed), *(s.start + 4096 for s in needed),
                 parts[".pexcz.app"].stop - 70_000, needed[0].start):
        damaged.says(damaged.whole[:size], b"cut short")


def test_cut_snapshot(app: App, tmp_path: Path) -> None:
    """What lies behind the application is not needed: an ordinary boot."""
    want = run([app.exe])
    assert want.code == 0
    damaged = Damaged(app.exe, tmp_path / "bad")
    snapshot = sections(app.exe)[".pexcz.snapshot"]
    for size in (snapshot.start, snapshot.start + 100, snapshot.start + 4096,
                 (snapshot.start + snapshot.stop) // 2, snapshot.stop - 4096,
                 snapshot.stop - 1, snapshot.stop, len(damaged.whole) - 1):
        damaged.write(damaged.whole[:size])
        assert damaged.run() == want, size
        done = run([PEXCZ, "verify", damaged.copy])
        assert done.code == 1, size


def test_appended(app: App, tmp_path: Path) -> None:
    damaged = Damaged(app.exe, tmp_path / "bad")
    damaged.says(damaged.whole + b"x", b"appended")
    damaged.says(damaged.whole + bytes(100_000), b"appended")
    damaged.says(damaged.whole * 2, b"appended")


@pytest.mark.parametrize("part", ["app", "stdlib"])
def test_header_of_a_blob(plain: Path, tmp_path: Path, part: str) -> None:
    where = sections(plain)[f".pexcz.{part}"]
    damaged = Damaged(plain, tmp_path / "bad")
    name = {"app": b"application", "stdlib": b"standard library"}[part]
    for at in (0, 8, 12, 40, 100):
        data = bytearray(damaged.whole)
        data[where.start + at] ^= 1
        damaged.says(bytes(data), name)


def test_blob_replaced(app: App, plain: Path, tmp_path: Path) -> None:
    """By zeros, and by noise."""
    where = sections(plain)[".pexcz.app"]
    damaged = Damaged(plain, tmp_path / "bad")
    for content in (bytes(len(where)), random.Random(1).randbytes(len(where))):
        data = bytearray(damaged.whole)
        data[where.start : where.stop] = content
        damaged.says(bytes(data), b"application")


@pytest.mark.parametrize("part", ["app", "stdlib"])
def test_flipped_bits(plain: Path, tmp_path: Path, part: str) -> None:
    """Each flip is either never met, or it is the one line."""
    where = sections(plain)[f".pexcz.{part}"]
    damaged = Damaged(plain, tmp_path / "bad")
    choose = random.Random(11)
    met = 0
    for _ in range(150):
        at = choose.choice(where)
        got = damaged.run_flipped(at, 1 << choose.randrange(8))
        if (got.code, got.out, got.err) == (0, SAYS, b""):
            continue
        met += 1
        assert got.code == 127, (at, got.code, got.err)
        assert got.err.startswith(b"pexcz: "), (at, got.err)
        assert got.err.count(b"\n") == 1, (at, got.err)
    assert met > 0


def test_verify_sees_every_flip(app: App, tmp_path: Path) -> None:
    """Those that no run has met yet, too: also in the snapshot's pages."""
    damaged = Damaged(app.exe, tmp_path / "bad")
    assert run([PEXCZ, "verify", damaged.copy]).code == 0
    choose = random.Random(12)
    for where in sections(app.exe).values():
        for _ in range(8):
            data = bytearray(damaged.whole)
            at = choose.choice(where)
            data[at] ^= 1 << choose.randrange(8)
            damaged.write(bytes(data))
            got = run([PEXCZ, "verify", damaged.copy])
            assert got.code == 1, (at, got.out)
            assert got.err.startswith(b"pexcz verify: ")
            assert got.err.count(b"\n") == 1


def test_program_headers(plain: Path, tmp_path: Path) -> None:
    """The segment that maps the application is gone, moved, or too long."""
    damaged = Damaged(plain, tmp_path / "bad")
    where = sections(plain)[".pexcz.app"]
    whole = damaged.whole
    phoff, = struct.unpack_from("<Q", whole, 32)
    size, count = struct.unpack_from("<HH", whole, 54)
    at = next(phoff + i * size for i in range(count)
              if struct.unpack_from("<Q", whole, phoff + i * size + 8)[0] == where.start)
    shifted = bytearray(whole)
    struct.pack_into("<Q", shifted, at + 8, where.start - 4096)
    damaged.says(bytes(shifted))
    shorter = bytearray(whole)
    struct.pack_into("<QQ", shorter, at + 32, 4096, 4096)
    damaged.says(bytes(shorter))
