# SPDX-License-Identifier: Apache-2.0
"""The PEX_* variables and rc files of docs/pex-contract.md, against
`python app.pex`; and each difference that is meant."""

from __future__ import annotations

import json
import os
import pstats
import pty
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, Tuple

import pytest
from conftest import PACK, PEX_ROOT, App, Sides
from sides import Result, run

sys.path.append(str(Path(__file__).parents[1]))
from build_wheel import build_wheel  # noqa: E402

RUNNER = {
    "runner.py": "import sys\n"
    "code = sys.argv.pop(1)\n"
    "exec(compile(code, 'code', 'exec'), globals())\n",
    "other.py": "print('other')\n",
    "tools.py": "def run():\n    print('other')\n"
    "class K:\n    run = staticmethod(run)\n",
}


@pytest.fixture
def runner(make_app: Callable[..., App]) -> App:
    return make_app("-e", "runner", sources=RUNNER)


def packed(sides: Sides, app: App, *arguments: str, **env: str) -> Result:
    sides.packed.install(app.exe)
    return sides.packed.run(*arguments, env=env)


# --- values ------------------------------------------------------------------

FLAGS = [
    *("PEX_INTERPRETER", "PEX_TOOLS", "PEX_VENV", "PEX_UNZIP", "PEX_COVERAGE"),
    *("PEX_PROFILE", "PEX_IGNORE_ERRORS", "PEX_EMIT_WARNINGS"),
    *("PEX_IGNORE_RCFILES", "PEX_DISABLE_VARIABLES"),
]
WRONG = [(name, "perhaps") for name in FLAGS] + [
    ("PEX_INTERPRETER", ""),
    ("PEX_INTERPRETER", " 1"),
    ("PEX_VERBOSE", "x"),
    ("PEX_VERBOSE", ""),
    ("PEX_VERBOSE", "1.0"),
    ("PEX_INHERIT_PATH", "true"),
    ("PEX_INHERIT_PATH", "Prefer"),
]


@pytest.mark.parametrize("name, value", WRONG)
def test_value_that_pex_refuses(
    runner: App, sides: Sides, name: str, value: str
) -> None:
    """Exit code 1 on both sides; ours says why in one line."""
    sides.install(runner)
    want = sides.reference.run("print(1)", env={name: value})
    got = sides.packed.run("print(1)", env={name: value})
    assert (want.code, want.out) == (got.code, got.out) == (1, b"")
    assert got.err.startswith(f"pexcz: {name} must be ".encode())
    assert got.err.count(b"\n") == 1


@pytest.mark.parametrize("name", ["PEX_VENV_BIN_PATH", "PEX_INTERPRETER_HISTORY"])
def test_value_that_pex_does_not_look_at(runner: App, sides: Sides, name: str) -> None:
    sides.install(runner)
    assert sides.reference.run("print(1)", env={name: "perhaps"}).out == b"1\n"
    got = sides.packed.run("print(1)", env={name: "perhaps"})
    assert (got.code, got.out) == (1, b"")
    assert got.err.startswith(f"pexcz: {name} must be ".encode())


@pytest.mark.parametrize("value", ["0", "false", "FALSE", "False"])
@pytest.mark.parametrize("name", ["PEX_INTERPRETER", "PEX_TOOLS", "PEX_PROFILE"])
def test_flag_that_is_off(
    runner: App, same: Callable[..., Result], name: str, value: str
) -> None:
    assert same(runner, "print('ran')", env={name: value}).out == b"ran\n"


@pytest.mark.parametrize("value", ["1", "true", "TRUE", "True"])
def test_flag_that_is_on(
    runner: App, same: Callable[..., Result], value: str
) -> None:
    got = same(runner, "-c", "print('interpreter')", env={"PEX_INTERPRETER": value})
    assert got.out == b"interpreter\n"


@pytest.mark.parametrize("value", ["0", "-1", " 0 ", "0_0", "-12", "-" + 30 * "9"])
def test_integer(runner: App, same: Callable[..., Result], value: str) -> None:
    same(runner, "print('ran')", env={"PEX_VERBOSE": value})


