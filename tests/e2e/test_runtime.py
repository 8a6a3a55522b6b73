# SPDX-License-Identifier: Apache-2.0
"""What a packed PEX does with its command line, its environment and its end,
compared with `python app.pex`; and each difference of docs/behaviour.md."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import time
from pathlib import Path
from textwrap import dedent
from typing import Callable, Dict, List

import pytest
from conftest import App, Sides
from sides import LIB, SITE, VERSION, Result, run

# Runs the Python code in its first argument as the program.
RUNNER = {
    "runner.py": "import sys\n"
    "code = sys.argv.pop(1)\n"
    "exec(compile(code, 'code', 'exec'), globals())\n"
}

PACKAGE = {
    "pkg/__init__.py": "import sys\n\n\ndef go():\n"
    "    print(sys.argv[1:], __name__)\n    return 3\n",
    "pkg/__main__.py": "import sys\n"
    "print('main', sys.argv, __name__, __package__, __file__)\n"
    "print(__spec__.name, __cached__, __doc__, __loader__ is __spec__.loader)\n",
    "pkg/child.py": "import sys\nif __name__ == '__main__':\n"
    "    print('child', sys.argv, __name__)\n",
    "pkg/tool.py": "import sys\nprint('tool', sys.argv, __name__, __spec__.name)\n"
    "class Tool:\n    @staticmethod\n    def run():\n        return 'text'\n",
}


@pytest.fixture
def runner(make_app: Callable[..., App]) -> App:
    return make_app("-e", "runner", sources=RUNNER)


@pytest.fixture
def package(make_app: Callable[..., App]) -> App:
    return make_app("-e", "pkg", sources=PACKAGE)


def output(sides: Sides, app: App, *arguments: str, **env: str) -> Result:
    """Of the packed application alone."""
    sides.packed.install(app.exe)
    return sides.packed.run(*arguments, env=env)


# --- the end -----------------------------------------------------------------

ENDS = {
    "exit -2": "sys.exit(-2)",
    "exit 256": "sys.exit(256)",
    "exit 2**70": "sys.exit(2**70)",
    "exit True": "sys.exit(True)",
    "exit tuple": "sys.exit(('a', 1))",
    "exit text without stderr": "sys.stderr = None; sys.exit('gone')",
    "SystemExit subclass": "class E(SystemExit): pass\nraise E(4)",
    "excepthook": "sys.excepthook = lambda *a: print('hook', a[0])\n1/0",
    "excepthook fails": "def f(*a): raise KeyError('hook')\n"
    "sys.excepthook = f\n1/0",
    "chained": "try:\n    1/0\nexcept Exception as e:\n"
    "    raise RuntimeError('b') from e",
    "syntax error": "compile('a b', 'file', 'exec')",
    "atexit order": "import atexit\n"
    "for i in range(3): atexit.register(print, i)",
    "atexit fails": "import atexit\natexit.register(lambda: 1/0)\n"
    "atexit.register(print, 'x')",
    "atexit exits": "import atexit\natexit.register(sys.exit, 9)",
    "atexit after exception": "import atexit\natexit.register(print, 'x')\n1/0",
    "thread fails": "import threading\n"
    "t = threading.Thread(target=lambda: 1/0); t.start(); t.join()",
    "thread joined before atexit": "import atexit, threading, time\n"
    "atexit.register(print, 'atexit')\n"
    "def f(): time.sleep(.1); print('thread')\nthreading.Thread(target=f).start()",
    "executor": "from concurrent.futures import ThreadPoolExecutor as P\n"
    "import time\n"
    "P(1).submit(lambda: (time.sleep(.1), print('done')))",
    "finaliser without slots": "class A:\n    __slots__ = ()\n"
    "    def __del__(self): print('gone')\nkeep = A()",
    "finaliser in a cycle": "class A:\n    def __del__(self): print('gone')\n"
    "a = A(); a.a = a; del a",
    "finaliser of a class": "class M(type):\n"
    "    def __del__(self): print('gone')\nclass A(metaclass=M): pass",
    "weakref.finalize": "import weakref\nclass A: pass\n"
    "keep = A(); weakref.finalize(keep, print, 'final')",
    "generator in with": "import contextlib\n"
    "@contextlib.contextmanager\ndef c():\n    yield\n    print('left')\n"
    "def g():\n    with contextlib.suppress(GeneratorExit):\n"
    "        try:\n            yield\n        finally:\n            print('closed')\n"
    "keep = g(); next(keep)",
    "pending task": "import asyncio\nloop = asyncio.new_event_loop()\n"
    "async def f():\n    try:\n        await asyncio.sleep(60)\n"
    "    finally:\n        print('closed')\n"
    "async def main():\n    global keep\n"
    "    keep = asyncio.ensure_future(f()); await asyncio.sleep(0)\n"
    "loop.run_until_complete(main())",
    "resource warning": "import warnings\nf = open('/dev/null')",
    "text over binary": "import io\nf = open('out', 'wb')\n"
    "t = io.TextIOWrapper(f); t.write('abc')",
    "compressed file": "import gzip\nf = gzip.open('out', 'wb'); f.write(b'abc')",
    "zip file": "import zipfile\nz = zipfile.ZipFile('out', 'w')\n"
    "z.writestr('a', b'abc')",
    "stdout replaced": "import io\nsys.stdout = io.StringIO(); print('lost')",
    "stdout closed": "sys.stdout.close()",
    "stdout broken": "import os\nprint('x'); os.close(1)",
    "os._exit": "import os\nprint('lost'); os._exit(6)",
    "killed": "import os\nos.kill(os.getpid(), 15)",
    "interrupt": "import os, signal\nos.kill(os.getpid(), signal.SIGINT)",
    "interrupt and atexit": "import atexit\natexit.register(print, 'x')\n"
    "raise KeyboardInterrupt('now')",
    "fork": "import os, sys\nprint('before', flush=True)\n"
    "p = os.fork()\nif p == 0: print('child'); sys.exit(5)\n"
    "print(os.waitpid(p, 0)[1])",
}


# Which of two things that are torn down goes first shows in a task's repr.
VARIES = r"0x[0-9a-f]+|Task-\d+|coro=<[^>]*>"


@pytest.mark.parametrize("name", sorted(ENDS))
def test_end(runner: App, same: Callable[..., Result], name: str) -> None:
    same(runner, ENDS[name], varies=VARIES, changes=("out",))


def test_resource_warning_when_asked_for(
    runner: App, same: Callable[..., Result]
) -> None:
    same(
        runner,
        "f = open('/dev/null')",
        env={"PYTHONWARNINGS": "default::ResourceWarning"},
        varies=r"(?s)(?<=: ResourceWarning: ).*",
    )


def test_no_teardown_of_what_nobody_notices(sides: Sides, runner: App) -> None:
    code = (
        "import weakref\nclass A: pass\nkeep = A()\n"
        "ref = weakref.ref(keep, lambda r: print('torn down'))"
    )
    assert output(sides, runner, code).out == b""


def test_frozen_objects_are_looked_at(sides: Sides, runner: App) -> None:
    code = (
        "import gc\nclass A:\n    def __del__(self): print('gone')\n"
        "keep = A(); gc.freeze()"
    )
    assert output(sides, runner, code).out == b"gone\n"


def test_closed_standard_streams(runner: App, tmp_path: Path) -> None:
    code = (
        "with open(sys.argv[1], 'w') as f:\n"
        "    f.write(repr([sys.stdin, sys.stdout, sys.stderr]))"
    )
    script = 'exec "$0" "$@" 0<&- 1>&- 2>&-'
    done = run(["/bin/sh", "-c", script, runner.exe, code, tmp_path / "out"])
    assert done.code == 0
    assert (tmp_path / "out").read_text() == "[None, None, None]"


# --- entry points ------------------------------------------------------------


@pytest.mark.parametrize(
    "entry",
    ["pkg", "pkg:go", "pkg.tool", "pkg.tool:Tool.run", "json.tool"],
)
def test_entry_point(
    make_app: Callable[..., App], same: Callable[..., Result], entry: str
) -> None:
    app = make_app("-e", entry, sources=PACKAGE)
    same(app, stdin=b"[1]")


FRAMES = """\
    import sys, traceback
    def main():
        below = sys._getframe(1)
        print(below.f_code.co_name, below.f_globals is vars(sys.modules["__main__"]),
              below.f_globals["__name__"], "entry_point" in below.f_globals, below.f_back)
        try:
            raise KeyError(sys.argv[1])
        except KeyError:
            traceback.print_exc(file=sys.stdout)
        if sys.argv[1] == "fail":
            raise ValueError
        return sys.argv[1]
    """


def test_frame_below_a_function(make_app: Callable[..., App], sides: Sides) -> None:
    """A script has one, and it is looked for; tracebacks do not show it."""
    app = make_app("-e", "frames:main", sources={"frames.py": dedent(FRAMES)})
    for word in "fail", "text":
        done = output(sides, app, word)
        assert done.code == 1
        assert done.text.splitlines()[0] == "<module> True __main__ False None"
        assert "pexcz>" not in done.text
        if word == "text":
            assert done.err == b"text\n"
        else:
            assert done.err.count(b"File ") == 1
            assert b'frames.py", line 11, in main' in done.err


def test_module_that_is_not_there(package: App, sides: Sides) -> None:
    done = output(sides, package, PEX_MODULE="nowhere")
    assert done.code == 1
    assert done.err == b"//srv/app: No module named nowhere\n"


def test_function_that_is_not_there(package: App, sides: Sides) -> None:
    done = output(sides, package, PEX_MODULE="nowhere:go")
    assert done.code == 1
    assert done.err.endswith(b"ModuleNotFoundError: No module named 'nowhere'\n")
    done = output(sides, package, PEX_MODULE="pkg:nothing.here")
    assert done.code == 1
    assert done.err.endswith(b"module 'pkg' has no attribute 'nothing'\n")


@pytest.mark.parametrize("value", ["pkg:go", "pkg.tool", "pkg.tool:Tool.run"])
def test_pex_module(package: App, same: Callable[..., Result], value: str) -> None:
    same(package, "a", env={"PEX_MODULE": value})


def test_pex_script(make_app: Callable[..., App], same: Callable[..., Result]) -> None:
    app = make_app("cowsay==6.1", "-e", "pkg", sources=PACKAGE)
    same(app, "-t", "hello", env={"PEX_SCRIPT": "cowsay"})
    same(app, env={"PEX_SCRIPT": "nothing"})


def test_wrong_variables(package: App, sides: Sides) -> None:
    done = output(sides, package, PEX_INTERPRETER="perhaps")
    assert done.code == 1
    assert done.err.startswith(b"pexcz: PEX_INTERPRETER must be 0, 1, true or false")
    done = output(sides, package, PEX_MODULE="a", PEX_SCRIPT="b")
    assert done.code == 1
    assert done.err == b"pexcz: PEX_MODULE and PEX_SCRIPT cannot both be set\n"


# --- command line and environment --------------------------------------------


def test_name_of_the_program(
    make_app: Callable[..., App], tmp_path: Path, python: str
) -> None:
    """sys.argv[0] is what the kernel gives the interpreter of a script."""
    app = make_app(
        "-e", "name:go", sources={"name.py": "import sys\ndef go(): print(sys.argv)\n"}
    )
    for folder in ("bin", "other"):
        (tmp_path / folder).mkdir()
    (tmp_path / "bin/app").symlink_to(app.exe)
    env = {**os.environ, "PATH": str(tmp_path / "bin")}
    for command, name in (
        (["./bin/app", "x"], "./bin/app"),
        (["bin/app", "x"], "bin/app"),
        ([str(tmp_path / "other/../bin/app"), "x"], str(tmp_path / "other/../bin/app")),
        (["/bin/sh", "-c", "exec app x"], str(tmp_path / "bin/app")),
    ):
        done = run(command, cwd=tmp_path, env=env)
        assert done.text == f"{[name, 'x']}\n"


def test_injected(make_app: Callable[..., App], same: Callable[..., Result]) -> None:
    app = make_app(
        *("-e", "runner", "--inject-args", "'print(sys.argv[1:], X, Y, sys.warnoptions)'"),
        *("--inject-args", "{pex.env.HOME}-{{x}}-{pex.env.UNSET_HERE}"),
        *("--inject-env", "X=1", "--inject-env", "Y=2"),
        *("--inject-python-args", "-W ignore::UserWarning"),
        sources={"runner.py": "import os\nX, Y = os.environ['X'], os.environ['Y']\n"
                 + RUNNER["runner.py"]},
    )
    same(app, "a", env={"Y": "mine"})


def test_environment(
    runner: App, same: Callable[..., Result], start_env: Dict[str, str]
) -> None:
    code = (
        "import os\nprint(sorted(k for k in os.environ if k.startswith('PEX')))\n"
        "print(sys.flags.isolated, sys.flags.no_site, sys.flags.ignore_environment)\n"
        "print(sys.flags.dev_mode, sys.flags.optimize, sys.stdout.line_buffering)\n"
        "print(hash('x'))\n"
    )
    same(
        runner,
        code,
        # So the reference does not take the other mode's for this one.
        env={"PEX_VERBOSE": "0", "PYTHONHASHSEED": "1", "PYTHONOPTIMIZE": "1",
             "MODE": str(start_env)},
    )


@pytest.mark.parametrize(
    "env",
    [
        {"LANG": "C.UTF-8"},
        {"LANG": "C"},
        {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"PYTHONIOENCODING": "latin-1:replace"},
        {"PYTHONUTF8": "1", "LC_ALL": "C"},
    ],
)
def test_encodings(
    runner: App, same: Callable[..., Result], env: Dict[str, str]
) -> None:
    code = (
        "import locale\n"
        "print([(s.encoding, s.errors) for s in (sys.stdin, sys.stdout, sys.stderr)])\n"
        "print(sys.getfilesystemencoding(), ascii(sys.argv),\n"
        "      locale.getpreferredencoding(False).lower())"
    )
    same(runner, code, "gr\udcfc\u00fcn", env=env)


def test_paths_of_the_machine_do_not_leak(sides: Sides, runner: App) -> None:
    done = output(
        *(sides, runner, "import os; print(sys.path, sys.prefix, os.environ['PYTHONPATH'])"),
        PYTHONPATH="/srv/work",
        PYTHONHOME="/srv/work",
        PYTHONPLATLIBDIR="lib64",
    )
    lib = LIB
    assert done.text == (
        f"{[LIB.replace('.', '') + '.zip', lib, lib + '/lib-dynload', lib + '/site-packages']}"
        " /proc/pexcz /srv/work\n"
    )


def test_extra_sys_path(
    runner: App, sides: Sides, same: Callable[..., Result]
) -> None:
    """Behind the standard library, and for children."""
    code = (
        "import extra, os, subprocess\n"
        "stdlib = sys.path.index(os.path.dirname(os.__file__))\n"
        "print(sys.path.index('/srv/work') > stdlib,\n"
        "      'PEX_EXTRA_SYS_PATH' in os.environ, flush=True)\n"
        "subprocess.run([sys.executable, '-c', 'import extra'], check=True)"
    )
    sides.write("extra.py", "print('extra', flush=True)\n")
    done = same(runner, code, env={"PEX_EXTRA_SYS_PATH": "/srv/work:/nowhere"})
    assert done.text == "extra\nTrue False\nextra\n"


# With a "~" that is somebody's, nobody's, alone, or no home at all.
ODD_PATHS = [
    *("~", "~/", "~/a", "~root/b", "~nobody-at-all/c", "d/~"),
    *(".", "..", "a/..", "a/../..", "../..//x", "../../../x/..", "/..", "/../a/.."),
    *("//", "///", "//a/../b", "///a/./b/", "a//b/.", "...", ".a/..b", "/a/b/../../.."),
    *("a/b/c/../../d", "/srv/work/", "/srv//work", "a b", "\u00e4/./\u00f6"),
]


@pytest.mark.parametrize("home", ["/srv/home", "/", ""])
def test_extra_sys_path_is_normalised(
    runner: App, sides: Sides, same: Callable[..., Result], home: str
) -> None:
    sides.packed.root = Path("/")  # which knows users
    code = (
        "import os; extra = os.environ['PYTHONPATH'].split(':')\n"
        "print(extra, [p in sys.path for p in extra])"
    )
    text = ":".join(ODD_PATHS)
    for value in (text, f":{text}::", "."):
        same(runner, code, env={"HOME": home, "PEX_EXTRA_SYS_PATH": value})


# --- what site would have done -----------------------------------------------


def test_site(runner: App, same: Callable[..., Result]) -> None:
    code = (
        "import builtins\n"
        "print(repr(credits), exit, quit, help, type(license), license)\n"
        "print(copyright)\n"
        "import site\n"
        "site.mine = 1\n"
        "print(site.__name__, vars(site)['mine'], 'main' in dir(site), type(site))"
    )
    same(runner, code, varies=r"\(c\) 2001-20\d\d")


def test_garbage_of_imports_is_collected(
    make_app: Callable[..., App], same: Callable[..., Result]
) -> None:
    """Imports put collections off, but not for ever."""
    loaded = (
        "import loads, weakref\n"
        "class Node: pass\n"
        "nodes = [Node() for _ in range(9000)]\n"
        "for node in nodes: node.self = node\n"
        "weakref.finalize(nodes[0], loads.collected)\n"
        "del node, nodes\n"
    )
    main = """if True:
        import gc, importlib
        count = 0
        def collected():
            global count
            count += 1
        def main():
            import loaded
            print(gc.isenabled(), gc.get_threshold())
            for _ in range(300):
                importlib.reload(loaded)
            print(count > 150)
        """
    app = make_app("-e", "loads:main", sources={"loads.py": main, "loaded.py": loaded})
    assert same(app).text.endswith("\nTrue\n")


SITE_STATE = (
    "import site, sys\n"
    "print(sys.flags.no_user_site, site.ENABLE_USER_SITE, site.USER_SITE,"
    " site.USER_BASE, site.PREFIXES, sys.prefix, sys.path[-1])\n"
)


def test_no_user_site(runner: App, sides: Sides) -> None:
    """As in a virtual environment: where it would be is known, but it is
    neither on the path nor asked for."""
    folder = "/srv/home/.local"
    mine = f"{folder}/lib/python{VERSION}/site-packages"
    want = f"False {mine} {folder} ['/proc/pexcz', '/proc/pexcz'] /proc/pexcz {SITE}\n"
    for side in sides.both:
        (side.folder / f"home/.local/lib/python{VERSION}/site-packages").mkdir(parents=True)
    assert output(sides, runner, SITE_STATE).text == f"0 {want}"
    assert output(sides, runner, SITE_STATE, PYTHONNOUSERSITE="1").text == f"1 {want}"
    for option, flag in ("-s", 1), ("-I", 1), ("-E", 0), ("-B", 0):
        got = output(sides, runner, option, "-c", SITE_STATE, PEX_INTERPRETER="1")
        assert got.text == f"{flag} {want}", got.err


def test_in_the_environment_of_others(runner: App, sides: Sides) -> None:
    """In the bin/ of a virtual environment it remains its own."""
    for name in "pyvenv.cfg", "bin/pyvenv.cfg":
        path = sides.packed.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("home = /usr/bin\ninclude-system-site-packages = false\n")
    child = (
        "import subprocess, sys\n"
        f"code = {SITE_STATE + 'import runner'!r}\n"
        "print(subprocess.run([sys.executable, '-c', code], text=True,"
        " stdout=-1, check=False).stdout)\n"
    )
    got = output(sides, runner, child)
    assert got.text.rstrip().endswith(f"'/proc/pexcz'] /proc/pexcz {SITE}"), got.err
    got = output(sides, runner, "-c", SITE_STATE, PEX_INTERPRETER="1")
    assert got.text.rstrip().endswith(f"'/proc/pexcz'] /proc/pexcz {SITE}"), got.err


@pytest.mark.parametrize("how", ["--symlinks", "--copies"])
def test_own_virtual_environment(runner: App, sides: Sides, how: str) -> None:
    """`-m venv` makes environments that work, beside the application's."""
    sides.packed.root = Path("/")
    options = ["-m", "venv", "--without-pip", how, "env"]
    got = output(sides, runner, *options, PEX_INTERPRETER="1")
    assert got.code == 0, got.err
    here = "/srv/work/env"
    module = sides.packed.work / f"env/lib/python{VERSION}/site-packages/installed.py"
    module.write_text("import sys\nPLACE = sys.prefix\n")
    code = (
        "import importlib.util, installed, sys\n"
        "print(installed.PLACE, sys.executable, sys.base_prefix, sys._base_executable,"
        " importlib.util.find_spec('runner'))\n"
    )
    child = (
        f"import subprocess\nsubprocess.run(['env/bin/python', '-c', {code!r}])\n"
        f"subprocess.run(['{here}/bin/python3', '-c', {code!r}])\n"
        "subprocess.run(['env/bin/tool'])\n"
    )
    tool = sides.packed.work / "env/bin/tool"
    tool.write_text(f"#!{here}/bin/python\n{code}")
    tool.chmod(0o755)
    got = output(sides, runner, child)
    want = [
        f"{here} {here}/bin/{name} /proc/pexcz //srv/app None"
        for name in ("python", "python3", "python")
    ]
    assert got.text.splitlines() == want, got.err


