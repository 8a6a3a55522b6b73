# SPDX-License-Identifier: Apache-2.0
"""What pexcz-pack is told about the snapshot: a run to see what is imported
later on, and variables that are set."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Callable

import pytest
from conftest import PACK, Result
from sides import run

ENV = {"LANG": "C.UTF-8", "PEXCZ_SNAPSHOT": "explain"}
BOOTED = b"pexcz: ordinary boot: "

LAZY = """\
    import importlib.util
    import sys
    import threading  # which 3.13 needs to load anything lazily

    class Lazy:
        def __init__(self, finder):
            self.finder = finder
        def __getattr__(self, name):
            return getattr(self.finder, name)
        def find_spec(self, name, path=None, target=None):
            spec = self.finder.find_spec(name, path, target)
            if spec is not None and hasattr(spec.loader, "exec_module"):
                spec.loader = importlib.util.LazyLoader(spec.loader)
            return spec

    def main():
        sys.meta_path[:] = [Lazy(finder) for finder in sys.meta_path]
        import app
        app.run()
    """


def test_application_that_imports_lazily(
    make_pex: Callable[..., Path], tmp_path: Path
) -> None:
    """Finders are wrapped, and modules run when they are first used."""
    sources = {
        "lazy.py": dedent(LAZY),
        "app.py": "import sys\nimport random, ssl, used, unused, bad\n"
        "def run():\n    print(used.NAME, random.randrange(1), 'unused' in sys.modules)\n"
        "    if len(sys.argv) > 1: bad.attribute\n",
        "used.py": "NAME = 'used'\n",
        "unused.py": "import tempfile, urllib.request\n",
        "bad.py": "raise ValueError('not today')\n",
    }
    pex = make_pex("-e", "lazy:main", sources=sources)
    exe = tmp_path / "app"
    done = run([PACK, "-v", "--snapshot=require", "--snapshot-warm=", pex, "-o", exe])
    said = [line for line in done.err.decode().splitlines() if "not in" in line]
    assert said == [
        "  not in the snapshot: app: imports bad",
        "  not in the snapshot: bad: cannot be imported: ValueError: not today",
    ]
    assert run([exe], env=ENV) == Result(0, b"used 0 True\n", b"")
    done = run([exe, "fail"], env=ENV)
    assert (done.code, done.out) == (1, b"used 0 True\n")
    assert b"ValueError: not today" in done.err


SETTINGS = """\
    import os
    MODE = os.environ.get("APP_MODE", "none")
    RAW = os.environb.get(b"APP_RAW", b"none")
    TERM = os.environ.get("TERM")
    def main():
        print(MODE, RAW, TERM, os.environ.get("APP_MODE"), os.environ.get("APP_LATER"))
    """


def test_variables_are_set_when_packing(
    make_pex: Callable[..., Path], tmp_path: Path
) -> None:
    pex = make_pex("-e", "settings:main", sources={"settings.py": dedent(SETTINGS)})
    exe = tmp_path / "app"
    options = ["--snapshot-env=APP_MODE=a=b", "--snapshot-env=TERM=dumb",
               "--snapshot-env=APP_LATER=packed"]  # fmt: skip
    done = run([PACK, "-v", "--snapshot=require", *options, pex, "-o", exe])
    assert done.code == 0
    assert [line.strip() for line in done.err.decode().splitlines() if "used" in line] == [
        "the snapshot is used only when $APP_MODE is a=b",
        "the snapshot is not used when $APP_RAW is set",
        "the snapshot is used only when $TERM is dumb",
    ]
    env = {**ENV, "APP_MODE": "a=b", "TERM": "dumb"}
    assert run([exe], env=env) == Result(0, b"a=b b'none' dumb a=b None\n", b"")
    for name, value, out in (
        ("APP_MODE", "c", b"c b'none' dumb c None\n"),
        ("APP_RAW", "r", b"a=b b'r' dumb a=b None\n"),
        ("TERM", "vt100", b"a=b b'none' vt100 a=b None\n"),
    ):
        done = run([exe], env={**env, name: value})
        assert (done.code, done.out) == (0, out)
        assert done.err.startswith(BOOTED + b"an environment variable"), done.err


@pytest.mark.parametrize(
    "text", ["NAME", "=x", "HOME=/x", "LC_ALL=C", "PYTHONPATH=/x", "A=\n", "A,B=1"]
)
def test_variables_that_cannot_be_set(tmp_path: Path, text: str) -> None:
    done = run([PACK, "--snapshot-env", text, tmp_path / "none.pex"])
    assert done.code == 2
    assert b"--snapshot-env" in done.err.splitlines()[0]


def test_curses(make_pex: Callable[..., Path], tmp_path: Path) -> None:
    text = """\
        import curses, curses.panel
        def main():
            curses.setupterm("vt100", 1)
            print(curses.tigetnum("cols"), curses.tigetstr("clear"), curses.A_BOLD)
            print(curses.KEY_F1, curses.panel.version, hasattr(curses, "LINES"))
        """
    pex = make_pex("-e", "screen:main", sources={"screen.py": dedent(text)})
    exe = tmp_path / "app"
    done = run([PACK, "-v", "--snapshot=require", pex, "-o", exe])
    assert done.code == 0 and b"not in the snapshot" not in done.err
    got = run([exe], env=ENV)
    assert got == run([exe], env={**ENV, "PEXCZ_SNAPSHOT": "0"})
    assert got.code == 0 and got.out.startswith(b"80 ")