def test_interpreter_with_options_before_the_program(
    runner: App, sides: Sides, python: str
) -> None:
    """[sys.executable, "-O", sys.argv[0], "-c", ...] with PEX_INTERPRETER."""
    code = "import sys; print(sys.flags.optimize, sys.argv, sys.path[0])"
    env = {**os.environ, "PEX_INTERPRETER": "1"}
    want = run([python, "-O", runner.pex, "-c", code, "a"], env=env)
    got = run([f"/{runner.exe}", "-O", runner.exe, "-c", code, "a"], env=env)
    assert (got.code, got.out, got.err) == (0, want.out, b"")


def test_bin_path_value(runner: App, sides: Sides) -> None:
    done = packed(sides, runner, "print(1)", PEX_VENV_BIN_PATH="yes")
    assert (done.code, done.out) == (1, b"")
    assert done.err == (
        b"pexcz: PEX_VENV_BIN_PATH must be one of 'false', 'prepend' or "
        b"'append', not 'yes'\n"
    )


WITHOUT_EFFECT = {
    "PEX_PYTHON": "python3.99",
    "PEX_PYTHON_PATH": "/nowhere",
    "PEX_ROOT": "/nowhere",
    "PEX_VENV": "1",
    "PEX_UNZIP": "1",
    "PEX_ALWAYS_CACHE": "1",
    "PEX_FORCE_LOCAL": "1",
    "PEX_TEARDOWN_VERBOSE": "1",
    "PEX_IGNORE_ERRORS": "1",
    "PEX_EMIT_WARNINGS": "0",
    "PEX_MAX_INSTALL_JOBS": "0",
    "PEX_MULTIPROCESSING_START_METHOD": "spawn",
    "PEX_BOOTSTRAP_URLS": "/nowhere",
}


@pytest.mark.parametrize("name", sorted(WITHOUT_EFFECT))
def test_without_effect(runner: App, sides: Sides, name: str) -> None:
    """Accepted; PEX_VERBOSE says that there is nothing to do for it."""
    value = WITHOUT_EFFECT[name]
    code = "import os; print([k for k in os.environ if k.startswith('PEX_')])"
    done = packed(sides, runner, code, **{name: value})
    assert (done.code, done.out, done.err) == (0, b"[]\n", b"")
    done = packed(sides, runner, code, **{name: value, "PEX_VERBOSE": "1"})
    assert (done.code, done.out) == (0, b"[]\n")
    assert done.err == (
        f"pex: {name}={value} has no effect: Python is built in and "
        "nothing is unpacked\n"
    ).encode()


def test_disable_variables(runner: App, same: Callable[..., Result]) -> None:
    got = same(
        runner,
        "print('ran')",
        env={
            "PEX_DISABLE_VARIABLES": "1",
            "PEX_MODULE": "other",
            "PEX_INTERPRETER": "perhaps",
        },
    )
    assert got.out == b"ran\n"


# --- rc files ----------------------------------------------------------------


def write_rc(sides: Sides, name: str, text: str) -> None:
    for side in sides.both:
        (side.folder / name).write_text(text)


@pytest.mark.parametrize("name", ["home/.pexrc", ".pexrc"])
def test_rc_file(
    runner: App, sides: Sides, same: Callable[..., Result], name: str
) -> None:
    write_rc(
        *(sides, name),
        "# comment\nPEX_SCRIPT\n PEX_MODULE=other \nPEX_VERBOSE=\n=1\n\n",
    )
    assert same(runner, "print('ran')").out == b"other\n"
    assert same(runner, "print('ran')", env={"PEX_IGNORE_RCFILES": "1"}).out == b"ran\n"
    got = same(runner, "print('ran')", env={"PEX_MODULE": "runner"})
    assert got.out == b"ran\n"


def test_rc_file_beside_the_program_wins(
    runner: App, sides: Sides, same: Callable[..., Result]
) -> None:
    write_rc(sides, "home/.pexrc", "PEX_MODULE=nowhere\n")
    write_rc(sides, ".pexrc", "PEX_MODULE=other\n")
    assert same(runner).out == b"other\n"


@pytest.mark.parametrize("line", [b"PEX_MODULE==b", b"A=b=", b"A=\xff"])
def test_rc_file_of_which_pex_dies(runner: App, sides: Sides, line: bytes) -> None:
    """Such a line is passed over, the next one counts."""
    for side in sides.both:
        (side.folder / "home/.pexrc").write_bytes(line + b"\nPEX_MODULE=other\n")
    sides.install(runner)
    want, got = (side.run("print('ran')") for side in sides.both)
    assert (want.code, want.err[:9]) == (1, b"Traceback")
    assert (got.code, got.out, got.err) == (0, b"other\n", b"")


