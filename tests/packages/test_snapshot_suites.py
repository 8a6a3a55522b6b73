# SPDX-License-Identifier: Apache-2.0
"""Suites of libraries with shared objects, run in an executable that starts
from a snapshot with these shared objects in it, and in the venv that Pex makes
of the same PEX: each test ends alike.

The application imports a library's extension modules, then runs pytest.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, Iterator, List, Sequence

import pytest
from postgres_server import find_programs, postgres_server
from suites import (BUILD, HERE, Sides, check_alike, environment, fetch_source,
                    make_sides, run, run_suite)

PINS = HERE / "snapshot_pins.txt"
APPLICATION = "{imports}\nimport pytest\n\ndef main():\n    return pytest.main()\n"


@dataclass
class Application:
    projects: List[str]
    extensions: List[str]  # modules that are in the snapshot, as shared objects
    imports: Sequence[str] = ()  # further modules


@dataclass
class Suite:
    application: str
    source: str             # project whose source distribution has the tests
    copied: List[str]       # of it, into the working directory
    arguments: List[str]
    least: int              # tests that pass
    seconds: int = 900      # of each side
    env: Dict[str, str] = field(default_factory=dict)
    database: str = ""      # of a PostgreSQL server that is started for it


NO_BENCHMARKS = "--ignore-glob=*benchmarks*"
APPLICATIONS = {
    "markupsafe": Application(["markupsafe"], ["markupsafe._speedups"]),
    "pyyaml": Application(["pyyaml"], ["yaml._yaml"]),
    "msgpack": Application(["msgpack"], ["msgpack._cmsgpack"]),
    "charset-normalizer": Application(
        ["charset-normalizer"], ["charset_normalizer.md", "charset_normalizer.cd"]),
    "wrapt": Application(["wrapt"], ["wrapt._wrappers"]),
    "regex": Application(["regex"], ["regex._regex"]),
    "black": Application(["black"], ["black", "black.parsing", "pytokens"]),
    "lxml": Application(["lxml[html5,cssselect]", "beautifulsoup4"],
                        ["lxml.etree", "lxml.objectify", "lxml.sax", "lxml.builder"]),
    "orjson": Application(
        "orjson numpy pendulum psutil faker pytz python-dateutil".split(), ["orjson.orjson"]),
    "greenlet": Application(["greenlet", "objgraph", "psutil"], ["greenlet._greenlet"]),
    "zope.interface": Application(
        ["zope.interface", "zope.testing"], ["zope.interface._zope_interface_coptimizations"]),
    "aiohttp": Application(
        """aiohttp pytest-mock pytest-timeout pytest-xdist pytest-cov re-assert freezegun
        trustme objgraph psutil hypothesis brotli proxy.py""".split(),
        ["multidict._multidict", "frozenlist._frozenlist", "yarl._quoting_c",
         "propcache._helpers_c", "aiohttp._http_parser", "aiohttp._http_writer",
         "aiohttp._websocket.mask", "aiohttp._websocket.reader_c"]),
    "sqlalchemy": Application(
        ["sqlalchemy", "aiosqlite", "greenlet", "pytest-xdist"],
        ["sqlalchemy.engine._row_cy", "sqlalchemy.sql._util_cy"]),
    "pydantic": Application(
        """pydantic[email] pytest-mock pytest-benchmark pytest-timeout pytest-run-parallel
        faker dirty-equals jsonschema time-machine pytz python-dateutil hypothesis
        inline-snapshot tzdata""".split(),
        ["pydantic_core._pydantic_core"], ["pydantic"]),
    "cryptography": Application(
        ["cryptography", "cryptography_vectors", "pytest-benchmark", "pretend", "certifi"],
        ["cryptography.hazmat.bindings._rust"]),
    "pillow": Application(["pillow"], ["PIL._imaging", "PIL._imagingcms"]),
    "psycopg2": Application(["psycopg2-binary"], ["psycopg2._psycopg"]),
    "numpy": Application(["numpy", "hypothesis"],
                         ["numpy._core._multiarray_umath", "numpy.linalg._umath_linalg",
                          "numpy.random._generator"]),
    "pandas": Application(["pandas", "hypothesis"],
                          ["pandas._libs.tslibs.timezones", "pandas._libs.tslibs.strptime",
                           "pandas._libs.algos", "pandas._libs.parsers"], ["pandas"]),
}
AIOHTTP_COPIED = ["tests", "examples", "pytest.ini"]
AIOHTTP_MESSAGES = [f"tests/test_{part}.py" for part in """client_request client_response
    cookiejar formdata helpers http_parser http_writer multipart payload streams
    urldispatch web_request web_response websocket_parser websocket_writer""".split()]
AIOHTTP_OPTIONS = ["-o", "addopts=", "-m", "not dev_mode and not autobahn and not internal"]
SUITES = {
    "markupsafe": Suite("markupsafe", "markupsafe", ["tests"], ["tests"], 75),
    "pyyaml": Suite("pyyaml", "pyyaml", ["tests"], ["tests"], 1200),
    "msgpack": Suite("msgpack", "msgpack", ["test"], ["test"], 100),
    "charset-normalizer": Suite("charset-normalizer", "charset-normalizer",
                                ["tests", "data", "pyproject.toml"], ["tests"], 100),
    "wrapt": Suite("wrapt", "wrapt", ["tests"], ["tests/core"], 500),
    "regex": Suite("regex", "regex", ["regex/tests"], ["regex/tests"], 10),
    "black": Suite("black", "black", ["tests", "pyproject.toml", "docs", "action.yml"],
                   ["tests", "--ignore=tests/test_blackd.py", "-o", "addopts=",
                    "-W", "ignore::pytest.PytestRemovedIn10Warning"], 300),
    # Not the base classes, which are no tests by themselves.
    "lxml": Suite("lxml", "lxml", ["src/lxml/tests", "doc"],
                  ["src/lxml/tests", "-k", "not (CaseBase or _XMLPullParserTest or "
                   "_ElementSlicingTest or _C14NTest or _XIncludeTestCase)"], 1800),
    "lxml.html": Suite("lxml", "lxml", ["src/lxml/html/tests"],
                       ["src/lxml/html/tests",
                        # imports from lxml/tests, which is not installed
                        "--ignore=src/lxml/html/tests/test_elementsoup.py"], 20),
    "orjson": Suite("orjson", "orjson", ["test"], ["test"], 750),
    "greenlet": Suite("greenlet", "greenlet", [], ["SITE/greenlet/tests"], 100),
    "zope.interface": Suite("zope.interface", "zope.interface", [],
                            ["--import-mode=importlib", "-o", "python_files=test_*.py",
                             "SITE/zope/interface"], 1000),
    "multidict": Suite("aiohttp", "multidict", ["tests", "tools", "pytest.ini"],
                       ["tests", "-o", "addopts=", NO_BENCHMARKS,
                        "--ignore=tests/test_callgrind_driver.py"], 4000),
    "frozenlist": Suite("aiohttp", "frozenlist", ["tests", "pytest.ini"],
                        ["tests", "-o", "addopts=", NO_BENCHMARKS], 50),
    "propcache": Suite("aiohttp", "propcache", ["tests", "pytest.ini"],
                       ["tests", "-o", "addopts=", NO_BENCHMARKS,
                        "--ignore=tests/test_pep517_backend.py"], 50),
    "yarl": Suite("aiohttp", "yarl", ["tests", "pytest.ini"],
                  ["tests", "-o", "addopts=", NO_BENCHMARKS], 1000),
    # What makes and reads messages, by extension modules.
    "aiohttp": Suite("aiohttp", "aiohttp", AIOHTTP_COPIED,
                     [*AIOHTTP_MESSAGES, *AIOHTTP_OPTIONS], 2500, 1800),
    # Servers and clients that talk to each other.
    "aiohttp.rest": Suite(
        "aiohttp", "aiohttp", AIOHTTP_COPIED,
        ["tests", *(f"--ignore={path}" for path in AIOHTTP_MESSAGES),
         NO_BENCHMARKS, "--ignore-glob=*leak*", "--timeout=120", *AIOHTTP_OPTIONS], 2000, 1800),
    "sqlalchemy": Suite(
        "sqlalchemy", "sqlalchemy",
        ["test", "examples", "lib/sqlalchemy/testing/plugin", "setup.cfg", "pyproject.toml"],
        ["test/base", "test/engine", "test/sql"], 10000, 1800),
    # What is left out needs pytest-examples, and with it ruff.
    "pydantic-core": Suite("pydantic", "pydantic-core", ["tests", "pyproject.toml"],
                           ["tests", NO_BENCHMARKS, "--ignore=tests/test_docstrings.py"],
                           3000),
    "pydantic": Suite("pydantic", "pydantic", ["tests", "pyproject.toml"],
                      ["tests", NO_BENCHMARKS, "--ignore=tests/test_docs.py"], 4000),
    "cryptography": Suite("cryptography", "cryptography", ["tests", "pyproject.toml"],
                          ["tests"], 1000, 1800),
    "pillow": Suite("pillow", "pillow", ["Tests", "conftest.py", "pyproject.toml"],
                    ["Tests"], 3000, 1800),
    "psycopg2": Suite("psycopg2", "psycopg2-binary", ["tests"], ["tests"], 500,
                      database="psycopg2_test"),
    "numpy.core": Suite("numpy", "numpy", [], ["SITE/numpy/_core/tests"], 10000, 1800),
    "numpy.lib": Suite("numpy", "numpy", [], ["SITE/numpy/lib/tests"], 2000),
    "numpy.linalg": Suite("numpy", "numpy", [], ["SITE/numpy/linalg/tests"], 300),
    "numpy.random": Suite("numpy", "numpy", [], ["SITE/numpy/random/tests"], 1000),
    "numpy.rest": Suite("numpy", "numpy", [], [
        f"SITE/numpy/{part}" for part in "fft ma matrixlib polynomial tests".split()], 5000),
    # Of 200,000 tests those about time and the machine.
    "pandas": Suite("pandas", "pandas", [], [
        f"SITE/pandas/tests/{part}" for part in "tslibs scalar tools tseries config".split()],
        10000, 1800),
}


def version_of(project: str) -> str:
    pins = dict(line.split("==") for line in PINS.read_text().split("\n") if "==" in line)
    return pins[project]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, Sides]:
    """The applications so far: the suites of one stand together."""
    return {}


@pytest.fixture(params=sorted(SUITES, key=lambda name: (SUITES[name].application, name)))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def sides(name: str, made: Dict[str, Sides],
          tmp_path_factory: pytest.TempPathFactory) -> Sides:
    wanted = SUITES[name].application
    if wanted not in made:
        for old in made.values():
            shutil.rmtree(old.venv.parent)
        made.clear()
        application = APPLICATIONS[wanted]
        imports = "\n".join(f"import {module}" for module in (
            *application.extensions, *application.imports))
        made[wanted] = make_sides(
            [*application.projects, "pytest", "-e", "suite_application:main"], PINS,
            tmp_path_factory.mktemp(wanted), "app",
            {"suite_application.py": APPLICATION.format(imports=imports)})
    return made[wanted]


def check_is_restored(app: Path, extensions: List[str], work: Path) -> None:
    """A start is one from the snapshot, and the extension modules are in it."""
    done = run(app, "--version", cwd=work,
               env={**environment(work), "PEXCZ_SNAPSHOT": "explain"})
    assert done.returncode == 0 and "ordinary boot" not in done.stdout, done.stdout
    report = run(BUILD / "bin/pexcz", "inspect", "--snapshot", "--json", app).stdout
    snapshot = json.loads(report)
    modules = {module["name"] for module in snapshot["modules"]}
    paths = " ".join(library["path"] for library in snapshot["libraries"])
    for extension in extensions:
        assert extension in modules, (extension, report)
        path = f"/{extension.replace('.', '/')}"
        assert f"{path}." in paths or f"{path}/__init__." in paths, (extension, report)


@contextlib.contextmanager
def database_server(database: str) -> Iterator[Dict[str, str]]:
    """The variables that lead to it."""
    if not database:
        yield {}
        return
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    with postgres_server(programs, database) as variables:
        yield variables


def test_suite_restored(sides: Sides, name: str, tmp_path: Path) -> None:
    suite = SUITES[name]
    check_is_restored(sides.packed, APPLICATIONS[suite.application].extensions, tmp_path)
    # One path for both, as names of tests may have it.
    work = tmp_path / "work"
    results = {}
    for side, program in (("venv", sides.venv / "pex"), ("packed", sides.packed)):
        work.mkdir()
        for part in suite.copied:
            source = fetch_source(suite.source, version_of(suite.source))
            target = work / part
            target.parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if (source / part).is_dir() else shutil.copy
            copy(source / part, target)
        root = work if suite.copied else sides.site(side)
        arguments = [a.replace("SITE", sides.site(side)) for a in suite.arguments]
        options = [f"--rootdir={root}", f"--confcutdir={root}", *arguments]
        with database_server(suite.database) as server:
            results[side] = run_suite([program], options, work, {
                **environment(work), **suite.env, **server}, suite.seconds)
        (tmp_path / f"{side}.txt").write_text(results[side][1])
        shutil.rmtree(work)
    check_alike(results, suite.least)