def test_what_the_standard_library_lacks(runner: App, sides: Sides) -> None:
    code = (
        "import importlib.util, sys\n"
        "print(*(n for n in sys.stdlib_module_names if importlib.util.find_spec(n) is None))\n"
    )
    other_systems = {
        *("_msi", "_overlapped", "_scproxy", "_winapi", "_android_support", "_apple_support"),
        *("_ios_support", "_wmi", "msilib", "msvcrt", "nt", "winreg", "winsound"),
    }
    meant = {
        *("_tkinter", "idlelib", "tkinter", "turtle", "turtledemo", "ensurepip"),
        *("_dbm", "_gdbm", "nis", "ossaudiodev"),
    }
    assert set(output(sides, runner, code).text.split()) - other_systems <= meant


def test_site_is_not_imported_for_nothing(
    make_app: Callable[..., App], sides: Sides
) -> None:
    app = make_app(
        "-e", "small", sources={"small.py": "import sys\nprint('os' in sys.modules)\n"}
    )
    assert output(sides, app).text == "False\n"


def test_startup_lines_and_customize(
    make_app: Callable[..., App], same: Callable[..., Result]
) -> None:
    files = {
        "prog.py": "import sys\nprint(sys.marks)\n",
        "sitecustomize.py": "import sys\nsys.marks.append('sitecustomize')\n",
        "b.pth": "import sys; sys.marks.append('b')\n",
        "a.pth": "import sys; sys.marks = ['a']\n",
    }
    app = make_app("-e", "prog", sources=files)
    got = run([app.exe])
    assert got.out in (b"['a', 'b', 'sitecustomize']\n",), got.err


