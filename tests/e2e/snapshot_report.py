# SPDX-License-Identifier: Apache-2.0
"""What `pexcz inspect --snapshot` says of a packed file."""

from __future__ import annotations

from pathlib import Path
from typing import List

from conftest import PEXCZ
from sides import run


def left_out(exe: Path) -> List[str]:
    """"MODULE: WHY" of the modules that are not in the snapshot, by name."""
    report = run([PEXCZ, "inspect", "--snapshot", exe]).text
    part = report.partition("Not in the snapshot: ")[2].partition(" bytecode ")[0]
    return sorted(line.strip() for line in part.splitlines()[1:] if line)
