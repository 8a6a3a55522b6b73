# SPDX-License-Identifier: Apache-2.0
"""Runs files of Pex's own test-suite against packed files.

    suite.py BUILD-FOLDER [--all] [NAME...]

The tests are those of the source distribution of the Pex that the test venv
has, fetched by pip into the build folder; adapter.py turns each PEX that they
start into a packed file.  cases.txt names every case of every file and what is
expected of it; a case that ends otherwise, or that the list does not know,
fails the run.  Without --all, cases that start no packed file are not run, nor
those that repeat another one.  NAME selects files that have it in their names.

cases.txt has a line for each case, below the name of its file:

  passes CASE          it passes, and started a packed file
  repeats CASE         the same, but it differs from another case of the file
                       in what the packed file does not see, the pip that
                       resolved or the layout of the PEX: only with --all
  differs REASON CASE  it fails; the docs have the reason
  needs REASON CASE    it passes, or fails before it starts a packed file
  unaimed REASON CASE  it starts no packed file

and for a whole file:

  [FILE] REASON        none of its cases starts a packed file: only with --all
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Dict, List, Optional

HERE = Path(__file__).parent
LIST = HERE / "cases.txt"
DOCS = HERE.parents[1] / "docs/pex-contract.md"
REQUIREMENTS = HERE / "requirements.txt"
TIMEOUT = 4 * 3600

PASSES, REPEATS, DIFFERS = "passes", "repeats", "differs"
NEEDS, UNAIMED = "needs", "unaimed"


@dataclass
class Case:
    expected: str
    reason: Optional[str]


def read_list() -> Dict[str, Case]:
    """{file::case: what is expected}"""
    cases: Dict[str, Case] = {}
    file = ""
    for line in LIST.read_text().splitlines():
        if line.startswith("["):
            file, _, whole = line[1:].partition("]")
            if whole:
                cases[f"{file}::"] = Case(UNAIMED, whole.strip())
        elif line and not line.startswith("#"):
            expected, rest = line.split(maxsplit=1)
            reason = None
            if expected not in (PASSES, REPEATS):
                reason, rest = rest.split(maxsplit=1)
            cases[f"{file}::{rest}"] = Case(expected, reason)
    return cases


def reasons_of_docs() -> Dict[str, str]:
    text = DOCS.read_text().split("## Pex's own test-suite", 1)[1]
    return dict(re.findall(r"(?m)^\| `([a-z-]+)` \| (.+?) \|", text))


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


def install_helpers(build: Path) -> Path:
    """What Pex's tests import, or start, besides Pex and pytest."""
    folder = build / "pex-suite/site"
    done = folder / REQUIREMENTS.name
    if not done.exists() or done.read_bytes() != REQUIREMENTS.read_bytes():
        command = [sys.executable, "-m", "pip", "install", "-q", "--upgrade"]
        command += ["--target", str(folder), "-r", str(REQUIREMENTS)]
        subprocess.run(command, check=True)
        done.write_bytes(REQUIREMENTS.read_bytes())
    return folder


def pips_of_index() -> str:
    """The versions of pip that can be had."""
    command = [sys.executable, "-m", "pip", "index", "versions", "pip"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"(?m)^Available versions: (.*)", done.stdout)
    return found.group(1).replace(",", " ") if found else ""


def builder_key(build: Path) -> str:
    """What is packed stays good for this packer and this base."""
    total = hashlib.sha256()
    for path in (build / "bin/pexcz", *sorted((build / "lib/pexcz").iterdir())):
        total.update(path.read_bytes())
    return total.hexdigest()[:16]


