# SPDX-License-Identifier: Apache-2.0
"""What `make wheel deb tarball` make, each used by itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ["PEXCZ_BUILD"])
PEX = BUILD / "samples/embed.pex"


def run(*command: object, env: dict | None = None) -> str:
    done = subprocess.run(
        [str(c) for c in command], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def releases() -> Path:
    """The three, made of what is built already."""
    run("make", "-C", ROOT, "-o", "all", f"BUILD={BUILD}", "wheel", "deb", "tarball")
    return BUILD / "release"


def packs_and_runs(programs: Path, folder: Path) -> None:
    app = folder / "app"
    run(programs / "pexcz-pack", PEX, "-o", app, env={"PATH": "/nowhere"})
    assert run(app, "pear=2", env={}) == "pear=2: 1.20\n"
    assert "prices.py" in run(programs / "pexcz", "inspect", app, env={})


def test_wheel(releases: Path, tmp_path: Path) -> None:
    """pip in a fresh environment, without an index."""
    wheel = next(releases.glob("pexcz-*.whl"))
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    run(tmp_path / "venv/bin/python", "-m", "pip", "install", "--no-index", wheel)
    packs_and_runs(tmp_path / "venv/bin", tmp_path)
    names = run(tmp_path / "venv/bin/python", "-m", "pip", "show", "-f", "pexcz")
    assert "share/doc/pexcz/sbom.cdx.json" in names


def test_wheel_needs_what_its_name_says(releases: Path, tmp_path: Path) -> None:
    wheel = next(releases.glob("pexcz-*.whl"))
    floor = tuple(map(int, wheel.name.split("manylinux_")[1].split("_")[:2]))
    with zipfile.ZipFile(wheel) as archive:
        programs = [n for n in archive.namelist() if "/scripts/" in n or "/base-" in n]
        for name in programs:
            text = run("readelf", "-V", archive.extract(name, tmp_path))
            needed = {w.rstrip(")") for w in text.split() if w.startswith("GLIBC_")}
            assert max(tuple(map(int, n[6:].split("."))) for n in needed) <= floor
    assert len(programs) >= 3


def test_debian_package(releases: Path, tmp_path: Path) -> None:
    deb = next(releases.glob("pexcz_*.deb"))
    run("dpkg-deb", "-x", deb, tmp_path)
    packs_and_runs(tmp_path / "usr/bin", tmp_path)
    assert (tmp_path / "usr/lib/libpexcz_runtime.a").is_file()
    assert "root/root" in run("dpkg-deb", "-c", deb)


def test_tarball(releases: Path, tmp_path: Path) -> None:
    archive = next(releases.glob("pexcz-*.tar.zst"))
    run("tar", "-C", tmp_path, "--zstd", "-xf", archive)
    packs_and_runs(next(tmp_path.glob("pexcz-*/bin")), tmp_path)


def test_same_bytes_again(releases: Path, tmp_path: Path) -> None:
    """Another folder, another umask."""
    before = {p.name: p.read_bytes() for p in releases.iterdir() if p.is_file()}
    assert len(before) == 3
    run("sh", "-c", f"umask 077 && make -C {ROOT} -o all BUILD={BUILD} RELEASES={tmp_path / 'r'}"
        " wheel deb tarball")
    for name, data in before.items():
        assert (tmp_path / "r" / name).read_bytes() == data, name


def test_bill_of_materials(releases: Path) -> None:
    doc = releases / "stage/usr/share/doc/pexcz"
    sbom = json.loads((doc / "sbom.cdx.json").read_text())
    assert (sbom["bomFormat"], sbom["specVersion"]) == ("CycloneDX", "1.5")
    names = {c["name"] for c in sbom["components"]}
    assert {"cpython", "openssl", "sqlite3", "libzstd", "jansson"} <= names
    for component in sbom["components"]:
        assert component["version"] and component["licenses"]
    assert (doc / "licenses/LICENSE.libssl-dev.txt").is_file()
