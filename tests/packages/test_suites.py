# SPDX-License-Identifier: Apache-2.0
"""Suites of libraries that look into imports, run in a packed executable and
in the venv that Pex makes of the same PEX: each test ends alike.

Those that a library does not install come from its source distribution.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import List

import pytest
from suites import (BUILD, HERE, Sides, check_alike, environment, fetch_source,
                    make_sides, run, run_suite)
from build_wheel import build_wheel
from suite import make

PINS = HERE / "pins.txt"
PROJECTS = """
importlib_resources importlib_metadata pluggy setuptools zope.interface
pytest packaging pyfakefs jaraco.test jaraco.path zope.testing
""".split()
# Project, version, folder of tests in its source distribution.
FROM_SOURCE = [
    ("importlib_metadata", "10.2.0", "tests"),
    ("pluggy", "1.7.0", "testing"),
]


@dataclass
class Suite:
    folder: str  # below site-packages
    least: int   # tests that pass
    options: List[str]


AS_IN_ITS_INI = ["--doctest-modules", "--import-mode=importlib",
                 "-o", "consider_namespace_packages=true"]
SUITES = {
    "importlib_resources": Suite("importlib_resources/tests", 150, AS_IN_ITS_INI),
    "importlib_metadata": Suite("tests", 100, AS_IN_ITS_INI),
    "pluggy": Suite("testing", 100, []),
    "pkg_resources": Suite("pkg_resources/tests", 140, []),
    "zope.interface": Suite("zope/interface", 1000, ["--import-mode=importlib",
                                                     "-o", "python_files=test_*.py"]),
}


def source_tests(folder: Path) -> None:
    """The folders of FROM_SOURCE, side by side."""
    whole, folder = folder, folder.with_suffix(".part")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for project, version, tests in FROM_SOURCE:
        shutil.copytree(fetch_source(project, version) / tests, folder / tests)
    # Some of the tests import test.support, which no base has.
    suite = make(BUILD, "3.11").disk.parents[1] / "lib/python3.11/test"
    shutil.copytree(suite / "support", folder / "test/support",
                    ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(suite / "__init__.py", folder / "test")
    folder.rename(whole)


# A namespace package as pkg_resources declares it: in two wheels, and in
# PROBE's folder of the real file system.
DECLARE = b"__import__('pkg_resources').declare_namespace(__name__)\n"
WHEELS = {
    "res_one": {"resspace/__init__.py": DECLARE,
                "resspace/one.py": b"ONE = __name__\n",
                "resspace/one.txt": b"text\n",
                "res_one-1.0.dist-info/entry_points.txt":
                    b"[res.plugins]\none = resspace.one:ONE [more]\n",
                "res_one-1.0.dist-info/namespace_packages.txt": b"resspace\n",
                "res_one-1.0.data/scripts/res-tool":
                    b"#!python\nimport resspace.one\nprint('ran', __name__)\n"},
    "res_two": {"resspace/__init__.py": DECLARE,
                "resspace/two.py": b"TWO = __name__\n",
                "res_two-1.0.dist-info/namespace_packages.txt": b"resspace\n"},
}
PROBE = """\
import os, sys, warnings
warnings.simplefilter("ignore")
for name in ("first", "last"):
    os.makedirs(f"{name}/resspace")
    with open(f"{name}/resspace/__init__.py", "w") as f:
        f.write("__import__('pkg_resources').declare_namespace(__name__)\\n")
    with open(f"{name}/resspace/{name}.py", "w") as f:
        f.write("")
sys.path[:] = [os.path.abspath("first"), *sys.path[1:], os.path.abspath("last")]
import pkg_resources, resspace
from resspace import first, last, one, two
print([m.__file__ for m in (first, last, one, two)], list(resspace.__path__))
print(sorted(str(d) for d in pkg_resources.working_set))
for point in pkg_resources.iter_entry_points("res.plugins"):
    print(point, point.dist, point.extras, point.resolve())
print(pkg_resources.resource_filename("resspace.one", "one.txt"),
      pkg_resources.resource_string("resspace.one", "one.txt"),
      sorted({*pkg_resources.resource_listdir("pkg_resources", "")} - {"__pycache__"}))
dist = pkg_resources.get_distribution("Res.One")
print(dist, dist.location, dist.requires(), dist.get_metadata("WHEEL"))
print(pkg_resources.require("res-two"))
for wrong in ("res-one==2", "absent"):
    try:
        pkg_resources.require(wrong)
    except pkg_resources.ResolutionError as e:
        print(type(e).__name__, e)
pkg_resources.working_set.add_entry(os.path.abspath("last"))
print(list(pkg_resources.find_distributions("first")), os.path.basename(
    pkg_resources.get_provider("resspace.two").module_path))
"""


@pytest.fixture(scope="session")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Sides:
    # What goes into the PEX is decided by this file.
    key = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]
    tests = BUILD / f"pex/suites-{key}"
    folder = tmp_path_factory.mktemp("suites")
    if not tests.exists():
        source_tests(tests)
    wheels = BUILD / f"pex/suite-wheels-{key}"
    wheels.mkdir(parents=True, exist_ok=True)
    made = [str(build_wheel(wheels, name, "1.0", "py3-none-any", dict(files)))
            for name, files in WHEELS.items()]
    return make_sides([*PROJECTS, *made, "-D", str(tests)], PINS, folder, "bin/python3")


@pytest.mark.parametrize("name", sorted(SUITES))
def test_suite(sides: Sides, name: str, tmp_path: Path) -> None:
    suite = SUITES[name]
    results = {}
    for side, python in (("venv", sides.venv / "bin/python"),
                         ("packed", sides.packed)):
        work = tmp_path / side
        work.mkdir()
        results[side] = run_suite(
            [python, "-m", "pytest"],
            [f"--rootdir={sides.site(side)}", f"--confcutdir={sides.site(side)}",
             *suite.options, f"{sides.site(side)}/{suite.folder}"],
            work, environment(work), 500)
    check_alike(results, suite.least)


def test_namespaces_and_working_set(sides: Sides, tmp_path: Path) -> None:
    texts = {}
    for side, python in (("venv", sides.venv / "bin/python"),
                         ("packed", sides.packed)):
        work = tmp_path / side
        work.mkdir()
        (work / "probe.py").write_text(PROBE)
        done = run(python, "-B", "probe.py", cwd=work, env={"PATH": "/usr/bin:/bin"})
        text = done.stdout.replace(sides.site(side), "SITE").replace(str(work), "WORK")
        assert done.returncode == 0, text
        texts[side] = text
    assert texts["packed"] == texts["venv"]
    assert "SITE/resspace" in texts["venv"] and "WORK/last/resspace" in texts["venv"]
