# SPDX-License-Identifier: Apache-2.0
"""The packed file as a file: its sections, its size, and what the verbs of
pexcz say of it."""

import json
import re
import shutil

from conftest import PACK, run


def test_size_of_hello(make_app, tmp_path):
    app = make_app("-e", "hello", sources={"hello.py": "print('hello')\n"})
    plain = tmp_path / "plain"
    assert run([PACK, "--snapshot", "off", app.pex, "-o", plain]).code == 0
    assert plain.stat().st_size <= 22_000_000
    # The snapshot of an interpreter and a few modules comes on top.
    assert app.exe.stat().st_size <= 34_000_000


def test_elf(make_app, tmp_path):
    app = make_app("cowsay==6.1", "-c", "cowsay")
    sections = run(["readelf", "-SlW", str(app.exe)]).out.decode()
    assert ".pexcz.stdlib" in sections and ".pexcz.app" in sections
    stack = [line for line in sections.splitlines() if "GNU_STACK" in line]
    assert stack and "RWE" not in stack[0]
    # So that the kernel can map the page cache's large pieces as they are; an
    # executable for aarch64 has none.
    if ".pexcz.snapshot" in sections:
        snapshot = re.search(r"LOAD +(0x\w+) 0x0*1000000000 ", sections)
        assert snapshot and int(snapshot[1], 16) % 0x200000 == 0
    versions = run(["readelf", "-VW", str(app.exe)]).out.decode()
    newest = max(tuple(map(int, v.split("."))) for v in
                 re.findall(r"GLIBC_(\d+\.\d+)", versions))
    assert newest <= (2, 17)
    # Each further library costs every start 35 us.
    needed = re.findall(r"NEEDED.*\[(.*)\]", run(["readelf", "-dW", str(app.exe)]).text)
    assert [n for n in needed if not n.startswith("ld-linux")] == ["libc.so.6", "libm.so.6"]
    for command in (["strip"], ["objcopy", "--strip-debug"]):
        copied = tmp_path / "copy"
        shutil.copy(app.exe, copied)
        assert run([*command, str(copied)]).code == 0
        assert b"hi" in run([str(copied), "-t", "hi"]).out


def test_inspect_extract_verify(make_app, tmp_path):
    app = make_app("cowsay==6.1", "-c", "cowsay")
    pexcz = str(PACK.with_name("pexcz"))
    listed = run([pexcz, "inspect", "--json", str(app.exe)])
    assert listed.code == 0, listed.err
    entries = {e["path"]: e for e in json.loads(listed.out)["entries"]}
    out = tmp_path / "tree"
    assert run([pexcz, "extract", str(app.exe), str(out)]).code == 0
    written = {str(p.relative_to(out)): p for p in out.rglob("*")}
    assert set(written) == set(entries)
    for name, path in written.items():
        if path.is_file():
            assert path.stat().st_size == entries[name]["size"]
            assert int(path.stat().st_mtime) == entries[name]["mtime"]
    assert run([pexcz, "extract", str(app.exe), str(out)]).code == 1
    assert run([pexcz, "verify", str(app.exe)]).code == 0
    assert run([pexcz, "verify", __file__]).code == 1
