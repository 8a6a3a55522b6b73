# SPDX-License-Identifier: Apache-2.0
"""Suites of libraries that look into imports, run in a packed executable and
in the venv that Pex makes of the same PEX: each test ends alike.

Those that a library does not install come from its source distribution.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List

import pytest

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE.parent), str(HERE.parent / "e2e"),
             str(HERE.parent / "cpython")]
from build_wheel import build_wheel  # noqa: E402
from pexes import Offline, build_pex  # noqa: E402
from sides import reference_python  # noqa: E402
from suite import make  # noqa: E402

BUILD = Path(os.environ["PEXCZ_BUILD"]).resolve()
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


def run(*command: object, **options: object) -> subprocess.CompletedProcess:
    return subprocess.run([str(c) for c in command], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False, **options)


def source_tests(folder: Path) -> None:
    """The folders of FROM_SOURCE, side by side."""
    whole, folder = folder, folder.with_suffix(".part")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for project, version, tests in FROM_SOURCE:
        done = run(sys.executable, "-m", "pip", "download", "-q", "--no-deps",
                   "--no-binary", ":all:", "-d", folder, f"{project}=={version}")
        if done.returncode != 0:
            pytest.skip(f"no source distribution to be had: {done.stdout[-300:]}")
        [archive] = folder.glob(f"{project}-*.tar.gz")
        with tarfile.open(archive) as tar:
            top = f"{project}-{version}/"
            for member in tar.getmembers():
                if member.name.startswith(top + tests):
                    member.name = member.name[len(top):]
                    tar.extract(member, folder, filter="data")
        archive.unlink()
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


@dataclass
class Sides:
    venv: Path
    packed: Path

    def site(self, side: str) -> str:
        root = "/proc/pexcz" if side == "packed" else str(self.venv)
        return f"{root}/lib/python3.11/site-packages"


@pytest.fixture(scope="session")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Sides:
    python = reference_python(BUILD)
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
    try:
        pex = build_pex(BUILD, [*PROJECTS, *made, "-D", str(tests),
                                "--include-tools"], constraints=PINS)
    except Offline as e:
        pytest.skip(f"not cached, and no index to be reached: {e}")
    done = run(python, pex, "venv", folder / "venv",
               env={**os.environ, "PEX_TOOLS": "1", "PEX_ROOT": str(BUILD / "pex/root")})
    assert done.returncode == 0, done.stdout
    packed = folder / "bin/python3"
    packed.parent.mkdir()
    done = run(BUILD / "bin/pexcz-pack", pex, "-o", packed)
    assert done.returncode == 0, done.stdout
    return Sides(folder / "venv", packed)


def outcomes(report: Path) -> Dict[str, str]:
    found: Dict[str, str] = {}
    for case in ET.parse(report).getroot().iter("testcase"):
        result = "passed"
        for child in ("skipped", "error", "failure"):
            if case.find(child) is not None:
                result = child
        found[f"{case.get('classname')}.{case.get('name')}"] = result
    return found


@pytest.mark.parametrize("name", sorted(SUITES))
def test_suite(sides: Sides, name: str, tmp_path: Path) -> None:
    suite = SUITES[name]
    results = {}
    for side, python in (("venv", sides.venv / "bin/python"),
                         ("packed", sides.packed)):
        work = tmp_path / side
        work.mkdir()
        report = tmp_path / f"{side}.xml"
        done = run(python, "-B", "-m", "pytest", "-p", "no:cacheprovider", "-q",
                   f"--rootdir={sides.site(side)}",
                   f"--confcutdir={sides.site(side)}",
                   f"--junitxml={report}", *suite.options,
                   f"{sides.site(side)}/{suite.folder}",
                   cwd=work, timeout=500,
                   env={"PATH": "/usr/bin:/bin", "HOME": str(work), "LANG": "C.UTF-8",
                        "TMPDIR": str(work)})
        assert report.exists(), done.stdout[-3000:]
        results[side] = outcomes(report)
        (tmp_path / f"{side}.txt").write_text(done.stdout)
    venv, packed = results["venv"], results["packed"]
    different = {key: (venv.get(key), packed.get(key))
                 for key in {*venv, *packed} if venv.get(key) != packed.get(key)}
    assert not different, (tmp_path / "packed.txt").read_text()[-6000:]
    passed = sum(result == "passed" for result in venv.values())
    assert passed >= suite.least, f"{passed} of {len(venv)} pass"


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
