# SPDX-License-Identifier: Apache-2.0
"""The first start of NumPy, with an empty cache, against a later one.

usage: first_start.py --python PYTHON [--runs N] [--check]

The bound: 1.3 times a later start, and once the time to write the same files.
That is measured as any installer would do it that wants them to be there after
a crash: from memory, one after the other, each one synchronised.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List

from measure import Candidate
from subjects import NUMPY, Subjects

BOUND = 1.3
# Only the ordinary boot needs NumPy's shared objects as files.
MODES = {"snapshot": {}, "ordinary": {"PEXCZ_SNAPSHOT": "0"}}


@dataclass
class FirstStart:
    first: List[float] = field(default_factory=list)
    later: List[float] = field(default_factory=list)
    written: List[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """To a later start, without the writing."""
        first, later, written = map(
            statistics.median, (self.first, self.later, self.written)
        )
        return (first - written) / later


def write_again(cache: Path, folder: Path) -> float:
    contents = [p.read_bytes() for p in cache.rglob("*") if p.is_file()]
    folder.mkdir()
    start = time.perf_counter()
    for i, content in enumerate(contents):
        fd = os.open(folder / str(i), os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(fd, content)
        os.fsync(fd)
        os.close(fd)
    seconds = time.perf_counter() - start
    shutil.rmtree(folder)
    return seconds


def measure(subjects: Subjects, runs: int, environment: Dict[str, str]) -> FirstStart:
    pex = subjects.pex("numpy", "-e", "numpy_sum:main", numpy_sum=NUMPY)
    exe = subjects.pack(pex, "numpy_sum")
    home = subjects.folder / "first-home"
    found = FirstStart()
    for _ in range(runs):
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(mode=0o700)
        for seconds in found.first, found.later:
            candidate = Candidate([str(exe)], environment)
            candidate.run(str(home))
            seconds += candidate.seconds
        found.written.append(write_again(home, subjects.folder / "first-written"))
    shutil.rmtree(home)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--check", action="store_true", help="fail on a missed bound")
    options = parser.parse_args()
    build = Path(os.environ["PEXCZ_BUILD"])
    subjects = Subjects(build, options.python.absolute())
    missed = False
    for mode, environment in MODES.items():
        found = measure(subjects, options.runs, environment)
        print(mode)
        for name in "first", "later", "written":
            values = getattr(found, name)
            print(f"{name:8} {statistics.median(values) * 1e3:7.1f} ms, "
                  f"minimum {min(values) * 1e3:7.1f}")  # fmt: skip
        missed = missed or found.ratio > BOUND
        print(f"without the writing {found.ratio:.2f} x <= {BOUND} "
              f"{'MISSED' if found.ratio > BOUND else 'ok'}")  # fmt: skip
    return 1 if missed and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
