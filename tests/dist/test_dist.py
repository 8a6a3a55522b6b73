# SPDX-License-Identifier: Apache-2.0
"""The archive that `make dist` writes, against the documentation of
python-build-standalone's full archives (distributions, PYTHON.json format 8),
and a base that is built from it alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any, Dict, List

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ["PEXCZ_BUILD"])
VERSION = "%d.%d" % sys.version_info[:2]

FIELDS = {
    "version": str, "target_triple": str, "optimizations": str,
    "python_tag": str, "python_abi_tag": str, "python_config_vars": dict,
    "python_platform_tag": str, "python_implementation_name": str,
    "python_implementation_cache_tag": str, "python_version": str,
    "python_implementation_version": list,
    "python_implementation_hex_version": int,
    "python_major_minor_version": str, "python_paths": dict,
    "python_paths_abstract": dict, "python_exe": str,
    "python_stdlib_platform_config": str,
    "python_stdlib_test_packages": list, "python_suffixes": dict,
    "python_bytecode_magic_number": str, "python_symbol_visibility": str,
    "python_extension_module_loading": list, "libpython_link_mode": str,
    "crt_features": list, "build_info": dict, "licenses": list,
    "license_path": str, "license_paths": list,
}  # fmt: skip


@pytest.fixture(scope="module")
def archive() -> Path:
    found = sorted((BUILD / "archives").glob(f"cpython-{VERSION}.*-full.tar.zst"))
    assert len(found) == 1, found
    return found[0]


@pytest.fixture(scope="module")
def names(archive: Path) -> List[str]:
    with subprocess.Popen(["zstd", "-dcq", archive], stdout=subprocess.PIPE) as zstd:
        with tarfile.open(fileobj=zstd.stdout, mode="r|") as tar:
            members = list(tar)
    for member in members:
        assert (member.uid, member.gid, member.mtime) == (0, 0, 0)
        assert member.mode in (0o644, 0o755) or member.issym()
    return [member.name for member in members]


@pytest.fixture(scope="module")
def info() -> Dict[str, Any]:
    text = (BUILD / "dist" / VERSION / "python/PYTHON.json").read_text()
    return json.loads(text)


def test_fields(info: Dict[str, Any]) -> None:
    assert info["version"] == "8"
    wrong = [n for n, kind in FIELDS.items()
             if not isinstance(info.get(n), kind) or not info[n]]  # fmt: skip
    assert not wrong


def test_all_that_is_named_is_there(info: Dict[str, Any], names: List[str]) -> None:
    there = set(names)
    build = info["build_info"]
    paths = [*build["core"]["objs"], info["python_exe"], info["license_path"],
             info["python_stdlib_platform_config"], *info["license_paths"],
             build["inittab_object"], build["inittab_source"]]  # fmt: skip
    paths += [p for n, p in info["python_paths"].items() if "site-packages" not in p]
    for variants in build["extensions"].values():
        assert variants and variants[0]["variant"]
        for variant in variants:
            assert isinstance(variant["init_fn"], str)
            paths += variant["objs"] + variant.get("license_paths", [])
            for link in variant["links"]:
                paths += [link["path_static"]] if "path_static" in link else []
    assert [p for p in paths if f"python/{p}" not in there] == []
    assert len(there) == len(names)
    assert set(info["python_paths"]) <= set(info["python_paths_abstract"])


def test_same_bytes_again(archive: Path, tmp_path: Path) -> None:
    script = REPOSITORY / "stdlib-blob/archive/write.py"
    subprocess.run([sys.executable, script, BUILD / "dist" / VERSION, tmp_path],
                   check=True, stdout=subprocess.DEVNULL)  # fmt: skip
    assert (tmp_path / archive.name).read_bytes() == archive.read_bytes()


def test_base_from_the_archive_alone(archive: Path, tmp_path: Path) -> None:
    build = tmp_path / "build"
    subprocess.run(
        ["make", "-s", f"BUILD={build}", f"PYTHON_DIST={archive}",
         f"{build}/lib/pexcz/base-{VERSION}"],
        cwd=REPOSITORY, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    base = build / f"lib/pexcz/base-{VERSION}"
    assert base.read_bytes() == (BUILD / f"lib/pexcz/base-{VERSION}").read_bytes()
    done = subprocess.run([base, "-c", "import ssl; print(6 * 7)"], check=True,
                          capture_output=True, text=True)  # fmt: skip
    assert done.stdout == "42\n"


def test_archives_that_do_not_fit(archive: Path, tmp_path: Path) -> None:
    script = REPOSITORY / "stdlib-blob/archive/read.py"
    other = "3.9" if VERSION != "3.9" else "3.8"
    done = subprocess.run([sys.executable, script, archive, tmp_path, other],
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 1
    assert f"a distribution of Python {VERSION}, not {other}" in done.stderr


def test_many_makes_at_a_time(tmp_path: Path) -> None:
    """As the parts of `make check` that run together; once it is there, they leave it alone."""
    finished = os.readlink(BUILD / "dist" / VERSION)
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / finished).symlink_to(BUILD / "dist" / finished)
    link = tmp_path / "dist" / VERSION
    command = [sys.executable, REPOSITORY / "stdlib-blob/build_dist.py", tmp_path, VERSION, "--quick"]
    times = set()
    for _ in range(2):
        makes = [subprocess.Popen(command) for _ in range(8)]
        assert [make.wait() for make in makes] == [0] * len(makes)
        assert os.readlink(link) == finished
        times.add(link.lstat().st_mtime_ns)
    assert len(times) == 1
