# SPDX-License-Identifier: Apache-2.0
"""Runs pytest on files or folders and ends with the totals of `make check`.

usage: run_pytest.py PYTEST-ARGUMENT...

To be run with the Python of the test venv.  Unexpected passes and errors in
fixtures count as failed, expected failures as passed.  No test at all is a
failure.
"""

import sys

import pytest

import totals


class Outcomes:
    """Counts each test once, by its worst outcome."""

    def __init__(self):
        self.outcomes = {}

    def pytest_runtest_logreport(self, report):
        rank = {"passed": 0, "skipped": 1, "failed": 2}[report.outcome]
        if rank == 1 and hasattr(report, "wasxfail"):
            rank = 0
        known = self.outcomes.get(report.nodeid, 0)
        self.outcomes[report.nodeid] = max(rank, known)
        if rank == 2:
            print(f"\nFAILED {report.nodeid}", flush=True)

    def pytest_collectreport(self, report):
        if report.failed:
            self.outcomes[report.nodeid] = 2
        elif report.skipped:
            self.outcomes[report.nodeid] = 1

    def not_all_ran(self):
        """Something went wrong: it is at least one failure, also where it was
        no test's, as with a conftest.py that cannot be imported."""
        if 2 not in self.outcomes.values():
            self.outcomes["pytest"] = 2

    def report(self):
        counts = [0, 0, 0]
        for rank in self.outcomes.values():
            counts[rank] += 1
        passed, skipped, failed = counts
        totals.report(passed, failed, skipped)


def main():
    outcomes = Outcomes()
    arguments = ["-q", "-p", "no:cacheprovider", "-rs", "--durations=12"]
    # An application is 30 MB: what the passed tests made would fill a disk.
    arguments += ["-o", "tmp_path_retention_policy=failed"]
    arguments += ["-o", "tmp_path_retention_count=1", *sys.argv[1:]]
    code = pytest.main(arguments, plugins=[outcomes])
    if code != pytest.ExitCode.OK:
        outcomes.not_all_ran()
    outcomes.report()
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
