# SPDX-License-Identifier: Apache-2.0
"""The C writer and reader against blobref.py, which knows only the man page.

PEXCZ_BLOB_DRIVER is the built blob_driver.c; PEXCZ_EXECUTABLES, if set, a list
of executables (separated by spaces) whose blobs are read too.
"""

from __future__ import annotations

import hashlib
import os
import random
import struct
import subprocess
from pathlib import Path
from typing import List, Optional, Tuple

import pytest
import xxhash
import zstandard
from blobref import (
    BYTECODE,
    DIRECTORY,
    EXTENSION,
    FILE,
    LINK,
    SELF,
    SOURCE,
    BadBlob,
    Blob,
    blobs_of,
)

DRIVER = os.environ["PEXCZ_BLOB_DRIVER"]
EXECUTABLES = os.environ.get("PEXCZ_EXECUTABLES", "").split()
SITE = "lib/python3.11/site-packages"

# Changes only with the format.  A change here needs a new minor version (old
# readers still read it) or a new major one, and docs/man/pexcz-blob.5.
GOLDEN_SHA256 = (
    "ff672319e19b4a0647b1f74e314faf1e85389c98e024c0302751194a5abe9288"
)


class Spec:
    """What to build; the text that blob_driver reads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines: List[str] = []
        self.files = 0
        self.contents: dict[str, Optional[bytes]] = {}
        self.libraries: List[Tuple[str, str, List[Tuple[int, str, str]]]] = []

    def _file(self, content: Optional[bytes]) -> str:
        if content is None:
            return "-"
        self.files += 1
        path = self.folder / f"content-{self.files}"
        path.write_bytes(content)
        return str(path)

    def add(
        self,
        path: str,
        content: Optional[bytes] = b"",
        *,
        kind: int = FILE,
        mode: int = 0o644,
        mtime: int = 315532800,
        nsec: int = 0,
        encoding: str = "zstd",
        align: int = 8,
        code: Optional[bytes] = None,
    ) -> None:
        self.contents[path] = content
        fields = ["entry", kind, f"{mode:o}", mtime, nsec, encoding, align]
        fields += [self._file(content), self._file(code), path]
        self.lines.append("\t".join(map(str, fields)))

    def boot(self, key: int, value: bytes) -> None:
        self.lines.append(f"boot\t{key}\t{self._file(value)}")

    def library(
        self, path: str, soname: str, needs: List[Tuple[int, str, str]]
    ) -> None:
        """After all of the same group were added; there is one group."""
        self.libraries.append((path, soname, needs))

    def _end_libraries(self) -> None:
        digests = {
            path: xxhash.xxh3_64_intdigest(self.contents[path])
            for path, _, _ in self.libraries
        }
        whole = b"".join(
            path.encode() + b"\0" + struct.pack("<Q", digests[path])
            for path in sorted(digests)
        )
        group = xxhash.xxh3_128_hexdigest(whole)
        for path, soname, needs in self.libraries:
            fields = ["library", path, soname or "-", group]
            self.lines.append("\t".join([*fields, f"{digests[path]:x}"]))
            for kind, target, name in needs:
                self.lines.append(f"need\t{kind}\t{target}\t{name or '-'}")

    def copy(self, stated_hash: int, content: bytes) -> None:
        self.lines.append(f"copy\t{stated_hash:x}\t{self._file(content)}")

    def build(self, dictionary: Optional[bytes] = None) -> Path:
        out = self.folder / "out.blob"
        self._end_libraries()
        command = [DRIVER, "build", str(out)]
        if dictionary is not None:
            command.append(self._file(dictionary))
        text = "".join(line + "\n" for line in self.lines)
        subprocess.run(command, input=text.encode(), check=True)
        return out


@pytest.fixture
def spec(tmp_path: Path) -> Spec:
    return Spec(tmp_path)


def c_dump(path: Path, offset: int = 0) -> List[str]:
    done = subprocess.run(
        [DRIVER, "dump", str(path), str(offset)],
        stdout=subprocess.PIPE,
        check=True,
    )
    return done.stdout.decode().splitlines()


def read_both(path: Path) -> Blob:
    blob = Blob(path.read_bytes())
    assert blob.dump() == c_dump(path)
    return blob


def test_empty(spec):
    blob = read_both(spec.build())
    assert [e.path for e in blob.entries] == [b""]
    assert blob.modules == [] and blob.boot == []


def test_copies(spec):
    copies = {1 << 63: b"above", 5: b"below", 77: b"below"}
    for stated_hash, content in copies.items():
        spec.copy(stated_hash, content)
    assert read_both(spec.build()).copies == copies


def test_each_kind(spec):
    spec.add(f"{SITE}/a.py", b"x = 1\n", mode=0o600, code=b"\xe3\0")
    spec.add(f"{SITE}/b.pyc", b"bytecode")
    spec.add(f"{SITE}/c.so", b"\x7fELF" * 1000, encoding="raw", align=4096)
    spec.add(f"{SITE}/text", b"many words " * 1000, mtime=-1, nsec=999999999)
    spec.add("bin/python", None, kind=SELF, mode=0o755)
    spec.add("bin/link", b"../lib", kind=LINK, mode=0o777)
    spec.add("empty", None, kind=DIRECTORY, mode=0o1777)
    spec.boot(1, b"demo")
    spec.boot(5, SITE.encode())
    spec.boot(5, b"")
    spec.boot(99, "ünknown".encode())
    blob = read_both(spec.build())
    assert (blob.machine, blob.python) == (62, (3, 11))
    assert blob.boot == [
        (1, b"demo"),
        (5, SITE.encode()),
        (5, b""),
        (99, "ünknown".encode()),
    ]
    for path, content in spec.contents.items():
        assert blob.content(blob.by_path[path.encode()]) == content, path
    text = blob.by_path[f"{SITE}/text".encode()]
    assert (text.mtime, text.mtime_nsec) == (-1, 999999999)
    assert blob.by_path[f"{SITE}/a.py".encode()].mode == 0o600
    assert blob.by_path[b"empty"].mode == 0o1777
    assert blob.by_path[b"bin"].mode == 0o755
    a = blob.by_stem[f"{SITE}/a".encode()]
    assert blob.contents[a.code] == b"\xe3\0"
    assert a.kind == SOURCE and not a.package
    assert blob.by_stem[f"{SITE}/b".encode()].kind == BYTECODE
    assert blob.by_stem[f"{SITE}/c".encode()].kind == EXTENSION
    assert len(blob.modules) == 3


def test_libraries(spec):
    for name in ("x.so", "x.libs/liba.so.1", "x.libs/b.so"):
        spec.add(f"{SITE}/{name}", b"\x7fELF" + name.encode() * 100)
    a, b = f"{SITE}/x.libs/liba.so.1", f"{SITE}/x.libs/b.so"
    folder = f"{SITE}/x.libs"
    spec.library(f"{SITE}/x.so", "", [(1, a, ""), (1, b, "b.so"), (2, folder, "")])
    spec.library(a, "liba.so.1", [(1, b, "b.so")])
    spec.library(b, "libb.so.1", [])
    blob = read_both(spec.build())
    found = {lib.entry.path.decode(): lib for lib in blob.libraries}
    assert set(found) == {f"{SITE}/x.so", a, b}
    assert found[a].soname == b"liba.so.1" and found[f"{SITE}/x.so"].soname == b""
    assert [
        (kind, entry.path.decode(), name)
        for kind, entry, name in found[f"{SITE}/x.so"].needs
    ] == [(1, a, b""), (1, b, b"b.so"), (2, folder, b"")]


def test_which_file_is_the_module(spec):
    for path in (
        "p/__init__.py",
        "p.py",
        "p.abi3.so",
        "q.so",
        "q.abi3.so",
        "q.cpython-311-x86_64-linux-gnu.so",
        "q.py",
        "r.pyc",
        "r.py",
        "s/__init__.so",
        "s/__init__.py",
        "t.cpython-312-x86_64-linux-gnu.so",
        "__init__.py",
        ".py",
        "u/not-a-module.txt",
    ):
        spec.add(path)
    spec.add("link.py", b"p.py", kind=LINK)
    blob = read_both(spec.build())
    assert {m.stem: m.entry.path for m in blob.modules} == {
        b"p": b"p/__init__.py",
        b"q": b"q.cpython-311-x86_64-linux-gnu.so",
        b"r": b"r.py",
        b"s": b"s/__init__.so",
        b"t.cpython-312-x86_64-linux-gnu": b"t.cpython-312-x86_64-linux-gnu.so",
        b"__init__": b"__init__.py",
    }


def test_names(spec):
    names = ["ä", "a b", "a", "aa", "a.", "\\", "\x01", "~", "\x7f", "x" * 255]
    for name in names:
        spec.add(f"d/{name}")
    spec.add("/".join(["deep"] * 200))
    spec.add("/".join(["y" * 250] * 15))
    blob = read_both(spec.build())
    directory = blob.by_path[b"d"]
    first = directory.first_child
    got = [e.name for e in blob.entries[first : first + len(names)]]
    assert got == sorted(name.encode() for name in names)


def test_equal_contents_are_stored_once(spec):
    for i in range(50):
        spec.add(f"f{i}", b"the same" * 100)
    blob = read_both(spec.build())
    assert len(blob.contents) == 1


def test_large_contents_are_in_frames(spec):
    text = b"".join(b"%d\n" % i for i in range(1_300_000))
    sizes = [(4 << 20) - 1, 4 << 20, (4 << 20) + 1, 9 << 20]
    for size in sizes:
        spec.add(f"of-{size}", text[:size])
    blob = read_both(spec.build())
    for size in sizes:
        assert blob.content(blob.by_path[f"of-{size}".encode()]) == text[:size]


def test_dictionary(spec):
    samples = [
        f"def function_{i}(self):\n    return self.value + {i}\n".encode() * 4
        for i in range(500)
    ]
    dictionary = zstandard.train_dictionary(4096, samples).as_bytes()
    for i, sample in enumerate(samples):
        spec.add(f"lib/f{i}.py", sample, code=sample[::-1])
    blob = read_both(spec.build(dictionary))
    assert blob.dictionary == dictionary
    for path, content in spec.contents.items():
        assert blob.content(blob.by_path[path.encode()]) == content


def random_path(choose: random.Random) -> str:
    depth = choose.randint(1, 6)
    parts = [choose.choice("abcdefgh") for _ in range(depth)]
    endings = ["", ".py", ".pyc", ".so", ".abi3.so", "/__init__.py", ".txt"]
    return "/".join(parts) + choose.choice(endings)


@pytest.mark.parametrize("seed", range(5))
def test_random_trees(spec, seed):
    choose = random.Random(seed)
    directories: set[str] = set()
    for _ in range(2000):
        path = random_path(choose)
        above = [path[:i] for i, c in enumerate(path) if c == "/"]
        if path in directories or path in spec.contents:
            continue
        if any(a in spec.contents for a in above):
            continue
        directories.update(above)
        content = choose.randbytes(choose.choice([0, 1, 100])) * (
            choose.choice([1, 50])
        )
        spec.add(
            path,
            content,
            mode=choose.randrange(0o10000),
            mtime=choose.randrange(-(2**40), 2**40),
            nsec=choose.randrange(10**9),
            encoding=choose.choice(["raw", "zstd"]),
            align=1 << choose.randint(3, 12),
            code=choose.choice([None, content[::-1]]),
        )
    blob = read_both(spec.build())
    files = {e.path.decode(): e for e in blob.entries if e.kind == FILE}
    assert files.keys() == spec.contents.keys()
    for path, entry in files.items():
        assert blob.content(entry) == spec.contents[path], path


def test_same_input_same_bytes(spec):
    for i in range(100):
        spec.add(f"{i % 7}/{i}.py", b"x = %d\n" % i, code=b"%d" % i)
    first = spec.build().read_bytes()
    assert spec.build().read_bytes() == first


def test_order_of_calls_does_not_change_the_index(spec):
    spec.add("a/b.py", b"same")
    spec.add("c", b"same")
    first = spec.build().read_bytes()
    spec.lines.reverse()
    assert spec.build().read_bytes() == first


def test_golden(spec):
    """Raw contents only: zstd's output depends on its version."""
    spec.add(f"{SITE}/pkg/__init__.py", b"x = 1\n", code=b"\xe3\0\0")
    spec.add(f"{SITE}/pkg/ext.abi3.so", b"\x7fELF", align=4096)
    spec.add(f"{SITE}/pkg/old.pyc", b"bytecode", mtime=-5, nsec=7)
    spec.add("bin/python3", None, kind=SELF, mode=0o755)
    spec.add("bin/py", b"python3", kind=LINK, mode=0o777)
    spec.add("empty", None, kind=DIRECTORY, mode=0o700)
    spec.boot(1, b"golden")
    spec.boot(5, SITE.encode())
    out = spec.build()
    read_both(out)
    assert hashlib.sha256(out.read_bytes()).hexdigest() == GOLDEN_SHA256


