# SPDX-License-Identifier: Apache-2.0
"""Makes stdlib-blob/hot_text.list: functions that restored starts run.

Starts each program of bench.py once with a breakpoint at each function of the
base, and at each instruction of what the compiler set apart as unlikely.
What most programs run comes first, so that those that run little of it find it
together.
"""

from __future__ import annotations

import argparse
import bisect
import ctypes
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Counter as Counts
from typing import Dict, List, Set, Tuple

from bench import Row, rows
from subjects import REPOSITORY, Subjects

LIST = REPOSITORY / "stdlib-blob/hot_text.list"
HEAD = """# Functions that restored starts run: link_base.py puts them together, so that few
# pages are mapped.  `bench/hot_text.py` makes the list.
"""
# Programs that run a function, of all.
LEAST = 3
BREAKPOINT = 0xCC
# Of <sys/ptrace.h> and <sys/user.h>, on x86-64.
TRACEME, PEEKUSER, POKEUSER, CONT, SETOPTIONS = 0, 3, 6, 7, 0x4200
TRACE_CHILDREN_AND_EXIT_WITH_US = 0x2 | 0x4 | 0x8 | 0x100000
RIP = 16 * 8
WALL = 0x40000000

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


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
    environment = {"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "HOME": home}
    child = os.fork()
    if child == 0:
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        libc.ptrace(TRACEME, 0, None, None)
        os.execve(row.exe, [str(row.exe), *row.arguments], environment)
    os.waitpid(child, 0)
    libc.ptrace(SETOPTIONS, child, None, TRACE_CHILDREN_AND_EXIT_WITH_US)
    names: Set[str] = set()
    memory = os.open(f"/proc/{child}/mem", os.O_RDWR)
    os.pwrite(memory, code.patched, code.start)
    stopped: Dict[int, int] = {child: 0}
    while True:
        for pid, number in stopped.items():
            libc.ptrace(CONT, pid, None, number)
        pid, status = os.waitpid(-1, WALL)
        stopped = {}
        if not os.WIFSTOPPED(status):
            if pid == child:
                break
            continue
        number = os.WSTOPSIG(status)
        if number == signal.SIGTRAP:
            address = libc.ptrace(PEEKUSER, pid, RIP, None) - 1
            if 0 <= address - code.start < len(code.patched) and status >> 16 == 0:
                at, size, name = code.function_at(address)
                names.add(name)
                piece = code.original[at - code.start : at - code.start + max(size, 1)]
                os.pwrite(memory, piece, at)
                libc.ptrace(POKEUSER, pid, RIP, address)
        stopped[pid] = 0 if number in (signal.SIGTRAP, signal.SIGSTOP) else number
    os.close(memory)
    if status != 0:
        raise RuntimeError(f"{row.name}: status {status}")
    return names


def lines_of(name: str, functions: Dict[str, int]) -> List[str]:
    """One that has no unlikely part may be unlikely as a whole."""
    if name.endswith(".cold") or f"{name}.cold" in functions:
        return [name]
    return [name, f"{name}.cold"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", type=Path, required=True)
    parser.add_argument("debug", type=Path, help="base-X.Y.elf.debug")
    options = parser.parse_args()
    subjects = Subjects(Path(os.environ["PEXCZ_BUILD"]), options.python.absolute())
    code = Code(options.debug)
    counts: Counts[str] = Counter()
    for row in rows(subjects):
        names = executed(row, str(subjects.folder / "home"), code)
        print(f"{row.name}: {len(names)}")
        counts.update(names)
    order = {name: address for address, _, name in reversed(code.functions)}
    kept = [name for name, count in counts.items() if count >= LEAST]
    kept.sort(key=lambda name: (-counts[name], order[name]))
    kept = [line for name in kept for line in lines_of(name, order)]
    LIST.write_text(HEAD + "\n".join(kept) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
