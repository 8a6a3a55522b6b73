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

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests"))
from build_wheel import build_wheel  # noqa: E402

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

# What the odd wheels have: every scheme, scripts of both kinds, bytecode
# with and without source, lines of .pth files, odd names.
ODD: Dict[str, bytes] = {
    "odd/__init__.py": b"",
    "odd/__pycache__/__init__.cpython-311.pyc": b"stale",
    "odd/sourceless.pyc": b"no source",
    "odd/beside.py": b"",
    "odd/beside.pyc": b"stale, too",
    "odd/program.sh": b"#!/bin/sh\necho program\n",
    "odd/with space/\u00fcml\u00e4ut.txt": "\u00e9\n".encode(),
    "odd/empty": b"",
    "shared/from_odd.py": b"",
    "odd.pth": b"# comment\n\nodd/added\nabsent\nimport odd.beside\n",
    "odd/added/module.py": b"",
    "odd-1.0.data/purelib/odd_pure.py": b"",
    "odd-1.0.data/platlib/odd_plat.py": b"",
    "odd-1.0.data/scripts/odd-script": b"#!python\nprint('script')\n",
    "odd-1.0.data/scripts/oddw-script": b"#!pythonw -x\r\nprint('w')\r\n",
    "odd-1.0.data/scripts/odd-sh": b"#!/bin/sh\necho sh\n",
    "odd-1.0.data/scripts/odd-binary": b"\x7fELF\0\0",
    "odd-1.0.data/data/share/odd/data.txt": b"data\n",
    "odd-1.0.data/data/etc/odd.conf": b"conf\n",
    "odd-1.0.data/data/lib/odd/lib.txt": b"lib\n",
    "odd-1.0.data/headers/odd.h": b"#define ODD\n",
    "odd-1.0.dist-info/entry_points.txt": (
        b"[console_scripts]\nodd = odd:main\n"
        b"odd.dotted = odd.beside:Class.method [extra]\n\n"
        b"[gui_scripts]\nodd-gui = odd:gui\n[other]\nx = odd\n"
    ),
    "odd-1.0.dist-info/licenses/LICENSE": b"free\n",
}
EVEN: Dict[str, bytes] = {
    "even.py": b"",
    "shared/from_even.py": b"",
    "even-2.0.data/scripts/even-script": b"#!python -s\n",
    "even-2.0.data/data/share/odd/more.txt": b"more\n",
}

PEXES = {
    "cowsay": ["cowsay==6.1", "-c", "cowsay"],
    "cowsay-sh-boot": ["cowsay==6.1", "-c", "cowsay", "--sh-boot"],
    "cowsay-venv": ["cowsay==6.1", "-c", "cowsay", "--venv"],
    "black": ["black==26.10.1", "-c", "black"],
    "requests": ["requests==2.34.2"],
    "flask": ["flask==3.1.3", "-c", "flask"],
    "django": ["django==5.2.19", "-c", "django-admin"],
    "numpy": ["numpy==2.4.6"],
    "httpie": ["httpie==3.2.4", "-c", "http"],
    # Headers, scripts in C, .pth files, a data scheme.
    "schemes": [
        *("greenlet==3.5.6", "ruff==0.17.6", "setuptools==84.2.1"),
        *("jupyter_core==5.9.1", "pytest-cov==7.1.0"),
    ],
    "namespaces": ["zope.interface==8.7", "zope.event==6.2"],
    "user-code": ["click==8.5.1", "-D", "{sources}", "-e", "app:main"],
    "odd": ["{odd}", "{even}", "--no-index"],
    "odd-script": ["{odd}", "{even}", "--no-index", "-c", "odd-script"],
}

FORMS: Dict[str, List[str]] = {
    "installed": [],
    "wheels": ["--no-pre-install-wheels"],
    "stored": ["--no-compress"],
}


DRIVER = os.environ["PEXCZ_PLAN_DRIVER"]


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


# docs/behaviour.md: where the packer does as pip does, and Pex's own installer
# of wheels does not.
AS_PIP_DOES = [
    "not alike: bin/odd-binary",  # scripts can be executed
    "not alike: bin/odd-sh",
    "not alike: bin/oddw-script",  # and `#!pythonw` is rewritten
    f"not alike: {SITE}odd-1.0.dist-info/RECORD",
]
AS_PIP_DOES_WITH_WHEELS = [
    f"only in the plan: {SITE}odd/sourceless.pyc",
    f"only in the plan: {SITE}odd_pure.py",  # .data/purelib beside platlib
    *AS_PIP_DOES,
]


def differences(ours: Path, venv: Path) -> List[str]:
    a, b = listing(ours), listing(venv)
    wrong = ["only in the plan: " + p for p in sorted(set(a) - set(b))]
    wrong += ["only in the venv: " + p for p in sorted(set(b) - set(a))]
    for path in sorted(set(a) & set(b)):
        if a[path] != b[path]:
            wrong.append("not alike: " + path)
    return wrong


def build(name: str, form: str, folder: Path, cache: Path) -> Path:
    inputs = {
        "sources": sources(folder),
        "odd": build_wheel(
            *(folder, "odd", "1.0", "py3-none-any", ODD),
            executable=["odd/program.sh", "odd-1.0.data/data/etc/odd.conf"],
        ),
        "even": build_wheel(
            *(folder, "even", "2.0", "cp311-cp311-manylinux_2_5_x86_64", EVEN)
        ),
    }
    arguments = [a.format(**inputs) for a in PEXES[name]]
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
        DRIVER,
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
    meant: List[str] = []
    if name.startswith("odd"):
        meant = AS_PIP_DOES_WITH_WHEELS if form == "wheels" else AS_PIP_DOES
    assert found == meant, "\n".join(found[:40])
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
