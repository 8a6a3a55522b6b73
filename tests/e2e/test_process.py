# SPDX-License-Identifier: Apache-2.0
"""What a process does besides its output: exit codes, signals, threads,
children, files; against the same Python."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from textwrap import dedent

import pytest
from sides import Result

DISPATCH = """\
    import runpy, sys
    runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
    """

# Each is a module of one application, named by its first argument.
PROGRAMS = {
    "exit_none": "import sys; sys.exit()",
    "exit_number": "import sys; sys.exit(7)",
    "exit_big": "import sys; sys.exit(1 << 40)",
    "exit_text": "import sys; print('out'); sys.exit('gone')",
    "exit_object": "raise SystemExit([1, 'ü'])",
    "exit_now": "import os; print('lost'); os._exit(9)",
    "exit_in_thread": """
        import sys, threading
        t = threading.Thread(target=sys.exit, args=(5,))
        t.start(); t.join(); print("joined")
        """,
    "exception": "raise ValueError('broken')",
    "exception_chain": """
        def f():
            try:
                {}["a"]
            except KeyError as e:
                raise RuntimeError("outer") from e
        f()
        """,
    "exception_in_an_import": """
        import importlib, traceback
        for name in ("fails", "wrong", "absent", "exit_number"):
            for do in (importlib.import_module, __import__):
                try:
                    do("cases." + name)
                except BaseException:
                    traceback.print_exc()
        """,
    "fails": """
        def f():
            raise LookupError("while it was imported")
        f()
        """,
    "wrong": "x = (",
    "fatal": """
        import faulthandler, json, os, signal, sys
        faulthandler.enable()
        os.kill(os.getpid(), signal.SIGABRT)
        """,
    "exception_group": """
        import traceback
        try:
            raise ExceptionGroup("all", [ValueError(1), OSError(2)])
        except ExceptionGroup:
            traceback.print_exc()
        """,
    "exception_hook": """
        import sys
        sys.excepthook = lambda kind, e, tb: print("hook", kind.__name__, e)
        raise ValueError("seen")
        """,
    "recursion": "def f(): f()\nf()",
    "interrupt_raised": "raise KeyboardInterrupt",
    "syntax_error": "compile('x = (', 'there.py', 'exec')",
    "atexit": """
        import atexit
        atexit.register(print, "last")
        @atexit.register
        def fails():
            raise OSError("in atexit")
        atexit.register(print, "first")
        print("main")
        """,
    "atexit_after_error": """
        import atexit
        atexit.register(print, "bye")
        raise SystemExit(4)
        """,
    "thread": """
        import threading, time
        def late():
            time.sleep(.1)
            print("late")
        threading.Thread(target=late).start()
        print("early")
        """,
    "thread_raises": """
        import threading
        def fails():
            raise LookupError("in thread")
        t = threading.Thread(target=fails, name="worker")
        t.start(); t.join()
        """,
    "daemon_thread": """
        import threading, time
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        print("done")
        """,
    "busy_daemon_threads": """
        import threading, time
        def spin():
            while True:
                sum(range(100))
        for _ in range(4):
            threading.Thread(target=spin, daemon=True).start()
        time.sleep(.05)
        print("done")
        """,
    "pool": """
        from concurrent.futures import ThreadPoolExecutor
        pool = ThreadPoolExecutor(2)
        print(list(pool.map(abs, [-1, 2])))
        pool.submit(print, "from the pool")
        """,
    "asyncio_loop": """
        import asyncio
        async def main():
            await asyncio.gather(*(asyncio.sleep(.01 * i) for i in range(3)))
            process = await asyncio.create_subprocess_exec(
                __import__("sys").executable, "-c", "print(5)",
                stdout=asyncio.subprocess.PIPE)
            print(await process.communicate())
        asyncio.run(main())
        """,
    "unflushed": """
        import io
        text = open("text", "w"); text.write("text")
        data = open("data", "wb"); data.write(b"data")
        raw = io.BufferedWriter(io.FileIO("raw", "w")); raw.write(b"raw")
        pair = io.TextIOWrapper(io.BufferedRandom(io.FileIO("pair", "w+")))
        pair.write("pair")
        held = [{"deep": open("deep", "w")}]; held[0]["deep"].write("deep")
        """,
    "unflushed_zip": """
        import gzip
        f = gzip.GzipFile("f.gz", "wb", mtime=0); f.write(b"x" * 1000)
        import logging.handlers
        h = logging.handlers.MemoryHandler(
            9, target=logging.FileHandler("log"))
        logging.getLogger().addHandler(h)
        logging.warning("kept")
        """,
    "finaliser": """
        import weakref
        class A:
            def __del__(self):
                print("deleted")
        a = A()
        cycle = [A()]; cycle.append(cycle)
        weakref.finalize(cycle[0], print, "finalized")
        """,
    "generator": """
        def g():
            try:
                yield 1
            finally:
                print("closed")
        keep = g(); next(keep)
        """,
    "temporary": """
        import os, tempfile
        folder = tempfile.TemporaryDirectory(dir=".")
        file = tempfile.NamedTemporaryFile(dir=".")
        print(os.path.isdir(folder.name), os.path.exists(file.name))
        """,
    "builtins_of_site": """
        print(exit, quit, copyright, callable(help), license)
        exit(3)
        """,
    "closed_stdout": "import sys; print('x'); sys.stdout.close()",
    "closed_stderr": "import sys; sys.stderr.close(); raise ValueError",
    "full_stdout": """
        import os
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, 1)
        print("lost")
        """,
    "standard_streams": """
        import sys
        for s in (sys.stdin, sys.stdout, sys.stderr):
            print(s.name, s.encoding, s.errors, s.line_buffering, s.mode)
        print(sys.stdin.read())
        """,
    "forks": """
        import os, sys
        print("before", flush=True)
        pid = os.fork()
        if pid == 0:
            print("child")
            sys.exit(3)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        """,
    "child": """
        import subprocess, sys
        code = "import sys; print(sys.argv, __name__); sys.exit(3)"
        print(subprocess.run([sys.executable, "-c", code, "a"]).returncode)
        """,
    "child_of_the_application": """
        import subprocess, sys
        code = "import cases.value; print(cases.value.VALUE)"
        subprocess.run([sys.executable, "-c", code], check=True)
        """,
    "spawn": """
        import multiprocessing as m
        from cases.value import double
        if __name__ == "__main__":
            for method in ("spawn", "fork", "forkserver"):
                with m.get_context(method).Pool(2) as pool:
                    print(method, pool.map(double, [2, 3]))
        """,
    "value": """
        VALUE = 42
        def double(x):
            return 2 * x
        """,
    "on_term": """
        import signal, sys, time
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(11))
        print("up", flush=True)
        time.sleep(60)
        """,
    "on_interrupt": """
        import time
        print("up", flush=True)
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            print("interrupted")
        """,
    "sleeps": "import time; print('up', flush=True); time.sleep(60)",
    "joins": """
        import threading, time
        print("up", flush=True)
        threading.Thread(target=time.sleep, args=(1,)).start()
        """,
    "writes_for_ever": """
        print("up", flush=True)
        try:
            input()
        except EOFError:
            pass
        while True:
            print("x" * 8000)
        """,
    "default_pipe": """
        import signal
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        print("up", flush=True)
        try:
            input()
        except EOFError:
            pass
        while True:
            print("x" * 8000)
        """,
}

STARTED_BY_OTHERS = {
    "fails",
    "wrong",
    "child_of_the_application",
    "value",
    "on_term",
    "on_interrupt",
    "sleeps",
    "joins",
    "writes_for_ever",
    "default_pipe",
}


@pytest.fixture(scope="session")
def cases(make_app):
    sources = {"prog.py": dedent(DISPATCH), "cases/__init__.py": ""}
    for name, text in PROGRAMS.items():
        sources[f"cases/{name}.py"] = dedent(text).strip() + "\n"
    return make_app("-e", "prog", sources=sources)


@pytest.mark.parametrize("name", sorted(set(PROGRAMS) - STARTED_BY_OTHERS))
def test_program(cases, same, name):
    # Python starts a PEX some frames deeper, which a full stack shows.
    deeper = {"recursion": r"line repeated \d+ more times", "fatal": r'(  File ".*\n)+'}
    varies = deeper.get(name, "")
    got = same(cases, f"cases.{name}", stdin="in ü".encode(), varies=varies)
    if name.startswith("unflushed"):
        assert got.code == 0
    if name == "fatal":
        assert b"Aborted" in got.err and b"Extension modules" not in got.err


def test_children_have_the_applications_modules(cases, sides):
    """As in a venv; a child of python app.pex knows only the library."""
    sides.install(cases)
    got = sides.packed.run("cases.child_of_the_application")
    assert (got.code, got.out) == (0, b"42\n"), got.err


# Seconds from "up" to the sleep behind it, or a signal comes between the two.
ASLEEP = 0.5


def interrupted(cases, sides, name, act):
    """Runs both sides until they are up, then act(process) on each."""
    sides.install(cases)
    results = []
    for side in sides.both:
        with side.start(f"cases.{name}") as process:
            assert process.stdout.readline() == b"up\n", process.stderr.read()
            time.sleep(ASLEEP)
            act(process)
            out, err = process.communicate(timeout=60)
            results.append(Result(process.returncode, out, err))
    sides.check(*results)
    return results[1]


@pytest.mark.parametrize(
    "name, number, code",
    [
        ("sleeps", signal.SIGINT, -signal.SIGINT),
        ("sleeps", signal.SIGTERM, -signal.SIGTERM),
        ("sleeps", signal.SIGHUP, -signal.SIGHUP),
        ("on_term", signal.SIGTERM, 11),
        ("on_interrupt", signal.SIGINT, 0),
        ("joins", signal.SIGINT, 0),
    ],
)
def test_signal(cases, sides, name, number, code):
    def act(process):
        process.send_signal(number)

    got = interrupted(cases, sides, name, act)
    assert got.code == code
    if code == -signal.SIGINT:
        assert got.err.splitlines()[-1] == b"KeyboardInterrupt"


@pytest.mark.parametrize(
    "name, code", [("writes_for_ever", 1), ("default_pipe", -signal.SIGPIPE)]
)
def test_closed_pipe(cases, sides, name, code):
    """As under `app | head -1`."""
    sides.install(cases)
    results = []
    for side in sides.both:
        read, write = os.pipe()
        with side.start(
            f"cases.{name}", stdin=subprocess.PIPE, stdout=write
        ) as process:
            os.close(write)
            with open(read, "rb") as pipe:
                assert pipe.readline() == b"up\n"
            # The program goes on when its input ends: nobody reads by then.
            _, err = process.communicate(timeout=60)
            results.append(Result(process.returncode, b"", err))
    sides.check(*results)
    assert results[1].code == code


def test_no_standard_streams(cases, sides):
    """File descriptors 0 to 2 closed, as some supervisors do it."""
    sides.install(cases)
    codes = []
    for side in sides.both:
        closing = 'exec "$@" <&- >&- 2>&-'
        command = ["/bin/sh", "-c", closing, "sh"]
        command += side.command(["cases.exit_number"])
        done = subprocess.run(command, env=side.env, timeout=60, check=False)
        codes.append(done.returncode)
    assert codes == [7, 7]
