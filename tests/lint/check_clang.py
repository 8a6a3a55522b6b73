# SPDX-License-Identifier: Apache-2.0
"""Compiles every C file with clang, warnings being errors; makes no output.

usage: check_clang.py FLAGS PYTHON_INCLUDE

Files that need Python.h are skipped while it is not built.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import compile_commands  # noqa: E402
import totals  # noqa: E402


def compile_one(source):
    flags, python_include = sys.argv[1:3]
    needs_python = source.startswith(compile_commands.WITH_PYTHON)
    if needs_python and not Path(python_include, "Python.h").exists():
        print(f"skipped {source}: Python is not built")
        return "skipped"
    args = compile_commands.arguments(source, flags, python_include)
    done = subprocess.run(
        ["clang", *args, "-fsyntax-only", source],
        stderr=subprocess.PIPE,
        check=False,
        text=True,
    )
    if done.returncode == 0:
        return "passed"
    print(f"FAILED  {source}\n{done.stderr}", flush=True)
    return "failed"


def main():
    count = {"passed": 0, "failed": 0, "skipped": 0}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for outcome in pool.map(compile_one, compile_commands.sources()):
            count[outcome] += 1
    totals.report(**count)
    return 1 if count["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
