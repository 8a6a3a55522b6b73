# SPDX-License-Identifier: Apache-2.0
"""What every refusal of the packer has in common: one line on stderr, its
exit code, and a folder that is as it was before."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Dict, Optional, Tuple

from conftest import PACK
from sides import run

# No line of the packer's carries what could steer a terminal.
PRINTABLE = re.compile(r"[^\x00-\x1f\x7f-\x9f]*")


def files_of(folder: Path) -> Dict[str, Tuple[int, int, bytes]]:
    """Names, inodes, modes and contents of what a folder holds."""
    found = {}
    for path in folder.rglob("*"):
        st = path.lstat()
        data = b""
        if path.is_symlink():
            data = os.fsencode(os.readlink(path))
        elif path.is_file():
            data = path.read_bytes()
        found[os.fsdecode(path)] = (st.st_ino, st.st_mode, data)
    return found


def refused(
    folder: Path,
    *arguments: object,
    code: int = 1,
    words: Tuple[str, ...] = (),
    env: Optional[Dict[str, str]] = None,
) -> str:
    """Runs pexcz-pack in `folder`; returns the message."""
    before = files_of(folder)
    got = run([PACK, *arguments], cwd=folder, env={**os.environ, **(env or {})})
    text = got.err.decode("utf-8", "surrogateescape")
    assert got.code == code, (got.code, text)
    assert got.out == b""
    lines = text.splitlines()
    assert text.endswith("\n") and len(lines) == (2 if code == 2 else 1), text
    assert PRINTABLE.fullmatch(lines[0]), lines[0]
    assert lines[0].startswith("pexcz-pack: "), text
    for word in words:
        assert word in lines[0], (word, lines[0])
    assert files_of(folder) == before
    return lines[0]
