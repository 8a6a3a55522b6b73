# SPDX-License-Identifier: Apache-2.0
"""Line editing, completion and history, of the interpreter and of programs
that use the readline module themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Dict, List, Optional

import pytest
from conftest import BASE, App
from sides import run
from terminal import Terminal

UP, LEFT, BACKSPACE, TAB, RETURN = b"\x1b[A", b"\x1b[D", b"\x7f", b"\t", b"\r"
PROMPT = b">>> "

SHELL = {
    "shell.py": "import cmd\n\n\n"
    "class Shell(cmd.Cmd):\n    prompt = '$ '\n\n"
    "    def do_greeting(self, name):\n        print('hello', name)\n\n"
    "    def do_quit(self, rest):\n        return True\n\n\n"
    "if __name__ == '__main__':\n    Shell().cmdloop()\n"
}


@pytest.fixture
def shell(make_app: Callable[..., App]) -> App:
    return make_app("-e", "shell", sources=SHELL)


@pytest.fixture
def env(tmp_path: Path) -> Dict[str, str]:
    return {"HOME": str(tmp_path), "TERM": "xterm", "LANG": "C.UTF-8"}


@pytest.fixture(params=["base", "application"])
def prompt(request: pytest.FixtureRequest, env: Dict[str, str]) -> List[object]:
    """A command that shows Python's prompt."""
    if request.param == "base":
        return [BASE]
    env["PEX_INTERPRETER"] = "1"
    return [request.getfixturevalue("shell").exe]


def test_editing(prompt: List[object], env: Dict[str, str]) -> None:
    with Terminal(prompt, env) as t:
        t.expect(PROMPT)
        t.type(b"print(30 + 2)" + LEFT * 2 + b"1" + RETURN)
        t.expect(b"\n42\r\n")
        t.expect(PROMPT)
        t.type(UP + LEFT * 3 + BACKSPACE + b"7" + RETURN)
        t.expect(b"\n742\r\n")
        t.expect(PROMPT)
        t.type(b"\x04")
        t.end()
        assert t.code == 0


def test_completion(prompt: List[object], env: Dict[str, str]) -> None:
    with Terminal(prompt, env) as t:
        t.expect(PROMPT)
        t.type(b"a_long_name = 4711" + RETURN)
        t.expect(PROMPT)
        t.type(b"a_lo" + TAB + b" + 1" + RETURN)
        t.expect(b"\n4712\r\n")
        t.expect(PROMPT)
        t.type(b"import os.path" + RETURN)
        t.expect(PROMPT)
        t.type(b"os.path.abspa" + TAB + b"'/usr/..')" + RETURN)
        t.expect(b"\n'/'\r\n")


def test_history_file(shell: App, env: Dict[str, str], tmp_path: Path) -> None:
    env["PEX_INTERPRETER"] = "1"
    for keys in (b"6 * 7", UP + UP):
        with Terminal([shell.exe], env) as t:
            t.expect(PROMPT)
            t.type(keys + RETURN)
            t.expect(b"\n42\r\n")
            t.expect(PROMPT)
            t.type(b"exit()" + RETURN)
            t.end()
            assert t.code == 0
        assert (tmp_path / ".python_history").exists()


def test_isolated_prompt_has_no_history(env: Dict[str, str], tmp_path: Path) -> None:
    with Terminal([BASE], env) as t:
        t.expect(PROMPT)
        t.type(b"exit()" + RETURN)
        t.end()
    assert list(tmp_path.iterdir()) == []


def test_no_gnu_readline() -> None:
    """Which is under the GPL, and would be linked into every packed file."""
    got = run([BASE, "-c", "import readline; print(readline.__doc__)"])
    assert "libedit" in got.text


@pytest.mark.parametrize("term", ["xterm", "dumb", "no-such-terminal", None])
def test_import_is_silent(term: Optional[str]) -> None:
    """libedit itself complains about terminals that it does not know."""
    env = {"TERM": term} if term is not None else {}
    for database in ({}, {"TERMINFO": "/nonexistent"}):
        got = run([BASE, "-c", "import readline, sys; sys.exit(3)"],
                  env={**env, **database})
        assert (got.code, got.out, got.err) == (3, b"", b"")
