# SPDX-License-Identifier: Apache-2.0
"""Targets that cannot be written, and runs that end half-way: what was there
before is unchanged, and nothing is left behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable

import pytest
from conftest import BASE, PACK, PEXCZ, App
from refusals import files_of, refused
from sides import Result, run


@pytest.fixture
def pex(make_pex: Callable[..., Path]) -> Path:
    return make_pex("cowsay==6.1", "-c", "cowsay")


def test_output_is_the_input(tmp_path: Path, pex: Path) -> None:
    shutil.copy(pex, tmp_path / "a.pex")
    (tmp_path / "folder").mkdir()
    os.link(tmp_path / "a.pex", tmp_path / "hard")
    (tmp_path / "soft").symlink_to("a.pex")
    cause = "the output is the input file"
    refused(tmp_path, "a.pex", "-o", "a.pex", words=("a.pex: ", cause))
    refused(tmp_path, "a.pex", "-o", "folder/../a.pex", words=(cause,))
    refused(tmp_path, "a.pex", "-o", tmp_path / "a.pex", words=(cause,))
    refused(tmp_path, "a.pex", "-o", "hard", words=("hard: ", cause))
    refused(tmp_path, "soft", "-o", "a.pex", words=("a.pex: ", cause))
    refused(tmp_path, "a.pex", "-o", "soft", words=("soft: is a symbolic link",))


def test_target(tmp_path: Path, pex: Path) -> None:
    shutil.copy(pex, tmp_path / "a.pex")
    (tmp_path / "dangling").symlink_to("elsewhere")
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("mine")
    os.mkfifo(tmp_path / "pipe")
    for target, cause in {
        "dangling": "dangling: is a symbolic link",
        "folder": "folder: cannot write: Is a directory",
        "folder/": "folder/: cannot write: Is a directory",
        ".": ".: cannot write: Is a directory",
        "..": "..: cannot write: Is a directory",
        "pipe": "pipe: exists and is not a regular file",
        "/dev/null": "/dev/null: exists and is not a regular file",
        "absent/app": "absent/app: cannot open the output's folder: No such",
        "file/app": "file/app: cannot open the output's folder: Not a directory",
        "/proc/app": "/proc/app: ",
        "": ": cannot write",
        "n" * 300: "File name too long",
    }.items():
        refused(tmp_path, "a.pex", "-o", target, words=(cause,))


def test_a_folder_in_the_way_of_the_default_name(tmp_path: Path, pex: Path) -> None:
    shutil.copy(pex, tmp_path / "app.pex")
    (tmp_path / "app").mkdir()
    refused(tmp_path, "app.pex", words=("app: cannot write: Is a directory",))


def test_failure_leaves_what_was_there(tmp_path: Path, pex: Path) -> None:
    (tmp_path / "app").write_text("mine")
    (tmp_path / "app").chmod(0o640)
    (tmp_path / "bad.pex").write_bytes(pex.read_bytes()[:-40])
    refused(tmp_path, "bad.pex", "-o", "app", words=("bad.pex: ",))


def as_nobody(open_folder: Path, *arguments: object) -> subprocess.CompletedProcess:
    """Runs a copy of the packer without root's right to write everywhere."""
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("no setpriv to become another user")
    home = open_folder / "home"
    (home / "bin").mkdir(parents=True)
    (home / "lib").mkdir()
    shutil.copy(PEXCZ, home / "bin/pexcz-pack")
    shutil.copytree(PEXCZ.parent.parent / "lib/pexcz", home / "lib/pexcz")
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    return run([*(user if os.geteuid() == 0 else []), home / "bin/pexcz-pack",
                *arguments], cwd=open_folder)


def test_read_only(open_folder: Path, pex: Path) -> None:
    shutil.copy(pex, open_folder / "a.pex")
    (open_folder / "there").mkdir()
    (open_folder / "there/app").write_text("mine")
    (open_folder / "there").chmod(0o555)
    got = as_nobody(open_folder, "a.pex", "-o", "there/new")
    assert (got.code, got.err.count(b"\n")) == (1, 1)
    assert b"there/new: cannot write to the output's folder: Permission" in got.err
    assert [p.name for p in (open_folder / "there").iterdir()] == ["app"]
    (open_folder / "there").chmod(0o755)


@pytest.mark.parametrize("size", ["4k", "1m", "20m", "23m"])
def test_disk_full(
    tiny: Callable[[str], Path], pex: Path, size: str
) -> None:
    """Full at the first byte, in the base, and in the application."""
    disk = tiny(size)
    (disk / "app").write_text("mine")
    refused(disk, pex, "-o", "app", words=("app: ", "No space left on device"))
    refused(disk, pex, "-o", "new", words=("new: ", "No space left on device"))


def test_disk_full_for_the_snapshot(tiny: Callable[[str], Path], pex: Path) -> None:
    """There would have been room without it, but it was asked for."""
    disk = tiny("64m")
    plain = run([PACK, "-q", "--snapshot", "off", pex, "-o", disk / "plain"])
    assert plain.code == 0
    size = (disk / "plain").stat().st_size
    (disk / "plain").unlink()
    run(["mount", "-o", f"remount,size={size + 1_000_000}", disk])
    refused(disk, pex, "-o", "app", words=("app: ", "No space left on device"))


def test_read_only_file_system(tiny: Callable[[str], Path], pex: Path) -> None:
    disk = tiny("64m")
    (disk / "app").write_text("mine")
    assert run(["mount", "-o", "remount,ro", disk]).code == 0
    refused(disk, pex, "-o", "app", words=("app: ", "Read-only file system"))
    refused(disk, pex, "-o", "new", words=("new: ", "Read-only file system"))


