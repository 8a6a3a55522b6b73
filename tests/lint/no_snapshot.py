# SPDX-License-Identifier: Apache-2.0
"""What a base without heap snapshots would lack when it is linked.

no_snapshot.py EXPORTS STAND_IN --kept OBJECT… --left-out OBJECT…: objects that are
kept may use of those that are left out only what the object STAND_IN has in
their place, and the names of libc in the file EXPORTS, which libc then has.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import List, Set


def symbols(option: str, objects: List[str]) -> Set[str]:
    text = subprocess.check_output(["nm", "-gP", option, *objects], text=True)
    return {line.split()[0] for line in text.splitlines() if " " in line}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("exports", type=Path)
    parser.add_argument("stand_in")
    parser.add_argument("--kept", nargs="+", required=True)
    parser.add_argument("--left-out", nargs="+", required=True)
    options = parser.parse_args()
    missing = (symbols("-u", options.kept)
               & symbols("--defined-only", options.left_out)
               - symbols("--defined-only", options.kept)
               - symbols("--defined-only", [options.stand_in])
               - set(options.exports.read_text().split()))  # fmt: skip
    if missing:
        print(f"runtime/no_snapshot.c lacks {', '.join(sorted(missing))}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
