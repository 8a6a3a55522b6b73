# SPDX-License-Identifier: Apache-2.0
"""Start-up and packing times, against Python itself: docs/benchmarks.md.

Prints a table and writes build/bench.json.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence

from measure import Candidate, interleave
from subjects import (
    AWS_CONSTRAINTS,
    CHECK,
    DATA_CONSTRAINTS,
    HELLO,
    HITS,
    IMPORTED,
    NUMPY,
    RESPONSE,
    TABLE,
    Subjects,
)

# Ratios to the reference: from the snapshot, booted ordinarily.
BOUNDS: Dict[str, Sequence[Optional[float]]] = {
    "hello": (0.20, 0.85),
    "imports of the standard library": (0.03, 0.60),
    "cowsay": (0.12, 0.65),
    "pip --version": (0.12, 0.65),
    "rich table": (0.12, 0.65),
    "django-admin version": (0.12, 0.65),
    "django check": (0.12, 0.65),
    "import numpy": (0.08, 0.85),
    **{f"import {name}": (0.06, 1.00) for name in IMPORTED},
    "import pandas": (0.15, 1.00),
    "flask response": (0.20, 1.00),
    "black --version": (0.12, 0.85),
    "http --version": (0.12, 0.85),
    "import botocore.session": (0.06, 1.00),
    "botocore client": (0.12, 0.85),
    "aws --version": (0.12, 1.00),
}
# Other numbers, with their unit.
LIMITS = {
    "20,000 modules against 100": (1.05, "x"),
    "a hit, without unmarshalling and body": (15.0, "us"),
    "packing cowsay": (2.0, "s"),
    "packing 200 MB": (15.0, "s"),
    "hello without snapshot": (22.0, "MB"),
    "hello with snapshot": (34.0, "MB"),
    "memory of its own, hello": (3.0, "MB"),
}
DEBIAN_PYTHON = "/usr/bin/python3.11"


@dataclass
class Row:
    name: str
    reference: Sequence[str]
    exe: Path
    arguments: Sequence[str] = ()


def rows(subjects: Subjects) -> Iterator[Row]:
    python = str(subjects.python)
    bin_ = subjects.venv()
    scripts = subjects.scripts()
    venv_python = str(bin_ / "python")
    exe = subjects.pack(subjects.pex("-e", "hello:main", hello=HELLO), "hello")
    yield Row("hello", [python, "-I", "-S", "-c", "print('hello')"], exe)
    names = subjects.modules_of_snapshots()
    text = "".join(f"import {name}\n" for name in names)
    pex = subjects.pex("-e", "imports:main", imports=text + "def main(): pass\n")
    yield Row("imports of the standard library", [python, "-I", "-S", "-c", text],
              subjects.pack(pex, "imports"))  # fmt: skip
    exe = subjects.pack(subjects.pex("cowsay", "-c", "cowsay"), "cowsay",
                        "--snapshot-warm=-t hello")  # fmt: skip
    yield Row("cowsay", [str(bin_ / "cowsay"), "-t", "moo"], exe, ["-t", "moo"])
    exe = subjects.pack(subjects.pex("pip", "-c", "pip"), "pip",
                        "--snapshot-warm=--version")  # fmt: skip
    yield Row("pip --version", [str(bin_ / "pip"), "--version"], exe, ["--version"])
    exe = subjects.pack(subjects.pex("rich", "-e", "table:main", table=TABLE), "table",
                        "--snapshot-warm=")  # fmt: skip
    yield Row("rich table", [venv_python, "-I", str(scripts["table"])], exe)
    exe = subjects.pack(subjects.pex("django", "-c", "django-admin"), "django",
                        "--snapshot-warm=version")  # fmt: skip
    yield Row("django-admin version", [str(bin_ / "django-admin"), "version"], exe,
              ["version"])  # fmt: skip
    exe = subjects.pack(subjects.pex("django", "-e", "check:main", check=CHECK), "check",
                        "--snapshot-warm=")  # fmt: skip
    yield Row("django check", [venv_python, "-I", str(scripts["check"])], exe)
    exe = subjects.pack(
        subjects.pex("numpy", "-e", "numpy_sum:main", numpy_sum=NUMPY), "numpy_sum"
    )
    yield Row("import numpy", [venv_python, "-I", str(scripts["numpy_sum"])], exe)
    for name in IMPORTED:
        text = f"import {name}\n"
        pex = subjects.pex(name, "-e", "user:main", user=text + "def main(): pass\n")
        yield Row(f"import {name}", [venv_python, "-I", "-c", text],
                  subjects.pack(pex, f"import-{name}"))  # fmt: skip
    pex = subjects.pex("flask", "-e", "response:main", response=RESPONSE)
    exe = subjects.pack(pex, "response", "--snapshot-warm=")
    yield Row("flask response", [venv_python, "-I", str(scripts["response"])], exe)
    exe = subjects.pack(subjects.pex("black", "-c", "black"), "black",
                        "--snapshot-warm=--version")  # fmt: skip
    yield Row("black --version", [str(bin_ / "black"), "--version"], exe, ["--version"])
    exe = subjects.pack(subjects.pex("httpie", "-c", "http"), "http",
                        "--snapshot-warm=--version")  # fmt: skip
    yield Row("http --version", [str(bin_ / "http"), "--version"], exe, ["--version"])
    yield from rows_of_botocore(subjects, scripts["client"])
    yield row_of_aws(subjects)


def rows_of_botocore(subjects: Subjects, client: Path) -> Iterator[Row]:
    bin_ = subjects.venv("venv-botocore", ["botocore"], DATA_CONSTRAINTS)
    text = "import botocore.session\n"
    pexes = {
        "import botocore.session": {"main": text + "def main(): pass\n"},
        "botocore client": {"main": client.read_text()},
    }
    commands = (["-c", text], [str(client)])
    for (name, sources), command in zip(pexes.items(), commands):
        pex = subjects.pex("botocore", "-e", "main:main", constraints=DATA_CONSTRAINTS, **sources)
        warm = ["--snapshot-warm="] if name == "botocore client" else []
        exe = subjects.pack(pex, name.replace(" ", "-"), *warm)
        yield Row(name, [str(bin_ / "python"), "-I", *command], exe)


def row_of_aws(subjects: Subjects) -> Row:
    bin_ = subjects.venv("venv-aws", ["awscli"], AWS_CONSTRAINTS)
    pex = subjects.pex("awscli", "-c", "aws", constraints=AWS_CONSTRAINTS)
    exe = subjects.pack(pex, "aws", "--snapshot-warm=--version")
    return Row("aws --version", [str(bin_ / "aws"), "--version"], exe, ["--version"])


def measure(row: Row, runs: int, home: str) -> Dict[str, object]:
    command = [str(row.exe), *row.arguments]
    candidates = {
        "reference": Candidate(row.reference),
        "snapshot": Candidate(command),
        "ordinary": Candidate(command, {"PEXCZ_SNAPSHOT": "0"}),
    }
    if row.reference[1:3] == ["-I", "-S"] and os.path.exists(DEBIAN_PYTHON):
        debian = Candidate([DEBIAN_PYTHON, *row.reference[1:]])
        try:
            debian.run(home)
            candidates["debian"] = debian
        except RuntimeError:
            pass  # it has not all modules
    interleave(candidates, runs, home)
    return {
        "name": row.name,
        "bounds": BOUNDS[row.name],
        "median_ms": {n: c.median * 1e3 for n, c in candidates.items()},
        "minimum_ms": {n: c.minimum * 1e3 for n, c in candidates.items()},
        "ratio": {
            n: c.median / candidates["reference"].median for n, c in candidates.items()
        },
    }


def many_modules(subjects: Subjects, runs: int, home: str) -> float:
    """The start with 20,000 modules in the file against the one with 100."""
    found = {}
    for count in 100, 20_000:
        pex = subjects.folder / f"modules-{count}.pex"
        small = subjects.pex("-e", "hello:main", hello=HELLO)
        shutil.copy(small, pex)
        with zipfile.ZipFile(pex, "a") as z:
            for i in range(count):
                z.writestr(f"many/m{i // 100}/m{i}.py", f"x = {i}\n")
        exe = subjects.pack(pex, f"modules-{count}", "--snapshot", "off")
        found[str(count)] = Candidate([str(exe)])
    interleave(found, 4 * runs, home)
    return found["20000"].minimum / found["100"].minimum


def hit(subjects: Subjects, runs: int, home: str) -> float:
    """What the importer takes for a module that is there, in us."""
    pex = subjects.folder / "hits.pex"
    shutil.copy(subjects.pex("-e", "hits:main", hits=HITS), pex)
    with zipfile.ZipFile(pex, "a") as z:
        z.writestr("many/__init__.py", "")
        for i in range(2000):
            z.writestr(f"many/m{i}.py", "x = 1\n")
    exe = subjects.pack(pex, "hits", "--snapshot", "off")
    outputs = [
        subprocess.run([str(exe)], env={"HOME": home}, stdin=subprocess.DEVNULL,
                       capture_output=True, text=True, check=True).stdout
        for _ in range(runs)
    ]  # fmt: skip
    return statistics.median(map(float, outputs))


def packing(subjects: Subjects, pex: Path) -> float:
    start = time.perf_counter()
    subjects.pack(pex, "packed")
    return time.perf_counter() - start


def big_pex(subjects: Subjects) -> Path:
    """200 MB of data that hardly compresses, in 200 members."""
    pex = subjects.folder / "big.pex"
    if not pex.exists():
        shutil.copy(subjects.pex("-e", "hello:main", hello=HELLO), pex)
        with zipfile.ZipFile(pex, "a") as z:
            for i in range(200):
                z.writestr(f"data/{i}.bin", os.urandom(1_000_000))
    return pex


def private_dirty(exe: Path, home: str) -> float:
    """MB of memory that a start does not share with others of the file."""
    read = "print(open('/proc/self/smaps_rollup').read())"
    done = subprocess.run(
        [str(exe), read], env={"LANG": "C.UTF-8", "HOME": home}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    for line in done.stdout.splitlines():
        if line.startswith("Private_Dirty:"):
            return int(line.split()[1]) / 1e3
    raise RuntimeError("no Private_Dirty in smaps_rollup")


def other_numbers(subjects: Subjects, runs: int, home: str) -> Dict[str, float]:
    hello = subjects.pex("-e", "hello:main", hello=HELLO)
    plain = subjects.pack(hello, "hello-plain", "--snapshot", "off")
    runner = subjects.pack(
        subjects.pex("-e", "run:main", run="import sys\ndef main(): exec(sys.argv[1])\n"),
        "runner",
    )
    return {
        "20,000 modules against 100": many_modules(subjects, runs, home),
        "a hit, without unmarshalling and body": hit(subjects, runs, home),
        "packing cowsay": packing(subjects, subjects.pex("cowsay", "-c", "cowsay")),
        "packing 200 MB": packing(subjects, big_pex(subjects)),
        "hello without snapshot": plain.stat().st_size / 1e6,
        "hello with snapshot": (subjects.folder / "hello").stat().st_size / 1e6,
        "memory of its own, hello": private_dirty(runner, home),
    }


def verdict(value: float, bound: Optional[float]) -> str:
    return "" if bound is None else "ok" if value <= bound else "MISSED"


def print_row(found: Dict[str, object]) -> List[str]:
    """The table's line; returns what was missed."""
    median, ratio, bounds = found["median_ms"], found["ratio"], found["bounds"]
    verdicts = [verdict(ratio[m], b) for m, b in zip(("snapshot", "ordinary"), bounds)]
    line = f"{found['name']:34}{median['reference']:9.2f}"
    for mode, bound, word in zip(("snapshot", "ordinary"), bounds, verdicts):
        line += f"{median[mode]:9.2f}{ratio[mode]:7.3f} <= {bound:4.2f} {word:6}"
    if "debian" in median:
        line += f"{median['debian']:9.2f}"
    print(line, flush=True)
    return [found["name"]] if "MISSED" in verdicts else []


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--check", action="store_true", help="fail on a missed bound")
    parser.add_argument("--only", default="", help="rows whose name has this in it")
    options = parser.parse_args()
    build = Path(os.environ["PEXCZ_BUILD"])
    subjects = Subjects(build, options.python.absolute())
    home = str(subjects.folder / "home")
    missed: List[str] = []
    results = []
    print(f"{'ms, medians':34}{'python':>9}{'snapshot':>9}  ratio  bound"
          f"{'ordinary':>16}  ratio  bound{'debian':>15}")  # fmt: skip
    for row in rows(subjects):
        if options.only in row.name:
            results.append(measure(row, options.runs, home))
            missed += print_row(results[-1])
    numbers = {}
    if not options.only:
        numbers = other_numbers(subjects, options.runs, home)
    for name, value in numbers.items():
        bound, unit = LIMITS[name]
        word = verdict(value, bound)
        print(f"{name:34}{value:9.2f} {unit:2} <= {bound:5.2f} {word}")
        missed += [name] if word == "MISSED" else []
    (build / "bench.json").write_text(
        json.dumps({"rows": results, "numbers": numbers, "missed": missed}, indent=1)
    )
    return 1 if missed and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
