# SPDX-License-Identifier: Apache-2.0
"""The heap snapshot: what may be in it, when it is used, and that nobody can
tell."""

from __future__ import annotations

import json
import os
import re
import signal
import struct
import subprocess
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import Callable, Dict, List

import pytest
from conftest import PACK, App, Sides, run
from sides import Result

BOOTED = b"pexcz: ordinary boot: "

# What a process can ask its Python, right at the start of main().
STATE = """\
    import asyncio, faulthandler, gc, hashlib, json, locale, logging, os
    import random, signal, ssl, sys, threading, time, tracemalloc, uuid, warnings
    import multiprocessing.process, multiprocessing.spawn, platform, sysconfig

    def main():
        if sys.argv[1:] == ["modules"]:
            print(*sorted(sys.modules))
            return
        print(sys.argv[1:], sys.orig_argv[1:], sys.flags)
        print(sys.executable == multiprocessing.spawn.get_executable().decode())
        print({k: v for k, v in os.environ.items() if k.startswith(("A", "L"))})
        print(os.environb.get(b"BYTES"), os.getenv("ADDED"))
        for stream in sys.stdin, sys.stdout, sys.stderr:
            print(stream.name, stream.mode, stream.encoding, stream.errors,
                  stream.line_buffering, stream.write_through, stream.newlines,
                  stream.fileno(), stream.isatty(), type(stream.buffer).__name__)
        print(sys.stdout is sys.__stdout__, sys.stdin is sys.__stdin__)
        for number in (1, 2, 3, 13, 15, 25):
            print(number, signal.getsignal(number))
        print(time.tzname, time.timezone, time.localtime(0).tm_hour)
        print(locale.getpreferredencoding(), sys.getfilesystemencoding(),
              sys.getfilesystemencodeerrors(), locale.setlocale(locale.LC_CTYPE))
        me = threading.main_thread()
        print(me is threading.current_thread(), me.ident == threading.get_ident(),
              me.native_id == os.getpid(), threading.active_count())
        print(gc.isenabled(), gc.get_threshold(), gc.garbage, tracemalloc.is_tracing())
        print(gc.get_count()[0] < -9000)
        print(faulthandler.is_enabled(), warnings.filters, sys.getrecursionlimit())
        print(abs(time.time() - logging._startTime) < 20)
        print(multiprocessing.process.ORIGINAL_DIR == os.getcwd())
        print(len(multiprocessing.process.current_process().authkey))
        print(platform.node() == os.uname().nodename, hashlib.sha256(b"").hexdigest())
        print(sorted(vars(sys.modules["__main__"])))
        print(sysconfig._PROJECT_BASE == os.path.dirname(os.path.realpath(sys.executable)))
        done = []
        thread = threading.Thread(target=lambda: done.append(threading.get_ident()))
        thread.start()
        thread.join()
        print(done != [me.ident], asyncio.run(asyncio.sleep(0, "slept")))
        print(sys.stdin.read(), input.__name__)
        ssl.create_default_context()
        logging.warning("to stderr")
        signal.raise_signal(signal.SIGINT)
    """

VARIES = re.compile(rb"0x[0-9a-f]+|'LC_CTYPE': '[^']*'(, )?").sub


@pytest.fixture(scope="session")
def state(make_app: Callable[..., App]) -> App:
    return make_app("-e", "state:main", sources={"state.py": dedent(STATE)})


@pytest.fixture
def start_env() -> Dict[str, str]:
    """The tests say themselves what is restored, and what is booted."""
    return {}


@pytest.fixture
def start(sides: Sides) -> Callable[..., Result]:
    """start(app, *arguments, env=…): the packed application, restored or not;
    the message about an ordinary boot is checked and taken away."""

    def run_it(app: App, *arguments: str, booted: str = "", **options) -> Result:
        sides.install(app)
        env = {"PEXCZ_SNAPSHOT": "explain", **options.pop("env", {})}
        got = sides.packed.run(*arguments, env=env, **options)
        message = re.match(re.escape(BOOTED) + rb"(.*)\n", got.err)
        if booted:
            assert message and booted in message[1].decode(), got.err.decode()
        else:
            assert message is None, got.err.decode()
        return replace(got, err=got.err[message.end() if message else 0 :])

    return run_it


