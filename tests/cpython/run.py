# SPDX-License-Identifier: Apache-2.0
"""Runs CPython's suite on disk and packed, and compares.

usage: run.py BUILD VERSION [--jobs N] [--timeout S] [--again] [TEST...]

Prints both outcomes of each file, then which files differ and in which cases.
Outcomes are kept beside the suite and used again for the same executables, so
an interrupted run goes on where it was; --again forgets those of the named
files.  A difference counts when it shows twice, as a case may depend on the
machine's load.  Exit code 0: only files that docs/behaviour.md lists differ.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Tuple

from outcomes import Outcome, run_file
from suite import HERE, Suite, make

BEHAVIOUR = HERE.parents[1] / "docs/behaviour.md"


@dataclass
class Comparison:
    test: str
    disk: Outcome
    packed: Outcome

    def cases(self) -> Dict[str, Tuple[str, str]]:
        a, b = self.disk.cases, self.packed.cases
        return {name: (a.get(name, "absent"), b.get(name, "absent"))
                for name in sorted({*a, *b})
                if a.get(name) != b.get(name)}

    @property
    def same(self) -> bool:
        return self.disk.state == self.packed.state and not self.cases()


class Runner:
    def __init__(self, suite: Suite, timeout: int, again: bool) -> None:
        self.suite = suite
        self.timeout = timeout
        self.again = again
        self.results = suite.folder / "results"
        # pack() names the executable's folder after the base.
        self.packed_results = self.results / suite.packed.parents[1].name

    def outcome(self, side: str, test: str, again: bool) -> Outcome:
        python = self.suite.disk if side == "disk" else self.suite.packed
        results = self.results / "disk" if side == "disk" else self.packed_results
        kept = results / f"{test}.json"
        if kept.exists() and not again:
            return Outcome.load(kept)
        log = self.suite.folder / "logs" / side / f"{test}.txt"
        outcome = run_file(python, self.suite.disk.parents[1], test, self.timeout, log)
        outcome.save(kept)
        return outcome

    def compare(self, test: str) -> Comparison:
        found = Comparison(test, self.outcome("disk", test, self.again),
                           self.outcome("packed", test, self.again))
        marker = self.packed_results / f"{test}.twice"
        if not found.same and (self.again or not marker.exists()):
            found = Comparison(test, self.outcome("disk", test, True),
                               self.outcome("packed", test, True))
            marker.touch()
        return found


def known_differences() -> List[str]:
    """The files in the table of docs/behaviour.md."""
    return re.findall(r"^\| `(test_\w+)` \|", BEHAVIOUR.read_text(), re.M)


def all_tests(suite: Suite) -> List[str]:
    done = subprocess.run([str(suite.disk), "-m", "test", "--list-tests"],
                          capture_output=True, text=True, check=True)
    return done.stdout.split()


def compare_all(runner: Runner, tests: List[str], jobs: int) -> List[Comparison]:
    found = []
    with ThreadPoolExecutor(jobs) as pool:
        for c in pool.map(runner.compare, tests):
            sign = " " if c.same else "*"
            print(f"{sign} {c.test:32} disk: {c.disk}\n"
                  f"  {'':32} packed: {c.packed}", flush=True)
            found.append(c)
    return found


def report(found: List[Comparison]) -> int:
    known = set(known_differences())
    differing = [c for c in found if not c.same]
    for c in differing:
        mark = "listed" if c.test in known else "NOT LISTED"
        print(f"\n{c.test} differs ({mark}): "
              f"disk {c.disk.state}, packed {c.packed.state}")
        for name, (disk, packed) in c.cases().items():
            print(f"    {name}: disk {disk}, packed {packed}")
    unlisted = [c.test for c in differing if c.test not in known]
    cases = sum(len(c.disk.cases) for c in found)
    print(f"\n{len(found)} test files, {cases} cases: {len(found) - len(differing)} files "
          f"the same, {len(differing)} differ, {len(unlisted)} of them not listed")
    return 1 if unlisted else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=Path)
    parser.add_argument("version")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--timeout", type=int, default=600)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("tests", nargs="*")
    options = parser.parse_intermixed_args()
    suite = make(options.build, options.version)
    runner = Runner(suite, options.timeout, options.again)
    tests = options.tests or all_tests(suite)
    return report(compare_all(runner, tests, options.jobs))


if __name__ == "__main__":
    sys.exit(main())
