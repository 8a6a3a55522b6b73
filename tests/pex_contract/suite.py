# SPDX-License-Identifier: Apache-2.0
"""Runs files of Pex's own test-suite against packed files.

    suite.py BUILD-FOLDER [NAME...]

The tests are those of the source distribution of the Pex that the test venv
has, fetched by pip into the build folder; adapter.py turns each PEX that they
start into a packed file.  CASES has the files and what of them is not expected
to pass, with the reason; docs/pex-contract.md has the same reasons.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path
from typing import Dict, List

HERE = Path(__file__).parent
TIMEOUT = 1500

# {file: {pattern of a test's name: why it does not pass}}
ONE_START = (
    "a packed file has one start, with the options of its first line; "
    "`python app.pex` leaves them out"
)
CASES: Dict[str, Dict[str, str]] = {
    "integration/test_bind_resource_path.py": {},
    "integration/test_inject_env_and_args.py": {},
    "integration/test_inject_python_args.py": {"passthrough": ONE_START},
    "integration/test_issue_1018.py": {},
    "integration/test_issue_1825.py": {},
    "integration/test_issue_1936.py": {},
    "integration/test_issue_2006.py": {},
    "integration/test_pex_entry_points.py": {},
    "integration/test_setproctitle.py": {},
}


def fetch(build: Path) -> Path:
    """The unpacked source distribution."""
    name = f"pex-{version('pex')}"
    folder = build / "pex-suite"
    if not (folder / name / "tests").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        # Without the metadata, pip would build nothing but what it needs.
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps"]
        command += ["--no-binary", "pex", name.replace("-", "=="), "-d", str(folder)]
        subprocess.run(command, check=True)
        with tarfile.open(folder / f"{name}.tar.gz") as archive:
            archive.extractall(folder, filter="data")
    return folder / name


def builder_key(build: Path) -> str:
    """What is packed stays good for this packer and this base."""
    total = hashlib.sha256()
    for path in (build / "bin/pexcz", *sorted((build / "lib/pexcz").iterdir())):
        total.update(path.read_bytes())
    return total.hexdigest()[:16]


def run_file(source: Path, build: Path, name: str) -> Dict[str, str]:
    """{test: outcome}"""
    work = build / "pex-suite"
    env = {
        **os.environ,
        "PEXCZ_SUITE_PACK": str(build / "bin/pexcz-pack"),
        "PEXCZ_SUITE_CACHE": str(work / f"packed-{builder_key(build)}"),
        "PEX_ROOT": str(work / "root"),
        "_PEX_TEST_DEV_ROOT": str(work / "dev"),
        "PYTHONPATH": str(HERE),
        "PYTHONWARNINGS": "ignore",
    }
    for name_of_python in ("PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"):
        env.pop(name_of_python, None)
    command = [sys.executable, "-m", "pytest", "-rA", "-q", "--tb=short", "--no-header"]
    command += ["-p", "adapter", "-n", "2", f"tests/{name}"]
    done = subprocess.run(
        command, cwd=source, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace", timeout=TIMEOUT,
    )
    (work / (Path(name).stem + ".log")).write_text(done.stdout)
    found = re.findall(r"(?m)^(PASSED|FAILED|ERROR) \S+?::([^\n]*?)(?: - .*)?$", done.stdout)
    outcomes = {test: outcome for outcome, test in found}
    skipped = re.search(r"(\d+) skipped", done.stdout)
    if skipped:
        outcomes["(skipped)"] = skipped[1]
    if not found and not skipped:
        outcomes["(collection)"] = "ERROR"
    return outcomes


def main() -> int:
    build = Path(sys.argv[1]).resolve()
    names: List[str] = sys.argv[2:]
    source = fetch(build)
    totals = {"passed": 0, "meant": 0, "wrong": 0, "skipped": 0}
    for name, reasons in CASES.items():
        if names and not any(n in name for n in names):
            continue
        for test, outcome in run_file(source, build, name).items():
            reason = next((r for p, r in reasons.items() if re.search(p, test)), None)
            if test == "(skipped)":
                totals["skipped"] += int(outcome)
            elif outcome == "PASSED":
                totals["passed"] += 1
            elif reason is not None:
                totals["meant"] += 1
                print(f"differs  {name}::{test}: {reason}")
            else:
                totals["wrong"] += 1
                print(f"FAILED   {name}::{test}")
    print(", ".join(f"{count} {what}" for what, count in totals.items()))
    return 1 if totals["wrong"] or not totals["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
