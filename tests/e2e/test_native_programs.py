# SPDX-License-Identifier: Apache-2.0
"""Native code that looks for files beside itself: programs with libraries of
their own, libraries with plug-ins and data, message catalogues for libc."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Tuple

import pytest
from conftest import PACK
from sides import run
from test_shared_objects import ENV, PEX_ROOT, Makefile

PROGRAM = r"""
import ctypes, os, subprocess, sys

HERE = os.path.dirname(os.path.abspath(__file__))

def helper():
    path = os.path.join(HERE, "engine/bin/helper")
    for close in True, False:
        done = subprocess.run([path, "a"], capture_output=True, text=True,
                              close_fds=close)
        print(done.returncode, done.stdout, done.stderr)
    pid = os.posix_spawn(path, ["helper", "b"], {})
    print(os.waitpid(pid, 0)[1])
    print(subprocess.run([os.path.join(HERE, "engine/bin/plain")]).returncode)

def plugins():
    library = ctypes.CDLL(os.path.join(HERE, "engine/lib/libhost.so"))
    library.place.restype = ctypes.c_char_p
    print(os.path.relpath(os.fsdecode(library.place()), HERE))
    print(library.plugins(), library.data())

def catalogue():
    libc = ctypes.CDLL(None)
    libc.setlocale.restype = libc.gettext.restype = ctypes.c_char_p
    libc.bindtextdomain.restype = ctypes.c_char_p
    print(libc.setlocale(6, b"C.UTF-8"))
    libc.bindtextdomain(b"shop", os.fsencode(HERE) + b"/locale")
    libc.textdomain(b"shop")
    for language in "de", "fr", "xx":
        os.environ["LANGUAGE"] = language
        libc.setlocale(6, b"C")
        libc.setlocale(6, b"C.UTF-8")
        print(language, libc.gettext(b"hello"))

def main():
    sys.stdout.reconfigure(line_buffering=True)
    globals()[sys.argv[1]]()
"""

# Finds its plug-ins and its data by the place that dladdr() tells.
HOST = r"""
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static char folder[4096];

const char *place(void)
{
    Dl_info info;

    if (dladdr((void *)place, &info) == 0) {
        return "nowhere";
    }
    strcpy(folder, info.dli_fname);
    *strrchr(folder, '/') = '\0';
    return folder;
}

int plugins(void)
{
    char path[5000];
    int sum = 0;
    struct dirent *e;
    DIR *dir;

    snprintf(path, sizeof(path), "%s/../plugins", place());
    dir = opendir(path);
    while (dir != NULL && (e = readdir(dir)) != NULL) {
        void *handle;

        if (e->d_name[0] == '.') {
            continue;
        }
        snprintf(path, sizeof(path), "%s/../plugins/%s", place(), e->d_name);
        handle = dlopen(path, RTLD_NOW);
        sum += handle == NULL ? -1000
                              : ((int (*)(void))dlsym(handle, "value"))();
    }
    return sum;
}

