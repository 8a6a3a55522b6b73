# SPDX-License-Identifier: Apache-2.0
"""pexcz verify and pexcz sign, with OpenSSH's keys."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from conftest import PEXCZ
from sides import run

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


def test_what_is_not_as_recorded(make_pex, tmp_path: Path) -> None:
    """Files of the PEX that a wheel's RECORD does not know."""
    pex = make_pex("cowsay==6.1", "-c", "cowsay")
    changed = tmp_path / "changed.pex"
    with zipfile.ZipFile(pex) as old, zipfile.ZipFile(changed, "w") as new:
        for item in old.infolist():
            data = old.read(item)
            if item.filename.endswith("/cowsay/__init__.py"):
                data += b"# more\n"
            new.writestr(item, data)
    exe = tmp_path / "app"
    packing = run([PEXCZ, "pack", changed, "-o", exe])
    assert packing.code == 0, packing.err
    done = run([PEXCZ, "verify", exe])
    assert done.code == 1
    assert done.err.decode().endswith(
        "site-packages/cowsay/__init__.py is another file by its RECORD\n"
    )


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