def test_namespace_lines_of_setuptools(make_app: Callable[..., App]) -> None:
    """They look for `sitedir` among the variables of their caller."""
    line = (
        "import sys, types, os;"
        "p = os.path.join(sys._getframe(1).f_locals['sitedir'], *('old',));"
        "m = sys.modules.setdefault('old', types.ModuleType('old'));"
        "mp = m.__dict__.setdefault('__path__', []);"
        "(p not in mp) and mp.append(p)\n"
    )
    files = {
        "prog.py": "import old.part\nprint(old.part.__file__, list(old.__path__))\n",
        "old/part.py": "",
        "old-1.0-nspkg.pth": line,
    }
    got = run([make_app("-e", "prog", sources=files).exe])
    assert got.text == f"{SITE}/old/part.py ['{SITE}/old']\n", got.err


# --- interpreters ------------------------------------------------------------


def test_own_file_is_the_application_again(runner: App, sides: Sides) -> None:
    inner = "import sys; print(sys.argv[1:], sys.flags.optimize, sys.warnoptions)"
    code = (
        "import subprocess\n"
        f"subprocess.run([sys.executable, '-O', '-W', 'ignore', '/srv/app', {inner!r}, 'a'])"
    )
    assert output(sides, runner, code).text == "['a'] 1 ['ignore']\n"


