# SPDX-License-Identifier: Apache-2.0
"""libpexcz_runtime.a in programs: host.c, one process for each case."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Callable

import pytest
from conftest import BASE, BUILD, DIST, HERE, PREFIX, RULES, run
from pexes import NO_NETWORK, Offline, build_pex

HOST = HERE / "host.c"


@pytest.fixture(scope="session")
def host(compile_c) -> Path:
    return compile_c("host", [HOST])


@pytest.fixture(scope="session")
def plugin(compile_c) -> Path:
    """The same as a shared object, which a program without Python loads."""
    return compile_c("host.so", [HOST], "-shared", "-fPIC", "-Dmain=plugin_main")


@pytest.fixture(scope="session")
def loader(compile_c) -> Path:
    return compile_c("loader", [HERE / "loader.c"])


@pytest.fixture(scope="session")
def damaged(tmp_path_factory) -> Path:
    """A packed file whose application's index is damaged."""
    path = tmp_path_factory.mktemp("damaged") / "damaged"
    data = bytearray(RULES.read_bytes())
    text = run("readelf", "-SW", RULES)
    offset = int(re.search(r"\.pexcz\.app +\S+ +\S+ (\S+)", text)[1], 16)
    data[offset + 40] ^= 0xFF
    path.write_bytes(data)
    return path


