# SPDX-License-Identifier: Apache-2.0
"""Makes the seeds in corpus/ anew; crashes that were added stay.

usage: make_corpus.py BLOB_DRIVER    (tests/format/blob_driver.c, built)
"""

import io
import json
import struct
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

CORPUS = Path(__file__).resolve().parent / "corpus"


def shorthand(blob):
    """What fuzz_blob.c expands: zeros to skip, length, bytes; repeated."""
    out = bytearray()
    at = 0
    while at < len(blob):
        start = at
        while start < len(blob) and blob[start] == 0 and start - at < 0xFFFF:
            start += 1
        end = blob.find(bytes(16), start, start + 0xFFFF)
        if end < 0:
            end = min(len(blob), start + 0xFFFF)
        out += struct.pack("<2H", start - at, end - start) + blob[start:end]
        at = end
    return bytes(out)


def blob_seed(driver, name, entries, boot=()):
    """entries: (kind, encoding, content, code, path)."""
    with tempfile.TemporaryDirectory() as folder:

        def stored(content):
            if content is None:
                return "-"
            path = Path(folder, f"c{len(list(Path(folder).iterdir()))}")
            path.write_bytes(content)
            return str(path)

        lines = []
        for kind, encoding, content, code, path in entries:
            fields = ["entry", kind, "644", 0, 0, encoding, 8]
            fields += [stored(content), stored(code), path]
            lines.append("\t".join(map(str, fields)) + "\n")
        for key, value in boot:
            lines.append(f"boot\t{key}\t{stored(value)}\n")
        out = Path(folder, "out")
        text = "".join(lines).encode()
        subprocess.run([driver, "build", out], input=text, check=True)
        write("blob", name, shorthand(out.read_bytes()))


def write(target, name, content):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def blobs(driver):
    blob_seed(driver, "empty", [])
    blob_seed(
        driver,
        "each-kind",
        [
            (2, "raw", b"x = 1\n", b"code", "a/b/__init__.py"),
            (2, "raw", b"x = 2\n", None, "a/c.py"),
            (2, "raw", b"\x7fELF", None, "a/c.abi3.so"),
            (2, "zstd", b"z" * 1000, None, "a/text"),
            (2, "raw", b"", None, "a/old.pyc"),
            (3, "raw", b"../a", None, "l/link"),
            (4, "raw", None, None, "l/self"),
            (1, "raw", None, None, "l/empty"),
        ],
        [(1, b"name"), (5, b"a"), (5, b"l"), (99, b"?")],
    )
    blob_seed(
        driver,
        "many",
        [(2, "raw", b"", None, f"d{i % 5}/m{i}.py") for i in range(70)],
    )


def zip_bytes(members, comment=b"", prefix=b""):
    out = io.BytesIO()
    out.write(prefix)
    with zipfile.ZipFile(out, "a") as z:
        z.comment = comment
        for name, content, method in members:
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = method
            info.external_attr = 0o644 << 16
            z.writestr(info, content)
    return out.getvalue()


def zips():
    stored, deflated = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
    write("zip", "empty", zip_bytes([]))
    write("zip", "stored", zip_bytes([("a.py", b"x = 1\n", stored)]))
    write("zip", "deflated", zip_bytes([("a/b", b"x" * 500, deflated)]))
    members = [
        ("d/", b"", stored),
        ("d/e.py", b"e" * 50, deflated),
        ("PEX-INFO", b"{}", stored),
        ("ü", b"", stored),
    ]
    prefix = b"#!/usr/bin/env python3\n"
    write("zip", "pex", zip_bytes(members, b"comment", prefix))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        info = zipfile.ZipInfo("big", (1980, 1, 1, 0, 0, 0))
        with z.open(info, "w", force_zip64=True) as f:
            f.write(b"zip64")
    write("zip", "zip64", out.getvalue())
    good = zip_bytes([("a.py", b"x = 1\n", stored)])
    write("zip", "damaged-end-behind-a-good-one", good + good[-22:-2] + b"\0\0")


