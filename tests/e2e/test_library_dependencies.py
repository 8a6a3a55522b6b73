# SPDX-License-Identifier: Apache-2.0
"""Shared objects in the heap snapshot that need others, are written in C++, or
have constructors that must run in each process."""

from __future__ import annotations

import re
import shutil
import subprocess
import sysconfig
import zipfile
from pathlib import Path
from textwrap import dedent
from typing import Callable, Dict

import pytest
from conftest import BUILD, PACK, run
from own_library import MODULE, both
from sides import VERSION

INCLUDE = BUILD / f"dist/{VERSION}/python/install/include/python{VERSION}"
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")
RUN_PATH = "-Wl,-rpath,$ORIGIN/own.libs"


def build(folder: Path, name: str, text: str, *options: str) -> Path:
    """A shared object of C++, with the SONAME `name`."""
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("no C++ compiler")
    source = folder / f"{name}.cc"
    source.write_text(text)
    out = folder / name
    command = [compiler, "-shared", "-fPIC", "-O1", f"-I{INCLUDE}", source,
               "-o", out, f"-Wl,-soname,{name}", RUN_PATH, *options]  # fmt: skip
    subprocess.run(command, check=True, cwd=folder)
    return out


def module_text(own: str) -> str:
    """C++ of the module `own`."""
    before, after = MODULE.split("%s")
    return f'extern "C" {{\n{before}}}\n{own}{after}'


@pytest.fixture
def pack(make_pex: Callable[..., Path], tmp_path: Path) -> Callable[..., Path]:
    """pack(user, own, {name: text of a library that it needs})."""

    def make(user: str, own: str, needed: Dict[str, str], *options: str) -> Path:
        made = make_pex("-e", "user:main", sources={"user.py": dedent(user)})
        pex = tmp_path / "own.pex"
        shutil.copy(made, pex)
        libraries = []
        for name, text in needed.items():
            libraries.append(build(tmp_path, name, dedent(text), *libraries))
        text = module_text(dedent(own))
        module = build(tmp_path, f"own{SUFFIX}", text, *libraries[::-1], *options)
        with zipfile.ZipFile(pex, "a") as archive:
            archive.write(module, module.name)
            for library in libraries:
                archive.write(library, f"own.libs/{library.name}")
        exe = tmp_path / "own"
        report = run([PACK, "-v", pex, "-o", exe])
        assert report.code == 0, report.err.decode()
        assert b"shared object" not in report.err, report.err.decode()
        assert b"not in the snapshot: own" not in report.err, report.err.decode()
        return exe

    return make


def test_needed_libraries(pack: Callable[..., Path]) -> None:
    """One is needed by two, data and functions go between them, and dlsym()
    on the module's handle finds theirs."""
    needed = {
        "libbase.so.1": """
            extern "C" { int counter = 40; int *where() { return &counter; }
            int twice(int x) { return 2 * x; } }
        """,
        "libmiddle.so": """
            extern "C" { extern int counter; int *where(); int twice(int);
            int middle() { counter++; return twice(*where()); } }
        """,
    }
    own = """
        extern "C" { extern int counter; int *where(); int middle(); }
        static PyObject *facts(PyObject *, PyObject *)
        {
            int result = middle();
            return Py_BuildValue("iii", result, counter, &counter == where());
        }
        static PyMethodDef methods[] = {{"facts", facts, METH_NOARGS, NULL}, {0}};
        static int start(PyObject *) { counter++; return 0; }
    """
    user = """
        import own
        def main():
            import ctypes
            print(own.facts(), own.facts())
            library = ctypes.PyDLL(own.__file__)
            print(library.twice(4), ctypes.c_int.in_dll(library, "counter").value)
    """
    restored, booted = both(pack(user, own, needed))
    assert restored == booted == "(84, 42, 1) (86, 43, 1)\n8 43\n"