def test_run(host: Path) -> None:
    """sys.argv, output in the order of the calls, exit codes."""
    out = run(host, "run", RULES, "apple=2", "melon=10")
    assert out == "apple=2: 0.80\nmelon=10: 22.50\nexit code 0, message ''\n"
    done = subprocess.run([host, "run", RULES, "apple=x"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "ValueError invalid literal for int()" in done.stderr
    assert 'prices.py", line' in done.stderr


def test_repeat(host: Path) -> None:
    assert run(host, "repeat", RULES) == "".join(f"{i} 0.8\n" for i in range(5))


def test_two_files(host: Path) -> None:
    out = run(host, "two_files", RULES, BASE)
    assert out == "True\nNone ['bin', 'lib', 'share'] 3\n0.6\n"


def test_memory(host: Path) -> None:
    assert run(host, "memory", RULES) == "1.2 ''\n"


def test_descriptor(host: Path) -> None:
    out = run(host, "fd", RULES)
    assert out.splitlines()[0] == "1.8"
    assert "not a regular file" in out


def test_values(host: Path) -> None:
    assert run(host, "values", RULES).splitlines() == [
        f"(None, True, {-(2**63)}, 0.5, 'hé', b'a\\x00b')",
        "the result is an int beyond 64 bits",
        "the result is no C value but of type list",
        "UnicodeEncodeError",
        "ModuleNotFoundError: No module named 'nowhere'",
        "'json' is not of the form module:function",
    ]


def test_errors(host: Path, damaged: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    foreign.write_bytes(Path("/bin/true").read_bytes())
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    lines = run(host, "errors", RULES, damaged, foreign, empty).splitlines()
    assert lines[0] == "argc without argv"
    assert lines[1] == "/nowhere: No such file or directory"
    assert lines[2].startswith("-5 /damaged: application: ")
    assert lines[3] == "-6 /foreign: not an executable made by pexcz"
    assert lines[4] == "-5 /empty: the file is empty"
    assert lines[5] == "memory: not an ELF executable"
    assert lines[6] == "a runtime is open already"
    assert lines[7].startswith("json.decoder.JSONDecodeError: Expecting property name")
    assert lines[8:10] == [
        "Traceback (most recent call last):",
        '  File "file.x", line 2, in <module>',
    ]


def test_resources(host: Path) -> None:
    lines = run(host, "resources", RULES).splitlines()
    assert lines == [
        '{"apple": 0.4, "pear": 0.6, "melon": 2.5}',
        "../../os.py: no such packed file",
    ]


def test_the_process_stays_as_it_is(host: Path) -> None:
    assert run(host, "process", RULES) == "KeyboardInterrupt\n"


def test_environment(host: Path) -> None:
    env = {"PYTHONHASHSEED": "0"}
    assert run(host, "environment", RULES, env=env) == f"/somewhere/python 0 {RULES}\n"


def test_threads(host: Path) -> None:
    assert run(host, "threads", RULES) == "thread done\natexit\n"


def test_subinterpreters(host: Path) -> None:
    lines = set(run(host, "subinterpreter", RULES).splitlines())
    assert len(lines) == 1
    assert re.fullmatch(r"/proc/pexcz/lib/python3\.\d+/colorsys\.py", lines.pop())


def test_python_is_initialised_already(host: Path) -> None:
    out = run(host, "initialised", RULES, DIST / "install")
    assert out == "Python is initialised already, not by pexcz_runtime\n1.8\n"


def test_another_python_by_name(host: Path, tmp_path: Path) -> None:
    source = tmp_path / "other.c"
    source.write_text("int nothing;\n")
    other = tmp_path / "libpython3.99.so"
    run("gcc", "-shared", "-fPIC", source, "-o", other)
    out = run(host, "other_python", RULES, other)
    assert out == f"another Python is in this process: {other}\n"


def test_another_python_by_symbol(loader: Path, plugin: Path, tmp_path: Path) -> None:
    """Extension modules would take its symbols, not those of the plugin."""
    source = tmp_path / "other.c"
    source.write_text('const char *Py_GetVersion(void) { return "3.99"; }\n')
    other = tmp_path / "innocent.so"
    run("gcc", "-shared", "-fPIC", source, "-o", other)
    out = run(loader, plugin, "other_python", RULES, other)
    assert out == f"another Python is in this process: {other}\n"


def test_start_fails(host: Path, tmp_path: Path) -> None:
    """Without `encodings` Python cannot start, and is not tried again."""
    version = BASE.name.removeprefix("base-")
    lib = tmp_path / f"install/lib/python{version}"
    lib.mkdir(parents=True)
    (lib / "os.py").write_text("")
    hot = tmp_path / "hot"
    hot.write_text("os\n")
    elf = BUILD / f"obj/release/base-{version}.elf"
    python = DIST / f"install/bin/python{version}"
    documents = BUILD / f"obj/release/documents-{version}"
    run(BUILD / "bin/pexcz", "base", elf, tmp_path / "install", documents, python, hot,
        tmp_path / "base")
    lines = run(host, "no_encodings", tmp_path / "base").splitlines()
    assert lines[0].startswith("Python cannot be started: ")
    assert lines[1] == "an earlier start of Python failed half-way"


# --- hosts of other kinds -----------------------------------------------------


def test_not_position_independent(compile_c) -> None:
    host = compile_c("host-exec", [HOST], "-no-pie", "-fno-pie")
    assert "EXEC" in run("readelf", "-h", host)
    assert run(host, "repeat", RULES).startswith("0 0.8\n")


def test_own_malloc(compile_c) -> None:
    host = compile_c("host-malloc", [HOST, HERE / "own_malloc.c"], "-fno-builtin")
    assert run(host, "repeat", RULES).startswith("0 0.8\n")
    assert run(host, "threads", RULES) == "thread done\natexit\n"


def test_own_openssl(compile_c) -> None:
    host = compile_c("host-openssl", [HERE / "openssl_host.c", "-lcrypto"])
    assert run(host, RULES) == "ba7816bf\nboth\n"


def test_sanitized(compile_c) -> None:
    """CPython keeps some blocks until the process ends: no leak check."""
    host = compile_c("host-asan", [HOST], "-fsanitize=address,undefined")
    env = {"ASAN_OPTIONS": "detect_leaks=0"}
    for case in ("repeat", "values", "resources", "fd"):
        run(host, case, RULES, env=env)


def test_valgrind(host: Path) -> None:
    run(*("valgrind", "-q", "--error-exitcode=9", host, "two_files", RULES, BASE))


def test_symbols() -> None:
    """Global are the two APIs, nothing else; what is missing is libc's."""
    library = PREFIX / "lib/libpexcz_runtime.a"
    symbols = re.findall(r" [A-Z] (\S+)$", run("nm", "-g", "--defined-only", library), re.M)
    assert len(symbols) > 1500
    assert not [s for s in symbols if not re.match(r"_?Py|pexcz_runtime_", s)]
    undefined = re.findall(r" U (\S+)$", run("nm", "-u", library), re.M)
    assert "malloc" in undefined
    assert not [u for u in undefined if u.startswith(("Py", "pexcz", "SSL_", "sqlite3_"))]


@pytest.fixture(scope="session")
def native_app(tmp_path_factory) -> Path:
    try:
        pex = build_pex(BUILD, ["markupsafe"], {})
    except Offline as e:
        pytest.skip(f"not cached, and no index to be reached: {e}")
    app = tmp_path_factory.mktemp("native") / "app"
    run(PREFIX / "bin/pexcz-pack", pex, "-o", app)
    return app


def test_entry_point_of_another_interpreter(host: Path, tmp_path: Path) -> None:
    """A packed executable becomes the program; a host must not."""
    script = "#!/bin/sh\necho from the shell\n"
    (tmp_path / "tool").mkdir()
    (tmp_path / "tool/setup.py").write_text(
        "from setuptools import setup\n"
        "setup(name='tool', version='1', scripts=['shell'])\n"
    )
    (tmp_path / "tool/shell").write_text(script)
    pex, app = tmp_path / "tool.pex", tmp_path / "app"
    try:
        run(BUILD / "venv/bin/python", "-m", "pex", tmp_path / "tool", "-c", "shell", "-o", pex)
    except AssertionError as e:
        if NO_NETWORK.search(str(e)) is None:
            raise
        pytest.skip(f"no index to be reached: {e}")
    run(PREFIX / "bin/pexcz-pack", pex, "-o", app)
    assert run(app) == "from the shell\n"
    done = subprocess.run([host, "run", app], capture_output=True, text=True)
    assert done.returncode == 1 and done.stdout == ""
    assert "NotImplementedError the entry point /proc/pexcz/bin/shell" in done.stderr


def test_extension_modules_of_wheels(host: Path, native_app: Path, tmp_path: Path) -> None:
    for env in ({"PEXCZ_CACHE": str(tmp_path)}, {"PEXCZ_SHARED_OBJECTS": "memory"}):
        assert run(host, "extensions", native_app, env=env) == "&lt;a&gt; True True\n"


def test_extension_modules_in_a_plugin(loader: Path, plugin: Path, native_app: Path) -> None:
    """dlopen(RTLD_LOCAL) hides CPython's API until the library shows it."""
    assert run(loader, plugin, "extensions", native_app) == "&lt;a&gt; True True\n"
    assert loader.stat().st_size < 100_000


def test_repeat_in_a_plugin(loader: Path, plugin: Path) -> None:
    assert run(loader, plugin, "repeat", RULES).startswith("0 0.8\n")
