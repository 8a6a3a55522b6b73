# SPDX-License-Identifier: Apache-2.0
"""PEXes whose zip is damaged or hostile: see LIMITS in pexcz-pack(1)."""

from __future__ import annotations

import io
import os
import shutil
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Callable, List, Optional, Tuple

import pytest
from conftest import PACK, PEXCZ
from refusals import refused
from sides import run

MEMBER = "data/file.txt"
TEXT = b"some text " * 30


def small_pex(*extra: Tuple[str, bytes]) -> bytearray:
    """A PEX with user code only, that MEMBER is part of."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("PEX-INFO", b'{"entry_point": "app"}')
        z.writestr("app.py", b"print(open(__file__.replace('app.py',"
                             b" 'data/file.txt')).read(4))\n")
        z.writestr(MEMBER, TEXT)
        for name, data in extra:
            z.writestr(name, data)
    return bytearray(stream.getvalue())


class Record:
    """Where the headers of one member are in a zip's bytes."""

    def __init__(self, data: bytes, name: str = MEMBER) -> None:
        raw = name.encode()
        self.local = data.index(b"PK\3\4")
        while data[self.local + 30 : self.local + 30 + len(raw)] != raw:
            self.local = data.index(b"PK\3\4", self.local + 4)
        self.central = data.index(b"PK\1\2")
        while data[self.central + 46 : self.central + 46 + len(raw)] != raw:
            self.central = data.index(b"PK\1\2", self.central + 4)
        self.content = self.local + 30 + len(raw)
        self.end = data.rindex(b"PK\5\6")


def patch(data: bytearray, at: int, form: str, value: int) -> None:
    data[at : at + struct.calcsize(form)] = struct.pack(form, value)


def both(data: bytearray, local: int, central: int, form: str, value: int) -> None:
    """Patches local header and directory alike."""
    record = Record(data)
    patch(data, record.local + local, form, value)
    patch(data, record.central + central, form, value)


def crc_error(data: bytearray) -> None:
    both(data, 14, 16, "<I", 0x12345678)


def content_flipped(data: bytearray) -> None:
    data[Record(data).content + 4] ^= 0xFF


def real_size_larger(data: bytearray) -> None:
    both(data, 22, 24, "<I", len(TEXT) - 100)


def real_size_smaller(data: bytearray) -> None:
    both(data, 22, 24, "<I", len(TEXT) + 100)


def offset_outside(data: bytearray) -> None:
    patch(data, Record(data).central + 42, "<I", 0x7FFFFFFF)


def offset_at_no_member(data: bytearray) -> None:
    record = Record(data)
    patch(data, record.central + 42, "<I", record.content)


def data_into_directory(data: bytearray) -> None:
    both(data, 18, 20, "<I", 0x7000)


def other_local_name(data: bytearray) -> None:
    data[Record(data).local + 30] = ord("D")


def other_local_size(data: bytearray) -> None:
    patch(data, Record(data).local + 22, "<I", 7)


def other_local_crc(data: bytearray) -> None:
    patch(data, Record(data).local + 14, "<I", 7)


def other_local_method(data: bytearray) -> None:
    patch(data, Record(data).local + 8, "<H", 0)


def encrypted(data: bytearray) -> None:
    both(data, 6, 8, "<H", 1)


def strongly_encrypted(data: bytearray) -> None:
    both(data, 6, 8, "<H", 0x41)


def unknown_method(data: bytearray) -> None:
    both(data, 8, 10, "<H", 14)


def second_disk(data: bytearray) -> None:
    patch(data, Record(data).central + 34, "<H", 1)


def symbolic_link(data: bytearray) -> None:
    patch(data, Record(data).central + 5, "<B", 3)
    patch(data, Record(data).central + 38, "<I", 0o120777 << 16)


def device(data: bytearray) -> None:
    patch(data, Record(data).central + 5, "<B", 3)
    patch(data, Record(data).central + 38, "<I", 0o020666 << 16)


def declared_bomb(data: bytearray) -> None:
    both(data, 22, 24, "<I", 0xF0000000)


def count_too_high(data: bytearray) -> None:
    end = Record(data).end
    patch(data, end + 8, "<H", 60000)
    patch(data, end + 10, "<H", 60000)


def count_too_low(data: bytearray) -> None:
    end = Record(data).end
    patch(data, end + 8, "<H", 2)
    patch(data, end + 10, "<H", 2)


def directory_outside(data: bytearray) -> None:
    patch(data, Record(data).end + 16, "<I", 0x7FFFFFFF)


def end_in_comment(data: bytearray) -> None:
    """Two end records that both make sense: which archive is it?"""
    end = Record(data).end
    patch(data, end + 20, "<H", 22)
    data.extend(data[end : end + 20] + b"\0\0")