def test_a_library_is_not_in_the_process_twice(
    make_pex: Callable[..., Path], tmp_path: Path
) -> None:
    """What is imported later needs it too, and ld.so knows nothing of the one
    that a snapshot has."""
    user = "import own\ndef main():\n    print(end='')\n    import late\n    print(own.bump(), late.bump())\n"
    pex = tmp_path / "own.pex"
    shutil.copy(make_pex("-e", "user:main", sources={"user.py": user}), pex)
    count = 'extern "C" int bump_it() { static int n; return ++n; }'
    shared = build(tmp_path, "libshared.so.1", count)
    text = module_text(
        'extern "C" int bump_it();\n'
        "static PyObject *bump(PyObject *, PyObject *) { return PyLong_FromLong(bump_it()); }\n"
        'static PyMethodDef methods[] = {{"bump", bump, METH_NOARGS, NULL}, {0}};\n'
        "static int start(PyObject *) { bump_it(); return 0; }\n"
    )
    with zipfile.ZipFile(pex, "a") as archive:
        archive.write(shared, f"own.libs/{shared.name}")
        for name in "own", "late":
            source = text.replace('"own"', f'"{name}"').replace("PyInit_own", f"PyInit_{name}")
            archive.write(build(tmp_path, f"{name}{SUFFIX}", source, shared), f"{name}{SUFFIX}")
    report = run([PACK, "-v", pex, "-o", tmp_path / "own"])
    assert b"not in the snapshot: own" in report.err, report.err.decode()
    assert b"libshared.so.1 as well" in report.err, report.err.decode()
    restored, booted = both(tmp_path / "own")
    assert restored == booted == "3 4\n"


def test_who_needs_a_library_of_the_system_is_suspected_first(
    make_pex: Callable[..., Path], tmp_path: Path
) -> None:
    """It keeps an address of that, which is another one in each process."""
    user = "import threading, own, other\ndef main(): print(own.__name__, other.__name__)\n"
    pex = tmp_path / "own.pex"
    shutil.copy(make_pex("-e", "user:main", sources={"user.py": user, "other.py": ""}), pex)
    text = module_text(
        'extern "C" char ffi_type_sint32[];\n'
        "static PyMethodDef methods[] = {{0}};\n"
        'static int start(PyObject *m) { return PyModule_AddObject(m, "x",'
        ' PyCapsule_New(ffi_type_sint32, "x", NULL)); }\n'
    )
    with zipfile.ZipFile(pex, "a") as archive:
        archive.write(build(tmp_path, f"own{SUFFIX}", text, "-lffi"), f"own{SUFFIX}")
    report = run([PACK, "-v", pex, "-o", tmp_path / "own"])
    left = re.findall(r"not in the snapshot: (\S+): (.*)", report.err.decode())
    assert [name for name, _ in left] == ["user", "own"], left
    assert "two of them differ at address" in left[1][1]
    restored, booted = both(tmp_path / "own")
    assert restored == booted == "own other\n"


REMADE = """
    #include <pthread.h>
    #include <unistd.h>
    static int made_by, changed = 1, *block, asked, answered;
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
    static void *serve(void *)
    {
        pthread_mutex_lock(&lock);
        for (;;) {
            while (asked == answered) pthread_cond_wait(&wake, &lock);
            answered = asked;
            pthread_cond_broadcast(&wake);
        }
    }
    __attribute__((constructor)) static void begin()
    {
        pthread_t thread;
        made_by = getpid();
        block = new int[1000]();
        pthread_create(&thread, nullptr, serve, nullptr);
    }
    extern "C" {
    int pid_of_constructor() { return made_by; }
    int change() { return ++changed; }
    int *memory() { return block; }
    int ask()
    {
        pthread_mutex_lock(&lock);
        asked++;
        pthread_cond_broadcast(&wake);
        while (asked != answered) pthread_cond_wait(&wake, &lock);
        pthread_mutex_unlock(&lock);
        return answered;
    }
    }
"""

USES_REMADE = """
    extern "C" { int pid_of_constructor(); int change(); int ask(); int *memory(); }
    static PyObject *facts(PyObject *, PyObject *)
    {
        int *block = memory();
        return Py_BuildValue("iiii", pid_of_constructor() == getpid(), change(),
                             ask(), ++block[7]);
    }
    static PyMethodDef methods[] = {{"facts", facts, METH_NOARGS, NULL}, {0}};
"""


