# SPDX-License-Identifier: Apache-2.0
"""Runs the parts of `make check` and prints the sum of their totals.

Each part is a make target whose programs end with totals.report().  A part that
fails without counting a failed test (a build error) counts as one.
"""

import os
import subprocess
import sys
import tempfile
import time

import totals


def main():
    sums = [0, 0, 0]
    with tempfile.TemporaryDirectory() as folder:
        for part in sys.argv[1:]:
            path = os.path.join(folder, part)
            start = time.monotonic()
            print(f"== {part}", flush=True)
            code = subprocess.run(
                ["make", "--no-print-directory", part],
                env={**os.environ, "PEXCZ_TOTALS": path},
                check=False,
            ).returncode
            counts = [0, 0, 0]
            if os.path.exists(path):
                with open(path, encoding="utf-8") as f:
                    for line in f:
                        found = totals.LINE.match(line)
                        for i in range(3) if found else ():
                            counts[i] += int(found[i + 1])
            if sum(counts) == 0 or (code != 0 and counts[1] == 0):
                print(f"FAILED  {part}: exit code {code}, {sum(counts)} tests counted")
                counts[1] += 1
            sums = [a + b for a, b in zip(sums, counts)]
            print(f"== {part}: {time.monotonic() - start:.0f} s", flush=True)
    print(f"{sums[0]} passed, {sums[1]} failed, {sums[2]} skipped")
    return 1 if sums[1] else 0


if __name__ == "__main__":
    sys.exit(main())
