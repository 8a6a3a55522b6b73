# SPDX-License-Identifier: Apache-2.0
"""Packs the largest pure-Python command-line tools of PyPI with --snapshot
require, and runs each restored and booted.

usage: run.py [TOOL...]

A tool passes when it starts from the snapshot and every command line has the
same output, exit code and files both ways; or when there is no snapshot, and
the message names the module that prevents it.  Newest versions: the network is
needed, and a failure may be the project's own.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Tuple

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ["PEXCZ_BUILD"])
sys.path[:0] = [str(REPOSITORY / "tests"), str(REPOSITORY / "tests/e2e")]

import totals  # noqa: E402

# Project, console script, command lines.
TOOLS: List[Tuple[str, str, List[str]]] = [
    ("yt-dlp", "yt-dlp", ["--version", "--help", "--list-extractors", ""]),
    ("poetry", "poetry", ["--version", "list", "new demo", "check"]),
    ("pipenv", "pipenv", ["--version", "--help", "--where"]),
    ("mkdocs", "mkdocs", ["--version", "--help", "new site"]),
    ("sphinx", "sphinx-build", ["--version", "--help", "-M help . out"]),
    ("pylint", "pylint", ["--version", "--help", "module.py", "--list-msgs"]),
    ("conan", "conan", ["--version", "--help", "profile detect", "version"]),
    ("cookiecutter", "cookiecutter", ["--version", "--help", "nowhere"]),
    ("platformio", "platformio", ["--version", "--help", "settings --help"]),
    ("pdm", "pdm", ["--version", "--help", "config --help"]),
    ("httpie", "http", ["--version", "--help", "--offline GET http://x.y/ a==b"]),
    ("awscli", "aws", ["--version", "ec2 wait", "configure list"]),
    ("tox", "tox", ["--version", "--help", "list"]),
    ("hatch", "hatch", ["--version", "--help", "new demo"]),
    ("mypy", "mypy", ["--version", "--help", "module.py"]),
]
MODULE = "import os\n\n\ndef twice(a: int) -> str:\n    return a + a\n"
# What differs between any two runs of a command.
VARIES = re.compile(r"\d+\.\d+ ?s\b|\d\d:\d\d:\d\d|0x[0-9a-f]+|/tmp/[\w./-]+")
EXPLAINED = "pexcz: ordinary boot: "


@dataclass
class Outcome:
    code: int
    out: str
    err: str
    files: Dict[str, bytes]


def run(exe: Path, line: str, snapshot: str) -> Outcome:
    """In fresh folders of the same names."""
    with tempfile.TemporaryDirectory(prefix="tool-") as name:
        folder = Path(name)
        for part in "home", "work":
            (folder / part).mkdir()
        (folder / "work/module.py").write_text(MODULE)
        env = {"HOME": str(folder / "home"), "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin",
               "COLUMNS": "100", "PEXCZ_SNAPSHOT": snapshot}  # fmt: skip
        done = subprocess.run(
            [exe, *shlex.split(line)], env=env, cwd=folder / "work", check=False,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        files = {str(p.relative_to(folder)): p.read_bytes()
                 for p in sorted((folder / "work").rglob("*"))
                 if p.is_file() and "cache" not in str(p)}  # fmt: skip
    return Outcome(done.returncode, VARIES.sub("", done.stdout),
                   VARIES.sub("", done.stderr), files)  # fmt: skip


def pack(project: str, script: str, folder: Path) -> Path:
    pex = folder / f"{project}.pex"
    if not pex.exists():
        subprocess.run([sys.executable, "-m", "pex", project, "-c", script,
                        "--python", "python3.11", "-o", pex], check=True)  # fmt: skip
    exe = folder / project
    done = subprocess.run([BUILD / "bin/pexcz-pack", "--snapshot", "require", pex, "-o",
                           exe], capture_output=True, text=True, check=False)  # fmt: skip
    if done.returncode != 0:
        raise LookupError(done.stderr.strip())
    return exe


def names_a_module(message: str) -> bool:
    return re.search(r"no snapshot: .*(import|module|in [\w.]+:|\w+\.\w+)", message) is not None


def try_tool(project: str, script: str, lines: List[str], folder: Path) -> str:
    """What is wrong, or ""."""
    try:
        exe = pack(project, script, folder)
    except LookupError as error:
        print(f"{project}: {error}", flush=True)
        return "" if names_a_module(str(error)) else f"no reason: {error}"
    for line in lines:
        restored = run(exe, line, "explain")
        if EXPLAINED in restored.err:
            return f"{line}: {restored.err.splitlines()[0]}"
        booted = run(exe, line, "0")
        if restored != booted:
            return f"{line}: restored {restored}, booted {booted}"[:3000]
    print(f"{project}: {len(lines)} command lines alike, "
          f"{exe.stat().st_size / 1e6:.1f} MB", flush=True)  # fmt: skip
    return ""


def main() -> int:
    wanted = sys.argv[1:] or [project for project, _, _ in TOOLS]
    folder = BUILD / "snapshot-tools"
    folder.mkdir(exist_ok=True)
    failed = 0
    for project, script, lines in TOOLS:
        if project in wanted:
            wrong = try_tool(project, script, lines, folder)
            failed += wrong != ""
            if wrong:
                print(f"{project}: {wrong}", flush=True)
    totals.report(len(wanted) - failed, failed, 0)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