def test_constructors_run_in_each_process(pack: Callable[..., Path]) -> None:
    """A thread, memory and the number of the process are each one's own; what
    the imports have changed is kept."""
    user = "import own\ndef main():\n    print(own.facts(), own.facts())\n"
    start = "static int start(PyObject *) { change(); change(); return 0; }"
    exe = pack(user, USES_REMADE + start, {"libremade.so": REMADE}, "-pthread")
    restored, booted = both(exe)
    assert restored == booted == "(1, 4, 1, 1) (1, 5, 2, 2)\n"


def test_streams_of_constructors_that_run_in_each_process(
    pack: Callable[..., Path],
) -> None:
    """They ask for the C++ library's, as DuckDB's do."""
    user = "import own\ndef main():\n    print(own.facts(), flush=True)\n    own.say()\n"
    own = """
        extern "C" void say();
        static PyObject *say_it(PyObject *, PyObject *) { say(); Py_RETURN_NONE; }
    """ + USES_REMADE.replace("{{", '{{"say", say_it, METH_NOARGS, NULL}, {')
    start = "static int start(PyObject *) { return 0; }"
    library = "#include <iostream>\n" + REMADE + """
    static const int length = (std::cerr.width(0), 4);
    extern "C" void say() { std::cout << "said " << length << std::endl; }
    """
    exe = pack(user, own + start, {"libremade.so": library}, "-pthread")
    restored, booted = both(exe)
    assert restored == booted == "(1, 2, 1, 1)\nsaid 4\n"


def test_what_constructors_made_is_changed(
    make_pex: Callable[..., Path], tmp_path: Path
) -> None:
    """By an import: it would be lost, so the module is left out."""
    made = make_pex(
        "-e", "user:main",
        sources={"user.py": "import own\ndef main():\n    print(own.facts())\n"},
    )  # fmt: skip
    pex = tmp_path / "own.pex"
    shutil.copy(made, pex)
    library = build(tmp_path, "libremade.so", REMADE)
    own = USES_REMADE + "static int start(PyObject *) { memory()[7] = 5; return 0; }"
    module = build(tmp_path, f"own{SUFFIX}", module_text(own), library)
    with zipfile.ZipFile(pex, "a") as archive:
        archive.write(module, module.name)
        archive.write(library, "own.libs/libremade.so")
    report = run([PACK, "-v", pex, "-o", tmp_path / "own"])
    assert b"not in the snapshot: own: " in report.err
    assert b"goes on with what its constructors have made" in report.err
    restored, booted = both(tmp_path / "own")
    assert restored == booted == "(1, 2, 1, 6)\n"


def test_cxx(pack: Callable[..., Path]) -> None:
    """Exceptions, their types, streams, containers, std::call_once, objects
    that end at exit and with their thread."""
    own = """
        #include <iostream>
        #include <map>
        #include <mutex>
        #include <sstream>
        #include <stdexcept>
        #include <string>
        #include <vector>
        struct Last {
            ~Last() { std::cout << "last " << std::string(40, 'x') << std::endl; }
        };
        struct Own : std::runtime_error {
            int value;
            Own(int v) : std::runtime_error("own"), value(v) {}
        };
        static Last last;
        static std::map<std::string, std::vector<int>> table
            = {{"a long name that is no small string", {1, 2, 3}}};
        static std::once_flag once;
        static int counted;
        struct PerThread {
            int value = 3;
            ~PerThread() { counted += value; }
        };
        static thread_local PerThread per_thread;
        static void thrower(int what)
        {
            if (what == 0) throw Own(7);
            if (what == 1) throw std::out_of_range("range");
            if (what == 2) std::vector<int>().at(3);
            if (what == 3) throw std::bad_alloc();
        }
        static PyObject *caught(PyObject *, PyObject *arg)
        {
            try { thrower((int)PyLong_AsLong(arg)); }
            catch (const Own &e) { return PyLong_FromLong(e.value); }
            catch (const std::logic_error &e) { return PyUnicode_FromString("logic"); }
            catch (const std::exception &e) { return PyUnicode_FromString(e.what()); }
            return PyLong_FromLong(-1);
        }
        static PyObject *facts(PyObject *, PyObject *)
        {
            std::ostringstream text;
            std::call_once(once, [] { counted++; });
            table["another name, as long as that"].push_back(4);
            for (auto &item : table) text << item.first << item.second.size() << 1.5;
            return Py_BuildValue("sii", text.str().c_str(), counted,
                                 per_thread.value++);
        }
        static PyMethodDef methods[] = {{"facts", facts, METH_NOARGS, NULL},
                                        {"caught", caught, METH_O, NULL}, {0}};
        static int start(PyObject *)
        {
            table["first"] = std::vector<int>(5);
            try { thrower(0); } catch (const std::exception &) {}
            return 0;
        }
    """
    user = """
        import own
        def main():
            import threading, time
            print([own.caught(i) for i in range(5)], own.facts(), flush=True)
            for _ in range(2):
                thread = threading.Thread(target=lambda: print(own.facts(), flush=True))
                thread.start()
                thread.join()
                time.sleep(0.2)  # its objects end behind what join() waits for
            print(own.facts(), flush=True)
    """
    restored, booted = both(pack(user, own, {}))
    assert restored == booted
    assert "[7, 'logic', 'logic', 'std::bad_alloc', -1]" in restored
    assert restored.endswith("last " + 40 * "x" + "\n")