def run_files(
    source: Path, build: Path, cases: Dict[str, Case], left_out: List[str]
) -> Dict[str, dict]:
    """{file::case: line of the report}"""
    work = build / "pex-suite"
    report = work / "report.json"
    report.unlink(missing_ok=True)
    arguments = work / "arguments"
    arguments.write_text(
        "".join(f"tests/{name}\n" for name in sorted({id.split("::")[0] for id in cases}))
        + "".join(f"--deselect=tests/{case}\n" for case in left_out)
    )
    helpers = install_helpers(build)
    packed = work / f"packed-{builder_key(build)}"
    for old in set(work.glob("packed-*")) - {packed}:
        shutil.rmtree(old)  # some gigabytes
    env = {
        **os.environ,
        "PATH": f"{helpers / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PEXCZ_SUITE_PACK": str(build / "bin/pexcz-pack"),
        "PEXCZ_SUITE_CACHE": str(packed),
        "PEXCZ_SUITE_REPORT": str(report),
        "PEXCZ_SUITE_FAILURES": "\n".join(
            id for id, case in cases.items() if case.expected == DIFFERS
        ),
        "PEXCZ_SUITE_PIPS": pips_of_index(),
        "PEX_ROOT": str(work / "root"),
        "_PEX_TEST_DEV_ROOT": str(work / "dev"),
        "_PEX_TEST_PROJECT_DIR": str(source),
        "PYTHONPATH": f"{HERE}{os.pathsep}{helpers}",
        "PYTHONWARNINGS": "ignore",
    }
    for name in ("PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"):
        env.pop(name, None)
    command = [sys.executable, "-m", "pytest", "-q", "--tb=short", "--no-header"]
    command += ["-p", "adapter", "-n", "2", "--basetemp", str(work / "tmp")]
    command += [f"@{arguments}"]
    with open(work / "log", "wb") as log:
        subprocess.run(
            command, cwd=source, env=env, stdout=log, stderr=log, timeout=TIMEOUT, check=False
        )
    shutil.rmtree(work / "tmp", ignore_errors=True)
    if not report.exists():
        sys.exit(f"suite: no test was run: see {work / 'log'}")
    found: Dict[str, dict] = {}
    for text in report.read_text().splitlines():
        line = json.loads(text)
        # A failure of the clean-up counts, too.
        if line["case"] not in found or line["outcome"] == "failed":
            found[line["case"]] = line
    return found


def judge(case: Optional[Case], line: Optional[dict]) -> Optional[str]:
    """What is wrong, if anything."""
    if case is None:
        return f"{line['outcome']}, and is not in {LIST.name}"
    if line is None:
        return "was not run: does it still exist?"
    passed = line["outcome"] == "passed"
    if line["outcome"] == "skipped":
        missing = line["why"].startswith("Skipped: no Python ")
        return None if missing or case.expected == UNAIMED else f"skipped: {line['why']}"
    if case.expected == UNAIMED:
        return "starts a packed file now" if passed and line["starts"] else None
    if case.expected == DIFFERS:
        return "passes now" if passed and line["starts"] else None
    if case.expected == NEEDS and not line["starts"]:
        return None
    if not passed:
        return "failed: " + line["why"].strip().rsplit("\n", 1)[-1]
    return None if line["starts"] else "started no packed file"


def main() -> int:
    build = Path(sys.argv[1]).resolve()
    everything = "--all" in sys.argv[2:]
    names = [name for name in sys.argv[2:] if name != "--all"]
    cases = {
        id: case
        for id, case in read_list().items()
        if not names or any(name in id.split("::")[0] for name in names)
    }
    source = fetch(build)
    for id in cases:
        if not (source / "tests" / id.split("::")[0]).is_file():
            sys.exit(f"suite: Pex has no {id.split('::')[0]} any more")
    unknown = {c.reason for c in cases.values() if c.reason} - reasons_of_docs().keys()
    if unknown:
        sys.exit(f"suite: {DOCS.name} does not have {', '.join(sorted(unknown))}")
    whole_files = [id for id in cases if id.endswith("::")]
    files = {id: cases.pop(id) for id in whole_files}
    left_out = [
        id
        for id, case in cases.items()
        if case.expected in (UNAIMED, REPEATS) and not everything
    ]
    wanted = {**cases, **files} if everything else cases
    found = run_files(source, build, wanted, left_out)

    totals = {"passed": 0, DIFFERS: 0, UNAIMED: 0, "skipped": 0, "failed": 0}
    totals[UNAIMED] = sum(cases[id].expected == UNAIMED for id in left_out)
    for id in sorted((cases.keys() - set(left_out)) | found.keys()):
        case, line = cases.get(id, files.get(id.split("::")[0] + "::")), found.get(id)
        wrong = judge(case, line)
        if wrong is not None:
            totals["failed"] += 1
            print(f"FAILED  {id}: {wrong}")
        elif case.expected in (UNAIMED, DIFFERS):
            totals[case.expected] += 1
        else:
            ran = line["outcome"] == "passed" and line["starts"]
            totals["passed" if ran else "skipped"] += 1
    repeats = len(left_out) - sum(cases[id].expected == UNAIMED for id in left_out)
    starts = sum(line["starts"] for line in found.values())
    print(f"packed files were started {starts} times")
    print(f"{len(files)} files have no case for packed files, {repeats} cases repeat others")
    print(", ".join(f"{count} {what}" for what, count in totals.items()))
    return 1 if totals["failed"] or not totals["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
