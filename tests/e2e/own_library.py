# SPDX-License-Identifier: Apache-2.0
"""Shared objects that tests compile themselves: the extension module `own`."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from pathlib import Path
from textwrap import dedent
from typing import List

import pytest
from sides import VERSION, run

MODULE = """\
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <dlfcn.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
%s
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "own", NULL, -1, methods};
PyMODINIT_FUNC PyInit_own(void)
{
    PyObject *module = PyModule_Create(&definition);
    if (module != NULL && start(module) < 0) return NULL;
    return module;
}
"""

START = "static PyMethodDef methods[] = {{0}}; static int start(PyObject *m) "

USER = """\
import own, other
def main():
    import sys
    print(own.__name__, hasattr(own, "x"), *sys.argv[1:])
"""


def compile_c(folder: Path, text: str, *options: str) -> bytes:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    source = folder / "source.c"
    source.write_text(dedent(text))
    out = folder / "object.so"
    command = [compiler, "-shared", "-fPIC", "-O1", *options, source, "-o", out]
    subprocess.run(command, check=True)
    return out.read_bytes()


def own_file(build: Path, folder: Path, text: str, *options: str) -> tuple[str, bytes]:
    """The name and the content of the module with this C text."""
    include = build / f"dist/{VERSION}/python/install/include/python{VERSION}"
    content = compile_c(folder, MODULE % text, f"-I{include}", *options)
    return f"own{sysconfig.get_config_var('EXT_SUFFIX')}", content


def both(exe: Path, *arguments: str) -> List[str]:
    """The output, restored and booted."""
    env = {"LANG": "C.UTF-8", "HOME": str(exe.parent)}
    outs = []
    for value in "explain", "0":
        done = run([exe, *arguments], env={**env, "PEXCZ_SNAPSHOT": value})
        assert (done.code, done.err) == (0, b""), done.err.decode()
        outs.append(done.out.decode())
    return outs
