# SPDX-License-Identifier: Apache-2.0
"""Tools that find, read and start other modules: one PEX with all of them,
whose console scripts PEX_SCRIPT chooses, against the venv that Pex makes of it
(out of the zip file itself some of them do not work).

They need a shell or the machine's own files, so both sides see this machine's
root.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from textwrap import dedent

import pytest
from sides import ENTER, SITE, VERSION, Result, Side, run
from test_web import fetch, port  # noqa: F401

BUILD = Path(os.environ["PEXCZ_BUILD"])

PINS = Path(__file__).with_name("tool_pins.txt")

TOOLS = """
ipython mypy pylint sphinx ansible-core pytest pytest-cov stevedore
opentelemetry-sdk sqlalchemy flask joblib coverage
""".split()

# A distribution of the user's, which registers plugins of several hosts.
PLUGINS = {
    "plugged-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: plugged\n"
    "Version: 1.0\n",
    "plugged-1.0.dist-info/entry_points.txt": dedent(
        """\
        [pytest11]
        plugged = plugged.for_pytest

        [tool.drivers]
        first = plugged.drivers:First
        second = plugged.drivers:Second
        broken = plugged.absent:Third

        [sqlalchemy.dialects]
        quiet = plugged.dialect:Quiet

        [opentelemetry_id_generator]
        steady = plugged.telemetry:Steady
        """
    ),
    "plugged/__init__.py": '"""Plugins of the tests."""\n',
    "plugged/for_pytest.py": dedent(
        """\
        import pytest

        @pytest.fixture
        def answer():
            return 42

        def pytest_report_header(config):
            return "plugged: here"
        """
    ),
    "plugged/drivers.py": dedent(
        """\
        class First:
            def __init__(self, base):
                self.base = base

            def run(self):
                return f"{type(self).__name__} {self.base} {__name__}"

        class Second(First):
            pass
        """
    ),
    "plugged/dialect.py": dedent(
        """\
        from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

        class Quiet(SQLiteDialect_pysqlite):
            name = "quiet"
            supports_statement_cache = True
        """
    ),
    "plugged/telemetry.py": dedent(
        """\
        from opentelemetry.sdk.trace.id_generator import IdGenerator

        class Steady(IdGenerator):
            def generate_span_id(self):
                return 0x1234

            def generate_trace_id(self):
                return 0xABCD
        """
    ),
}


class VenvSide(Side):
    """As `pex --venv` would run it: a program of the venv's bin/."""

    venv: Path
    program = "python"

    def command(self, arguments, options=()):
        return [
            *(sys.executable, "-I", "-S", str(ENTER)),
            *("/", str(self.folder), "/srv/work"),
            *(str(self.venv / "bin" / self.program), *options, *arguments),
        ]

    def normalise(self, output):
        text = super().normalise(output)
        return text.replace(f"{self.venv}/lib/python{VERSION}/site-packages", SITE)


@pytest.fixture(scope="session")
def venv_of(python, tmp_path_factory):
    made = {}

    def make(app):
        if app.pex not in made:
            folder = tmp_path_factory.mktemp("venv") / "v"
            env = {**os.environ, "PEX_TOOLS": "1", "PEX_ROOT": str(BUILD / "pex/root")}
            done = run([python, app.pex, "venv", folder], env=env)
            assert done.code == 0, done.err.decode()
            made[app.pex] = folder
        return made[app.pex]

    return make


@pytest.fixture
def against_venv(sides, venv_of):
    """against_venv(app): sides of which one is a venv."""

    def prepare(app):
        reference = VenvSide.__new__(VenvSide)
        reference.__dict__.update(sides.reference.__dict__)
        reference.venv = venv_of(app)
        sides.reference = reference
        sides.packed.root = Path("/")
        sides.packed.env.update(PATH="/usr/bin:/bin")
        sides.install(app)
        return sides

    return prepare


@pytest.fixture
def tools(make_app, against_venv):
    app = make_app(*TOOLS, "--include-tools", sources=PLUGINS, constraints=PINS)
    sides = against_venv(app)

    def tool(script, *arguments, **more):
        sides.reference.program = script
        env = {"PEX_SCRIPT": script, **more.pop("env", {})}
        return sides.compare(app, *arguments, env=env, **more)

    tool.app = app
    return tool


@pytest.fixture
def python_code(tools, sides):
    """Runs text in the application's Python."""

    def run_code(text, *arguments, **more):
        sides.write("code.py", dedent(text))
        return sides.compare(
            tools.app, "code.py", *arguments, env={"PEX_INTERPRETER": "1"}, **more
        )

    return run_code


