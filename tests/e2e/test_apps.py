# SPDX-License-Identifier: Apache-2.0
"""Applications of PyPI, in a root without Python, against the same Python."""

from __future__ import annotations

import zipfile
from textwrap import dedent


def test_cowsay(make_app, same):
    app = make_app("cowsay", "-c", "cowsay")
    assert b"| hello |" in same(app, "-t", "hello").out
    assert same(app).code == 2


def test_black(make_app, sides):
    app = make_app("black", "-c", "black")
    sides.write("ugly.py", "x = {  'a':1 }\n")
    sides.write("broken.py", "x = (\n")
    assert sides.compare(app, "ugly.py").code == 0
    assert sides.packed.files()["ugly.py"] == b'x = {"a": 1}\n'
    assert sides.compare(app, "--check", "ugly.py", "broken.py").code == 123
    got = sides.compare(
        app,
        *("--diff", "-q", "-"),
        stdin=b"f( 1 )\n",
        varies=r"\d+:\d+:\d+\.\d+",
    )
    assert b"+f(1)" in got.out


def test_httpie_offline(make_app, same):
    app = make_app("httpie", "-c", "http")
    address = "http://localhost:1/x"
    got = same(app, "--offline", "--ignore-stdin", "POST", address, "a=b")
    assert b'{"a": "b"}' in got.out
    got = same(app, "--offline", "--pretty=all", address, stdin=b"body")
    assert b"\x1b[36m/x\x1b[" in got.out
    refused = "http://127.0.0.1:1/x"
    assert same(app, "--ignore-stdin", refused, varies="0x\\w+").code == 1
    assert same(app, "--version").code == 0


def test_rich(make_app, same):
    source = """\
        import sys
        from rich.console import Console
        from rich.markdown import Markdown
        from rich.syntax import Syntax
        from rich.table import Table
        from rich.traceback import install

        def main():
            install(width=60)
            console = Console(width=60, force_terminal=True)
            table = Table("name", "value", title="table")
            table.add_row("pi", "[bold]3.14[/bold]")
            console.print(table, Markdown("# title\\n- item"))
            console.print(":cow:")
            console.print(Syntax("def f(): pass", "python"))
            if len(sys.argv) > 1:
                return 1 / 0
        """
    app = make_app("rich", "-e", "show:main", sources=code("show", source))
    assert "🐮" in same(app).text
    got = same(app, "fail", varies=r"(?s)╭─.*─╯")
    assert b"ZeroDivisionError" in got.err


def test_numpy(make_app, sides):
    source = """\
        import sys
        import numpy as np
        a = np.arange(12.0).reshape(3, 4)
        print(np.__version__, (a @ a.T).tolist())
        print(np.linalg.inv([[1.0, 2.0], [3.0, 4.0]]).round(6).tolist())
        print(np.fft.fft([0, 1, 0, 0]), np.random.default_rng(7).random(3))
        np.save("a.npy", a)
        print(np.load("a.npy").sum())
        np.ones(2) @ np.ones(3)
        """
    app = make_app("numpy", "-e", "calc", sources=code("calc", source))
    sides.expect_manylinux()
    assert b"matmul" in sides.compare(app).err


def test_numpy_without_a_cache(make_app, sides):
    """No home: shared objects come from memory, and nothing is written."""
    source = "import numpy as np; print(np.linalg.det([[1, 2], [3, 4]]))"
    app = make_app("numpy", "-e", "det", sources=code("det", source))
    sides.expect_manylinux()
    ordinary = {"PEXCZ_SNAPSHOT": "0"}  # a snapshot has them
    want = sides.compare(app, env=ordinary)
    home = sides.packed.folder / "home"
    assert list(home.rglob("*.so"))
    got = sides.packed.run(env={"HOME": "/nowhere", **ordinary})
    assert (got.code, got.out) == (0, want.out), got.err
    for cached in home.rglob("*.so"):
        cached.write_bytes(b"")
    got = sides.packed.run(env=ordinary)
    assert (got.code, got.out) == (0, want.out), got.err


def test_pandas(make_app, sides):
    source = """\
        import pandas as pd
        frame = pd.read_csv("in.csv", parse_dates=["day"])
        print(frame.groupby("name")["value"].agg(["sum", "mean"]))
        print(frame.set_index("day").resample("D").sum(numeric_only=True))
        print(frame.day.dt.tz_localize("Europe/Berlin").iloc[0])
        frame.rolling(2, on="day")["value"].std().to_csv("out.csv")
        frame["absent"]
        """
    app = make_app("pandas", "-e", "table", sources=code("table", source))
    sides.expect_manylinux()
    sides.write(
        "in.csv",
        "day,name,value\n2024-01-01,a,1\n2024-01-02,b,2.5\n2024-01-04,a,3\n",
    )
    assert b"KeyError: 'absent'" in sides.compare(app).err


