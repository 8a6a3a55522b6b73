# SPDX-License-Identifier: Apache-2.0
"""PEXes for the tests, built by the `pex` tool of the test venv.

A PEX is built once and kept in $(BUILD)/pex under the hash of its recipe:
arguments, sources, constraints, and the versions of pex and Python.  All
versions of projects are those of constraints.txt, unless told otherwise.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence

from sides import MACHINE

CONSTRAINTS = Path(__file__).with_name("constraints.txt")

# Options with a value that names no project.
VALUED = (
    *("-c", "-e", "--exe", "--inject-args", "-f", "--layout", "--pex-path"),
    *("--inject-env", "--inject-python-args", "--platform", "--complete-platform"),
)

# What pip says when it cannot reach an index.
NO_NETWORK = re.compile(
    r"NewConnectionError|Temporary failure in name resolution"
    r"|Network is unreachable|Connection refused|ConnectTimeoutError"
    r"|ReadTimeoutError|ProxyError|Name or service not known"
)


class Offline(Exception):
    """A PEX is neither in the build folder nor to be had."""


@contextlib.contextmanager
def locked(made: Path) -> Iterator[None]:
    """One process at a time makes it."""
    with open(made.with_suffix(".lock"), "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def pex_root(build: Path) -> Path:
    """The cache of all Pex processes of the tests."""
    return (build / "pex/root").resolve()


def recipe_key(
    arguments: Sequence[str], sources: Dict[str, str], constraints: Path
) -> str:
    recipe = repr(
        (
            list(arguments),
            sorted(sources.items()),
            constraints.read_bytes() if needs_index(arguments) else b"",
            version("pex"),
            sys.version_info[:2],
        )
    )
    return hashlib.sha256(recipe.encode()).hexdigest()[:16]


def needs_index(arguments: Sequence[str]) -> bool:
    """Whether a project is named: an argument that is no option's value."""
    values = iter(arguments)
    for argument in values:
        if not argument.startswith("-"):
            return True
        if argument in VALUED:
            next(values, None)
    return False


def write_tree(folder: Path, sources: Dict[str, str]) -> None:
    for name, text in sources.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def build_pex(
    build: Path,
    arguments: Sequence[str],
    sources: Optional[Dict[str, str]] = None,
    constraints: Path = CONSTRAINTS,
) -> Path:
    """The PEX of `pex ARGUMENTS -D SOURCES`; sources is {name: text}."""
    sources = sources or {}
    if MACHINE != "x86_64" and needs_index(arguments):
        tag = "%d%d" % sys.version_info[:2]
        foreign = f"manylinux_2_28_{MACHINE}-cp-{tag}-cp{tag}"
        arguments = [*arguments, "--platform", foreign, "--platform", "current"]
    key = recipe_key(arguments, sources, constraints)
    out = build / "pex" / f"{key}.pex"
    out.parent.mkdir(parents=True, exist_ok=True)
    with locked(out):
        if not out.exists():
            _run_pex(build, arguments, sources, constraints, out)
    return out


def unpack_once(pex: Path, python: str, pex_root: str) -> None:
    """Pex unpacks at the first run; where an error ends that one too early,
    the next run warns of what it left."""
    done = pex.with_suffix(".unpacked")
    with locked(pex):
        if done.exists():
            return
        subprocess.run(
            [python, str(pex), "-c", ""],
            env={"PATH": "/usr/bin:/bin", "PEX_ROOT": pex_root, "PEX_INTERPRETER": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        done.touch()


def _run_pex(
    build: Path,
    arguments: Sequence[str],
    sources: Dict[str, str],
    constraints: Path,
    out: Path,
) -> None:
    folder = out.with_suffix(".src")
    partial = out.with_suffix(".part")
    command: List[str] = [sys.executable, "-m", "pex", *arguments]
    command += ["-o", str(partial), "--use-pip-config"]
    if needs_index(arguments):
        command += ["--constraints", str(constraints)]
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(partial, ignore_errors=True)
    if sources:
        write_tree(folder, sources)
        command += ["-D", str(folder)]
    done = subprocess.run(
        command,
        env={**os.environ, "PEX_ROOT": str(pex_root(build))},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    shutil.rmtree(folder, ignore_errors=True)
    if done.returncode != 0:
        what = f"pex {' '.join(arguments)}: {done.stdout.strip()}"
        if NO_NETWORK.search(done.stdout):
            raise Offline(what[-500:])
        raise AssertionError(what)
    os.replace(partial, out)
