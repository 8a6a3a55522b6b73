# SPDX-License-Identifier: Apache-2.0
"""The files of CPython's suite that say most about imports and files, on disk
and packed; with PEXCZ_TEST_SYSTEM in the root file system of that release of
Debian.  All of them: `make conformance`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from run import Runner, disk_and_packed, known_differences
from suite import HERE, make

sys.path.append(str(HERE.parent / "e2e"))
from systems import system_root  # noqa: E402

FILES = """
test_import test_importlib test_pkgutil test_runpy test_zipimport
test_zipimport_support test_inspect test_linecache test_traceback test_frozen
test_modulefinder test_pyclbr test_doctest test_pdb test_trace test_warnings
test_site test_glob test_fileinput test_imp test_module test_cmd_line_script
""".split()


@pytest.fixture(scope="session")
def runner() -> Runner:
    build = Path(os.environ["PEXCZ_BUILD"])
    suite = make(build, "3.11")
    release = os.environ.get("PEXCZ_TEST_SYSTEM")
    system = system_root(build.resolve(), release) if release else Path("/")
    return Runner(suite, disk_and_packed(suite), 300, False, system)


@pytest.mark.parametrize("name", FILES)
def test_same_as_on_disk(runner: Runner, name: str) -> None:
    found = runner.compare(name)
    if name in known_differences():
        pytest.skip("differs, for the reason in docs/behaviour.md")
    disk, packed = found.outcomes
    assert disk.cases, "nothing ran"
    assert packed.state == disk.state
    assert not found.cases()


def test_few_differences_are_listed() -> None:
    assert len(known_differences()) <= 8
    assert len(known_differences(snapshot=True)) <= 4
