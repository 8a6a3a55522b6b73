# SPDX-License-Identifier: Apache-2.0
"""How shared objects find each other: from the cache, memory, a folder beside
the executable, and as `python app.pex` loads them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Callable, Dict, List, Sequence

import pytest
from conftest import PACK, PEX_ROOT, PEXCZ, App, Sides
from sides import Result, run

ORIGIN = "-Wl,-rpath,$ORIGIN"
OLD = "-Wl,--disable-new-dtags"

PROGRAM = """\
import ctypes, ctypes.util, os, sys, threading

HERE = os.path.dirname(os.path.abspath(__file__))

def call(path, name):
    return getattr(ctypes.CDLL(os.path.join(HERE, path)), name)()

def main():
    for path, name in CALLS:
        try:
            print(path, name, call(path, name))
        except OSError as e:
            print(path, name, "OSError", "undefined symbol" in str(e))
    in_thread = []
    thread = threading.Thread(
        target=lambda: in_thread.append(call("tls/user.so", "count_up")))
    thread.start()
    thread.join()
    print("thread", in_thread)
    print(ctypes.util.find_library("c"), ctypes.util.find_library("answer"))
    try:
        ctypes.CDLL("libanswer.so.1")
    except OSError as e:
        print(e)
    pid = os.fork()
    if pid == 0:
        print("child", call("late.so", "late"), flush=True)
        os._exit(0)
    os.waitpid(pid, 0)
    descriptors = set(os.listdir("/proc/self/fd"))
    if "app.pex" not in os.environ["PEX"]:  # that has itself open
        assert descriptors <= set("0123"), descriptors
    print(sorted(k for k in os.environ if k.startswith(("LD_", "PEXCZ_VFS"))))
"""


class Makefile:
    """Compiles small shared objects into a source folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls: List[tuple[str, str]] = []

    def make(
        self,
        path: str,
        source: str,
        *options: str,
        soname: str = "",
        needs: Sequence[str] = (),
        call: str = "",
        compiler: str = "cc",
    ) -> None:
        out = self.folder / path
        out.parent.mkdir(parents=True, exist_ok=True)
        suffix = ".cc" if compiler == "c++" else ".c"
        text = out.with_suffix(suffix)
        text.write_text(source)
        command = [compiler, "-shared", "-fPIC", str(text), "-o", str(out)]
        if soname:
            command.append(f"-Wl,-soname,{soname}")
        for need in needs:
            where = self.folder / need
            command += [f"-L{where.parent}", f"-l:{where.name}"]
        command += ["-Wl,--no-as-needed", *options]
        subprocess.run(command, check=True)
        text.unlink()
        if call:
            self.calls.append((path, call))


