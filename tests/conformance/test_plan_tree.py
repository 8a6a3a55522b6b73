# SPDX-License-Identifier: Apache-2.0
"""The planned tree of real PEXes against the venv that Pex itself makes.

Builds PEXes of PyPI applications with the `pex` tool, lets `pex-tools venv`
turn each into a venv, and compares file for file: paths, contents, executable
bits.  What may differ, and nothing else:

- the interpreter in the first line of scripts, and the hash of such scripts
  in RECORD;
- the lines of generated scripts that clean up after Pex's own boot;
- files of the venv itself and of Pex's wheel cache (OWN_FILES).
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, Tuple

import pytest

pytest.importorskip("pex")

ROOT = Path(__file__).resolve().parents[2]
PYTHON = "python%d.%d" % sys.version_info[:2]
SITE = "lib/%s/site-packages/" % PYTHON

OWN_FILES = re.compile(
    r"PEX-INFO|pex|pex-repl|__main__\.py|pyvenv\.cfg|lib64|\.pex-venv-scope"
    r"|bin|bin/(python[0-9.]*|activate.*|Activate\.ps1)"
    r"|include|include/%s"
    r"|%s(PEX_EXTRA_SYS_PATH\..*|[^/]*\.pex-info(/.*)?)"
    % (re.escape(PYTHON), re.escape(SITE))
)

FALLBACK = b"""\
    import os
    pex_root_fallback = os.environ.get("_PEX_ROOT_FALLBACK")
    if pex_root_fallback:
        import atexit
        import shutil

        atexit.register(shutil.rmtree, pex_root_fallback, True)

