# SPDX-License-Identifier: Apache-2.0
"""A second reader of blobs, written from docs/man/pexcz-blob.5 alone.

It reads and checks everything at once and knows nothing of the C code, so a
disagreement between the two shows a mistake in one of them or in the page.

    python blobref.py FILE    prints each blob of an executable, or a bare one
"""

from __future__ import annotations

import dataclasses
import struct
import sys
from pathlib import Path
from typing import Dict, List, Optional, Tuple

import xxhash
import zstandard

PAGE = 4096
MAX_FRAME = 4 << 20
NONE = 0xFFFFFFFF
MAGIC = bytes.fromhex("8950585a0d0a1a0a")

HEADER = struct.Struct("<8s8H4I4Q16s40s")
SECTION = struct.Struct("<2I2Q")
ENTRY = struct.Struct("<Q2IH2B2H4I3Q")
SLOT = struct.Struct("<2I")
MODULE = struct.Struct("<Q2I2BHIQ")
PAYLOAD = struct.Struct("<4Q2BHI")
BOOT = struct.Struct("<2I")
LIBRARY = struct.Struct("<4I2HI16sQ")
NEED = struct.Struct("<2IH2BI")
COPY = struct.Struct("<Q2I")

ENTRIES, PATH_HASH, MODULES, MODULE_HASH, PAYLOADS = range(1, 6)
STRINGS, BOOT_SETTINGS, DICT, PAYLOAD_DATA = range(6, 10)
LIBRARIES, NEEDS, COPIES = range(10, 13)

RECORD_SIZES = {
    ENTRIES: ENTRY.size,
    PATH_HASH: SLOT.size,
    MODULES: MODULE.size,
    MODULE_HASH: SLOT.size,
    PAYLOADS: PAYLOAD.size,
    LIBRARIES: LIBRARY.size,
    NEEDS: NEED.size,
    COPIES: COPY.size,
}
NEEDED = {ENTRIES, PATH_HASH, MODULE_HASH, STRINGS, PAYLOAD_DATA}
ONCE = {1, 2, 3, 4, 10, 12, 13, 15, 16}  # boot keys

DIRECTORY, FILE, LINK, SELF = range(1, 5)
SOURCE, EXTENSION, BYTECODE = range(1, 4)


class BadBlob(Exception):
    pass


def check(condition: bool, what: str) -> None:
    if not condition:
        raise BadBlob(what)


@dataclasses.dataclass
class Entry:
    index: int
    path_hash: int
    parent: int
    name: bytes
    kind: int
    mode: int
    first_child: int
    child_count: int
    payload: Optional[int]
    mtime: int
    mtime_nsec: int
    size: int
    path: bytes = b""


@dataclasses.dataclass
class Module:
    stem: bytes
    stem_hash: int
    entry: Entry
    code: Optional[int]
    kind: int
    package: bool


@dataclasses.dataclass
class Library:
    entry: Entry
    soname: bytes
    group: bytes
    needs: List[Tuple[int, Entry, bytes]]  # kind, file or directory, name