def test_cryptography(make_app, sides):
    source = """\
        import datetime
        from cryptography import x509
        from cryptography.exceptions import InvalidSignature
        from cryptography.fernet import Fernet
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ed25519
        from cryptography.x509.oid import NameOID

        box = Fernet(b"A" * 43 + b"=")
        print(box.decrypt(box.encrypt(b"secret")))
        key = ed25519.Ed25519PrivateKey.from_private_bytes(b"k" * 32)
        print(key.sign(b"text").hex())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "me")])
        day = datetime.datetime(2024, 1, 1)
        made = x509.CertificateBuilder().subject_name(name).issuer_name(name)
        made = made.public_key(key.public_key()).serial_number(1)
        made = made.not_valid_before(day).not_valid_after(day)
        print(made.sign(key, None).fingerprint(hashes.SHA256()).hex())
        key.public_key().verify(b"0" * 64, b"text")
        """
    app = make_app("cryptography", "-e", "keys", sources=code("keys", source))
    sides.expect_manylinux()
    assert b"InvalidSignature" in sides.compare(app).err


def test_lxml(make_app, same):
    source = """\
        from lxml import etree, html, objectify
        tree = etree.fromstring("<a><b n='1'>x</b><b n='2'>y</b></a>")
        print(tree.xpath("//b[@n=2]/text()"))
        sheet = "<x:stylesheet version='1.0' " \\
            "xmlns:x='http://www.w3.org/1999/XSL/Transform'>" \\
            "<x:template match='/'><r><x:value-of select='//b'/></r>" \\
            "</x:template></x:stylesheet>"
        print(etree.XSLT(etree.fromstring(sheet))(tree))
        print(html.tostring(html.fromstring("<p>a<br>b")))
        print(objectify.fromstring("<r><n>3</n></r>").n + 1)
        etree.fromstring("<a><b></a>")
        """
    got = same(make_app("lxml", "-e", "tree", sources=code("tree", source)))
    assert b"XMLSyntaxError" in got.err


def test_pillow(make_app, sides):
    source = """\
        from PIL import Image, ImageDraw, ImageFilter, ImageFont
        image = Image.new("RGB", (80, 40), "white")
        draw = ImageDraw.Draw(image)
        draw.text((4, 4), "text", "black", ImageFont.load_default(18))
        draw.line((0, 39, 79, 0), "red", 3)
        for suffix in ("png", "jpg", "webp", "tiff"):
            image.filter(ImageFilter.BLUR).save("out." + suffix)
            print(Image.open("out." + suffix).getpixel((40, 20)))
        Image.open("absent.png")
        """
    app = make_app("pillow", "-e", "draw", sources=code("draw", source))
    sides.expect_manylinux()
    assert b"FileNotFoundError" in sides.compare(app).err


def test_pip(make_app, sides):
    app = make_app("pip", "-c", "pip")
    for side in sides.both:
        write_wheel(side.work / "thing-1.0-py3-none-any.whl")
    assert sides.compare(app, "--version").code == 0
    assert sides.compare(app, "hash", "thing-1.0-py3-none-any.whl").code == 0
    options = ("--no-index", "--no-compile", "--target", "into")
    got = sides.compare(app, "install", *options, "./thing-1.0-py3-none-any.whl")
    assert b"Successfully installed thing-1.0" in got.out
    assert sides.compare(app, "list", "--path", "into").code == 0
    assert sides.compare(app, "install", *options, "absent").code == 1
    assert sides.compare(app, "bogus").code == 1


def test_pytest_with_a_plugin(make_app, sides):
    app = make_app("pytest", "pytest-mock", "-c", "pytest")
    sides.write(
        "test_it.py",
        dedent(
            """\
            import os, pytest

            @pytest.fixture
            def four():
                yield 4

            @pytest.mark.parametrize("n", [1, 2, 4])
            def test_sum(n, four):
                assert n + n < four + four

            def test_mocked(mocker, tmp_path):
                mocker.patch("os.getcwd", return_value="there")
                assert os.getcwd() == "there"

            @pytest.mark.skip(reason="not now")
            def test_skipped():
                pass
            """
        ),
    )
    options = ("-rs", "-p", "no:cacheprovider", "--basetemp=base")
    got = sides.compare(
        app, *options, varies=r"\d+\.\d\ds|, pytest-|={3,}"
    )
    assert got.code == 1
    assert b"assert (4 + 4) < (4 + 4)" in got.out
    assert b"1 failed, 3 passed, 1 skipped" in got.out
    assert b"plugins: mock" in got.out
    # Paths are relative to the folder, and Pex's cache is elsewhere.
    varies = r"\d+\.\d\ds|(\.\./)+proc"
    assert sides.compare(app, "--fixtures", "-q", varies=varies).code == 0


def code(module: str, text: str) -> dict[str, str]:
    return {module + ".py": dedent(text) + "\n"}


def write_wheel(path):
    info = "thing-1.0.dist-info/"
    files = {
        "thing.py": "x = 1\n",
        info + "METADATA": "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n",
        info + "WHEEL": "Wheel-Version: 1.0\nGenerator: tests\n"
        "Root-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in [*files, info + "RECORD"])
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in {**files, info + "RECORD": record}.items():
            wheel.writestr(zipfile.ZipInfo(name), text)