int data(void)
{
    char path[5000];
    FILE *f;
    int n = -1;

    snprintf(path, sizeof(path), "%s/numbers", place());
    f = fopen(path, "r");
    return f != NULL && fscanf(f, "%d", &n) == 1 ? n : -2;
}
"""


def write_sources(folder: Path) -> None:
    m = Makefile(folder)
    m.make("engine/lib/libhelp.so.1", "int help(void) { return 5; }",
           soname="libhelp.so.1")
    m.make("engine/lib/libhost.so", HOST, soname="libhost.so")
    m.make("engine/plugins/one.so", "int help(void); int value(void)"
           " { return help() * 10; }", "-Wl,-rpath,$ORIGIN/../lib",
           needs=["engine/lib/libhelp.so.1"])
    m.make("engine/plugins/two.so", "int value(void) { return 2; }")
    (folder / "engine/lib/numbers").write_text("321")
    (folder / "engine/bin").mkdir()
    for name, text, *options in (
        ("helper", "#include <stdio.h>\nint help(void);\nint main(int c, char **v)"
         ' { printf("%s %d %d\\n", v[1], c, help()); return help(); }',
         "-Wl,-rpath,$ORIGIN/../lib", "-L" + str(folder / "engine/lib"),
         "-l:libhelp.so.1"),
        ("plain", "int main(void) { return 3; }"),
    ):
        source = folder / f"{name}.c"
        source.write_text(text)
        subprocess.run(["cc", source, "-o", folder / "engine/bin" / name, *options],
                       check=True)
        source.unlink()
    for language, text in ("de", "hallo"), ("fr", "bonjour"):
        catalogue = folder / f"locale/{language}/LC_MESSAGES"
        catalogue.mkdir(parents=True)
        po = f'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n' \
             f'msgid "hello"\nmsgstr "{text}"\n'
        subprocess.run(["msgfmt", "-o", catalogue / "shop.mo", "-"], check=True,
                       input=po.encode())
    (folder / "prog.py").write_text(PROGRAM)


@pytest.fixture(scope="module")
def application(tmp_path_factory, python: str) -> Tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("programs")
    source = folder / "source"
    source.mkdir()
    write_sources(source)
    pex, exe = folder / "app.pex", folder / "app"
    command = [sys.executable, "-m", "pex", "-D", source, "-e", "prog:main", "-o", pex]
    done = run(command, env={**os.environ, "PEX_ROOT": str(PEX_ROOT)})
    assert done.code == 0, done.err.decode()
    packing = run([PACK, pex, "-o", exe])
    assert packing.code == 0, packing.err.decode()
    return pex, exe


def expected(pex: Path, python: str, case: str) -> str:
    want = run([python, pex, case], env={**ENV, "PEX_ROOT": str(PEX_ROOT)})
    assert want.code == 0, want.err.decode()
    return want.text


@pytest.mark.parametrize("case", ["helper", "plugins", "catalogue"])
def test_files_beside_native_code(
    application: Tuple[Path, Path], python: str, tmp_path: Path, case: str
) -> None:
    pex, exe = application
    want = expected(pex, python, case)
    tmp_path.chmod(0o700)
    for _ in range(2):
        got = run([exe, case], env={**ENV, "HOME": str(tmp_path)})
        assert (got.code, got.text) == (0, want), got.err.decode()


def test_plugins_from_memory(
    application: Tuple[Path, Path], python: str
) -> None:
    pex, exe = application
    got = run([exe, "plugins"], env={**ENV, "HOME": "/nonexistent"})
    assert (got.code, got.text) == (0, expected(pex, python, "plugins"))


@pytest.mark.skipif(os.geteuid() != 0, reason="a pid namespace of its own")
@pytest.mark.parametrize("value", [1, 2])
def test_programs_where_memfds_are_not_executed(
    application: Tuple[Path, Path], python: str, tmp_path: Path, value: int
) -> None:
    pex, exe = application
    tmp_path.chmod(0o700)
    script = f'echo {value} > /proc/sys/vm/memfd_noexec || exit 77\nexec "$@"'
    got = run(["unshare", "--mount", "--pid", "--fork", "--mount-proc", "sh", "-c",
               script, "sh", exe, "helper"], env={**ENV, "HOME": str(tmp_path)})
    if got.code == 77:
        pytest.skip("no such setting")
    assert (got.code, got.text) == (0, expected(pex, python, "helper"))


@pytest.mark.parametrize("home", ["cache", "memory"])
def test_debugger_finds_symbols(
    application: Tuple[Path, Path], python: str, tmp_path: Path, home: str
) -> None:
    """gdb names functions of packed libraries, wherever those are."""
    pex, exe = application
    tmp_path.chmod(0o700)
    env = {**ENV, "HOME": str(tmp_path) if home == "cache" else "/nonexistent"}
    done = run(["gdb", "-q", "-batch", "-nx", "-ex", "set breakpoint pending on",
                "-ex", "set debuginfod enabled off", "-ex", "break data", "-ex", "run",
                "-ex", "backtrace 3", "--args", exe, "plugins"], env=env)
    where = "libhost.so" if home == "cache" else "/proc/"
    frame = re.search(r"^#0 .* in data \(\) from (\S+)", done.text, re.MULTILINE)
    assert frame and where in frame[1], done.text + done.err.decode()