def pex_infos():
    full = {
        "always_write_cache": False,
        "bind_resource_paths": {"NAME": "pkg/file"},
        "build_properties": {"pex_version": "2.105.2"},
        "bootstrap_hash": "00ff",
        "code_hash": "00ff",
        "deps_are_wheel_files": False,
        "distributions": {"a-1.0-py3-none-any.whl": "00ff"},
        "emit_warnings": True,
        "entry_point": "pkg.mod:func",
        "excluded": ["x"],
        "ignore_errors": False,
        "includes_tools": False,
        "inherit_path": "false",
        "inject_args": ["--flag"],
        "inject_env": {"A": "1"},
        "inject_python_args": ["-Wignore"],
        "interpreter_constraints": ["CPython>=3.8,<4"],
        "interpreter_selection_strategy": "oldest",
        "max_install_jobs": 1,
        "overridden": ["y==1"],
        "pex_hash": "00ff",
        "pex_path": ["other.pex"],
        "pex_paths": ["other.pex"],
        "requirements": ['a[extra]==1.0; python_version >= "3.8"'],
        "strip_pex_env": True,
        "venv": True,
        "venv_bin_path": "prepend",
        "venv_copies": False,
        "venv_hermetic_scripts": True,
        "venv_site_packages_copies": False,
        "venv_system_site_packages": False,
    }
    write("pex_info", "empty", b"{}")
    write("pex_info", "full", json.dumps(full).encode())
    old = {"inherit_path": True, "pex_path": "a:b", "inject_env": {}}
    write("pex_info", "old-forms", json.dumps(old).encode())
    write("pex_info", "escapes", rb'{"entry_point":"\u00fc\n\ud83d\ude00"}')
    write("pex_info", "nested", b'{"x":' + b"[" * 30 + b"]" * 30 + b"}")
    write("pex_info", "wrong-type", b'{"requirements":{"a":1.5e3}}')


def metadata():
    """The first byte says which text it is: see fuzz_metadata.c."""
    write("metadata", "metadata", b"\0Metadata-Version: 2.1\nName: a\nVersion: 1.0\n"
          b"Requires-Python: >=3.8,<4\nProvides-Extra: x\n"
          b'Requires-Dist: b[y] (>=1.0,!=1.5); extra == "x" and '
          b"python_version in '3.8 3.11'\nSummary: a\n  continued\n\nText\n")
    write("metadata", "wheel", b"\1Wheel-Version: 1.0\nRoot-Is-Purelib: true\n"
          b"Tag: py3-none-any\n")
    write("metadata", "entry-points", b"\2[console_scripts]\na = b.c:d.e [x]\n"
          b"[gui_scripts]\n# comment\ng=h\n")
    write("metadata", "record", b'\3a.py,sha256=abc,3\n"b,""c.py",,\r\n'
          b"d-1.dist-info/RECORD,,\n")
    write("metadata", "requirement", b"\4a[b,c]@ https://e.x/a.whl ; "
          b'os_name == "nt" or not_it < \'1\'')
    write("metadata", "requirement-versions", b"\4a.b_c ~=1!2.0rc1.post2.dev3+l.1,===x")
    write("metadata", "wheel-name",
          b"\5a_b-1.0-1x-cp311.py3-abi3.none-manylinux_2_17_x86_64.any.whl")


def libraries(compiler="gcc"):
    """A small shared object, as it is and without section headers."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "l.so")
        source = b"#include <stdio.h>\nint f(void) { return puts(\"\"); }\n"
        subprocess.run(
            [compiler, "-shared", "-fPIC", "-Os", "-nostartfiles", "-x", "c", "-",
             "-Wl,-soname,l.so.1,-rpath,$ORIGIN/x,-z,max-page-size=256",
             "-Wl,-z,noseparate-code,--build-id=none", "-s", "-o", out],
            input=source, check=True,
        )
        data = bytearray(out.read_bytes())
        write("library", "object", data)
        struct.pack_into("<Q", data, 40, 0)
        struct.pack_into("<3H", data, 58, 64, 0, 0)
        write("library", "no-sections", data)


if __name__ == "__main__":
    blobs(sys.argv[1])
    zips()
    pex_infos()
    metadata()
    libraries()
