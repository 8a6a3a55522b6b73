# SPDX-License-Identifier: Apache-2.0
"""Shared objects of wheels in the heap snapshot."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sysconfig
import zipfile
from pathlib import Path
from textwrap import dedent
from typing import Callable, Dict, List, Tuple

import pytest
from conftest import App, Sides, run
from library_apps import APPS, recipe
from own_library import START, both, compile_c

@pytest.fixture(scope="session")
def library_app(make_app: Callable[..., App]) -> Callable[[str], App]:
    def make(name: str) -> App:
        arguments, sources = recipe(name)
        return make_app(*arguments, sources=sources)

    return make


EXPLAIN = {"PEXCZ_SNAPSHOT": "explain"}


@pytest.fixture
def start_env() -> Dict[str, str]:
    """The tests say themselves what is restored, and what is booted."""
    return {}


@pytest.mark.parametrize("name", APPS)
def test_restored_as_imported(
    library_app: Callable[[str], App], sides: Sides, name: str
) -> None:
    """From the snapshot, from an ordinary boot and from the PEX: the same."""
    app = library_app(name)
    sides.expect_manylinux()
    restored = sides.compare(app, env=EXPLAIN)
    booted = sides.packed.run(env={"PEXCZ_SNAPSHOT": "0"})
    assert restored.code == 0 and booted.code == 0, booted.err.decode()
    assert (restored.out, restored.err) == (booted.out, booted.err)


@pytest.mark.parametrize("name", APPS)
def test_no_library_is_left_out(library_app: Callable[[str], App], name: str) -> None:
    report = library_app(name).report
    assert b"shared object" not in report, report.decode()


@pytest.mark.parametrize(
    "mask", ["-AVX2,-AVX2_Usable", "-AVX,-AVX2,-SSE4_2,-SSSE3,-BMI2,-ERMS,-FSRM"]
)
def test_other_functions_of_libc(
    library_app: Callable[[str], App], sides: Sides, mask: str
) -> None:
    """No word of the image depends on what libc chose on this processor."""
    sides.expect_manylinux()
    sides.install(library_app("data"))
    want = sides.packed.run(env=EXPLAIN)
    tunables = {**EXPLAIN, "GLIBC_TUNABLES": f"glibc.cpu.hwcaps={mask}"}
    got = sides.packed.run(env=tunables)
    assert (got.out, got.err, got.code) == (want.out, want.err, 0)


def test_no_cache_is_written(library_app: Callable[[str], App], sides: Sides) -> None:
    sides.install(library_app("data"))
    got = sides.packed.run(env=EXPLAIN)
    assert (got.code, got.err) == (0, b"")
    assert os.listdir(sides.packed.folder / "home") == []


@pytest.mark.parametrize(
    "variable",
    ["OPENBLAS_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=8", "OMP_NUM_THREADS=3",
     "OPENBLAS_CORETYPE=Prescott", "OPENBLAS_CORETYPE=Haswell"],
)  # fmt: skip
def test_as_many_threads_as_asked_for(
    library_app: Callable[[str], App], sides: Sides, variable: str
) -> None:
    """What OpenBLAS reads when it is loaded is read in each process."""
    sides.expect_manylinux()
    sides.install(library_app("numbers"))
    name, _, value = variable.partition("=")
    restored = sides.packed.run(env={name: value, **EXPLAIN})
    booted = sides.packed.run(env={name: value, "PEXCZ_SNAPSHOT": "0"})
    assert (restored.err, restored.code) == (b"", 0)
    assert restored.out == booted.out


def test_keys_are_new(library_app: Callable[[str], App], sides: Sides) -> None:
    """What makes secrets draws entropy of its own in each process."""
    sides.expect_manylinux()
    sides.install(library_app("models"))
    runs = [sides.packed.run("keys", env=EXPLAIN) for _ in range(3)]
    assert [run.err for run in runs] == [b""] * 3
    keys = [key for run in runs for key in run.text.split()]
    assert len(keys) == len(set(keys)) == 3 * 3 * 2


@pytest.mark.parametrize("limit", [120 << 20, 400 << 20, 4 << 30])
def test_little_address_space(library_app: Callable[[str], App], limit: int) -> None:
    """With `ulimit -v` it may boot ordinarily; it does not crash."""
    exe = library_app("models").exe
    done = [
        run(
            ["prlimit", f"--as={limit}", exe],
            env={"LANG": "C.UTF-8", "HOME": "/nowhere", "PEXCZ_SNAPSHOT": value},
        )
        for value in ("1", "0")
    ]
    # Too little for any Python is a fatal error of its own.
    assert done[0].code >= 0 or done[0].code == done[1].code
    if done[1].code == 0:
        assert (done[0].code, done[0].out) == (0, done[1].out)


def test_addresses_are_taken(
    library_app: Callable[[str], App], tmp_path: Path
) -> None:
    """Whoever comes first has them; then the boot is ordinary."""
    compile_c(
        tmp_path,
        """\
        #include <sys/mman.h>
        __attribute__((constructor)) static void take(void)
        {
            (void)!mmap((void *)0x2000001000, 4096, PROT_READ,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        }
        """,
    )
    exe = library_app("models").exe
    env = {"LANG": "C.UTF-8", "HOME": "/nowhere", **EXPLAIN}
    want = run([exe], env=env)
    got = run([exe], env={**env, "LD_PRELOAD": str(tmp_path / "object.so")})
    assert b"ordinary boot: the addresses of the libraries are taken" in got.err
    assert (got.code, got.out) == (0, want.out)


# --- libraries of our own -----------------------------------------------------

# What a module does when it is imported, and what the report says.
IMPURE = {
    "clock": ("{ return PyModule_AddIntConstant(m, \"x\", time(NULL)); }", "time"),
    "process": ("{ return PyModule_AddIntConstant(m, \"x\", getpid()); }", "getpid"),
    "thread": ("{ pthread_t t; return pthread_create(&t, NULL, (void *(*)(void *))"
               "abs, NULL); }", "pthread_create"),
    "file": ("{ return PyModule_AddIntConstant(m, \"x\", fopen(\"/etc/passwd\", \"r\")"
             " == NULL); }", "fopen"),
    "alone": ("{ int p; Py_BEGIN_ALLOW_THREADS p = getpid(); Py_END_ALLOW_THREADS"
              " return PyModule_AddIntConstant(m, \"x\", p); }", "getpid"),
    "processors": ("{ return PyModule_AddIntConstant(m, \"x\","
                   " sysconf(_SC_NPROCESSORS_ONLN)); }", "sysconf"),
}  # fmt: skip

START_PURE = "{ return PyModule_AddIntConstant(m, \"x\", big[0]); }"


@pytest.mark.parametrize("name", IMPURE)
def test_impure_library_is_left_out(
    pack_own: Callable[..., Path], tmp_path: Path, name: str
) -> None:
    text, function = IMPURE[name]
    exe = pack_own(START + text)
    report = (tmp_path / "report").read_text()
    assert f"not in the snapshot: own: calls {function}() in a shared object" in report
    assert "not in the snapshot: other" not in report
    restored, booted = both(exe, "a")
    assert restored == booted


def test_library_without_use_is_compressed(
    pack_own: Callable[..., Path], tmp_path: Path
) -> None:
    """One is stored as it is only where the snapshot has it."""
    big = "const char big[24 << 20] = {1};\n"
    text, function = IMPURE["clock"]
    sizes = []
    for name, body in ("impure", text), ("pure", START_PURE):
        exe = pack_own(big + START + body)
        report = (tmp_path / "report").read_text()
        line = f"not in the snapshot: own: calls {function}() in a shared object\n"
        assert (line in report) == (name == "impure"), report
        restored, booted = both(exe, "a")
        assert restored == booted
        sizes.append(exe.stat().st_size)
    assert sizes[1] - sizes[0] > 20 << 20


def test_library_that_ends_the_imports(
    pack_own: Callable[..., Path], tmp_path: Path
) -> None:
    """One that works only where ld.so puts it is left out, and it alone."""
    exe = pack_own(
        START + "{ if ((size_t)&start >> 32 == 0x20) abort();"
        " return PyModule_AddIntConstant(m, \"x\", 1); }"
    )
    report = (tmp_path / "report").read_text()
    assert re.search(
        r"not in the snapshot: own: the shared object /proc/pexcz/lib/\S+/own\S+ "
        r"ends the imports by signal 6\n", report
    )
    assert "not in the snapshot: other" not in report
    restored, booted = both(exe, "a")
    assert restored == booted


def test_what_a_library_keeps_of_the_process(
    pack_own: Callable[..., Path], tmp_path: Path
) -> None:
    """An address of libc in its data: seen, named, and left out."""
    exe = pack_own(
        START + "{ static void *kept; kept = (void *)stdin; kept = (void *)"
        "gmtime_r; kept = __builtin_return_address(0) ? (void *)environ : 0;"
        " return PyModule_AddIntConstant(m, \"kept\", kept != 0); }",
        "-O0",
    )
    report = (tmp_path / "report").read_text()
    assert re.search(
        r"not in the snapshot: own: two of them differ at address 0x[0-9a-f]+, in "
        r"/proc/pexcz/lib/\S+/own\S+: 0x[0-9a-f]+ and 0x[0-9a-f]+\n", report
    )
    assert "not in the snapshot: other" not in report
    restored, booted = both(exe, "a")
    assert restored == booted


def test_remnants_of_frames(pack_own: Callable[..., Path], tmp_path: Path) -> None:
    """What is left of addresses on the stack, in words and across them, means nothing."""
    exe = pack_own(
        START + "{ char *kept = malloc(64), *address = (char *)&kept;"
        " memset(kept, 0, 64); memcpy(kept + 8, &address, 8);"
        " for (int i = 0; i < 4; i++) memcpy(kept + 16 + 9 * i, &address, 8);"
        " return PyModule_AddObject(m, \"x\", PyBytes_FromStringAndSize(kept, 0)); }"
    )
    assert "not in the snapshot" not in (tmp_path / "report").read_text()
    restored, booted = both(exe, "a")
    assert restored == booted


# Words with the upper half of an address that a stack may have while packing.
LIKE_ADDRESSES = """\
    import array
    import markupsafe

    START, WORDS, STEP = {range}
    words = array.array("Q", range(START, START + WORDS * STEP, STEP))
    # The 48th key lies in a table between nothing and the first key.
    keys = [59, *range(256, 256 + 46), 58, *range(256 + 60, 256 + 120)]
    table = dict.fromkeys(keys)

    def main():
        same = words.tolist() == [*range(START, START + WORDS * STEP, STEP)]
        print(same and all(key in table for key in keys), markupsafe.escape("<"))
    """


@pytest.mark.parametrize(
    ("words", "differ"),
    [
        ((0x2F_F000_0000, 256, 1 << 20), False),
        ((0x5BE7_D800_0000, 64, 1 << 20), True),
        ((0x5BE7_DC00_0000, 64, 1 << 20), True),
    ],
)
def test_data_like_addresses(
    make_app: Callable[..., App], words: Tuple[int, int, int], differ: bool
) -> None:
    """Remnants of dead frames are cleared in the snapshot, data is not: where one
    process takes it for a remnant, the other one does not."""
    text = dedent(LIKE_ADDRESSES).format(range=words)
    app = make_app("markupsafe==3.0.4", "-e", "like:main", sources={"like.py": text})
    assert (b"two of them differ at address" in app.report) == differ
    done = run([app.exe], env=EXPLAIN)
    assert (done.code, done.out, done.err) == (0, b"True &lt;\n", b"")


def test_all_that_a_library_can_have(
    pack_own: Callable[..., Path], tmp_path: Path
) -> None:
    """Thread-local data, constructors, main()'s arguments, functions of libc
    by pointer and by old version, its variables, keys, errno, big .bss."""
    text = """
    static __thread int zero;
    static __thread int seven = 7;
    static int argument_count;
    static char **arguments;
    static double (*functions[])(double) = {sin, cos, exp, floor};
    static FILE **streams[] = {&stdout, &stderr};
    static char large[1 << 20];
    static pthread_key_t key;
    static void *block;
    __attribute__((constructor)) static void construct(int argc, char **argv, char **e)
    {
        (void)e;
        argument_count = argc;
        arguments = argv;
        large[12345] = 1;
    }
    static void forget(void *value) { free(value); }
    static PyObject *facts(PyObject *self, PyObject *unused)
    {
        double sum = 0;
        for (int i = 0; i < 4; i++) sum += functions[i](1.5);
        zero++;
        seven++;
        errno = 0;
        strtol("99999999999999999999", NULL, 10);
        if (pthread_getspecific(key) == NULL) pthread_setspecific(key, malloc(8));
        return Py_BuildValue("diiiisisi", sum, zero, seven, argument_count > 0,
            strcmp(arguments[argument_count - 1], "last") == 0, (char *)block,
            *streams[0] == stdout && *streams[1] == stderr,
            errno == ERANGE ? "ERANGE" : "", large[12345] + large[99999]);
    }
    static PyMethodDef methods[] = {{"facts", facts, METH_NOARGS, NULL}, {0}};
    static int start(PyObject *m)
    {
        (void)m;
        block = strdup("kept");
        block = realloc(block, 200);
        seven++;
        return pthread_key_create(&key, forget);
    }
    """
    user = """\
    import own
    def main():
        import ctypes, os, threading
        print(own.facts(), own.facts(), flush=True)
        thread = threading.Thread(target=lambda: print(own.facts(), flush=True))
        thread.start()
        thread.join()
        if os.fork() == 0:
            print(own.facts(), flush=True)
            os._exit(0)
        os.wait()
        library = ctypes.PyDLL(own.__file__)
        print(library._handle == ctypes.PyDLL(own.__file__)._handle)
        address = ctypes.cast(library.PyInit_own, ctypes.c_void_p).value
        class Info(ctypes.Structure):
            _fields_ = [("file", ctypes.c_char_p), ("base", ctypes.c_void_p),
                        ("name", ctypes.c_char_p), ("address", ctypes.c_void_p)]
        info = Info()
        dladdr = ctypes.CDLL(None).dladdr
        print(dladdr(ctypes.c_void_p(address), ctypes.byref(info)), info.name,
              info.address == address, info.base < address,
              os.path.basename(info.file))
        try:
            library.no_such_function
        except AttributeError as error:
            print(str(error).rpartition(": ")[2])
    """
    exe = pack_own(text, "-lm", user=dedent(user))
    assert "not in the snapshot: own" not in (tmp_path / "report").read_text()
    restored, booted = both(exe, "a", "last")
    assert restored == booted
    assert "'kept', 1, 'ERANGE', 1" in restored


@pytest.mark.parametrize("size", [16, 4000])
def test_addresses_in_thread_local_data(
    pack_own: Callable[..., Path], tmp_path: Path, size: int
) -> None:
    """What a thread's data begins with is relocated, too."""
    text = """
    static int target = 5;
    static __thread struct { int *pointer; char more[%d]; } data = {&target, "x"};
    static PyObject *look(PyObject *self, PyObject *unused)
    {
        return PyLong_FromLong(*data.pointer + data.more[0]);
    }
    static PyMethodDef methods[] = {{"look", look, METH_NOARGS, NULL}, {0}};
    static int start(PyObject *m)
    {
        return PyModule_AddIntConstant(m, "x", *data.pointer);
    }
    """
    user = """\
    import own, threading
    def main():
        print(own.look(), flush=True)
        thread = threading.Thread(target=lambda: print(own.look()))
        thread.start()
        thread.join()
    """
    exe = pack_own(text % size, user=dedent(user))
    assert "not in the snapshot: own" not in (tmp_path / "report").read_text()
    assert both(exe) == [f"{5 + ord('x')}\n" * 2] * 2


def test_unwinding_through_a_library(
    pack_own: Callable[..., Path], tmp_path: Path
) -> None:
    """_Unwind_Backtrace() walks over frames of a library of the snapshot."""
    text = """
    #include <unwind.h>
    static _Unwind_Reason_Code visit(struct _Unwind_Context *context, void *arg)
    {
        (void)context;
        ++*(int *)arg;
        return _URC_NO_REASON;
    }
    static PyObject *depth(PyObject *self, PyObject *unused)
    {
        int frames = 0;
        _Unwind_Backtrace(visit, &frames);
        return PyLong_FromLong(frames > 5);
    }
    static PyMethodDef methods[] = {{"depth", depth, METH_NOARGS, NULL}, {0}};
    static int start(PyObject *m) { (void)m; return 0; }
    """
    user = "import own\ndef main():\n    print(own.depth())\n"
    exe = pack_own(text, "-shared-libgcc", "-lgcc_s", user=user)
    assert "not in the snapshot: own" not in (tmp_path / "report").read_text()
    assert both(exe) == ["1\n", "1\n"]


def test_thread_local_data_that_points_at_itself(
    pack_own: Callable[..., Path], tmp_path: Path
) -> None:
    """As that of a thread's std::unordered_map does, whose place differs from one
    process to the next."""
    text = """
    static __thread struct node { struct node *next, *self; long value; } ring[3];
    static __thread struct node *first;
    static PyObject *walk(PyObject *self, PyObject *unused)
    {
        (void)self; (void)unused;
        if (first == NULL) return PyLong_FromLong(-1);
        long sum = 0, steps = 0;
        struct node *node = first;
        do {
            if (node->self != node) return PyLong_FromLong(-2);
            sum += node->value;
            node = node->next;
        } while (node != first && ++steps < 9);
        first = node->next;
        return PyLong_FromLong(sum * 10 + (first == &ring[1]));
    }
    static PyMethodDef methods[] = {{"walk", walk, METH_NOARGS, NULL}, {0}};
    static int start(PyObject *m)
    {
        (void)m;
        for (int i = 0; i < 3; i++)
            ring[i] = (struct node){&ring[(i + 1) % 3], &ring[i], i + 1};
        first = ring;
        return 0;
    }
    """
    user = """\
    import own
    def main():
        import os, threading
        print(own.walk(), own.walk(), flush=True)
        thread = threading.Thread(target=lambda: print(own.walk(), flush=True))
        thread.start()
        thread.join()
        if os.fork() == 0:
            print(own.walk(), flush=True)
            os._exit(0)
        os.wait()
    """
    exe = pack_own(text, user=dedent(user))
    assert "not in the snapshot: own" not in (tmp_path / "report").read_text()
    restored, booted = both(exe, "a")
    assert restored == booted
    assert restored.startswith("61 60\n-1\n"), restored
