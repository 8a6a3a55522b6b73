# SPDX-License-Identifier: Apache-2.0
"""A pytest plugin for Pex's own tests: what they build with Pex they run as
packed files.

Every process that a test starts goes through subprocess.Popen, or pexpect.
Where its command is a PEX, or a Python with a PEX as its script, the PEX is
packed first and the packed file put in its place (in_place.py).  Commands that
are no PEX, Pex itself and its vendored tools among them, run as they are.

One line of JSON for each test goes to PEXCZ_SUITE_REPORT: its name, outcome,
how many packed files it started, and why it was skipped.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Dict, Iterable, List, Optional, Tuple

import pytest

PACK = os.environ["PEXCZ_SUITE_PACK"]
CACHE = Path(os.environ["PEXCZ_SUITE_CACHE"])
REPORT = Path(os.environ["PEXCZ_SUITE_REPORT"])
IN_PLACE = Path(__file__).with_name("in_place.py")
PLAIN_POPEN = subprocess.Popen.__init__
SECONDS_OF_A_TEST = int(os.environ.get("PEXCZ_SUITE_SECONDS", "600"))
# Of one that is known to fail, from its first start of a packed file: some wait
# for what does not happen.
SECONDS_OF_A_FAILURE = 30
KNOWN_TO_FAIL = set(os.environ.get("PEXCZ_SUITE_FAILURES", "").split("\n"))
# PEXes of Pex's own that tests start in passing.
OWN_PEXES = ("/pips/", "/pip_pex/", "/isolated_pip/")

starts = 0
is_known_to_fail = False
processes: List[subprocess.Popen] = []


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
    return str(out)


def translate(args: List[str], cwd: Optional[str], env: Optional[Dict[str, str]]) -> List[str]:
    """The command that runs the packed file, or `args` as they are."""

    def locate(path: str) -> str:
        return os.path.join(cwd, path) if cwd else path

    # In a venv that a packed file made, Python is a link to it.
    if is_python(args[0]) and pex_of(os.path.realpath(locate(args[0]))) is None:
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
        name = args[0]
        if os.path.sep not in name:
            path = (os.environ if env is None else env).get("PATH")
            program = shutil.which(name, path=path)
        else:
            program = locate(name)
        found = pex_of(program) if program is not None else None
        if found is None:
            return args
        pex, file = found
        if os.path.isdir(program):
            name = os.path.join(name, "__main__.py")
        command = [name, *args[1:]]
    if any(part in pex for part in OWN_PEXES):
        return args
    packed = pack(pex)
    global starts
    starts += 1
    if starts == 1 and is_known_to_fail:
        signal.alarm(SECONDS_OF_A_FAILURE)
    return [sys.executable, "-I", "-S", str(IN_PLACE), packed, file, *command]


def init(self: subprocess.Popen, args: object, *rest: object, **options: object) -> None:
    if isinstance(args, (list, tuple)) and args and not options.get("shell"):
        args = translate([os.fspath(a) for a in args], options.get("cwd"), options.get("env"))
    PLAIN_POPEN(self, args, *rest, **options)
    processes.append(self)


def patch_pexpect() -> None:
    from pexpect import pty_spawn, utils

    plain = pty_spawn.spawn._spawn

    def spawn(self: object, command: str, args: Iterable[str] = (), *rest: object, **more: object):
        parts = [command, *args] if args else utils.split_command_line(command)
        parts = translate(parts, self.cwd, self.env)
        plain(self, parts[0], parts[1:], *rest, **more)

    pty_spawn.spawn._spawn = spawn


def find_python(version: str, python_version: object = None, allow_adhoc_version: object = None):
    """Instead of one that pyenv compiles, any of the same minor version."""
    import testing
    from pex.interpreter import PythonInterpreter

    minor = ".".join(version.split(".")[:2])
    if sys.version_info[:2] == tuple(map(int, minor.split("."))):
        binary = os.path.realpath(sys.executable)
    else:
        found = glob.glob(os.path.expanduser(f"~/.pyenv/versions/{minor}.*/bin/python{minor}"))
        on_path = [] if found else filter(None, [shutil.which(f"python{minor}")])
        binary = next(iter([*found, *on_path]), None)
        if binary is None:
            pytest.skip(f"no Python {minor}")
    home = os.path.dirname(os.path.dirname(binary))
    return testing.PyenvPythonDistribution(
        home=home,
        interpreter=PythonInterpreter.from_binary(binary),
        pip=os.path.join(home, "bin", "pip"),
        pyenv_root=home,
        pyenv_script=os.path.join(home, "no-pyenv"),
    )


def use_pip_of_index() -> None:
    """The newest pip that Pex knows may not be in the index of packages yet."""
    from pex.pip.version import PipVersion

    there = os.environ.get("PEXCZ_SUITE_PIPS", "").split()
    known = [pip for pip in PipVersion.values() if pip.value in there]
    if known:
        PipVersion.LATEST_COMPATIBLE = max(known, key=lambda pip: pip.version)


def pytest_configure(config: object) -> None:
    import testing

    subprocess.Popen.__init__ = init
    patch_pexpect()
    use_pip_of_index()
    # Otherwise Pex would be built and installed once more for every Python.
    testing.installed_pex_wheel_venv_python = lambda python, reinstall=True: python
    testing.ensure_python_distribution = find_python


def too_long(*_: object) -> None:
    raise TimeoutError("the test takes too long")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: object):
    global starts, is_known_to_fail
    starts = 0
    is_known_to_fail = item.nodeid.removeprefix("tests/") in KNOWN_TO_FAIL
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(SECONDS_OF_A_TEST)
    try:
        return (yield)
    finally:
        signal.alarm(0)
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.wait()
        processes.clear()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: object) -> None:
    item.user_properties[:] = [("starts", starts)]


def pytest_runtest_logreport(report: object) -> None:
    """In the process that gathers what the workers did."""
    if os.environ.get("PYTEST_XDIST_WORKER"):
        return
    if report.when != "call" and report.passed:
        return
    why = report.longrepr
    line = {
        "case": report.nodeid.removeprefix("tests/"),
        "outcome": report.outcome if report.when == "call" or report.skipped else "failed",
        "starts": dict(report.user_properties).get("starts", 0),
        "why": str(why[2] if isinstance(why, tuple) else why or "")[-3000:],
        "seconds": round(report.duration, 1),
    }
    with open(REPORT, "a") as stream:
        stream.write(json.dumps(line) + "\n")