def fake_zip64(data: bytearray) -> None:
    end = Record(data).end
    patch(data, end + 16, "<I", 0xFFFFFFFF)


DAMAGES: List[Tuple[Callable[[bytearray], None], str]] = [
    (crc_error, "CRC"),
    (content_flipped, ""),
    (real_size_larger, ""),
    (real_size_smaller, ""),
    (offset_outside, "points outside the file"),
    (offset_at_no_member, "points to no member"),
    (data_into_directory, "beyond the directory"),
    (other_local_name, "another name"),
    (other_local_size, "disagree on size or CRC"),
    (other_local_crc, "disagree on size or CRC"),
    (other_local_method, "disagree on how it is stored"),
    (encrypted, "encrypted"),
    (strongly_encrypted, "encrypted"),
    (unknown_method, "unknown compression method 14"),
    (second_disk, "outside the file"),
    (symbolic_link, "symbolic link"),
    (device, "special file"),
    (declared_bomb, "compression ratio"),
]


@pytest.mark.parametrize(
    "damage, cause", DAMAGES, ids=[d.__name__ for d, _ in DAMAGES]
)
def test_one_member(
    tmp_path: Path, damage: Callable[[bytearray], None], cause: str
) -> None:
    data = small_pex()
    damage(data)
    (tmp_path / "a.pex").write_bytes(data)
    refused(tmp_path, "a.pex", words=("a.pex: " + MEMBER + ": ", cause))


ARCHIVE_DAMAGES: List[Tuple[Callable[[bytearray], None], str]] = [
    (count_too_high, "too short for 60000 members"),
    (count_too_low, "more than the 2 members"),
    (directory_outside, "no central directory"),
    (end_in_comment, "two zip end records"),
    (fake_zip64, "no central directory"),
]


@pytest.mark.parametrize(
    "damage, cause", ARCHIVE_DAMAGES, ids=[d.__name__ for d, _ in ARCHIVE_DAMAGES]
)
def test_archive(
    tmp_path: Path, damage: Callable[[bytearray], None], cause: str
) -> None:
    data = small_pex()
    damage(data)
    (tmp_path / "a.pex").write_bytes(data)
    refused(tmp_path, "a.pex", words=("a.pex: ", cause))


def raw_zip(
    names: List[bytes], flags: int = 0x800, contents: Optional[List[bytes]] = None
) -> bytes:
    """A zip with stored members under names as they are given."""
    body, directory = b"", b""
    for i, name in enumerate(names):
        content = contents[i] if contents else b""
        fixed = struct.pack(
            "<HHHHHIIIHH", 20, flags, 0, 0, 0x21, zlib.crc32(content),
            len(content), len(content), len(name), 0,
        )
        directory += b"PK\1\2" + struct.pack("<H", 20) + fixed
        directory += struct.pack("<HHHII", 0, 0, 0, 0, len(body)) + name
        body += b"PK\3\4" + fixed + name + content
    end = struct.pack("<HHHHIIH", 0, 0, len(names), len(names),
                      len(directory), len(body), 0)
    return body + directory + b"PK\5\6" + end


NAMES = {
    "up": (b"../x.py", "'..' part"),
    "up inside": (b"a/../../x.py", "'..' part"),
    "up at the end": (b"a/..", "'..' part"),
    "absolute": (b"/etc/x.py", "absolute path"),
    "here": (b"./x.py", "'.' part"),
    "empty part": (b"a//x.py", "empty part"),
    "NUL": (b"a.py\0.txt", "NUL byte"),
    "backslash": (b"..\\x.py", "backslash"),
    "newline": (b"a\nb.py", "control character"),
    "escape": (b"\x1b]0;title\x07.py", "control character"),
    "not UTF-8": (b"caf\xe9.py", "not UTF-8"),
    "overlong UTF-8": (b"a\xc0\xaf.py", "not UTF-8"),
    "empty": (b"", "empty member name"),
    "long": (b"a/" * 2500 + b"x", "too long"),
    "long part": (b"a" * 256, "part that is too long"),
}


@pytest.mark.parametrize("name", NAMES)
def test_member_name(tmp_path: Path, name: str) -> None:
    raw, cause = NAMES[name]
    (tmp_path / "a.pex").write_bytes(
        raw_zip([b"PEX-INFO", raw], contents=[b"{}", b"1"])
    )
    refused(tmp_path, "a.pex", words=("a.pex: ", cause))


def test_member_name_without_its_flag(tmp_path: Path) -> None:
    """Whether it is UTF-8 or CP437, nobody can tell."""
    (tmp_path / "a.pex").write_bytes(
        raw_zip([b"PEX-INFO", "café.py".encode()], 0, [b"{}", b""])
    )
    refused(tmp_path, "a.pex", words=("a.pex: ", "neither ASCII nor marked"))


