# SPDX-License-Identifier: Apache-2.0
"""What a packed executable touches outside itself, and the base alone."""

from __future__ import annotations

import resource
from pathlib import Path

from conftest import BASE
from sides import VERSION, run

BUILT_IN_EXTENSIONS = (
    "ssl hashlib sqlite3 ctypes lzma bz2 zlib readline curses decimal "
    "uuid pyexpat multiprocessing _ssl _bz2 select mmap fcntl"
).split()


def test_nothing_but_the_executable_is_touched(make_app, tmp_path: Path) -> None:
    app = make_app("cowsay==6.1", "-c", "cowsay")
    log = tmp_path / "log"
    trace = ["strace", "-f", "-o", str(log), "-e", "trace=file,process"]
    done = run([*trace, app.exe, "-t", "x"], cwd=tmp_path)
    assert done.code == 0, done.err
    calls = [line.split(" ", 1)[1] for line in log.read_text().splitlines()]
    own = (
        "/etc/ld.so", "/lib/", "/usr/lib/", "/lib64/", "/etc/localtime",
        "/proc/self/exe", "/usr/share/locale", "/dev/",
    )
    for call in calls:
        assert "/proc/pexcz" not in call, call
        assert not call.strip().startswith(("fork", "clone", "vfork")), call
        if '"/' in call and not call.strip().startswith("execve"):
            known = any(f'"{place}' in call for place in own)
            assert known or str(app.exe) in call or " = -1 " in call, call
        assert "O_CREAT" not in call, call


def test_entry_points(make_app, same) -> None:
    files = {
        "pkg/__init__.py": "def go():\n    import sys\n"
        "    print(len(sys.argv), __name__)\n    return 3\n",
        "pkg/__main__.py": "import sys\n"
        "print('main', sys.argv[1:], __name__, __package__)\n",
    }
    same(make_app("-e", "pkg", sources=files), "a", "b")
    assert same(make_app("-e", "pkg:go", sources=files), "a").code == 3


def test_base_is_an_isolated_interpreter() -> None:
    flags = "import sys; print(sys.argv, sys.flags.isolated)"
    assert run([BASE, "-c", flags, "a"]).out == b"['-c', 'a'] 1\n"
    assert run([BASE, "-V"]).out.startswith(f"Python {VERSION}.".encode())
    assert run([BASE, "-m", "json.tool", "--help"]).code == 0
    warn = "import warnings; warnings.warn('x')"
    assert run([BASE, "-W", "error", "-c", warn]).code == 1
    assert run([BASE, "-c", "import " + ", ".join(BUILT_IN_EXTENSIONS)]).err == b""


def cpu_time() -> float:
    """Of the processes that have ended, in s: other tests run beside this one."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_start_time_of_many_modules_is_that_of_few(make_app) -> None:
    apps = {}
    best = {}
    for count in 50, 5000:
        files = {f"many/m{i}.py": f"x = {i}\n" for i in range(count)}
        files["many/__init__.py"] = ""
        files["prog.py"] = "import many.m1\n"
        apps[count] = make_app("-e", "prog", sources=files)
        best[count] = float("inf")
    for _ in range(40):
        for count, app in apps.items():
            start = cpu_time()
            assert run([app.exe]).code == 0
            best[count] = min(best[count], cpu_time() - start)
    assert best[5000] < best[50] * 1.25
