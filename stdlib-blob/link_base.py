# SPDX-License-Identifier: Apache-2.0
"""Links the base executable from a distribution's PYTHON.json and our objects.

link_base.py [--exports FILE…] [--wrap NAME…] [--cc CC] [--process OBJECT…] DIST WORK OUT OBJECT…:
writes OUT (ET_EXEC, stripped) and OUT.debug.  The base exports the CPython API and the names in
the export files, nothing of the static archives; it has room for eight more
program headers (blob/exe_layout.h) and keeps the glibc floor.
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

import glibc_floor
import linker_script
import targets
import versions
import weak_symbols

HERE = Path(__file__).resolve().parent
# The largest page that a kernel may have: segments are aligned so.
PAGE_SIZES = {"x86_64": 0x1000, "aarch64": 0x10000}
# In this order ld.so looks for symbols.
LIBRARIES = ["-lc", "-lm"]
# What glibc < 2.34 has in the first two is in runtime/old_glibc.c, and the others
# are loaded by runtime/old_glibc_threads.c.
REPLACED = {"-lrt", "-lutil", "-lpthread", "-ldl"}
LOADED_LATE = re.compile(r"(pthread_|sem_|dl)\w+")
ONLY_THERE = re.compile(
    r"(aio_|lio_|mq_|shm_|timer_)\w+|openpty|forkpty|login(_tty)?|logout|logwtmp"
)


class LinkError(Exception):
    pass


def write_inittab(path, extensions, own):
    """config.c: the table of built-in modules, ours behind CPython's."""
    rows = []
    declarations = []
    for name, variants in extensions.items():
        init = variants[0]["init_fn"]
        rows.append(f'    {{"{name}", {init}}},')
        if init != "NULL":
            declarations.append(f"extern PyObject *{init}(void);")
    for name in own:
        rows.append(f'    {{"{name}", PyInit_{name}}},')
        declarations.append(f"extern PyObject *PyInit_{name}(void);")
    path.write_text(
        '#include "Python.h"\n'
        + "\n".join(sorted(set(declarations)))
        + "\nstruct _inittab _PyImport_Inittab[] = {\n"
        + "\n".join(rows)
        + "\n    {0, 0}\n};\n"
    )


def write_exports(path, nm, objects, files):
    """A dynamic list: libpython's Py symbols and the names in `files`."""
    text = subprocess.check_output([nm, "-g", "--defined-only", *objects], text=True)
    names = set(re.findall(r" [A-Z] (_?Py\w+)$", text, re.M))
    for file in files:
        names.update(Path(file).read_text().split())
    path.write_text("{\n" + "".join(f"  {n};\n" for n in sorted(names)) + "};\n")


def relocated_data(readelf, executable):
    """Functions of libc whose address ld.so writes into data at each start, and
    those that it would look for before there is a library that has them."""
    text = subprocess.check_output([readelf, "-rW", executable], text=True)
    found = re.findall(r" (R_\w+) +\w+ (\w+)@", text)
    # readelf cuts R_…_JUMP_SLOT short.
    return sorted({name for kind, name in found if kind == "R_X86_64_64"
                   or LOADED_LATE.fullmatch(name) and "_JUMP_SL" not in kind})


def compile_addresses(cc, names, out):
    """An object with these addresses in read-only data.  For these the linker
    makes them constants, those of the functions' entries in .plt, and then does
    so in all data: a start copies a page less for each page of such data."""
    lines = [f"extern void {name}(void);" for name in names]
    lines += [f"const void *const pexcz_address_of_{name} = (const void *){name};" for name in names]
    subprocess.run([cc, "-fno-builtin", "-fno-pie", "-x", "c", "-c", "-", "-o", out],
                   input="\n".join(lines) + "\n", text=True, check=True)  # fmt: skip


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LinkError(done.stderr.strip()[-4000:])


