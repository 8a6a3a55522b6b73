# SPDX-License-Identifier: Apache-2.0
"""Fixtures: PEXes of PyPI projects, packed, and a root without Python.

A PEX is built once by the `pex` tool of the test venv and kept in
$(BUILD)/pex under the hash of its recipe.  The reference for every
comparison is `python3.11 app.pex`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Dict, List, Optional

import pytest

BUILD = Path(os.environ["PEXCZ_BUILD"])
PACK = BUILD / "bin/pexcz-pack"
BASE = BUILD / "lib/pexcz/base-3.11"
LIBRARIES = ("libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0",
             "librt.so.1", "libutil.so.1", "libresolv.so.2",
             "libnss_files.so.2", "libnss_dns.so.2",
             # Not libc's, but every manylinux wheel may expect them.
             "libgcc_s.so.1", "libstdc++.so.6", "libz.so.1")


@dataclass
class Result:
    code: int
    out: bytes
    err: bytes


def run(command: List[str], **options) -> Result:
    options.setdefault("stdin", subprocess.DEVNULL)
    done = subprocess.run(command, capture_output=True, timeout=300,
                          check=False, **options)
    return Result(done.returncode, done.stdout, done.stderr)


@dataclass
class App:
    pex: Path
    exe: Path
    packing: Result


@pytest.fixture(scope="session")
def make_pex() -> Callable[..., Path]:
    """make_pex("cowsay==6.1", "-c", "cowsay", sources={name: text})"""
    if sys.version_info[:2] != (3, 11):
        pytest.skip("the venv's Python is not 3.11, which the base is")

    def make(*arguments: str, sources: Optional[Dict[str, str]] = None) -> Path:
        sources = sources or {}
        recipe = repr((arguments, sorted(sources.items())))
        key = hashlib.sha256(recipe.encode()).hexdigest()[:16]
        out = BUILD / "pex" / f"{key}.pex"
        if out.exists():
            return out
        out.parent.mkdir(parents=True, exist_ok=True)
        folder = out.parent / f"{key}.src"
        shutil.rmtree(folder, ignore_errors=True)
        command = [sys.executable, "-m", "pex", *arguments, "-o", str(out)]
        for name, text in sources.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        if sources:
            command += ["-D", str(folder)]
        done = run(command)
        if done.code != 0:
            if b"ConnectionError" in done.err or b"resolve" in done.err:
                pytest.skip(f"no network for {arguments}: {done.err[-200:]!r}")
            raise AssertionError(done.err.decode())
        return out

    return make


@pytest.fixture(scope="session")
def make_app(make_pex, tmp_path_factory) -> Callable[..., App]:
    """As make_pex, and packed."""
    made: Dict[Path, App] = {}

    def make(*arguments: str, sources: Optional[Dict[str, str]] = None) -> App:
        pex = make_pex(*arguments, sources=sources)
        if pex not in made:
            exe = tmp_path_factory.mktemp("app") / "app"
            packing = run([str(PACK), str(pex), "-o", str(exe)])
            assert packing.code == 0, packing.err.decode()
            made[pex] = App(pex, exe, packing)
        return made[pex]

    return make


class BareRoot:
    """A root folder with libc's libraries and nothing else; run() enters it
    with chroot, in a user namespace of its own where that needs one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("dev", "proc", "tmp", "lib64", "home"):
            (root / name).mkdir()
        (root / "tmp").chmod(0o1777)
        shutil.copy("/lib64/ld-linux-x86-64.so.2", root / "lib64")
        for name in LIBRARIES:
            source = Path("/lib/x86_64-linux-gnu") / name
            if source.exists():
                target = root / str(source).lstrip("/")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)

    def run(self, exe: Path, *arguments: str, env: Optional[dict] = None,
            stdin: bytes = b"") -> Result:
        shutil.copy(exe, self.root / "app")
        script = ('mount -t proc proc "$0/proc" && '
                  'mount --rbind /dev "$0/dev" && root=$0 && '
                  'exec chroot "$root" /app "$@"')
        options = [] if os.geteuid() == 0 else ["--map-root-user", "--user"]
        done = subprocess.run(
            ["unshare", *options, "--mount", "--pid", "--fork", "/bin/sh", "-c",
             script, str(self.root), *arguments],
            input=stdin, capture_output=True, timeout=300, check=False,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8",
                 "HOME": "/home", **(env or {})})
        if b"unshare" in done.stderr or b"mount:" in done.stderr:
            pytest.skip(f"no namespaces here: {done.stderr[-200:]!r}")
        return Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def bare_root(tmp_path) -> BareRoot:
    root = tmp_path / "root"
    root.mkdir()
    return BareRoot(root)


@pytest.fixture
def same(bare_root, tmp_path) -> Callable[..., Result]:
    """Runs the PEX with Python and the packed file in the bare root; stdout,
    exit code and the last line of stderr must be alike."""

    def compare(app: App, *arguments: str, stdin: bytes = b"",
                stderr: bool = True) -> Result:
        folder = tmp_path / "reference"
        folder.mkdir(exist_ok=True)
        named = folder / "app"  # usage messages have the name in them
        shutil.copy(app.pex, named)
        want = subprocess.run(
            [sys.executable, str(named), *arguments], input=stdin,
            capture_output=True, timeout=300, check=False, cwd=folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8",
                 "HOME": str(folder), "PEX_ROOT": str(tmp_path / "pex_root")})
        got = bare_root.run(app.exe, *arguments, stdin=stdin)
        assert got.code == want.returncode, got.err.decode()
        assert got.out == want.stdout
        if stderr:
            assert last_line(got.err) == last_line(want.stderr)
        return got

    return compare


def last_line(text: bytes) -> bytes:
    lines = text.strip().splitlines()
    return lines[-1] if lines else b""
