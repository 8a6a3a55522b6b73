# SPDX-License-Identifier: Apache-2.0
"""One small application whose shared objects need each other, packed."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Dict, List

import pytest

BUILD = Path(os.environ["PEXCZ_BUILD"])
PEXCZ = BUILD / "bin/pexcz"
INJECTOR = BUILD / "tests/fault_injector.so"
ALL = os.environ.get("PEXCZ_FAULTS") == "all"

# 6 MB, long enough to be killed meanwhile.  Of each byte seven bits are random:
# stored in two compressed frames, which is as good as it gets.
BIG_BYTES = 6 << 20

PROGRAM = """\
import ctypes, os, sys

HERE = os.path.dirname(os.path.abspath(__file__))

def main():
    process = ctypes.CDLL(None)
    if "FAULT_CALL" in os.environ:
        process.fault_arm()
    top = ctypes.CDLL(os.path.join(HERE, "parts", "top.so"))
    if "FAULT_CALL" in os.environ:
        process.fault_disarm()
    print("answer", top.answer())
    if sys.argv[1:] == ["wait"]:
        sys.stdout.flush()
        sys.stdin.read()
        print("late", ctypes.CDLL(os.path.join(HERE, "parts", "late.so")).late())
"""


def compile_parts(folder: Path) -> None:
    """parts/top.so, which needs parts.libs/libbig.so and libcount.so, which
    need each other; late.so needs nothing."""
    libs = folder / "parts.libs"
    (folder / "parts").mkdir()
    libs.mkdir()
    data = random.Random(1).randbytes(BIG_BYTES)
    (folder / "data").write_bytes(data.translate(bytes(range(128)) * 2))
    sources = {
        "big": '__asm__(".section .rodata\\nbig: .incbin \\"data\\"\\n.text");\n'
        "int count(void);\nint big_one(void) { return count() + 40; }\n",
        "count": "int big_one(void);\nint count(void) { return 2; }\n"
        "int (*keep)(void) = big_one;\n",
        "top": "int big_one(void);\nint answer(void) { return big_one(); }\n",
        "late": "int late(void) { return 7; }\n",
    }

    def cc(name: str, out: Path, *arguments: str) -> None:
        source = folder / f"{name}.c"
        source.write_text(sources[name])
        subprocess.run(
            ["cc", "-shared", "-fPIC", "-O1", source.name, "-o", str(out)]
            + ["-Wl,-z,now", *arguments],
            check=True,
            cwd=folder,
        )
        source.unlink()

    origin = "-Wl,-rpath,$ORIGIN"
    cc("count", libs / "libcount.so", "-Wl,-soname,libcount.so")
    cc("big", libs / "libbig.so", "-Wl,-soname,libbig.so", origin)
    needs = ["-L" + str(libs), "-lbig"]
    for name, *more in (("big", "-lcount"), ("count", "-lbig")):
        cc(name, libs / f"lib{name}.so", f"-Wl,-soname,lib{name}.so", origin,
           needs[0], *more)
    cc("top", folder / "parts/top.so", *needs, "-Wl,-rpath,$ORIGIN/../parts.libs")
    cc("late", folder / "parts/late.so")
    (folder / "data").unlink()


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faults")
    source = folder / "source"
    source.mkdir()
    compile_parts(source)
    (source / "prog.py").write_text(PROGRAM)
    run_checked(
        [sys.executable, "-m", "pex", "-D", source, "-e", "prog:main"]
        + ["-o", folder / "app.pex"],
        {**os.environ, "PEX_ROOT": str(BUILD / "pex/root")},
    )
    exe = folder / "app"
    run_checked([PEXCZ, "pack", "-q", folder / "app.pex", "-o", exe], None)
    folder.chmod(0o755)
    return exe


def run_checked(command: List[object], env: Dict[str, str] | None) -> None:
    done = subprocess.run(
        [str(part) for part in command],
        env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )
    assert done.returncode == 0, done.stdout.decode()


class Points:
    """Fault points tried; the totals are printed at the end."""

    def __init__(self) -> None:
        self.rows: Dict[str, int] = {}

    def add(self, row: str, count: int = 1) -> None:
        self.rows[row] = self.rows.get(row, 0) + count


POINTS = Points()


@pytest.fixture
def points() -> Points:
    return POINTS


def pytest_terminal_summary(terminalreporter) -> None:
    for row, count in POINTS.rows.items():
        terminalreporter.write_line(f"{count:6} {row}")
    total = sum(POINTS.rows.values())
    terminalreporter.write_line(f"{total:6} fault points tried and survived")