def alike(one: Result, other: Result) -> None:
    for field in "out", "err", "code":
        a, b = getattr(one, field), getattr(other, field)
        if isinstance(a, bytes):
            a, b = VARIES(b"", a).decode(), VARIES(b"", b).decode()
        assert a == b


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"LANG": "C", "ADDED": "1"},
        {"LC_ALL": "POSIX", "BYTES": "\udcff"},
        {"LANG": "en_US.UTF-8", "TZ": "Asia/Tokyo"},
        {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "x"},
        {"PYTHONPATH": "/nowhere"},
    ],
    ids=lambda env: ",".join(env) or "plain",
)
def test_nobody_can_tell(
    state: App, start: Callable[..., Result], env: Dict[str, str]
) -> None:
    restored = start(state, "a", "ü b", env=env, stdin=b"typed")
    booted = start(
        state, "a", "ü b", env={**env, "PEXCZ_SNAPSHOT": "0"}, stdin=b"typed"
    )
    assert b"slept" in restored.out
    alike(restored, booted)


def test_same_modules(state: App, start: Callable[..., Result]) -> None:
    booted = start(state, "modules", env={"PEXCZ_SNAPSHOT": "0"})
    assert start(state, "modules").out == booted.out


@pytest.mark.parametrize(
    "env, why",
    [
        ({"PYTHONHASHSEED": "7"}, "environment variable"),
        ({"PYTHONWARNINGS": "error"}, "environment variable"),
        ({"PEX_SCRIPT": ""}, ""),
    ],
)
def test_variables_of_python(
    state: App, start: Callable[..., Result], env: Dict[str, str], why: str
) -> None:
    got = start(state, env=env, booted=why)
    alike(got, start(state, env={**env, "PEXCZ_SNAPSHOT": "0"}))


def test_closed_streams(state: App, sides: Sides) -> None:
    for redirection in "<&-", ">&-", "2>&-":
        command = ["sh", "-c", f'exec "$0" modules {redirection}', str(state.exe)]
        env = {"LANG": "C.UTF-8"}
        want = run(command, env={**env, "PEXCZ_SNAPSHOT": "0"})
        got = run(command, env=env)
        assert (got.code, got.out) == (want.code, want.out)


def test_ignored_signals_stay_ignored(state: App) -> None:
    def ignore() -> None:
        for number in signal.SIGINT, signal.SIGHUP:
            signal.signal(number, signal.SIG_IGN)

    outs: List[bytes] = []
    for value in "1", "0":
        done = subprocess.run(
            [state.exe], env={"LANG": "C.UTF-8", "PEXCZ_SNAPSHOT": value},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False,
            stderr=subprocess.DEVNULL, preexec_fn=ignore,
        )
        outs.append(VARIES(b"", done.stdout))
    assert outs[0] == outs[1]
    assert b"\n1 1\n2 1\n" in outs[0]


# --- what keeps a module out -------------------------------------------------

