# SPDX-License-Identifier: Apache-2.0
"""`--platform`: packing for another machine than this one.

What needs the base of the other machine runs in `make check-aarch64`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import struct
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Callable, Dict

import pytest
from conftest import BASE, BUILD, PACK, PEXCZ, App, Sides
from refusals import refused
from sides import SITE, VERSION, run

sys.path.append(str(Path(__file__).parents[1]))
from build_wheel import build_wheel  # noqa: E402

FOREIGN = "aarch64"
TAG = "cp" + VERSION.replace(".", "")
needs_base = pytest.mark.machine(FOREIGN)

EXTENSION = """\
#include <Python.h>
#include <sys/utsname.h>

static PyObject *
where(PyObject *self, PyObject *args)
{
    struct utsname name;

    return uname(&name) == 0 ? Py_BuildValue("ss", name.machine, MACHINE) : NULL;
}

static PyMethodDef methods[] = {{"where", where, METH_NOARGS, NULL}, {NULL}};
static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "native", NULL, 0, methods};

PyMODINIT_FUNC
PyInit_native(void)
{
    return PyModule_Create(&module);
}
"""

PROGRAM = """\
import os, platform, sys
import native
from importlib.metadata import version
print(native.where(), platform.machine(), native.__file__, version("native"))
"""


@pytest.fixture(scope="module")
def pex(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a wheel for each of two machines, of which one asks for more glibc."""
    folder = tmp_path_factory.mktemp("wheels")
    (folder / "native.c").write_text(EXTENSION)
    compilers = {"x86_64": "gcc", "aarch64": "aarch64-linux-gnu-gcc"}
    for machine, cc in compilers.items():
        if shutil.which(cc) is None:
            pytest.skip(f"no {cc}: make {FOREIGN}")
        dist = BUILD / f"dist/{VERSION}{'' if machine == 'x86_64' else '-' + machine}"
        include = dist / f"python/install/include/python{VERSION}"
        if not include.exists():
            include = Path(sysconfig.get_path("include"))
        name = f"native.{sysconfig.get_config_var('SOABI')}.so".replace("x86_64", machine)
        command = [
            *(cc, "-shared", "-fPIC", f"-I{include}", f'-DMACHINE="{machine}"'),
            *(folder / "native.c", "-o", folder / name),
        ]
        subprocess.run(command, check=True)
        files: Dict[str, bytes] = {name: (folder / name).read_bytes()}
        for glibc in (17, 28):
            build_wheel(folder, "native", "1.0" if glibc == 17 else "1.1",
                        f"{TAG}-{TAG}-manylinux_2_{glibc}_{machine}", files)
    out = folder / "app.pex"
    (folder / "src").mkdir()
    (folder / "src/prog.py").write_text(PROGRAM)
    platforms = []
    for tag in (*(f"2_28_{machine}" for machine in compilers), f"2_17_{FOREIGN}"):
        platforms += ["--platform", f"manylinux_{tag}-cp-{TAG[2:]}-{TAG}"]
    command = [
        *(sys.executable, "-m", "pex", "native", "--no-index", "-f", folder),
        *(*platforms, "-D", folder / "src", "-e", "prog", "-o", out),
    ]
    env = {**os.environ, "PEX_ROOT": str(folder / "root")}
    done = run(command, env=env)
    assert done.code == 0, done.err.decode()
    return out


def pack(pex: Path, exe: Path, *options: str) -> str:
    done = run([PACK, "--platform", FOREIGN, *options, pex, "-o", exe])
    assert done.code == 0, done.err.decode()
    return done.err.decode()


