# SPDX-License-Identifier: Apache-2.0
"""Web frameworks and clients, in a root without Python, against the same Python.

Servers run one side after the other on the same port, so that what they print
is alike too.
"""

from __future__ import annotations

import http.client
import http.server
import os
import shutil
import signal
import socket
import ssl
import sys
import threading
import time
import urllib.error
import urllib.request
from textwrap import dedent

import pytest
from sides import Result, run

TIMES = (
    r"\d\d/\w{3}/\d{4} \d\d:\d\d:\d\d"
    r"|\w+ \d\d, \d{4} - \d\d:\d\d:\d\d"
    r"|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+"
)

DJANGO_SITE = {
    "shop/__init__.py": "",
    "shop/apps.py": """\
        from django.apps import AppConfig

        class Shop(AppConfig):
            name = "shop"
            default_auto_field = "django.db.models.AutoField"
        """,
    "shop/models.py": """\
        from django.db import models

        class Item(models.Model):
            name = models.CharField(max_length=20)
        """,
    "shop/migrations/__init__.py": "",
    "shop/migrations/0001_initial.py": """\
        from django.db import migrations, models

        class Migration(migrations.Migration):
            operations = [
                migrations.CreateModel("Item", [
                    ("id", models.AutoField(primary_key=True)),
                    ("name", models.CharField(max_length=20)),
                ]),
                migrations.RunPython(lambda apps, _: apps.get_model(
                    "shop", "Item").objects.create(name="lamp")),
            ]
        """,
    "shop/templates/items.html": "<h1>{{ title|upper }}</h1>"
    "{% for i in items %}<p>{{ i.id }} {{ i.name }}</p>{% endfor %}",
    "shop/settings.py": """\
        SECRET_KEY = "tests only"
        DEBUG = True
        ROOT_URLCONF = "shop.urls"
        ALLOWED_HOSTS = ["127.0.0.1"]
        INSTALLED_APPS = [
            "django.contrib.auth", "django.contrib.contenttypes", "shop"]
        DATABASES = {"default": {
            "ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}
        TEMPLATES = [{
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True}]
        """,
    "shop/urls.py": """\
        from django.shortcuts import render
        from django.urls import path
        from shop.models import Item

        def items(request):
            return render(request, "items.html", {
                "title": "items", "items": Item.objects.all()})

        urlpatterns = [path("items", items)]
        """,
    "manage.py": """\
        import os, sys
        from django.core.management import execute_from_command_line

        def main():
            os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
            execute_from_command_line(sys.argv)
        """,
}

FLASK_SITE = {
    "web/__init__.py": """\
        import sys
        from flask import Flask, render_template

        app = Flask(__name__)

        @app.get("/<name>")
        def page(name):
            return render_template("page.html", name=name)

        @app.get("/fail")
        def fail():
            raise RuntimeError("failed")

        def main():
            app.run(port=int(sys.argv[1]))
        """,
    "web/templates/page.html": "<p>{{ name }} &amp; {{ 6 * 7 }}</p>",
    "web/static/style.css": "p { color: red }\n",
}


@pytest.fixture(scope="session")
def port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def dedented(sources):
    return {name: dedent(text) for name, text in sources.items()}


def fetch(address):
    """(status, content type, body), from a server that may be starting or ending."""
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(address, timeout=30) as answer:
                kind = answer.headers["Content-Type"]
                return answer.status, kind, answer.read()
        except urllib.error.HTTPError as e:
            with e:
                return e.code, e.headers["Content-Type"], e.read()
        except (OSError, http.client.HTTPException):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def serve(sides, app, port, arguments, paths, varies):
    """Answers of both sides must be alike, and what they printed until they
    were interrupted."""
    sides.install(app)
    results, answers = [], []
    for side in sides.both:
        with side.start(*arguments) as process:
            base = f"http://127.0.0.1:{port}/"
            try:
                answers.append([fetch(base + path) for path in paths])
            except OSError as e:
                process.kill()
                pytest.fail(f"{e}: {process.stderr.read().decode()}")
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        results.append(Result(process.returncode, out, err))
    assert answers[1] == answers[0]
    sides.check(*results, varies)
    return answers[1]