def test_rc_values_do_not_reach_the_environment(
    runner: App, sides: Sides, same: Callable[..., Result]
) -> None:
    write_rc(sides, "home/.pexrc", "MINE=1\nPEX_VERBOSE=0\n")
    code = "import os; print('MINE' in os.environ)"
    assert same(runner, code).out == b"False\n"


# --- paths -------------------------------------------------------------------

ORDER = """\
import sys, colorsys
paths = [p for p in sys.path if p == '/srv/work/more']
own = next(i for i, p in enumerate(sys.path) if p.endswith('lib-dynload'))
print(paths, [sys.path.index(p) > own for p in paths], hasattr(colorsys, 'mine'))
import os
print(os.environ.get('PYTHONPATH'))
"""


@pytest.mark.parametrize("how", ["false", "prefer", "fallback"])
def test_inherit_path(
    runner: App, sides: Sides, same: Callable[..., Result], how: str
) -> None:
    sides.write("more/colorsys.py", "mine = True\n")
    got = same(
        runner,
        ORDER,
        env={"PYTHONPATH": "/srv/work/more", "PEX_INHERIT_PATH": how},
    )
    assert (b"['/srv/work/more']" in got.out) == (how != "false")


@pytest.mark.parametrize("how", ["prefer", "fallback"])
def test_inherit_path_of_pex_info(
    make_app: Callable[..., App], sides: Sides, same: Callable[..., Result], how: str
) -> None:
    sides.write("more/colorsys.py", "mine = True\n")
    app = make_app("-e", "runner", f"--inherit-path={how}", sources=RUNNER)
    for value in ("false", how):
        got = same(
            app,
            ORDER,
            env={"PYTHONPATH": "/srv/work/more", "PEX_INHERIT_PATH": value},
            )
        assert got.out.startswith(b"['/srv/work/more'] [%s]" % (
            b"False" if how == "prefer" else b"True"
        ))
    same(app, "print('without PYTHONPATH')")


def test_scripts_that_are_not_hermetic(
    make_app: Callable[..., App], same: Callable[..., Result]
) -> None:
    """PYTHONPATH counts, each folder as an absolute path."""
    arguments = ("-e", "runner", "--venv", "--non-hermetic-venv-scripts")
    app = make_app(*arguments, sources=RUNNER)
    code = "import sys; print([p for p in sys.path if 'more' in p])"
    got = same(app, code, env={"PYTHONPATH": "more:./more2:/srv/../more3::more"})
    assert got.out == b"['/srv/work/more', '/srv/work/more2', '/more3']\n"


def test_empty_values(runner: App, sides: Sides) -> None:
    """Not the current folder, as which Pex takes some of them."""
    sides.install(runner)
    names = ("PEX_EXTRA_SYS_PATH", "PEX_PATH", "PEX_MODULE", "PEX_SCRIPT")
    for name in (*names, "PEX_PROFILE_FILENAME", "PEX_COVERAGE_FILENAME"):
        got = sides.packed.run(
            "import os, sys; print('PYTHONPATH' in os.environ, '.' in sys.path)",
            env={name: ""},
        )
        assert (got.out, got.err) == (b"False False\n", b"")


def test_inherit_and_extra_path(
    runner: App, same: Callable[..., Result]
) -> None:
    """Both reach children."""
    same(
        runner,
        "import os; print(os.environ['PYTHONPATH'])",
        env={
            "PYTHONPATH": "/srv/work/more",
            "PEX_INHERIT_PATH": "fallback",
            "PEX_EXTRA_SYS_PATH": "/srv/work/a:/srv/work/b",
        },
    )


