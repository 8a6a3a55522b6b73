# SPDX-License-Identifier: Apache-2.0
"""Fixtures: programs that are built with what `make install` installed."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Callable, Sequence

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = Path(os.environ["PEXCZ_BUILD"])
PREFIX = Path(os.environ["PEXCZ_INSTALLED"])
DIST = Path(os.environ["PEXCZ_PYTHON_DIST"])
RULES = BUILD / "samples/embed"
# The library's Python, beside which there may be others.
VERSION = next((PREFIX / "lib/pexcz").glob("python*.exports")).stem.removeprefix("python")
BASE = PREFIX / f"lib/pexcz/base-{VERSION}"

sys.path.insert(0, str(ROOT / "tests/e2e"))


def run(
    *command: object, env: dict | None = None, code: int = 0, timeout: int = 300
) -> str:
    """stdout of a command that must end with `code`, stderr too if it fails."""
    done = subprocess.run(
        [str(c) for c in command],
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == code, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + (done.stderr if code else "")


def pkg_config(*arguments: str) -> list[str]:
    env = {"PKG_CONFIG_PATH": str(PREFIX / "lib/pkgconfig")}
    return shlex.split(run("pkg-config", *arguments, "pexcz_runtime", env=env))


@pytest.fixture(scope="session")
def compile_c(tmp_path_factory) -> Callable[..., Path]:
    """compile_c(name, [source…], flag…): a program, or with -shared a plugin."""
    folder = tmp_path_factory.mktemp("programs")

    def make(name: str, sources: Sequence[Path], *flags: str) -> Path:
        out = folder / name
        run(
            *("gcc", "-O1", "-g", "-Wall", "-Wextra", "-Werror", *flags),
            *("-o", out, *sources, *pkg_config("--cflags", "--libs")),
        )
        return out

    return make
