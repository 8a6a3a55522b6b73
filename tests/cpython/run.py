# SPDX-License-Identifier: Apache-2.0
"""Runs CPython's suite on disk and packed, and compares; with --snapshot, as an
application that is booted and one that is restored, with 460 modules of the
standard library in its snapshot.

usage: run.py BUILD VERSION [--snapshot] [--jobs N] [--timeout S] [--again] [TEST...]

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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List, Set, Tuple

from application import pack_application
from outcomes import Outcome, run_file
from suite import HERE, Suite, make

BEHAVIOUR = HERE.parents[1] / "docs/behaviour.md"


@dataclass
class Side:
    name: str
    regrtest: List[str]  # the command that takes its options
    kept: Path           # outcomes
    variables: Dict[str, str] = field(default_factory=dict)


@dataclass
class Comparison:
    test: str
    sides: Tuple[Side, Side]
    outcomes: Tuple[Outcome, Outcome]

    def cases(self) -> Dict[str, Tuple[str, str]]:
        a, b = (outcome.cases for outcome in self.outcomes)
        return {name: (a.get(name, "absent"), b.get(name, "absent"))
                for name in sorted({*a, *b})
                if a.get(name) != b.get(name)}

    @property
    def same(self) -> bool:
        return self.outcomes[0].state == self.outcomes[1].state and not self.cases()

    def tell(self, texts: Tuple[object, object]) -> List[str]:
        return [f"{side.name}: {text}" for side, text in zip(self.sides, texts)]


def disk_and_packed(suite: Suite) -> Tuple[Side, Side]:
    # pack() names the executable's folder after the base.
    results = suite.folder / "results"
    return (Side("disk", [str(suite.disk), "-m", "test"], results / "disk"),
            Side("packed", [str(suite.packed), "-m", "test"],
                 results / suite.packed.parents[1].name))


def booted_and_restored(suite: Suite, build: Path) -> Tuple[Side, Side]:
    exe = pack_application(suite, build)
    results = suite.folder / "results" / f"snapshot-{exe.parent.name}"
    return (Side("booted", [str(exe)], results / "booted", {"PEXCZ_SNAPSHOT": "0"}),
            Side("restored", [str(exe)], results / "restored"))


class Runner:
    def __init__(self, suite: Suite, sides: Tuple[Side, Side], timeout: int,
                 again: bool, system: Path = Path("/")) -> None:
        self.suite = suite
        self.sides = sides
        self.timeout = timeout
        self.again = again
        self.system = system

    def outcome(self, side: Side, test: str, again: bool) -> Outcome:
        kept = self.kept(side) / f"{test}.json"
        if kept.exists() and not again:
            return Outcome.load(kept)
        log = self.suite.folder / "logs" / side.name / self.system.name / f"{test}.txt"
        outcome = run_file(side.regrtest, self.suite.disk.parents[1], test,
                           self.timeout, log, side.variables, self.system)
        outcome.save(kept)
        return outcome

    def kept(self, side: Side) -> Path:
        return side.kept / self.system.name

    def once(self, test: str, again: bool) -> Comparison:
        one, other = self.sides
        return Comparison(test, self.sides, (self.outcome(one, test, again),
                                             self.outcome(other, test, again)))

    def compare(self, test: str) -> Comparison:
        found = self.once(test, self.again)
        marker = self.kept(self.sides[1]) / f"{test}.twice"
        if not found.same and (self.again or not marker.exists()):
            found = self.once(test, True)
            marker.touch()
        return found


def known_differences(snapshot: bool = False) -> List[str]:
    """The files in the first table of docs/behaviour.md that has some, or in the
    second one, about snapshots."""
    first, _, second = BEHAVIOUR.read_text().partition("`make conformance-snapshot`")
    return re.findall(r"^\| `(test_\w+)` \|", second if snapshot else first, re.M)


def all_tests(suite: Suite) -> List[str]:
    done = subprocess.run([str(suite.disk), "-m", "test", "--list-tests"],
                          capture_output=True, text=True, check=True)
    return done.stdout.split()


def compare_all(runner: Runner, tests: List[str], jobs: int) -> List[Comparison]:
    found = []
    with ThreadPoolExecutor(jobs) as pool:
        for c in pool.map(runner.compare, tests):
            sign = " " if c.same else "*"
            one, other = c.tell(c.outcomes)
            print(f"{sign} {c.test:32} {one}\n  {'':32} {other}", flush=True)
            found.append(c)
    return found


def report(found: List[Comparison], known: Set[str]) -> int:
    differing = [c for c in found if not c.same]
    for c in differing:
        mark = "listed" if c.test in known else "NOT LISTED"
        states = c.outcomes[0].state, c.outcomes[1].state
        print(f"\n{c.test} differs ({mark}): {', '.join(c.tell(states))}")
        for name, results in c.cases().items():
            print(f"    {name}: {', '.join(c.tell(results))}")
    unlisted = [c.test for c in differing if c.test not in known]
    cases = sum(len(c.outcomes[0].cases) for c in found)
    print(f"\n{len(found)} test files, {cases} cases: {len(found) - len(differing)} files "
          f"the same, {len(differing)} differ, {len(unlisted)} of them not listed")
    return 1 if unlisted else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=Path)
    parser.add_argument("version")
    parser.add_argument("--snapshot", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--timeout", type=int, default=600)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("tests", nargs="*")
    options = parser.parse_intermixed_args()
    suite = make(options.build, options.version)
    sides = (booted_and_restored(suite, options.build) if options.snapshot
             else disk_and_packed(suite))
    runner = Runner(suite, sides, options.timeout, options.again)
    tests = options.tests or all_tests(suite)
    return report(compare_all(runner, tests, options.jobs),
                  set(known_differences(options.snapshot)))


if __name__ == "__main__":
    sys.exit(main())