# A module's text, and what the report says about it.
LEFT = {
    "entropy": ("import os; value = os.urandom(8)", "calls os.urandom()"),
    "uuid": ("import uuid; value = uuid.uuid4()", "calls os.urandom()"),
    "secrets": ("import secrets; value = secrets.token_hex()", "calls os.urandom()"),
    "random": ("import random; value = random.random()", "calls random.random()"),
    "generator": ("import random; value = random.Random().random()",
                  "draws from a random.Random()"),
    "clock": ("import time; value = time.monotonic()", "calls time.monotonic()"),
    "process": ("import os; value = os.getpid()", "calls os.getpid()"),
    "session": ("import os; value = os.environ.get('TERM')", "reads $TERM"),
    "environment": ("import os; value = dict(os.environ)",
                    "reads the whole environment"),
    "set": ("import os; os.environ['TERM'] = '1'; value = 0", "sets $TERM"),
    "thread": ("import threading\nthreading.Thread(target=int).start()\nvalue = 0",
               "calls thread.start_"),
    "open file": ("value = open('/dev/null').name", "opens /dev/null"),
    "stat": ("import os; value = os.path.exists('/etc/passwd')", "calls os.stat()"),
    "folder": ("import os; value = os.listdir('/')", "lists /"),
    "socket": ("import socket; value = socket.socket().close()", "socket"),
    "child": ("import subprocess; value = subprocess.call(['true'])", "subprocess"),
    "arguments": ("import sys; value = sys.argv[1:]", "reads sys.argv"),
    "output": ("print('importing'); value = 0", "uses sys.stdout"),
    "terminal": ("import sys; value = sys.stdout.isatty()", "uses sys.stdout"),
    "executable": ("import sys; value = sys.executable", "keeps sys.executable"),
    "signal": ("import signal; signal.signal(signal.SIGPIPE, signal.SIG_DFL)\n"
               "value = 0", "calls signal.signal()"),
    "path of folder": ("import os; value = [os.getcwd()]", "calls os.getcwd()"),
    "thread number": ("import threading; value = threading.get_ident()",
                      "calls thread.get_ident()"),
    "native number": ("import threading; value = threading.get_native_id()",
                      "calls thread.get_native_id()"),
    "time zone": ("from time import timezone as value", "reads time.timezone"),
    "local time": ("import time; value = time.localtime()", "calls time.localtime()"),
    "memory": ("import os; value = os.sysconf('SC_PHYS_PAGES')", "calls os.sysconf()"),
    "users": ("import pwd; value = pwd.getpwall()[0].pw_name", "calls pwd.getpwall()"),
    "usage": ("import resource as r; value = r.getrusage(r.RUSAGE_SELF).ru_utime",
              "calls resource.getrusage()"),
    "selector": ("import selectors; value = selectors.EpollSelector().close()",
              "makes a selector"),
    "faults": ("import faulthandler; faulthandler.enable(); value = 0",
               "calls faulthandler.enable()"),
    "handler": ("import signal; value = signal.getsignal(signal.SIGINT)",
                "calls signal.getsignal()"),
    "certificates": ("import ssl; value = ssl.create_default_context()",
                     "makes an ssl.SSLContext"),
    "bytes of OpenSSL": ("import ssl; value = ssl.RAND_bytes(3)",
                         "calls ssl.RAND_bytes()"),
    "uuid of the time": ("import uuid; value = uuid.uuid1()",
                         "calls uuid.generate_time_safe()"),
    "memory map": ("import mmap; value = len(mmap.mmap(-1, 4096))", "mmap"),
}  # fmt: skip

def test_two_that_differ_are_no_snapshot(
    make_pex: Callable[..., Path], tmp_path: Path
) -> None:
    """What no rule sees, and nobody can find."""
    text = ("import posix\nvalue = {(b'x',): [[[[[posix.urandom(8)]]]]]}\n"
            "def main(): print(len(value))\n")  # fmt: skip
    pex = make_pex("-e", "unseen:main", sources={"unseen.py": text})
    done = run([PACK, "--snapshot", "require", pex, "-o", tmp_path / "app"])
    assert done.code == 1
    assert b"no snapshot: two of them differ at address 0x" in done.err
    assert run([PACK, pex, "-o", tmp_path / "app"]).code == 0
    assert run([tmp_path / "app"]) == Result(0, b"1\n", b"")


def test_module_that_differs_is_left_out(
    make_pex: Callable[..., Path], tmp_path: Path
) -> None:
    """What no rule sees: nobody watches the module posix."""
    pex = make_pex(
        "-e", "user:main",
        sources={"unseen.py": "import posix\n"
                              "class Kept: value = [posix.urandom(8)]\n",
                 "fine.py": "", "user.py": "import fine, unseen\ndef main():\n"
                                           "    print(len(unseen.Kept.value[0]))\n"},
    )  # fmt: skip
    exe = tmp_path / "app"
    done = run([PACK, "-v", "--snapshot", "require", pex, "-o", exe])
    assert done.code == 0, done.err.decode()
    said = done.err.decode()
    assert "not in the snapshot: unseen: two of them differ at address 0x" in said
    assert re.search("snapshot: user: (imports unseen|keeps)", said)
    assert "snapshot: fine" not in said
    assert run([exe]) == Result(0, b"8\n", b"")


USER = """\
    import fine, odd, user_of_odd
    def main():
        import sys
        print(sorted({"odd", "user_of_odd", "fine"} & set(sys.modules)))
        print(type(odd.value).__name__)
    """


