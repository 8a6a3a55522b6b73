# SPDX-License-Identifier: Apache-2.0
"""The prompt of a PEX that has no program to run: its banner and its pex().

Runs inside the packed program, from text of the executable.
"""

import os
import re
import sys
from code import InteractiveConsole

YELLOW, BANNER, PLAIN = "\x1b[33m", "\x1b[33;7m", "\x1b[0m"


def shortest_path(path):
    """The shortest one that a shell would find."""
    path = os.path.abspath(path)
    folders = os.environ.get("PATH", "").split(os.pathsep)
    here = os.getcwd()
    if os.path.commonpath((path, here)) == here:
        path = os.path.relpath(path, here)
        return path if os.path.dirname(path) or os.curdir in folders else f"./{path}"
    is_found = os.path.dirname(path) in map(os.path.abspath, folders)
    return os.path.basename(path) if is_found else path


def count(items, noun):
    return f"{len(items)} {noun}" if len(items) == 1 else f"{len(items)} {noun}s"


def has_colors():
    wanted = os.environ.get("PYTHON_COLORS")
    if wanted in ("0", "1"):
        return wanted == "1"
    if "NO_COLOR" in os.environ:
        return False
    if "FORCE_COLOR" in os.environ:
        return True
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def summary(program, info, wheels):
    path = shortest_path(program)
    mode = "--venv " if info.get("venv") else ""
    lines = [f"Running from {mode}PEX file: {path}"]
    if wheels:
        lines.append("Requirements:")
        lines += ("  " + requirement for requirement in info.get("requirements", ()))
        lines.append("Activated Distributions:")
        lines += ("  " + wheel for wheel in wheels)
    if info.get("includes_tools", info.get("venv")):
        lines.append(
            "This PEX includes tools. Exit the repl (type quit()) and run "
            f"`PEX_TOOLS=1 {path} -h` for tools help."
        )
    return "\n".join(lines)


def banner(info, wheels):
    what = "no dependencies"
    if wheels:
        requirements = count(info.get("requirements", ()), "requirement")
        what = f"{requirements} and {count(wheels, 'activated distribution')}"
    version = info.get("build_properties", {}).get("pex_version", "")
    text = (
        f"{BANNER}Pex {version} hermetic environment with {what}.{PLAIN}\n"
        f"Python {sys.version} on {sys.platform}\n"
        f'Type "help", "{YELLOW}pex{PLAIN}", "copyright", "credits" or "license" for '
        "more information."
    )
    return text if has_colors() else re.sub("\x1b\\[[0-9;]*m", "", text)


class Console(InteractiveConsole):
    def raw_input(self, prompt=""):
        line = super().raw_input(prompt)
        if line.strip() != "pex":
            return line
        print(
            "Type pex() for information about this PEX, or pex(json=True) for even "
            "more details."
        )
        return ""


def edit_lines(names, history):
    """Completion of `names`, and a history that stays in the file `history`."""
    try:
        import readline
        import rlcompleter
    except ImportError:
        return
    readline.set_completer(rlcompleter.Completer(names).complete)
    readline.parse_and_bind("tab: complete")
    try:
        readline.read_init_file()
    except OSError:
        pass
    if history is None:
        return
    import atexit

    path = os.path.expanduser(history)
    try:
        readline.read_history_file(path)
        readline.set_history_length(1000)
    except OSError as error:
        sys.stderr.write(f"Failed to read history file at {path} due to: {error}\n")
    atexit.register(readline.write_history_file, path)


def run(program, info_text, wheels, history):
    import json as json_module

    info = json_module.loads(info_text)
    lines = summary(program, info, wheels)

    def pex(json=False):
        """Print information about this PEX environment.

        :param json: `True` to print this PEX's PEX-INFO.
        """
        print(json_module.dumps(info, sort_keys=True, indent=2) if json else lines)

    names = {"pex": pex}
    edit_lines(names, history)
    sys.ps1, sys.ps2 = ">>> ", "... "
    Console(locals=names).interact(banner=banner(info, wheels), exitmsg="")
