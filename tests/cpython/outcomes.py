# SPDX-License-Identifier: Apache-2.0
"""Runs one file of CPython's suite in one Python, and says how it went."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Dict, List, Optional

AT_PREFIX = Path(__file__).with_name("at_prefix.py")
RESOURCES = "all,-network,-gui,-largefile"
# What differs between two runs of the same case by name only.
UNSTABLE_NAME = re.compile(r"0x[0-9a-f]+|\bpid=\d+")


@dataclass
class Outcome:
    state: str  # passed, failed, skipped, environment changed, timeout, died
    cases: Dict[str, str] = field(default_factory=dict)

    def count(self, result: str) -> int:
        return sum(r == result for r in self.cases.values())

    def __str__(self) -> str:
        counts = [f"{self.count('passed')} passed"]
        for result in ("failed", "error", "skipped"):
            if self.count(result):
                counts.append(f"{self.count(result)} {result}")
        return f"{self.state} ({', '.join(counts)})" if self.cases else self.state

    @classmethod
    def load(cls, path: Path) -> Outcome:
        return cls(**json.loads(path.read_text()))

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part")
        partial.write_text(json.dumps(asdict(self), indent=1))
        partial.rename(path)


def read_cases(report: Path) -> Dict[str, str]:
    """Case to result from regrtest's JUnit report; of a case with several
    records (subtests) the worst."""
    ranks = ["passed", "skipped", "error", "failed"]
    cases: Dict[str, str] = {}
    if not report.exists():
        return cases
    for case in ET.parse(report).getroot().iter("testcase"):
        result = "passed"
        for child, name in (("skipped", "skipped"), ("error", "error"),
                            ("failure", "failed")):
            if case.find(child) is not None:
                result = name
        name = UNSTABLE_NAME.sub("", case.get("name", ""))
        cases[name] = max(cases.get(name, "passed"), result, key=ranks.index)
    return cases


def read_state(code: int, text: str) -> str:
    if code < 0:
        return f"died of {signal.Signals(-code).name}"
    if re.search(r"^1 test altered the execution environment", text, re.M):
        return "environment changed"
    if code == 0:
        skipped = re.search(r"^(1 test skipped|No tests? ran)", text, re.M)
        return "skipped" if skipped else "passed"
    return "failed" if code == 2 else f"exit code {code}"


def environment(folder: Path) -> Dict[str, str]:
    for name in ("home", "tmp", "work", "root"):
        (folder / name).mkdir()
    return {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp"),
            "LANG": "C.UTF-8", "TERM": "dumb"}


def run_file(regrtest: List[str], tree: Path, test: str, timeout: int, log: Path,
             variables: Optional[Dict[str, str]] = None,
             system: Path = Path("/")) -> Outcome:
    """`regrtest` is the command that takes its options.  `tree` lies at its
    prefix meanwhile, for either side; programs and libraries are those of the
    root file system `system`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="cpython-"))
    report = folder / "report.xml"
    command = [sys.executable, "-I", "-S", str(AT_PREFIX), str(system), str(tree),
               str(folder / "root"), *regrtest, "-v", "-u", RESOURCES,
               "--timeout", str(timeout), "--junit-xml", str(report), test]
    env = {**environment(folder), **(variables or {})}
    with open(log, "wb") as out, subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out,
            stderr=subprocess.STDOUT, cwd=folder / "work", env=env,
            start_new_session=True) as process:
        try:
            code = process.wait(timeout + 30)
            state = read_state(code, log.read_text(errors="replace"))
        except subprocess.TimeoutExpired:
            state = "timeout"
        # Children that a test left behind are ended with it.
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    outcome = Outcome(state, read_cases(report))
    shutil.rmtree(folder, ignore_errors=True)
    return outcome