@pytest.mark.parametrize("layout", ["zipapp", "packed", "loose"])
def test_pex_path(
    make_app: Callable[..., App],
    make_pex: Callable[..., Path],
    sides: Sides,
    layout: str,
) -> None:
    """Distributions, also native ones, scripts and user code of a PEX."""
    app = make_app("-e", "runner", sources=RUNNER)
    more = make_pex(
        *("cowsay==6.1", "markupsafe==3.0.4", "--layout", layout),
        sources={"more.py": "NAME = 'more'\n"},
    )
    code = (
        "import cowsay, importlib.metadata as m, markupsafe, more\n"
        "print(m.version('cowsay'), more.NAME, markupsafe.escape('<'))\n"
        "import markupsafe._speedups\n"
    )
    env = {"PEX_PATH": str(more), "PEX_ROOT": str(PEX_ROOT)}
    sides.packed.root = Path("/")
    sides.install(app)
    want = sides.reference.run(code, env=env)
    got = sides.packed.run(code, env=env)
    sides.check(want, got)
    assert got.text == "6.1 more &lt;\n"
    script = {**env, "PEX_SCRIPT": "cowsay"}
    want = sides.reference.run("-t", "moo", env=script)
    got = sides.packed.run("-t", "moo", env=script)
    sides.check(want, got)
    assert b"| moo |" in got.out
    got = sides.packed.run("-c", code, env={**env, "PEX_INTERPRETER": "1"})
    assert (got.text, got.err) == ("6.1 more &lt;\n", b"")


def test_pex_path_that_makes_no_sense(runner: App, sides: Sides) -> None:
    assert packed(sides, runner, "print(1)", PEX_PATH="").out == b"1\n"
    sides.write("no.pex", "text")
    own = packed(sides, runner, "print(1)", PEX_PATH="/srv/app:/srv/../srv/app")
    assert (own.code, own.out, own.err) == (0, b"1\n", b"")
    for value, cause in (
        ("/nowhere", "No such file or directory"),
        ("/srv/work", "not a PEX"),
        ("/srv/work/no.pex", "not a PEX"),
    ):
        done = packed(sides, runner, "print(1)", PEX_PATH=value)
        assert (done.code, done.out) == (1, b"")
        assert done.err == f"pexcz: PEX_PATH: {value}: {cause}\n".encode()


@pytest.mark.parametrize("how", ["false", "prepend", "append"])
def test_venv_bin_path(
    make_app: Callable[..., App], sides: Sides, how: str
) -> None:
    code = (
        "import os, subprocess\n"
        "print(os.environ['PATH'])\n"
        "if 'pexcz' in os.environ['PATH']:\n"
        "    subprocess.run(['cowsay', '-t', 'child'], check=True)\n"
    )
    for venv in ([], [f"--venv={how}"] if how != "false" else ["--venv"]):
        app = make_app("cowsay==6.1", "-e", "runner", *venv, sources=RUNNER)
        env = {} if venv else {"PEX_VENV_BIN_PATH": how}
        done = packed(sides, app, code, PATH="/usr/bin:/bin", **env)
        first = {
            "false": "/usr/bin:/bin",
            "prepend": "/proc/pexcz/bin:/usr/bin:/bin",
            "append": "/usr/bin:/bin:/proc/pexcz/bin",
        }[how]
        lines = done.text.splitlines()
        assert lines.count(first) == 1, (done.out, done.err)
        assert ("| child |" in lines) == (how != "false"), done.err
        assert done.code == 0


# --- scripts -----------------------------------------------------------------


def test_missing_script_names_near_ones(
    make_app: Callable[..., App], sides: Sides
) -> None:
    app = make_app("cowsay==6.1", "-e", "runner", sources=RUNNER)
    done = packed(sides, app, PEX_SCRIPT="cowsya")
    assert done.code == 1
    assert done.err == (
        b"Could not find script 'cowsya' in pex! Did you mean 'cowsay'?\n"
    )


@pytest.mark.parametrize(
    "module",
    ["other", " other ", "other [x,y]", "tools:run", " tools : run [x] ", "tools:K.run"],
)
def test_module(make_app: Callable[..., App], same: Callable[..., Result], module: str) -> None:
    app = make_app("-e", "runner", sources=RUNNER)
    assert same(app, env={"PEX_MODULE": module}).out == b"other\n"


@pytest.mark.parametrize("module", ["tools:", ":run", " : ", "tools: [x]", "[x]"])
def test_module_that_makes_no_sense(runner: App, sides: Sides, module: str) -> None:
    sides.install(runner)
    want = sides.reference.run(env={"PEX_MODULE": module})
    got = sides.packed.run(env={"PEX_MODULE": module})
    message = f"Invalid entry point specification: {module!r}.\n"
    assert (got.code, got.err.decode()) == (1, message)
    assert want.code == 1 and want.err.decode().endswith(f"ValueError: {message}")