class Blob:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self._read_header()
        self._read_sections()
        self.dictionary = self._bytes(DICT)
        self.contents = [self._content(*r) for r in self._payload_records()]
        self.entries = self._read_entries()
        self.by_path = {e.path: e for e in self.entries}
        check(len(self.by_path) == len(self.entries), "path given twice")
        self._check_slots(PATH_HASH, [e.path for e in self.entries])
        self.modules = [
            self._module(record) for record in self._records(MODULES, MODULE)
        ]
        self.by_stem = {m.stem: m for m in self.modules}
        check(len(self.by_stem) == len(self.modules), "stem given twice")
        self._check_slots(MODULE_HASH, [m.stem for m in self.modules])
        self.libraries = self._read_libraries()
        self.boot = self._read_boot()
        self.copies = self._read_copies()

    # --- header and sections ---

    def _read_header(self) -> None:
        check(len(self.data) >= PAGE, "cut short")
        (
            magic,
            major,
            _minor,
            self.header_size,
            self.section_count,
            self.section_size,
            self.machine,
            python_major,
            python_minor,
            self.python_magic,
            incompat_flags,
            _compat_flags,
            self.page_count,
            self.size,
            self.index,
            self.sums,
            stated_hash,
            self.id,
            _reserved,
        ) = HEADER.unpack_from(self.data)
        self.python = (python_major, python_minor)
        check(magic == MAGIC, "magic")
        check(major == 1 and incompat_flags == 0, "version")
        check(self.size <= len(self.data), "cut short")
        self.data = self.data[: self.size]
        table_end = self.header_size + self.section_count * self.section_size
        check(
            self.header_size >= HEADER.size
            and self.section_size >= SECTION.size
            and table_end <= PAGE,
            "sizes in the header",
        )
        end = self.index + self.page_count * PAGE
        sums_end = self.sums + 8 * self.page_count
        check(
            self.index % PAGE == 0
            and self.index >= PAGE
            and end == self.sums
            and self.size == sums_end + -sums_end % PAGE,
            "layout",
        )
        head = bytearray(self.data[:table_end])
        head[64:72] = bytes(8)
        sums = self.data[self.sums : sums_end]
        check(
            xxhash.xxh3_64_intdigest(bytes(head) + sums) == stated_hash,
            "hash of the header",
        )
        check(xxhash.xxh3_128_digest(sums) == self.id, "id")
        for i, (want,) in enumerate(struct.iter_unpack("<Q", sums)):
            at = self.index + i * PAGE
            page = self.data[at : at + PAGE]
            check(xxhash.xxh3_64_intdigest(page) == want, f"page {i}")
        check(not any(self.data[table_end:PAGE]), "zeros behind the table")
        check(not any(self.data[sums_end:]), "zeros behind the sums")

    def _read_sections(self) -> None:
        self.sections: Dict[int, Tuple[int, int, int]] = {}
        for i in range(self.section_count):
            kind, record_size, offset, size = SECTION.unpack_from(
                self.data, self.header_size + i * self.section_size
            )
            if kind not in range(ENTRIES, COPIES + 1):
                continue
            check(kind not in self.sections, "section given twice")
            least = RECORD_SIZES.get(kind, 1)
            check(
                (record_size >= least if least > 1 else record_size == 1)
                and offset % 64 == 0
                and size % record_size == 0,
                f"section {kind}",
            )
            if kind == PAYLOAD_DATA:
                check((offset, size) == (PAGE, self.index - PAGE), "data")
            else:
                check(
                    self.index <= offset and offset + size <= self.sums,
                    f"section {kind} is not in the index",
                )
            self.sections[kind] = (offset, size, record_size)
        check(NEEDED <= set(self.sections), "missing section")

    def _bytes(self, kind: int) -> bytes:
        offset, size, _ = self.sections.get(kind, (0, 0, 1))
        return self.data[offset : offset + size]

    def _records(self, kind: int, record: struct.Struct) -> List[tuple]:
        offset, size, step = self.sections.get(kind, (0, 0, record.size))
        return [
            record.unpack_from(self.data, offset + at)
            for at in range(0, size, step)
        ]

    def _check_slots(self, kind: int, keys: List[bytes]) -> None:
        """Finds every key as the page says to."""
        slots = self._records(kind, SLOT)
        count = len(slots)
        check(count & (count - 1) == 0, "slots: not a power of two")
        check(count >= 2 * len(keys), "slots: too few")
        used = sorted(record - 1 for _, record in slots if record)
        check(used == list(range(len(keys))), "slots: records")
        for number, key in enumerate(keys):
            digest = xxhash.xxh3_64_intdigest(key)
            at = digest % count
            while slots[at] != (digest >> 32, number + 1):
                check(slots[at][1] != 0, f"slots: {key!r} is not found")
                at = (at + 1) % count

    # --- payloads ---

    def _payload_records(self) -> List[tuple]:
        records = self._records(PAYLOADS, PAYLOAD)
        end = PAGE
        for offset, stored_size, *_ in sorted(records):
            check(offset >= end, "payloads overlap")
            check(not any(self.data[end:offset]), "zeros between payloads")
            end = offset + stored_size
        check(end <= self.index, "payload outside the data")
        check(not any(self.data[end : self.index]), "zeros behind payloads")
        return records

    def _content(
        self,
        offset: int,
        stored_size: int,
        size: int,
        stated_hash: int,
        storage: int,
        align_log2: int,
        *_reserved: int,
    ) -> bytes:
        stored = self.data[offset : offset + stored_size]
        check(xxhash.xxh3_64_intdigest(stored) == stated_hash, "payload hash")
        check(3 <= align_log2 <= 12, "alignment")
        check(offset % (1 << align_log2) == 0, "alignment")
        check(storage in (0, 1, 2), "storage")
        if storage == 0:
            content = stored
        else:
            dictionary = None
            if storage == 2:
                check(self.dictionary != b"", "no dictionary")
                dictionary = zstandard.ZstdCompressionDict(self.dictionary)
            inflater = zstandard.ZstdDecompressor(dict_data=dictionary)
            frames: List[bytes] = []
            while stored:
                stated = zstandard.frame_content_size(stored)
                check(0 <= stated <= MAX_FRAME, "stated size")
                frame = inflater.decompressobj()
                frames.append(frame.decompress(stored))
                check(frame.eof and len(frames[-1]) == stated, "stated size")
                stored = frame.unused_data
            content = b"".join(frames)
        check(len(content) == size, "payload size")
        return content

    # --- entries ---

    def _read_entries(self) -> List[Entry]:
        names = self._bytes(STRINGS)
        entries: List[Entry] = []
        for index, record in enumerate(self._records(ENTRIES, ENTRY)):
            entry = self._entry(index, record, names)
            if index:
                check(entry.parent < index, "parent behind its child")
                above = entries[entry.parent]
                check(above.kind == DIRECTORY, "parent is no directory")
                check(
                    0 <= index - above.first_child < above.child_count,
                    "not in its parent's range",
                )
                if index > above.first_child:
                    check(entries[-1].name < entry.name, "order of names")
                entry.path = above.path + b"/" * (above.index != 0)
                entry.path += entry.name
            check(len(entry.path) <= 4000, "length of a path")
            check(entry.path.count(b"/") < 200, "depth of a path")
            check(
                xxhash.xxh3_64_intdigest(entry.path) == entry.path_hash,
                "hash of a path",
            )
            entries.append(entry)
        check(len(entries) <= 1 << 24, "too many entries")
        check(
            sum(e.child_count for e in entries) == len(entries) - 1,
            "child ranges",
        )
        return entries

    def _entry(self, index: int, record: tuple, names: bytes) -> Entry:
        (
            path_hash,
            parent,
            name_offset,
            name_size,
            kind,
            _flags,
            mode,
            _reserved0,
            first_child,
            child_count,
            payload,
            mtime_nsec,
            mtime,
            size,
            _reserved1,
        ) = record
        name = names[name_offset : name_offset + name_size]
        check(len(name) == name_size <= 255, "name")
        check(not set(name) & set(b"/\0") and name not in (b".", b".."), "name")
        check((index == 0) == (name == b""), "empty name")
        if index == 0:
            check(kind == DIRECTORY and parent == 0, "root")
        check(mode <= 0o7777 and mtime_nsec <= 999_999_999, "attributes")
        check(DIRECTORY <= kind <= SELF, "kind of entry")
        check(kind == DIRECTORY or child_count == 0, "children")
        check((child_count == 0) == (first_child == NONE), "first child")
        check((kind in (FILE, LINK)) == (payload != NONE), "payload")
        content = b"" if payload == NONE else self.contents[payload]
        check(size == len(content), "size")
        if kind == LINK:
            check(1 <= size <= 4095 and b"\0" not in content, "link")
        return Entry(
            index=index,
            path_hash=path_hash,
            parent=parent,
            name=name,
            kind=kind,
            mode=mode,
            first_child=first_child,
            child_count=child_count,
            payload=None if payload == NONE else payload,
            mtime=mtime - (mtime >> 63 << 64),
            mtime_nsec=mtime_nsec,
            size=size,
        )

    # --- modules and boot settings ---

    def _module(self, record: tuple) -> Module:
        stem_hash, number, code, kind, flags, suffix_size, _, _ = record
        entry = self.entries[number]
        check(entry.kind == FILE, "module is no file")
        check(kind in (SOURCE, EXTENSION, BYTECODE), "kind of module")
        check(0 < suffix_size < len(entry.path), "suffix of a module")
        stem, suffix = (
            entry.path[:-suffix_size],
            entry.path[-suffix_size:],
        )
        check(xxhash.xxh3_64_intdigest(stem) == stem_hash, "hash of a stem")
        package = bool(flags & 1)
        check(package == suffix.startswith(b"/__init__."), "package")
        end = {SOURCE: b".py", EXTENSION: b".so", BYTECODE: b".pyc"}[kind]
        check(suffix.endswith(end), "suffix of a module")
        if code != NONE:
            check(code < len(self.contents), "code of a module")
            check(self.python_magic != 0, "code without a magic number")
        return Module(
            stem=stem,
            stem_hash=stem_hash,
            entry=entry,
            code=None if code == NONE else code,
            kind=kind,
            package=package,
        )

    def _read_libraries(self) -> List[Library]:
        names = self._bytes(STRINGS)
        needs = self._records(NEEDS, NEED)
        records = self._records(LIBRARIES, LIBRARY)
        numbers = [record[0] for record in records]
        check(numbers == sorted(set(numbers)), "order of libraries")
        groups: Dict[bytes, List[Tuple[bytes, bytes]]] = {}
        libraries = []
        used = 0
        for number, first, count, at, size, _, _, group, digest in records:
            entry = self.entries[number]
            check(entry.kind == FILE, "library is no file")
            content = self.contents[entry.payload]
            check(xxhash.xxh3_64_intdigest(content) == digest, "library hash")
            check(first == used, "needs of a library")
            used += count
            soname = self._name(names, at, size)
            part = (entry.path, entry.path + b"\0" + struct.pack("<Q", digest))
            groups.setdefault(group, []).append(part)
            libraries.append(Library(entry, soname, group, []))
            for need in needs[first:used]:
                target, name_at, name_size, kind, _, _ = need
                name = self._name(names, name_at, name_size)
                check(kind in (1, 2), "kind of need")
                check(
                    target in numbers
                    if kind == 1
                    else self.entries[target].kind == DIRECTORY and not name,
                    "what a library needs",
                )
                libraries[-1].needs.append((kind, self.entries[target], name))
        check(used == len(needs), "needs of no library")
        for group, parts in groups.items():
            whole = b"".join(part for _, part in sorted(parts))
            check(xxhash.xxh3_128_digest(whole) == group, "name of a group")
        return libraries

    @staticmethod
    def _name(names: bytes, at: int, size: int) -> bytes:
        name = names[at : at + size]
        check(len(name) == size and b"\0" not in name, "name of a library")
        return name

    def _read_boot(self) -> List[Tuple[int, bytes]]:
        data = self._bytes(BOOT_SETTINGS)
        settings: List[Tuple[int, bytes]] = []
        at = 0
        while at < len(data):
            check(len(data) - at >= BOOT.size, "boot record")
            key, size = BOOT.unpack_from(data, at)
            at += BOOT.size
            padded = size + -size % 4
            check(padded <= len(data) - at, "boot record")
            check(not any(data[at + size : at + padded]), "boot padding")
            check(key not in ONCE or key not in dict(settings), "boot key")
            settings.append((key, data[at : at + size]))
            at += padded
        return settings

    def _read_copies(self) -> Dict[int, bytes]:
        """Hashes of other blobs' payloads and the contents."""
        payloads = list(self._payload_records())
        copies: Dict[int, bytes] = {}
        for stated_hash, payload, reserved in self._records(COPIES, COPY):
            check(all(stated_hash > h for h in copies), "order of copies")
            check(payload < len(payloads) and reserved == 0, "copy")
            storage = payloads[payload][4]
            check(storage == 0, "copy is not raw")
            copies[stated_hash] = self.contents[payload]
        return copies

    # --- for those who use it ---

    def payload_hashes(self) -> List[int]:
        """Of the stored bytes, in the order of `contents`."""
        return [record[3] for record in self._payload_records()]

    def content(self, entry: Entry) -> Optional[bytes]:
        return None if entry.payload is None else self.contents[entry.payload]

    def dump(self) -> List[str]:
        """The lines that `blob_driver dump` prints."""

        def digest(payload: Optional[int]) -> str:
            if payload is None:
                return "-"
            return f"{xxhash.xxh3_64_intdigest(self.contents[payload]):016x}"

        lines = [
            f"blob {self.size} {self.machine} "
            f"{self.python[0]}.{self.python[1]} {self.python_magic} "
            f"{self.id.hex()}"
        ]
        for e in self.entries:
            lines.append(
                f"entry {e.path.hex() or '-'} {e.kind} {e.mode:o} {e.mtime} "
                f"{e.mtime_nsec} {e.size} {e.child_count} "
                f"{digest(e.payload)}"
            )
        for m in self.modules:
            lines.append(
                f"module {m.stem.hex()} {m.entry.path.hex()} {m.kind} "
                f"{int(m.package)} {digest(m.code)}"
            )
        for lib in self.libraries:
            lines.append(
                f"library {lib.entry.path.hex()} {lib.soname.hex() or '-'} "
                f"{lib.group.hex()}"
            )
            for kind, entry, name in lib.needs:
                lines.append(
                    f"need {kind} {entry.path.hex()} {name.hex() or '-'}"
                )
        for key, value in self.boot:
            lines.append(f"boot {key} {value.hex() or '-'}")
        return lines


def blobs_of(path: Path) -> Dict[str, Tuple[int, bytes]]:
    """The blobs in an ELF file: section name to file offset and bytes."""
    data = path.read_bytes()
    check(data[:6] == b"\x7fELF\x02\x01", "not a 64-bit little-endian ELF")
    (table,) = struct.unpack_from("<Q", data, 40)
    size, count, names = struct.unpack_from("<3H", data, 58)
    headers = [
        struct.unpack_from("<2I6Q", data, table + i * size)
        for i in range(count)
    ]
    found = {}
    for name_at, _, _, _, offset, length, _, _ in headers:
        start = headers[names][4] + name_at
        name = data[start : data.index(b"\0", start)].decode()
        if name in (".pexcz.stdlib", ".pexcz.app"):
            found[name] = (offset, data[offset : offset + length])
    return found


def main() -> None:
    path = Path(sys.argv[1])
    with open(path, "rb") as f:
        bare = f.read(len(MAGIC)) == MAGIC
    blobs = {"": (0, path.read_bytes())} if bare else blobs_of(path)
    for name, (_, data) in blobs.items():
        print("\n".join([name, *Blob(data).dump()]))


if __name__ == "__main__":
    main()
