# SPDX-License-Identifier: Apache-2.0
"""Packed modules against the same modules on disk.

Each probe runs in both Pythons; what they record must be equal, key by key.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Dict, List

import pytest
from conftest import PREFIX, Both, differences

SITE = f"{PREFIX}/lib/python3.11/site-packages"

# The least number of records: a probe that observes nothing proves nothing.
PROBES = {
    "specs.py": 2000,
    "modules.py": 60,
    "loaders.py": 200,
    "packages.py": 80,
    "source.py": 150,
    "errors.py": 100,
    "dynamic.py": 50,
    "interpreters.py": 4,
    "introspection.py": 50,
    "namespaces.py": 80,
    "processes.py": 12,
    "running.py": 40,
}


def test_the_tree_is_that_of_the_wheels(both: Both) -> None:
    site = Path(both.disk.root, "lib/python3.11/site-packages")
    for name, data in both.files.items():
        if not name.endswith("/RECORD"):
            assert (site / name).read_bytes() == data, name
    assert len(both.files) > 60


@pytest.mark.parametrize("probe", sorted(PROBES))
def test_probe(both: Both, probe: str, tmp_path: Path) -> None:
    packed = both.packed.probe(probe, tmp_path / "scratch")
    disk = both.disk.probe(probe, tmp_path / "scratch")
    found = differences(packed, disk)
    assert not found, f"{len(found)} differ\n" + "\n".join(found[:30])
    assert len(disk) >= PROBES[probe]


@pytest.mark.parametrize("options", [["-O"], ["-OO"],
                                     ["-X", "frozen_modules=off"],
                                     ["-X", "pycache_prefix=/absent/cache"]])
@pytest.mark.parametrize("probe", ["optimized.py", "modules.py"])
def test_probe_with_options(both: Both, probe: str, options: List[str],
                            tmp_path: Path) -> None:
    packed = both.packed.probe(probe, tmp_path / "scratch", options)
    disk = both.disk.probe(probe, tmp_path / "scratch", options)
    assert not differences(packed, disk)


COMMANDS: Dict[str, List[str]] = {
    "package": ["-m", "demo", "a", "b"],
    "subpackage": ["-m", "demo.sub"],
    "module": ["-m", "demo.plain"],
    "absent module": ["-m", "demo.absent"],
    "absent package": ["-m", "absent.deeper"],
    "no __main__": ["-m", "demo.data"],
    "syntax error": ["-m", "demo.bad.syntax"],
    "broken parent": ["-m", "demo.bad.package.sub"],
    "failing import": ["-c", "import demo.bad.chain"],
    "missing name": ["-c", "from demo.plain import absent"],
    "circular": ["-c", "import demo.circular.c"],
    "exit code": ["-c", "import demo.bad.exits"],
    "script": [SITE + "/demo/plain.py"],
    "script that fails": [SITE + "/demo/bad/body.py"],
    "folder as script": [SITE + "/demo", "x"],
    "zip as script": [SITE + "/demo/inner.zip"],
    "optimized": ["-O", "-c", "import demo.opt; print(demo.opt.checked())"],
    "json tool": ["-m", "json.tool", "--help"],
    "site": ["-m", "site", "--user-base"],
}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_command(both: Both, name: str) -> None:
    sides = []
    for side in (both.packed, both.disk):
        sides.append(side.run(*(a.replace(PREFIX, side.root)
                                for a in COMMANDS[name])))
    assert sides[0] == sides[1]


def import_lines(text: str) -> List[str]:
    return [line for line in text.splitlines() if line.startswith("import ")]


def test_verbose_tells_the_same_imports(both: Both) -> None:
    code = "import demo.sub.leaf, space.two, demo._ext, demo.sourceless, json"
    packed = both.packed.run("-c", code, options=["-v"])
    disk = both.disk.run("-c", code, options=["-v"])
    ours = [line for line in import_lines(packed.err) if "_pexcz" not in line]
    assert ours == import_lines(disk.err)
    assert len(ours) > 30
    said = re.findall("^# code object from '(.*)'$", packed.err, re.M)
    assert f"{SITE}/demo/sub/leaf.py" in said
    assert f"{SITE}/demo/sourceless.pyc" in said


def test_importtime_names_the_same_modules(both: Both) -> None:
    code = "import demo.sub.leaf, space.two, json"
    names = []
    for side in (both.packed, both.disk):
        done = side.run("-c", code, options=["-X", "importtime"])
        names.append(re.findall(r"\| +([\w.]+)$", done.err, re.M))
    assert [n for n in names[0] if n != "_pexcz"] == names[1]
    assert "demo.sub.leaf" in names[1]
