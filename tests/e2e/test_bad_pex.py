# SPDX-License-Identifier: Apache-2.0
"""PEXes that are good zips, but damaged, incomplete or hostile as PEXes."""

from __future__ import annotations

import json
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Callable, Dict, Tuple, Union

import pytest
from conftest import PACK
from refusals import refused
from sides import VERSION, run

sys.path.insert(0, str(Path(__file__).parent.parent))
from build_wheel import build_wheel  # noqa: E402

Content = Union[str, bytes]
TAG = "cp" + VERSION.replace(".", "")


def write_pex(path: Path, info: Union[Content, Dict], **files: Content) -> None:
    """A PEX of these files; in their names "__" stands for a slash, and the
    last "_" for a dot."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("PEX-INFO", json.dumps(info) if isinstance(info, dict) else info)
        for name, data in files.items():
            z.writestr(".".join(name.replace("__", "/").rsplit("_", 1)), data)


def pex_of_wheels(path: Path, requirement: str, *wheels: Path) -> None:
    with zipfile.ZipFile(path, "w") as z:
        z.writestr("PEX-INFO", json.dumps({
            "distributions": {w.name: "0" * 64 for w in wheels},
            "requirements": [requirement],
            "entry_point": "app",
            "deps_are_wheel_files": True,
        }))
        z.writestr("app.py", "import tool; print(tool.NAME)\n")
        for wheel in wheels:
            z.write(wheel, ".deps/" + wheel.name)


def test_no_pex_info(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.pex", "w") as z:
        z.writestr("__main__.py", "print(1)")
    refused(tmp_path, "a.pex", words=("a.pex: not a PEX: it has no PEX-INFO",))


DOCUMENTS = {
    "empty": (b"", "not valid JSON"),
    "text": (b"no json", "not valid JSON"),
    "cut": (b'{"entry_point": "a', "not valid JSON"),
    "array": (b"[]", "object"),
    "not UTF-8": (b'{"entry_point": "\xff"}', "unable to decode byte 0xff"),
    "NUL": (b'{"entry_point": "a\\u0000b"}', "not valid JSON"),
    "twice": (b'{"a": 1, "a": 2}', "duplicate object key"),
    "deep": (b'{"a": ' + b"[" * 100_000, "maximum parsing depth"),
    "rest": (b"{} {}", "not valid JSON"),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document(tmp_path: Path, name: str) -> None:
    text, cause = DOCUMENTS[name]
    write_pex(tmp_path / "a.pex", text)
    refused(tmp_path, "a.pex", words=("a.pex: PEX-INFO: ", cause))


FIELDS = {
    "entry_point number": ({"entry_point": 1}, 'field "entry_point" must be a string'),
    "entry_point code": ({"entry_point": "os; x"}, "is not an entry point"),
    "entry_point spaces": ({"entry_point": "a b:c"}, "is not an entry point"),
    "entry_point empty function": ({"entry_point": "a:"}, "is not an entry point"),
    "requirements": ({"requirements": 3}, '"requirements" must be'),
    "requirement": ({"requirements": ["a b c"]}, "invalid requirement 'a b c'"),
    "requirement type": ({"requirements": [1]}, '"requirements"'),
    "marker": ({"requirements": ["a; nonsense == 1"]}, "requirements"),
    "distributions": ({"distributions": []}, '"distributions" must be'),
    "distribution": ({"distributions": {"a.whl": 1}}, "distributions"),
    "inject_env": ({"inject_env": [1]}, "inject_env"),
    "venv": ({"venv": "yes"}, '"venv" must be'),
    "constraint": ({"interpreter_constraints": ["x>"]}, "interpreter_constraints"),
}


@pytest.mark.parametrize("name", FIELDS)
def test_field(tmp_path: Path, name: str) -> None:
    info, cause = FIELDS[name]
    write_pex(tmp_path / "a.pex", info, app_py="")
    refused(tmp_path, "a.pex", words=("a.pex: PEX-INFO: ", cause))


DISTRIBUTIONS = {
    "absent": ("a-1-py3-none-any.whl", "the PEX does not have it"),
    "up": ("../a-1-py3-none-any.whl", "is not the name of a distribution"),
    "absolute": ("/a-1-py3-none-any.whl", "is not the name of a distribution"),
    "empty": ("", "is not the name of a distribution"),
    "escape": ("\x1b]0;owned\x07.whl", "\\x1b]0;owned\\x07.whl"),
    "newline": ("a\nb.whl", "a\\x0ab.whl"),
    "source": ("a-1.0.tar.gz", "a source distribution cannot be packed"),
}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_distribution_name(tmp_path: Path, name: str) -> None:
    listed, cause = DISTRIBUTIONS[name]
    write_pex(tmp_path / "a.pex", {"distributions": {listed: "0" * 64}})
    refused(tmp_path, "a.pex", words=("a.pex: ", cause))


def test_distribution_is_no_wheel(tmp_path: Path) -> None:
    wheel = tmp_path / "tool-1-py3-none-any.whl"
    wheel.write_text("not a zip")
    pex_of_wheels(tmp_path / "a.pex", "tool", wheel)
    refused(tmp_path, "a.pex", words=(f"a.pex: .deps/{wheel.name}: not a zip file",))
    with zipfile.ZipFile(wheel, "w") as z:
        z.writestr("tool.py", "")
    pex_of_wheels(tmp_path / "a.pex", "tool", wheel)
    refused(tmp_path, "a.pex", words=(f"a.pex: .deps/{wheel.name}", "dist-info"))


@pytest.mark.parametrize("file", ["METADATA", "WHEEL"])
def test_wheel_without(tmp_path: Path, file: str) -> None:
    wheel = build_wheel(tmp_path, "tool", "1", "py3-none-any", {"tool.py": b""})
    with zipfile.ZipFile(wheel) as z:
        files = {n: z.read(n) for n in z.namelist() if not n.endswith("/" + file)}
    with zipfile.ZipFile(wheel, "w") as z:
        for name, data in files.items():
            z.writestr(name, data)
    pex_of_wheels(tmp_path / "a.pex", "tool", wheel)
    refused(tmp_path, "a.pex", words=(f"a.pex: .deps/{wheel.name}", file))


def test_no_wheel_for_this_python(tmp_path: Path) -> None:
    """What there is, and what was needed; more than a line, for once."""
    wheels = [
        build_wheel(tmp_path, "tool", "1.0", tag, {"tool.py": b""})
        for tag in ("cp27-cp27m-win32", "cp312-cp312-manylinux_2_28_aarch64")
    ]
    pex_of_wheels(tmp_path / "a.pex", "tool>=1", *wheels)
    got = run([PACK, "a.pex", "-o", "out"], cwd=tmp_path)
    text = got.err.decode()
    assert got.code == 1
    assert text.startswith("pexcz-pack: a.pex: no distribution in it satisfies 'tool>=1'")
    for word in (f"CPython {VERSION}", "x86_64", "glibc", f"needed: a tag like {TAG}-{TAG}-",
                 *(w.name for w in wheels), "tagged cp27-cp27m-win32"):
        assert word in text, text
    assert not (tmp_path / "out").exists()


def test_nothing_of_that_name(tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path, "tool", "1.0", "py3-none-any", {"tool.py": b""})
    pex_of_wheels(tmp_path / "a.pex", "other", wheel)
    got = run([PACK, "a.pex"], cwd=tmp_path)
    assert got.code == 1
    assert b"the PEX has no distribution of that name" in got.err


def test_real_bomb(tmp_path: Path) -> None:
    """100 MB of zeros in 100 kB: refused by what the zip says of itself."""
    write_pex(tmp_path / "a.pex", {}, data_bin=bytes(100_000_000))
    refused(tmp_path, "a.pex", words=("a.pex: data.bin: compression ratio", "500"))


def test_bomb_that_lies(tmp_path: Path) -> None:
    """The sizes say 1000 bytes; no more is ever unpacked."""
    data = bytes(50_000_000)
    pex = tmp_path / "a.pex"
    write_pex(pex, {}, data_bin=data)
    raw = pex.read_bytes().replace(len(data).to_bytes(4, "little"),
                                   (1000).to_bytes(4, "little"))
    raw = raw.replace(zlib.crc32(data).to_bytes(4, "little"),
                      zlib.crc32(data[:1000]).to_bytes(4, "little"))
    pex.write_bytes(raw)
    refused(tmp_path, "a.pex", words=("a.pex: data.bin: ",))


SOURCES: Dict[str, Tuple[bytes, str]] = {
    "python 2": (b"print 'old'\n", "Missing parentheses in call to 'print'"),
    "NUL": (b"x = 1\0\n", "null bytes"),
    "encoding": (b"# coding: nonsense\n", "unknown encoding: nonsense"),
    "not UTF-8": (b"x = '\xff'\n", "utf-8"),
    "nested": (b"(" * 5000 + b")" * 5000, "too many nested parentheses"),
    "escape": (b"\x1b[31m = 1\n", "invalid non-printable character U+001B"),
}


@pytest.mark.parametrize("name", SOURCES)
def test_source_that_does_not_compile(tmp_path: Path, python: str, name: str) -> None:
    """Packed as it is, with a warning: only its import fails, as in Python."""
    source, cause = SOURCES[name]
    (tmp_path / "old.py").write_bytes(source)
    write_pex(tmp_path / "a.pex", {"entry_point": "app"}, old_py=source,
              app_py="print('up')\nimport old\n")
    got = run([PACK, "a.pex"], cwd=tmp_path)
    text = got.err.decode()
    assert got.code == 0, text
    warning = [line for line in text.splitlines() if "warning" in line]
    assert len(warning) == 1 and "old.py" in warning[0] and cause in warning[0], text
    assert warning[0].endswith("packed as source")
    there = run([python, "-c", "print('up')\nimport old"], cwd=tmp_path)
    here = run([tmp_path / "a"])
    assert (here.code, here.out) == (there.code, there.out) == (1, b"up\n")
    assert here.err.splitlines()[-1] == there.err.splitlines()[-1]


def crash(depth: int) -> bytes:
    """Legal, and too deep for the compiler's own stack."""
    return b"x = " + b"-" * depth + b"1\n"


def test_source_that_exhausts_the_compiler(tmp_path: Path) -> None:
    write_pex(tmp_path / "a.pex", {"entry_point": "app"}, deep_py=crash(1_000_000),
              app_py="print('up')\n")
    got = run([PACK, "a.pex"], cwd=tmp_path)
    text = got.err.decode()
    assert got.code == 0, text
    assert "warning" in text and "deep.py" in text
    assert run([tmp_path / "a"]).out == b"up\n"
