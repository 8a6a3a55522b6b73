# SPDX-License-Identifier: Apache-2.0
"""The same programs as a file of pexcz and of other tools: docs/benchmarks.md.

For each: the first start with an empty home and temporary folder, a start
after that one, the size of what is shipped, and what the starts left behind.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Dict, List, Sequence

from measure import Candidate, interleave
from subjects import CONSTRAINTS, NUMPY, TABLE

TOOLS = ["pex==2.105.2", "shiv==1.0.8", "pyinstaller==6.16.0"]
FIRST_STARTS = 5

FLASK = """\
from flask import Flask

app = Flask(__name__)

@app.get("/")
def index():
    return "hello"

def main():
    print(app.test_client().get("/").text)
"""

COWSAY = "import cowsay\n\ndef main():\n    cowsay.cow('moo')\n"

PROGRAMS = {
    "cowsay_moo": (COWSAY, ["cowsay"]),
    "rich_table": (TABLE, ["rich"]),
    "flask_get": (FLASK, ["flask"]),
    "numpy_sum": (NUMPY, ["numpy"]),
}


@dataclass
class Workshop:
    """Where one program is packed by each tool."""

    folder: Path
    python: Path  # of the tools and the environments
    pexcz_pack: Path
    name: str
    requirements: Sequence[str]

    @property
    def source(self) -> Path:
        return self.folder / f"src/{self.name}.py"

    @property
    def script(self) -> Path:
        return self.folder / f"script/run_{self.name}.py"

    def call(self, *command: object) -> None:
        env = {**os.environ, "PEX_ROOT": str(self.folder / "pex-root")}
        subprocess.run([str(c) for c in command], check=True, env=env, cwd=self.folder,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip

    def tool(self, name: str) -> Path:
        return self.python.parent / name

    def pex(self, kind: str, *options: str) -> Path:
        out = self.folder / f"{self.name}-{kind}.pex"
        self.call(self.tool("pex"), *self.requirements, "--constraints", CONSTRAINTS, "-D",
                  self.source.parent, "-e", f"{self.name}:main", *options, "-o", out)  # fmt: skip
        return out


def in_venv(shop: Workshop) -> List[Path]:
    venv = shop.folder / "venv"
    shop.call(shop.python, "-m", "venv", "--clear", venv)
    shop.call(venv / "bin/pip", "install", "-c", CONSTRAINTS, *shop.requirements)
    return [venv / "bin/python", shop.script]


def by_pex(shop: Workshop) -> List[Path]:
    return [shop.pex("zipapp")]


def by_pex_venv(shop: Workshop) -> List[Path]:
    return [shop.pex("venv", "--venv")]


def by_shiv(shop: Workshop) -> List[Path]:
    site = shop.folder / "site"
    shutil.rmtree(site, ignore_errors=True)
    shop.call(shop.python, "-m", "pip", "install", "--target", site, "-c", CONSTRAINTS,
              *shop.requirements)  # fmt: skip
    shutil.copy(shop.source, site)
    out = shop.folder / f"{shop.name}.pyz"
    shop.call(shop.tool("shiv"), "--site-packages", site, "-e", f"{shop.name}:main",
              "-p", shop.python, "-o", out)  # fmt: skip
    return [out]


def by_pyinstaller(shop: Workshop) -> List[Path]:
    site = shop.folder / "site"  # by_shiv() filled it
    shop.call(shop.tool("pyinstaller"), "--onefile", "--paths", site, "--distpath",
              shop.folder, "--name", f"{shop.name}-pyinstaller", shop.script)  # fmt: skip
    return [shop.folder / f"{shop.name}-pyinstaller"]


def by_pexcz(shop: Workshop) -> List[Path]:
    out = shop.folder / f"{shop.name}-pexcz"
    shop.call(shop.pexcz_pack, "-q", shop.pex("pexcz"), "-o", out)
    return [out]


MAKERS: Dict[str, Callable[[Workshop], List[Path]]] = {
    "venv": in_venv,
    "pex": by_pex,
    "pex --venv": by_pex_venv,
    "shiv": by_shiv,
    "PyInstaller --onefile": by_pyinstaller,
    "pexcz": by_pexcz,
}


def size_of(paths: Sequence[Path]) -> float:
    """MB of all files; the environment's for a venv."""
    first = paths[0]
    if len(paths) == 1:
        return first.stat().st_size / 1e6
    root = first.parents[1]
    return sum(p.lstat().st_size for p in root.rglob("*") if not p.is_dir()) / 1e6


def environment(home: Path) -> Dict[str, str]:
    return {"HOME": str(home), "TMPDIR": str(home / "tmp")}


def empty(home: Path) -> None:
    shutil.rmtree(home, ignore_errors=True)
    (home / "tmp").mkdir(parents=True)


def first_start(command: Sequence[str], home: Path) -> float:
    candidate = Candidate(command, environment(home))
    for _ in range(FIRST_STARTS):
        empty(home)
        candidate.run(str(home))
    return statistics.median(candidate.seconds) * 1e3


def measure(shop: Workshop, runs: int) -> None:
    shop.source.parent.mkdir(parents=True, exist_ok=True)
    shop.script.parent.mkdir(parents=True, exist_ok=True)
    text = PROGRAMS[shop.name][0]
    shop.source.write_text(text)
    shop.script.write_text(text + "\n\nif __name__ == '__main__':\n    main()\n")
    made = {tool: make(shop) for tool, make in MAKERS.items()}
    homes = {tool: shop.folder / f"home-{i}" for i, tool in enumerate(made)}
    first = {t: first_start([str(p) for p in made[t]], homes[t]) for t in made}
    warm = {
        t: Candidate([str(p) for p in made[t]], environment(homes[t])) for t in made
    }
    interleave(warm, runs, "/")
    for tool, paths in made.items():
        left = [p for p in homes[tool].rglob("*") if not p.is_dir()]
        mb = sum(p.lstat().st_size for p in left) / 1e6
        print(f"{shop.name:12}{tool:24}{first[tool]:9.0f} ms{warm[tool].median * 1e3:9.1f} ms"
              f"{size_of(paths):9.1f} MB{len(left):7} files{mb:8.1f} MB", flush=True)  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", type=Path, required=True, help="with a shared libpython")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--only", choices=PROGRAMS)
    options = parser.parse_args()
    build = Path(os.environ["PEXCZ_BUILD"])
    folder = build / "bench/others"
    tools = folder / "tools"
    folder.mkdir(parents=True, exist_ok=True)
    if not (tools / "done").exists():
        subprocess.run([options.python, "-m", "venv", "--clear", tools], check=True)
        subprocess.run([tools / "bin/pip", "install", "-q", *TOOLS], check=True)
        (tools / "done").touch()
    print(f"{'program':12}{'tool':24}{'first':>12}{'then':>12}{'size':>12}{'left behind':>24}")
    for name, (_, requirements) in PROGRAMS.items():
        if options.only in (None, name):
            shop = Workshop(folder / name, tools / "bin/python", build / "bin/pexcz-pack",
                            name, requirements)  # fmt: skip
            shop.folder.mkdir(parents=True, exist_ok=True)
            measure(shop, options.runs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