@pytest.mark.parametrize("name", LEFT)
def test_module_is_left_out(
    make_pex: Callable[..., Path], tmp_path: Path, name: str
) -> None:
    text, reason = LEFT[name]
    pex = make_pex(
        "-e", "user:main",
        sources={"odd.py": text + "\n", "user.py": dedent(USER), "fine.py": "",
                 "user_of_odd.py": "from odd import value\n"},
    )  # fmt: skip
    done = run([PACK, "-v", "--snapshot", "require", pex, "-o", tmp_path / "app"])
    said = done.err.decode()
    assert done.code == 0, said
    assert re.search(rf"snapshot: odd: .*{re.escape(reason)}", said), said
    for module in "user", "user_of_odd":
        assert re.search(rf"snapshot: {module}: (imports odd|keeps)", said), said
    assert "snapshot: fine" not in said
    env = {"LANG": "C.UTF-8", "HOME": "/", "PATH": os.environ["PATH"]}
    got = run([tmp_path / "app"], env=env)
    want = run([tmp_path / "app"], env={**env, "PEXCZ_SNAPSHOT": "0"})
    assert (got.code, got.out, got.err) == (want.code, want.out, want.err)


def test_environment_gate(
    make_app: Callable[..., App], start: Callable[..., Result]
) -> None:
    app = make_app(
        "-e", "gated:main",
        sources={"gated.py": "import os\nmode = os.environ.get('GATED_MODE', 'none')\n"
                             "def main(): print(mode)\n"},
    )  # fmt: skip
    assert start(app).out == b"none\n"
    got = start(app, env={"GATED_MODE": "fast"}, booted="environment variable")
    assert got.out == b"fast\n"


def test_variables_that_are_not_pythons(
    make_app: Callable[..., App], start: Callable[..., Result]
) -> None:
    """PYTHON_VERSION is in each container of Python, PYTHON in many makefiles."""
    app = make_app(
        "-e", "version:main",
        sources={"version.py": "import os\ndef main():\n"
                               "    print(os.environ.get('PYTHON_VERSION'))\n"},
    )  # fmt: skip
    env = {"PYTHON_VERSION": "3.11", "PYTHON": "/usr/bin/python3", "PYTHONUSERBASE": "/x"}
    assert start(app, env=env).out == b"3.11\n"
    assert start(app, env={"PYTHON_COLORS": "0"}, booted="environment").out == b"None\n"
    gated = make_app(
        "-e", "gated:main",
        sources={"gated.py": "import os\nmode = os.environ.get('PYTHON_VERSION')\n"
                             "def main(): print(mode)\n"},
    )  # fmt: skip
    assert start(gated, env={"PYTHON": "x"}).out == b"None\n"
    got = start(gated, env=env, booted="environment variable")
    assert got.out == b"3.11\n"
    base = make_app(
        "-e", "base:main",
        sources={"base.py": "import site\nbase = site.getuserbase()\n"
                            "def main(): print(base)\n"},
    )  # fmt: skip
    assert start(base, env={"HOME": "/h"}).out == b"/h/.local\n"
    got = start(base, env={"PYTHONUSERBASE": "/x"}, booted="environment variable")
    assert got.out == b"/x\n"


