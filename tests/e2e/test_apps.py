# SPDX-License-Identifier: Apache-2.0
"""Applications from PyPI, in a root without Python, against python3.11."""


def test_cowsay(make_app, same):
    app = make_app("cowsay==6.1", "-c", "cowsay")
    same(app, "-t", "hello")
    same(app)  # a usage error


def test_black_formats_stdin(make_app, same):
    app = make_app("black==24.10.0", "-c", "black")
    got = same(app, "-q", "-", stdin=b"x = {  'a':1 }\n")
    assert got.out == b'x = {"a": 1}\n'
    same(app, "-", stdin=b"x = (\n")


def test_httpie_offline(make_app, same):
    app = make_app("httpie==3.2.4", "-c", "http")
    got = same(app, "--offline", "--ignore-stdin", "--pretty=none",
               "http://localhost/x", "a=b", "User-Agent:t")
    assert b"Host: localhost" in got.out


def test_rich(make_app, same):
    source = ("from rich.table import Table\nfrom rich.console import Console\n"
              "def main():\n    t = Table('a', 'b')\n    t.add_row('1', '2')\n"
              "    Console(width=40).print(t)\n")
    same(make_app("rich==13.9.4", "-e", "shows:main", sources={"shows.py": source}))


def test_requests_finds_its_certificates(make_app, same):
    source = ("import os, requests, certifi\n"
              "print(requests.__version__, os.path.getsize(certifi.where()))\n"
              "import ssl\n"
              "c = ssl.create_default_context(cafile=certifi.where())\n"
              "print(len(c.get_ca_certs()) > 50)\n")
    got = same(make_app("requests==2.32.3", "certifi==2024.8.30", "-e", "prog",
                        sources={"prog.py": source}))
    assert got.out.endswith(b"True\n")


def test_flask(make_app, same):
    source = ("from flask import Flask, render_template_string\n"
              "app = Flask(__name__)\n"
              "@app.get('/')\n"
              "def index():\n"
              "    return render_template_string('{{ 6 * 7 }}')\n"
              "def main():\n"
              "    r = app.test_client().get('/')\n"
              "    print(r.status, r.data)\n")
    got = same(make_app("flask==3.0.3", "-e", "web:main", sources={"web.py": source}))
    assert b"42" in got.out


def test_django_admin(make_app, same):
    app = make_app("django==5.1.3", "-c", "django-admin")
    same(app, "version")
    same(app, "startproject", "site1", "/tmp/none")


def test_numpy_in_the_cache_and_in_memory(make_app, same, bare_root):
    source = ("import numpy as np\n"
              "print(np.__version__, np.linalg.inv([[1., 2], [3, 4]]).tolist())\n")
    app = make_app("numpy==2.1.3", "-e", "calc", sources={"calc.py": source})
    want = same(app)
    files = list((bare_root.root / "home/.cache/pexcz/so").rglob("*.so"))
    assert files
    again = bare_root.run(app.exe)
    assert again.out == want.out
    memory = bare_root.run(app.exe, env={"HOME": ""})
    assert (memory.code, memory.out) == (0, want.out), memory.err.decode()


def test_lxml_and_cryptography(make_app, same):
    source = ("from lxml import etree\n"
              "print(etree.tostring(etree.fromstring('<a><b/></a>')))\n"
              "from cryptography.fernet import Fernet\n"
              "k = Fernet(b'A' * 43 + b'=')\n"
              "print(k.decrypt(k.encrypt(b'secret')))\n")
    same(make_app("lxml==5.3.0", "cryptography==43.0.3", "-e", "prog",
                  sources={"prog.py": source}))


def test_pip(make_app, same):
    app = make_app("pip==24.3.1", "-c", "pip")
    got = same(app, "hash", "--help")
    assert b"hash" in got.out
