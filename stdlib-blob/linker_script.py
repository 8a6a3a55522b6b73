# SPDX-License-Identifier: Apache-2.0
"""The linker script of the base: ld's own, with spare room behind the program
headers, and with code and data in an order that starts have few page faults by.

- Functions that starts run, and variables that they write to, lie side by side
  (hot_text.list, hot_data.list).
- What the process owns has its data apart from Python's, which a snapshot
  replaces (runtime/owned_data.c).
"""

import re
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGE = "ALIGN(CONSTANT (MAXPAGESIZE))"
# Of a variable that is no neighbour for small ones, in bytes.
LARGE = 4000
SPARE_PHDRS = 8
PHDR_SIZE = 56
# Here static libraries note what the CPU can do, which is for each process to
# find out: liblzma, libcrypto.
CPU_FACTS = "*:*-crc64_fast.o", "*:*-x86_64cpuid.o", "*:*-lib-cpuid.o"
# What runs before main(), of the compiler and of glibc_floor.py.
CALLERS_OF_MAIN = "*crt1.o", "*crtbegin*.o", "*libc_nonshared.a:*"


class ScriptError(Exception):
    pass


def sections(kind, names):
    return "".join(f"    *(.{kind}.{name})\n" for name in names)


def patterns(process):
    """The process' own objects and archives, as a linker script names them."""
    return [f"{path}:*" if str(path).endswith(".a") else str(path) for path in process]


def inputs(kind, files):
    return "".join(f"    {file}(.{kind} .{kind}.*)\n" for file in files)


def of_process(kind, process):
    return inputs(kind, patterns(process))


def of_libraries(kind, static):
    return inputs(kind, (f"*{name}:*" for name in sorted(Path(path).name for path in static)))


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
    return (
        f"  .library_rodata :\n  {{\n{of_libraries('rodata', static)}  }}\n"
        f"  .process_rodata :\n  {{\n{of_process('rodata', process)}  }}\n"
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
        raise ScriptError(f"ld's default script does not have one {pattern}")
    return script


def write(path, target, process, objects, static):
    """`process`: objects and archives of the process; `objects`: of Python;
    `static`: archives of libraries."""
    command = [target.tool("ld"), "-no-pie", "-z", "lazy", "--verbose"]
    script = subprocess.check_output(command, text=True).split("=" * 50)[1]
    room = f"SIZEOF_HEADERS + {SPARE_PHDRS * PHDR_SIZE}"
    script, count = re.subn(r"\bSIZEOF_HEADERS\b", room, script)
    if count == 0:
        raise ScriptError("ld's default script has no SIZEOF_HEADERS")
    nm = target.tool("nm")
    bss = bss_sections(process, large_variables(nm, process), large_variables(nm, objects))
    script = replace(script, r"^    \*\(\.text\.unlikely ", hot_text(static) + "    *(.text.unlikely ")
    script = replace(script, r"^  \.rodata  +:", constants(static, process) + "  .rodata :")
    script = replace(script, r"^  \.data  +:", data_sections(process) + "  .data :")
    script = replace(script, r"^  \.data1  +:.*\n", PYTHON_RUNTIME)
    script = replace(script, r"^ +\*\(\.bss \.bss\.\*.*\n +\*\(COMMON\)\n", bss)
    path.write_text(script)