def test_ipython(tools, sides):
    sides.write("script.py", "def f():\n    'Doc of f.'\n    return 6 * 7\n")
    got = tools(
        *("ipython", "--no-banner", "--colors=NoColor", "--simple-prompt"),
        *("--HistoryManager.enabled=False", "--no-confirm-exit"),
        stdin=dedent(
            """\
            %run script.py
            f??
            import json.decoder
            json.decoder.JSONDecoder.decode??
            %timeit -n1 -r1 None
            1 / 0
            !echo shell
            _ih[1]
            """
        ).encode(),
        varies=r"(?m)^.*loop, best of.*$|^.* per loop .*$|\d+(\.\d+)? [mnµ]s",
    )
    assert b"Doc of f." in got.out and b"ZeroDivisionError" in got.out
    assert b"def decode(self, s" in got.out


def test_mypy(tools, sides):
    sides.write(
        "typed.py",
        "import sqlalchemy, json\nfrom click import echo\nx: int = json.dumps(1)\n"
        "reveal_type(echo)\nreveal_type(sqlalchemy.text('x'))\n",
    )
    got = tools("mypy", "--cache-dir=/dev/null", "--strict", "typed.py")
    assert got.code == 1
    assert b'expression has type "str", variable has type "int"' in got.out
    assert b"sqlalchemy.sql.elements.TextClause" in got.out


def test_pylint(tools, sides):
    sides.write("linted.py", "import os, json.nothing\n\ndef F(a):\n    return os.nope\n")
    sides.write("other.py", "from flask import Flask, nope\n\nFlask(1, 2, 3).absent()\n")
    got = tools("pylint", "-j", "2", "linted.py", "other.py", varies="linted|other")
    assert b"Module 'os' has no 'nope' member" in got.out
    assert b"No name 'nope' in module 'flask'" in got.out


def test_sphinx(tools, sides):
    sides.write(
        "doc/conf.py",
        "project = 'p'\nextensions = ['sphinx.ext.autodoc', 'sphinx.ext.viewcode',"
        " 'sphinx.ext.doctest']\nhtml_last_updated_fmt = None\n",
    )
    sides.write(
        "doc/index.rst",
        "Title\n=====\n\n.. automodule:: plugged.drivers\n   :members:\n"
        "   :undoc-members:\n\n.. autofunction:: json.dumps\n\n"
        ".. doctest::\n\n   >>> 1 + 1\n   2\n",
    )
    pickles = ["out/.doctrees/environment.pickle", "out/.doctrees/index.doctree"]
    got = tools("sphinx-build", "-b", "html", "doc", "out", changes=pickles)
    assert got.code == 0, got.err
    page = (sides.packed.work / "out/index.html").read_text()
    assert "Serialize <code" in page and "plugged.drivers.Second" in page
    source = sides.packed.work / "out/_modules/plugged/drivers.html"
    assert "type(self)" in source.read_text() or source.exists()


def test_ansible(tools, sides):
    env = {"PEX_SCRIPT": "ansible-playbook", "ANSIBLE_NOCOLOR": "1"}
    sides.write(
        "book.yml",
        dedent(
            """\
            - hosts: localhost
              gather_facts: false
              connection: local
              tasks:
                - copy: {content: "{{ 6 * 7 }}\\n", dest: /srv/work/made.txt}
                - command: cat /srv/work/made.txt
                  register: seen
                - debug: {msg: "seen {{ seen.stdout }}"}
                - assert: {that: ["seen.stdout | int == 42"]}
                - fail: {msg: on purpose}
                  ignore_errors: true
            """
        ),
    )
    got = tools(
        "ansible-playbook", "-i", "localhost,", "book.yml", env=env, varies=r"\[WARN.*"
    )
    assert b"seen 42" in got.out and b"failed=0" in got.out
    assert (sides.packed.work / "made.txt").read_text() .strip() == "42"


def test_pytest_with_plugins(tools, sides):
    sides.write("pkg/__init__.py", "")
    sides.write("pkg/mod.py", "def f(x):\n    if x:\n        return 1\n    return 2\n")
    sides.write(
        "test_it.py",
        "from pkg.mod import f\n\ndef test_f(answer):\n    assert f(1) == 1\n\n"
        "def test_answer(answer):\n    assert answer == 43\n",
    )
    got = tools(
        *("pytest", "-p", "no:cacheprovider", "--cov=pkg", "--cov-report=term-missing"),
        varies=r"in \d.*s|platform .*|rootdir.*|plugins: .*",
        changes=[".coverage"],
    )
    assert b"plugged: here" in got.out and b"assert 42 == 43" in got.out
    assert b"75%" in got.out


