# SPDX-License-Identifier: Apache-2.0
"""PEX_TOOLS=1 and --busybox: what the executable answers besides running."""

from __future__ import annotations

import json
import os
import re
import sys
import zipfile
from pathlib import Path
from typing import Callable, Dict, List

import pytest
from conftest import PACK, PEX_ROOT, App, Sides
from sides import SITE, VERSION, Result, run

sys.path.append(str(Path(__file__).parents[1]))
from build_wheel import build_wheel  # noqa: E402

PROJECTS = ["cowsay==6.1", "requests==2.34.2", "-c", "cowsay", "--include-tools"]


@pytest.fixture
def tools(make_app: Callable[..., App]) -> App:
    return make_app(*PROJECTS)


def both(sides: Sides, app: App, *arguments: str) -> List[Result]:
    sides.install(app)
    env = {"PEX_TOOLS": "1", "COLUMNS": "200"}
    return [side.run(*arguments, env=env) for side in sides.both]


@pytest.mark.parametrize("options", [[], ["-i", "2"], ["-o", "out.json"]])
def test_info(tools: App, sides: Sides, options: List[str]) -> None:
    want, got = both(sides, tools, "info", *options)
    assert (want.code, got.code) == (0, 0), got.err
    if options[:1] == ["-o"]:
        want.out = (sides.reference.work / "out.json").read_bytes()
        got.out = (sides.packed.work / "out.json").read_bytes()
    fields = json.loads(want.out)
    del fields["pex_root"]  # of the cache in use
    assert list(json.loads(got.out).items()) == list(fields.items())
    assert got.out.count(b"\n") == want.out.count(b"\n") - (options == ["-i", "2"])


def test_graph(tools: App, sides: Sides) -> None:
    """All nodes and edges, in order of the names, without links."""
    want, got = both(sides, tools, "graph")
    assert (want.code, got.code) == (0, 0), got.err

    def lines(result: Result) -> List[str]:
        return sorted(
            re.sub(r', URL="[^"]*", target="_blank"', "", line)
            for line in result.text.splitlines()
            if not line.startswith(("strict digraph", "graph ["))
        )

    assert lines(got) == lines(want)
    assert got.text.startswith('strict digraph "/srv/app" {\ngraph [fontsize="14"')


def test_repository_info(tools: App, sides: Sides) -> None:
    want, got = both(sides, tools, "repository", "info", "-v")

    def dists(result: Result) -> List[Dict]:
        found = [json.loads(line) for line in result.text.splitlines()]
        for dist in found:
            del dist["location"]
        return sorted(found, key=lambda d: d["project_name"])

    assert dists(got) == dists(want)
    _, got = both(sides, tools, "repository", "info")
    assert f"cowsay 6.1 {SITE}\n" in got.text


def test_repository_extract(tools: App, sides: Sides) -> None:
    """The wheels that Pex writes, file for file."""
    want, got = both(sides, tools, "repository", "extract", "-f", "wheels")
    assert sorted(got.text.splitlines()) == sorted(want.text.splitlines())
    for path in (sides.reference.work / "wheels").iterdir():
        contents = []
        for side in sides.both:
            with zipfile.ZipFile(side.work / "wheels" / path.name) as wheel:
                assert wheel.testzip() is None
                contents.append(
                    {
                        name: b"".join(sorted(wheel.read(name).splitlines(True)))
                        for name in wheel.namelist()
                        if not name.endswith(".dist-info/RECORD")
                    }
                )
        assert contents[0] == contents[1]


def test_extracted_wheels_can_be_installed(
    tools: App, tmp_path: Path, python: str
) -> None:
    env = {**os.environ, "PEX_TOOLS": "1"}
    assert run([tools.exe, "repository", "extract", "-f", tmp_path / "w"], env=env).code == 0
    wheel = next((tmp_path / "w").glob("cowsay-*"))
    env = {"PYTHONPATH": str(wheel)}
    assert run([python, "-m", "cowsay", "-t", "hi"], env=env).code == 0


def test_interpreter(tools: App, sides: Sides) -> None:
    _, got = both(sides, tools, "interpreter")
    assert got.out == b"//srv/app\n"
    want, got = (json.loads(r.out) for r in both(sides, tools, "interpreter", "-vvv"))
    assert got.pop("path") == "//srv/app"
    del want["path"]
    assert got == want


@pytest.mark.parametrize(
    "arguments",
    [["info", "-x", "y z"], ["venv"], ["venv", "--scope", "x", "v"], ["graph", "-r"]],
)
def test_what_makes_no_sense(tools: App, sides: Sides, arguments: List[str]) -> None:
    want, got = both(sides, tools, *arguments)
    assert (got.code, got.out, got.err) == (want.code, want.out, want.err)


