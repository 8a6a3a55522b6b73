# SPDX-License-Identifier: Apache-2.0
"""pexcz pack --sbom and --licenses."""

from __future__ import annotations

import json
from pathlib import Path

from conftest import PACK
from sides import VERSION, run



def pack(pex: Path, folder: Path, *options: object):
    return run([PACK, "-q", "--snapshot", "off", pex, "-o", folder / "app", *options])


def test_bill_of_materials(make_pex, tmp_path: Path) -> None:
    pex = make_pex("requests", "click", "-e", "requests.help:main")
    out = tmp_path / "sbom.json"
    done = pack(pex, tmp_path, "--sbom", out)
    assert done.code == 0, done.err
    first = out.read_bytes()
    sbom = json.loads(first)
    assert (sbom["bomFormat"], sbom["specVersion"]) == ("CycloneDX", "1.5")
    assert sbom["metadata"]["component"]["name"] == "app"
    components = {c["name"]: c for c in sbom["components"]}
    assert {"openssl", "sqlite3", "zlib", "libzstd", "expat"} <= set(components)
    assert components["openssl"]["purl"].startswith("pkg:deb/debian/libssl-dev@3")
    assert {"cpython", "requests", "urllib3", "idna", "certifi", "click"} <= set(components)
    requests = components["requests"]
    assert requests["purl"] == f"pkg:pypi/requests@{requests['version']}"
    assert "Apache" in json.dumps(requests["licenses"])
    assert all(c["licenses"] for c in sbom["components"])
    assert len({c["bom-ref"] for c in sbom["components"]}) == len(components)
    pack(pex, tmp_path, "--sbom", out)
    assert out.read_bytes() == first


def test_licences(make_pex, tmp_path: Path) -> None:
    pex = make_pex("requests", "click", "-e", "requests.help:main")
    out = tmp_path / "licences.txt"
    assert pack(pex, tmp_path, "--licenses", out).code == 0
    text = out.read_text()
    assert "PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2" in text
    assert "\nopenssl 3." in text
    assert "Apache License" in text and "\nrequests " in text
    assert "Redistribution and use in source and binary forms" in text


def test_every_executable_carries_the_licences_of_the_base(make_app) -> None:
    app = make_app("-c", "cowsay", "cowsay")
    code = "import sys; print(open(sys.prefix + '/share/pexcz/licenses.txt').read())"
    text = run([app.exe, "-c", code], env={"PEX_INTERPRETER": "1"}).text
    assert "\nopenssl 3." in text and "\nutil-linux " in text
    assert ("\nlibxcrypt " in text) == (VERSION == "3.11")  # it was crypt's


def test_where_it_cannot_be_written(make_pex, tmp_path: Path) -> None:
    """Nothing is left, not even the executable."""
    pex = make_pex("-c", "cowsay", "cowsay")
    done = pack(pex, tmp_path, "--sbom", tmp_path / "nowhere/sbom.json")
    assert done.code == 1
    assert "nowhere/sbom.json" in done.err.decode()
    assert list(tmp_path.iterdir()) == []
