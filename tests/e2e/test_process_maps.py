# SPDX-License-Identifier: Apache-2.0
"""Programs look for the libraries of their process in /proc/self/maps: packed
shared objects have the names there that they have everywhere."""

from __future__ import annotations

from typing import Callable, Dict

import pytest
from conftest import App, Sides

PROGRAM = """\
import ctypes, os, re
import markupsafe._speedups, msgpack._cmsgpack

LIBC = ctypes.CDLL(None)
LIBC.fopen.restype = ctypes.c_void_p
LIBC.fread.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_void_p]

def lines(path):
    with open(path) as file:
        return [line.rstrip("\\n") for line in file]

def lines_of_c(path):
    stream = LIBC.fopen(path.encode(), b"r")
    text = ctypes.create_string_buffer(1 << 20)
    size = LIBC.fread(text, 1, len(text), stream)
    LIBC.fclose(ctypes.c_void_p(stream))
    return text.raw[:size].decode().splitlines()

def packed(lines):
    return [line for line in lines if re.search(r"/(markupsafe|msgpack)/\\S+\\.so$", line)]

def names(lines):
    return sorted({line[73:] for line in packed(lines)})

def main():
    for part in "self", str(os.getpid()), "thread-self":
        print(names(lines(f"/proc/{part}/maps")), names(lines(f"/proc/{part}/smaps")))
    print(names(lines_of_c("/proc/self/maps")))
    for name in names(lines("/proc/self/maps")):
        library = ctypes.CDLL(name, os.RTLD_NOLOAD)
        init = "PyInit_" + os.path.basename(name).partition(".")[0]
        print(hasattr(library, init), os.path.samefile(name, {
            "PyInit__speedups": markupsafe._speedups, "PyInit__cmsgpack": msgpack._cmsgpack,
        }[init].__file__))
    # All but the names is the kernel's.
    kernel = {tuple(line.split()[:5]) for line in lines("/proc//self/maps")}
    print(all(tuple(line.split()[:5]) in kernel for line in packed(lines("/proc/self/maps"))))
    for flags in os.O_RDONLY, os.O_CLOEXEC:
        descriptor = os.open("/proc/self/maps", flags)
        print(descriptor < 20, os.get_inheritable(descriptor))
        with open(descriptor, "rb") as file:
            print(file.read().count(b"/_speedups.") > 1)
    for flags in os.O_RDWR, os.O_RDONLY | os.O_DIRECTORY:
        try:
            os.open("/proc/self/maps", flags)
        except OSError as error:
            print(type(error).__name__)
"""


@pytest.fixture(params=["restored", "cache", "memory"])
def start_env(request: pytest.FixtureRequest) -> Dict[str, str]:
    if request.param == "restored":
        return {"PEXCZ_SNAPSHOT": "explain"}
    return {"PEXCZ_SNAPSHOT": "0", "PEXCZ_SHARED_OBJECTS": request.param}


def test_names_of_packed_libraries(make_app: Callable[..., App], sides: Sides) -> None:
    app = make_app(
        *("markupsafe", "msgpack", "-e", "maps:main"), sources={"maps.py": PROGRAM}
    )
    done = sides.compare(app)
    assert done.code == 0 and "markupsafe/_speedups" in done.text
