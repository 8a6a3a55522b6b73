# SPDX-License-Identifier: Apache-2.0
"""The same PEX gives the same executable, whoever packs it, where and when."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Callable, Dict, List

import pytest
from conftest import PACK
from sides import run

APPS: Dict[str, List[str]] = {
    "pure": ["cowsay==6.1", "-c", "cowsay"],
    "native": ["markupsafe", "flask", "-e", "markupsafe"],
    "warm": ["cowsay==6.1", "-c", "cowsay"],
}
OPTIONS = {"warm": ["--snapshot-warm=-t moo"]}


def as_others_do(number: int) -> Dict[str, object]:
    """One of two ways to pack that differ in all that must not matter."""
    return {
        "jobs": ("1", "8")[number],
        "umask": (0o022, 0o077)[number],
        "user": (0, 65534)[number],
        "name": ("cow", "a much longer folder")[number],
        "env": {
            "PATH": os.environ["PATH"],
            "TZ": ("UTC", "Asia/Tokyo")[number],
            "LC_ALL": ("C", "C.UTF-8")[number],
            "HOME": ("/root", "/nonexistent")[number],
            "PYTHONHASHSEED": ("1", "random")[number],
            "PYTHONDONTWRITEBYTECODE": ("", "1")[number],
            "LANGUAGE": ("", "de")[number],
            "USER": ("root", "somebody")[number],
        },
    }


@pytest.mark.parametrize("kind", APPS)
def test_same_bytes(
    open_folder: Path, make_pex: Callable[..., Path], kind: str
) -> None:
    pex = make_pex(*APPS[kind])
    digests = []
    # A copy of the program: the build folder may be closed to other users.
    home = open_folder / "home"
    (home / "bin").mkdir(parents=True)
    shutil.copy(PACK.resolve(), home / "bin/pexcz-pack")
    shutil.copytree(PACK.parent.parent / "lib/pexcz", home / "lib/pexcz")
    for number in range(2):
        way = as_others_do(number)
        folder = open_folder / str(way["name"])
        folder.mkdir()
        folder.chmod(0o777)
        copied = folder / "cow.pex"
        shutil.copyfile(pex, copied)
        copied.chmod(0o644)
        os.utime(copied, (number * 1000, number * 1000))
        user = ["setpriv", f"--reuid={way['user']}", "--clear-groups"]
        if os.geteuid() != 0 or shutil.which("setpriv") is None:
            user = []
        done = run(["sh", "-c", f'umask {way["umask"]:o}; exec "$0" "$@"', *user,
                    home / "bin/pexcz-pack", "-q", "-j", way["jobs"], *OPTIONS.get(kind, []), copied,
                    "-o", "cow"], cwd=folder, env=way["env"])
        assert done.code == 0, done.err
        assert done.err == b""
        digests.append(hashlib.sha256((folder / "cow").read_bytes()).hexdigest())
    assert digests[0] == digests[1]
