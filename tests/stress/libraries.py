# SPDX-License-Identifier: Apache-2.0
"""Starts packed files with libraries in their snapshots again and again, several
at once, under settings that libraries look at when they are loaded.  All print
the same, which an ordinary boot did.

libraries.py [--starts N] [PROGRAM...]: N starts of each program; exit code 1 and
a message on each that differs.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Dict, List, Tuple

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / "tests"), str(REPOSITORY / "tests/e2e")]

import four_libraries  # noqa: E402
import library_apps  # noqa: E402
import totals  # noqa: E402
from four_libraries import NO_AVX, NO_AVX2, SETTINGS  # noqa: E402
from pexes import Offline, build_pex  # noqa: E402

BUILD = Path(os.environ["PEXCZ_BUILD"])
AT_ONCE = 6
TIMEOUT = 120  # seconds for one start: it hangs

BLACK = """\
import black

def main():
    print(black.format_str("x = { 'a':1 }", mode=black.Mode()))
"""
# The arguments and sources of each program's PEX.
PROGRAMS: Dict[str, Tuple[List[str], Dict[str, str]]] = {
    "four": ([*four_libraries.PROJECTS, "-e", "work:main"], four_libraries.SOURCE),
    **{name: library_apps.recipe(name) for name in ("data", "web", "models", "natives")},
    "black": (["black", "-e", "tidy:main"], {"tidy.py": BLACK}),
}
# Of the others no library reads what OpenBLAS does.
OTHER_SETTINGS: List[Dict[str, str]] = [
    {}, *({"GLIBC_TUNABLES": mask["GLIBC_TUNABLES"]} for mask in (NO_AVX2, NO_AVX))
]  # fmt: skip


def start(exe: Path, settings: Dict[str, str], snapshot: str) -> str:
    """What it printed, or what went wrong."""
    env = {"LANG": "C.UTF-8", "HOME": str(exe.parent), "PEXCZ_SNAPSHOT": snapshot}
    try:
        done = subprocess.run([exe], env={**env, **settings}, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=TIMEOUT)  # fmt: skip
    except subprocess.TimeoutExpired:
        return "hangs"
    if (done.returncode, done.stderr) != (0, b""):
        return f"code {done.returncode}, stderr {done.stderr!r}, stdout {done.stdout!r}"
    return done.stdout.decode()


def run(exe: Path, several: List[Dict[str, str]], starts: int) -> int:
    """The number of starts that printed something else."""
    want = start(exe, several[0], "0")
    wrong = 0 if want and not want.startswith(("code ", "hangs")) else starts
    if wrong:
        print(f"stress: {exe.name}, booted: {want}", file=sys.stderr)
        return wrong
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        order = [several[i % len(several)] for i in range(starts)]
        for settings, got in zip(
            order, pool.map(lambda s: start(exe, s, "explain"), order)
        ):
            if got != want:
                wrong += 1
                print(f"stress: {exe.name}, {settings}: {got}\ninstead of {want}", file=sys.stderr)
    return wrong


def stress(name: str, starts: int) -> Tuple[int, int, int]:
    """1 for passed, failed or skipped."""
    arguments, sources = PROGRAMS[name]
    with tempfile.TemporaryDirectory() as folder:
        exe = Path(folder) / name
        try:
            pex = build_pex(BUILD, arguments, sources)
        except Offline as error:
            print(f"no PEX: {error}")
            return 0, 0, 1
        subprocess.run([BUILD / "bin/pexcz-pack", "-q", "--snapshot", "require", pex,
                        "-o", exe], check=True)  # fmt: skip
        several = [*SETTINGS.values()] if name == "four" else OTHER_SETTINGS
        wrong = run(exe, several, starts)
    print(f"{name}: {starts} starts with libraries, {wrong} wrong", flush=True)
    return int(wrong == 0), int(wrong != 0), 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=5000)
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", default=list(PROGRAMS))
    options = parser.parse_args()
    results = [stress(name, options.starts) for name in options.programs]
    passed, failed, skipped = (sum(column) for column in zip(*results))
    totals.report(passed, failed, skipped)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