def link(dist, work, out, process, own_objects, own_modules, export_files, wrapped, cc):
    target = targets.Target(cc)
    info = json.loads((dist / "PYTHON.json").read_text())["build_info"]
    work.mkdir(parents=True, exist_ok=True)
    stub = work / "stub"
    glibc_floor.make(stub, versions.GLIBC_FLOOR, cc)
    objects = [dist / o for o in info["core"]["objs"]]
    libraries = []
    for variants in info["extensions"].values():
        objects += [dist / o for o in variants[0]["objs"]]
        for entry in variants[0]["links"]:
            flag = str(dist / entry["path_static"]) if "path_static" in entry \
                else "-l" + entry["name"]
            libraries.append(flag)
    objects = sorted(set(objects))
    inittab = work / "inittab.c"
    write_inittab(inittab, info["extensions"], own_modules)
    include = next((dist / "install/include").glob("python*"))
    for source, name in ((inittab, "inittab.o"), (HERE / "glibc_compat.c", "compat.o")):
        subprocess.check_call(
            [cc, "-O2", "-fno-pie", "-isystem", include, "-c", source, "-o", work / name]
        )
    exports = work / "exports.list"
    write_exports(exports, target.tool("nm"), objects, export_files)
    debug = out.with_name(out.name + ".debug")
    static = [f for f in dict.fromkeys(libraries) if not f.startswith("-l")]
    unknown = {f for f in libraries if f.startswith("-l")} - set(LIBRARIES) - REPLACED
    if unknown:
        raise LinkError(f"needs {unknown}")
    addresses = work / "addresses.o"
    script = work / "base.ld"
    command = [
        cc, f"-B{stub}/", "-no-pie", "-o", debug,
        "-Wl,-z,lazy,-z,relro,-z,noexecstack",
        f"-Wl,-z,max-page-size={PAGE_SIZES[target.machine]}",
        "-Wl,--build-id=sha1,--exclude-libs,ALL,--no-as-needed",
        f"-Wl,--dynamic-list={exports}", *[f"-Wl,--wrap={n}" for n in wrapped], "-T", script,
        *process, *own_objects, *objects, work / "inittab.o", work / "compat.o", addresses,
        "-Wl,--start-group", *static, "-Wl,--end-group",
        *LIBRARIES,
    ]
    linker_script.write(script, target, process, own_objects + objects, static)
    compile_addresses(cc, [], addresses)
    run(command)
    relocated = relocated_data(target.tool("readelf"), debug)
    if relocated:
        compile_addresses(cc, relocated, addresses)
        run(command)
    text = subprocess.check_output(
        [target.tool("nm"), "-D", "--undefined-only", debug], text=True)
    for name in re.findall(r" [Uw] (\w+)", text):
        if ONLY_THERE.fullmatch(name):
            raise LinkError(f"{name} is in librt or libutil of an old glibc")
    weak_symbols.weaken(debug, LOADED_LATE)
    newest = glibc_floor.highest_version(debug)
    floor = glibc_floor.version_key(versions.GLIBC_FLOOR)
    if newest is None or glibc_floor.version_key(newest) > floor:
        raise LinkError(f"{debug.name} needs GLIBC_{newest}")
    subprocess.check_call([target.tool("strip"), "--strip-unneeded", "-o", out, debug])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dist", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--exports", action="append", default=[])
    parser.add_argument("--module", action="append", default=[])
    parser.add_argument("--wrap", action="append", default=[])
    parser.add_argument("--cc", default="gcc")
    parser.add_argument("--process", action="append", default=[],
                        help="an object or archive of which a snapshot has nothing")
    parser.add_argument("objects", nargs="+")
    options = parser.parse_intermixed_args()
    try:
        link(options.dist, options.work, options.out, options.process,
             options.objects, options.module, options.exports, options.wrap,
             options.cc)
    except (LinkError, linker_script.ScriptError, targets.TargetError, OSError, KeyError, subprocess.CalledProcessError) as error:
        print(f"link_base: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
