# SPDX-License-Identifier: Apache-2.0
"""Wrong command lines, broken PEXes, damaged executables."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
import zipfile

import pytest
from conftest import PACK, run


def refused(arguments, code, *words, cwd=None):
    got = run([str(PACK), *map(str, arguments)], cwd=cwd)
    text = got.err.decode()
    assert got.code == code, text
    assert text.startswith("pexcz-pack: ")
    for word in words:
        assert word in text, text
    return text


@pytest.fixture
def pex(make_pex):
    return make_pex("cowsay==6.1", "-c", "cowsay")


def test_usage():
    assert "--help" in refused([], 2, "no PEX given")
    refused(["--bogus"], 2, "--bogus")
    refused(["a.pex", "-j", "x"], 2, "--jobs", "'x'")


def test_not_a_pex(tmp_path):
    (tmp_path / "text.pex").write_text("no zip")
    (tmp_path / "empty.pex").write_bytes(b"")
    with zipfile.ZipFile(tmp_path / "bare.pex", "w") as z:
        z.writestr("a.txt", "x")
    for name in ("absent.pex", "text.pex", "empty.pex", "bare.pex"):
        text = refused([name, "-o", "out"], 1, name, cwd=tmp_path)
        assert text.count("\n") == 1
    refused([".", "-o", "out"], 1, cwd=tmp_path)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("info", [None, "no json", "[]", '{"requirements": 3}'])
def test_pex_info(tmp_path, info):
    with zipfile.ZipFile(tmp_path / "a.pex", "w") as z:
        z.writestr("__main__.py", "")
        if info is not None:
            z.writestr("PEX-INFO", info)
    refused(["a.pex"], 1, "a.pex", "PEX-INFO", cwd=tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.pex"]


@pytest.mark.parametrize("name", ["../x.py", "/x.py", "a/../../x.py"])
def test_member_names(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "a.pex", "w") as z:
        z.writestr("PEX-INFO", "{}")
        z.writestr(name, "")
    refused(["a.pex"], 1, "a.pex", "x.py", cwd=tmp_path)


def test_truncated_and_flipped(tmp_path, pex):
    data = pex.read_bytes()
    (tmp_path / "cut.pex").write_bytes(data[: len(data) // 2])
    refused(["cut.pex"], 1, "cut.pex", cwd=tmp_path)
    with zipfile.ZipFile(pex) as z:
        member = next(i for i in z.infolist() if i.filename.endswith("cowsay/main.py"))
    flipped = bytearray(data)
    flipped[member.header_offset + 300] ^= 0xFF
    (tmp_path / "flip.pex").write_bytes(flipped)
    refused(["flip.pex"], 1, "flip.pex", cwd=tmp_path)


def test_no_wheel_for_this_python(tmp_path, pex):
    with zipfile.ZipFile(pex) as old, zipfile.ZipFile(tmp_path / "a.pex", "w") as new:
        for item in old.infolist():
            data = old.read(item)
            name = item.filename.replace("py3-none-any", "cp27-cp27m-win32")
            new.writestr(name, data.replace(b"py3-none-any", b"cp27-cp27m-win32")
                         if item.filename == "PEX-INFO" else data)
    refused(["a.pex"], 1, "cowsay", cwd=tmp_path)


def test_existing_output_survives(tmp_path, pex):
    out = tmp_path / "app"
    out.write_text("mine")
    (tmp_path / "bad.pex").write_text("x")
    refused(["bad.pex", "-o", "app"], 1, "bad.pex", cwd=tmp_path)
    assert out.read_text() == "mine"


def test_output_is_the_input_or_a_link(tmp_path, pex):
    shutil.copy(pex, tmp_path / "a.pex")
    refused(["a.pex", "-o", "a.pex"], 1, "a.pex", cwd=tmp_path)
    (tmp_path / "link").symlink_to("elsewhere")
    refused(["a.pex", "-o", "link"], 1, "link", cwd=tmp_path)
    refused(["a.pex", "-o", "absent/app"], 1, "absent", cwd=tmp_path)
    assert (tmp_path / "a.pex").read_bytes() == pex.read_bytes()


def test_killed_half_way(tmp_path, make_pex):
    pex = make_pex("black==24.10.0", "-c", "black")
    for delay in (0.05, 0.3):
        with subprocess.Popen([PACK, "-q", pex, "-o", tmp_path / "app"]) as process:
            time.sleep(delay)
            process.send_signal(signal.SIGTERM)
        assert process.returncode != 0 or (tmp_path / "app").exists()
        if process.returncode != 0:
            assert list(tmp_path.iterdir()) == []


def test_same_bytes(tmp_path, pex):
    outputs = []
    for i, (jobs, zone, umask) in enumerate([("1", "UTC", 0o22), ("8", "Asia/Tokyo", 0o77)]):
        folder = tmp_path / str(i)
        folder.mkdir()
        copied = folder / "cow.pex"
        shutil.copyfile(pex, copied)
        os.utime(copied, (i * 1000, i * 1000))
        done = run(["sh", "-c", f'umask {umask:o}; exec "$0" "$@"', str(PACK), "-q",
                    "-j", jobs, str(copied), "-o", "cow"], cwd=folder,
                   env={"TZ": zone, "LC_ALL": ("C", "C.UTF-8")[i], "PATH": os.environ["PATH"]})
        assert done.code == 0, done.err
        outputs.append((folder / "cow").read_bytes())
    assert outputs[0] == outputs[1]


def test_damaged_executable(tmp_path, make_app):
    app = make_app("cowsay==6.1", "-c", "cowsay")
    data = app.exe.read_bytes()
    bad = tmp_path / "bad"

    def says(content, *words):
        bad.write_bytes(content)
        bad.chmod(0o755)
        got = run([str(bad), "-t", "x"])
        assert got.code == 127, (got.code, got.err)
        assert got.err.startswith(b"pexcz: ") and got.err.count(b"\n") == 1
        for word in words:
            assert word in got.err, got.err

    says(data[: len(data) - 5000], b"cut short")
    says(data + b"more", b"appended")
    sections = run(["readelf", "-SW", str(app.exe)]).out.decode()
    at = int(re.search(r"\.pexcz\.app\s+PROGBITS\s+\w+ (\w+)", sections)[1], 16)
    flipped = bytearray(data)
    flipped[at + 40] ^= 1
    says(bytes(flipped), b"application")


def test_elf(make_app, tmp_path):
    app = make_app("cowsay==6.1", "-c", "cowsay")
    plain = tmp_path / "plain"
    assert run([PACK, "--snapshot", "off", app.pex, "-o", plain]).code == 0
    assert plain.stat().st_size <= 22_000_000
    # The snapshot of an interpreter and a few modules comes on top.
    assert app.exe.stat().st_size <= 34_000_000
    sections = run(["readelf", "-SlW", str(app.exe)]).out.decode()
    assert ".pexcz.stdlib" in sections and ".pexcz.app" in sections
    stack = [line for line in sections.splitlines() if "GNU_STACK" in line]
    assert stack and "RWE" not in stack[0]
    versions = run(["readelf", "-VW", str(app.exe)]).out.decode()
    newest = max(tuple(map(int, v.split("."))) for v in
                 re.findall(r"GLIBC_(\d+\.\d+)", versions))
    assert newest <= (2, 17)
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
