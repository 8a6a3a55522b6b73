# SPDX-License-Identifier: Apache-2.0
"""What `pexcz inspect --snapshot` says of a snapshot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Dict

import pytest
from conftest import PACK, run
from sides import VERSION

PEXCZ = PACK.with_name("pexcz")
# What runs at each start is left out where changes cannot be seen.
LATE = "late, " if VERSION == "3.11" else ""
SOURCES = {
    "odd.py": "import os; value = os.urandom(8)\n",
    "between.py": "from odd import value\n",
    "far.py": "import between\n",
    "user.py": "import far, curses.panel, fine, markupsafe\nfine.mode\n"
               "def main(): pass\n",
    "late.py": "import os; value = os.urandom(8)\n",
    "fine.py": f"import {LATE}os\nmode = os.environ.get('FINE_MODE')\n",
}


@pytest.fixture(scope="module")
def packed(make_pex: Callable[..., Path], tmp_path_factory: Any) -> Path:
    pex = make_pex("markupsafe", "-e", "user:main", sources=SOURCES)
    exe = tmp_path_factory.mktemp("report") / "app"
    done = run([PACK, "--snapshot", "require", pex, "-o", exe])
    assert done.code == 0, done.err.decode()
    return exe


def inspect(exe: Path) -> Dict[str, Any]:
    done = run([PEXCZ, "inspect", "--snapshot", "--json", exe])
    assert (done.code, done.err) == (0, b"")
    found: Dict[str, Any] = json.loads(done.out)
    return found


def test_modules_and_reasons(packed: Path) -> None:
    found = inspect(packed)
    modules = {m["name"]: m["bytecode"] for m in found["modules"]}
    left = {m["name"]: m for m in found["left"]}
    assert modules["fine"] > 0
    assert "markupsafe._speedups" in modules
    assert not set(modules) & set(left)
    assert left["odd"] == {"name": "odd", "chain": ["odd"],
                           "reason": "calls os.urandom()"}  # fmt: skip
    assert left["between"]["chain"] == ["between", "odd"]
    assert left["far"]["chain"] == ["far", "between", "odd"]
    assert left["user"]["chain"][0] == "user"
    for module in left.values():
        assert module["chain"][0] == module["name"]
        assert module["reason"] == left[module["chain"][-1]]["reason"]


def test_needs(packed: Path) -> None:
    found = inspect(packed)
    assert {"name": "FINE_MODE", "value": None} in found["variables"]
    (library,) = found["libraries"]
    assert "/markupsafe/_speedups." in library["path"]
    assert 0x2000000000 <= library["address"] < 0x3000000000
    assert library["size"] > 0


def test_sizes(packed: Path) -> None:
    found = inspect(packed)
    parts = sum(found[n] for n in ("heap", "static_data", "library_data", "tables"))
    assert parts == found["size"] < packed.stat().st_size
    assert found["heap"] > 1_000_000
    assert 0.004 < found["predicted_gain"] < 0.1
    # A module that fails because of what is left out is no failure of all.
    assert found["notes"] == (["runs at each start: late"] if LATE else [])


def test_text(packed: Path) -> None:
    done = run([PEXCZ, "inspect", "--snapshot", packed])
    text = done.out.decode()
    assert "  between: imports odd, calls os.urandom()\n" in text
    assert "  $FINE_MODE is not set\n" in text
    assert "  fine\n" in text and "_speedups" in text


def test_no_snapshot(make_pex: Callable[..., Path], tmp_path: Path) -> None:
    pex = make_pex("-e", "user:main", sources={"user.py": "def main(): pass\n"})
    exe = tmp_path / "app"
    assert run([PACK, "--snapshot", "off", pex, "-o", exe]).code == 0
    done = run([PEXCZ, "inspect", "--snapshot", exe])
    assert done.code == 1 and done.err.endswith(b"app: no snapshot\n")


def test_damaged_report(packed: Path, tmp_path: Path) -> None:
    """It is covered by `verify`, and a start does not look at it."""
    data = bytearray(packed.read_bytes())
    at = data.index(b"left\tbetween\t")
    data[at + 5] ^= 1
    damaged = tmp_path / "damaged"
    damaged.write_bytes(data)
    damaged.chmod(0o755)
    for verb in ["inspect", "--snapshot"], ["verify"]:
        done = run([PEXCZ, *verb, damaged])
        assert done.code == 1 and b"the snapshot is damaged" in done.err
    assert run([damaged], env={"PEXCZ_SNAPSHOT": "explain"}).err == b""


def test_what_most_programs_import(
    make_pex: Callable[..., Path], tmp_path: Path
) -> None:
    """All of it is in the snapshot, of each version of the library."""
    names = (
        "argparse asyncio base64 concurrent.futures contextlib csv ctypes dataclasses datetime "
        "decimal difflib email.message enum fractions functools getpass glob gzip hashlib "
        "http.client http.server importlib.metadata importlib.resources inspect ipaddress "
        "json logging.config multiprocessing pathlib pickle pkgutil platform queue random "
        "select selectors shelve shlex shutil signal smtplib socket sqlite3 ssl statistics "
        "subprocess tarfile tempfile textwrap threading tomllib traceback typing unittest.mock "
        "urllib.request uuid venv warnings xml.etree.ElementTree xmlrpc.client zipfile"
    ).split()
    source = "".join(f"import {name}\n" for name in names) + "def main(): pass\n"
    pex = make_pex("-e", "most:main", sources={"most.py": source})
    done = run([PACK, pex, "-o", tmp_path / "app"])
    assert done.code == 0, done.err.decode()
    found = inspect(tmp_path / "app")
    assert {m["name"]: m["reason"] for m in found["left"]} == {}
    assert set(names) <= {m["name"] for m in found["modules"]}


LAZY = {
    "lazy.py": """
def main(argv=None):
    "What it imports first of all is imported when the program is packed."
    try:
        import first.part as part
        from second import start
        start()
        import late
    except ImportError:
        import missing

def others():
    print("before")
    import late

def fails():
    try:
        import first.none
    except ImportError:
        import second
""",
    "first/__init__.py": "",
    "first/part.py": "import markupsafe",
    "second.py": "from first import part\ndef start():\n    import third\n    print('on')\n    import late\n",
    "third.py": "",
    "late.py": "",
}


@pytest.mark.parametrize(
    "function, modules",
    [("main", {"first", "first.part", "markupsafe", "second", "third"}),
     ("others", set()), ("fails", {"first"})],
)  # fmt: skip
def test_imports_at_the_head_of_the_entry_point(
    function: str, modules: set, make_pex: Callable[..., Path], tmp_path: Path
) -> None:
    pex = make_pex("markupsafe", "-e", f"lazy:{function}", sources=LAZY)
    done = run([PACK, pex, "-o", tmp_path / "app"])
    assert done.code == 0, done.err.decode()
    found = {m["name"] for m in inspect(tmp_path / "app")["modules"]}
    candidates = {"first", "first.part", "markupsafe", "second", "third", "late"}
    assert found & candidates == modules
    assert run([tmp_path / "app"]).code == 0