def test_coverage_of_the_tree(python_code):
    """coverage.py measures packed modules, and shows their lines."""
    got = python_code(
        """\
        import coverage, sys
        measured = coverage.Coverage(data_file=None, source_pkgs=["plugged"])
        measured.start()
        import plugged.drivers
        plugged.drivers.First(1)
        measured.stop()
        for name in sorted(measured.get_data().measured_files()):
            print(measured.analysis2(name))
        """
    )
    assert b"plugged/drivers.py', [1, 2, 3, 5, 6, 8, 9], [], [6], '6')" in got.out


def test_stevedore_and_telemetry(python_code):
    got = python_code(
        """\
        import logging
        from stevedore import ExtensionManager, NamedExtensionManager, DriverManager

        logging.basicConfig(format="%(levelname)s %(message)s")
        manager = ExtensionManager("tool.drivers", invoke_on_load=True,
                                   invoke_args=("base",))
        print(sorted(manager.map(lambda e: (e.name, e.obj.run()))))
        print(DriverManager("tool.drivers", "second", invoke_on_load=True,
                            invoke_args=("only",)).driver.run())
        print(sorted(NamedExtensionManager("tool.drivers", ["first"]).names()))

        from opentelemetry import context, trace
        from opentelemetry.sdk._configuration import _import_id_generator
        from opentelemetry.sdk.trace import TracerProvider
        generator = _import_id_generator("steady")
        trace.set_tracer_provider(TracerProvider(id_generator=generator))
        with trace.get_tracer("t").start_as_current_span("s") as span:
            print(hex(span.get_span_context().trace_id), type(context.get_current()))
        """
    )
    assert b"Second only plugged.drivers" in got.out


def test_sqlalchemy(python_code):
    got = python_code(
        """\
        from sqlalchemy import String, create_engine, inspect, select
        from sqlalchemy.dialects import registry
        from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

        class Base(DeclarativeBase):
            pass

        class Item(Base):
            __tablename__ = "item"
            key: Mapped[int] = mapped_column(primary_key=True)
            name: Mapped[str] = mapped_column(String(9))

        engine = create_engine("quiet:///items.db")
        print(type(engine.dialect).__module__, registry.load("quiet"))
        Base.metadata.create_all(engine)
        with Session(engine) as session:
            session.add_all([Item(name="lamp"), Item(name="chair")])
            session.commit()
            print(session.scalars(select(Item.name).order_by(Item.name)).all())
        print(inspect(engine).get_table_names(), select(Item))
        create_engine("absent://")
        """,
        changes=["items.db"],
    )
    assert b"['chair', 'lamp']" in got.out
    assert b"NoSuchModuleError" in got.err


SITE1 = {
    "part.py": "V = 1\n",
    "site1.py": dedent(
        """\
        import os, time
        from flask import Flask
        from part import V

        app = Flask(__name__)
        app.get("/")(lambda: f"version {V} {os.getpid()}")

        @app.get("/slow")
        def slow():
            open("slow", "w").close()
            time.sleep(2)
            return "to the end"
        """
    ),
}


def until(condition):
    """Its first true value."""
    deadline = time.monotonic() + 60
    while not (value := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return value


def test_gunicorn(make_app, sides, port):  # noqa: F811
    """Two workers; a reload that starts them anew with other code; a stop that
    lets a request end."""
    app = make_app("gunicorn", "flask", "-c", "gunicorn", constraints=PINS)
    sides.install(app)
    address = f"http://127.0.0.1:{port}/"
    arguments = ["-w", "2", "-b", f"127.0.0.1:{port}", "--worker-tmp-dir", ".", "site1:app"]
    for side in sides.both:
        for name, text in SITE1.items():
            (side.work / name).write_text(text)
        with side.start(*arguments) as process, ThreadPoolExecutor() as pool:
            seen = set()
            until(lambda: seen.add(fetch(address)[2]) or len(seen) == 2)
            assert all(answer.startswith(b"version 1 ") for answer in seen)
            (side.work / "part.py").write_text("V = 22\n")
            process.send_signal(signal.SIGHUP)
            until(lambda: fetch(address)[2].startswith(b"version 22 "))
            slow = pool.submit(fetch, address + "slow")
            until((side.work / "slow").exists)
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=60)
            assert slow.result() == (200, "text/html; charset=utf-8", b"to the end")
        assert (process.returncode, out) == (0, b""), err
        for line in b"Hang up: Master", b"Handling signal: term", b"Shutting down: Master":
            assert line in err


