# SPDX-License-Identifier: Apache-2.0
"""What is measured: PEXes, a virtual environment with the same projects, and
the list of modules of the standard library."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, Sequence

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "tests/e2e"))

from pexes import CONSTRAINTS, build_pex  # noqa: E402

# Of botocore, which wants other versions.
DATA_CONSTRAINTS = CONSTRAINTS.with_name("constraints_data.txt")
AWS_CONSTRAINTS = CONSTRAINTS.with_name("constraints_aws.txt")

# Imported for their shared objects, or what they need.
IMPORTED = ["requests", "flask", "sqlalchemy", "aiohttp", "pydantic", "black", "pandas"]
PROJECTS = ["cowsay", "pip", "rich", "django", "numpy", "httpie", *IMPORTED]

HELLO = "def main():\n    print('hello')\n"

TABLE = """\
from rich.console import Console
from rich.table import Table

def main():
    table = Table(title="Planets")
    for column in "name", "moons", "day":
        table.add_column(column)
    for row in ("Mercury", "0", "59 d"), ("Earth", "1", "24 h"), ("Mars", "2", "25 h"):
        table.add_row(*row)
    Console(width=80).print(table)
"""

CHECK = """\
import sys
from django.conf import settings
from django.core.management import execute_from_command_line

def main():
    settings.configure(
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        SECRET_KEY="x",
        USE_TZ=True,
    )
    execute_from_command_line([sys.argv[0], "check"])
"""

CLIENT = """\
import botocore.session

def main():
    session = botocore.session.get_session()
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    print(session.create_client("sts", region_name="eu-west-1", **keys).meta.region_name)
"""

NUMPY = "import numpy\n\ndef main():\n    print(numpy.arange(3).sum())\n"

# Prints what an import costs besides unmarshalling and running the module, in us.
HITS = """\
import marshal, sys, time

def main():
    names = [f"many.m{i}" for i in range(2000)]
    import many

    start = time.process_time_ns()
    for name in names:
        __import__(name)
    whole = time.process_time_ns() - start
    code = marshal.dumps(sys.modules["many.m0"].__spec__.loader.get_code("many.m0"))
    start = time.process_time_ns()
    for _ in names:
        exec(marshal.loads(code), {})
    print((whole - (time.process_time_ns() - start)) / len(names) / 1e3)
"""

RESPONSE = """\
import flask

app = flask.Flask(__name__)

@app.get("/")
def index():
    return flask.render_template_string("<p>{{ word }}", word="hello")

def main():
    print(app.test_client().get("/").text)
"""

# Not imported: what has a window, prints, warns, or runs something.
LIST_MODULES = """\
import importlib, pkgutil, subprocess, sys
skip = {"antigravity", "idlelib", "lib2to3", "test", "this", "tkinter", "turtle",
        "turtledemo", "__phello__", "__hello__", "ensurepip", "pydoc_data"}
names = []
for name in sorted(sys.stdlib_module_names - skip):
    if name.startswith("_test") or name.startswith("_xx") or name == "xxsubtype":
        continue
    names.append(name)
    try:
        path = importlib.import_module(name).__path__
    except (ImportError, AttributeError):
        continue
    names += [m.name for m in pkgutil.walk_packages(path, name + ".", lambda n: None)
              if not {"test", "tests", "__main__", "idle_test"} & set(m.name.split("."))]
good = []
for name in names:
    done = subprocess.run([sys.executable, "-I", "-S", "-W", "error", "-c", "import " + name],
                          stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode == 0 and not done.stdout + done.stderr:
        good.append(name)
print("\\n".join(good))
"""


class Subjects:
    def __init__(self, build: Path, python: Path) -> None:
        self.build = build
        self.python = python
        self.folder = build / "bench"
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "home").mkdir(exist_ok=True)

    def pack(self, pex: Path, name: str, *options: str) -> Path:
        exe = self.folder / name
        subprocess.run([str(self.build / "bin/pexcz-pack"), "-q", *options, str(pex),
                        "-o", str(exe)], check=True)  # fmt: skip
        return exe

    def pex(self, *arguments: str, constraints: Path = CONSTRAINTS, **sources: str) -> Path:
        files = {f"{name}.py": text for name, text in sources.items()}
        return build_pex(self.build, list(arguments), files, constraints)

    def modules(self) -> List[str]:
        """Modules of the standard library that import without a word."""
        kept = self.folder / f"modules-{self.python.resolve().parts[-5]}.list"
        if not kept.exists():
            done = subprocess.run([str(self.python), "-I", "-S", "-c", LIST_MODULES],
                                  capture_output=True, text=True, check=True)  # fmt: skip
            kept.write_text(done.stdout)
        return kept.read_text().split()

    def modules_of_snapshots(self) -> List[str]:
        """Those of modules() that a snapshot can have."""
        kept = self.folder / f"snapshot-{self.python.resolve().parts[-5]}.list"
        if not kept.exists():
            names = self.modules()
            while True:
                text = "".join(f"import {n}\n" for n in names)
                pex = self.pex("-e", "imports:main", imports=text + "def main(): pass\n")
                done = subprocess.run(
                    [str(self.build / "bin/pexcz-pack"), "-v", str(pex), "-o",
                     str(self.folder / "imports")], capture_output=True, text=True,
                    check=True)  # fmt: skip
                left = set(re.findall(r"not in the snapshot: (\S+):", done.stderr))
                if not left - {"imports"}:
                    break
                names = [n for n in names if n not in left]
            kept.write_text("\n".join(names))
        return kept.read_text().split()

    def venv(self, name: str = "venv", projects: Sequence[str] = PROJECTS,
             constraints: Path = CONSTRAINTS) -> Path:
        """The `bin` folder of an environment of the same Python with `projects`."""
        folder = self.folder / name
        done = folder / "done"
        if not done.exists() or done.read_text().split() != [*projects]:
            subprocess.run([str(self.python), "-m", "venv", "--clear", "--without-pip",
                            str(folder)], check=True)  # fmt: skip
            subprocess.run([sys.executable, "-m", "pip", "--quiet", "--python",
                            str(folder / "bin/python"), "install", "-c", str(constraints),
                            *projects], check=True)  # fmt: skip
            done.write_text(" ".join(projects))
        return folder / "bin"

    def scripts(self) -> Dict[str, Path]:
        """The sources above as files, for the environment's Python."""
        found = {}
        for name, text in (("table", TABLE), ("check", CHECK), ("numpy_sum", NUMPY),
                           ("client", CLIENT),
                           ("response", RESPONSE)):
            path = self.folder / f"{name}.py"
            path.write_text(text + "\n\nif __name__ == '__main__':\n    main()\n")
            found[name] = path
        return found