"""

SHEBANG = re.compile(
    rb"\A#!(/proc/pexcz/bin/python3|[^\n]*/bin/python[0-9.]* -I)\n"
)

USER_CODE = {
    "app/__init__.py": "def main():\n    print('hi')\n",
    "app/data/d.txt": "data\n",
    "app/run.sh": "#!/bin/sh\n",
    "space/one/__init__.py": "A = 1\n",
    "sitecustomize.py": "x = 1\n",
    "extra.pth": "app\nimport app\n",
}

PEXES = {
    "cowsay": ["cowsay", "-c", "cowsay"],
    "cowsay-sh-boot": ["cowsay", "-c", "cowsay", "--sh-boot"],
    "cowsay-venv": ["cowsay", "-c", "cowsay", "--venv"],
    "black": ["black", "-c", "black"],
    "requests": ["requests"],
    "flask": ["flask", "-c", "flask"],
    "django": ["django", "-c", "django-admin"],
    "numpy": ["numpy"],
    # Headers, scripts in C, .pth files, a data scheme.
    "schemes": ["greenlet", "ruff", "setuptools", "jupyter_core", "pytest-cov"],
    "namespaces": ["zope.interface", "zope.event"],
    "user-code": ["click", "-D", "{sources}", "-e", "app:main"],
}

FORMS: Dict[str, List[str]] = {
    "installed": [],
    "wheels": ["--no-pre-install-wheels"],
    "stored": ["--no-compress"],
}


def driver() -> Path:
    given = os.environ.get("PEXCZ_PLAN_DRIVER")
    if given:
        return Path(given)
    found = sorted(ROOT.glob("build/**/plan_driver"))
    if not found:
        pytest.fail("plan_driver is not built: run make check")
    return found[0]


def run(*command: str, cache: Path) -> str:
    environment = dict(os.environ, PEX_ROOT=str(cache))
    done = subprocess.run(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout.decode()
    return done.stdout.decode()


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pex-root")


def sources(folder: Path) -> Path:
    for name, text in USER_CODE.items():
        path = folder / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "src/app/run.sh").chmod(0o755)
    return folder / "src"


Entry = Tuple[str, bytes, int]


def normalize(path: str, data: bytes) -> bytes:
    if path.startswith("bin/"):
        data = SHEBANG.sub(b"#!PYTHON\n", data)
        data = data.replace(FALLBACK, b"")
    if path.endswith(".dist-info/RECORD"):
        lines = [
            re.sub(rb",.*", b"", line)
            if line.startswith(b"../../../bin/")
            else line
            for line in data.splitlines(True)
            if b".pex-info/original-whl-info.json," not in line
        ]
        data = b"".join(lines)
    return data


def listing(root: Path) -> Dict[str, Entry]:
    entries: Dict[str, Entry] = {}
    for folder, dirs, files in os.walk(root):
        for name in dirs + files:
            path = Path(folder, name)
            rel = str(path.relative_to(root))
            if OWN_FILES.fullmatch(rel):
                continue
            if path.is_symlink():
                entries[rel] = ("link", os.readlink(path).encode(), 0)
            elif path.is_dir():
                entries[rel] = ("dir", b"", 0)
            else:
                data = normalize(rel, path.read_bytes())
                entries[rel] = ("file", data, path.stat().st_mode & 0o111)
        dirs[:] = [d for d in dirs if not Path(folder, d).is_symlink()]
    return entries


def differences(ours: Path, venv: Path) -> List[str]:
    a, b = listing(ours), listing(venv)
    wrong = ["only in the plan: " + p for p in sorted(set(a) - set(b))]
    wrong += ["only in the venv: " + p for p in sorted(set(b) - set(a))]
    for path in sorted(set(a) & set(b)):
        if a[path] != b[path]:
            wrong.append("not alike: " + path)
    return wrong


def build(name: str, form: str, folder: Path, cache: Path) -> Path:
    arguments = [a.format(sources=sources(folder)) for a in PEXES[name]]
    pex = folder / "app.pex"
    run(
        *(sys.executable, "-m", "pex", *arguments, *FORMS[form]),
        *("-o", str(pex)),
        cache=cache,
    )
    return pex


def plan(pex: Path, tree: Path, cache: Path) -> str:
    tree.mkdir()
    return run(
        str(driver()),
        platform.python_version(),
        platform.machine(),
        str(pex),
        str(tree),
        cache=cache,
    )


CASES = [(n, f) for n in sorted(PEXES) for f in ("installed", "wheels")]


@pytest.mark.parametrize("name, form", CASES + [("cowsay", "stored")])
def test_tree_is_that_of_the_venv(
    name: str, form: str, tmp_path: Path, cache: Path
) -> None:
    pex = build(name, form, tmp_path, cache)
    venv, tree = tmp_path / "venv", tmp_path / "tree"
    run(
        *(sys.executable, "-m", "pex.tools", str(pex)),
        *("venv", str(venv)),
        cache=cache,
    )
    plan(pex, tree, cache)
    found = differences(tree, venv)
    assert not found, "\n".join(found[:40])
    assert (tree / SITE).is_dir()


def test_same_tree_from_either_form(tmp_path: Path, cache: Path) -> None:
    """Installed wheels and wheel files give one tree, times included."""
    trees = []
    for form in ("installed", "wheels"):
        folder = tmp_path / form
        folder.mkdir()
        pex = build("black", form, folder, cache)
        plan(pex, folder / "tree", cache)
        trees.append(
            {
                str(p.relative_to(folder / "tree")): (
                    p.is_dir() or (p.read_bytes(), p.stat().st_mtime)
                )
                for p in (folder / "tree").rglob("*")
            }
        )
    assert trees[0] == trees[1]


def test_boot_settings(tmp_path: Path, cache: Path) -> None:
    pex = build("user-code", "installed", tmp_path, cache)
    lines = plan(pex, tmp_path / "tree", cache).splitlines()
    assert lines == [
        "kind call",
        "module app",
        "attr main",
        "script ",
        "search_path lib/%s/site-packages" % PYTHON,
        "search_path lib/%s/site-packages/app" % PYTHON,
        "startup_line import app",
    ]
