# SPDX-License-Identifier: Apache-2.0
"""Mercurial's own tests with a packed `hg` and with that of a virtual environment.

usage: mercurial.py --python PYTHON [--tests N] [--check]

From Mercurial's source distribution: its wheel, with the C extensions, and its
tests/run-tests.py, which the environment's Python runs for both.  Which tests: the
N test-*.t that are the smallest files, without loops of the shell and not about
run-tests.py itself, so that many different ones are done in an hour.  They are
run in groups, each group by one and the other in turn.  A test's CPU time is what
run-tests.py says of it: user and system time of all that it starts, shells and
helpers of the tests included.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Sequence

VERSION = "6.9.5"
GROUP = 20  # tests
BOUND = 0.40
LEAST = 200  # tests that are not skipped
# Loops of the shell, and tests of run-tests.py itself, which build Mercurial.
SLOW = re.compile(rb"^  [$>] .*\b(for|while|seq|run-tests\.py)\b", re.MULTILINE)

# run-tests.py sets these variables, each to the same for all tests; what `hg version`
# imports is what each command does.
PACKING = ["--snapshot=require", "--snapshot-warm=version", "--snapshot-env=HGENCODING=ascii",
           "--snapshot-env=HGENCODINGMODE=strict", "--snapshot-env=HGEMITWARNINGS=1"]  # fmt: skip


def call(*command: object) -> None:
    subprocess.run([str(c) for c in command], check=True, stdout=subprocess.DEVNULL)


@dataclass
class Suite:
    build: Path
    folder: Path
    python: Path

    def prepare(self) -> None:
        done = self.folder / "done"
        if done.exists() and done.read_text() == VERSION:
            return
        project = f"mercurial=={VERSION}"
        pip = [sys.executable, "-m", "pip", "-q"]
        call(*pip, "download", "--no-deps", "--no-binary", ":all:", project, "-d", self.folder)
        with tarfile.open(self.folder / f"mercurial-{VERSION}.tar.gz") as tar:
            tar.extractall(self.folder, filter="data")
        call(*pip, "wheel", "--no-deps", self.source, "-w", self.folder)
        call(self.python, "-m", "venv", "--clear", "--without-pip", self.folder / "venv")
        call(*pip, "--python", self.folder / "venv/bin/python", "install", "--no-deps",
             self.wheel)  # fmt: skip
        done.write_text(VERSION)

    @property
    def source(self) -> Path:
        return self.folder / f"mercurial-{VERSION}"

    @property
    def wheel(self) -> Path:
        return next(self.folder.glob(f"mercurial-{VERSION}-*.whl"))

    def pack(self) -> Path:
        pex = self.folder / "hg.pex"
        call(sys.executable, "-m", "pex", self.wheel, "-c", "hg", "-o", pex)
        exe = self.folder / "packed/hg"
        exe.parent.mkdir(exist_ok=True)
        call(self.build / "bin/pexcz-pack", "-q", *PACKING, pex, "-o", exe)
        return exe

    def tests(self, count: int) -> List[str]:
        found = sorted(
            (p.stat().st_size, p.name) for p in (self.source / "tests").glob("test-*.t")
            if not SLOW.search(p.read_bytes())
        )  # fmt: skip
        return [name for _, name in found[:count]]

    def hash_seed(self, exe: Path) -> str:
        """run-tests.py would draw one for $PYTHONHASHSEED; a snapshot has its own."""
        done = subprocess.run([str(self.build / "bin/pexcz"), "inspect", "--snapshot", "--json",
                               str(exe)], check=True, capture_output=True)  # fmt: skip
        return str(json.loads(done.stdout)["hash_seed"])

    def run(self, hg: Path, tests: Sequence[str], seed: str) -> Dict[str, Dict[str, str]]:
        """What run-tests.py reports of each test."""
        out = self.folder / f"out-{hg.parent.name}"
        for folder in out, self.folder / "home", self.folder / "tmp":
            folder.mkdir(exist_ok=True)
        report = out / "report.json"
        report.unlink(missing_ok=True)
        env = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": str(self.folder / "home"),
               "TMPDIR": str(self.folder / "tmp"), "PYTHONHASHSEED": seed}  # fmt: skip
        subprocess.run(
            [str(self.folder / "venv/bin/python"), "run-tests.py", f"--with-hg={hg}", "-j1",
             "--json", f"--outputdir={out}", *tests],
            cwd=self.source / "tests", env=env, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        text = report.read_text()
        found: Dict[str, Dict[str, str]] = json.loads(text[text.index("{") :])
        return found


def seconds(report: Dict[str, Dict[str, str]]) -> float:
    return sum(float(r["cuser"]) + float(r["csys"]) for r in report.values() if "cuser" in r)


def results(report: Dict[str, Dict[str, str]], what: str) -> List[str]:
    return sorted(name for name, r in report.items() if r["result"] == what)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", type=Path, required=True)
    parser.add_argument("--tests", type=int, default=260)
    parser.add_argument("--check", action="store_true", help="fail on a missed bound")
    options = parser.parse_args()
    build = Path(os.environ["PEXCZ_BUILD"]).absolute()
    suite = Suite(build, build / "bench/mercurial", options.python.absolute())
    suite.folder.mkdir(parents=True, exist_ok=True)
    suite.prepare()
    sides = {"venv": suite.folder / "venv/bin/hg", "packed": suite.pack()}
    seed = suite.hash_seed(sides["packed"])
    reports: Dict[str, Dict[str, Dict[str, str]]] = {side: {} for side in sides}
    tests = suite.tests(options.tests)
    for start in range(0, len(tests), GROUP):
        for side, hg in sides.items():
            reports[side].update(suite.run(hg, tests[start : start + GROUP], seed))
        used = {side: seconds(report) for side, report in reports.items()}
        print(f"{start + GROUP:4} tests, CPU time {used['packed'] / used['venv']:.3f}", flush=True)
    ran = 0
    for side, report in reports.items():
        failed = results(report, "failure")
        ran = len(report) - len(results(report, "skip"))
        print(f"{side:8}{ran} ran, {len(failed)} failed, {used[side]:.1f} s: {' '.join(failed)}")
    other = [name for name, r in reports["venv"].items()
             if reports["packed"].get(name, {}).get("result") != r["result"]]  # fmt: skip
    ratio = used["packed"] / used["venv"]
    print(f"with another result: {' '.join(other) or 'none'}")
    print(f"CPU time {ratio:.3f} <= {BOUND:.2f}")
    missed = bool(other) or ratio > BOUND or ran < LEAST
    return 1 if missed and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
