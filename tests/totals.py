# SPDX-License-Identifier: Apache-2.0
"""The last line of each part of `make check`, and where check.py reads it.

Every program that runs tests ends with report(); tests/check.py adds up.
"""

import os
import re

LINE = re.compile(r"(\d+) passed, (\d+) failed, (\d+) skipped")


def report(passed, failed, skipped):
    """Print the totals, and append them to the file that PEXCZ_TOTALS names."""
    line = f"{passed} passed, {failed} failed, {skipped} skipped"
    print(line, flush=True)
    path = os.environ.get("PEXCZ_TOTALS")
    if path:
        with open(path, "a", encoding="utf-8") as f:
            f.write(line + "\n")
