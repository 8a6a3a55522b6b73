# SPDX-License-Identifier: Apache-2.0
"""What a process does besides its output: exit codes, signals, threads."""

import os
import signal
import subprocess
import sys
import time

import pytest
from conftest import BASE, run

EXITS = {
    "none": "import sys; sys.exit()",
    "number": "import sys; sys.exit(7)",
    "text": "import sys; sys.exit('gone')",
    "return": "print('x')",
    "exception": "raise ValueError('broken')",
    "atexit": "import atexit; atexit.register(print, 'bye'); print('hi')",
    "thread": ("import threading, time\n"
               "def f():\n    time.sleep(.2); print('late')\n"
               "threading.Thread(target=f).start()\nprint('early')"),
    "daemon": ("import threading, time\n"
               "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
               "print('done')"),
    "unflushed": ("f = open('/tmp/unflushed', 'w'); f.write('text')\n"
                  "import atexit, os\n"
                  "print('open')"),
    "finaliser": ("class A:\n    def __del__(self): print('gone')\n"
                  "a = A()"),
    "generator": ("def g():\n    try:\n        yield 1\n    finally:\n"
                  "        print('closed')\n"
                  "keep = g(); next(keep)"),
    "builtins": "print(exit, quit, copyright is not None, help)",
}


@pytest.mark.parametrize("name", sorted(EXITS))
def test_exit(make_app, same, name):
    same(make_app("-e", "prog", sources={"prog.py": EXITS[name] + "\n"}))


def test_open_files_keep_their_bytes(make_app, bare_root):
    app = make_app("-e", "prog", sources={"prog.py": EXITS["unflushed"] + "\n"})
    assert bare_root.run(app.exe).code == 0
    assert (bare_root.root / "tmp/unflushed").read_text() == "text"


def test_entry_points(make_app, same):
    files = {"pkg/__init__.py": "def go():\n    import sys\n    print(len(sys.argv), __name__)\n    return 3\n",
             "pkg/__main__.py": "import sys\nprint('main', sys.argv[1:], __name__, __package__)\n"}
    same(make_app("-e", "pkg", sources=files), "a", "b")
    assert same(make_app("-e", "pkg:go", sources=files), "a").code == 3


def test_interrupt(make_app):
    app = make_app("-e", "prog", sources={
        "prog.py": "import time\nprint('up', flush=True)\ntime.sleep(60)\n"})
    # A job in the background of a shell ignores SIGINT, and so do its children.
    with subprocess.Popen(
            [app.exe], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)) as process:
        assert process.stdout.readline() == b"up\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT
    assert err.strip().endswith(b"KeyboardInterrupt")


def test_closed_pipe(make_app):
    app = make_app("-e", "prog", sources={"prog.py": "print('x' * 100)\n"})
    env = {"LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}
    for command in ([sys.executable, app.pex], [app.exe]):
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE,
                              env=env, check=False)
        os.close(write)
        assert done.returncode == 120, command
        assert b"BrokenPipeError" in done.stderr


def test_nothing_but_the_executable_is_touched(make_app, tmp_path):
    app = make_app("cowsay==6.1", "-c", "cowsay")
    log = tmp_path / "log"
    done = run(["strace", "-f", "-o", str(log), "-e",
                "trace=file,process", str(app.exe), "-t", "x"], cwd=tmp_path)
    assert done.code == 0, done.err
    calls = [line.split(" ", 1)[1] for line in log.read_text().splitlines()]
    own = ("/etc/ld.so", "/lib/", "/usr/lib/", "/lib64/", "/etc/localtime",
           "/proc/self/exe", "/usr/share/locale", "/dev/")
    for call in calls:
        assert "/proc/pexcz" not in call, call
        assert not call.strip().startswith(("fork", "clone", "vfork")), call
        if '"/' in call and not call.strip().startswith("execve"):
            assert any(f'"{place}' in call for place in own) or str(app.exe) in call \
                or " = -1 " in call, call
        assert "O_CREAT" not in call, call


def test_interpreter():
    base = str(BASE)
    assert run([base, "-c", "import sys; print(sys.argv, sys.flags.isolated)", "a"]).out \
        == b"['-c', 'a'] 1\n"
    assert run([base, "-V"]).out.startswith(b"Python 3.11")
    assert run([base, "-m", "json.tool", "--help"]).code == 0
    assert run([base, "-W", "error", "-c", "import warnings; warnings.warn('x')"]).code == 1
    modules = ("ssl hashlib sqlite3 ctypes lzma bz2 zlib readline curses decimal "
               "uuid pyexpat multiprocessing _ssl _bz2 select mmap fcntl").split()
    assert run([base, "-c", "import " + ", ".join(modules)]).err == b""


def test_children_are_interpreters(make_app, same):
    source = ("import subprocess, sys, multiprocessing as m\n"
              "def f(x):\n    return x * x\n"
              "if __name__ == '__main__':\n"
              "    print(subprocess.check_output([sys.executable, '-c', 'print(1)']))\n"
              "    with m.get_context('spawn').Pool(1) as p:\n"
              "        print(p.map(f, [2, 3]))\n")
    same(make_app("-e", "prog", sources={"prog.py": source}), stderr=False)


def test_start_time_of_many_modules_is_that_of_few(make_app):
    def best(count):
        files = {f"many/m{i}.py": f"x = {i}\n" for i in range(count)}
        files["many/__init__.py"] = ""
        files["prog.py"] = "import many.m1\n"
        app = make_app("-e", "prog", sources=files)
        times = []
        for _ in range(20):
            start = time.perf_counter()
            assert run([str(app.exe)]).code == 0
            times.append(time.perf_counter() - start)
        return min(times)

    assert best(5000) < best(50) * 1.25