@pytest.mark.parametrize(
    "names, cause",
    [
        ([b"x.py", b"x.py"], "x.py: duplicate member"),
        ([b"x", b"x/y.py"], "x: one member is a file, another lies below it"),
        ([b"x", b"x/"], "x: duplicate member"),
    ],
)
def test_two_members(tmp_path: Path, names: List[bytes], cause: str) -> None:
    (tmp_path / "a.pex").write_bytes(
        raw_zip([b"PEX-INFO", *names], contents=[b"{}"] + [b""] * len(names))
    )
    refused(tmp_path, "a.pex", words=("a.pex: ", cause))


def test_overlapping_members(tmp_path: Path) -> None:
    """Many names for the same bytes make a bomb of any size."""
    data = bytearray(raw_zip([b"PEX-INFO", b"a", b"a"], contents=[b"{}", b"x", b"x"]))
    first = data.index(b"PK\1\2", data.index(b"PK\1\2") + 4)
    second = data.index(b"PK\1\2", first + 4)
    data[second + 42 : second + 46] = data[first + 42 : first + 46]
    (tmp_path / "a.pex").write_bytes(data)
    refused(tmp_path, "a.pex", words=("a.pex: a: ", "overlaps"))


def test_not_a_zip(tmp_path: Path) -> None:
    for name, data in {
        "text.pex": b"no zip",
        "script.pex": b"#!/bin/sh\nexit 1\n" * 100,
        "empty.pex": b"",
        "zeros.pex": bytes(100_000),
        "elf.pex": Path("/bin/true").read_bytes(),
        "cut.pex": bytes(small_pex()[:-30]),
        "head.pex": bytes(small_pex()[:200]),
        "tail.pex": bytes(small_pex()[200:]),
    }.items():
        (tmp_path / name).write_bytes(data)
    for path in sorted(tmp_path.iterdir()):
        refused(tmp_path, path.name, "-o", "out", words=(path.name + ": ",))


def test_every_cut(tmp_path: Path) -> None:
    """Wherever a copy ended, it is noticed; real damage, so in steps."""
    data = bytes(small_pex())
    path = tmp_path / "a.pex"
    for size in [*range(1, len(data), 61), len(data) - 1]:
        path.write_bytes(data[:size])
        refused(tmp_path, "a.pex", words=("a.pex: ",))


def test_not_a_file(tmp_path: Path) -> None:
    (tmp_path / "folder.pex").mkdir()
    os.mkfifo(tmp_path / "pipe.pex")
    (tmp_path / "dangling.pex").symlink_to("nowhere")
    (tmp_path / "loop.pex").symlink_to("loop.pex")
    for name, cause in {
        "folder.pex": "it has no PEX-INFO",
        "pipe.pex": "not a regular file",
        "dangling.pex": "No such file or directory",
        "absent.pex": "No such file or directory",
        "loop.pex": "Too many levels of symbolic links",
    }.items():
        refused(tmp_path, name, "-o", "out", words=(name + ": ", cause))
    refused(tmp_path, "/dev/zero", "-o", "out", words=("/dev/zero: not a regular",))
    refused(tmp_path, "a" * 300 + ".pex", words=("File name too long",))


def test_unreadable(open_folder: Path) -> None:
    """Also for root, who may read everything: as the user nobody."""
    (open_folder / "a.pex").write_bytes(small_pex())
    (open_folder / "a.pex").chmod(0)
    if os.geteuid() != 0:
        refused(open_folder, "a.pex", words=("a.pex: ", "Permission denied"))
        return
    if shutil.which("setpriv") is None:
        pytest.skip("no setpriv to become another user")
    program = open_folder / "bin"
    program.mkdir()
    shutil.copy(PEXCZ, program / "pexcz-pack")
    got = run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
               program / "pexcz-pack", "a.pex", "-o", "/tmp/never"], cwd=open_folder)
    assert got.code == 1
    assert b"a.pex: cannot open: Permission denied" in got.err


def test_more_members_than_classic_zip_counts(tmp_path: Path) -> None:
    """65,536 and more need Zip64; the limit is a million."""
    count = 70_000
    pex = tmp_path / "a.pex"
    with zipfile.ZipFile(pex, "w") as z:
        z.writestr("PEX-INFO", '{"entry_point": "app"}')
        z.writestr("app.py", "import os\n"
                   "d = os.path.join(os.path.dirname(__file__), 'd')\n"
                   "print(sum(len(f) for _, _, f in os.walk(d)))\n"
                   "print(open(d + '/69/999').read())\n")
        for i in range(count):
            z.writestr(f"d/{i // 1000}/{i % 1000}", f"{i}")
    assert run([PACK, "-q", "--snapshot", "off", pex, "-o", tmp_path / "app"]).code == 0
    got = run([tmp_path / "app"])
    assert (got.code, got.text) == (0, f"{count}\n69999\n"), got.err
