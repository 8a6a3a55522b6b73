# SPDX-License-Identifier: Apache-2.0
"""One packed file with NumPy, Flask, SQLAlchemy and cryptography in its snapshot
prints in releases of Debian, with features of the processor hidden, and with one
thread and eight, what the PEX prints here: at once, in the child of a fork and in
threads; restored and booted ordinarily."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Callable, Dict, Iterator

import four_libraries
import pytest
from conftest import BUILD, PEX_ROOT, PEXCZ, SYSTEM, App, Side, run
from enter_root import LIBC, MANYLINUX, make_root
from four_libraries import EIGHT_THREADS, ONE_THREAD, PATIENT, SETTINGS
from packaging.markers import default_environment
from packaging.tags import sys_tags
from sides import SITE
from snapshot_report import left_out
from systems import GLIBC, system_root

# `make roots` tests all in one release; else the bare root has all settings.
WHOLE = SYSTEM or "bare"
ROOTS = [SYSTEM] if SYSTEM else ["bare", *GLIBC]
MODES = {"restored": "explain", "booted": "0"}
CASES = [
    (root, name, mode)
    for root in ROOTS
    for name in SETTINGS
    for mode in MODES
    if root == WHOLE or name in ("plain", "no-avx-eight-threads")
]
# Processors of qemu's: the one without AVX is enough for each change.
PROCESSORS = ["Nehalem", "Haswell", "max"] if SYSTEM else ["Nehalem"]

# Modules of the four and what they need, which are shared objects.
EXTENSIONS = [
    *("_cffi_backend", "cryptography.hazmat.bindings._rust", "markupsafe._speedups"),
    *("numpy._core._multiarray_umath", "numpy.linalg._umath_linalg"),
    *("numpy.random._generator", "sqlalchemy.engine._row_cy", "sqlalchemy.sql._util_cy"),
]


@pytest.fixture(scope="module")
def four(make_app: Callable[..., App]) -> App:
    """Of wheels for the oldest of the releases."""
    newest = min(minor for _, minor in GLIBC.values())
    newer = [f"manylinux_2_{minor}_x86_64" for minor in range(newest + 1, 99)]
    tags = [str(tag) for tag in sys_tags() if tag.platform not in newer]
    markers = {**default_environment(), "platform_release": "", "platform_version": ""}
    oldest = json.dumps({"marker_environment": markers, "compatible_tags": tags})
    return make_app(
        *(four_libraries.PROJECTS + four_libraries.HELPERS),
        *("--complete-platform", oldest, "-e", "work:main"),
        sources=four_libraries.SOURCE,
    )


@pytest.fixture(scope="module")
def want(four: App, python: str) -> bytes:
    done = run([python, four.pex], env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8",
                                        "PEX_ROOT": str(PEX_ROOT), **PATIENT})  # fmt: skip
    assert (done.code, done.err, done.text.count("\n")) == (0, b"", 3)
    return done.out


@pytest.fixture
def packed(request: pytest.FixtureRequest, four: App, tmp_path: Path) -> Iterator[Side]:
    """The file, in the root that the test names."""
    if request.param == "bare":
        root = tmp_path / "root"
        make_root(root, LIBC + MANYLINUX)
    else:
        if os.geteuid() != 0:
            pytest.skip("chroot needs root")
        root = system_root(BUILD, request.param)
    side = Side(tmp_path / "packed", root)
    side.install(four.exe)
    yield side
    # It is large, and each test has one.
    shutil.rmtree(side.folder)


def start(side: Side, settings: Dict[str, str], mode: str, *arguments: str) -> bytes:
    done = side.run(*arguments, env={**settings, "PEXCZ_SNAPSHOT": MODES[mode]})
    # Restored: or `explain` would say why not.
    assert (done.code, done.err) == (0, b""), done.err.decode()
    return done.out


def test_all_is_in_the_image(four: App) -> None:
    report = run([PEXCZ, "inspect", "--snapshot", "--json", four.exe]).out
    snapshot = json.loads(report)
    modules = {module["name"] for module in snapshot["modules"]}
    libraries = [library["path"] for library in snapshot["libraries"]]
    assert left_out(four.exe) == []
    assert {*EXTENSIONS, *four_libraries.PROJECTS, "work"} <= modules
    for name in EXTENSIONS:
        start = f"{SITE}/{name.replace('.', '/')}."
        assert any(path.startswith(start) for path in libraries), name
    assert any("/numpy.libs/libscipy_openblas" in path for path in libraries)


@pytest.mark.parametrize("packed, name, mode", CASES, indirect=["packed"])
def test_same_output(packed: Side, want: bytes, name: str, mode: str) -> None:
    assert start(packed, SETTINGS[name], mode) == want


@pytest.mark.parametrize("packed", [WHOLE], indirect=True)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("threads", [1, 8])
def test_threads(packed: Side, want: bytes, threads: int, mode: str) -> None:
    """As many as the program asks for, on any machine: threadpoolctl looks for
    OpenBLAS in /proc/self/maps."""
    last = b"libscipy_openblas64_ %d\n" % threads
    assert start(packed, PATIENT, mode, str(threads)) == want + last


# What the libraries read at an import is a gate.
@pytest.mark.parametrize("packed", [WHOLE], indirect=True)
@pytest.mark.parametrize(
    "variable",
    ["OPENSSL_ia32cap=~0x1200020000000000:~0x20000020", "NPY_DISABLE_CPU_FEATURES=AVX2"],
)
def test_features_that_are_hidden_from_an_import(
    packed: Side, want: bytes, variable: str
) -> None:
    name, _, value = variable.partition("=")
    done = packed.run(env={**PATIENT, name: value, "PEXCZ_SNAPSHOT": "explain"})
    assert (done.code, done.out) == (0, want)
    assert done.err.startswith(b"pexcz: ordinary boot: an environment variable")


@pytest.mark.parametrize("packed", [WHOLE], indirect=True)
@pytest.mark.parametrize("model", PROCESSORS)
def test_another_processor(
    packed: Side, want: bytes, model: str, emulator: str
) -> None:
    """NumPy keeps what the processor can do: another one boots ordinarily."""
    shutil.copy(emulator, packed.folder / "qemu")
    *enter, program = packed.command([])
    done = run(
        [*enter, "/srv/qemu", "-cpu", model, program],
        env={**packed.env, **ONE_THREAD, "PEXCZ_SNAPSHOT": "explain"},
    )
    assert (done.code, done.out) == (0, want), done.err.decode()
    assert b"ordinary boot: a shared object was made for another processor" in done.err
