# SPDX-License-Identifier: Apache-2.0
"""pexcz extract and inspect where something is in the way."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Callable

import pytest
from conftest import PEXCZ, App
from refusals import files_of
from sides import Result, run


@pytest.fixture
def app(make_app: Callable[..., App]) -> App:
    return make_app("cowsay==6.1", "-c", "cowsay")


def refused(folder: Path, *arguments: object) -> str:
    before = files_of(folder)
    got: Result = run([PEXCZ, *arguments], cwd=folder)
    text = got.err.decode()
    assert (got.code, got.out) == (1, b"")
    assert text.startswith(f"pexcz {arguments[0]}: ") and text.count("\n") == 1
    assert files_of(folder) == before
    return text


def test_target(tmp_path: Path, app: App) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").write_text("mine")
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to("empty")
    for target, cause in {
        "file": "file: exists and is not a directory",
        "full": "full: exists and is not empty",
        "link": "link: exists and is not a directory",
        "absent/new": "absent/new: cannot write to its parent directory",
        "/proc/new": "/proc/new: cannot write to its parent directory",
        ".": "'.' cannot be replaced",
    }.items():
        assert cause in refused(tmp_path, "extract", app.exe, target)
    assert run([PEXCZ, "extract", app.exe, "empty/"], cwd=tmp_path).code == 0
    assert (tmp_path / "empty/lib").is_dir()


def test_not_packed(tmp_path: Path, app: App) -> None:
    (tmp_path / "text").write_text("text")
    (tmp_path / "cut").write_bytes(app.exe.read_bytes()[:-5000])
    for verb in ("inspect", "extract", "verify"):
        target = ["out"] if verb == "extract" else []
        for name in ("absent", "text", ".", "/bin/true", "/dev/null", "cut"):
            assert f": {name}: " in refused(tmp_path, verb, name, *target)


def test_damaged(tmp_path: Path, app: App) -> None:
    """Found before anything is written."""
    data = bytearray(app.exe.read_bytes())
    sections = run(["readelf", "-SW", app.exe]).text
    line = next(s for s in sections.splitlines() if ".pexcz.app" in s).split()
    at = int(line[line.index("PROGBITS") + 2], 16) + 20_000
    data[at] ^= 1
    (tmp_path / "bad").write_bytes(data)
    assert "bad: application: " in refused(tmp_path, "extract", "bad", "out")


@pytest.mark.parametrize("size", ["8k", "100k"])
def test_disk_full(tiny: Callable[[str], Path], app: App, size: str) -> None:
    text = refused(tiny(size), "extract", app.exe, "out")
    assert "No space left on device" in text and "out" in text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(tmp_path: Path, app: App, number: int) -> None:
    """The folder is there with everything in it, or not at all."""
    start = time.monotonic()
    assert run([PEXCZ, "extract", "-q", "--all", app.exe, tmp_path / "out"]).code == 0
    whole = time.monotonic() - start
    count = len(list((tmp_path / "out").rglob("*")))
    for step in range(6):
        out = tmp_path / f"out{step}"
        with subprocess.Popen([PEXCZ, "extract", "-q", "--all", app.exe, out]) as process:
            time.sleep(whole * step / 6)
            process.send_signal(number)
        if out.exists():
            assert len(list(out.rglob("*"))) == count
        else:
            assert process.returncode in (-number, 128 + number, 1)
    assert not [n for n in os.listdir(tmp_path) if n.startswith(".")]
