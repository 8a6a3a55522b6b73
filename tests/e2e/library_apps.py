# SPDX-License-Identifier: Apache-2.0
"""Applications that use libraries with shared objects: {name: (text, projects)}."""

from __future__ import annotations

from typing import Dict, List, Tuple

# What every application does with its libraries: at once, in threads, in the
# child of a fork, and after it.
MAIN = """
def main():
    import os, sys, threading
    use()
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.stdout.flush()
    if os.fork() == 0:
        use()
        sys.stdout.flush()
        os._exit(0)
    os.wait()
    use()

def work():
    import contextlib, io
    for _ in range(3):
        step()
"""

DATA = """\
import _cffi_backend, cffi, lxml.etree, lxml.html, lxml.objectify, markupsafe, msgpack, orjson
import regex, wrapt, yaml, zope.interface

class Thing(zope.interface.Interface):
    pass

@zope.interface.implementer(Thing)
class A:
    pass

@wrapt.decorator
def more(wrapped, instance, args, kwargs):
    return wrapped(*args, **kwargs) + 1

@more
def one(x):
    return x

SHEET = '''<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:template match="/"><o><xsl:value-of select="count(//b)"/></o></xsl:template>
</xsl:stylesheet>'''

def step():
    text = yaml.dump({"a": [1, 2.5, "x"]}, Dumper=yaml.CDumper)
    assert yaml.load(text, Loader=yaml.CSafeLoader) == {"a": [1, 2.5, "x"]}
    assert msgpack.unpackb(msgpack.packb({"a": [1, b"x"]})) == {"a": [1, b"x"]}
    assert orjson.loads(orjson.dumps({"a": [1, 2.5, None]})) == {"a": [1, 2.5, None]}
    tree = lxml.etree.fromstring("<a><b x='1'>t</b><b/></a>")
    assert tree.xpath("//b[@x]/text()") == ["t"]

def use():
    step()
    print(markupsafe.escape("<a>"), markupsafe._speedups.__name__)
    for bad in ("a: [", "a: &x\\n*y"):
        try:
            yaml.load(bad, Loader=yaml.CSafeLoader)
        except yaml.YAMLError as error:
            print(type(error).__name__, error)
    try:
        orjson.loads(b"{")
    except orjson.JSONDecodeError as error:
        print(error)
    print(one(1), wrapt.ObjectProxy([1]), Thing.providedBy(A()))
    print(regex.findall(r"(?<!a)\\p{Lu}\\w+", "Über aÄx Straße"))
    tree = lxml.etree.fromstring("<a><b x='1'>t</b><b/></a>")
    print(str(lxml.etree.XSLT(lxml.etree.XML(SHEET))(tree)))
    try:
        lxml.etree.fromstring("<a>")
    except lxml.etree.XMLSyntaxError as error:
        print(error)
    print(lxml.html.fromstring("<p>x<br>y").text_content())
    ffi = cffi.FFI()
    ffi.cdef("int abs(int);")
    print(ffi.dlopen(None).abs(-3), ffi.callback("int(int)", lambda x: x + 1)(4))
"""

WEB = """\
import aiohttp, aiohttp.web, asyncio, charset_normalizer, flask, requests

app = flask.Flask(__name__)

@app.route("/<name>")
def hello(name):
    return flask.render_template_string("<p>{{ name }}", name=name)

async def serve():
    async def answer(request):
        return aiohttp.web.json_response({"q": request.query["q"]})
    web = aiohttp.web.Application()
    web.router.add_get("/", answer)
    runner = aiohttp.web.AppRunner(web)
    await runner.setup()
    site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    async with aiohttp.ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{port}/?q=%C3%BC") as response:
            print(await response.json())
    await runner.cleanup()

def step():
    assert app.test_client().get("/%3Cb%3E").data == b"<p>&lt;b&gt;"

def use():
    step()
    print(requests.Request("GET", "http://a/b", params={"c": "ü"}).prepare().url)
    text = "Всеки човек има право на образование.".encode("cp1251")
    print(charset_normalizer.from_bytes(text).best().encoding)
    asyncio.run(serve())
"""

