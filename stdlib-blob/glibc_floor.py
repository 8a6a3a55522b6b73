# SPDX-License-Identifier: Apache-2.0
"""Link-time stubs of an old glibc, made from the installed one.

glibc keeps every old symbol version, so "the newest version of each symbol
that is not newer than the floor" is what a linker on the old system would
have bound.  Use the folder with `gcc -B FOLDER/`: gcc takes crt1.o and ld
takes libc.so, libm.so … from there.  Method and proof: docs/portability.md.
"""

import re
import subprocess
import sys
from pathlib import Path

import targets

LIBS = {"c": "libc.so.6", "m": "libm.so.6"}
# Where the machine's stack protector has its guard in ld.so, not in thread data.
LOADERS = {"aarch64": "ld-linux-aarch64.so.1"}
# Their symbols are in the stub of libc.so.6; glibc < 2.34 needs the entries.
EMPTY = {
    "pthread": "libpthread.so.0",
    "dl": "libdl.so.2",
    "rt": "librt.so.1",
    "util": "libutil.so.1",
}
SYMBOL = re.compile(
    r"\s*\d+: ([0-9a-f]+)\s+(\S+) (\w+)\s+(GLOBAL|WEAK)\s+DEFAULT\s+(\S+)"
    r" ([^@\s]+)@@?(GLIBC_[0-9.]+)$"
)
KINDS = {
    "FUNC": ("function", "text", "ax"),
    "IFUNC": ("function", "text", "ax"),
    "NOTYPE": ("function", "text", "ax"),
    "OBJECT": ("object", "data", "aw"),
    "TLS": ("tls_object", "tdata", "awT"),
}


def version_key(version):
    return tuple(int(part) for part in version.replace("GLIBC_", "").split("."))


def old_symbols(library, floor):
    """{symbol: (version, type, size, binding, address)} as the floor has them."""
    text = subprocess.check_output(["readelf", "--dyn-syms", "-W", library], text=True)
    symbols = {}
    for line in text.splitlines():
        m = SYMBOL.match(line)
        if not m or m[5] in ("UND", "ABS") or version_key(m[7]) > floor:
            continue
        known = symbols.get(m[6])
        if known is None or version_key(m[7]) > version_key(known[0]):
            symbols[m[6]] = (m[7], m[3], int(m[2], 0), m[4], m[1])
    return symbols


def write_stub(out, cc, name, soname, symbols):
    lines = []
    # Names of one object stay so: the executable's copy of `environ` is libc's
    # `__environ` only if the linker sees that they are one.
    places = {}
    for symbol, (_, elf_type, size, _, address) in sorted(symbols.items()):
        key = symbol if KINDS[elf_type][0] == "function" else (elf_type, address)
        places.setdefault(key, []).append(symbol)
    for names in places.values():
        kind, section, flags = KINDS[symbols[names[0]][1]]
        size = max(symbols[n][2] for n in names)
        size = 1 if kind == "function" else max(size, 1)
        lines.append(f'.section .{section},"{flags}"\n.balign 16')
        for symbol in names:
            bind = "weak" if symbols[symbol][3] == "WEAK" else "globl"
            lines.append(f".{bind} {symbol}\n.type {symbol}, @{kind}")
            lines.append(f".size {symbol}, {size}\n{symbol}:")
        lines.append(f".skip {size}")
    (out / f"{name}.s").write_text("\n".join(lines) + "\n")
    versions = sorted({v[0] for v in symbols.values()}, key=version_key)
    script = ""
    parent = ""
    for version in versions:
        names = "; ".join(s for s in sorted(symbols) if symbols[s][0] == version)
        script += f"{version} {{ global: {names}; }} {parent};\n"
        parent = version
    (out / f"{name}.map").write_text(script)
    subprocess.check_call(
        [cc, "-shared", "-nostdlib", f"-Wl,-soname,{soname}"]
        + [f"-Wl,--version-script,{out / name}.map"]
        + ["-o", str(out / soname), str(out / f"{name}.s")]
    )


def make(out, floor, cc="gcc"):
    """Fills folder `out`; `floor` is a version such as "2.17"."""
    here = Path(__file__).parent
    out = Path(out)
    target = targets.Target(cc)
    out.mkdir(parents=True, exist_ok=True)
    loader = LOADERS.get(target.machine)
    libraries = {**LIBS, **({"ld": loader} if loader else {})}
    for name, soname in libraries.items():
        symbols = old_symbols(target.ask(f"-print-file-name={soname}"), version_key(floor))
        write_stub(out, cc, name, soname, symbols)
    for name, soname in EMPTY.items():
        subprocess.check_call(
            [cc, "-shared", "-nostdlib", f"-Wl,-soname,{soname}"]
            + ["-o", str(out / soname), "-x", "c", "/dev/null"]
        )
        (out / f"lib{name}.so").write_text(f"INPUT ( {soname} )\n")
    flags = ["-O2", "-fno-pie", "-fno-stack-protector", "-c"]
    members = []
    for source in ("glibc_nonshared.c", "glibc_stat.c"):
        members.append(str(out / source.replace(".c", ".o")))
        subprocess.check_call([cc, *flags, str(here / source), "-o", members[-1]])
    archive = out / "libc_nonshared.a"
    archive.unlink(missing_ok=True)
    subprocess.check_call([target.tool("ar"), "rcsD", str(archive), *members])
    start = here / f"glibc_crt1_{target.machine}.S"
    subprocess.check_call([cc, "-c", str(start), "-o", str(out / "crt1.o")])
    rest = f" AS_NEEDED ( {loader} )" if loader else ""
    (out / "libc.so").write_text(f"GROUP ( libc.so.6 libc_nonshared.a{rest} )\n")
    (out / "libm.so").write_text("INPUT ( libm.so.6 )\n")


def highest_version(elf):
    """The newest GLIBC_ version that an executable asks for, or None."""
    text = subprocess.check_output(["readelf", "-V", "-W", str(elf)], text=True)
    found = re.findall(r"\bGLIBC_([0-9][0-9.]*)", text)
    return max(found, key=version_key) if found else None


if __name__ == "__main__":
    make(sys.argv[1], sys.argv[2])
