# SPDX-License-Identifier: Apache-2.0
"""Adds to stdlib-blob/hot_data.list: variables that restored starts write to.

Starts each program of bench.py once under `perf`, and looks up what its page
faults in .data are about.  Of each page that is the first variable only: to be
run again, after `make`, until little is added.  What most programs write to
comes first, so that those that need only little of it find it together.
"""

from __future__ import annotations

import argparse
import bisect
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Counter as Counts
from typing import List, Set, Tuple

from bench import Row, rows
from subjects import REPOSITORY, Subjects

LIST = REPOSITORY / "stdlib-blob/hot_data.list"
# Programs that write to a variable, of all: one that fewer need is in the way.
LEAST = 3
Variable = Tuple[int, int, str]


def variables(debug: Path) -> List[Variable]:
    """(address, size, name) of what the list may move, by address."""
    text = subprocess.check_output(["nm", "-n", "-S", str(debug)], text=True)
    found = [
        (int(m[1], 16), int(m[2], 16), m[3])
        for m in re.finditer(r"^(\w+) (\w+) [dD] (\S+)$", text, re.M)
    ]
    names = [name for _, _, name in found]
    return found[names.index("pexcz_hot_data_end") + 1 : names.index("_PyRuntime")]


def written(row: Row, home: str, known: List[Variable]) -> Set[str]:
    starts = [address for address, _, _ in known]
    names = set()
    with tempfile.TemporaryDirectory() as folder:
        data = os.path.join(folder, "perf.data")
        subprocess.run(
            ["perf", "record", "-q", "-e", "page-faults", "-c", "1", "-d", "-o", data,
             str(row.exe), *row.arguments], check=True, env={**os.environ, "HOME": home},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)  # fmt: skip
        text = subprocess.check_output(
            ["perf", "script", "-i", data, "-F", "addr"],
            text=True, stderr=subprocess.DEVNULL)  # fmt: skip
    for word in text.split():
        address = int(word, 16)
        i = bisect.bisect(starts, address) - 1
        if i >= 0 and address < starts[i] + known[i][1]:
            names.add(known[i][2])
    return names


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", type=Path, required=True)
    parser.add_argument("debug", type=Path, help="base-X.Y.elf.debug")
    options = parser.parse_args()
    subjects = Subjects(Path(os.environ["PEXCZ_BUILD"]), options.python.absolute())
    known = variables(options.debug)
    lines = LIST.read_text().splitlines()
    counts: Counts[str] = Counter()
    for row in rows(subjects):
        counts.update(written(row, str(subjects.folder / "home"), known))
    added = [n for n, count in counts.items() if count >= LEAST and n not in lines]
    added.sort(key=lambda name: (-counts[name], name))
    LIST.write_text("\n".join([*lines, *added]) + "\n")
    print(f"{len(added)} added")
    return 0


if __name__ == "__main__":
    sys.exit(main())