def test_not_installed(tmp_path: Path, make_pex: Callable[..., Path]) -> None:
    """The message says what there is."""
    pex = make_pex("-e", "m", sources={"m.py": ""})
    for folder in ("bin", "lib/pexcz"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(PEXCZ, tmp_path / "bin/pexcz-pack")
    shutil.copy(BASE, tmp_path / "lib/pexcz")
    tool = tmp_path / "bin/pexcz-pack"
    for arguments, words in {
        ("--platform", FOREIGN): f"no base for {FOREIGN}; installed: {VERSION}",
        ("--platform", FOREIGN, "--python", VERSION): f"no base for Python {VERSION} on "
        f"{FOREIGN}; installed: {VERSION}",
        ("--platform", f"linux_{FOREIGN}-cp-37-cp37"): f"no base for Python 3.7 on {FOREIGN}",
    }.items():
        got = run([tool, *arguments, pex, "-o", tmp_path / "out"])
        assert got.code == 1 and words in got.err.decode(), got.err
        assert not (tmp_path / "out").exists()


def test_this_machine(tmp_path: Path, make_pex: Callable[..., Path]) -> None:
    """Its own names change nothing."""
    pex = make_pex("-e", "m", sources={"m.py": "print(1)"})
    made = []
    for i, options in enumerate(
        [(), ("--platform", "x86_64"), ("--platform", f"linux_x86_64-cp-{TAG[2:]}-{TAG}")]
    ):
        exe = tmp_path / str(i) / "app"
        exe.parent.mkdir()
        done = run([PACK, "--python", VERSION, "--snapshot", "off", *options, pex, "-o", exe])
        assert done.code == 0, done.err.decode()
        made.append(exe.read_bytes())
    assert made[0] == made[1] == made[2]


def test_usage(tmp_path: Path) -> None:
    for arguments, words in {
        ("--platform", "win_amd64"): "'win_amd64' is not one that pexcz packs for",
        ("--platform", "manylinux2014_aarch64", "--max-glibc", "2.28"): "--max-glibc 2.28 "
        "contradicts --platform (2.17)",
        ("--platform", "linux_aarch64-cp-311-cp311", "--python", "3.13"): "--python 3.13 "
        "contradicts --platform (3.11)",
    }.items():
        got = run([PACK, *arguments, "a.pex"], cwd=tmp_path)
        assert got.code == 2 and words in got.err.decode(), got.err


def test_base_of_another_machine(tmp_path: Path, make_pex: Callable[..., Path]) -> None:
    shutil.copy(make_pex("-e", "m", sources={"m.py": ""}), tmp_path / "a.pex")
    refused(tmp_path, "a.pex", "--platform", FOREIGN, "--base", str(BASE),
            words=("a base for x86_64", f"not for {FOREIGN}"))


@needs_base
def test_wheels(pex: Path, tmp_path: Path, sides: Sides) -> None:
    """Chosen by the tags of the other machine, and loaded from the cache, and
    from memory."""
    for options, version in {(): "1.1", ("--max-glibc", "2.17"): "1.0"}.items():
        exe = tmp_path / "app"
        pack(pex, exe, *options)
        sides.packed.install(exe)
        got = sides.packed.run()
        where = f"{SITE}/native.{sysconfig.get_config_var('SOABI')}.so"
        where = where.replace("x86_64", FOREIGN)
        assert got.text == f"('aarch64', 'aarch64') aarch64 {where} {version}\n", got.err
        assert list((sides.packed.folder / "home").rglob("*.so"))
        again = sides.packed.run(env={"PEXCZ_SHARED_OBJECTS": "memory"})
        assert (again.code, again.out) == (0, got.out), again.err


@needs_base
def test_wheel_of_pypi(make_app: Callable[..., App], sides: Sides) -> None:
    source = "import markupsafe._speedups as s; print(s.__file__, s._escape_inner(chr(60)))"
    app = make_app("markupsafe", "-e", "prog", sources={"prog.py": source})
    got = sides.compare(app, varies="x86_64|aarch64")
    assert f"{SITE}/markupsafe/_speedups.cpython-" in got.text
    assert f"{FOREIGN}-linux-gnu.so &lt;" in got.text


@needs_base
def test_report(pex: Path, tmp_path: Path) -> None:
    """There is no snapshot, which packing says, and `inspect` whose file it is."""
    exe = tmp_path / "app"
    text = pack(pex, exe, "-v")
    assert "no snapshot: it would have to run on another machine" in text
    assert f", Python {VERSION}." in text and f" for {FOREIGN}, " in text
    assert f"manylinux_2_28_{FOREIGN}.whl" in text
    done = run([PACK, "--platform", FOREIGN, "--snapshot", "require", pex, "-o", tmp_path / "b"])
    assert done.code == 1 and b"no snapshot: it would have to run" in done.err
    assert not (tmp_path / "b").exists()
    info = json.loads(run([PEXCZ, "inspect", "--json", exe]).out)
    assert info["machine"] == FOREIGN
    assert f"Python {VERSION}, {FOREIGN}\n" in run([PEXCZ, "inspect", exe]).text
    assert run([PEXCZ, "verify", exe]).code == 0


@needs_base
def test_no_wheel(tmp_path: Path) -> None:
    """The refusal names the tags of the other machine."""
    build_wheel(tmp_path, "native", "1.0", f"{TAG}-{TAG}-manylinux_2_17_x86_64", {"a.py": b""})
    command = [sys.executable, "-m", "pex", "native", "--no-index", "-f", tmp_path, "-o",
               tmp_path / "a.pex"]
    done = run(command, env={**os.environ, "PEX_ROOT": str(tmp_path / "root")})
    assert done.code == 0, done.err.decode()
    done = run([PACK, "--platform", FOREIGN, "a.pex"], cwd=tmp_path)
    assert done.code == 1 and not (tmp_path / "a").exists()
    lines = done.err.decode().splitlines()
    assert f", {FOREIGN}, glibc " in lines[0]
    assert any(f"needed: a tag like {TAG}-{TAG}-linux_{FOREIGN}" in line for line in lines)


@needs_base
def test_segments(pex: Path, tmp_path: Path) -> None:
    """Kernels of the machine have pages of up to 64 KiB."""
    exe = tmp_path / "app"
    pack(pex, exe)
    data = exe.read_bytes()
    machine = struct.unpack_from("<H", data, 18)[0]
    table, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    assert machine == 183
    loaded = 0
    ends = []
    for i in range(count):
        kind, flags, offset, address, _, _, memory, align = struct.unpack_from(
            "<IIQQQQQQ", data, table + i * size)
        if kind == 1:
            loaded += 1
            assert align == 0x10000 and offset % align == address % align
            ends.append((address // align, (address + memory - 1) // align, flags))
    assert loaded >= 4
    for (_, last, flags), (first, _, other) in zip(ends, ends[1:]):
        assert last < first, "two segments share a page"


@needs_base
@pytest.mark.parametrize("mode", ["cache", "memory"])
def test_large_pages(pex: Path, tmp_path: Path, mode: str) -> None:
    """An emulated kernel with pages of 64 KiB."""
    exe = tmp_path / "app"
    pack(pex, exe)
    env = {"HOME": str(tmp_path), "PEXCZ_SHARED_OBJECTS": mode}
    done = run([f"qemu-{FOREIGN}-static", "-p", "65536", exe], env=env)
    assert done.code == 0 and done.out.startswith(b"('aarch64', 'aarch64')"), done.err
    assert bool(list(tmp_path.rglob("*.so"))) == (mode == "cache")


@needs_base
def test_same_bytes(pex: Path, tmp_path: Path) -> None:
    made = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        pack(pex, tmp_path / name / "app", "-j", "1" if name == "a" else "2")
        made.append((tmp_path / name / "app").read_bytes())
    assert made[0] == made[1]


@needs_base
def test_same_modules() -> None:
    """What is built in, what can be imported, and how text is hashed."""
    code = """if True:
        import importlib, sys
        print(sorted(sys.builtin_module_names), sys.hash_info)
        for name in sorted(sys.stdlib_module_names - {"antigravity", "this"}):
            try:
                importlib.import_module(name)
            except Exception as e:
                print(name, e)
        """
    bases = [BASE, BASE.with_name(f"{BASE.name}-{FOREIGN}")]
    want, got = (run([base, "-c", code]) for base in bases)
    assert want.code == 0
    assert (got.code, got.out) == (0, want.out)


@needs_base
def test_floor(make_app: Callable[..., App]) -> None:
    """The base asks for no symbol of a glibc newer than its first for aarch64."""
    app = make_app("-e", "m", sources={"m.py": ""})
    text = run(["readelf", "-V", "-W", app.exe]).text
    assert set(re.findall(r"GLIBC_[0-9.]+", text)) == {"GLIBC_2.17"}
