# SPDX-License-Identifier: Apache-2.0
"""Fixtures: one tree packed into an executable, and the same tree on disk.

The tree on disk is a copy of what the executable has below /proc/pexcz, with
the Python of the distribution in its bin/.  So both sides are the same
CPython with the same files; they differ in who finds and loads the modules.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Sequence

import pytest

import demo_tree

HERE = Path(__file__).resolve().parent
BUILD = Path(os.environ["PEXCZ_BUILD"])
DIST = BUILD / "dist/3.11/python/install"
PREFIX = "/proc/pexcz"

COPY_TREE = """\
import shutil, sys
shutil.copytree("/proc/pexcz", sys.argv[1], symlinks=True)
"""


@dataclass
class Done:
    code: int
    out: str
    err: str


@dataclass
class Side:
    """One of the two Pythons."""

    python: Path
    root: str
    cache: Path

    def run(self, *arguments: str, options: Sequence[str] = ()) -> Done:
        done = subprocess.run(
            [str(self.python), "-I", "-B", *options, *arguments],
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=300, check=False, cwd="/",
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8",
                 "XDG_CACHE_HOME": str(self.cache)})
        return Done(done.returncode, self.normal(done.stdout),
                    self.normal(done.stderr))

    def normal(self, text: str) -> str:
        """Without what must differ: root, sys.executable, the cache of
        shared objects, addresses, our loaders' module."""
        text = text.replace(f"/{self.python}", f"{PREFIX}/bin/python3")
        text = text.replace(self.root, PREFIX)
        text = re.sub(r"/[^\s'\"]*/pexcz/so/[0-9a-f]+/", PREFIX + "/", text)
        text = re.sub(r"\b0x[0-9a-f]{6,}\b", "0x", text)
        return text.replace("_pexcz.Source", "_frozen_importlib_external.Source")

    def probe(self, name: str, scratch: Path,
              options: Sequence[str] = ()) -> Dict[str, Any]:
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        output = scratch.with_suffix(".json")
        done = self.run(str(HERE / "runner.py"), str(HERE / "probes" / name),
                        str(output), self.root, str(scratch), options=options)
        assert done.code == 0, done.err[-4000:]
        return json.loads(self.normal(output.read_text()))


@dataclass
class Both:
    packed: Side
    disk: Side
    files: Dict[str, bytes]  # of site-packages, as the wheels have them


# Written bytecode of the standard library only saves time on the disk's side.
WARM_UP = """\
import sys
sys.path = [p for p in sys.path if not p.endswith("site-packages")]
import email.message, importlib.metadata, importlib.resources, inspect, json
import pkgutil, runpy, ssl, traceback, zipfile, zipimport
"""


def run(*command: str, **options: Any) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, **options)
    assert done.returncode == 0, done.stdout.decode(errors="replace")


@pytest.fixture(scope="session")
def both(tmp_path_factory: pytest.TempPathFactory) -> Both:
    if sys.version_info[:2] != (3, 11):
        pytest.skip("the venv's Python is not 3.11, which the base is")
    folder = tmp_path_factory.mktemp("importer")
    wheels = demo_tree.write_wheels(DIST / "bin/python3.11",
                                    DIST / "include/python3.11",
                                    folder / "wheels")
    run(sys.executable, "-m", "pex", *map(str, wheels), "--no-index",
        # Otherwise Pex drops bytecode, that without source as well.
        "--no-pre-install-wheels", "-o", str(folder / "demo.pex"), "-m", "demo",
        env={**os.environ, "PEX_ROOT": str(folder / "pex_root")})
    run(str(BUILD / "bin/pexcz-pack"), str(folder / "demo.pex"),
        "-o", str(folder / "demo"))
    # Under this name a packed application is a Python.
    python = folder / "bin/python3"
    python.parent.mkdir()
    os.link(folder / "demo", python)
    tree = folder / "tree"
    run(str(python), "-I", "-c", COPY_TREE, str(tree))
    for name in ("python", "python3", "python3.11"):
        (tree / "bin" / name).unlink(missing_ok=True)
    shutil.copy(DIST / "bin/python3.11", tree / "bin/python3")
    run(str(tree / "bin/python3"), "-I", "-c", WARM_UP)
    files = {}
    for wheel in wheels:
        files.update(demo_tree.wheel_files(wheel))
    cache = folder / "cache"
    return Both(Side(python, PREFIX, cache),
                Side(tree / "bin/python3", str(tree), cache), files)


def differences(packed: Dict[str, Any], disk: Dict[str, Any]) -> List[str]:
    found = []
    for key in [*disk, *(k for k in packed if k not in disk)]:
        a, b = packed.get(key, "nothing"), disk.get(key, "nothing")
        if a != b:
            found.append(f"{key}:\n  packed: {json.dumps(a)[:1500]}\n"
                         f"  disk:   {json.dumps(b)[:1500]}")
    return found
