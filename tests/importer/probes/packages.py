# SPDX-License-Identifier: Apache-2.0
"""pkgutil, importlib.metadata and importlib.resources."""

import importlib.metadata
import importlib.resources
import os
import pkgutil
import sys
import warnings
import zipfile

# --- pkgutil ---------------------------------------------------------------


def described(info):
    finder = info.module_finder
    return [type(finder).__name__, getattr(finder, "path", None), info.name,
            info.ispkg]


for path in ([SITE], [SITE + "/demo"], [SITE + "/space"], [SITE + "/demo/sub"],
             [STDLIB], [STDLIB + "/email", STDLIB + "/json"], [SITE + "/absent"]):
    record(f"iter_modules {path}",
           [described(i) for i in pkgutil.iter_modules(path, "prefix.")])
record("iter_modules", [described(i) for i in pkgutil.iter_modules()])
errors = []
record("walk_packages", [
    described(i) for i in pkgutil.walk_packages([SITE], onerror=errors.append)])
record("walk_packages errors", errors)
record("importers", [type(i).__name__ for i in pkgutil.iter_importers("demo.sub")])
record("get_importer", [repr(pkgutil.get_importer(p))
                        for p in (SITE, SITE + "/demo/plain.py", "/absent")])
attempt("get_data", lambda: pkgutil.get_data("demo", "data/bytes.bin").hex())
attempt("get_data absent", pkgutil.get_data, "demo", "data/absent")
attempt("get_data namespace", pkgutil.get_data, "space", "x")
attempt("resolve_name", lambda: pkgutil.resolve_name("demo.plain:Thing.method")
        .__qualname__)
attempt("resolve_name absent", pkgutil.resolve_name, "demo.plain:absent")
warnings.simplefilter("ignore")
for name in ("demo", "demo.plain", "space", "absent", "demo.sub.leaf"):
    attempt(f"find_loader {name}",
            lambda: describe_loader(pkgutil.find_loader(name)))
    attempt(f"get_loader {name}",
            lambda: describe_loader(pkgutil.get_loader(name)))
warnings.resetwarnings()

# --- importlib.metadata ----------------------------------------------------

metadata = importlib.metadata
record("distributions", sorted(
    [d.name, d.version, str(d.locate_file("")), type(d).__name__]
    for d in metadata.distributions()))
record("distributions by path", sorted(
    d.name for d in metadata.distributions(path=[SITE, ROOT])))
for name in ("demo", "Space.One", "space_two", "absent", ""):
    attempt(f"version {name}", metadata.version, name)
    attempt(f"files {name}", lambda: [
        [str(f), f.size, f.hash and f.hash.value, str(f.locate())]
        for f in metadata.files(name)])
    attempt(f"metadata {name}", lambda: metadata.metadata(name).items())
    attempt(f"requires {name}", metadata.requires, name)
    attempt(f"json {name}", lambda: metadata.metadata(name).json)
demo = metadata.distribution("demo")
for name in ("RECORD", "WHEEL", "METADATA", "INSTALLER", "absent",
             "entry_points.txt", "top_level.txt"):
    record(f"read_text {name}", demo.read_text(name))
record("file contents", [
    [f.name, f.read_binary().hex()[:200]] for f in demo.files
    if f.suffix in (".py", ".txt", ".bin")])
record("entry points", sorted(map(str, metadata.entry_points())))
[one] = metadata.entry_points(group="demo.plugins", name="one")
record("entry point", [one.value, one.module, one.load().__name__, one.dist.name,
                       [str(e) for e in demo.entry_points]])
[two] = metadata.entry_points(group="demo.plugins", name="two")
record("entry point 2", [two.extras, two.attr, two.load().__qualname__])
record("packages_distributions",
       sorted(metadata.packages_distributions().items()))

# --- importlib.resources ---------------------------------------------------


def tree_of(node, depth=0):
    if node.is_file():
        data = node.read_bytes()
        return [node.name, len(data), data.hex()[:80]]
    return [node.name, node.is_dir(), [
        tree_of(c, depth + 1) for c in sorted(node.iterdir(), key=lambda c: c.name)
        if c.name != "__pycache__"]]


resources = importlib.resources
for name in ("demo", "demo.data", "demo.data.nested", "demo.sub", "space.one",
             "space.shared", "demo.sourceless_package", "json"):
    attempt(f"files {name} resources", lambda: tree_of(resources.files(name)))
    attempt(f"type {name}", lambda: [type(resources.files(name)).__name__,
                                     str(resources.files(name))])
for name in ("demo.plain", "absent", "demo._ext"):
    attempt(f"files {name} resources",
            lambda: type(resources.files(name)).__name__)
greeting = resources.files("demo") / "data" / "greeting.txt"
record("text", [greeting.read_text(), greeting.is_file(), str(greeting),
                greeting.name, (greeting.parent / "absent").is_file()])
attempt("absent", (greeting.parent / "absent").read_bytes)
with resources.as_file(greeting) as path:
    record("as_file", [str(path), path.read_text(), os.path.exists(path)])
record("as_file after", os.path.exists(path))
with resources.as_file(resources.files("demo") / "inner.zip") as path:
    record("zip", zipfile.ZipFile(path).namelist())
with greeting.open("rb") as f:
    record("open", f.read().hex())
warnings.simplefilter("ignore")
record("contents", sorted(n for n in resources.contents("demo.data")))
record("old functions", [
    resources.read_text("demo.data", "greeting.txt"),
    resources.is_resource("demo.data", "nested"),
    resources.is_resource("demo.data", "greeting.txt"),
    resources.read_binary("demo.data", "bytes.bin").hex()[:40]])
with resources.path("demo.data", "greeting.txt") as path:
    record("old path", str(path))
shared = resources.files("space.shared")
record("namespace", [str(shared / "data.txt"),
                     (shared / "data.txt").read_text(),
                     sorted(c.name for c in shared.iterdir()
                            if c.name != "__pycache__")])
attempt("namespace absent", lambda: (shared / "absent").read_text())
