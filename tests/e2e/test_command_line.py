# SPDX-License-Identifier: Apache-2.0
"""pexcz-pack as somebody meets it: arguments, messages, progress, names."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import zipfile
from pathlib import Path
from typing import Callable, Dict, List

import pytest
from conftest import PACK, PEXCZ
from refusals import files_of, refused
from sides import VERSION, run
from terminal import Terminal

SUMMARY = re.compile(
    r"app: \d+\.\d MB \(base \d+\.\d MB, application \d+\.\d [kM]B\), "
    rf"Python {re.escape(VERSION)}\.\d+, 1 distribution, (for glibc \d+\.\d+, )?\d+\.\d s\n"
)
# Carriage return, and clear to the end of the line.
CLEAR = b"\r\x1b[K"


@pytest.fixture
def pex(make_pex: Callable[..., Path], tmp_path: Path) -> Path:
    shutil.copy(make_pex("cowsay==6.1", "-c", "cowsay"), tmp_path / "app.pex")
    return tmp_path / "app.pex"


@pytest.fixture
def env() -> Dict[str, str]:
    return {**os.environ, "TERM": "xterm"}


WRONG: List[List[str]] = [
    ["no PEX given"],
    ["unknown option --bogus", "--bogus"],
    ["unknown option -x", "-qx", "app.pex"],
    ["option --output needs a value", "app.pex", "-o"],
    ["option --jobs needs a value", "app.pex", "--jobs"],
    ["option --quiet takes no value", "--quiet=1", "app.pex"],
    ["--jobs: 'x' is not a number from 1 to 64", "app.pex", "-j", "x"],
    ["--jobs: '0' is not", "app.pex", "-j", "0"],
    ["--jobs: '99999999999999999999' is not", "-j", "9" * 20, "app.pex"],
    ["--level: '23' is not a number from 1 to 22", "--level", "23", "app.pex"],
    ["--snapshot: 'no' is not auto", "--snapshot", "no", "app.pex"],
    ["'3' is not a glibc version", "--max-glibc", "3", "app.pex"],
    ["app has no suffix to drop: name the output with -o", "app"],
    [".pex has no suffix to drop", ".pex"],
    ["unknown option", "-\udcff"],
]


@pytest.mark.parametrize("words", WRONG, ids=[w[0] for w in WRONG])
def test_usage(pex: Path, words: List[str]) -> None:
    pex.with_suffix("").write_bytes(pex.read_bytes())
    refused(pex.parent, *words[1:], code=2, words=(words[0],))


def test_usage_of_verbs(tmp_path: Path) -> None:
    for arguments, message in [
        ([], "pexcz: no verb given\nTry 'pexcz --help'.\n"),
        (["nonsense"], "pexcz: no verb 'nonsense'\nTry 'pexcz --help'.\n"),
        (["pack"], "pexcz pack: no PEX given\nTry 'pexcz pack --help'.\n"),
        (["inspect"], "pexcz inspect: no file given\n"),
        (["extract", "a"], "pexcz extract: no directory given\n"),
        (["verify", "a", "b"], "pexcz verify: unexpected argument 'b'\n"),
    ]:
        got = run([PEXCZ, *arguments], cwd=tmp_path)
        assert (got.code, got.out) == (2, b"")
        assert got.err.decode().startswith(message)


def test_help_and_version() -> None:
    """On stdout, with success; every line fits a terminal."""
    for command in ([PACK], [PEXCZ], [PEXCZ, "pack"], [PEXCZ, "inspect"],
                    [PEXCZ, "extract"], [PEXCZ, "verify"]):
        got = run([*command, "--help"])
        assert (got.code, got.err) == (0, b"")
        assert got.text.startswith("usage: ")
        assert max(map(len, got.text.splitlines())) < 80
        if command != [PEXCZ]:
            assert run([*command, "-h"]) == got
        got = run([*command, "--version"])
        assert got.code == 0 and re.fullmatch(r"pexcz \d+\.\d+\.\d+\n", got.text)
    with open("/dev/full", "w") as full:
        done = subprocess.run([PACK, "--help"], stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert b"cannot write to standard output: No space left" in done.stderr


def test_help_names_every_option_of_the_manual() -> None:
    manual = (Path(__file__).parent.parent.parent / "docs/man/pexcz-pack.1").read_text()
    items = re.findall(r"^\.It .*(?:Fl|,) -([a-z-]{2,})", manual, re.M)
    options = set(items)
    assert options == set(re.findall(r" --([a-z-]+)", run([PACK, "--help"]).text))


def test_without_a_terminal(pex: Path) -> None:
    """One line; nothing with -q; more with -v."""
    got = run([PACK, "app.pex"], cwd=pex.parent)
    assert (got.code, got.out) == (0, b"")
    assert SUMMARY.fullmatch(got.err.decode()), got.err
    got = run([PACK, "-q", "app.pex"], cwd=pex.parent)
    assert (got.code, got.out, got.err) == (0, b"", b"")
    got = run([PACK, "-v", "app.pex"], cwd=pex.parent)
    lines = got.err.decode().splitlines(keepends=True)
    assert "  cowsay-6.1-py3-none-any.whl\n" in lines
    assert SUMMARY.fullmatch(lines[-1])


def test_on_a_terminal(
    make_pex: Callable[..., Path], env: Dict[str, str], tmp_path: Path
) -> None:
    """A line that is drawn anew, and gone at the end."""
    pex = make_pex("black", "-c", "black")
    with Terminal([PACK, pex, "-o", "app"], env, tmp_path) as t:
        seen = t.end()
        assert t.code == 0
    steps = [s for s in (b"reading", b"compiling", b"writing", b"importing")
             if s in seen]
    assert len(steps) >= 2, seen
    assert re.search(rb"\[#*-*\] \S+ (MB )?of ", seen), seen
    before, _, summary = seen.rpartition(CLEAR)
    assert summary.startswith(b"app: ") and summary.count(b"\n") == 1
    assert b"\n" not in before
    for line in before.split(CLEAR):
        assert len(line) < 80


@pytest.mark.parametrize("how", ["-q", "dumb", "no TERM", "narrow"])
def test_terminals_with_less(pex: Path, env: Dict[str, str], how: str) -> None:
    options = ["-q"] if how == "-q" else []
    env["TERM"] = "dumb" if how == "dumb" else "xterm"
    if how == "no TERM":
        del env["TERM"]
    columns = 20 if how == "narrow" else 80
    with Terminal([PACK, *options, "app.pex"], env, pex.parent, columns) as t:
        seen = t.end()
        assert t.code == 0
    if how == "narrow":
        for line in seen.split(CLEAR)[:-1]:
            assert len(line) < columns and b"\n" not in line
    else:
        assert b"\x1b" not in seen
        assert (seen == b"") == (how == "-q")


def test_interrupt_on_a_terminal(
    make_pex: Callable[..., Path], env: Dict[str, str], tmp_path: Path
) -> None:
    """Ctrl-C: the line is cleared, the prompt follows at its place."""
    pex = make_pex("black", "-c", "black")
    with Terminal([PACK, pex, "-o", "app"], env, tmp_path) as t:
        t.expect(b"reading")
        t.type(b"\x03")
        seen = t.end()
        assert t.code in (128 + signal.SIGINT, -signal.SIGINT)
    assert seen.endswith(CLEAR)
    assert files_of(tmp_path) == {}


def test_error_on_a_terminal(pex: Path, env: Dict[str, str]) -> None:
    with zipfile.ZipFile(pex) as z:
        member = next(i for i in z.infolist() if i.filename.endswith("cowsay/main.py"))
    data = bytearray(pex.read_bytes())
    data[member.header_offset + 300] ^= 0xFF
    pex.write_bytes(data)
    with Terminal([PACK, "app.pex"], env, pex.parent) as t:
        last = t.end().rpartition(CLEAR)[2]
        assert t.code == 1
    assert last.startswith(b"pexcz-pack: app.pex: ") and last.count(b"\n") == 1


@pytest.mark.parametrize("name", [
    "a b.pex", "-dash.pex", "caf\u00e9.pex", "two.dots.pex", "UPPER.PEX", "a.zip",
    "new\nline.pex", "\x1b[31mred.pex", "\udcff\udcfe.pex", "%s%n.pex",
])
def test_names(pex: Path, name: str) -> None:
    """Any name works, and none can forge a line or steer the terminal."""
    folder = pex.parent / "f"
    folder.mkdir()
    pex.rename(folder / name)
    got = run([PACK, "--", name], cwd=folder)
    assert got.code == 0, got.err
    stem = name.rpartition(".")[0]
    assert sorted(os.listdir(folder)) == sorted([name, stem])
    assert got.err.count(b"\n") == 1
    assert re.fullmatch(rb"[^\x00-\x1f\x7f]*\n", got.err), got.err
    assert b"x" in run([f"./{stem}", "-t", "x"], cwd=folder).out
    (folder / name).write_text("no zip")
    got = run([PACK, "--", name], cwd=folder)
    assert got.code == 1 and got.err.count(b"\n") == 1
    assert re.fullmatch(rb"[^\x00-\x1f\x7f]*\n", got.err), got.err
    got.err.decode()


def test_default_output_is_in_the_current_folder(pex: Path) -> None:
    work = pex.parent / "work"
    work.mkdir()
    assert run([PACK, "-q", "../app.pex"], cwd=work).code == 0
    assert os.listdir(work) == ["app"]
    assert not pex.with_suffix("").exists()


@pytest.mark.parametrize("missing", ["HOME", "PATH", "everything", "writable HOME"])
def test_environment(pex: Path, missing: str) -> None:
    """Packing asks nothing of its environment."""
    env = dict(os.environ)
    for name in list(env):
        if missing in (name, "everything"):
            del env[name]
    if missing == "writable HOME":
        env["HOME"] = "/proc"
    got = run([PACK, "app.pex"], cwd=pex.parent, env=env)
    assert (got.code, len(got.err.splitlines())) == (0, 1), got.err


def test_current_folder_is_gone(pex: Path) -> None:
    gone = pex.parent / "gone"
    gone.mkdir()
    script = 'cd "$1" && rmdir "$1" && shift && exec "$@"'
    got = run(["sh", "-c", script, "sh", gone, PACK, pex, "-o", pex.parent / "app"])
    assert got.code == 0, got.err
    gone.mkdir()
    got = run(["sh", "-c", script, "sh", gone, PACK, pex])
    assert got.code == 1
    assert got.err.startswith(b"pexcz-pack: app: ") and got.err.count(b"\n") == 1
    assert b"No such file or directory" in got.err


def test_no_network(pex: Path) -> None:
    if run(["unshare", "-n", "true"]).code != 0:
        pytest.skip("no network namespaces here")
    assert run(["unshare", "-n", PACK, "app.pex"], cwd=pex.parent).code == 0


def test_closed_streams(pex: Path) -> None:
    """No descriptor of a file that is written may become stdout's."""
    got = run(["sh", "-c", '"$1" app.pex <&- >&- 2>&-; echo $?', "sh", PACK],
              cwd=pex.parent)
    assert got.text == "0\n"
    assert b"x" in run([pex.with_suffix(""), "-t", "x"]).out