def test_working_directory_is_kept_by_name(
    make_app: Callable[..., App], start: Callable[..., Result]
) -> None:
    app = make_app(
        "-e", "here:main",
        sources={"here.py": "import os\nHERE = os.path.abspath(os.getcwd())\n"
                            "def main(): print(HERE == os.getcwd(), HERE)\n"},
    )  # fmt: skip
    assert start(app).out.startswith(b"True /")

    def lose_it() -> None:
        os.mkdir("gone")
        os.chdir("gone")
        os.rmdir("../gone")

    done = subprocess.run(
        [app.exe], env={"LANG": "C.UTF-8", "PEXCZ_SNAPSHOT": "explain"}, check=False,
        capture_output=True, preexec_fn=lose_it, cwd=app.exe.parent,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith(BOOTED + b"there is no working directory")
    assert b"FileNotFoundError" in done.stderr


def test_callbacks_of_libraries(
    make_app: Callable[..., App], start: Callable[..., Result]
) -> None:
    app = make_app(
        "-e", "lib:main",
        sources={"lib.py": dedent("""\
            import pexcz_snapshot
            log = []
            def before(): log.append("before")
            def after():
                import sys
                log.append(["after", len(sys.argv)])
            pexcz_snapshot.register(before_dump=before, after_restore=after)
            def main(): print(log)
            """)},
    )  # fmt: skip
    assert start(app, "x").out == b"['before', ['after', 2]]\n"
    booted = start(app, "x", env={"PEXCZ_SNAPSHOT": "0"})
    assert booted.out == b"[]\n"


@pytest.mark.parametrize(
    "text, code, word",
    [
        ("raise ValueError('spoilt')", 1, b"ValueError: spoilt"),
        ("raise SystemExit(7)", 7, b""),
        ("raise KeyboardInterrupt", -signal.SIGINT, b"KeyboardInterrupt"),
    ],
    ids=["error", "exit", "interrupt"],
)
def test_callback_that_fails_is_the_end(
    make_app: Callable[..., App],
    start: Callable[..., Result],
    text: str,
    code: int,
    word: bytes,
) -> None:
    """As an import that fails; an interrupt may come at any time."""
    app = make_app(
        "-e", "lib:main",
        sources={"lib.py": "import pexcz_snapshot\n"
                           f"def after(): {text}\n"
                           "pexcz_snapshot.register(after_restore=after)\n"
                           "def main(): print('never')\n"},
    )  # fmt: skip
    got = start(app)
    assert (got.code, got.out) == (code, b"")
    assert word in got.err and b"Fatal" not in got.err


def test_startup_code_is_watched(
    make_pex: Callable[..., Path], tmp_path: Path
) -> None:
    pex = make_pex(
        "-e", "small:main",
        sources={"sitecustomize.py": "import os\nos.urandom(3)\n",
                 "small.py": "def main(): print('ran')\n"},
    )  # fmt: skip
    done = run([PACK, "--snapshot", "require", pex, "-o", tmp_path / "app"])
    assert done.code == 1
    assert b"no snapshot: " in done.err and b"os.urandom()" in done.err
    assert not (tmp_path / "app").exists()
    done = run([PACK, pex, "-o", tmp_path / "app"])
    assert done.code == 0 and b"no snapshot: " in done.err
    assert run([tmp_path / "app"]).out == b"ran\n"


def test_line_of_a_pth_file_is_no_hindrance(
    make_pex: Callable[..., Path], tmp_path: Path
) -> None:
    """setuptools has one."""
    pex = make_pex("setuptools", "-e", "small:main", sources={
        "small.py": "import sys\n"
                    "def main(): print([type(f).__name__ for f in sys.meta_path])\n"})
    exe = tmp_path / "app"
    done = run([PACK, "--snapshot", "require", pex, "-o", exe])
    assert done.code == 0, done.err.decode()
    env = {"LANG": "C.UTF-8"}
    restored = run([exe], env={**env, "PEXCZ_SNAPSHOT": "explain"})
    assert restored == run([exe], env={**env, "PEXCZ_SNAPSHOT": "0"})
    assert b"DistutilsMetaFinder" in restored.out


# --- options -----------------------------------------------------------------


def test_options(make_pex: Callable[..., Path], tmp_path: Path) -> None:
    pex = make_pex(
        "-e", "tool:main",
        sources={"tool.py": "import json, sys\ndef main():\n    if len(sys.argv) > 1:\n"
                            "        import csv\n    print('csv' in sys.modules)\n"},
    )  # fmt: skip
    exe = tmp_path / "app"
    env = {"LANG": "C.UTF-8", "PEXCZ_SNAPSHOT": "explain"}
    assert run([PACK, "--snapshot", "off", pex, "-o", exe]).code == 0
    assert run([exe], env=env).err.startswith(BOOTED)
    done = run([PACK, "-v", "--snapshot-exclude", "json", pex, "-o", exe])
    assert b"snapshot: json: is left out on request" in done.err
    assert run([exe], env=env) == Result(0, b"False\n", b"")
    assert run([PACK, "--snapshot-warm", "--now", pex, "-o", exe]).code == 0
    assert run([exe], env=env) == Result(0, b"True\n", b"")
    done = run([PACK, "--snapshot", "maybe", pex, "-o", exe])
    assert done.code == 2 and b"--snapshot" in done.err


def test_hash_seed_of_each_process(
    make_pex: Callable[..., Path], tmp_path: Path
) -> None:
    pex = make_pex(
        "-e", "tell:main", sources={"tell.py": "def main(): print(hash('text'))\n"}
    )
    exe = tmp_path / "app"
    env = {"LANG": "C.UTF-8"}
    for seed, how_many in ("fixed", 1), ("random", 4):
        assert run([PACK, "--hash-seed", seed, pex, "-o", exe]).code == 0
        assert len({run([exe], env=env).out for _ in range(4)}) == how_many
    assert run([exe], env={**env, "PEXCZ_SNAPSHOT": "explain"}).err.startswith(BOOTED)
    assert run([PACK, pex, "-o", exe]).code == 0
    done = run([PACK.with_name("pexcz"), "inspect", "--snapshot", "--json", exe])
    known = {**env, "PYTHONHASHSEED": str(json.loads(done.out)["hash_seed"])}
    restored = run([exe], env={**known, "PEXCZ_SNAPSHOT": "explain"})
    assert restored == run([exe], env={**known, "PEXCZ_SNAPSHOT": "0"}) == run([exe], env=env)
    assert restored.err == b""
    done = run([PACK, "--hash-seed", "random", "--snapshot", "require", pex, "-o", exe])
    assert done.code == 1 and b"one hash seed for all processes" in done.err


# --- damage, load ------------------------------------------------------------


def test_damage_means_an_ordinary_boot(state: App, tmp_path: Path) -> None:
    sections = run(["readelf", "-SW", str(state.exe)]).out.decode()
    found = re.search(r"\.pexcz\.snapshot +PROGBITS +\w+ (\w+) (\w+)", sections)
    assert found
    offset, size = (int(n, 16) for n in found.groups())
    data = state.exe.read_bytes()
    damaged = tmp_path / "damaged"
    # Behind `size` of the header is the report, which no start looks at.
    (used,) = struct.unpack_from("<Q", data, offset + 32)
    assert size - 200_000 < used < size
    for at in offset + 3, offset + 40, offset + 200, offset + used - 100:
        bad = bytearray(data)
        bad[at] ^= 4
        damaged.write_bytes(bad)
        damaged.chmod(0o755)
        done = run([damaged, "modules"],
                   env={"LANG": "C.UTF-8", "PEXCZ_SNAPSHOT": "explain"})  # fmt: skip
        assert done.code == 0
        assert done.err.startswith(BOOTED + b"the snapshot is damaged")
    for at in offset + 3, offset + 40, offset + size // 2, offset + size - 100:
        bad = bytearray(data)
        bad[at] ^= 4
        damaged.write_bytes(bad)
        done = run([PACK.with_name("pexcz"), "verify", damaged])
        assert done.code == 1 and b"the snapshot is damaged" in done.err


def test_two_packings_are_alike(state: App, tmp_path: Path) -> None:
    again = tmp_path / state.exe.name
    assert run([PACK, "-q", "-j", "1", state.pex, "-o", again]).code == 0
    assert again.read_bytes() == state.exe.read_bytes()


def test_many_starts_at_once(state: App) -> None:
    """Under load, and with some of them killed, each that ends says the same."""
    env = {"LANG": "C.UTF-8"}
    want = run([state.exe, "modules"], env=env).out
    for round_ in range(10):
        running = [
            subprocess.Popen([state.exe, "modules"], env=env,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            for _ in range(30)
        ]  # fmt: skip
        for process in running[:: 5 + round_]:
            process.kill()
        for process in running:
            out, err = process.communicate()
            if process.returncode != -signal.SIGKILL:
                assert (process.returncode, out, err) == (0, want, b"")


def test_what_imports_throw_away_does_not_show(
    make_pex: Callable[..., Path], tmp_path: Path
) -> None:
    """Random numbers in freed memory, which differ from one dump to the next,
    are not in the padding of what is made later."""
    text = (
        "import pexcz_snapshot, random\n"
        "def before():\n"
        "    numbers = [random.SystemRandom().getrandbits(96) for _ in range(5000)]\n"
        "    del numbers\n"
        "pexcz_snapshot.register(before_dump=before)\n"
        "def main(): print('ran')\n"
    )
    pex = make_pex("-e", "waste:main", sources={"waste.py": text})
    exe = tmp_path / "app"
    done = run([PACK, "--snapshot", "require", pex, "-o", exe])
    assert done.code == 0, done.err.decode()
    env = {"LANG": "C.UTF-8", "PEXCZ_SNAPSHOT": "explain"}
    assert run([exe], env=env) == Result(0, b"ran\n", b"")
