# SPDX-License-Identifier: Apache-2.0
"""Runs the parts of `make check` and prints the sum of their totals.

check.py PART[+PART…]…: parts with a + between them run at the same time.

Each part is a make target whose programs end with totals.report().  A part that
fails without counting a failed test (a build error) counts as one.
"""

import os
import subprocess
import sys
import tempfile
import time

import totals


class Part:
    """A make target that runs, with its output in a file if others run, too."""

    def __init__(self, name, folder, alone):
        self.name = name
        self.path = os.path.join(folder, name)
        self.start = time.monotonic()
        self.output = None if alone else open(self.path + ".log", "w+b")
        self.process = subprocess.Popen(
            ["make", f"-j{os.cpu_count()}", "--no-print-directory", name],
            env={**os.environ, "PEXCZ_TOTALS": self.path},
            stdout=self.output,
            stderr=self.output and subprocess.STDOUT,
        )

    def counts(self):
        """[passed, failed, skipped], once it has ended."""
        print(f"== {self.name}", flush=True)
        code = self.process.wait()
        seconds = time.monotonic() - self.start
        if self.output:
            self.output.seek(0)
            sys.stdout.buffer.write(self.output.read())
            self.output.close()
        counts = [0, 0, 0]
        if os.path.exists(self.path):
            with open(self.path, encoding="utf-8") as f:
                for line in f:
                    found = totals.LINE.match(line)
                    for i in range(3) if found else ():
                        counts[i] += int(found[i + 1])
        if sum(counts) == 0 or (code != 0 and counts[1] == 0):
            print(f"FAILED  {self.name}: exit code {code}, {sum(counts)} tests counted")
            counts[1] += 1
        print(f"== {self.name}: {seconds:.0f} s", flush=True)
        return counts


def main():
    sums = [0, 0, 0]
    with tempfile.TemporaryDirectory() as folder:
        for group in sys.argv[1:]:
            names = group.split("+")
            for part in [Part(n, folder, len(names) == 1) for n in names]:
                sums = [a + b for a, b in zip(sums, part.counts())]
    print(f"{sums[0]} passed, {sums[1]} failed, {sums[2]} skipped")
    return 1 if sums[1] else 0


if __name__ == "__main__":
    sys.exit(main())
