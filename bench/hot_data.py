# SPDX-License-Identifier: Apache-2.0
"""Makes stdlib-blob/hot_data.list: variables that restored starts write to.

Starts each program of bench.py once, and compares Python's static data at its
exit with that behind the restore; and once under `perf`, since reference counts
that come back to what they were show in page faults alone, the first of each
page.  So it is to be run again, after `make`, until little is added; what was
found that way stays.  What most programs write to comes first, so that those
that need only little of it find it together.
"""

from __future__ import annotations

import bisect
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Iterable, List, Set, Tuple

from bench import Row
from hot_list import LEAST, count
from measure import ENVIRONMENT
from subjects import REPOSITORY
from traced import BREAKPOINT, Traced

LIST = REPOSITORY / "stdlib-blob/hot_data.list"
HEAD = """# Variables that a restored start writes to, mostly the reference counts of
# types and of the strings in frozen modules: linker_script.py puts them together,
# so that few pages are copied.  `bench/hot_data.py` makes the list.
"""
# Tables of which a start needs a part that is anywhere.
LARGE = {"arena_map_root"}
# What is called when static data is restored, and nothing was written to.
RESTORED = "pexcz_libraries_act"
Variable = Tuple[int, int, str]


class Data:
    """Python's static data, of which the list may move any variable."""

    def __init__(self, debug: Path) -> None:
        text = subprocess.check_output(["nm", "-n", "-S", str(debug)], text=True)
        symbols = {m[2]: int(m[1], 16) for m in re.finditer(r"^(\w+) .* (\S+)$", text, re.M)}
        self.restored = symbols[RESTORED]
        self.ranges = [
            (symbols["pexcz_data_start"], symbols["_PyRuntime"]),
            (symbols["pexcz_bss_start"], symbols["pexcz_bss_end"]),
        ]
        self.variables: List[Variable] = [
            (int(m[1], 16), int(m[2], 16), m[3])
            for m in re.finditer(r"^(\w+) (\w+) [bBdD] (\S+)$", text, re.M)
            if any(start <= int(m[1], 16) < end for start, end in self.ranges)
        ]
        self.starts = [address for address, _, _ in self.variables]

    def read(self, process: Traced) -> List[bytes]:
        return [process.read(start, end - start) for start, end in self.ranges]

    def names_at(self, addresses: Iterable[int]) -> Set[str]:
        names = set()
        for address in addresses:
            i = bisect.bisect(self.starts, address) - 1
            if i >= 0 and address < self.starts[i] + self.variables[i][1]:
                names.add(self.variables[i][2])
        return names


def changed(row: Row, home: str, data: Data) -> Set[str]:
    """What is not as it was behind the restore; in .bss: what is not zero, since
    to restore it is to write to it."""
    process = Traced(row.exe, row.arguments, home)
    instruction = process.read(data.restored, 1)
    process.write(data.restored, bytes([BREAKPOINT]))
    before: List[bytes] = []
    after: List[bytes] = []
    for address in process.breakpoints():
        after = data.read(process)
        if address == data.restored:
            before = [after[0], bytes(len(after[1]))]
            process.write(address, instruction)
    if process.status != 0 or not before:
        raise RuntimeError(f"{row.name}: not restored, or status {process.status}")
    return data.names_at(
        start + i
        for (start, end), old, new in zip(data.ranges, before, after)
        for i in range(0, end - start, 8)
        if old[i : i + 8] != new[i : i + 8]
    )


def faulted(row: Row, home: str, data: Data) -> Set[str]:
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "perf.data")
        subprocess.run(
            ["perf", "record", "-q", "-e", "page-faults", "-c", "1", "-d", "-o", file,
             str(row.exe), *row.arguments], check=True, env={**ENVIRONMENT, "HOME": home},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)  # fmt: skip
        text = subprocess.check_output(
            ["perf", "script", "-i", file, "-F", "addr"],
            text=True, stderr=subprocess.DEVNULL)  # fmt: skip
    return data.names_at(int(word, 16) for word in text.split())


def written(row: Row, home: str, data: Data) -> Set[str]:
    return changed(row, home, data) | faulted(row, home, data)


def main() -> int:
    _, counts = count(__doc__, Data, written)
    old = [line for line in LIST.read_text().splitlines() if not line.startswith("#")]
    kept = {name for name, number in counts.items() if number >= LEAST} | set(old)
    kept -= LARGE
    ordered = sorted(kept, key=lambda name: (-counts[name], name))
    LIST.write_text(HEAD + "\n".join(ordered) + "\n")
    print(f"{len(kept) - len(set(old))} added")
    return 0


if __name__ == "__main__":
    sys.exit(main())
