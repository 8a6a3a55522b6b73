# SPDX-License-Identifier: Apache-2.0
"""Runs vfs_diff: 100,000 calls with one seed, or new seeds for some time."""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import totals  # noqa: E402

CALLS = 100_000
SKIPPED = 77
TREES = 10  # each with a tenth of the calls, half of them in four threads


def run(program, seed, calls):
    """The counts of passed, failed and skipped trees."""
    counts = [0, 0, 0]
    for tree in range(TREES):
        threads = 1 if tree % 2 == 0 else 4
        numbers = (seed * TREES + tree, calls // TREES, threads)
        with tempfile.TemporaryDirectory(prefix="pexcz-vfs-diff-") as folder:
            code = subprocess.run(
                [program, folder, *map(str, numbers)], check=False
            ).returncode
        counts[{0: 0, SKIPPED: 2}.get(code, 1)] += 1
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--time", type=float, default=0)
    options = parser.parse_args()
    sums = [0, 0, 0]
    end = time.monotonic() + options.time
    while True:
        seed = options.seed
        if seed is None:
            seed = random.randrange(1, 2**31)
        counts = run(options.program, seed, CALLS)
        sums = [a + b for a, b in zip(sums, counts)]
        if time.monotonic() >= end or counts[1]:
            break
    totals.report(*sums)
    return 1 if sums[1] else 0


if __name__ == "__main__":
    sys.exit(main())
