# SPDX-License-Identifier: Apache-2.0
"""make install and make uninstall; the installed programs by themselves."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from conftest import BUILD, PREFIX, ROOT, run


def test_moved_prefix_packs_and_runs(tmp_path: Path) -> None:
    """The programs find their bases wherever they are."""
    moved = tmp_path / "elsewhere"
    shutil.copytree(PREFIX, moved, symlinks=True)
    app = tmp_path / "app"
    run(moved / "bin/pexcz-pack", BUILD / "samples/embed.pex", "-o", app, env={"PATH": "/nowhere"})
    shutil.rmtree(moved)
    done = subprocess.run([app, "pear=2"], env={}, capture_output=True, text=True, check=True)
    assert done.stdout == "pear=2: 1.20\n"


def test_no_trace_of_the_build() -> None:
    for path in PREFIX.rglob("*"):
        if path.is_file() and not path.is_symlink():
            assert str(ROOT).encode() not in path.read_bytes().replace(
                str(PREFIX).encode(), b""
            ), path


def test_man_pages_and_headers() -> None:
    assert (PREFIX / "share/man/man1/pexcz-pack.1").is_file()
    assert (PREFIX / "include/pexcz_runtime.h").is_file()
    run("g++", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-std=c++11", "-x", "c++",
        PREFIX / "include/pexcz_runtime.h")
    run("gcc", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-std=c99", "-pedantic", "-x", "c",
        PREFIX / "include/pexcz_runtime.h")


def test_destdir_and_uninstall(tmp_path: Path) -> None:
    where = ("PREFIX=/opt/pexcz", f"DESTDIR={tmp_path}", f"BUILD={BUILD}")
    other = tmp_path / "opt/pexcz/lib/pkgconfig/other.pc"
    other.parent.mkdir(parents=True)
    other.write_text("of somebody else")
    run("make", "-C", ROOT, "-o", "all", "install", *where)
    pc = (tmp_path / "opt/pexcz/lib/pkgconfig/pexcz_runtime.pc").read_text()
    assert "prefix=/opt/pexcz\n" in pc
    run("make", "-C", ROOT, "uninstall", *where)
    left = [p for p in tmp_path.rglob("*") if not p.is_dir()]
    assert left == [other]
