# SPDX-License-Identifier: Apache-2.0
"""Imports from a damaged executable fail with a message, never by a signal."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Tuple

import pytest
from conftest import HERE, Both

sys.path.append(str(HERE.parent / "format"))
import blobref  # noqa: E402

PLAIN = b"lib/python3.11/site-packages/demo/plain"

IMPORT = """\
import demo.twin_a; print("twin", flush=True)
import demo.plain; print("plain")
"""

SOURCE = """\
import demo.plain; print("imported", flush=True)
demo.plain.__loader__.get_source("demo.plain"); print("read")
"""

ALL = """\
import importlib, pkgutil, demo, space
for package in (demo, space):
    for info in pkgutil.walk_packages(package.__path__, package.__name__ + ".",
                                      lambda name: None):
        try:
            importlib.import_module(info.name)
        except BaseException:
            pass
"""


class Damaged:
    """A copy of the executable in which bytes are inverted for a while."""

    def __init__(self, both: Both, folder: Path) -> None:
        self.python = folder / "python3"
        shutil.copy(both.packed.python, self.python)
        self.start, data = blobref.blobs_of(self.python)[".pexcz.app"]
        self.blob = blobref.Blob(data)
        self.payloads = self.blob._payload_records()
        self.size = len(data)

    @contextmanager
    def at(self, offset: int) -> Iterator[None]:
        with open(self.python, "r+b") as f:
            f.seek(self.start + offset)
            byte = f.read(1)
            f.seek(-1, os.SEEK_CUR)
            f.write(bytes([byte[0] ^ 0xFF]))
        try:
            yield
        finally:
            with open(self.python, "r+b") as f:
                f.seek(self.start + offset)
                f.write(byte)

    def middle(self, payload: int) -> int:
        offset, stored_size, *_ = self.payloads[payload]
        return offset + stored_size // 2

    def run(self, code: str) -> Tuple[int, str, str]:
        done = subprocess.run([str(self.python), "-I", "-c", code],
                              capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, timeout=60)
        return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def damaged(both: Both, tmp_path_factory: pytest.TempPathFactory) -> Damaged:
    return Damaged(both, tmp_path_factory.mktemp("damaged"))


def test_bytecode(damaged: Damaged) -> None:
    """What is whole can be imported; what is not ends the program."""
    with damaged.at(damaged.middle(damaged.blob.by_stem[PLAIN].code)):
        code, out, err = damaged.run(IMPORT)
    assert (code, out) == (127, "twin\n")
    assert re.fullmatch("pexcz: application: corrupt payload .*\n", err)
    assert damaged.run(IMPORT) == (0, "twin\nplain\n", "")


def test_source(damaged: Damaged) -> None:
    entry = damaged.blob.by_path[PLAIN + b".py"]
    with damaged.at(damaged.middle(entry.payload)):
        code, out, err = damaged.run(SOURCE)
    assert (code, out) == (127, "imported\n")
    assert re.fullmatch("pexcz: application: corrupt payload .*\n", err)
    assert damaged.run(SOURCE) == (0, "imported\nread\n", "")


def test_index_and_anywhere(damaged: Damaged) -> None:
    """A record of the tables that is damaged ends the program by name."""
    chance = random.Random(20)
    index = [damaged.blob.index + i * 977 for i in range(12)]
    anywhere = [chance.randrange(damaged.size) for _ in range(20)]
    codes = []
    for offset in [*range(0, 64, 8), *index, *anywhere]:
        if offset >= damaged.size:
            continue
        with damaged.at(offset):
            code, _, err = damaged.run(ALL)
        assert code in (0, 127), (offset, code, err[-500:])
        if code == 127:
            assert err.startswith("pexcz: "), err
            assert len(err.splitlines()) == 1, err
        codes.append(code)
    assert 127 in codes and 0 in codes
