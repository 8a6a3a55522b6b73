# SPDX-License-Identifier: Apache-2.0
"""Builds the Python distribution once and keeps it by the hash of its inputs.

build_dist.py BUILD VERSION [--no-pgo] [--quick] [--jobs N]: makes
BUILD/dist/VERSION-HASH/python and the link BUILD/dist/VERSION that names it.
--quick takes a finished one of any kind, or else makes the one that is made
quickest: without PGO, and without the objects of the embedding library.

With a cross compiler as --cc the folder is VERSION-MACHINE-HASH and the link
VERSION-MACHINE; it takes --sysroot (sysroot.py) and the Python that was built
for this machine before, and has neither PGO nor an embedding library.
"""

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import build_cpython
import fetch_source
import python_json
import targets
import versions

HERE = Path(__file__).resolve().parent


# This file, what links the base and the library, and this project's part of
# the latter; of versions.py the values count.
AFTERWARDS = {"build_dist.py", "components.py", "link_base.py", "link_library.py", "linker_script.py",
              "libc_variables.c", "sysroot.py", "versions.py"}


def input_key(version, target, pgo, pic):
    """Hash of all that decides the result; the base's link comes after it."""
    digest = hashlib.sha256(f"{version} pgo={pgo} pic={pic}\n".encode())
    settings = (versions.GLIBC_FLOOR, versions.VERSIONS[version],
                versions.STATIC_LIBS, versions.STATIC_NEEDS)
    digest.update(repr(settings).encode())
    for path in sorted(HERE.iterdir()):
        if path.name in AFTERWARDS:
            continue
        if path.suffix == ".local" and path.stem not in ("Setup", f"Setup-{version}"):
            continue
        if path.suffix == ".S" and not path.stem.endswith(target.machine):
            continue
        if path.suffix in (".py", ".c", ".S", ".local"):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    digest.update(target.ask("--version").encode() + b"\n")
    for name in versions.STATIC_LIBS:
        digest.update(build_cpython.find_static(target, name).read_bytes())
    return digest.hexdigest()[:16]


def point_to(link, target):
    if link.is_symlink() and os.readlink(link) == target:
        return
    temp = link.with_name(link.name + ".new")
    temp.unlink(missing_ok=True)
    temp.symlink_to(target)
    temp.replace(link)


def is_finished(folder):
    return (folder / "python/PYTHON.json").is_file()


def link_name(options, target):
    return options.version + (f"-{target.machine}" if target.is_cross else "")


def choose(root, options, target):
    """(folder, whether with PGO, whether with position-independent objects)"""
    kinds = [(not options.no_pgo, True)]
    if target.is_cross:
        kinds = [(False, False)]
    elif options.quick:
        kinds = [(True, True), (False, True), (False, False)]
    for pgo, pic in kinds:
        key = input_key(options.version, target, pgo, pic)
        folder = root / f"{link_name(options, target)}-{key}"
        if is_finished(folder):
            break
    return folder, pgo, pic


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build")
    parser.add_argument("version", choices=sorted(versions.VERSIONS))
    parser.add_argument("--no-pgo", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--cc", default="gcc")
    parser.add_argument("--sysroot")
    options = parser.parse_args()
    root = Path(options.build).resolve() / "dist"
    root.mkdir(parents=True, exist_ok=True)
    own_python = root / options.version / f"python/install/bin/python{options.version}"
    # Two makes at a time, as the parts of `make check` are, build it once.
    try:
        target = targets.Target(options.cc, options.sysroot)
        lock = open(root / f".{link_name(options, target)}.lock", "a")
        fcntl.flock(lock, fcntl.LOCK_EX)
        final, pgo, pic = choose(root, options, target)
        name = final.name
        if not is_finished(final):
            with tempfile.TemporaryDirectory(prefix="work-", dir=root) as work:
                work = Path(work)
                print(f"building Python {link_name(options, target)} (once; some minutes)",
                      flush=True)
                src = fetch_source.fetch(options.version, work)
                static = build_cpython.build(src, work, options.version, target,
                                             own_python, pgo, options.jobs)
                out = work / name / "python"
                out.mkdir(parents=True)
                build_cpython.install(src, work, out)
                python_json.write(src, out, static, target, own_python, pgo)
                if pic:
                    build_cpython.rebuild_pic(src, work, options.jobs)
                    python_json.add_pic(src, out)
                shutil.rmtree(final, ignore_errors=True)
                (work / name).rename(final)
        point_to(root / link_name(options, target), name)
    except (build_cpython.BuildError, fetch_source.FetchError,
            targets.TargetError, OSError, subprocess.CalledProcessError) as error:
        print(f"build_dist: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