def make_all(m: Makefile) -> None:
    m.make("x.libs/libanswer.so.1", "int answer(void) { return 42; }",
           soname="libanswer.so.1")
    m.make("pkg/direct.so", "int answer(void); int f(void) { return answer(); }",
           "-Wl,-rpath,$ORIGIN/../x.libs", needs=["x.libs/libanswer.so.1"], call="f")
    # A cycle, bound at once, with a pointer in data.
    half = "int {b}(void); int {a}(void) {{ return {n}; }}\n" \
           "int (*{a}_keep)(void) = {b}; int {a}_other(void) {{ return {a}_keep(); }}"
    m.make("cycle/libb.so", "int b(void) { return 2; }", soname="libb.so")
    m.make("cycle/liba.so", half.format(a="a", b="b", n=1), ORIGIN, "-Wl,-z,now",
           soname="liba.so", needs=["cycle/libb.so"], call="a_other")
    m.make("cycle/libb.so", half.format(a="b", b="a", n=2), ORIGIN, "-Wl,-z,now",
           soname="libb.so", needs=["cycle/liba.so"], call="b_other")
    # Found by the DT_RPATH of whoever loads them.
    m.make("rpath/deep/lib2.so", "int two(void) { return 2; }", soname="lib2.so")
    m.make("rpath/deep/lib1.so", "int two(void); int one(void) { return two() - 1; }",
           soname="lib1.so", needs=["rpath/deep/lib2.so"])
    m.make("rpath/top.so", "int one(void); int f(void) { return one() + 10; }", OLD,
           "-Wl,-rpath,$ORIGIN/deep", "-Wl,--allow-shlib-undefined",
           needs=["rpath/deep/lib1.so"], call="f")
    m.make("rpath/new.so", "int one(void); int f(void) { return one() + 20; }",
           "-Wl,--enable-new-dtags", "-Wl,-rpath,$ORIGIN/deep",
           "-Wl,--allow-shlib-undefined", needs=["rpath/deep/lib1.so"], call="f")
    # Needed by a name that is not its SONAME, or without any.
    m.make("alias/none.so", "int none(void) { return 5; }")
    m.make("alias/other.so", "int other(void) { return 6; }")
    m.make("alias/user.so", "int none(void), other(void);"
           " int f(void) { return none() * 10 + other(); }", ORIGIN,
           needs=["alias/none.so", "alias/other.so"], call="f")
    m.make("alias/other.so", "int other(void) { return 6; }", soname="libsomething.so")
    # Two libraries with one SONAME: glibc takes the one it has.
    for letter, value in ("p", 1), ("q", 2):
        m.make(f"twice/{letter}/libv.so.1", f"int v(void) {{ return {value}; }}",
               soname="libv.so.1")
        m.make(f"twice/{letter}.so", "int v(void); int f(void) { return v(); }",
               f"-Wl,-rpath,$ORIGIN/{letter}", needs=[f"twice/{letter}/libv.so.1"],
               call="f")
    # Opened by name from a library that has a run path, and from one without.
    m.make("plug/libplug.so", "int plug(void) { return 9; }", soname="libplug.so")
    opener = "#include <dlfcn.h>\n#include <stddef.h>\nint f(void) {" \
             ' void *h = dlopen("libplug.so", RTLD_NOW);' \
             ' return h == NULL ? -1 : ((int (*)(void))dlsym(h, "plug"))(); }'
    m.make("plug/closed.so", opener, call="f")
    m.make("plug/open.so", opener, ORIGIN, call="f")
    # Exceptions, RTTI and thread-local data across libraries.
    header = "struct Base { virtual ~Base() {} virtual int n() { return 1; } };\n" \
             "struct Error : Base { int n() override; };\n"
    m.make("cxx/libthrow.so", header + "int Error::n() { return 77; }\n"
           "void raise() { throw Error(); }", soname="libthrow.so", compiler="c++")
    m.make("cxx/catch.so", header + "void raise();\n"
           'extern "C" int f() { try { raise(); } catch (Base &b) {'
           " return dynamic_cast<Error *>(&b) ? b.n() : -1; } return -2; }",
           ORIGIN, needs=["cxx/libthrow.so"], compiler="c++", call="f")
    m.make("tls/libtls.so", "__thread int counter = 5; int up(void) { return ++counter; }",
           soname="libtls.so")
    m.make("tls/user.so", "extern __thread int counter; int up(void);"
           " int count_up(void) { up(); return counter; }", ORIGIN,
           needs=["tls/libtls.so"], call="count_up")
    m.calls.append(("tls/user.so", "count_up"))
    m.make("broken.so", "int absent(void); int (*p)(void) = absent;"
           " int f(void) { return 1; }", call="f")
    m.make("late.so", "int late(void) { return 7; }")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, python: str) -> Dict[str, App]:
    """The application packed with each place for its shared objects."""
    folder = tmp_path_factory.mktemp("shared")
    source = folder / "source"
    source.mkdir()
    makefile = Makefile(source)
    make_all(makefile)
    (source / "prog.py").write_text(PROGRAM + f"\nCALLS = {makefile.calls!r}\n")
    pex = folder / "app.pex"
    command = [sys.executable, "-m", "pex", "-D", source, "-e", "prog:main", "-o", pex]
    done = run(command, env={**os.environ, "PEX_ROOT": str(PEX_ROOT)})
    assert done.code == 0, done.err.decode()
    apps = {}
    for mode in "cache", "memory", "adjacent":
        (folder / mode).mkdir()
        exe = folder / mode / "app"
        packing = run([PACK, pex, "-o", exe, "--shared-objects", mode])
        assert packing.code == 0, packing.err.decode()
        apps[mode] = App(pex, exe, packing.err)
    return apps


@pytest.fixture(scope="session")
def expected(built: Dict[str, App], python: str) -> Callable[..., Result]:
    def expect(**env: str) -> Result:
        root = str(PEX_ROOT)
        return run([python, built["cache"].pex], env={"PEX_ROOT": root, **ENV, **env})

    return expect


ENV = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8"}


@pytest.mark.parametrize("bind", [{}, {"LD_BIND_NOW": "1"}], ids=["lazy", "now"])
@pytest.mark.parametrize("mode", ["cache", "memory", "adjacent", "no cache"])
def test_same_as_on_disk(
    built: Dict[str, App],
    expected: Callable[..., Result],
    tmp_path: Path,
    mode: str,
    bind: Dict[str, str],
) -> None:
    app = built.get(mode, built["cache"])
    want = expected(**bind)
    assert want.code == 0 and b"child 7" in want.out, want.err.decode()
    home = tmp_path / "home"
    env = {**ENV, **bind, "HOME": "/nonexistent" if mode == "no cache" else str(home)}
    home.mkdir(mode=0o700)
    for _ in range(2):
        got = run([app.exe], env=env)
        assert got.text.splitlines() == want.text.splitlines()
        assert (got.code, got.err) == (0, b"")
    assert bool(list(home.rglob("*.so"))) == (mode == "cache")


def test_groups_are_shared(built: Dict[str, App], tmp_path: Path) -> None:
    """Two executables with the same objects have one copy."""
    env = {**ENV, "PEXCZ_CACHE": str(tmp_path / "cache")}
    other = tmp_path / "other"
    options = ["--level", "1", "--snapshot", "off"]
    packing = run([PACK, built["cache"].pex, "-o", other, *options])
    assert packing.code == 0
    for exe in (built["cache"].exe, other):
        assert run([exe], env=env).code == 0
        info = run([PEXCZ, "cache", "info"], env=env)
        assert info.text.splitlines()[-1].startswith("1 group,")