def without_proc(*command: object, **options: object) -> Result:
    script = 'mount -t tmpfs none /proc && exec "$@"'
    if run(["unshare", "-m", "sh", "-c", script, "sh", "true"]).code != 0:
        pytest.skip("no mount namespaces here")
    return run(["unshare", "-m", "sh", "-c", script, "sh", *command], **options)


def test_without_proc(tmp_path: Path, pex: Path) -> None:
    """The output has a name from the start then, and no snapshot."""
    target = tmp_path / "app"
    options = ["--base", BASE, "-o", target]
    got = without_proc(PACK, pex, *options)
    assert got.code == 0, got.err
    assert b"no snapshot: " in got.err and b"no /proc" in got.err
    assert [p.name for p in tmp_path.iterdir()] == ["app"]
    assert b"x" in without_proc(target, "-t", "x").out
    before = files_of(tmp_path)
    got = without_proc(PACK, pex, *options, "--snapshot", "require")
    assert got.code == 1 and b"no snapshot: " in got.err
    assert files_of(tmp_path) == before
    got = without_proc(PACK, pex, "-o", target)
    assert got.code == 1 and b"cannot find the folder of this program" in got.err


def test_file_size_limit(tmp_path: Path, pex: Path) -> None:
    """An error, not death by SIGXFSZ."""
    before = files_of(tmp_path)
    got = run([sys.executable, "-c",
               "import os, resource, sys\n"
               "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))\n"
               "os.execv(sys.argv[1], sys.argv[1:])",
               PACK, pex, "-o", tmp_path / "app"])
    assert got.code == 1, (got.code, got.err)
    assert b"File too large" in got.err and got.err.count(b"\n") == 1
    assert files_of(tmp_path) == before


@pytest.mark.parametrize(
    "number, old",
    [(signal.SIGINT, False), (signal.SIGTERM, True), (signal.SIGKILL, True)],
)
def test_killed(
    tmp_path: Path, make_pex: Callable[..., Path], number: int, old: bool
) -> None:
    """At many moments of a run; no file appears, no process stays."""
    pex = make_pex("black", "-c", "black")
    start = time.monotonic()
    assert run([PACK, "-q", pex, "-o", tmp_path / "app"]).code == 0
    whole = time.monotonic() - start
    expected = (tmp_path / "app").read_bytes()
    (tmp_path / "app").unlink()
    if old:
        (tmp_path / "app").write_text("mine")
    before = files_of(tmp_path)
    killed = 0
    for step in range(6):
        with subprocess.Popen([PACK, "-q", pex, "-o", tmp_path / "app"],
                              start_new_session=True) as process:
            time.sleep(whole * (step + 0.5) / 6)
            process.send_signal(number)
        gone = time.monotonic() + 10
        while alive(process.pid):
            assert time.monotonic() < gone, "a process of the packer's stays"
            time.sleep(0.05)
        if files_of(tmp_path) != before:
            # It was done, or about to end.
            assert [p.name for p in tmp_path.iterdir()] == ["app"]
            assert (tmp_path / "app").read_bytes() == expected
            break
        killed += 1
        assert process.returncode in (-number, 128 + number)
    assert killed > 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_killed_while_imports_do_not_end(
    tmp_path: Path, make_pex: Callable[..., Path], number: int
) -> None:
    pex = make_pex("-e", "forever", sources={
        "forever.py": "import endless\n", "endless.py": "while True: pass\n"})
    with subprocess.Popen([PACK, "-q", pex, "-o", tmp_path / "app"],
                          start_new_session=True) as process:
        while not imports(process.pid):
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(number)
    gone = time.monotonic() + 10
    while alive(process.pid):
        assert time.monotonic() < gone, "a process of the packer's stays"
        time.sleep(0.05)
    assert files_of(tmp_path) == {}


def imports(packer: int) -> bool:
    """Whether it has started the application's imports."""
    children = Path(f"/proc/{packer}/task/{packer}/children").read_text().split()
    return any(b"//pexcz/snapshot" in Path(f"/proc/{child}/cmdline").read_bytes()
               for child in children)


def alive(session: int) -> bool:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] not in "ZX":
            return True
    return False


def test_replaces_atomically(tmp_path: Path, make_app: Callable[..., App]) -> None:
    """The old file stays what it is for those who have it open or run it."""
    app = make_app("cowsay==6.1", "-c", "cowsay")
    target = tmp_path / "app"
    shutil.copy(app.exe, target)
    os.link(target, tmp_path / "other")
    assert run([PACK, "-q", app.pex, "-o", target]).code == 0
    assert target.stat().st_ino != (tmp_path / "other").stat().st_ino
    assert (tmp_path / "other").read_bytes() == app.exe.read_bytes()


@pytest.mark.parametrize("mask, mode", [(0o022, 0o755), (0o077, 0o700), (0, 0o777)])
def test_mode_is_that_of_the_umask(
    tmp_path: Path, pex: Path, mask: int, mode: int
) -> None:
    (tmp_path / "old").write_text("")
    (tmp_path / "old").chmod(0o600)
    for name in ("new", "old"):
        got = run(["sh", "-c", f'umask {mask:o}; exec "$0" "$@"', PACK, "-q",
                   "--snapshot", "off", pex, "-o", tmp_path / name])
        assert got.code == 0
        assert (tmp_path / name).stat().st_mode & 0o7777 == mode
