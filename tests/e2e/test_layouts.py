# SPDX-License-Identifier: Apache-2.0
"""Every shape that Pex gives a PEX: zipapp, packed and loose layout, installed
wheels and wheel files, zipapp and venv mode.  The executables behave alike,
and where the contents are alike they are the same byte by byte.

The whole product takes minutes; without PEXCZ_TEST_ALL_LAYOUTS=1 (`make
layouts`) only cowsay has it, the others each shape at least once.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import sys
import zipfile
from pathlib import Path
from typing import Callable, Dict, List, Tuple

import pytest
from conftest import PACK, PEX_ROOT, App, Sides
from sides import Result, run

sys.path.append(str(Path(__file__).parents[1]))
from build_wheel import build_wheel  # noqa: E402

LAYOUTS = ["zipapp", "packed", "loose"]
FORMS = {"installed": [], "wheels": ["--no-pre-install-wheels"]}
MODES = {"zipapp": [], "venv": ["--venv"]}
Shape = Tuple[str, str, str]

EVERY_SHAPE: List[Shape] = list(itertools.product(LAYOUTS, FORMS, MODES))
SOME_SHAPES: List[Shape] = [
    ("zipapp", "installed", "zipapp"),
    ("packed", "installed", "zipapp"),
    ("loose", "wheels", "zipapp"),
    ("packed", "wheels", "zipapp"),
    ("loose", "installed", "venv"),
    ("zipapp", "installed", "venv"),
]

APPS: Dict[str, Tuple[List[str], List[str]]] = {
    "cowsay": (["cowsay==6.1", "-c", "cowsay"], ["-t", "hello"]),
    "black": (["black==26.10.1", "-c", "black"], ["-q", "-c", "x = 'a'"]),
    "django": (["django==5.2.19", "-c", "django-admin"], ["startproject", "--help"]),
    "numpy": (
        ["numpy==2.4.6"],
        ["-c", "import numpy; print(numpy.arange(9).reshape(3, 3) @ numpy.ones(3))"],
    ),
}


def shapes(name: str) -> List[Shape]:
    if name == "cowsay" or os.environ.get("PEXCZ_TEST_ALL_LAYOUTS"):
        return EVERY_SHAPE
    return SOME_SHAPES


@pytest.mark.parametrize("name", sorted(APPS))
def test_every_shape_is_the_same_application(
    make_pex: Callable[..., Path], tmp_path: Path, name: str
) -> None:
    arguments, command = APPS[name]
    executables: Dict[Tuple[str, str], Dict[str, bytes]] = {}
    outputs = set()
    for layout, form, mode in shapes(name):
        pex = make_pex(
            *arguments, "--layout", layout, *FORMS[form], *MODES[mode]
        )
        assert pex.is_dir() == (layout != "zipapp")
        exe = tmp_path / "app"
        done = run([PACK, "-q", "--snapshot", "off", pex, "-o", exe])
        assert (done.code, done.err) == (0, b"")
        contents = executables.setdefault((form, mode), {})
        data = exe.read_bytes()
        contents[layout] = data
        done = run([exe, *command])
        outputs.add((done.code, done.out, done.err))
    for contents in executables.values():
        assert len(set(contents.values())) == 1, "layouts differ"
    (output,) = outputs
    assert output[0] == 0 and output[1], output


@pytest.mark.parametrize("layout", ["packed", "loose"])
def test_folder_behaves_as_the_reference(
    make_app: Callable[..., App], same: Callable[..., Result], layout: str
) -> None:
    sources = {
        "pkg/__init__.py": "",
        "pkg/__main__.py": "import pkgutil, sys, cowsay\n"
        "print(sys.argv[1:], pkgutil.get_data('pkg', 'data/t.txt'))\n"
        "cowsay.cow('moo')\n",
        "pkg/data/t.txt": "text\n",
    }
    app = make_app("cowsay==6.1", "-e", "pkg", "--layout", layout, sources=sources)
    assert app.pex.is_dir()
    same(app, "a", "b")


def test_sh_boot_and_trailing_bytes(
    make_pex: Callable[..., Path], tmp_path: Path
) -> None:
    """An sh script in front, the JSON of a scie behind, an ELF before it."""
    pex = make_pex("cowsay==6.1", "-c", "cowsay", "--sh-boot")
    assert pex.read_bytes().startswith(b"#!/bin/sh\n")
    plain = make_pex("cowsay==6.1", "-c", "cowsay")
    scie = tmp_path / "scie.pex"
    scie.write_bytes(
        b"\x7fELF" + bytes(5000) + plain.read_bytes() + b'\n{"scie": {"lift": {}}}\n'
    )
    for path in (pex, scie):
        exe = tmp_path / "app"
        assert run([PACK, "-q", path, "-o", exe]).code == 0
        assert b"| moo |" in run([exe, "-t", "moo"]).out


def rewrite(pex: Path, out: Path, change: Callable[[Dict], None]) -> Path:
    """The same PEX with another PEX-INFO."""
    with zipfile.ZipFile(pex) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            data = old.read(info)
            if info.filename == "PEX-INFO":
                fields = json.loads(data)
                change(fields)
                data = json.dumps(fields).encode()
            new.writestr(info, data)
    return out


def test_pex_info_without_optional_fields(
    make_pex: Callable[..., Path], tmp_path: Path
) -> None:
    """As releases of ten years ago wrote it: requirements as lists of three,
    few fields, unknown ones."""
    pex = make_pex("cowsay==6.1", "-c", "cowsay")

    def change(fields: Dict) -> None:
        kept = {k: fields[k] for k in ("pex_hash", "code_hash", "distributions")}
        kept["entry_point"] = "cowsay.__main__:cli"
        kept["requirements"] = [["cowsay==6.1", False, None]]
        kept["build_properties"] = {"platform": "linux-x86_64"}
        kept["zip_safe"] = kept["always_write_cache"] = True
        kept["inherit_path"] = False
        fields.clear()
        fields.update(kept)

    old = rewrite(pex, tmp_path / "old.pex", change)
    exe = tmp_path / "app"
    done = run([PACK, "-q", old, "-o", exe])
    assert (done.code, done.err) == (0, b"")
    assert b"| old |" in run([exe, "-t", "old"]).out


def test_compiled_pex(make_app: Callable[..., App], same: Callable[..., Result]) -> None:
    app = make_app(
        *("--compile", "-e", "prog:main"),
        sources={"prog.py": "def main():\n    print(main.__code__.co_filename[-7:])\n"},
    )
    same(app)


def test_zip64(make_pex: Callable[..., Path], tmp_path: Path) -> None:
    """More members than a zip without Zip64 can have."""
    pex = make_pex("cowsay==6.1", "-c", "cowsay")
    big = tmp_path / "big.pex"
    shutil.copy(pex, big)
    with zipfile.ZipFile(big, "a") as z:
        for i in range(65_600):
            z.writestr(zipfile.ZipInfo(f".bootstrap/many/{i}"), b"")
    exe = tmp_path / "app"
    done = run([PACK, "-q", "--snapshot", "off", big, "-o", exe])
    assert (done.code, done.err) == (0, b"")
    assert b"| big |" in run([exe, "-t", "big"]).out


# --- several PEXes -----------------------------------------------------------

MAIN = {
    "prog.py": "import importlib.metadata as m, sys\n"
    "for name in ('cowsay', 'click'):\n"
    "    try:\n        print(name, m.version(name))\n"
    "    except m.PackageNotFoundError:\n        print(name, 'none')\n"
    "try:\n    import more\n    print(more.NAME)\n"
    "except ImportError as e:\n    print(e)\n"
}


@pytest.fixture
def pair(make_pex: Callable[..., Path]) -> Tuple[Path, Path]:
    return (
        make_pex("cowsay==6.1", "-e", "prog", sources=MAIN),
        make_pex(
            *("click==8.5.1", "cowsay==6.1", "--layout", "packed"),
            sources={"more.py": "NAME = 'more'\n"},
        ),
    )


def test_several_pexes_are_merged(
    pair: Tuple[Path, Path], sides: Sides, tmp_path: Path
) -> None:
    """As PEX_PATH merges them at start."""
    main, other = pair
    exe = tmp_path / "app"
    done = run([PACK, main, other, "-o", exe])
    assert done.code == 0
    sides.install(App(main, exe, done.err))
    want = sides.reference.run(env={"PEX_PATH": str(other)})
    got = sides.packed.run()
    sides.check(want, got)
    assert got.text == "cowsay 6.1\nclick 8.5.1\nmore\n"


def test_pex_path_of_pex_info(
    make_pex: Callable[..., Path], pair: Tuple[Path, Path], tmp_path: Path
) -> None:
    main = make_pex(
        *("cowsay==6.1", "-e", "prog", "--pex-path", str(pair[1])), sources=MAIN
    )
    exe = tmp_path / "app"
    assert run([PACK, "-q", main, "-o", exe]).code == 0
    assert run([exe]).text == "cowsay 6.1\nclick 8.5.1\nmore\n"

    gone = rewrite(
        main, tmp_path / "gone.pex", lambda f: f.update(pex_paths=["/nowhere.pex"])
    )
    done = run([PACK, "-q", gone, "-o", tmp_path / "no"])
    assert done.code == 1
    assert done.err.count(b"\n") == 1
    assert f"{gone}: PEX-INFO: pex_path: /nowhere.pex: " in done.err.decode()


def test_one_version_of_a_project(
    make_pex: Callable[..., Path], tmp_path: Path
) -> None:
    """The PEX that comes first has its way."""
    main = make_pex("cowsay==6.1", "-e", "prog", sources=MAIN)
    wheel = build_wheel(tmp_path, "cowsay", "5.0", "py3-none-any", {"cow.py": b""})
    other = tmp_path / "other.pex"
    made = run(
        [sys.executable, "-m", "pex", wheel, "--no-index", "-o", other],
        env={**os.environ, "PEX_ROOT": str(PEX_ROOT)},
    )
    assert made.code == 0, made.err
    exe = tmp_path / "app"
    done = run([PACK, main, other, "-o", exe])
    assert done.code == 0
    assert (
        f"warning: {other}: cowsay-5.0-py3-none-any.whl is left out, "
        "there is cowsay-6.1-py3-none-any.whl already\n"
    ) in done.err.decode()
    assert run([exe]).text.startswith("cowsay 6.1\n")


@pytest.mark.parametrize(
    "spoil, message",
    [
        (lambda d: (d / "PEX-INFO").unlink(), "not a PEX: it has no PEX-INFO"),
        (lambda d: os.mkfifo(d / "pipe"), "neither a file nor a folder"),
        (lambda d: (d / "round").symlink_to(d), "Too many levels of symbolic links"),
        (lambda d: (d / "gone").symlink_to("nowhere"), "No such file or directory"),
        (lambda d: (d / "new\nline").touch(), "the name holds a control character"),
    ],
)
def test_bad_folder(
    make_pex: Callable[..., Path],
    tmp_path: Path,
    spoil: Callable[[Path], None],
    message: str,
) -> None:
    pex = make_pex("cowsay==6.1", "-c", "cowsay", "--layout", "loose")
    bad = tmp_path / "bad.pex"
    shutil.copytree(pex, bad, symlinks=True)
    spoil(bad)
    done = run([PACK, bad, "-o", tmp_path / "app"])
    assert done.code == 1 and done.err.count(b"\n") == 1
    assert message.encode() in done.err
    assert not (tmp_path / "app").exists()