def test_django_admin(make_app, sides):
    app = make_app("django", "-c", "django-admin")
    secret = ["site1/site1/settings.py"]
    assert sides.compare(app, "version").code == 0
    got = sides.compare(app, "startproject", "site1", changes=secret)
    assert got.code == 0
    assert "site1/site1/urls.py" in sides.packed.files()
    got = sides.compare(
        app,
        *("check", "--pythonpath", "site1", "--settings", "site1.settings"),
        changes=[
            *secret,
            f"site1/site1/__pycache__/settings.{sys.implementation.cache_tag}.pyc",
        ],
    )
    assert got.code == 0
    assert sides.compare(app, "bogus", changes=sides.packed.files()).code == 1


def test_django_project(make_app, sides, port):
    app = make_app(
        "django", "-e", "manage:main", sources=dedented(DJANGO_SITE)
    )
    database = ["db.sqlite3"]
    assert b"no issues" in sides.compare(app, "check").out
    got = sides.compare(app, "migrate", "--no-color", changes=database)
    assert b"Applying shop.0001_initial... OK" in got.out
    assert sides.compare(app, "migrate", "--check", changes=database).code == 0
    answers = serve(
        sides,
        app,
        port,
        ["runserver", "--noreload", "--no-color", str(port)],
        ["items", "absent"],
        TIMES,
    )
    assert answers[0][::2] == (200, b"<h1>ITEMS</h1><p>1 lamp</p>")
    assert answers[1][0] == 404


def test_flask(make_app, sides, port):
    app = make_app(
        "flask", "-e", "web:main", sources=dedented(FLASK_SITE)
    )
    answers = serve(
        sides,
        app,
        port,
        [str(port)],
        ["you", "static/style.css", "fail"],
        TIMES,
    )
    assert answers[0][2] == b"<p>you &amp; 42</p>"
    assert answers[1][1].startswith("text/css")
    assert answers[2][0] == 500


def test_flask_reloads(make_app, sides, port):
    """The reloader starts the application again, as it was started."""
    app = make_app("flask", "-c", "flask")
    sides.install(app)
    sides.write("site1.py", "from flask import Flask\nfrom part import V\n"
                "app = Flask(__name__)\napp.get('/')(lambda: f'version {V}')\n")
    address = f"http://127.0.0.1:{port}/"
    for side in sides.both:
        (side.work / "part.py").write_text("V = 1\n")
        arguments = ["--app", "site1", "run", "--debug", "--port", str(port)]
        with side.start(*arguments) as process:
            assert fetch(address)[2] == b"version 1"
            deadline = time.monotonic() + 60
            (side.work / "part.py").write_text("V = 22\n")
            while fetch(address)[2] != b"version 22":
                assert time.monotonic() < deadline
                time.sleep(0.1)
            os.killpg(process.pid, signal.SIGINT)
            _, err = process.communicate(timeout=60)
        assert b"* Restarting with stat" in err and b"part.py'" in err
        assert process.returncode == 0, err


def test_flask_command(make_app, sides):
    app = make_app("flask", "-c", "flask")
    assert sides.compare(app, "--version").code == 0
    assert sides.compare(app, "--app", "absent", "routes").code == 2


@pytest.fixture
def tls_server(tmp_path):
    """(port, certificate) of a server whose certificate nobody signed."""
    if shutil.which("openssl") is None:
        pytest.fail("the program openssl is missing: make deps")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc"),
            *("-days", "2", "-subj", "/CN=127.0.0.1"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", key, "-out", certificate),
        ]
    )
    assert made.code == 0, made.err

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "3")
            self.end_headers()
            self.wfile.write(b"hi\n")

        def log_message(self, *arguments):
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1], certificate
        server.shutdown()
        thread.join()


def test_requests_and_tls(make_app, sides, tls_server):
    """OpenSSL itself opens certifi's bundle inside the executable: it has
    certificates, but not the server's."""
    source = """\
        import os, ssl, sys
        import certifi, requests

        address = f"https://127.0.0.1:{sys.argv[1]}/"
        bundle = certifi.where()
        context = ssl.create_default_context(cafile=bundle)
        print(bundle, os.path.getsize(bundle), len(context.get_ca_certs()))
        try:
            requests.get(address)
        except requests.exceptions.SSLError as e:
            print("self-signed certificate" in str(e))
        answer = requests.get(address, verify="certificate.pem")
        print(answer.status_code, answer.text)
        requests.get(address, verify="absent.pem")
        """
    app = make_app(
        "requests", "-e", "client", sources={"client.py": dedent(source)}
    )
    port, certificate = tls_server
    sides.write("certificate.pem", certificate.read_text())
    got = sides.compare(app, str(port))
    assert b"True\n200 hi\n" in got.out
    assert got.err.splitlines()[-1].startswith(b"OSError: ")
