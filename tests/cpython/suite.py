# SPDX-License-Identifier: Apache-2.0
"""CPython's own regression suite, on disk and packed.

make(build, version) gives two Pythons of the same build and the same files:

- disk: a copy of the distribution's install tree with the tests in it, read
  by importlib's own PathFinder;
- packed: an executable whose tree has the same files below /proc/pexcz.  What
  the base leaves out (the tests, idlelib, ensurepip, the files to build
  extensions with) comes as a PEX of one wheel, so the base stays as it is.

The tests are those of the very source package that the distribution was
built from; their extension modules (_testcapi and its like) are compiled here.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterator

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "stdlib-blob")]
from build_wheel import build_wheel  # noqa: E402
import fetch_source  # noqa: E402

# Name, source below Modules/, further arguments of the compiler.
EXTENSIONS = [
    ("_testcapi", "_testcapimodule.c", []),
    ("_testinternalcapi", "_testinternalcapi.c", []),
    ("_testbuffer", "_testbuffer.c", []),
    ("_testclinic", "_testclinic.c", []),
    ("_testimportmultiple", "_testimportmultiple.c", []),
    ("_testmultiphase", "_testmultiphase.c", []),
    ("_ctypes_test", "_ctypes/_ctypes_test.c", ["-lm"]),
    ("xxlimited", "xxlimited.c", []),
    ("xxlimited_35", "xxlimited_35.c", []),
]
KEPT_EXECUTABLES = 2


@dataclass
class Suite:
    folder: Path
    disk: Path
    packed: Path


def run(*command: object, **options: object) -> None:
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, **options)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}\n"
                         + done.stdout.decode(errors="replace")[-4000:])


def files_below(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield str(path.relative_to(folder))


def compile_extensions(source: Path, dist: Path, folder: Path) -> None:
    include = next((dist / "include").glob("python*"))
    version = include.name.replace("python", "").replace(".", "")
    suffix = f".cpython-{version}-x86_64-linux-gnu.so"
    for name, file, more in EXTENSIONS:
        run("gcc", "-shared", "-fPIC", "-O1", "-fno-strict-aliasing",
            f"-I{include}", f"-I{include}/internal", f"-I{source}/Modules",
            "-DPy_BUILD_CORE_MODULE=1" if "internal" in name else "-DNDEBUG",
            source / "Modules" / file, *more, "-o", folder / (name + suffix))


def fetch(version: str, dist: Path, work: Path) -> Path:
    source = fetch_source.fetch(version, work)
    ours = (source / "Lib/os.py").read_bytes()
    if ours != (dist / f"lib/python{version}/os.py").read_bytes():
        raise SystemExit("the source package is not the distribution's")
    return source


def make_disk(source: Path, dist: Path, version: str, tree: Path) -> None:
    shutil.copytree(dist, tree, symlinks=True)
    lib = tree / f"lib/python{version}"
    # Everything of Lib/: with --disable-test-modules the tests are missing.
    shutil.copytree(source / "Lib", lib, dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(dist / f"lib/python{version}", lib, dirs_exist_ok=True)
    compile_extensions(source, dist, lib / "lib-dynload")
    for name in ("python", "python3"):
        link = tree / "bin" / name
        link.unlink(missing_ok=True)
        link.symlink_to(f"python{version}")
    run(tree / "bin/python3", "-I", "-m", "compileall", "-q", lib,
        "-x", r"bad_coding|badsyntax|lib2to3/tests/data|site-packages")


def write_wheel(tree: Path, base: Path, version: str, folder: Path) -> Path:
    """What the disk's tree has and the base has not."""
    done = subprocess.run(
        [str(base), "-c", "import os\nfor d, _, f in os.walk('/proc/pexcz'):\n"
         "    for n in f: print(os.path.join(d, n))"],
        capture_output=True, text=True, check=True)
    known = {line[len("/proc/pexcz/"):] for line in done.stdout.splitlines()}
    files: Dict[str, bytes] = {}
    programs = set()
    for name in files_below(tree):
        if name in known or name.startswith("bin/") or name.endswith(".a"):
            continue
        member = f"cpython_suite-1.data/data/{name}"
        files[member] = (tree / name).read_bytes()
        if os.access(tree / name, os.X_OK):
            programs.add(member)
    tag = f"cp{version.replace('.', '')}"
    return build_wheel(folder, "cpython_suite", "1",
                       f"{tag}-{tag}-linux_x86_64", files, executable=programs)


def suite_key(build: Path, version: str) -> str:
    dist = os.readlink(build / "dist" / version)
    text = Path(__file__).read_bytes() + dist.encode()
    return hashlib.sha256(text).hexdigest()[:16]


def make(build: Path, version: str) -> Suite:
    build = build.resolve()
    key = suite_key(build, version)
    root = build / "cpython-suite"
    final = root / f"{version}-{key}"
    root.mkdir(parents=True, exist_ok=True)
    with open(root / "lock", "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (final / "suite.pex").is_file():
            make_pex(build, version, final)
        packed = pack(build, version, final)
    return Suite(final, final / "disk/bin/python3", packed)


def make_pex(build: Path, version: str, final: Path) -> None:
    dist = build / "dist" / version / "python/install"
    base = build / f"lib/pexcz/base-{version}"
    shutil.rmtree(final, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=final.parent) as temp:
        work = Path(temp)
        print("making CPython's suite (once)", flush=True)
        source = fetch(version, dist, work)
        make_disk(source, dist, version, work / "out/disk")
        wheel = write_wheel(work / "out/disk", base, version, work)
        run(sys.executable, "-m", "pex", wheel, "--no-index",
            "--no-pre-install-wheels", "--no-compress", "-o", work / "out/suite.pex",
            env={**os.environ, "PEX_ROOT": str(work / "pex_root")})
        (work / "out").rename(final)


def pack(build: Path, version: str, folder: Path) -> Path:
    """One executable for each base, so that a run goes on with its own."""
    base = build / f"lib/pexcz/base-{version}"
    digest = hashlib.sha256(base.read_bytes()).hexdigest()[:16]
    # Under this name a packed executable is a Python.
    made = folder / "packed" / digest / "bin/python3"
    if not made.is_file():
        older = sorted((folder / "packed").glob("*"), key=os.path.getmtime)
        for path in older[:-KEPT_EXECUTABLES]:
            shutil.rmtree(path)
        made.parent.mkdir(parents=True, exist_ok=True)
        run(build / "bin/pexcz-pack", folder / "suite.pex", "-o", made)
    return made