def test_file_of_the_tree_is_for_python(package: App, sides: Sides) -> None:
    """Also when sys.executable lost its slashes on the way."""
    code = (
        "import os, subprocess, sys, pkg.child\n"
        "for options in [], ['-u', '-IB']:\n"
        "    subprocess.run([os.path.realpath(sys.executable), *options,"
        " pkg.child.__file__, 'a'])\n"
    )
    sides.write("outer.py", code)
    got = output(sides, package, "outer.py", PEX_INTERPRETER="1")
    assert got.text == f"child ['{SITE}/pkg/child.py', 'a'] __main__\n" * 2, got.err
    # The application's own arguments remain its own.
    assert output(sides, package, "-u", "/proc/pexcz/absent").text.startswith("main ")


def test_children_find_the_application(runner: App, sides: Sides) -> None:
    sides.write("script.py", "import helper, runner\n")
    sides.write("helper.py", "print('beside the script')\n")
    code = "import subprocess\nsubprocess.run([sys.executable, 'script.py', 'print(1)'])"
    assert output(sides, runner, code).text == "beside the script\n1\n"


def test_subinterpreters_find_the_application(runner: App, sides: Sides) -> None:
    """As in a venv; those of `python app.pex` know only the library."""
    folder = f"home/.local/lib/python{VERSION}/site-packages"
    (sides.packed.folder / folder).mkdir(parents=True)
    inner = (
        "import sys; sys.argv = ['', 'pass']\nimport runner, site\n"
        "site_packages = [p for p in sys.path if p.endswith('site-packages')]\n"
        "print(runner.__file__, site_packages, site.ENABLE_USER_SITE, flush=True)"
    )
    code = (
        "try:\n    import _interpreters as i\n    one = i.create('legacy')\n"
        "except ImportError:\n    import _xxsubinterpreters as i\n    one = i.create()\n"
        f"i.run_string(one, {inner!r})\ni.destroy(one)\n"
    )
    for options in [], ["-c"]:
        env = {"PEX_INTERPRETER": "1"} if options else {}
        got = output(sides, runner, *options, code, **env)
        assert got.text == f"{SITE}/runner.py {[SITE]} False\n", got.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["-c", "import sys, runner0; print(sys.argv, sys.path[0])", "a"],
        ["-m", "pkg", "a"],
        ["-"],
        ["script.py", "b"],
        ["nowhere.py"],
    ],
)
def test_pex_interpreter(package: App, sides: Sides, arguments: List[str]) -> None:
    script = "import sys\nprint(sys.argv, __name__, __file__)\n"
    sides.write("script.py", script)
    sides.write("runner0.py", "")
    sides.packed.install(package.exe)
    done = sides.packed.run(
        *arguments, stdin=b"print('from stdin')", env={"PEX_INTERPRETER": "true"}
    )
    want = {
        "-c": ("['-c', 'a'] \n", 0),
        "-m": (f"main ['{SITE}/pkg/__main__.py', 'a']", 0),
        "-": ("from stdin\n", 0),
        "script.py": ("['script.py', 'b'] __main__ /srv/work/script.py\n", 0),
        "nowhere.py": ("", 2),
    }
    text, code = want[arguments[0]]
    assert done.code == code, done.err
    assert done.text.startswith(text), done.err


