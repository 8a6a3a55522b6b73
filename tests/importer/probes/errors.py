# SPDX-License-Identifier: Apache-2.0
"""Imports that fail, and circular ones."""

import importlib
import importlib.util
import sys

for statement in """
import absent
import demo.absent
import demo.plain.absent
import demo.absent.deeper
import absent.deeper
import space.absent
import demo.data.absent
from demo import absent
from demo.plain import absent
from demo.sub import absent
from space import absent
from demo._ext import absent
from demo.absent import x
from json import absent
from . import x
import demo.bad.missing
import demo.bad.name
import demo.bad.beyond
import demo.bad.body
import demo.bad.chain
import demo.bad.syntax
import demo.bad.indent
import demo.bad.encoding
import demo.bad.not_utf8
import demo.bad.nul
import demo.bad.magic
import demo.bad.short
import demo.bad.no_code
import demo.bad._ext
import demo.bad.exits
import demo.bad.package
import demo.bad.package.sub
from demo.bad.package import sub
from demo.bad import package
import demo.circular.a
from demo.circular.b import get
import demo.circular.c
import demo.circular.d
import demo.circular.e
import demo.circular.f
from demo import bad, circular
import demo.both.absent
import demo.dirless.note
import demo.inner
import demo.data.greeting
import sys.absent
import math.absent
""".strip().splitlines():
    attempt(statement, lambda: exec(statement, {"__name__": "probe"}))
    record(f"after {statement}",
           sorted(n for n in sys.modules if n.split(".")[0] in ("demo", "space")))
for name in ("", ".", ".demo", "demo.", "demo..plain", "demo/plain", "demo\0",
             "\udcff", 3, None, b"demo", "x" * 5000, "demo.plain.x.y"):
    attempt(f"import_module {name!r:.40}", importlib.import_module, name)
    attempt(f"find_spec {name!r:.40}", importlib.util.find_spec, name)
    attempt(f"__import__ {name!r:.40}", __import__, name)
attempt("relative", importlib.import_module, ".plain")
attempt("relative to", lambda: importlib.import_module(".plain", "demo").__name__)
attempt("relative beyond", importlib.import_module, "...x", "demo.sub")
sys.modules["demo.plain"] = None
for statement in ("import demo.plain", "from demo import plain",
                  "from demo.plain import fail"):
    attempt(f"None: {statement}", lambda: exec(statement, {}))
attempt("find_spec of None", importlib.util.find_spec, "demo.plain")
del sys.modules["demo.plain"]
sys.modules["demo"].__path__ = []
attempt("empty __path__", importlib.import_module, "demo.plain")
del sys.modules["demo"].__path__
attempt("no __path__", importlib.import_module, "demo.plain")
sys.modules["demo"].__path__ = 3
attempt("odd __path__", importlib.import_module, "demo.plain")
del sys.modules["demo"].__spec__
attempt("no __spec__", importlib.util.find_spec, "demo")
sys.modules["demo"].__spec__ = None
attempt("__spec__ of None", importlib.util.find_spec, "demo")
attempt("reload", importlib.reload, "demo")
