# SPDX-License-Identifier: Apache-2.0
"""pexcz-pack --files: a distribution as real files, for other programs."""

from __future__ import annotations

import os
import sys
import zipfile
from pathlib import Path
from typing import Dict

import pytest
from conftest import PACK, App
from sides import VERSION, run

SOURCE = """
import importlib.metadata, os, subprocess, sys
import cowsay, tool
print(cowsay.__file__)
print(tool.__file__)
path = os.path.join(os.path.dirname(cowsay.__file__), "main.py")
print(len(subprocess.run(["cat", path], capture_output=True).stdout) > 1000)
print(importlib.metadata.version("cowsay"))
print(sum(d.name == "cowsay" for d in importlib.metadata.distributions()) > 0)
child = "import cowsay; print(cowsay.__file__)"
print(subprocess.run([sys.executable, "-c", child], capture_output=True,
                     text=True).stdout, end="")
cowsay.cow("moo")
"""
SITE = f"lib/python{VERSION}/site-packages"


@pytest.fixture(scope="module")
def app(make_pex, tmp_path_factory) -> App:
    sources = {"show.py": SOURCE, "tool/__init__.py": "import cowsay\n"}
    pex = make_pex("cowsay==6.1", "-e", "show", sources=sources)
    exe = tmp_path_factory.mktemp("files") / "app"
    packing = run([PACK, "--files", "CowSay", pex, "-o", exe])
    assert packing.code == 0, packing.err.decode()
    return App(pex, exe, packing.err)


def environment(home: Path, **more: str) -> Dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), **more}


def files_below(folder: Path) -> Dict[str, int]:
    return {
        str(p.relative_to(folder)): p.stat().st_mtime_ns
        for p in folder.rglob("*")
        if p.is_file() and "__pycache__" not in p.parts
    }


def test_real_files(app: App, tmp_path: Path) -> None:
    env = environment(tmp_path)
    first = run([app.exe], env=env)
    assert first.code == 0, first.err.decode()
    own, tool, seen, version, listed, child, *cow = first.text.splitlines()
    assert own.startswith(f"{tmp_path}/.cache/pexcz/")
    assert own.endswith(f"/{SITE}/cowsay/__init__.py")
    assert tool == f"/proc/pexcz/{SITE}/tool/__init__.py"
    assert (seen, version, listed, child) == ("True", "6.1", "True", own)
    assert any("moo" in line for line in cow)
    made = files_below(tmp_path)
    names = {name.split("site-packages/")[1] for name in made if SITE in name}
    assert {"cowsay/main.py", "cowsay-6.1.dist-info/RECORD"} <= names
    assert not [name for name in names if not name.startswith("cowsay")]
    # Only what is missing is written.
    again = run([app.exe], env=env)
    assert (again.code, again.text) == (0, first.text)
    assert files_below(tmp_path) == made
    # A first start that was ended before it was through is continued.
    for name in made:
        if name.endswith(("/RECORD", "/main.py")):
            (tmp_path / name).unlink()
    assert run([app.exe], env=env).text == first.text
    assert files_below(tmp_path).keys() == made.keys()


def test_without_a_cache(app: App, tmp_path: Path) -> None:
    env = environment(tmp_path, PEXCZ_CACHE="/proc/none")
    done = run([app.exe], env=env)
    assert done.code == 0, done.err.decode()
    assert done.text.startswith(f"/proc/pexcz/{SITE}/cowsay/__init__.py\n")
    assert not list(tmp_path.iterdir())


def test_what_is_not_packed(app: App, tmp_path: Path) -> None:
    done = run([PACK, "--files", "cow\x1bsay2", app.pex, "-o", tmp_path / "x"])
    assert done.code == 1
    assert b"--files: no distribution 'cow\\x1bsay2' is packed" in done.err
    assert not (tmp_path / "x").exists()


def test_what_other_programs_need(tmp_path: Path, python: str) -> None:
    """A wheel with a Java archive, scripts that look beside themselves, Node.js."""
    files = {
        "engine/__init__.py": "",
        "engine/a.jar": "PK",
        "engine/b.jar": "PK",
        "engine/run.sh": '#!/bin/sh\nexec "$(dirname "$0")/tool"\n',
        "engine/plain.sh": "#!/bin/sh\necho hello\n",
        "engine/bin/node": "\x7fELF",
        "engine/tool": "#!/usr/bin/env perl\nrequire './more.pl';\n",
    }
    name = "engine-1.0-py3-none-any.whl"
    info = "engine-1.0.dist-info"
    wheel = tmp_path / name
    files[f"{info}/METADATA"] = "Metadata-Version: 2.1\nName: engine\nVersion: 1.0\n"
    files[f"{info}/WHEEL"] = (
        "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    files[f"{info}/RECORD"] = "".join(f"{f},,\n" for f in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(wheel, "w") as z:
        for path, text in files.items():
            member = zipfile.ZipInfo(path)
            member.external_attr = 0o100755 << 16
            z.writestr(member, text)
    pex = tmp_path / "app.pex"
    command = [sys.executable, "-m", "pex", "--no-pypi", wheel, "-o", pex]
    built = run(command, env={**os.environ, "PEX_ROOT": str(tmp_path / "root")})
    assert built.code == 0, built.err.decode()
    packing = run([PACK, "--snapshot", "off", pex, "-o", tmp_path / "app"])
    warnings = [s for s in packing.err.decode().splitlines() if "warning" in s]
    found = ["a.jar is for Java", "bin/node is Node.js", "run.sh is a shell script",
             "tool is a script of another language"]
    assert len(warnings) == len(found), warnings
    for text, warning in zip(found, warnings):
        assert f"{name}: {SITE}/engine/{text}" in warning
    options = ["--files", "engine", "--snapshot", "off"]
    packing = run([PACK, *options, pex, "-o", tmp_path / "app"])
    assert packing.code == 0 and b"warning" not in packing.err