def test_beside_the_executable(built: Dict[str, App], tmp_path: Path) -> None:
    """Nothing is written; a file that is not as it should be is not used."""
    files = built["adjacent"].exe.with_name("app.files")
    objects = sorted(p for p in files.rglob("*.so*") if p.is_file())
    assert len(objects) == len({p.name + p.parent.name for p in objects}) > 15
    env = {**ENV, "HOME": str(tmp_path)}
    copy = tmp_path / "copy"
    copy.write_bytes(built["adjacent"].exe.read_bytes())
    copy.chmod(0o755)
    assert run([copy], env=env).code == 0, "the cache takes its place"
    assert list(tmp_path.glob(".cache/pexcz/so/*"))


def test_old_files_beside_the_executable(
    built: Dict[str, App], tmp_path: Path
) -> None:
    """Packing another application to the same name removes the old one's."""
    source = tmp_path / "source"
    source.mkdir()
    Makefile(source).make("new.so", "int f(void) { return 1; }")
    (source / "prog.py").write_text("")
    pex, exe = tmp_path / "new.pex", tmp_path / "app"
    command = [sys.executable, "-m", "pex", "-D", source, "-e", "prog", "-o", pex]
    assert run(command, env={**os.environ, "PEX_ROOT": str(PEX_ROOT)}).code == 0
    groups = []
    for of in built["adjacent"].pex, pex, pex:
        options = ["--shared-objects", "adjacent", "--snapshot", "off"]
        packing = run([PACK, of, "-o", exe, *options])
        assert packing.code == 0, packing.err.decode()
        groups.append(set(os.listdir(tmp_path / "app.files/so")))
    assert len(groups[0]) == len(groups[1]) == 1
    assert not groups[0] & groups[1] and groups[1] == groups[2]


HAZARDS = [
    ("stack", ["-Wl,-z,execstack"], "an executable stack"),
    ("text", ["-fno-pic", "-mcmodel=large", "-Wl,-z,notext"], "text relocations"),
]


@pytest.mark.parametrize("name, options, what", HAZARDS)
def test_hazards(
    tmp_path: Path, name: str, options: List[str], what: str, python: str
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    text = tmp_path / "x.c"
    text.write_text('int atoi(const char *); int f(void) { return atoi("3"); }')
    out = source / f"{name}.so"
    subprocess.run(["cc", "-shared", "-fPIC", text, "-o", out, *options], check=True)
    program = f"import ctypes, os\nprint(ctypes.CDLL(os.path.join(" \
              f"os.path.dirname(__file__), '{name}.so')).f())\n"
    (source / "prog.py").write_text(program)
    pex, exe = tmp_path / "app.pex", tmp_path / "app"
    command = [sys.executable, "-m", "pex", "-D", source, "-e", "prog", "-o", pex]
    done = run(command, env={**os.environ, "PEX_ROOT": str(PEX_ROOT)})
    assert done.code == 0, done.err.decode()
    refused = run([PACK, pex, "-o", exe, "--snapshot", "off"])
    assert refused.code == 1 and not exe.exists()
    assert f"{name}.so: needs {what}:" in refused.err.decode()
    options = ["--allow-library", f"{name}.so", "--snapshot", "off"]
    allowed = run([PACK, pex, "-o", exe, *options])
    assert allowed.code == 0, allowed.err.decode()
    assert run([exe], env={**ENV, "HOME": str(tmp_path)}).out == b"3\n"


def test_report(built: Dict[str, App], tmp_path: Path) -> None:
    options = ["-v", "--snapshot", "off", "-o", tmp_path / "app"]
    packing = run([PACK, built["cache"].pex, *options])
    lines = (packing.out + packing.err).decode().splitlines()
    assert packing.code == 0
    throw = next(line for line in lines if "cxx/libthrow.so" in line)
    assert "CXXABI 1.3" in throw and "GLIBC 2." in throw
    assert ", for glibc 2." in lines[-1]
    warned = [line for line in lines if "is not packed" in line]
    assert warned == []


def test_environment_of_children(
    make_app: Callable[..., App], sides: Sides
) -> None:
    program = "import os, sys\nos.system('env | sort')\n"
    app = make_app("-e", "prog", sources={"prog.py": program})
    sides.install(app)
    given = {"LD_LIBRARY_PATH": "/x", "PYTHONPATH": "/y", "PATH": "/usr/bin:/bin"}
    with_shell = sides.packed.root
    sides.packed.root = Path("/")
    got = sides.packed.run(env={**given, "PEXCZ_CACHE": "/z"})
    sides.packed.root = with_shell
    want = {**sides.packed.env, **given, "PEXCZ_CACHE": "/z"}
    seen = dict(line.split("=", 1) for line in got.text.splitlines())
    extra = set(seen) - set(want)
    assert extra <= {"PEX", "PWD", "SHLVL", "_", "LC_CTYPE"}, extra
    assert {k: seen[k] for k in want} == want
