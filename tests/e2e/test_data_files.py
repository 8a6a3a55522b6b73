# SPDX-License-Identifier: Apache-2.0
"""Libraries that look for files beside their modules: one application holds
them all.  Each case gives the same as under python, and strace shows that
the kernel never sees a path of the tree and that no file is made."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Dict, List, Tuple

import pytest
from conftest import BUILD, PACK, PEX_ROOT
from pexes import Offline, build_pex
from sides import run

CONSTRAINTS = Path(__file__).with_name("constraints_data.txt")

PROJECTS = (
    "django flask sphinx babel botocore jsonschema ruff nltk matplotlib "
    "setuptools pip certifi tzdata python-dateutil"
).split()

SOURCES = {
    "cases.py": r"""
import io, os, runpy, subprocess, sys

HERE = os.path.dirname(__file__)

def django(out):
    import django as d
    from django.conf import settings
    settings.configure(
        DEBUG=True, SECRET_KEY="x", ROOT_URLCONF="shop.urls",
        ALLOWED_HOSTS=["*"], STATIC_URL="/static/", USE_I18N=True,
        LANGUAGE_CODE="de", INSTALLED_APPS=["shop",
            "django.contrib.admin", "django.contrib.auth",
            "django.contrib.contenttypes", "django.contrib.messages",
            "django.contrib.staticfiles"],
        TEMPLATES=[{"BACKEND":
            "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True}])
    d.setup()
    from django.contrib.staticfiles import finders
    from django.template.loader import render_to_string
    from django.test import RequestFactory
    from django.utils import translation
    from django.contrib.staticfiles.views import serve
    for language in ("de", "fr", "ja"):
        with translation.override(language):
            print(translation.gettext("January"), translation.gettext("Save"))
    print(render_to_string("shop/items.html", {"items": [1, 2]}))
    from django import forms
    print(forms.CharField().widget.render("a", "b"))
    print(sorted(os.path.basename(p) for p in [
        finders.find("admin/css/base.css"), finders.find("shop/shop.css")]))
    answer = serve(RequestFactory().get("/static/"), "admin/css/base.css")
    print(answer.status_code, len(b"".join(answer.streaming_content)),
          answer["Last-Modified"] != "")
    print(len(list(finders.get_finders())),
          sum(1 for f in finders.get_finders() for _ in f.list([])) > 100)
    from django.core.management import call_command
    said = io.StringIO()
    call_command("findstatic", "shop/shop.css", verbosity=0, stdout=said)
    print(os.path.basename(said.getvalue()))

def flask(out):
    from flask import Flask, render_template, send_from_directory
    app = Flask("shop")
    @app.get("/")
    def page():
        return render_template("shop/items.html", items="ab")
    with app.test_client() as client:
        print(client.get("/").text)
        answer = client.get("/static/shop/shop.css")
        print(answer.status_code, answer.text, answer.content_length)
        print(client.get("/static/none.css").status_code)

def sphinx(out):
    from sphinx.cmd.build import main
    source = os.path.join(out, "source")
    os.makedirs(source)
    with open(os.path.join(source, "index.rst"), "w") as f:
        f.write("Title\n=====\n\n.. code:: python\n\n   import os\n")
    open(os.path.join(source, "conf.py"), "w").close()
    print(main(["-q", "-b", "html", "-D", "language=de", source,
                os.path.join(out, "html")]))
    found = sorted(os.listdir(os.path.join(out, "html/_static")))
    print(found)
    print("Suche" in open(os.path.join(out, "html/index.html")).read())

def matplotlib(out):
    import hashlib
    os.environ["MPLCONFIGDIR"] = out
    import matplotlib as m
    m.use("agg")
    from matplotlib import font_manager, pyplot as plt, style
    print(os.path.basename(font_manager.findfont("DejaVu Sans")))
    print(len(style.available) > 20)
    style.use("ggplot")
    plt.plot([1, 4, 2])
    plt.title("$\\alpha_1$ ü")
    for kind in ("png", "svg", "pdf"):
        f = io.BytesIO()
        plt.savefig(f, format=kind)
        print(kind, len(f.getvalue()) > 2000)

def babel(out):
    from datetime import date
    from babel import Locale, localedata
    from babel.dates import format_date, get_timezone_name
    print(format_date(date(2024, 5, 6), "full", locale="de_DE"))
    print(Locale("fr").languages["de"], len(localedata.locale_identifiers()))
    from babel.messages import pofile
    catalog = pofile.read_po(io.BytesIO(b'msgid "a"\nmsgstr "b"\n'))
    print(len(catalog))

def botocore(out):
    import botocore.session
    session = botocore.session.Session(profile=None)
    session.set_credentials("id", "secret")
    print(len(session.get_available_services()) > 200)
    for name in ("s3", "ec2", "dynamodb"):
        client = session.create_client(name, region_name="eu-west-1")
        print(name, client.meta.endpoint_url, len(client.meta.method_to_api_mapping) > 20)
    print(len(session.get_available_regions("s3")) > 10)

def jsonschema(out):
    import jsonschema as j
    schema = {"$schema": "http://json-schema.org/draft-07/schema#",
              "type": "object", "properties": {"a": {"type": "integer"}}}
    j.validators.validator_for(schema).check_schema(schema)
    try:
        j.validate({"a": "x"}, schema)
    except j.ValidationError as e:
        print(e.message)
    import jsonschema_specifications
    print(len(list(jsonschema_specifications.REGISTRY)))

def nltk(out):
    import nltk as n
    n.data.path[:] = [os.path.join(HERE, "nltk_data")]
    from nltk.corpus import stopwords
    print(stopwords.words("english"), stopwords.fileids())
    print(n.data.load("corpora/stopwords/german", format="text"))
    from nltk.corpus.reader import PlaintextCorpusReader
    corpus = PlaintextCorpusReader(os.path.join(n.data.path[0], "texts"), r".*\.txt")
    print(corpus.fileids(), corpus.raw("a/one.txt"), len(corpus.words("two.txt")))
    try:
        n.data.find("corpora/none")
    except LookupError:
        print("none")

def certifi(out):
    import ssl, certifi as c
    context = ssl.create_default_context(cafile=c.where())
    print(len(context.get_ca_certs()) > 100)
    other = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    other.load_verify_locations(c.where())
    print(other.cert_store_stats()["x509"] == len(context.get_ca_certs()))
    try:
        other.load_verify_locations(c.where() + ".none")
    except FileNotFoundError as e:
        print(e.errno)

def ruff(out):
    from ruff.__main__ import find_ruff_bin
    path = find_ruff_bin() if "/proc/pexcz" in HERE else "ruff"
    if "/proc/pexcz" not in HERE:
        import importlib.metadata as m
        files = [f for f in m.files("ruff") if f.name == "ruff"]
        path = str(files[0].locate())
    done = subprocess.run([path, "--version"], capture_output=True, text=True)
    print(done.stdout, done.stderr, done.returncode)
    done = subprocess.run([path, "check", "--isolated", "--no-cache", "-"],
                          input="import os\n", capture_output=True, text=True)
    print(done.stdout, done.returncode)

def pip(out):
    sys.argv[1:] = ["list", "--format=freeze", "--disable-pip-version-check"]
    try:
        runpy.run_module("pip", run_name="__main__")
    except SystemExit as e:
        print(e.code)

def pkg_resources(out):
    import warnings
    warnings.simplefilter("ignore")
    import pkg_resources as p
    print(p.resource_string("shop", "static/shop/shop.css"))
    names = set(p.resource_listdir("shop", "")) - {"__pycache__"}
    print(sorted(names), p.resource_isdir("shop", "static"))
    print(open(p.resource_filename("shop", "static/shop/shop.css")).read())
    print(p.get_distribution("django").version)
    print(sorted(e.name for e in p.iter_entry_points("babel.checkers"))[:3])
    import importlib.resources as r
    print((r.files("shop") / "static" / "shop" / "shop.css").read_text())
    with r.as_file(r.files("shop") / "static") as folder:
        print(sorted(os.listdir(folder)))

def zones(out):
    import zoneinfo
    from datetime import datetime
    zoneinfo.reset_tzpath([os.path.join(HERE, "tzdata/zoneinfo")])
    print(datetime(2024, 7, 1, tzinfo=zoneinfo.ZoneInfo("Asia/Tokyo")).utcoffset())
    from dateutil import tz, zoneinfo as z
    print(datetime(2024, 7, 1, tzinfo=z.get_zonefile_instance().get("Europe/Paris")).utcoffset())

def shell(out):
    import shutil
    target = os.path.join(out, "copy")
    shutil.copytree(os.path.join(HERE, "shop"), target,
                    ignore=shutil.ignore_patterns("__pycache__"))
    print(sorted(os.listdir(target)))
    import glob, mmap, pathlib, sqlite3
    print(sorted(p.name for p in pathlib.Path(HERE, "nltk_data/texts").rglob("*.txt")))
    with open(os.path.join(HERE, "nltk_data/texts/two.txt"), "rb") as f:
        print(bytes(mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ))[:3])
        print(subprocess.run(["cat"], stdin=f, capture_output=True).stdout)
        os.lseek(f.fileno(), 0, 0)
        with open(os.path.join(out, "sent"), "wb") as g:
            print(os.sendfile(g.fileno(), f.fileno(), 0, 99))

if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2])
""",
    "shop/__init__.py": "",
    "shop/urls.py": "urlpatterns = []\n",
    "shop/templates/shop/items.html": "<ul>{% for i in items %}<li>{{ i }}"
    "{% endfor %}</ul>",
    "shop/static/shop/shop.css": "body { color: red }\n",
    "nltk_data/corpora/stopwords/english": "the\na\n",
    "nltk_data/corpora/stopwords/german": "der\ndie\n",
    "nltk_data/texts/a/one.txt": "One two.",
    "nltk_data/texts/two.txt": "Two three four.",
}

CASES = re.findall(r"^def (\w+)\(out\)", SOURCES["cases.py"], re.MULTILINE)

# These make files themselves; nltk by tempfile, which tries its folder out.
MAKES_FILES = {"sphinx", "matplotlib", "shell", "nltk"}

CALL = re.compile(r"^\d+ +(\w+)\((.*)\) += (-?\d+|\?)")
MAKING = {
    *("creat", "mkdir", "mkdirat", "mknod", "mknodat", "link", "linkat"),
    *("symlink", "symlinkat", "rename", "renameat", "renameat2"),
}


@pytest.fixture(scope="module")
def application(python: str, tmp_path_factory) -> Tuple[Path, Path]:
    """The PEX and what was made of it, without a snapshot of so much."""
    arguments = [*PROJECTS, "-e", "cases"]
    try:
        pex = build_pex(BUILD, arguments, SOURCES, CONSTRAINTS)
    except Offline as e:
        pytest.skip(f"not cached, and no index to be reached: {e}")
    exe = tmp_path_factory.mktemp("app") / "app"
    packing = run([PACK, pex, "-o", exe, "--level", "3", "--snapshot", "off"])
    assert packing.code == 0, packing.err.decode()
    return pex, exe


def environment(home: Path) -> Dict[str, str]:
    home.mkdir()
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PEXCZ_SHARED_OBJECTS": "memory",
    }


def traced_calls(log: Path) -> List[Tuple[str, str, str]]:
    """(name, arguments, result) of each call with a file name."""
    found = (CALL.match(line) for line in log.read_text().splitlines())
    return [match.groups() for match in found if match]


@pytest.mark.parametrize("case", CASES)
def test_same_and_no_file(case: str, application, python: str, tmp_path: Path):
    pex, exe = application
    wanted, made = tmp_path / "wanted", tmp_path / "made"
    wanted.mkdir()
    made.mkdir()
    env = environment(tmp_path / "home")
    reference = {**env, "PEX_ROOT": str(PEX_ROOT)}
    want = run([python, pex, case, wanted], env=reference, cwd=wanted)
    assert want.code == 0, want.err.decode()

    log = tmp_path / "log"
    trace = ["strace", "-f", "-qq", "-s", "300", "-o", log]
    trace += ["-e", "trace=%file", "-e", "signal=none"]
    packed = {**env, "TMPDIR": str(made)}
    got = run([*trace, exe, case, made], env=packed, cwd=made)
    assert (got.code, got.text) == (0, want.text), got.err.decode()

    for name, arguments, result in traced_calls(log):
        # A program of the tree may be told its own name.
        seen = arguments.split(", ")[0] if name == "execve" else arguments
        assert "/proc/pexcz" not in seen, f"{name}({arguments})"
        if result == "-1":
            continue
        creates = name in MAKING or "O_CREAT" in arguments
        creates = creates or "O_TMPFILE" in arguments
        allowed = case in MAKES_FILES and f'"{made}' in arguments
        if creates and not allowed:
            assert '"/dev/null"' in arguments, f"{name}({arguments})"
    assert os.listdir(tmp_path / "home") == []
