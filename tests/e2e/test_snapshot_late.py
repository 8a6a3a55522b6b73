# SPDX-License-Identifier: Apache-2.0
"""Modules that are empty in the snapshot, whose bodies run at each start."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from textwrap import dedent
from typing import Callable, Dict, List

import pytest
from conftest import PACK
from sides import run

pytestmark = pytest.mark.skipif(
    sys.version_info >= (3, 12), reason="changes cannot be seen: no versions of dicts"
)
ENV = {"LANG": "C.UTF-8", "HOME": "/", "TERM": "dumb"}

FACTS = """\
    '''Of this process.'''
    import logging, os, sys, time
    log = logging.getLogger(__name__)
    TERM = os.environ.get("TERM")
    MODE = os.environ.get("LATE_MODE", "none")
    ARGUMENTS = list(sys.argv[1:])
    PID, BEGUN, KEY = os.getpid(), time.time(), os.urandom(8)
    if MODE == "other":
        def answer(): return "other"
    else:
        def answer(): return "usual"
    class Error(Exception):
        pid = PID
    if MODE == "bad":
        raise ValueError("bad mode")
    """
USER = """\
    import sys
    import facts, package.settings
    from package import settings as same
    def main():
        import os, time
        assert facts.PID == facts.Error.pid == os.getpid() and len(facts.KEY) == 8
        assert time.time() - facts.BEGUN < 60
        assert same is package.settings is sys.modules["package.settings"]
        print(facts.TERM, facts.MODE, facts.ARGUMENTS, facts.answer(), same.value)
        print(sorted(vars(facts)), [n for n in sys.modules if n in
              ("facts", "user", "package", "package.settings", "other")])
        for module in facts, same:
            spec = module.__spec__
            print(module, module.__doc__, module.__loader__ is spec.loader,
                  type(spec.loader), type(module), spec._initializing, spec.loader.name)
        print(sorted(c.__name__ for c in Exception.__subclasses__() if c.__module__ == "facts"),
              facts.log, facts.other.number)
    """
SOURCES = {
    "facts.py": dedent(FACTS) + "import other\n",
    "other.py": "number = 5\n",
    "package/__init__.py": "",
    "package/settings.py": "import os\nvalue = os.environ.get('LATE_VALUE')\n",
    "user.py": dedent(USER),
}


def report(make_pex: Callable[..., Path], exe: Path, sources: Dict[str, str]) -> List[str]:
    pex = make_pex("-e", "user:main", sources=sources)
    done = run([PACK, "-v", "--snapshot", "require", pex, "-o", exe])
    assert done.code == 0, done.err.decode()
    lines = [line.strip() for line in done.err.decode().splitlines()]
    return [li for li in lines if "snapshot" in li or "each start" in li]


def test_bodies_run_at_each_start(make_pex: Callable[..., Path], tmp_path: Path) -> None:
    exe = tmp_path / "app"
    assert report(make_pex, exe, SOURCES) == [
        "runs at each start: facts", "runs at each start: package.settings"
    ]  # fmt: skip
    outs = set()
    for more in {}, {"LATE_MODE": "other", "LATE_VALUE": "x"}, {"TERM": "vt100"}:
        env = {**ENV, **more}
        got = run([exe, "a", "b"], env={**env, "PEXCZ_SNAPSHOT": "explain"})
        assert got == run([exe, "a", "b"], env={**env, "PEXCZ_SNAPSHOT": "0"})
        assert (got.code, got.err) == (0, b"")
        outs.add(got.out)
    assert len(outs) == 3
    got = run([exe], env={**ENV, "LATE_MODE": "bad"})
    want = run([exe], env={**ENV, "LATE_MODE": "bad", "PEXCZ_SNAPSHOT": "0"})
    assert got.code == want.code == 1
    assert got.err.splitlines()[-1] == want.err.splitlines()[-1] == b"ValueError: bad mode"


# Somebody could tell when the body ran.
SEEN: Dict[str, Dict[str, str]] = {
    "name": {"user": "from odd import value"},
    "attribute": {"user": "import odd; odd.value"},
    "by a function": {"user": "import odd\ndef get(): return odd.value\nget()"},
    "namespace": {"user": "import odd; vars(odd)"},
    "all names": {"user": "from odd import *"},
    "set from outside": {"user": "import odd; odd.more = 5"},
    "circle": {"odd": "early = 1\nimport circle", "circle": "import odd; odd.early",
               "user": "import odd"},
    "registry": {"odd": "import registry; registry.all.append(value)",
                 "registry": "all = []", "user": "import registry, odd"},
    "patch": {"odd": "import registry; registry.get = lambda: value",
              "registry": "", "user": "import registry, odd"},
    "package": {"odd/__init__": "", "user": "import odd"},
    "at exit": {"odd": "import atexit; atexit.register(print)", "user": "import odd"},
    "signal": {"odd": "import signal; signal.signal(10, print)", "user": "import odd"},
    "output": {"odd": "print(end='')", "user": "import odd"},
    "class of its own": {"odd": "import sys, types\nclass M(types.ModuleType): pass\n"
                                "sys.modules[__name__].__class__ = M\nos.getpid()",
                         "user": "import odd"},
    "in its place": {"odd": "import sys\nclass M: value = 7\nsys.modules[__name__] = M()",
                     "user": "import odd"},
}  # fmt: skip


@pytest.mark.parametrize("name", SEEN)
def test_body_that_could_be_missed(
    make_pex: Callable[..., Path], tmp_path: Path, name: str
) -> None:
    texts = {"odd": "", **SEEN[name]}
    body = "odd/__init__" if "odd/__init__" in texts else "odd"
    if body != "odd":
        del texts["odd"]
    texts[body] = "import os\nvalue = os.getpid()\n" + texts[body]
    texts["user"] += "\ndef main():\n    import odd\n    print(odd.value > 0)\n"
    exe = tmp_path / "app"
    said = report(make_pex, exe, {f"{n}.py": text + "\n" for n, text in texts.items()})
    assert "not in the snapshot: odd: calls os.getpid()" in said, said
    assert not any("each start" in line for line in said), said
    env = {**ENV, "PATH": os.environ["PATH"]}
    got = run([exe], env=env)
    assert got == run([exe], env={**env, "PEXCZ_SNAPSHOT": "0"})
    assert got.code == 0 and b"True" in got.out


def test_gate_of_a_large_module(make_pex: Callable[..., Path], tmp_path: Path) -> None:
    """It is not run at each start only because of a variable that nobody sets."""
    large = "import os\nvalue = os.environ.get('LATE_VALUE')\n" + "".join(
        f"v{i} = [{i}, value]\n" for i in range(4000)
    )
    sources = {"large.py": large, "user.py": "import large\ndef main(): print(large.value)\n"}
    exe = tmp_path / "app"
    assert report(make_pex, exe, sources) == [
        "the snapshot is not used when $LATE_VALUE is set"
    ]  # fmt: skip
    assert run([exe], env={**ENV, "LATE_VALUE": "x"}).out == b"x\n"
