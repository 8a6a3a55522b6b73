# SPDX-License-Identifier: Apache-2.0
"""Bases for two Pythons in one installation; `make PYTHONS="3.11 3.13"`."""

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
OTHER = sorted(BUILD.glob("others/*/lib/pexcz/base-*"))

sys.path.insert(0, str(ROOT / "tests/e2e"))
from pexes import Offline, build_pex  # noqa: E402

pytestmark = pytest.mark.skipif(not OTHER, reason="one Python is built: PYTHONS has no second")

SHOW = {
    "show.py": "import asyncio, ctypes, decimal, hashlib, json, sqlite3, ssl, sys, uuid\n"
    "def main():\n"
    "    asyncio.run(asyncio.sleep(0))\n"
    "    print('%d.%d' % sys.version_info[:2], json.__file__, __file__)\n"
    "    print(sqlite3.connect(':memory:').execute('select 1 + 1').fetchone()[0],\n"
    "          hashlib.sha256(b'abc').hexdigest()[:8], ssl.OPENSSL_VERSION_INFO[0])\n"
}


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    """pack(pex, option…): runs pexcz-pack of an installation with all bases."""
    prefix = tmp_path_factory.mktemp("prefix")
    (prefix / "bin").mkdir()
    (prefix / "lib/pexcz").mkdir(parents=True)
    (prefix / "bin/pexcz-pack").write_bytes((BUILD / "bin/pexcz").read_bytes())
    (prefix / "bin/pexcz-pack").chmod(0o755)
    for base in [*(BUILD / "lib/pexcz").glob("base-*"), *OTHER]:
        (prefix / "lib/pexcz" / base.name).symlink_to(base)

    def run(pex: Path, *options: str) -> tuple[Path, subprocess.CompletedProcess]:
        app = prefix / "app"
        app.unlink(missing_ok=True)
        command = [prefix / "bin/pexcz-pack", pex, "-o", app, *options]
        return app, subprocess.run(command, capture_output=True, text=True, check=False)

    return run


def make_pex(*arguments: str) -> Path:
    try:
        return build_pex(BUILD, arguments, SHOW)
    except Offline as e:
        pytest.skip(f"not cached, and no index to be reached: {e}")


def version_of(app: Path) -> str:
    done = subprocess.run([app], capture_output=True, text=True, check=True)
    first, second = done.stdout.splitlines()
    version, json_file, own = first.split()
    assert json_file == f"/proc/pexcz/lib/python{version}/json/__init__.py"
    assert own == f"/proc/pexcz/lib/python{version}/site-packages/show.py"
    assert second == "2 ba7816bf 3"
    return version


def test_newest_without_a_reason(pack) -> None:
    app, done = pack(make_pex("-e", "show:main", "--python-shebang=/usr/bin/env python3"))
    assert done.returncode == 0, done.stderr
    assert version_of(app) == OTHER[-1].name.removeprefix("base-")


def test_shebang_decides(pack) -> None:
    app, done = pack(make_pex("-e", "show:main"))
    assert done.returncode == 0, done.stderr
    assert version_of(app) == "3.11"


def test_shebang_of_a_python_without_base(pack) -> None:
    pex = make_pex("-e", "show:main", "--python-shebang=/usr/bin/env python3.9")
    app, done = pack(pex)
    newest = OTHER[-1].name.removeprefix("base-")
    assert done.returncode == 0 and version_of(app) == newest
    assert f"warning: {pex}: its first line names Python 3.9, the base is {newest}\n" in done.stderr
    _, done = pack(pex, "--python", newest)
    assert "warning" not in done.stderr


def test_constraints_decide(pack) -> None:
    pex = make_pex("-e", "show:main", "--interpreter-constraint=CPython==3.11.*")
    app, done = pack(pex)
    assert done.returncode == 0, done.stderr
    assert version_of(app) == "3.11"


def test_wheels_decide(pack) -> None:
    """A wheel with an extension module is for the Python of the PEX only."""
    pex = make_pex("markupsafe", "-e", "show:main")
    app, done = pack(pex)
    assert done.returncode == 0, done.stderr
    assert version_of(app) == "3.11"
    app, done = pack(pex, "--python", "3.13")
    assert done.returncode == 1 and "markupsafe" in done.stderr.lower()
    assert not app.exists()


def test_option_decides(pack) -> None:
    for version in ("3.11", "3.13"):
        app, done = pack(make_pex("-e", "show:main"), "--python", version)
        assert done.returncode == 0, done.stderr
        assert version_of(app) == version


def test_none_fits(pack, tmp_path: Path) -> None:
    """What each lacks, the newest first: there is no shebang."""
    pex = without_a_base(make_pex("-e", "show:main"), tmp_path / "none.pex")
    app, done = pack(pex)
    assert done.returncode == 1 and not app.exists()
    first, constraint, *others = done.stderr.splitlines()
    assert "none.pex: its interpreter constraints do not admit CPython 3.13." in first
    assert constraint.strip() == "CPython==3.12.*"
    assert len(others) == 1
    assert others[0].startswith("  nor with Python 3.11.")
    assert "do not admit CPython 3.11." in others[0]


def without_a_base(pex: Path, out: Path) -> Path:
    """The same PEX, for CPython 3.12 only."""
    with zipfile.ZipFile(pex) as old, zipfile.ZipFile(out, "w") as new:
        for item in old.infolist():
            data = old.read(item)
            if item.filename == "PEX-INFO":
                info = json.loads(data)
                info["interpreter_constraints"] = ["CPython==3.12.*"]
                data = json.dumps(info).encode()
            new.writestr(item, data)
    return out


@pytest.mark.parametrize("version", ["3.11", "3.13"])
def test_snapshot(pack, version: str) -> None:
    app, done = pack(make_pex("-e", "show:main"), "--python", version, "--snapshot", "require")
    assert done.returncode == 0, done.stderr
    env = {"PEXCZ_SNAPSHOT": "explain"}
    started = subprocess.run([app], env=env, capture_output=True, text=True, check=True)
    assert started.stderr == "" and started.stdout.startswith(version)
