# SPDX-License-Identifier: Apache-2.0
"""pexcz verify and pexcz sign, with OpenSSH's keys."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import List, Set

import pytest
from conftest import PEXCZ
from sides import VERSION, run

KEYGEN = shutil.which("ssh-keygen")
needs_keygen = pytest.mark.skipif(KEYGEN is None, reason="no ssh-keygen here")


@pytest.fixture(scope="module")
def app(make_app, tmp_path_factory):
    return make_app("cowsay==6.1", "-c", "cowsay")


def make_key(folder: Path, name: str) -> Path:
    key = folder / name
    command = [KEYGEN, "-q", "-t", "ed25519", "-N", "", "-f", str(key)]
    subprocess.run(command, check=True)
    return key


def signers(folder: Path, **keys: Path) -> Path:
    path = folder / "signers"
    lines = [
        f"{name}@example.org {key.with_suffix('.pub').read_text()}"
        for name, key in keys.items()
    ]
    path.write_text("".join(lines))
    return path


def test_distributions_are_checked(app) -> None:
    done = run([PEXCZ, "verify", app.exe])
    assert done.code == 0, done.err
    first, last = done.text.splitlines()
    with zipfile.ZipFile(app.pex) as z:
        (name,) = [n for n in z.namelist() if n.endswith(".dist-info/RECORD")]
        hashed = z.read(name).decode().count("sha256=")
    # And the console script, whose row comes with the installation.
    assert first.startswith(f"cowsay 6.1: {hashed + 1} files, RECORD sha256=")
    assert last == f"{app.exe}: intact"
    assert run([PEXCZ, "verify", "-q", app.exe]).out == b""


@pytest.mark.parametrize("form", ["installed", "wheels"])
@pytest.mark.parametrize("names", [["main.py"], ["__init__.py", "main.py"]])
def test_what_is_not_as_recorded(
    make_pex, tmp_path: Path, form: str, names: List[str]
) -> None:
    """Files that a wheel's RECORD does not know as they are: pip and Pex take
    them silently."""
    files = ".deps/cowsay-6.1-py3-none-any.whl/cowsay"
    if form == "installed":
        pex = make_pex("cowsay==6.1", "-c", "cowsay")
        changed = tmp_path / "changed.pex"
        rewrite(pex, changed, {f"{files}/{name}" for name in names})
    else:
        options = ["--no-pre-install-wheels", "--layout", "loose"]
        pex = make_pex("cowsay==6.1", "-c", "cowsay", *options)
        changed = tmp_path / "changed"
        shutil.copytree(pex, changed, symlinks=True)
        wheel = changed / Path(files).parent
        rewrite(pex / Path(files).parent, wheel, {f"cowsay/{name}" for name in names})
    exe = tmp_path / "app"
    packing = run([PEXCZ, "pack", "--snapshot", "off", changed, "-o", exe])
    assert packing.code == 0, packing.err
    site = f"lib/python{VERSION}/site-packages"
    more = "" if len(names) == 1 else " and 1 more"
    whose = "their SHA-256 is" if more else "its SHA-256 is"
    assert (
        "pexcz-pack: warning: cowsay-6.1-py3-none-any.whl: "
        f"{site}/cowsay/{names[0]}{more}: {whose} not that of RECORD\n"
    ) in packing.err.decode()
    assert packing.err.count(b"warning") == 1
    done = run([PEXCZ, "verify", exe])
    assert done.code == 1
    assert done.err.decode().endswith(
        f"site-packages/cowsay/{names[0]} is another file by its RECORD\n"
    )


def rewrite(source: Path, target: Path, names: Set[str]) -> None:
    """A zip with a line more in the files of these names."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for item in old.infolist():
            more = b"# more\n" if item.filename in names else b""
            new.writestr(item, old.read(item) + more)


@needs_keygen
def test_signature(app, tmp_path: Path) -> None:
    mine, other = make_key(tmp_path, "mine"), make_key(tmp_path, "other")
    exe = tmp_path / "app"
    shutil.copy(app.exe, exe)
    done = run([PEXCZ, "sign", "--key", mine, exe])
    assert (done.code, done.out, done.err) == (0, b"", b"")
    allowed = signers(tmp_path, me=mine, you=other)
    check = [PEXCZ, "verify", "--signers", allowed, "--signer"]
    done = run([*check, "me@example.org", exe])
    assert done.code == 0, done.err
    assert f"{exe}: signed by me@example.org\n" in done.text
    # The tool itself says the same.
    with open(exe, "rb") as f:
        tool = [KEYGEN, "-Y", "verify", "-f", allowed, "-n", "pexcz"]
        tool += ["-I", "me@example.org", "-s", f"{exe}.sig"]
        assert run(tool, stdin=f).code == 0
    wrong = run([*check, "you@example.org", exe])
    assert wrong.code == 1
    assert wrong.err.decode().endswith(f"{exe}: not signed by you@example.org\n")
    # Every byte counts, also of the base's machine code.
    data = bytearray(exe.read_bytes())
    data[0x2000] ^= 1
    exe.write_bytes(data)
    done = run([*check, "me@example.org", exe])
    assert done.code == 1 and b"intact" not in done.out
    # Signing again replaces the signature.
    exe.write_bytes(app.exe.read_bytes())
    assert run([PEXCZ, "sign", "-k", other, exe]).code == 0
    assert run([*check, "you@example.org", exe]).code == 0


@needs_keygen
def test_signature_that_is_not_there(app, tmp_path: Path) -> None:
    allowed = signers(tmp_path, me=make_key(tmp_path, "mine"))
    who = ["--signers", allowed, "--signer", "me@example.org"]
    exe = tmp_path / "app"
    shutil.copy(app.exe, exe)
    done = run([PEXCZ, "verify", *who, exe])
    assert done.code == 1
    assert f"{exe}.sig: No such file or directory" in done.err.decode()
    digest = base64.b64encode(hashlib.sha256(b"x").digest())
    (tmp_path / "sig").write_bytes(digest)
    done = run([PEXCZ, "verify", *who, "--signature", tmp_path / "sig", exe])
    assert done.code == 1 and b"not signed by" in done.err
    assert run([PEXCZ, "verify", "--signer", "x", exe]).code == 2
    assert run([PEXCZ, "verify", "--signature", "x", exe]).code == 2
    assert run([PEXCZ, "sign", exe]).code == 2
    assert run([PEXCZ, "sign", "-k", tmp_path / "none", exe]).code == 1
