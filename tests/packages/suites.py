# SPDX-License-Identifier: Apache-2.0
"""Runs the test suite of a library twice, in a packed executable and in the
venv that Pex makes of the same PEX, and tells which tests end differently.

Tests that a library does not install come from its source distribution.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

import pytest

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE.parent), str(HERE.parent / "e2e"),
             str(HERE.parent / "cpython")]
from pexes import Offline, build_pex, pex_root  # noqa: E402
from sides import VERSION, reference_python  # noqa: E402

BUILD = Path(os.environ["PEXCZ_BUILD"]).resolve()


def run(*command: object, **options: object) -> subprocess.CompletedProcess:
    return subprocess.run([str(c) for c in command], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="backslashreplace", check=False, **options)


def fetch_source(project: str, version: str) -> Path:
    """The unpacked source distribution.

    pip unpacks one only to ask it for its metadata, by build tools that are
    not here; what was unpacked by then is kept.
    """
    whole = BUILD / f"pex/sources/{project}-{version}"
    if whole.exists():
        return whole
    part = whole.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    done = run(sys.executable, "-m", "pip", "download", "-q", "--no-deps",
               "--no-clean", "--no-build-isolation", "--no-binary", ":all:",
               "-d", part / "archive", f"{project}=={version}",
               env={**os.environ, "TMPDIR": str(part)})
    found = [p.parent for p in part.glob("pip-download-*/*/PKG-INFO")]
    if not found:
        pytest.skip(f"no source distribution to be had: {done.stdout[-300:]}")
    found[0].rename(whole)
    shutil.rmtree(part)
    return whole


@dataclass
class Sides:
    venv: Path    # a folder
    packed: Path  # an executable

    def site(self, side: str) -> str:
        root = "/proc/pexcz" if side == "packed" else str(self.venv)
        return f"{root}/lib/python{VERSION}/site-packages"


def make_sides(arguments: Sequence[str], pins: Path, folder: Path, packed: str,
               sources: Optional[Dict[str, str]] = None) -> Sides:
    """The PEX of these arguments, as folder/venv and as folder/PACKED."""
    try:
        pex = build_pex(BUILD, [*arguments, "--include-tools"], sources, pins)
    except Offline as e:
        pytest.skip(f"not cached, and no index to be reached: {e}")
    sides = Sides(folder / "venv", folder / packed)
    python = reference_python(BUILD)
    # Where this Python would not do, Pex would take another one, silently.
    done = run(python, pex, "venv", sides.venv,
               env={**os.environ, "PEX_TOOLS": "1", "PEX_PYTHON": python,
                    "PEX_ROOT": str(pex_root(BUILD))})
    assert done.returncode == 0, done.stdout
    sides.packed.parent.mkdir(parents=True, exist_ok=True)
    done = run(BUILD / "bin/pexcz-pack", pex, "-o", sides.packed)
    assert done.returncode == 0, done.stdout
    return sides


# Modules of CPython's own tests that Debian's Python has, and no base.
NEEDS_TEST_MODULE = re.compile(
    r"could not import '(_test[a-z]*)': No module named '\1'|_test[a-z]* is not available")
NO_TEST_MODULE = "skipped without CPython's test modules"


def outcomes(report: Path) -> Dict[str, str]:
    found: Dict[str, str] = {}
    for case in ET.parse(report).getroot().iter("testcase"):
        result = "passed"
        for child in ("skipped", "error", "failure"):
            element = case.find(child)
            if element is not None:
                result = child
                if NEEDS_TEST_MODULE.search(element.get("message", "")):
                    result = NO_TEST_MODULE
        found[f"{case.get('classname')}.{case.get('name')}"] = result
    return found


def environment(work: Path) -> Dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "HOME": str(work), "LANG": "C.UTF-8",
            "TMPDIR": str(work), "PYTHONDONTWRITEBYTECODE": "1"}


def run_suite(pytest_command: Sequence[object], arguments: Sequence[object],
              work: Path, env: Dict[str, str], timeout: int
              ) -> Tuple[Dict[str, str], str]:
    """The outcome of each test, and what was printed."""
    report = work / "report.xml"
    done = run(*pytest_command, "-p", "no:cacheprovider", "-q",
               f"--junitxml={report}", *arguments, cwd=work, timeout=timeout, env=env)
    assert report.exists(), done.stdout[-3000:]
    return outcomes(report), done.stdout


def by_place(found: Dict[str, str], known: Dict[str, str]) -> Dict[str, str]:
    """With a number in the place of parameters that the other side has not:
    they name addresses, or are drawn."""
    counts: Dict[str, int] = {}
    placed = {}
    for key, result in found.items():
        if key not in known:
            function = key.partition("[")[0]
            counts[function] = counts.get(function, 0) + 1
            key = f"{function}[number {counts[function]} of its own]"
        placed[key] = result
    return placed


def check_alike(results: Dict[str, Tuple[Dict[str, str], str]], least: int) -> None:
    """Each test ends alike, but for those that no base can run, and so many of
    them pass."""
    text = results["packed"][1]
    venv = by_place(results["venv"][0], results["packed"][0])
    packed = by_place(results["packed"][0], results["venv"][0])
    different: List[str] = [
        f"{key}: {venv.get(key)} in the venv, {packed.get(key)} packed"
        for key in sorted({*venv, *packed})
        if packed.get(key) not in (venv.get(key), NO_TEST_MODULE)]
    assert not different, "\n".join(
        [text[-6000:], f"{len(different)} differ:", *different[:100]])
    passed = sum(result == "passed" for result in venv.values())
    assert passed >= least, f"{passed} of {len(venv)} pass\n{results['venv'][1][-3000:]}"
