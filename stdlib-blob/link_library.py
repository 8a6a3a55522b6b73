# SPDX-License-Identifier: Apache-2.0
"""Makes libpexcz_runtime.a from a distribution's PYTHON.json and our objects.

link_library.py DIST WORK OUT OBJECT…: one relocatable object that holds the
runtime, libpython and every static library, in an archive of its own.  Only
the embedding API and CPython's are global symbols; the names that vfs/ gives
to libc's functions, and those of OpenSSL, SQLite and so on, are local, so a
program's own copies are not touched.  Beside OUT: OUT.exports, a dynamic list
of CPython's API for programs that load extension modules.
"""

import argparse
import json
import re
import struct
import subprocess
import sys
from pathlib import Path

import link_base

HERE = Path(__file__).resolve().parent
API = re.compile(r"_?Py\w+|pexcz_runtime_\w+")
# Their static archives use thread-local storage of the executable, which a
# shared object cannot have; Python does without.
LEFT_OUT = {"_uuid"}
# An archive that is not position-independent reads these of libc's variables
# directly; it gets copies, which a constructor fills.
LIBC_VARIABLES = ("stdin", "stdout", "stderr")

SHT_SYMTAB = 2
STV_PROTECTED = 3


def pic_path(dist, path):
    """The position-independent twin of an object, where there is one."""
    head, _, rest = path.partition("/")
    twin = dist / head / "pic" / rest
    return twin if twin.is_file() else dist / path


def inputs(dist, info):
    """(objects, static archives) of the core and of all extensions."""
    objects = [pic_path(dist, o) for o in info["core"]["objs"]]
    static = []
    for variants in info["extensions"].values():
        objects += [pic_path(dist, o) for o in variants[0]["objs"]]
        static += [pic_path(dist, entry["path_static"])
                   for entry in variants[0]["links"] if "path_static" in entry]
    return sorted(set(objects)), list(dict.fromkeys(static))


def api_symbols(path):
    """Global symbols of default visibility that are part of an API."""
    text = subprocess.check_output(["readelf", "-sW", path], text=True)
    found = re.findall(r"(?:GLOBAL|WEAK) +DEFAULT +\d+ (\S+)$", text, re.M)
    return sorted({n for n in found if API.fullmatch(n)})


def check_complete(path):
    """What is left undefined is libc's."""
    text = subprocess.check_output(["nm", "-u", path], text=True)
    missing = re.findall(r" U (_?Py\w+|pexcz_\w+|__wrap_\w+)$", text, re.M)
    if missing:
        raise link_base.LinkError("undefined: " + ", ".join(missing))


def protect(path, names):
    """Makes the symbols STV_PROTECTED: exported, never replaced by others."""
    data = bytearray(path.read_bytes())
    (e_shoff,) = struct.unpack_from("<Q", data, 0x28)
    (e_shnum,) = struct.unpack_from("<H", data, 0x3C)
    if e_shnum == 0:  # more sections than the field can count
        (e_shnum,) = struct.unpack_from("<Q", data, e_shoff + 32)
    wanted = {n.encode() for n in names}
    count = 0
    for i in range(e_shnum):
        at = e_shoff + 64 * i
        kind, = struct.unpack_from("<I", data, at + 4)
        offset, size, link = struct.unpack_from("<QQI", data, at + 24)
        if kind != SHT_SYMTAB:
            continue
        (strings,) = struct.unpack_from("<Q", data, e_shoff + 64 * link + 24)
        for symbol in range(offset, offset + size, 24):
            name, _, other, section = struct.unpack_from("<IBBH", data, symbol)
            end = data.index(b"\0", strings + name)
            if section != 0 and bytes(data[strings + name : end]) in wanted:
                data[symbol + 5] = other & ~3 | STV_PROTECTED
                count += 1
    if count != len(wanted):
        raise link_base.LinkError(f"{path}: {count} of {len(wanted)} symbols found")
    path.write_bytes(data)


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise link_base.LinkError(done.stderr.strip()[-4000:])


def renamed_archives(work, static):
    """Copies of the archives that read the copies of libc's variables."""
    result = []
    renames = [f"--redefine-sym={n}=pexcz_copy_of_{n}" for n in LIBC_VARIABLES]
    for archive in static:
        copy = work / archive.name
        run("objcopy", *renames, archive, copy)
        result.append(copy)
    return result


def link(dist, work, out, own_objects, own_modules, cc):
    info = json.loads((dist / "PYTHON.json").read_text())["build_info"]
    work.mkdir(parents=True, exist_ok=True)
    extensions = {n: v for n, v in info["extensions"].items() if n not in LEFT_OUT}
    objects, static = inputs(dist, {**info, "extensions": extensions})
    static = renamed_archives(work, static)
    inittab = work / "inittab.c"
    link_base.write_inittab(inittab, extensions, own_modules)
    include = next((dist / "install/include").glob("python*"))
    made = []
    for source in (inittab, HERE / "glibc_compat.c", HERE / "libc_variables.c"):
        made.append(work / f"{source.stem}.o")
        run(cc, "-O2", "-fPIC", "-isystem", include, "-c", source, "-o", made[-1])
    whole = work / "pexcz_runtime.o"
    run("ld", "-r", "-d", "-o", whole, "--wrap=pthread_exit", *own_objects, *objects, *made,
        "--start-group", *static, "--end-group")
    check_complete(whole)
    names = api_symbols(whole)
    keep = work / "global.list"
    keep.write_text("\n".join(names) + "\n")
    run("objcopy", "--strip-debug", f"--keep-global-symbols={keep}", whole)
    protect(whole, names)
    out.unlink(missing_ok=True)
    run("ar", "rcsD", out, whole)
    whole.unlink()
    exported = "".join(f"  {n};\n" for n in names if n.lstrip("_").startswith("Py"))
    out.with_suffix(".exports").write_text("{\n" + exported + "};\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dist", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--cc", default="gcc")
    parser.add_argument("--module", action="append", default=[])
    parser.add_argument("objects", nargs="+")
    options = parser.parse_intermixed_args()
    try:
        link(options.dist, options.work, options.out, options.objects, options.module,
             options.cc)
    except (link_base.LinkError, OSError, KeyError) as error:
        print(f"link_library: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