def test_much_thread_local_data(pack: Callable[..., Path]) -> None:
    """More than each thread has from its start: the main thread's is stored,
    others begin with what the file says."""
    own = """
        #include <string.h>
        static thread_local int numbers[50000] = {1, 2, 3};
        static PyObject *facts(PyObject *, PyObject *)
        {
            numbers[0]++;
            numbers[49999]++;
            return Py_BuildValue("iii", numbers[0], numbers[2], numbers[49999]);
        }
        static PyMethodDef methods[] = {{"facts", facts, METH_NOARGS, NULL}, {0}};
        static int start(PyObject *) { numbers[0] = 10; numbers[49999] = 5; return 0; }
    """
    user = """
        import own
        def main():
            import os, threading
            print(own.facts(), own.facts(), flush=True)
            for _ in range(3):
                thread = threading.Thread(target=lambda: print(own.facts(), flush=True))
                thread.start()
                thread.join()
            if os.fork() == 0:
                print(own.facts(), flush=True)
                os._exit(0)
            os.wait()
    """
    restored, booted = both(pack(user, own, {}))
    assert restored == booted
    assert restored.splitlines()[:2] == ["(11, 3, 6) (12, 3, 7)", "(2, 3, 1)"]


def test_kernel_and_ctypes(make_app: Callable[..., object]) -> None:
    """os.uname() and ctypes keep no module out; what they say is this
    process's."""
    source = """
        import ctypes, os
        def of_machine():
            system, _, _, _, machine = os.uname()
            return system, machine
        system, machine = of_machine()
        is_new = tuple(map(int, os.uname().release.split(".")[:2])) > (2, 6)
        def main():
            import sys
            print(system, machine, is_new, os.uname().release, os.uname().nodename)
            kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)
            print(kind(lambda x: x + 1)(4), ctypes.pythonapi.Py_IsInitialized())
            print(ctypes.CDLL(None).abs(-3), ctypes.string_at(b"text"))
            print("is_new" in globals(), bool(ctypes.pythonapi._handle))
    """
    app = make_app("-e", "facts:main", sources={"facts.py": dedent(source)})
    report = run([PACK, "-v", app.pex, "-o", app.exe])  # type: ignore[attr-defined]
    assert b"not in the snapshot" not in report.err, report.err.decode()
    restored, booted = both(app.exe)  # type: ignore[attr-defined]
    assert restored == booted
    assert restored.endswith("True True\n")


def test_kernel_is_kept(make_pex: Callable[..., Path], tmp_path: Path) -> None:
    """The version itself cannot be in a snapshot."""
    source = "import os\nrelease = os.uname().release\ndef main():\n    print(release)\n"
    pex = make_pex("-e", "facts:main", sources={"facts.py": source})
    run([PACK, "-v", pex, "-o", tmp_path / "facts"])
    restored, booted = both_ways(tmp_path / "facts")
    assert restored == booted


def both_ways(exe: Path) -> list[bytes]:
    env = {"LANG": "C.UTF-8", "HOME": str(exe.parent)}
    return [run([exe], env={**env, "PEXCZ_SNAPSHOT": v}).out for v in ("1", "0")]

