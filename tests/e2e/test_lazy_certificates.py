# SPDX-License-Identifier: Apache-2.0
"""The machine's certificates of an ssl.SSLContext are parsed when they are needed:
nobody can tell, but by the time that it takes.  Compared with the same Python
without a runtime of ours."""

from __future__ import annotations

import subprocess
from pathlib import Path
from textwrap import dedent
from typing import Dict

import pytest
from conftest import BASE, BUILD
from sides import VERSION, run

PYTHON = BUILD / f"dist/{VERSION}/python/install/bin/python{VERSION}"

HEAD = """\
    import os, shutil, ssl, sys, threading
    bundle = os.environ["SSL_CERT_FILE"]
    def show(context):
        print(context.cert_store_stats(), sorted(c["serialNumber"]
              for c in context.get_ca_certs()), len(context.get_ca_certs(True)))
    def connect(client, name="localhost"):
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain("server.pem")
        a, b = ssl.MemoryBIO(), ssl.MemoryBIO()
        sides = [client.wrap_bio(a, b, server_hostname=name), server.wrap_bio(b, a, True)]
        for _ in range(4):
            for side in sides:
                try:
                    side.do_handshake()
                except ssl.SSLWantReadError:
                    pass
        return sides[0].version()
    def attempt(client):
        try:
            return connect(client)
        except ssl.SSLError as error:
            return error.reason, getattr(error, "verify_message", None)
    """
USES = {
    "listed": "show(ssl.create_default_context())",
    "verified": "print(attempt(ssl.create_default_context()))",
    "verified twice": "c = ssl.create_default_context()\nprint(attempt(c), attempt(c))\nshow(c)",
    "not verified": "c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)\nshow(c)\nprint(attempt(c))",
    "changed since": "c = ssl.create_default_context()\nshutil.copy('other.pem', bundle)\n"
                     "print(attempt(c))\nshow(c)\nshow(ssl.create_default_context())",
    "removed since": "c = ssl.create_default_context()\nos.remove(bundle)\nshow(c)\n"
                     "show(ssl.create_default_context())",
    "variable changed since": "c = ssl.create_default_context()\n"
                              "os.environ['SSL_CERT_FILE'] = 'other.pem'\nshow(c)\n"
                              "print(attempt(c))\nprint(attempt(ssl.create_default_context()))",
    "loaded twice": "c = ssl.create_default_context()\nc.set_default_verify_paths()\nshow(c)\n"
                    "shutil.copy('other.pem', bundle)\nc.set_default_verify_paths()\nshow(c)",
    "with others": "c = ssl.create_default_context()\nc.load_verify_locations('other.pem')\n"
                   "c.load_verify_locations(bundle)\nprint(attempt(c))\nshow(c)",
    "others first": "c = ssl.create_default_context(cafile='other.pem')\n"
                    "c.load_default_certs()\nshow(c)\nprint(attempt(c))",
    "of a server": "c = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)\n"
                   "c.load_default_certs(ssl.Purpose.CLIENT_AUTH)\nshow(c)",
    "no certificates": "open(bundle, 'w').write('nothing')\nc = ssl.create_default_context()\n"
                       "print(attempt(c))\nshow(c)",
    "damaged": "text = open('other.pem').read()\n"
               "open(bundle, 'a').write(text[:200] + '!' + text[200:])\n"
               "c = ssl.create_default_context()\nprint(attempt(c))\nshow(c)",
    "empty": "open(bundle, 'w').close()\nshow(ssl.create_default_context())",
    "folder": "os.environ['SSL_CERT_FILE'] = '.'\nshow(ssl.create_default_context())",
    "absent": "os.environ['SSL_CERT_FILE'] = 'none'\nshow(ssl.create_default_context())",
    "key and list": "open(bundle, 'a').write(open('server.pem').read() + open('crl.pem').read())\n"
                    "c = ssl.create_default_context()\nshow(c)\n"
                    "c.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF\nprint(attempt(c))",
    "revoked": "open(bundle, 'a').write(open('crl.pem').read())\n"
               "c = ssl.create_default_context()\n"
               "c.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF\nprint(attempt(c))\nshow(c)",
    "threads": "c = ssl.create_default_context()\nfound = []\n"
               "ts = [threading.Thread(target=lambda: found.append(attempt(c)))"
               " for _ in range(8)]\n[t.start() for t in ts]\n[t.join() for t in ts]\n"
               "print(found)\nshow(c)",
    "a child": "c = ssl.create_default_context()\nif os.fork() == 0:\n"
               "    print(attempt(c), flush=True)\n    os._exit(0)\nos.wait()\nprint(attempt(c))",
    "never used": "import gc\nfor _ in range(50):\n    c = ssl.create_default_context()\n"
                  "del c\ngc.collect()\nprint('done')",
}  # fmt: skip


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ca.pem, the server's of it; other.pem; a list that revokes the server's."""
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    for name in "ca", "other":
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "99", "-keyout",
                f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}")  # fmt: skip
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-out",
            "server.csr", "-subj", "/CN=localhost")  # fmt: skip
    (folder / "names").write_text("subjectAltName=DNS:localhost\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days",
            "99", "-set_serial", "77", "-extfile", "names", "-out", "server.crt")  # fmt: skip
    texts = [(folder / name).read_text() for name in ("server.key", "server.crt")]
    (folder / "server.pem").write_text("".join(texts))
    (folder / "index.txt").write_text("")
    (folder / "ca.conf").write_text(
        "[ca]\ndefault_ca=all\n[all]\ndatabase=index.txt\ndefault_md=sha256\n"
    )
    common = ["ca", "-config", "ca.conf", "-cert", "ca.pem", "-keyfile", "ca.key"]
    openssl(*common, "-revoke", "server.crt")
    openssl(*common, "-gencrl", "-crldays", "99", "-out", "crl.pem")
    return folder


@pytest.mark.parametrize("name", USES)
def test_nobody_can_tell(certificates: Path, name: str) -> None:
    script = dedent(HEAD) + USES[name]
    outs = []
    for python in PYTHON, BASE:
        (certificates / "bundle.pem").write_bytes((certificates / "ca.pem").read_bytes())
        env: Dict[str, str] = {"SSL_CERT_FILE": "bundle.pem", "SSL_CERT_DIR": "/none"}
        done = run([python, "-c", script], env=env, cwd=certificates)
        assert (done.code, done.err) == (0, b""), done.err.decode()
        outs.append(done.text)
    assert outs[0] == outs[1]
    assert outs[0]


def test_they_are_not_parsed_at_once(certificates: Path) -> None:
    """Hundreds of contexts would take seconds with a large file."""
    (certificates / "large.pem").write_bytes((certificates / "ca.pem").read_bytes() * 2000)
    script = "import ssl, time\nstart = time.process_time()\nfor _ in range(20):\n" \
             "    ssl.create_default_context()\nprint(time.process_time() - start)"  # fmt: skip
    env = {"SSL_CERT_FILE": "large.pem"}
    slow, fast = (
        float(run([python, "-c", script], env=env, cwd=certificates).out)
        for python in (PYTHON, BASE)
    )
    assert fast < slow / 4
