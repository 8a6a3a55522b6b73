# SPDX-License-Identifier: Apache-2.0
"""Modules that set variables of the environment, or ask for the locale's
encoding, when they are imported."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Callable, Dict, List

import pytest
from conftest import PACK, App, Result, run
from snapshot_report import left_out

BOOTED = b"pexcz: ordinary boot: "


def start(exe: Path, env: Dict[str, str]) -> Result:
    return run([exe], env={"HOME": "/nowhere", "PATH": "/bin", **env})


def same(exe: Path, env: Dict[str, str], is_restored: bool = True) -> str:
    """What a start prints, from the snapshot or not: what another one does."""
    got = start(exe, {**env, "PEXCZ_SNAPSHOT": "explain"})
    want = start(exe, {**env, "PEXCZ_SNAPSHOT": "0"})
    assert got.err.startswith(BOOTED) != is_restored, got.err
    assert (got.code, got.out) == (want.code, want.out) and got.code == 0
    return got.text


def make(make_app: Callable[..., App], *projects: str, **sources: str) -> Path:
    files = {f"{name}.py": dedent(text) for name, text in sources.items()}
    return make_app(*projects, "-e", "user:main", sources=files).exe


SETS = """\
    import os
    os.environ["OF_SETS"] = "1"
    os.environ.setdefault("MAY_BE_SET", "default")
    os.environ["AT_HOME"] = os.path.expanduser("~/data")
    os.environ["FOR_A_WHILE"] = "1"
    del os.environ["FOR_A_WHILE"]
    """
USER = """\
    import sets, os, subprocess
    from reads import VALUE
    def main():
        names = "AT_HOME", "FOR_A_WHILE", "MAY_BE_SET", "OF_SETS", "OTHER"
        print([os.environ.get(name) for name in names], VALUE, list(os.environ)[-3:])
        print(os.environb.get(b"OF_SETS"), os.getenv("AT_HOME"))
        for _ in range(2):
            done = subprocess.run(["env"], capture_output=True, text=True)
            print("\\n".join(n for n in done.stdout.splitlines() if "SNAPSHOT" not in n))
            os.environ.pop("OF_SETS", None)
    """


@pytest.fixture(scope="module")
def setting(make_app: Callable[..., App]) -> Path:
    exe = make(make_app, sets=SETS, user=USER,
               reads="import os\nVALUE = os.environ.get('OF_SETS')\n")  # fmt: skip
    assert left_out(exe) == []
    return exe


@pytest.mark.parametrize(
    "env, is_restored",
    [
        ({}, True),
        ({"OTHER": "x", "AT_HOME": "elsewhere", "HOME": "/srv/a.b"}, True),
        ({"FOR_A_WHILE": "by the user"}, False),
        ({"OF_SETS": "another"}, False),  # another module has read it
        ({"MAY_BE_SET": "by the user"}, False),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
def test_variables_are_set(setting: Path, env: Dict[str, str], is_restored: bool) -> None:
    out = same(setting, env, is_restored)
    assert "'1'" in out.splitlines()[0] and "OF_SETS=1\n" in out
    assert f"AT_HOME={env.get('HOME', '/nowhere')}/data\n" in out


OUTSIDE = "VALUE = open('/dev/null').name\n"
SETS_ONE = "import os\nos.environ['ONE'] = '1'\n"
READS_ONE = "import os\nVALUE = os.environ.get('ONE')\n"
NOT_SET = {
    "after what is left out": (
        {"outside": OUTSIDE, "sets": SETS_ONE,
         "user": "import outside, sets\ndef main(): pass\n"},
        ["outside: opens /dev/null", "sets: sets $ONE", "user: imports outside"],
    ),
    "and left out": (
        {"sets": OUTSIDE + SETS_ONE, "reads": READS_ONE,
         "user": "def main():\n    import sets, reads\n    print(reads.VALUE)\n"},
        ["reads: reads $ONE, which sets sets", "sets: opens /dev/null"],
    ),
    "of every session": (
        {"user": "import os\nos.environ['PATH'] = '/x'\ndef main(): pass\n"},
        ["user: sets $PATH"],
    ),
    "of what starts make": (
        {"user": "import os\nos.environ['SSL_CERT_FILE'] = '/x'\ndef main(): pass\n"},
        ["user: sets $SSL_CERT_FILE"],
    ),
    "of Python": (
        {"user": "import os\nos.environ['PYTHONUTF8'] = '1'\ndef main(): pass\n"},
        ["user: sets $PYTHONUTF8"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("sources, left", NOT_SET.values(), ids=NOT_SET)
def test_others_are_left_out(
    make_app: Callable[..., App], sources: Dict[str, str], left: List[str]
) -> None:
    exe = make(make_app, **sources)
    for got, wanted in zip(left_out(exe), left, strict=True):
        assert got.startswith(wanted)
    same(exe, {})


THREADS = """\
    import os
    {}
    import {}
    {}
    import numpy
    def main():
        print(sum(1 for _ in os.scandir("/proc/self/task")), os.environ["OPENBLAS_NUM_THREADS"])
    """


SET_ONE_THREAD = 'os.environ["OPENBLAS_NUM_THREADS"] = "1"'


def test_constructors_are_given_what_was_set(make_app: Callable[..., App]) -> None:
    """They run at each start, before anything else."""
    exe = make(make_app, "numpy", user=THREADS.format(SET_ONE_THREAD, "sys", ""))
    assert left_out(exe) == []
    for env in {}, {"OPENBLAS_NUM_THREADS": "2"}:
        assert same(exe, env) == "1 1\n"


def test_constructors_before_others_are_left_out(make_app: Callable[..., App]) -> None:
    """That one is set by a module that stays out."""
    exe = make(make_app, "numpy", outside=OUTSIDE,
               user=THREADS.format(SET_ONE_THREAD, "outside", ""))  # fmt: skip
    left = left_out(exe)
    assert any("reads $OPENBLAS_NUM_THREADS, which user sets" in line for line in left)
    assert same(exe, {}) == "1 1\n"


def test_variables_set_behind_constructors(make_app: Callable[..., App]) -> None:
    """They were not set when the constructors ran."""
    exe = make(make_app, "numpy", user=THREADS.format("", "numpy", SET_ONE_THREAD))
    assert left_out(exe) == ["user: sets $OPENBLAS_NUM_THREADS"]
    assert same(exe, {}).split()[1] == "1"


ENCODINGS = """\
    import locale
    NAMES = [locale.getencoding(), locale.getlocale()[1], locale.nl_langinfo(locale.CODESET)]
    def main(): print(NAMES)
    """
LOCALES = [
    ({}, True), ({"LANG": "C.UTF-8"}, True), ({"LC_CTYPE": "C.utf8"}, False),
    ({"LANG": "xx_YY.UTF-8"}, True), ({"LC_ALL": "C"}, False), ({"LC_ALL": "POSIX"}, False),
]  # fmt: skip


@pytest.mark.parametrize("env, is_restored", LOCALES, ids=str)
def test_encodings(make_app: Callable[..., App], env: Dict[str, str], is_restored: bool) -> None:
    exe = make(make_app, user=ENCODINGS)
    assert left_out(exe) == []
    out = same(exe, env, is_restored)
    assert (out == f"{['UTF-8'] * 3}\n") or not is_restored


def test_encodings_of_all_names(make_app: Callable[..., App]) -> None:
    """What is taken for a locale of UTF-8 is one to Python, whatever it is called."""
    source = """\
        import locale
        def main():
            names = {n.partition(".")[0].partition("@")[0] for n in locale.locale_alias}
            for name in sorted({*names, "C", "POSIX", "xx_YY", "zz"}):
                for tail in ".UTF-8", ".UTF-8@euro", ".UTF-8@x":
                    assert locale._parse_localename(name + tail)[1] == "UTF-8"
            print(len(names) > 100)
        """
    assert start(make(make_app, user=source), {}).text == "True\n"


NAMES = {
    "all": "locale.getlocale()",
    "first": "locale.getlocale()[0]",
    "both": "name, encoding = locale.getlocale()",
    "setlocale": "locale.setlocale(locale.LC_CTYPE)",
    "preferred": "locale.getpreferredencoding()",
}


@pytest.mark.parametrize("text", NAMES.values(), ids=NAMES)
def test_names_are_left_out(make_app: Callable[..., App], text: str) -> None:
    exe = make(make_app, user=f"import locale\nVALUE = repr({text})\ndef main(): print(VALUE)\n"
               if "=" not in text else f"import locale\n{text}\ndef main(): print(name)\n")  # fmt: skip
    assert [line.partition(" locale.")[0] for line in left_out(exe)] == ["user: calls"]


SCRIPT = """\
    '''Looks at the environment between its imports.'''
    from __future__ import annotations
    import os
    import sys

    LIMIT = 3
    if os.environ.get("LC_CTYPE", "") == "UTF-8" and sys.version_info >= (3, LIMIT):
        os.environ["LC_CTYPE"] = "en_US.UTF-8"
    os.environ.setdefault("FOR_TOOLS", os.environ.get("USER", "nobody"))

    def usage(name="script"):
        print(name)

    import tool
    if "PLAIN" in os.environ:
        os.environ["NUMBER"] = "1"
    import reads

    if __name__ == "__main__":
        print(tool.NAME, reads.VALUE, os.environ["FOR_TOOLS"], os.environ["LC_CTYPE"])
    """
SCRIPTS = {
    "plain": ("OTHER", ["reads", "tool"]),
    "read before": ("FOR_TOOLS", ["tool"]),
    "perhaps": ("NUMBER", ["tool"]),
}


@pytest.mark.parametrize("variable, modules", SCRIPTS.values(), ids=SCRIPTS)
def test_imports_of_scripts(
    make_app: Callable[..., App], tmp_path: Path, variable: str, modules: List[str]
) -> None:
    script = tmp_path / "script.py"
    script.write_text(dedent(SCRIPT))
    exe = make_app("--exe", str(script), sources={
        "tool.py": "NAME = 'tool'\n",
        "reads.py": f"import os\nVALUE = os.environ.get({variable!r})\nLINE = f'{{VALUE}}'\n",
    }).exe  # fmt: skip
    report = run([PACK.with_name("pexcz"), "inspect", "--snapshot", "--json", exe]).text
    assert [n for n in ("reads", "tool") if f'"name": "{n}"' in report.partition('"modules"')[2]] \
        == modules
    for env in {}, {"LC_CTYPE": "UTF-8", "USER": "me"}, {"PLAIN": "1"}, {"FOR_TOOLS": "x"}:
        got, want = (start(exe, {**env, "PEXCZ_SNAPSHOT": how}) for how in ("1", "0"))
        assert (got.code, got.out, got.err) == (0, want.out, want.err)


ENDS = {
    "calls": "print('first')",
    "path": "sys.path.append('/nowhere')",
    "class": "class A: pass",
    "decorator": "@print\ndef f(): pass",
    "condition": "if tool.NAME: os.environ['A'] = 'b'",
    "variable of a name": "for name in 'ab': os.environ[name] = '1'",
    "home": "os.environ['HOME'] = '/tmp'",
    "time zone": "os.environ['TZ'] = 'UTC'",
    "of Python": "os.environ['PYTHONTZPATH'] = '/tmp'",
    "not os": "os = 1\nos.environ['x'] = 1",
    "another os": "from tool import NAME as os\nos.environ['x'] = 1",
    "any os": "from tool import *\nos.environ['x'] = 1",
    "not plain": "VALUE = 1\nfrom tool import NAME as VALUE\nif VALUE: pass",
    "deletes": "del os",
}


@pytest.mark.parametrize("text", ENDS.values(), ids=ENDS)
def test_ends_of_scripts(make_app: Callable[..., App], tmp_path: Path, text: str) -> None:
    script = tmp_path / "script.py"
    script.write_text(f"import os, sys, tool\nVALUE = os.environ.get('VALUE')\n{text}\nimport late\n")
    exe = make_app("--exe", str(script), sources={"tool.py": "NAME = 'tool'\n", "late.py": ""}).exe
    report = run([PACK.with_name("pexcz"), "inspect", "--snapshot", exe]).text
    assert " tool\n" in report and " late\n" not in report


# What a start sets itself, and what only modules read that stay out.
OWN = {
    "own.py": "import os\nPEX = os.environ.get('PEX')\nPATH = os.environ.get('PATH')\n",
    "whole.py": "import os\nALL = {name: os.environ[name] for name in os.environ}\n"
    "HERE = os.environ.get('ONLY_HERE')\n",
    "user.py": dedent("""\
        import json, wsgiref.handlers
        from own import PEX, PATH
        from whole import ALL, HERE
        TEXT = f"{PEX} {PATH} {HERE}"
        def main():
            ALL.pop("PEXCZ_SNAPSHOT", None)
            print(TEXT, ALL, sorted(wsgiref.handlers.BaseHandler.os_environ) == sorted(ALL))
        """),
}


@pytest.mark.parametrize("options", [[], ["--venv=prepend"]], ids=["plain", "PATH"])
def test_what_a_start_sets_itself(make_app: Callable[..., App], options: List[str]) -> None:
    exe = make_app("-e", "user:main", *options, sources=OWN).exe
    names = [line.partition(":")[0] for line in left_out(exe)]
    assert {"own", "whole", "wsgiref.handlers"} <= {*names} and "json" not in names
    for env in {}, {"ONLY_HERE": "1"}:
        same(exe, {**env, "LANG": "C.UTF-8"})
