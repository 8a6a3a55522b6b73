# SPDX-License-Identifier: Apache-2.0
"""Line editing, completion and history, of the interpreter and of programs
that use the readline module themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Dict, List, Optional

import pytest
from conftest import BASE, App
from sides import Result, run
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
    env.update(PEX_INTERPRETER="1", PEX_INTERPRETER_HISTORY="1")
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


def test_cmd(shell: App, env: Dict[str, str]) -> None:
    """It binds Tab in the syntax of GNU readline."""
    with Terminal([shell.exe], env) as t:
        t.expect(b"$ ")
        t.type(b"gree" + TAB + b" x" + RETURN)
        t.expect(b"\nhello x\r\n")
        t.expect(b"$ ")
        t.type(UP + b"y" + RETURN)
        t.expect(b"\nhello xy\r\n")
        t.expect(b"$ ")
        t.type(b"quit" + RETURN)
        t.end()
        assert t.code == 0


HISTORY = {
    "history.py": "import os, readline as r\n"
    "def show(name):\n"
    "    print(name, repr(open(name).read()), oct(os.stat(name).st_mode))\n"
    "os.umask(0o022)\n"
    "for line in ['first', 'a  b\\\\n', 'x\\ny', ' ']:\n"
    "    r.add_history(line)\n"
    "r.write_history_file('all'); show('all')\n"
    "r.add_history('more'); r.append_history_file(2, 'all'); show('all')\n"
    "try:\n    r.append_history_file(1, 'absent')\n"
    "except OSError as e:\n    print(repr(e))\n"
    "r.clear_history(); print(r.get_current_history_length())\n"
    "open('old', 'w').write('one\\r\\n\\ntwo\\n three')\n"
    "r.read_history_file('old')\n"
    "n = r.get_current_history_length()\n"
    "print([r.get_history_item(i) for i in range(1, n + 1)])\n"
    "r.set_history_length(2); r.write_history_file('old'); show('old')\n"
    "r.set_history_length(9); r.write_history_file('old'); show('old')\n"
    "r.set_history_length(0); r.write_history_file('old'); show('old')\n"
    "for name in ('absent', '/dev', '/dev/full'):\n"
    "    try:\n        print(r.read_history_file(name) if name == 'absent'\n"
    "              else r.write_history_file(name))\n"
    "    except OSError as e:\n        print(name, repr(e))\n"
}


def test_history_files_are_those_of_gnu_readline(
    make_app: Callable[..., App], same: Callable[..., Result]
) -> None:
    """The machine's Python shares them, ~/.python_history above all."""
    app = make_app("-e", "history", sources=HISTORY)
    assert b"more" in same(app).out


def test_history_file_of_libedit(env: Dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "old").write_text("_HiStOrY_V2_\nx\\040=\\0401\n")
    got = run([BASE, "-c", "import readline as r; r.read_history_file('old');"
               "print(r.get_history_item(1))"], env=env, cwd=tmp_path)
    assert (got.code, got.text) == (0, "x = 1\n")


BINDINGS = {
    '"\\\\C-o": beginning-of-line': b"bc\x0fa",
    "Control-o: beginning-of-line": b"bc\x0fa",
    '"\\\\e[11~": backward-char': b"ac\x1b[11~b",
    "bind ^O ed-move-to-beg": b"bc\x0fa",
    "set editing-mode vi": b"bc\x1bIa",
}


@pytest.mark.parametrize("binding", BINDINGS)
def test_bindings(env: Dict[str, str], binding: str) -> None:
    with Terminal([BASE], env) as t:
        t.expect(PROMPT)
        t.type(b"import readline; abc = 4711" + RETURN)
        t.expect(PROMPT)
        t.type(f"readline.parse_and_bind('{binding}')".encode() + RETURN)
        t.expect(PROMPT)
        t.type(BINDINGS[binding])
        t.type(RETURN)
        t.expect(b"\n4711\r\n")


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
