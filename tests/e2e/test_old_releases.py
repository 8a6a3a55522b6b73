# SPDX-License-Identifier: Apache-2.0
"""PEXes that older releases of Pex made: other layouts of wheels, other fields
of PEX-INFO, another boot.

Each release is taken from PyPI once; what it builds is kept in $(BUILD)/pex.
The oldest ones build a PEX that does not run on Python 3.11 or newer, as their
own boot code does not; packed, it does.  Those of before 2019 do not build on
it either: they want a Python of their time, where the machine has one.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Dict, List, Tuple

import pytest
from conftest import BUILD, PACK
from pexes import NO_NETWORK
from sides import PREFIX, SITE, VERSION, run

sys.path.append(str(Path(__file__).parents[1]))
from build_wheel import build_wheel  # noqa: E402

RELEASES = [
    *("1.2.16", "1.4.9", "1.6.12", "2.0.3", "2.1.90", "2.16.2", "2.55.0", "2.91.0")
]
# The boot code of these fails on Python 3.11 and newer.
TOO_OLD = ("1.2.16", "1.4.9", "1.6.12", "2.0.3")
# These run on no newer Python.
NEEDS_PYTHON_3_6 = ("1.2.16", "1.4.9")

FILES: Dict[str, bytes] = {
    "greet/__init__.py": b"import sys, pkgutil\n"
    b"def main():\n    print(pkgutil.get_data('greet', 'text'), sys.argv[1:])\n",
    "greet/text": b"hello",
    "greet-1.0.data/data/share/greet/more": b"data\n",
    "greet-1.0.data/scripts/greet-sh": b"#!/bin/sh\necho script\n",
    "greet-1.0.data/headers/greet.h": b"#define GREET\n",
    "greet-1.0.dist-info/entry_points.txt": b"[console_scripts]\ngreet = greet:main\n",
}


def attempt(command: list, **options: object) -> None:
    done = run(command, **options)
    text = (done.out + done.err).decode()
    if done.code != 0 and NO_NETWORK.search(text):
        pytest.skip(f"not cached, and no index to be reached: {text[-300:]}")
    assert done.code == 0, text


def builder(release: str) -> Tuple[str, List[str]]:
    """The Python for a release, and what it wants beside it."""
    if release not in NEEDS_PYTHON_3_6:
        return sys.executable, ["setuptools<81"]
    versions = Path.home() / ".pyenv/versions"
    found = [*versions.glob("3.6.*/bin/python3.6")]
    python = str(found[0]) if found else shutil.which("python3.6")
    if python is None:
        pytest.skip(f"not cached, and no Python 3.6 here to run Pex {release}")
    return python, ["setuptools<41", "wheel<0.32"]


def build(release: str, folder: Path) -> Path:
    out = BUILD / "pex" / f"release-{release}-{VERSION}.pex"
    if not out.exists():
        out.parent.mkdir(parents=True, exist_ok=True)
        tool = folder / "tool"
        python, more = builder(release)
        attempt(
            [
                *(python, "-m", "pip", "install", "-q", "--no-deps"),
                *("--target", tool, f"pex=={release}", *more),
            ]
        )
        build_wheel(folder, "greet", "1.0", "py3-none-any", FILES)
        env = {
            **os.environ,
            "PYTHONPATH": str(tool),
            "PEX_ROOT": str(folder / "root"),
        }
        command = [*("greet==1.0", "--no-pypi", "-f", folder, "-c", "greet")]
        attempt(
            [python, "-m", "pex.bin.pex", *command, "-o", folder / "app.pex"], env=env
        )
        os.replace(folder / "app.pex", out)
    return out


@pytest.mark.parametrize("release", RELEASES)
def test_pex_of_release(release: str, tmp_path: Path, python: str) -> None:
    pex = build(release, tmp_path)
    exe = tmp_path / "app"
    done = run([PACK, "-q", "--snapshot", "off", pex, "-o", exe])
    assert (done.code, done.err) == (0, b"")
    got = run([exe, "a"])
    assert (got.code, got.out, got.err) == (0, b"b'hello' ['a']\n", b"")
    if release not in TOO_OLD:
        env = {**os.environ, "PEX_ROOT": str(tmp_path / "boot")}
        assert run([python, pex, "a"], env=env).out == got.out
    # They left the parts of a wheel where they were; Pex takes bin/ alone out.
    data = SITE[len(PREFIX) :] if release in TOO_OLD else ""
    code = (
        "import os, sys; p = sys.prefix\n"
        f"print(open(p + '{data}/share/greet/more').read(),\n"
        "      os.access(p + '/bin/greet-sh', os.X_OK))\n"
        "import importlib.metadata as m; print(m.version('greet'))"
    )
    done = run([exe, "-c", code], env={"PEX_INTERPRETER": "1"})
    assert done.text == "data\n True\n1.0\n", done.err
