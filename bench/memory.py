# SPDX-License-Identifier: Apache-2.0
"""Memory of many copies of a web application that run at once: packed, restored
and booted, and from a virtual environment.

usage: memory.py --python PYTHON [--copies N]

Each copy answers one request inside of the process and then waits; when all
wait, /proc/PID/smaps_rollup tells what each has for itself ("private dirty": it
would not be there without this copy) and its share of all memory ("PSS").
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, Sequence

from measure import ENVIRONMENT
from subjects import Subjects

FLASK = """\
import sys
from flask import Flask, jsonify, request
app = Flask(__name__)

@app.route("/sum")
def total():
    return jsonify(sum=sum(map(int, request.args.getlist("n"))))

def main():
    answer = app.test_client().get("/sum?n=1&n=2")
    assert answer.get_json() == {"sum": 3}
    print("ready", flush=True)
    sys.stdin.read()
"""

DJANGO = """\
import sys
import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import JsonResponse
from django.test import Client
from django.urls import path

def total(request):
    return JsonResponse({"sum": sum(map(int, request.GET.getlist("n")))})

urlpatterns = [path("sum", total)]

def main():
    settings.configure(ROOT_URLCONF=sys.modules[total.__module__], SECRET_KEY="x",
                       ALLOWED_HOSTS=["testserver"], INSTALLED_APPS=[
                           "django.contrib.auth", "django.contrib.contenttypes"])
    django.setup()
    assert Client().get("/sum?n=1&n=2").json() == {"sum": 3}
    print("ready", flush=True)
    sys.stdin.read()
"""

FIELDS = "Private_Dirty", "Pss", "Rss"


def of_process(pid: int) -> Dict[str, int]:
    """MB of each field, in kB."""
    found = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        name, _, value = line.partition(":")
        if name in FIELDS:
            found[name] = int(value.split()[0])
    return found


def measure(command: Sequence[str], env: Dict[str, str], copies: int) -> Dict[str, float]:
    """Medians in MB."""
    running = [
        subprocess.Popen([*command], env={**ENVIRONMENT, "HOME": "/tmp", **env},
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(copies)
    ]  # fmt: skip
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n", command
    numbers = [of_process(process.pid) for process in running]
    for process in running:
        process.communicate()
    return {name: statistics.median(n[name] for n in numbers) / 1000 for name in FIELDS}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", type=Path, required=True)
    parser.add_argument("--copies", type=int, default=100)
    options = parser.parse_args()
    subjects = Subjects(Path(os.environ["PEXCZ_BUILD"]), options.python)
    python = str(subjects.venv("venv-memory", ["flask", "django"]) / "python")
    print(f"{options.copies} copies at once; medians in MB\n")
    print("| | private dirty | PSS | RSS |\n|---|---|---|---|")
    for name, project, text in ("flask", "flask", FLASK), ("django", "django", DJANGO):
        module = f"many_{name}"
        script = subjects.folder / f"{module}.py"
        script.write_text(text + "\n\nif __name__ == '__main__':\n    main()\n")
        pex = subjects.pex(project, "-e", f"{module}:main", **{module: text})
        exe = str(subjects.pack(pex, module, "--snapshot", "require", "--snapshot-warm", ""))
        rows: Dict[str, List[object]] = {
            "venv": [[python, "-I", str(script)], {}],
            "snapshot": [[exe], {}],
            "ordinary": [[exe], {"PEXCZ_SNAPSHOT": "0"}],
        }
        for side, (command, env) in rows.items():
            got = measure(command, env, options.copies)  # type: ignore[arg-type]
            cells = " | ".join(f"{got[field]:.1f}" for field in FIELDS)
            print(f"| {name}, {side} | {cells} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
