# SPDX-License-Identifier: Apache-2.0
"""The modules themselves: attributes, in order, of everything importable."""

import importlib
import importlib.util
import sys

GOOD = """
demo demo.plain demo.empty demo.crlf demo.opt demo.twin_a demo.twin_b demo.both
demo.dirless demo._ext demo._stable demo.\u00fcml\u00e4ut demo.sub demo.sub.leaf
demo.sub.sibling demo.sub.deep demo.sub.deep.inside demo.data demo.data.nested
demo.circular.a demo.latin demo.bom demo.sourceless demo.sourceless_package
demo.sourceless_package.inner demo.extended demo.extended.own demo.attributes
demo_single space space.one space.two space.shared space.shared.from_one
space.shared.from_two space.only demo.__init__ demo.__main__
""".split()

for name in GOOD:
    record(name, describe_module(importlib.import_module(name)))
    record(f"in sys.modules {name}", name in sys.modules)
for name in ("json", "email.mime.text", "encodings.utf_8", "os", "zipimport",
             "collections.abc", "ssl", "site",
             "abc", "codecs", "io", "runpy",
             "importlib", "importlib.util", "importlib.machinery", "__hello__",
             "__phello__", "__phello__.spam", "this"):
    record(name, describe_module(importlib.import_module(name)))
# The interpreter makes these by steps, some of them before it knows paths.
for name in ("_frozen_importlib", "_frozen_importlib_external"):
    described = describe_module(sys.modules[name])
    described["names"].sort()
    del described["spec"]["loader_state"]
    record(name, described)
import demo

record("children of demo", sorted(n for n in vars(demo) if n[:2] != "__"))
record("values", [
    importlib.import_module(f"demo.{name}").__dict__.get(attribute)
    for name, attribute in (
        ("both", "KIND"), ("dirless", "KIND"), ("_ext", "KIND"),
        ("latin", "TEXT"), ("bom", "TEXT"), ("crlf", "X"), ("opt", "DEBUG"),
        ("sub", "LEAF"), ("sub.deep.inside", "I"))
] + [demo._ext.answer(), demo._stable.answer()])
record("attributes seen by a module", {
    key: value for key, value in vars(demo.attributes).items() if key.isupper()})
record("twins", [demo.twin_a.where(), demo.twin_b.where()])
import demo.swapped

record("swapped", [repr(sys.modules["demo.swapped"]), repr(demo.swapped)])
from demo import *

record("star", [plain.__name__, sorted(n for n in dir() if n == "VALUE")])

# A second module of the same spec; a lazy one; a reloaded one.
spec = importlib.util.find_spec("demo.reloaded")
module = importlib.util.module_from_spec(spec)
record("not yet executed", describe_module(module))
spec.loader.exec_module(module)
spec.loader.exec_module(module)
record("executed twice", module.COUNT)
import demo.reloaded

before = demo.reloaded.__spec__
record("reloaded", [importlib.reload(demo.reloaded) is demo.reloaded,
                    demo.reloaded.COUNT, demo.reloaded.__spec__ is before,
                    describe_module(demo.reloaded)])
record("reloaded package", describe_module(importlib.reload(demo.sub)))
record("reloaded namespace", describe_module(importlib.reload(space)
                                             if "space" in dir() else
                                             importlib.reload(
                                                 sys.modules["space"])))
del sys.modules["demo.empty"]
spec = importlib.util.find_spec("demo.empty")
spec.loader = importlib.util.LazyLoader(spec.loader)
lazy = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lazy)
record("lazy", [type(lazy).__name__, lazy.__doc__, type(lazy).__name__])
