# SPDX-License-Identifier: Apache-2.0
"""Links the base executable from a distribution's PYTHON.json and our objects.

link_base.py [--exports FILE…] [--wrap NAME…] [--cc CC] [--process OBJECT…] DIST WORK OUT OBJECT…:
writes OUT (ET_EXEC, stripped) and OUT.debug.  The base exports the CPython API and the names in
the export files, nothing of the static archives; it has room for eight more
program headers (blob/exe_layout.h) and keeps the glibc floor.  What belongs to the process (--process) has its data apart from Python's, which a
snapshot replaces (runtime/owned_data.c).
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

import glibc_floor
import targets
import versions

HERE = Path(__file__).resolve().parent
PAGE = "ALIGN(CONSTANT (MAXPAGESIZE))"
# Of a variable that is no neighbour for small ones, in bytes.
LARGE = 4000
SPARE_PHDRS = 8
PHDR_SIZE = 56
# The largest page that a kernel may have: segments are aligned so.
PAGE_SIZES = {"x86_64": 0x1000, "aarch64": 0x10000}
# Here static libraries note what the CPU can do, which is for each process to
# find out: liblzma, libcrypto.
CPU_FACTS = "*:*-crc64_fast.o", "*:*-x86_64cpuid.o", "*:*-lib-cpuid.o"
# What runs before main(), of the compiler and of glibc_floor.py.
CALLERS_OF_MAIN = "*crt1.o", "*crtbegin*.o", "*libc_nonshared.a:*"
# In this order ld.so looks for symbols: nearly all are found in the second.
# libpthread comes before libc as it does in every program for glibc < 2.34.
LIBRARIES = ["-lpthread", "-lc", "-ldl", "-lm"]
# What glibc < 2.34 has in these is in runtime/old_glibc.c.
REPLACED = {"-lrt", "-lutil"}
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


def sections(kind, names):
    return "".join(f"    *(.{kind}.{name})\n" for name in names)


def patterns(process):
    """The process' own objects and archives, as a linker script names them."""
    return [f"{path}:*" if str(path).endswith(".a") else str(path) for path in process]


def of_process(kind, process):
    return "".join(f"    {file}(.{kind} .{kind}.*)\n" for file in patterns(process))


def of_libraries(kind, static):
    names = sorted(Path(path).name for path in static)
    return "".join(f"    *{name}:*(.{kind} .{kind}.*)\n" for name in names)


def large_variables(nm, objects):
    """Names of variables that begin as zeros and take pages of their own."""
    text = subprocess.check_output([nm, "-S", *objects], text=True, stderr=subprocess.DEVNULL)
    found = re.findall(r"^\w+ (\w+) [bB] (\S+)$", text, re.M)
    return sorted({name for size, name in found if int(size, 16) >= LARGE})


def listed(file):
    lines = (HERE / file).read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def hot_text(static):
    """The functions of hot_text.list; NAME.cold is what the compiler calls
    unlikely, a part of the function or all of it.  With what calls main().

    Static libraries come first: behind them, all around is of this segment for
    2 MB, and the kernel may map the page cache's large piece as it is."""
    text = of_libraries("text", static)
    text += "".join(f"    {file}(.text)\n" for file in CALLERS_OF_MAIN)
    for name in listed("hot_text.list"):
        likely = name.removesuffix(".cold")
        kinds = ("unlikely.",) if name != likely else ("", "hot.", "startup.")
        text += "    *(" + " ".join(f".text.{kind}{likely}" for kind in kinds) + ")\n"
    return text


def constants(static, process):
    """In the order of hot_text(): of static libraries, the process and Python."""
    files = "".join(f"    {file}(.rodata .rodata.*)\n" for file in patterns(process))
    return (
        f"  .library_rodata :\n  {{\n{of_libraries('rodata', static)}  }}\n"
        f"  .process_rodata :\n  {{\n{files}  }}\n"
    )


def data_sections(process):
    """Instead of .data: what the process owns; what Python owns, in whole
    pages, and of that first the variables of hot_data.list."""
    names = listed("hot_data.list")
    return (
        f"  .process_data :\n  {{\n{of_process('data', process)}  }}\n"
        f"  .hot_data : {PAGE}\n  {{\n    pexcz_data_start = .;\n{sections('data', names)}"
        "    pexcz_hot_data_end = .;\n  }\n"
    )