def test_attribute_without_a_name(runner: App, sides: Sides) -> None:
    done = packed(sides, runner, PEX_MODULE="tools:K.")
    assert done.code == 1
    assert done.err.endswith(b"AttributeError: type object 'K' has no attribute ''\n")


def test_script_of_two_distributions(
    make_pex: Callable[..., Path], sides: Sides, tmp_path: Path
) -> None:
    for number in ("1", "2"):
        files = {
            f"two{number}.py": b"def main(): print(__name__)\n",
            f"two{number}-1.dist-info/entry_points.txt": b"[gui_scripts]\n"
            b"two = two%s:main\nmine%s = two%s:main [x]\n" % (3 * (number.encode(),)),
        }
        build_wheel(tmp_path, f"two{number}", "1", "py3-none-any", files)
    pex, exe = tmp_path / "two.pex", tmp_path / "two"
    made = run(
        [sys.executable, "-m", "pex", *tmp_path.glob("*.whl"), "--no-index", "-o", pex],
        env={**os.environ, "PEX_ROOT": str(PEX_ROOT)},
    )
    assert made.code == 0, made.err
    packing = run([PACK, "-q", "--snapshot", "off", pex, "-o", exe])
    assert packing.code == 0, packing.err
    sides.install(App(pex, exe, packing.err))
    want = sides.reference.run(env={"PEX_SCRIPT": "two"})
    got = sides.packed.run(env={"PEX_SCRIPT": "two"})
    assert (want.code, got.code, got.out) == (1, 1, b"")
    message = want.err.decode().rpartition("RuntimeError: ")[2]
    assert message.startswith("Ambiguous script specification two matches")
    assert sorted(got.err.decode().splitlines()) == sorted(message.splitlines())
    for number in ("1", "2"):
        env = {"PEX_SCRIPT": f"mine{number}"}
        want, got = sides.reference.run(env=env), sides.packed.run(env=env)
        sides.check(want, got)
        assert got.text == f"two{number}\n"


# --- profile and coverage ----------------------------------------------------


def test_profile(runner: App, sides: Sides) -> None:
    code = "def work():\n    return sum(range(9))\nprint(work())\nsys.exit(3)"
    for sort in ("", "calls", "tottime"):
        env = {"PEX_PROFILE": "1", **({"PEX_PROFILE_SORT": sort} if sort else {})}
        done = packed(sides, runner, code, **env)
        assert done.code == 3, done.err
        order = {"": "cumulative time", "calls": "call count", "tottime": "internal time"}
        text = done.text
        assert text.startswith("36\n") and f"Ordered by: {order[sort]}" in text
        assert re.search(r"\n\s+1 .*\(work\)\n", text)
    done = packed(sides, runner, code, PEX_PROFILE_FILENAME="out.prof")
    assert (done.code, done.out, done.err) == (3, b"36\n", b"")
    stats = pstats.Stats(str(sides.packed.work / "out.prof"))
    assert any(name == "work" for _, _, name in stats.stats)


def test_coverage(make_app: Callable[..., App], sides: Sides) -> None:
    sources = {
        "prog.py": "import sys\ndef main():\n    if len(sys.argv) > 9:\n"
        "        print('never')\n    print('ran')\n"
    }
    app = make_app("coverage==7.11.3", "-e", "prog:main", sources=sources)
    done = packed(sides, app, PEX_COVERAGE="1")
    assert done.code == 0, done.err
    assert done.text.startswith("ran\n") and re.search(r"prog\.py\s+5\s+1\s+80%", done.text)
    done = packed(sides, app, PEX_COVERAGE_FILENAME="data.cov")
    assert (done.code, done.out, done.err) == (0, b"ran\n", b"")
    assert (sides.packed.work / "data.cov").read_bytes().startswith(b"SQLite format 3")
    plain = make_app("-e", "runner", sources=RUNNER)
    done = packed(sides, plain, "print(1)", PEX_COVERAGE="true")
    assert (done.code, done.out) == (1, b"")
    assert done.err == b"Could not bootstrap coverage module, aborting.\n"