def test_flipped_bits(spec):
    """Neither reader lets one pass."""
    spec.add("a/b.py", b"x = 1\n" * 50, code=b"code")
    spec.add("c.so", b"\x7fELF", align=4096)
    spec.boot(1, b"name")
    out = spec.build()
    good = out.read_bytes()
    choose = random.Random(0)
    for i in range(1000):
        bad = bytearray(good)
        at = choose.randrange(len(good))
        bad[at] ^= 1 << choose.randrange(8)
        with pytest.raises((BadBlob, zstandard.ZstdError)):
            Blob(bytes(bad))
        if i % 20 == 0:
            out.write_bytes(bad)
            done = subprocess.run(
                [DRIVER, "dump", str(out), "0"], capture_output=True
            )
            assert done.returncode == 1, f"byte {at}"


@pytest.mark.parametrize("path", [*map(Path, EXECUTABLES)], ids=str)
def test_executable(path):
    blobs = blobs_of(path)
    assert ".pexcz.stdlib" in blobs
    read = {}
    for name, (offset, data) in blobs.items():
        read[name] = Blob(data)
        assert read[name].dump() == c_dump(path, offset)
    if ".pexcz.app" in read:
        below = read[".pexcz.stdlib"]
        contents = dict(zip(below.payload_hashes(), below.contents))
        copies = read[".pexcz.app"].copies
        assert copies
        assert all(contents[h] == content for h, content in copies.items())