def test_no_entry_point_is_an_interpreter(
    make_app: Callable[..., App], sides: Sides
) -> None:
    app = make_app(sources=PACKAGE)
    done = output(sides, app, "-c", "import pkg; print(pkg.go())")
    assert done.text == "[] pkg\n3\n"


@pytest.mark.parametrize("name", ["python", "python3", f"python{VERSION}"])
def test_under_the_name_of_python(package: App, tmp_path: Path, name: str) -> None:
    link = tmp_path / name
    link.symlink_to(package.exe)
    assert run([link, "-c", "import pkg; print(pkg.go())"]).text == "[] pkg\n3\n"
    assert run([link, package.exe, "x"]).text.startswith("main [")


def read_until(fd: int, text: bytes) -> bytes:
    seen = b""
    end = time.monotonic() + 30
    while text not in seen and time.monotonic() < end:
        seen += os.read(fd, 4096)
    return seen


def test_inspect_after_the_program(runner: App) -> None:
    pid, fd = pty.fork()
    if pid == 0:
        env = {**os.environ, "PYTHONINSPECT": "1", "TERM": "dumb", "HOME": "/nonexistent"}
        os.execve(runner.exe, [str(runner.exe), "x = 41\nsys.exit(3)"], env)
    assert b"SystemExit: 3" in read_until(fd, b">>> ")
    os.write(fd, b"x + 1\n")
    assert b"42" in read_until(fd, b"42")
    os.write(fd, b"exit(7)\n")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    os.close(fd)