def test_venv(tools: App, tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    env = {**os.environ, "PEX_TOOLS": "1"}
    assert run([tools.exe, "venv", venv], env=env).code == 0
    assert b"| a |" in run([venv / "bin/cowsay", "-t", "a"]).out
    assert b"| b |" in run([venv / "pex", "-t", "b"]).out
    done = run([venv / "bin/python", "-c", "import requests; print(requests.__version__)"])
    assert done.text == "2.34.2\n"
    assert (venv / f"lib/python{VERSION}/site-packages/cowsay/__init__.py").is_file()
    command = 'PS1=; . "$0" && echo "$PS1|$VIRTUAL_ENV" && cowsay -t c'
    lines = run(["bash", "-c", command, venv / "bin/activate"]).text.splitlines()
    assert lines[0].split() == ["(venv)", f"|{venv}"] and "| c |" in lines[2]
    done = run([tools.exe, "venv", venv], env=env)
    assert done.code == 1 and b"is not empty" in done.err
    assert run([tools.exe, "venv", "-f", "--scope", "srcs", venv], env=env).code == 0
    assert not (venv / f"lib/python{VERSION}/site-packages/cowsay").exists()


@pytest.mark.parametrize(
    "arguments", [[], ["nothing"], ["repository"], ["repository", "extract"], ["-V"]]
)
def test_command_line(tools: App, sides: Sides, arguments: List[str]) -> None:
    want, got = both(sides, tools, *arguments)
    assert got.code == want.code
    name = "PEX_TOOLS=1 "

    def text(result: Result) -> str:
        lines = (result.text + result.err.decode()).splitlines()
        return "\n".join(line.partition(name)[2] or line for line in lines)

    assert text(got).replace("../app", "app") == text(want).replace("../app", "app")


def test_without_tools(make_app: Callable[..., App], same: Callable[..., Result]) -> None:
    app = make_app("cowsay==6.1", "-c", "cowsay")
    got = same(app, "info", env={"PEX_TOOLS": "1"})
    assert got.code == 1 and b"was not built with tools" in got.err


# --- busybox -----------------------------------------------------------------


@pytest.fixture
def busybox(make_pex: Callable[..., Path], tmp_path: Path) -> Path:
    pex = make_pex(*PROJECTS)
    exe = tmp_path / "tools"
    done = run([PACK, "-q", "--busybox", pex, "-o", exe])
    assert done.code == 0, done.err
    return exe


def test_busybox(busybox: Path, tmp_path: Path) -> None:
    link = tmp_path / "cowsay"
    link.symlink_to(busybox)
    assert b"| link |" in run([link, "-t", "link"]).out
    assert b"| argument |" in run([busybox, "cowsay", "-t", "argument"]).out
    assert b"usage: normalizer" in run([busybox, "normalizer", "--help"]).out
    env = {"PATH": str(tmp_path)}
    assert b"| path |" in run(["cowsay", "-t", "path"], env=env).out


LOADED = """\
import sys
def main():
    print(sys.argv[0].rpartition("/")[2], sorted(sys.modules))
"""


def test_snapshot_of_busybox(make_pex: Callable[..., Path], tmp_path: Path) -> None:
    """What all commands import is in it; each finds what it imports, no more.
    A command that cannot be imported has no say."""
    files = {
        "one.py": f"import json, decimal, both\n{LOADED}".encode(),
        "two.py": f"import both, csv, json\n{LOADED}".encode(),
        "both.py": b"import json\nPARSED = json.loads('[1]')\n",
        "broken.py": b"import nowhere\n",
        "many-1.dist-info/entry_points.txt": b"[console_scripts]\n"
        b"one = one:main\ntwo = two:main\nagain = one:main\nbroken = broken:main\n",
    }
    wheel = build_wheel(tmp_path, "many", "1", "py3-none-any", files)
    exe = tmp_path / "tools"
    pex = tmp_path / "many.pex"
    made = run(
        [sys.executable, "-m", "pex", wheel, "--no-index", "-o", pex],
        env={**os.environ, "PEX_ROOT": str(PEX_ROOT)},
    )
    assert made.code == 0, made.err
    done = run([PACK, "-v", "--busybox", "--snapshot", "require", pex, "-o", exe])
    said = done.err.decode()
    assert done.code == 0, said
    for name in ("one", "two", "decimal", "csv"):
        assert f"not in the snapshot: {name}: not every command imports it\n" in said
    assert "the imports ended with ModuleNotFoundError: No module named 'nowhere'" in said
    assert "not in the snapshot: both:" not in said
    assert "not in the snapshot: json:" not in said
    for name in ("one", "two", "again", "broken"):
        outcomes = [
            run([exe, name], env={"PEXCZ_SNAPSHOT": how}) for how in ("explain", "0")
        ]
        assert outcomes[0] == outcomes[1]
        assert outcomes[0].out.startswith(b"" if name == "broken" else name.encode())
        assert b"nowhere" in outcomes[0].err if name == "broken" else not outcomes[0].err
    done = run([PACK, "--busybox", "--snapshot-warm", "one", pex, "-o", exe])
    assert done.code == 2
    assert done.err.startswith(b"pexcz-pack: --snapshot-warm does not go with --busybox\n")


def test_busybox_lists_its_commands(busybox: Path) -> None:
    for arguments, what in (([], "given"), (["nothing"], "nothing")):
        done = run([busybox, *arguments])
        assert (done.code, done.out) == (1, b"")
        lines = done.err.decode().splitlines()
        assert lines[0].startswith(f"pexcz: no command {what}: ")
        assert {"  cowsay", "  normalizer"} <= set(lines[1:])


def test_busybox_is_a_pex_still(busybox: Path) -> None:
    done = run([busybox, "-c", "print(1)"], env={"PEX_INTERPRETER": "1"})
    assert done.out == b"1\n"
    done = run([busybox, "-t", "script"], env={"PEX_SCRIPT": "cowsay"})
    assert b"| script |" in done.out


def test_busybox_without_scripts(make_pex: Callable[..., Path], tmp_path: Path) -> None:
    pex = make_pex("-e", "prog", sources={"prog.py": ""})
    done = run([PACK, "--busybox", pex, "-o", tmp_path / "app"])
    assert done.code == 1
    assert done.err.decode() == (
        f"pexcz-pack: {pex}: no distribution has a console script\n"
    )
