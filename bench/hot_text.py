# SPDX-License-Identifier: Apache-2.0
"""Makes stdlib-blob/hot_text.list: functions that restored starts run.

Starts each program of bench.py once with a breakpoint at each function of the
base, and at each instruction of what the compiler set apart as unlikely.
What most programs run comes first, so that those that run little of it find it
together.
"""

from __future__ import annotations

import bisect
import re
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, Set, Tuple

from bench import Row
from hot_list import LEAST, count
from subjects import REPOSITORY
from traced import BREAKPOINT, Traced

LIST = REPOSITORY / "stdlib-blob/hot_text.list"
HEAD = """# Functions that restored starts run: linker_script.py puts them together, so that few
# pages are mapped.  `bench/hot_text.py` makes the list.
"""


class Code:
    """The functions of the base, and its .text with the breakpoints."""

    def __init__(self, debug: Path) -> None:
        sections = subprocess.check_output(["readelf", "-SW", str(debug)], text=True)
        found = re.search(r" \.text +PROGBITS +(\w+) (\w+) (\w+)", sections)
        assert found is not None
        self.start, offset, size = (int(n, 16) for n in found.groups())
        self.original = debug.read_bytes()[offset : offset + size]
        text = subprocess.check_output(["nm", "-n", "-S", str(debug)], text=True)
        self.functions: List[Tuple[int, int, str]] = [
            (int(m[1], 16), int(m[2], 16), m[3])
            for m in re.finditer(r"^(\w+) (\w+) [tTwW] (\S+)$", text, re.M)
            if self.start <= int(m[1], 16) < self.start + size
        ]
        self.starts = [address for address, _, _ in self.functions]
        self.patched = bytearray(self.original)
        for address, _, _ in self.functions:
            self.patched[address - self.start] = BREAKPOINT
        for address in self.unlikely_instructions(debug):
            self.patched[address - self.start] = BREAKPOINT

    def unlikely_instructions(self, debug: Path) -> List[int]:
        cold = [f for f in self.functions if f[2].endswith(".cold")]
        text = subprocess.check_output(
            ["objdump", "-d", "--no-show-raw-insn", f"--start-address={cold[0][0]}",
             f"--stop-address={cold[-1][0] + cold[-1][1]}", str(debug)], text=True)  # fmt: skip
        addresses = (int(m[1], 16) for m in re.finditer(r"^ +(\w+):\t", text, re.M))
        return [a for a in addresses if self.function_at(a)[2].endswith(".cold")]

    def function_at(self, address: int) -> Tuple[int, int, str]:
        i = bisect.bisect(self.starts, address) - 1
        return self.functions[i]


def executed(row: Row, home: str, code: Code) -> Set[str]:
    names: Set[str] = set()
    process = Traced(row.exe, row.arguments, home)
    process.write(code.start, bytes(code.patched))
    for address in process.breakpoints():
        if address != 0:
            start, size, name = code.function_at(address)
            names.add(name)
            offset = start - code.start
            process.write(start, code.original[offset : offset + max(size, 1)])
    if process.status != 0:
        raise RuntimeError(f"{row.name}: status {process.status}")
    return names


def lines_of(name: str, functions: Dict[str, int]) -> List[str]:
    """One that has no unlikely part may be unlikely as a whole."""
    if name.endswith(".cold") or f"{name}.cold" in functions:
        return [name]
    return [name, f"{name}.cold"]


def main() -> int:
    code, counts = count(__doc__, Code, executed)
    order = {name: address for address, _, name in reversed(code.functions)}
    kept = [name for name, number in counts.items() if number >= LEAST]
    kept.sort(key=lambda name: (-counts[name], order[name]))
    kept = [line for name in kept for line in lines_of(name, order)]
    LIST.write_text(HEAD + "\n".join(kept) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