# Each with a snapshot of its own: script, projects, what to run, files.
ALONE = {
    "ipython": (["ipython"], ["-c", "import json; json.dumps??"], {}),
    "mypy": (["mypy"], ["--strict", "--cache-dir=/dev/null", "m.py"], {"m.py": "x: int = ''\n"}),
    "pylint": (["pylint"], ["m.py"], {"m.py": "import os, absent\nos.nope()\n"}),
    "sphinx-build": (
        ["sphinx"],
        ["-q", "-b", "text", "-D", "extensions=sphinx.ext.autodoc", ".", "out"],
        {"index.rst": "Title\n=====\n\n.. autofunction:: json.dumps\n", "conf.py": ""},
    ),
    "ansible": (
        ["ansible-core"],
        ["-i", "localhost,", "-c", "local", "-m", "command", "-a", "echo 42", "all"],
        {},
    ),
    "pytest": (
        ["pytest", "pytest-cov"],
        ["-q", "-p", "no:cacheprovider", "--cov=part", "test_part.py"],
        {"part.py": "V = 1\n", "test_part.py": "import part\ndef test():\n    assert part.V\n"},
    ),
}


@pytest.mark.parametrize("script", ALONE)
def test_alone(make_app, against_venv, script):
    """As most are packed: from a snapshot, against the same in a venv."""
    projects, arguments, files = ALONE[script]
    app = make_app(*projects, "-c", script, "--include-tools", constraints=PINS)
    sides = against_venv(app)
    sides.reference.program = script
    for name, text in files.items():
        sides.write(name, text)
    got = sides.compare(
        app,
        *arguments,
        env={"ANSIBLE_NOCOLOR": "1", "NO_COLOR": "1"},
        changes=[".coverage", "out/.doctrees/environment.pickle", "out/.doctrees/index.doctree"],
        varies=r"in \d.*s|\[WARN.*",
    )
    assert got.out or script == "sphinx-build"
    again = sides.packed.run(*arguments, env={"PEXCZ_SNAPSHOT": "explain"})
    assert b"ordinary boot" not in again.err


CACHED = (
    "cache/joblib/__main__--srv-work-code/square/"
    "e553a9724fb4db27304cf433c6999883/metadata.json"  # has the time it took
)


def test_joblib(python_code):
    got = python_code(
        """\
        import os
        from joblib import Memory, Parallel, delayed
        from joblib.externals.loky import get_reusable_executor

        def square(x):
            return x * x, os.getpid() != int(os.environ["PARENT"])

        if __name__ == "__main__":
            os.environ["PARENT"] = str(os.getpid())
            for backend in ("loky", "multiprocessing", "threading"):
                done = Parallel(n_jobs=2, backend=backend)(
                    delayed(square)(i) for i in range(4))
                print(backend, done)
            print(get_reusable_executor(2).submit(square, 5).result()[0])
            cached = Memory("cache", verbose=0).cache(square)
            print(cached(3)[0], cached(3)[0])
        """,
        changes=[CACHED],
    )
    assert b"loky [(0, True), (1, True), (4, True), (9, True)]" in got.out


def test_scikit_learn(make_app, against_venv):
    source = """\
        import numpy as np
        from sklearn.datasets import load_iris
        from sklearn.ensemble import RandomForestClassifier
        from sklearn.linear_model import LogisticRegression
        from sklearn.model_selection import cross_val_score
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        def main():
            x, y = load_iris(return_X_y=True)
            forest = RandomForestClassifier(20, n_jobs=2, random_state=1).fit(x, y)
            print(round(forest.score(x, y), 3), forest.feature_importances_.round(2))
            line = make_pipeline(StandardScaler(), LogisticRegression())
            print(cross_val_score(line, x, y, n_jobs=2).round(3))
        """
    app = make_app(
        *("scikit-learn", "joblib", "-e", "learn:main", "--include-tools"),
        sources={"learn.py": dedent(source)},
        constraints=PINS,
    )
    sides = against_venv(app)
    sides.reference.program = "../pex"
    assert b"[0.967 1." in sides.compare(app).out
