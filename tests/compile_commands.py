# SPDX-License-Identifier: Apache-2.0
"""Prints compile_commands.json for every C file of the tree.

usage: compile_commands.py FLAGS [PYTHON_INCLUDE]

FLAGS are the Makefile's; PYTHON_INCLUDE is the folder with the Python.h that
importer/ and runtime/ are compiled with.  lint/check_clang.py compiles with
the same flags.  The C files of stdlib-blob/ are not there: they stand in for
parts of libc, and its scripts have flags of their own for them.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import List

ROOT = Path(__file__).resolve().parents[1]
# Folders whose headers a folder may include, beside its own and blob/: the
# dependency rule of docs/design.md.  Tests see what they test.
INCLUDES = {
    "blob": [],
    "packer": ["cache"],
    "vfs": [],
    "importer": [],
    "tests/embed": ["runtime/include"],
    "samples/embed/c": ["runtime/include"],
    "samples/embed/plugin": ["runtime/include"],
    "runtime": ["importer", "vfs", "cache"],
    "tests/unit": ["packer", "vfs", "runtime"],
    "tests/vfs": ["vfs"],
    "bench": ["vfs"],
    "tests/format": [],
    "tests/fuzz": ["packer", "vfs", "tests/unit"],
}
WITH_PYTHON = ("importer/", "runtime/", "tests/embed/")
PEDANTIC = ("blob/", "packer/", "vfs/")


def sources() -> List[str]:
    done = subprocess.run(
        ["git", "ls-files", "*.c"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return [
        name
        for name in done.stdout.splitlines()
        if (ROOT / name).exists() and not name.startswith("stdlib-blob/")
    ]


def arguments(source: str, flags: str, python_include: str) -> List[str]:
    """What comes between the compiler and the source."""
    args = shlex.split(flags)
    folder = str(Path(source).parent)
    args += [f"-I{other}" for other in INCLUDES.get(folder, [])]
    if source.startswith(PEDANTIC):
        args.append("-Wpedantic")
    if source.startswith(WITH_PYTHON) and python_include:
        args += ["-isystem", python_include]
    if source == "tests/fuzz/replay.c":
        args.append('-DCORPUS="tests/fuzz/corpus"')
    return args


def main() -> None:
    flags, python_include = [*sys.argv[1:], "", ""][:2]
    commands = [
        {
            "directory": str(ROOT),
            "file": source,
            "arguments": [
                "clang",
                *arguments(source, flags, python_include),
                "-c",
                source,
            ],
        }
        for source in sources()
    ]
    json.dump(commands, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
