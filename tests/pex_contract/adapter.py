# SPDX-License-Identifier: Apache-2.0
"""A pytest plugin for Pex's own tests: what they build with Pex they run as
packed files.

Every process that a test starts goes through subprocess.Popen.  Where its
command is a PEX, or a Python with a PEX as its script, the PEX is packed first
and the packed file put in its place (in_place.py).  Commands that are no PEX,
Pex itself and its vendored tools among them, run as they are.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import List, Optional, Tuple

PACK = os.environ["PEXCZ_SUITE_PACK"]
CACHE = Path(os.environ["PEXCZ_SUITE_CACHE"])
IN_PLACE = Path(__file__).with_name("in_place.py")
PLAIN_POPEN = subprocess.Popen.__init__


def pex_of(path: str) -> Optional[Tuple[str, str]]:
    """(PEX, file that is executed) when `path` is, or starts, a PEX."""
    path = os.path.abspath(path)
    if os.path.isdir(path):
        main = os.path.join(path, "__main__.py")
        whole = os.path.isfile(os.path.join(path, "PEX-INFO"))
        return (path, main) if whole and is_pex_folder(path) else None
    folder = os.path.dirname(path)
    if os.path.basename(path) in ("pex", "__main__.py") and is_pex_folder(folder):
        return folder, os.path.realpath(path)
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return None
    found = "PEX-INFO" in names and any(n.startswith(".bootstrap/") for n in names)
    return (path, os.path.realpath(path)) if found else None


def is_pex_folder(path: str) -> bool:
    """Not a venv, which has a PEX-INFO, too."""
    return os.path.isfile(os.path.join(path, "PEX-INFO")) and os.path.exists(
        os.path.join(path, ".bootstrap")
    )


def is_python(path: str) -> bool:
    name = os.path.basename(path)
    return name.startswith("python") and name[6:].replace(".", "").isdigit() or name == "python"


def digest(pex: str) -> str:
    total = hashlib.sha256()
    files = [pex] if os.path.isfile(pex) else sorted(
        os.path.join(folder, name) for folder, _, names in os.walk(pex) for name in names
    )
    for file in files:
        total.update(os.path.relpath(file, pex).encode())
        with open(file, "rb") as stream:
            total.update(stream.read())
    return total.hexdigest()


def pack(pex: str) -> str:
    out = CACHE / digest(pex)
    if not out.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        command = [PACK, "-q", "--snapshot", "off", pex, "-o", str(out)]
        process = object.__new__(subprocess.Popen)
        PLAIN_POPEN(process, command, stderr=subprocess.PIPE)
        error = process.communicate()[1]
        if process.returncode != 0:
            raise AssertionError(f"not packed: {error.decode()}")
    with open(CACHE / "starts", "a") as log:
        log.write(".")
    return str(out)


def translate(args: List[str], cwd: Optional[str], env: object) -> List[str]:
    def locate(path: str) -> str:
        return os.path.join(cwd, path) if cwd else path

    if os.path.sep in args[0] and not is_python(args[0]):
        found = pex_of(locate(args[0]))
        if found is None:
            return args
        pex, file = found
        name = args[0] if os.path.isfile(locate(args[0])) else os.path.join(args[0], "__main__.py")
        command = [name, *args[1:]]
    elif is_python(args[0]):
        at = 1
        while at < len(args) and args[at].startswith("-") and args[at] not in ("-c", "-m", "-"):
            at += 2 if args[at] in ("-W", "-X") else 1
        found = pex_of(locate(args[at])) if at < len(args) and args[at][:1] != "-" else None
        if found is None:
            return args
        pex, file = found
        script = args[at] if os.path.isfile(locate(args[at])) else file
        options = args[1:at]
        if not options:
            command = [script if os.path.sep in script else "./" + script, *args[at + 1 :]]
        else:
            command = ["/" + os.path.abspath(locate(script)), *options, script, *args[at + 1 :]]
    else:
        return args
    if any(part in pex for part in ("/pips/", "/pip_pex/", "/isolated_pip/")):
        return args
    python = sys.executable
    return [python, "-I", "-S", str(IN_PLACE), pack(pex), file, *command]


def init(self: subprocess.Popen, args: object, *rest: object, **options: object) -> None:
    if isinstance(args, (list, tuple)) and args and not options.get("shell"):
        args = translate([os.fspath(a) for a in args], options.get("cwd"), options.get("env"))
    PLAIN_POPEN(self, args, *rest, **options)


def pytest_configure(config: object) -> None:
    import testing

    subprocess.Popen.__init__ = init
    # Otherwise Pex would be built and installed once more for every Python.
    testing.installed_pex_wheel_venv_python = lambda python: python


def pytest_terminal_summary(terminalreporter: object) -> None:
    try:
        count = (CACHE / "starts").stat().st_size
    except OSError:
        count = 0
    terminalreporter.write_line(f"packed files were started {count} times")
