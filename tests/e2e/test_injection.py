# SPDX-License-Identifier: Apache-2.0
"""What a PEX puts into environment and command line, and how the program is
named, against `python app.pex`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Callable, List, Tuple

import pytest
from conftest import PACK, App, Sides
from sides import SITE, VERSION, Result, run

RUNNER = {
    "runner.py": "import sys\n"
    "code = sys.argv.pop(1)\n"
    "exec(compile(code, 'code', 'exec'), globals())\n",
}


@pytest.fixture
def runner(make_app: Callable[..., App]) -> App:
    return make_app("-e", "runner", sources=RUNNER)


def packed(sides: Sides, app: App, *arguments: str, **env: str) -> Result:
    sides.packed.install(app.exe)
    return sides.packed.run(*arguments, env=env)


def test_bound_resources(
    make_app: Callable[..., App], same: Callable[..., Result]
) -> None:
    """The first file on sys.path; it overwrites, and comes before arguments
    are expanded."""
    sources = {
        "prog.py": "import os, sys\n"
        "print(open(os.environ['DATA']).read(), os.environ['DATA'][-12:])\n"
        "print([a[-12:] for a in sys.argv[1:]])\n",
        "dir/data.txt": "bound",
    }
    app = make_app(
        *("-e", "prog", "--bind-resource-path", "DATA=dir/data.txt"),
        *("--inject-env", "DATA=injected", "--inject-args", "{pex.env.DATA}"),
        sources=sources,
    )
    got = same(app, "x", env={"DATA": "mine"})
    assert got.out == b"bound dir/data.txt\n['dir/data.txt', 'x']\n"


def test_bound_resource_that_is_not_there(
    make_app: Callable[..., App], sides: Sides
) -> None:
    app = make_app(
        *("-e", "prog", "--bind-resource-path", "DATA=nothing.txt"),
        sources={"prog.py": ""},
    )
    sides.install(app)
    want, got = sides.reference.run(), sides.packed.run()
    assert (want.code, got.code) == (1, 1)
    assert got.err.count(b"\n") == 1
    assert b"nothing.txt" in got.err and b"DATA" in got.err


@pytest.mark.parametrize("option", ["dev", "tracemalloc", "faulthandler"])
def test_options_that_change_the_start(
    make_app: Callable[..., App], sides: Sides, option: str
) -> None:
    """Some of them cannot be in a snapshot."""
    app = make_app("-e", "runner", f"--inject-python-args=-X {option}", sources=RUNNER)
    code = "import sys, tracemalloc, faulthandler as f; print(sys._xoptions, sys.warnoptions)"
    code += "; print(sys.flags.dev_mode, tracemalloc.is_tracing(), f.is_enabled())"
    sides.install(app)
    want, got = (side.run(code) for side in sides.both)
    assert (got.code, got.out, got.err) == (want.code, want.out, b"")


@pytest.mark.parametrize("mode", [(), ("--venv",)], ids=["zipapp", "venv"])
def test_options_of_sh_boot(
    make_app: Callable[..., App], sides: Sides, mode: Tuple[str, ...]
) -> None:
    python = f"/usr/bin/python{VERSION} -O -W ignore"
    arguments = ("-e", "runner", "--sh-boot", f"--python-shebang={python}", *mode)
    sides.install(make_app(*arguments, sources=RUNNER))
    got = sides.packed.run("import sys; print(sys.flags.optimize, sys.warnoptions)")
    assert got.out == b"1 ['ignore']\n"


@pytest.mark.parametrize("layout", ["zipapp", "loose"])
def test_options_in_the_first_line(
    make_app: Callable[..., App], sides: Sides, layout: str
) -> None:
    """./app.pex runs with them; so does the packed file."""
    app = make_app(
        *("-e", "runner", "--layout", layout),
        f"--python-shebang=/usr/bin/python{VERSION} -Wignore::UserWarning",
        sources=RUNNER,
    )
    code = "import warnings; warnings.warn('x'); print(sys.warnoptions)"
    done = packed(sides, app, code)
    assert (done.text, done.err) == ("['ignore::UserWarning']\n", b"")


def test_unbuffered(make_app: Callable[..., App], sides: Sides) -> None:
    app = make_app("-e", "runner", "--inject-python-args=-u", sources=RUNNER)
    code = (
        "import os; print(type(sys.stdout.buffer).__name__, end=' ')\n"
        "os.write(1, b'first'); print('second', sys.stdin.read())"
    )
    done = packed(sides, app, code)
    assert (done.text, done.err) == ("FileIO firstsecond \n", b"")


@pytest.mark.parametrize("option", ["--strip-pex-env", "--no-strip-pex-env"])
def test_strip_pex_env(
    make_app: Callable[..., App], same: Callable[..., Result], option: str
) -> None:
    app = make_app("-e", "runner", option, sources=RUNNER)
    code = (
        "import os; print(sorted(k for k in os.environ if k.startswith('PEX_') "
        "and k not in ('PEX_ROOT', 'PEX_PYTHON_PATH')))"
    )
    got = same(app, code, env={"PEX_MINE": "1", "PEX_VERBOSE": "0", "PEXES": "x"})
    assert (b"PEX_MINE" in got.out) == (option == "--no-strip-pex-env")


def test_no_variables_of_pex_itself(runner: App, sides: Sides) -> None:
    code = "import os; print(sorted(os.environ))"
    done = packed(sides, runner, code)
    names = eval(done.text)
    assert set(names) <= {"HOME", "LANG", "PEX", "TZ", "PEXCZ_SNAPSHOT"}, names


def test_orig_argv(runner: App, sides: Sides) -> None:
    """As a script with a `#!` line: what reloaders start again."""
    code = "print(sys.orig_argv)"
    again = (
        "import os; os.environ.setdefault('TWICE', '') or "
        "[os.putenv('TWICE', '1'), os.execv(sys.executable, "
        "[sys.executable, *sys.orig_argv[1:]])]; print(sys.orig_argv, sys.argv)"
    )
    want = ["//srv/app", "/srv/app", code, "a"]
    assert packed(sides, runner, code, "a").text == f"{want}\n"
    got = packed(sides, runner, again, "a")
    want[2] = again
    assert got.text == f"{want} {[f'{SITE}/runner.py', 'a']}\n", got.err


def test_deleted_file(make_app: Callable[..., App], tmp_path: Path) -> None:
    """The file is gone when the program starts, by its descriptor, and when
    it looks at itself."""
    sources = {
        "prog.py": "import os, sys\n"
        "def main():\n    os.system('rm -f ' + sys.argv[1])\n"
        "    import csv, json, xml.dom\n"
        "    print(sys.argv[0], os.path.exists(sys.argv[1]))\n"
    }
    app = make_app("-e", "prog:main", sources=sources)
    exe = tmp_path / "gone"
    for script, name in (
        ('exec 9<"$0"; rm "$0"; exec /proc/self/fd/9 "$0"', "/proc/self/fd/9"),
        ('exec "$0" "$0"', str(exe)),
    ):
        os.link(app.exe, exe)
        done = run(["/bin/sh", "-c", script, exe])
        assert (done.code, done.text) == (0, f"{name} False\n"), done.err


def test_bytes_that_are_not_utf8(
    runner: App, same: Callable[..., Result]
) -> None:
    code = (
        "import os; print(ascii(sys.argv[1:]), ascii(os.environ['ODD']), "
        "os.environb[b'ODD'])"
    )
    same(runner, code, "\udcff\udc80", "\u00fc", env={"ODD": "a\udcffb"})


def test_import_hook(runner: App, sides: Sides) -> None:
    done = packed(sides, runner, "import __pex__")
    assert done.code == 1 and b"No module named '__pex__'" in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--inject-args", "a b 'c d'"],
        ["--inject-args", "{{}} {pex.env.A}{pex.env.B}", "--inject-args=--x={pex.env.A}"],
        ["--inject-env", "A=in=jected", "--inject-args", "{pex.env.A}"],
        ["--inject-python-args=-Wignore", "--inject-python-args=-X utf8"],
        ["--inject-python-args=-O"],
    ],
)
def test_injected(
    make_app: Callable[..., App], same: Callable[..., Result], arguments: List[str]
) -> None:
    sources = {
        "prog.py": "import sys\n"
        "print(sys.argv[1:], sys.warnoptions, sys._xoptions, sys.flags.optimize)\n"
    }
    app = make_app("-e", "prog", *arguments, sources=sources)
    same(app, "user", env={"A": "one", "B": "\u00fc"})
    same(app, "-c", "import sys; print(sys.argv, sys.warnoptions)",
         env={"PEX_INTERPRETER": "1"})
    same(app, "user", env={"PEX_MODULE": "prog"})


def test_script_of_another_interpreter(
    make_pex: Callable[..., Path], tmp_path: Path
) -> None:
    """A script that is no Python becomes the process."""
    sys.path.append(str(Path(__file__).parents[1]))
    from build_wheel import build_wheel

    script = b"#!/bin/sh\necho sh $0 $@ | sed 's,/[^ ]*/,,'\nexit 3\n"
    build_wheel(
        *(tmp_path, "shell", "1.0", "py3-none-any"),
        {"shell-1.0.data/scripts/shell-script": script, "shell.py": b""},
    )
    pex = make_pex("shell", "--no-index", "-f", str(tmp_path), "-c", "shell-script")
    exe = tmp_path / "app"
    assert run([PACK, "-q", pex, "-o", exe]).code == 0
    done = run([exe, "a", "b"])
    assert done.code == 3, done.err
    assert done.text.startswith("sh ") and done.text.endswith(" a b\n")
