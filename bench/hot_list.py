# SPDX-License-Identifier: Apache-2.0
"""What hot_data.py and hot_text.py have in common: they count in how many starts
of the programs of bench.py a symbol of the base takes part."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from pathlib import Path
from typing import Callable, Set, TypeVar
from typing import Counter as Counts
from typing import Tuple

from bench import Row, rows
from subjects import Subjects

# Programs that need a symbol, of all: one that fewer need is in the way.
LEAST = 3
Symbols = TypeVar("Symbols")


def count(
    description: str | None,
    read: Callable[[Path], Symbols],
    names_of: Callable[[Row, str, Symbols], Set[str]],
) -> Tuple[Symbols, Counts[str]]:
    """What `read` makes of the base's debugging information, which the command
    line names; and for each name that `names_of` found, given a program and
    $HOME, the number of programs."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--python", type=Path, required=True)
    parser.add_argument("debug", type=Path, help="base-X.Y.elf.debug")
    options = parser.parse_args()
    subjects = Subjects(Path(os.environ["PEXCZ_BUILD"]), options.python.absolute())
    symbols = read(options.debug)
    counts: Counts[str] = Counter()
    for row in rows(subjects):
        names = names_of(row, str(subjects.folder / "home"), symbols)
        print(f"{row.name}: {len(names)}")
        counts.update(names)
    return symbols, counts