MODELS = """\
import cryptography.fernet, pydantic, sqlalchemy, sqlalchemy.orm
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

class Base(sqlalchemy.orm.DeclarativeBase):
    pass

class User(Base):
    __tablename__ = "users"
    id: sqlalchemy.orm.Mapped[int] = sqlalchemy.orm.mapped_column(primary_key=True)
    name: sqlalchemy.orm.Mapped[str]

class Model(pydantic.BaseModel):
    a: int
    b: list[str] = []

def step():
    assert Model(a="3", b=["x"]).model_dump() == {"a": 3, "b": ["x"]}

def use():
    import sys
    if sys.argv[1:] == ["keys"]:
        print(cryptography.fernet.Fernet.generate_key().decode())
        print(ed25519.Ed25519PrivateKey.generate().private_bytes_raw().hex())
        return
    step()
    print(AESGCM(b"k" * 16).encrypt(b"n" * 12, b"data", None).hex())
    print(ed25519.Ed25519PrivateKey.from_private_bytes(b"s" * 32).sign(b"m").hex())
    engine = sqlalchemy.create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with sqlalchemy.orm.Session(engine) as session:
        session.add_all([User(name="a"), User(name="b")])
        session.commit()
        users = session.scalars(sqlalchemy.select(User).where(User.name > "a"))
        print([(user.id, user.name) for user in users])
    print(Model(a="3", b=["x"]).model_dump_json(), Model.model_json_schema())
    try:
        Model(a="x", b=1)
    except pydantic.ValidationError as error:
        print(error)
"""

NUMBERS = """\
import numpy, numpy.fft, numpy.linalg

KEPT = numpy.arange(9.0).reshape(3, 3) + numpy.eye(3)

def step():
    a = numpy.arange(10000.0).reshape(100, 100) + 500 * numpy.eye(100)
    assert numpy.allclose(numpy.linalg.inv(a) @ a, numpy.eye(100))

def use():
    step()
    print(KEPT, numpy.fft.fft(numpy.arange(5.0)), numpy.float64("1e400"))
    random = numpy.random.default_rng(1)
    a = random.normal(size=(300, 300))
    print(repr((a @ a).sum()), repr(numpy.linalg.svd(a)[1][:3]), numpy.sin(a[0, :3]))
    print(numpy.array(["b", "a"]).astype("U3"), numpy.dtype("M8[ns]"))
    try:
        numpy.linalg.inv(numpy.zeros((2, 2)))
    except numpy.linalg.LinAlgError as error:
        print(error)
"""

NATIVES = """\
import greenlet, PIL.Image, psycopg2
import PIL._imagingcms, PIL._webp

def add(x):
    return greenlet.getcurrent().parent.switch(x + 1)

def fail():
    raise ValueError("in a greenlet")

def step():
    inner = greenlet.greenlet(add)
    assert (inner.switch(1), inner.switch(5), inner.dead) == (2, 5, True)

def use():
    import hashlib, io
    step()
    image = PIL.Image.new("RGB", (64, 64), "red")
    image.paste("blue", (3, 3, 50, 60))
    for kind in "PNG", "JPEG", "WEBP", "TIFF", "JPEG2000", "GIF":
        stream = io.BytesIO()
        image.save(stream, kind)
        print(kind, hashlib.sha256(stream.getvalue()).hexdigest())
        stream.seek(0)
        print(PIL.Image.open(stream).resize((7, 7)).tobytes()[:6])
    print(psycopg2.__libpq_version__)
    try:
        psycopg2.connect("host=/nonexistent dbname=x user=x")
    except psycopg2.OperationalError as error:
        print(str(error)[:60])
    for bad in fail, 3:
        try:
            greenlet.greenlet(bad).switch()
        except (TypeError, ValueError) as error:
            print(type(error).__name__, error)
"""

APPS = {
    "data": (DATA, ["cffi", "lxml", "markupsafe", "msgpack", "orjson", "pyyaml",
                    "regex", "wrapt", "zope.interface"]),
    "web": (WEB, ["aiohttp", "flask", "requests"]),
    "models": (MODELS, ["cryptography", "pydantic", "sqlalchemy"]),
    "natives": (NATIVES, ["greenlet", "pillow", "psycopg2-binary"]),
    "numbers": (NUMBERS, ["numpy"]),
}  # fmt: skip


def recipe(name: str) -> Tuple[List[str], Dict[str, str]]:
    """The arguments and sources of its PEX."""
    text, projects = APPS[name]
    return [*projects, "-e", f"{name}_app:main"], {f"{name}_app.py": text + MAIN}
