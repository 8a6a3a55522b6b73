# SPDX-License-Identifier: Apache-2.0
"""Runs unit test executables and prints one line each and the totals.

A test passes when it exits with 0 and is skipped with 77; everything that it
printed is shown when it does not pass.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import totals

VALGRIND = ["valgrind", "-q", "--error-exitcode=9", "--leak-check=full"]
TIME_LIMIT = 600  # seconds
SKIPPED = 77  # exit code


def run(command, name):
    try:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIME_LIMIT,
            check=False,
        )
        output, code = done.stdout, done.returncode
    except subprocess.TimeoutExpired as late:
        output, code = late.stdout or b"", "time-out"
    if code == 0:
        print(f"ok      {name}")
        return "passed"
    if code == SKIPPED:
        print(f"skipped {name}: {output.decode(errors='replace').strip()}")
        return "skipped"
    print(f"FAILED  {name} (exit {code})")
    sys.stdout.flush()
    sys.stdout.buffer.write(output)
    return "failed"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--valgrind", action="store_true")
    parser.add_argument("tests", nargs="+")
    options = parser.parse_args()
    if options.valgrind:
        os.environ["PEXCZ_UNDER_VALGRIND"] = "1"  # test_mutation does less
    count = {"passed": 0, "failed": 0, "skipped": 0}
    for test in options.tests:
        prefix = VALGRIND if options.valgrind else []
        label = "/".join(Path(test).parts[-2:])
        if options.valgrind:
            label += " (valgrind)"
        count[run([*prefix, test], label)] += 1
    totals.report(**count)
    return 1 if count["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