def test_interrupt_exit(runner: App) -> None:
    code = "import time\nprint('up', flush=True)\ntime.sleep(60)"
    with subprocess.Popen(
        [runner.exe, code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        assert process.stdout.readline() == b"up\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT
    assert err.endswith(b"KeyboardInterrupt\n")


# --- memory ------------------------------------------------------------------

HUGE = "/sys/kernel/mm/transparent_hugepage/"


@pytest.mark.skipif(
    not os.path.exists(HUGE)
    or "[never]" in Path(HUGE + "enabled").read_text()
    or Path(HUGE + "hpage_pmd_size").read_text().strip() != str(2 << 20),
    reason="the kernel has no huge pages of 2 MB for those who ask",
)
@pytest.mark.parametrize("mode", ["1", "0"], ids=["restored", "booted"])
def test_many_small_objects_are_in_huge_pages(runner: App, mode: str) -> None:
    code = """if True:
        import re
        small = [object() for _ in range(1 << 20)]
        text = open('/proc/self/smaps').read()
        print(sum(map(int, re.findall('AnonHugePages: *([0-9]+)', text))))"""
    done = run([runner.exe, code], env={"PEXCZ_SNAPSHOT": mode})
    assert (done.code, done.err) == (0, b"")
    assert int(done.out) >= 8 << 10