PYTHON_RUNTIME = f"""  .PyRuntime :
  {{
    *(.PyRuntime)
    . = {PAGE};
    pexcz_data_end = .;
  }}
"""


def bss_sections(process, large_of_process, large):
    """Within .bss likewise.  What starts write to lies side by side, the small
    variables of the process and the listed ones of Python: small_pages.c."""
    cpu_facts = "".join(f"    {file}(.bss COMMON)\n" for file in CPU_FACTS)
    return (
        f"{sections('bss', large_of_process)}    pexcz_small_start = .;\n"
        f"{of_process('bss', process)}{cpu_facts}    *crtbegin*.o(.bss)\n"
        f"    . = {PAGE};\n    pexcz_bss_start = .;\n"
        f"{sections('bss', listed('hot_data.list'))}    pexcz_small_end = .;\n"
        f"{sections('bss', large)}    *(.bss .bss.* .gnu.linkonce.b.*)\n    *(COMMON)\n"
        f"    . = {PAGE};\n    pexcz_bss_end = .;\n"
    )


def replace(script, pattern, new):
    script, count = re.subn(pattern, lambda m: new, script, flags=re.M)
    if count != 1:
        raise LinkError(f"ld's default script does not have one {pattern}")
    return script


def write_linker_script(path, target, process, objects, static):
    """ld's own script with spare room behind the program headers, and with
    static data in the order of data_sections()."""
    command = [target.tool("ld"), "-no-pie", "-z", "lazy", "--verbose"]
    script = subprocess.check_output(command, text=True).split("=" * 50)[1]
    room = f"SIZEOF_HEADERS + {SPARE_PHDRS * PHDR_SIZE}"
    script, count = re.subn(r"\bSIZEOF_HEADERS\b", room, script)
    if count == 0:
        raise LinkError("ld's default script has no SIZEOF_HEADERS")
    nm = target.tool("nm")
    bss = bss_sections(process, large_variables(nm, process), large_variables(nm, objects))
    script = replace(script, r"^    \*\(\.text\.unlikely ", hot_text(static) + "    *(.text.unlikely ")
    script = replace(script, r"^  \.rodata  +:", constants(static, process) + "  .rodata :")
    script = replace(script, r"^  \.data  +:", data_sections(process) + "  .data :")
    script = replace(script, r"^  \.data1  +:.*\n", PYTHON_RUNTIME)
    script = replace(script, r"^ +\*\(\.bss \.bss\.\*.*\n +\*\(COMMON\)\n", bss)
    path.write_text(script)


def write_exports(path, nm, objects, files):
    """A dynamic list: libpython's Py symbols and the names in `files`."""
    text = subprocess.check_output([nm, "-g", "--defined-only", *objects], text=True)
    names = set(re.findall(r" [A-Z] (_?Py\w+)$", text, re.M))
    for file in files:
        names.update(Path(file).read_text().split())
    path.write_text("{\n" + "".join(f"  {n};\n" for n in sorted(names)) + "};\n")


def relocated_data(readelf, executable):
    """Functions of libc whose address ld.so writes into data at each start."""
    text = subprocess.check_output([readelf, "-rW", executable], text=True)
    return sorted(set(re.findall(r" R_X86_64_64 +\w+ (\w+)@", text)))


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
    write_linker_script(script, target, process, own_objects + objects, static)
    compile_addresses(cc, [], addresses)
    run(command)
    compile_addresses(cc, relocated_data(target.tool("readelf"), debug), addresses)
    run(command)
    text = subprocess.check_output(
        [target.tool("nm"), "-D", "--undefined-only", debug], text=True)
    for name in re.findall(r" [Uw] (\w+)", text):
        if ONLY_THERE.fullmatch(name):
            raise LinkError(f"{name} is in librt or libutil of an old glibc")
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
    except (LinkError, targets.TargetError, OSError, KeyError, subprocess.CalledProcessError) as error:
        print(f"link_base: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
