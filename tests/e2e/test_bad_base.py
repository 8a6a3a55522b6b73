# SPDX-License-Identifier: Apache-2.0
"""Bases that are none, are damaged, or are for another machine."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Callable

import pytest
from conftest import BASE, PEXCZ, App
from refusals import refused
from sides import VERSION, run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with zipfile.ZipFile(tmp_path / "a.pex", "w") as z:
        z.writestr("PEX-INFO", json.dumps({"entry_point": "app"}))
        z.writestr("app.py", "print(1)\n")
    return tmp_path


def test_not_a_base(folder: Path, make_app: Callable[..., App]) -> None:
    shutil.copy(make_app("-e", "m", sources={"m.py": ""}).exe, folder / "packed")
    for base, cause in {
        "absent": "absent: No such file or directory",
        ".": ".: not a regular file",
        "a.pex": "a.pex: not an ELF executable",
        "/bin/true": "/bin/true: not an executable made by pexcz",
        "/dev/null": "/dev/null: ",
        "packed": "packed: cannot be used as a base: it has been packed already",
    }.items():
        refused(folder, "a.pex", "--base", base, "-o", "out", words=(cause,))


def test_another_machine(folder: Path) -> None:
    for machine, words in {
        243: ("base: a base for riscv64 (machine 243), not for x86_64 or aarch64",),
        183: ("base: code for aarch64 with a standard library for x86_64",),
    }.items():
        data = bytearray(BASE.read_bytes())
        data[18:20] = machine.to_bytes(2, "little")
        (folder / "base").write_bytes(data)
        refused(folder, "a.pex", "--base", "base", words=words)


def test_damaged(folder: Path) -> None:
    """It would be copied into every file that is packed on it."""
    whole = BASE.read_bytes()
    base = folder / "base"
    for size in (0, 30, 5000, len(whole) // 2, len(whole) - 1):
        base.write_bytes(whole[:size])
        base.chmod(0o755)
        refused(folder, "a.pex", "--base", "base", words=("base: ",))
    base.write_bytes(whole + b"more")
    refused(folder, "a.pex", "--base", "base", words=("base: ", "4 bytes appended"))
    flipped = bytearray(whole)
    flipped[len(whole) - 3_000_000] ^= 1
    base.write_bytes(flipped)
    refused(folder, "a.pex", "--base", "base", words=("base: standard library: ",))


def test_not_executable(folder: Path) -> None:
    shutil.copyfile(BASE, folder / "base")
    refused(folder, "a.pex", "--base", "base",
            words=("base: cannot run: Permission denied",))


def test_none_installed(folder: Path) -> None:
    """A program without its lib/pexcz beside it."""
    (folder / "bin").mkdir()
    shutil.copy(PEXCZ, folder / "bin/pexcz-pack")
    pack = folder / "bin/pexcz-pack"
    got = run([pack, "a.pex"], cwd=folder)
    assert got.code == 1
    assert b"lib/pexcz: no folder with bases beside this program" in got.err
    (folder / "lib/pexcz").mkdir(parents=True)
    got = run([pack, "a.pex"], cwd=folder)
    assert got.code == 1 and b"lib/pexcz: no base; installed: none" in got.err
    shutil.copy(BASE, folder / "lib/pexcz")
    got = run([pack, "--python", "3.7", "a.pex"], cwd=folder)
    assert got.code == 1 and f"no base for Python 3.7; installed: {VERSION}" in got.err.decode()
    got = run([pack, "--python", "nonsense", "a.pex"], cwd=folder)
    assert got.code == 1 and b"no base for Python nonsense" in got.err