# --- the prompt --------------------------------------------------------------


def prompt(app: App, home: Path, **env: str) -> None:
    """Types one line at the prompt and leaves."""
    control, terminal = pty.openpty()
    with subprocess.Popen(
        [app.exe],
        env={"HOME": str(home), "TERM": "dumb", "PEX_INTERPRETER": "1", **env},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    ) as process:
        os.close(terminal)
        time.sleep(1)
        os.write(control, b"word = 'remembered'\n")
        time.sleep(0.5)
        os.write(control, b"\x04")
        try:
            while os.read(control, 4096):
                pass
        except OSError:
            pass
        assert process.wait(timeout=60) == 0
    os.close(control)


TYPED = [
    b"import sys\nprint(1, __name__)\n1/0\nnot python\ndef f():\n  return 5\n\nf()\n",
    b"pex\npex()\n",
    b"raise SystemExit('text')\n",
    b"exit(3)\nprint('not reached')\n",
    b"",
]


@pytest.mark.parametrize("options", [(), ("--venv",)], ids=["zipapp", "venv"])
def test_prompt_is_the_one_of_pex(
    make_app: Callable[..., App], sides: Sides, options: Tuple[str, ...]
) -> None:
    """Also where the input is no terminal."""
    app = make_app("cowsay==6.1", "--include-tools", *options)
    sides.install(app)
    env = {"FORCE_COLOR": "1"}
    for stdin in TYPED:
        want = sides.reference.run(stdin=stdin, env=env)
        got = sides.packed.run(stdin=stdin, env=env)
        # In the banner of a venv, its first path stays, which may be relative.
        texts = [re.sub(rb"\S*/\S+", b"PATH", done.out) for done in (want, got)]
        assert (got.code, texts[1]) == (want.code, texts[0])
        lines = [done.err.decode().splitlines() for done in (want, got)]
        assert [line for line in lines[0] if not line.startswith("Python ")] == [
            line for line in lines[1] if not line.startswith("Python ")
        ]
        assert "1 requirement and 1 activated distribution." in lines[1][0]


def test_pex_info_at_the_prompt(make_app: Callable[..., App], sides: Sides) -> None:
    sides.install(make_app())
    stdin = b"pex(json=True)\n"
    want, got = (
        json.loads(side.run(stdin=stdin).text.replace(">>> ", ""))
        for side in (sides.reference, sides.packed)
    )
    del want["pex_root"]  # of Pex's cache
    assert got == want


def test_history(runner: App, tmp_path: Path) -> None:
    prompt(runner, tmp_path)
    assert list(tmp_path.iterdir()) == []
    prompt(runner, tmp_path, PEX_INTERPRETER_HISTORY="1")
    assert "remembered" in (tmp_path / ".python_history").read_text()
    prompt(
        runner,
        tmp_path,
        PEX_INTERPRETER_HISTORY="true",
        PEX_INTERPRETER_HISTORY_FILE=str(tmp_path / "mine"),
    )
    assert "remembered" in (tmp_path / "mine").read_text()


# --- others ------------------------------------------------------------------


def test_setproctitle(make_app: Callable[..., App], sides: Sides) -> None:
    app = make_app("setproctitle==1.3.7", "-e", "runner", sources=RUNNER)
    code = "print(open('/proc/self/cmdline').read().rstrip('\\0'))"
    sides.packed.root = Path("/")
    done = packed(sides, app, code, "a", "b")
    assert done.text.rstrip() == f"//srv/app /srv/app {code} a b"


def test_import_hook_of_a_pex(runner: App, sides: Sides, python: str) -> None:
    """A packed file is no zip: another Python cannot import __pex__ from it."""
    done = run([python, "-c", "import __pex__"], env={"PYTHONPATH": str(runner.exe)})
    assert done.code == 1
    assert b"No module named '__pex__'" in done.err


def test_no_variable_counts_in_its_own_python(runner: App, sides: Sides) -> None:
    """sys.executable is a plain Python: PEX_* is for the application."""
    code = (
        "import subprocess, os\n"
        "os.environ['PEX_MODULE'] = 'other'\n"
        "subprocess.run([sys.executable, '-c', 'print(\"plain\")'], check=True)"
    )
    assert packed(sides, runner, code).out == b"plain\n"
