# SPDX-License-Identifier: Apache-2.0
"""A snapshot is bound to its processor's features when a shared object has asked
for them while it was imported, and only then."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Callable, Dict, List

import pytest
from conftest import PACK, PEXCZ, run
from library_apps import recipe
from own_library import both

ASK = """\
#include <cpuid.h>
static unsigned kept;
static __attribute__((noinline)) unsigned ask(unsigned leaf)
{
    unsigned a, b, c = 0, d;
    __cpuid_count(leaf, 0, a, b, c, d);
    return d;
}
static __attribute__((noinline)) unsigned ask_for_state(void)
{
    unsigned a, d;
    __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    return a;
}
static PyObject *now(PyObject *self, PyObject *args)
{
    return Py_BuildValue("II", kept, ask(1));
}
static PyObject *state(PyObject *self, PyObject *args)
{
    return PyLong_FromUnsignedLong(ask_for_state());
}
static PyMethodDef methods[] = {
    {"now", now, METH_NOARGS, NULL}, {"state", state, METH_NOARGS, NULL}, {0}
};
"""
NOTHING = "static int start(PyObject *m) { return 0; }\n"

# What else the library has, and whether that binds the snapshot.
LIBRARIES = {
    "asks later": (NOTHING, False),
    "bytes": (
        """\
        static volatile unsigned long words[2];
        static __attribute__((noinline)) void move(void)
        {
            words[0] = 0x11a20f11;
            words[1] = 0x11d0010f11111111;
        }
        static int start(PyObject *m) { move(); return words[0] != 0x11a20f11; }
        """,
        False,
    ),
    "import": ("static int start(PyObject *m) { kept = ask(1); return 0; }\n", True),
    "state": ("static int start(PyObject *m) { kept = ask_for_state(); return 0; }\n", True),
    "constructor": (
        NOTHING + "__attribute__((constructor)) static void first(void) { kept = ask(1); }\n",
        True,
    ),
    # It has no entry in .eh_frame: what its bytes are, nobody knows.
    "assembler": (
        NOTHING + '__asm__(".text; nop; plain: push %rbx; cpuid; pop %rbx; ret");\n',
        True,
    ),
    "prefix": (
        NOTHING + "static void never(void)\n"
        '{ __asm__ volatile(".byte 0x48; cpuid" ::: "rax", "rbx", "rcx", "rdx"); }\n'
        "void (*used)(void) = never;\n",
        True,
    ),
}

USER = "import own, other\ndef main():\n    print(list(own.now()))\n"


def snapshot(exe: Path) -> Dict[str, object]:
    report: Dict[str, object] = json.loads(
        run([PEXCZ, "inspect", "--snapshot", "--json", exe]).out
    )
    return report


def emulated(emulator: str, exe: Path, model: str) -> List[bytes]:
    """What it prints on another processor, and what `explain` has to say."""
    env = {"LANG": "C.UTF-8", "HOME": str(exe.parent), "PEXCZ_SNAPSHOT": "explain"}
    done = run([emulator, "-cpu", model, exe], env=env)
    assert done.code == 0, done.err.decode()
    own = [line for line in done.err.splitlines() if b"TCG doesn't support" not in line]
    return [done.out, b"\n".join(own)]


@pytest.mark.parametrize("name", LIBRARIES)
def test_who_asks(pack_own: Callable[..., Path], name: str) -> None:
    text, binds = LIBRARIES[name]
    exe = pack_own(ASK + text, user=USER)
    report = snapshot(exe)
    assert len(report["libraries"]) == 1 and report["left"] == []
    assert report["needs_processor"] is binds
    restored, booted = both(exe)
    assert restored == booted


@pytest.mark.parametrize("name", ["asks later", "import"])
def test_another_processor(
    pack_own: Callable[..., Path], emulator: str, name: str
) -> None:
    """Each answer is that of the processor that the process runs on."""
    text, binds = LIBRARIES[name]
    exe = pack_own(ASK + text, user=USER)
    out, explanation = emulated(emulator, exe, "Nehalem")
    why = b"pexcz: ordinary boot: a shared object was made for another processor"
    assert explanation == (why if binds else b"")
    kept, now = json.loads(out)
    assert kept == (now if binds else 0)
    assert now != json.loads(both(exe)[0])[1]


def test_application_on_another_processor(
    make_pex: Callable[..., Path], emulator: str, tmp_path: Path
) -> None:
    """aiohttp, Flask and requests, restored where AVX is missing."""
    arguments, sources = recipe("web")
    exe = tmp_path / "app"
    report = run([PACK, "-q", make_pex(*arguments, sources=sources), "-o", exe])
    assert report.code == 0, report.err.decode()
    assert snapshot(exe)["needs_processor"] is False
    want = both(exe)[0]
    assert emulated(emulator, exe, "Nehalem") == [want.encode(), b""]
