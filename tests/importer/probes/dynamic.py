# SPDX-License-Identifier: Apache-2.0
"""What a program changes while it runs: search paths, finders, hooks."""

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import pathlib
import sys
import threading
import types
import zipfile
import zipimport


def put(path, text=""):
    path = os.path.join(SCRATCH, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    importlib.invalidate_caches()


def imported(name):
    for known in list(sys.modules):
        if known == name.split(".")[0] or known.startswith(
                name.split(".")[0] + "."):
            del sys.modules[known]
    return describe_module(importlib.import_module(name))


# --- search paths ----------------------------------------------------------

put("real/demo_single.py", "REAL = 1\n")
put("real/only_real.py", "import demo.plain\n")
sys.path.append(SCRATCH + "/real")
attempt("tree first", imported, "demo_single")
attempt("real module", imported, "only_real")
sys.path.insert(0, SCRATCH + "/real")
attempt("real first", imported, "demo_single")
del sys.path[0]
attempt("tree again", imported, "demo_single")
sys.path.insert(0, SITE + "/demo/sub")
attempt("folder of the tree", imported, "sibling")
sys.path[0] = SITE + "/demo/data/../sub/"
attempt("odd spelling", imported, "sibling")
sys.path[0] = os.fspath(SITE + "//demo")
attempt("doubled slash", imported, "plain")
sys.path[0] = pathlib.Path(SITE, "demo")
attempt("a Path", imported, "twin_a")
sys.path[0] = (SITE + "/demo").encode()
attempt("bytes", imported, "twin_b")
sys.path[0] = SITE + "/demo/plain.py"
attempt("a file", imported, "crlf")
sys.path[0] = ""
os.chdir(SCRATCH + "/real")
attempt("current folder", imported, "demo_single")
os.chdir(SITE)
attempt("current folder in the tree", imported, "demo_single")
sys.path[0] = "demo"
attempt("relative", imported, "empty")
os.chdir("/")
del sys.path[0]
whole = list(sys.path)
sys.path = tuple(whole)
attempt("a tuple", imported, "demo.empty")
sys.path = iter([SITE])
attempt("an iterator", imported, "demo_single")
sys.path = None
attempt("no path", imported, "demo_single")
del sys.path
attempt("path deleted", imported, "demo_single")
sys.path = whole
record("importer cache", {
    key: type(value).__name__ for key, value in sys.path_importer_cache.items()
    if key.startswith((ROOT, SCRATCH))})
record("finders", [repr(sys.path_importer_cache[p])
                   for p in (SITE, SITE + "/demo")])
sys.path_importer_cache.clear()
attempt("after clear", imported, "demo.sub.leaf")
sys.path_importer_cache[SITE] = None
attempt("finder of None", imported, "demo_single")
sys.path_importer_cache.clear()
importlib.invalidate_caches()


class OldFinder:
    """Without find_spec, as finders were before 3.4."""


sys.path_importer_cache[SCRATCH + "/old"] = OldFinder()
sys.path.insert(0, SCRATCH + "/old")
attempt("old finder", imported, "demo_single")
del sys.path[0]

# --- namespace packages ----------------------------------------------------

put("real/space/three.py", "THREE = __name__\n")
put("real/space/shared/from_real.py", "")
attempt("namespace", imported, "space")
attempt("namespace real", imported, "space.three")
attempt("namespace tree", imported, "space.two")
attempt("namespace shared", imported, "space.shared.from_real")
import space

put("later/space/four.py", "FOUR = 4\n")
sys.path.append(SCRATCH + "/later")
record("namespace grows", [list(space.__path__),
                           importlib.import_module("space.four").FOUR])
sys.path.remove(SCRATCH + "/later")
record("namespace shrinks", list(space.__path__))
record("namespace itself", [repr(space.__path__), len(space.__path__),
                            space.__path__[0], SITE in space.__path__])
attempt("namespace append", space.__path__.append, SITE + "/demo")
record("namespace appended",
       importlib.import_module("space.plain").__file__)
put("later/space/__init__.py", "")
sys.path.insert(0, SCRATCH + "/later")
attempt("package hides namespace", imported, "space")
del sys.path[0]
put("real/demo/extended/more.py", "MORE = 1\n")
put("real/demo/extended/__init__.py", "")
attempt("extend_path", imported, "demo.extended")

# --- zip files -------------------------------------------------------------

with zipfile.ZipFile(SCRATCH + "/real.zip", "w") as z:
    z.writestr("from_zip.py", "def f():\n    return __file__\n")
    z.writestr("space/five.py", "")
sys.path.append(SCRATCH + "/real.zip")
sys.path.append(SITE + "/demo/inner.zip")
attempt("real zip", imported, "from_zip")
attempt("zip in the tree", imported, "zipped")
attempt("package of a zip in the tree", imported, "zipped_package")
record("zip data", sys.modules["zipped_package"].__loader__.get_data(
    SITE + "/demo/inner.zip/zipped_package/data.txt").hex())
attempt("zip namespace", imported, "space.five")
attempt("zipimporter", lambda: repr(zipimport.zipimporter(
    SITE + "/demo/inner.zip")))
attempt("zipimporter of no zip", zipimport.zipimporter, SITE + "/demo/plain.py")
del sys.path[-2:]

# --- finders and hooks of the program --------------------------------------

log = []


class Watcher(importlib.abc.MetaPathFinder):
    def find_spec(self, fullname, path, target=None):
        log.append([fullname, None if path is None else list(path),
                    target and target.__name__])
        return None


class Replacer(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, fullname, path, target=None):
        if fullname == "demo.plain":
            return importlib.util.spec_from_loader(fullname, self)
        return None

    def exec_module(self, module):
        module.REPLACED = True


path_finder = sys.meta_path.index(importlib.machinery.PathFinder)
for where, index in (("first", 0), ("before PathFinder", path_finder),
                     ("last", len(sys.meta_path))):
    for finder in (Watcher(), Replacer()):
        log.clear()
        sys.meta_path.insert(index, finder)
        attempt(f"{type(finder).__name__} {where}", imported, "demo.plain")
        attempt(f"{type(finder).__name__} {where}, absent", imported,
                "demo.absent")
        importlib.reload(sys.modules["demo"])
        sys.meta_path.remove(finder)
        record(f"seen by {type(finder).__name__} {where}", list(log))


def hook(path):
    log.append(path)
    raise ImportError


log.clear()
sys.path_hooks.insert(0, hook)
sys.path_importer_cache.clear()
attempt("hook first", imported, "demo.sub.leaf")
record("seen by the hook", [p for p in log if p.startswith(SITE)])


class Tracing(importlib.machinery.SourceFileLoader):
    def exec_module(self, module):
        super().exec_module(module)
        module.TRACED = True


sys.path_hooks[0] = importlib.machinery.FileFinder.path_hook(
    (Tracing, [".py"]))
sys.path_importer_cache.clear()
attempt("own loader", imported, "demo.sub.leaf")
del sys.path_hooks[0]
sys.path_importer_cache.clear()
hooks, sys.path_hooks = sys.path_hooks, [zipimport.zipimporter]
attempt("zip hook alone", imported, "demo")
sys.path_hooks = hooks
sys.path_importer_cache.clear()
importlib.import_module("demo")

# --- modules at run time ---------------------------------------------------

attempt("pycache_prefix", lambda: setattr(
    sys, "pycache_prefix", SCRATCH + "/cache") or imported("demo.plain"))
sys.pycache_prefix = None
sys.implementation.cache_tag = None
attempt("no cache tag", imported, "demo.plain")
sys.implementation.cache_tag = "other-1"
attempt("other cache tag", imported, "demo.plain")
sys.implementation.cache_tag = "cpython-311"

results = []
for known in [n for n in sys.modules if n.split(".")[0] == "demo"]:
    del sys.modules[known]
threads = [threading.Thread(target=lambda: results.append(
    importlib.import_module("demo.sub.leaf").LEAF)) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
record("threads", results)


def stacked(name, *arguments):
    real = __builtins__["__import__"]
    calls = []

    def wrapped(*args, **more):
        if args[0] != "_io":  # which CPython imports to open a file
            calls.append(args[0])
        return real(*args, **more)

    __builtins__["__import__"] = wrapped
    try:
        imported(name)
    finally:
        __builtins__["__import__"] = real
    return calls


if isinstance(__builtins__, dict):
    attempt("__import__ replaced", stacked, "demo.sub.leaf")
module = types.ModuleType("by_hand")
module.__path__ = [SITE + "/demo"]
sys.modules["by_hand"] = module
attempt("__path__ by hand", lambda: describe_module(
    importlib.import_module("by_hand.plain")))
record("__import__", [
    __import__("demo.sub.leaf").__name__,
    __import__("demo.sub", fromlist=["leaf", "absent"]).__name__,
    __import__("sub", {"__package__": "demo"}, None, ["leaf"], 1).__name__])
events = []
sys.addaudithook(lambda event, arguments: events.append(arguments[0])
                 if event == "import" else None)
imported("demo.sub.leaf")
record("audit", events)
