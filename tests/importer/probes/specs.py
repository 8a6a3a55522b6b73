# SPDX-License-Identifier: Apache-2.0
"""The spec of every name that the files of the tree suggest, in every
directory of the tree, from the whole meta path and from PathFinder alone."""

import importlib.machinery
import os
import sys
import types
import warnings


def names_in(folder):
    names = {"absent", "__init__", "__main__", ""}
    for name in os.listdir(folder):
        names.add(name.split(".")[0])
    return sorted(names - {"__pycache__"})


def chain(name, path):
    for finder in sys.meta_path:
        spec = finder.find_spec(name, path, None)
        if spec is not None:
            return spec
    return None


warnings.simplefilter("error")
count = 0
sys.modules["package"] = types.ModuleType("package")
sys.modules["package"].__path__ = []
for folder, folders, files in os.walk(ROOT + "/lib"):
    if "__pycache__" in folders:
        folders.remove("__pycache__")
    where = os.path.relpath(folder, ROOT)
    for name in names_in(folder):
        key = f"{where}: {name}"
        spec = chain(f"package.{name}", [folder])
        record(key, describe_spec(spec))
        again = importlib.machinery.PathFinder.find_spec(
            f"package.{name}", [folder])
        if describe_spec(spec) != describe_spec(again):
            record(key + " (PathFinder)", describe_spec(again))
        entry = sys.path_importer_cache[folder].find_spec(f"package.{name}")
        record(key + " (entry)", describe_spec(entry))
        count += spec is not None
record("found", count)

# Other spellings of a search path, and what no search path should be.
for path in ([SITE + "/"], [SITE + "//"], [SITE + "/."], [SITE + "/demo/.."],
             [SITE.replace("/lib/", "//lib/")], [SITE, SITE], [],
             [SITE + "/absent", SITE], [SITE + "/demo/plain.py", SITE],
             [3, None, SITE], (SITE,), iter([SITE]), [SITE.encode()],
             ["/", "/proc", SITE], [ROOT], [ROOT + "/"]):
    text = repr(path) if not hasattr(path, "__next__") else "iterator"
    attempt(f"path {text}", lambda: describe_spec(chain("demo", path)))
for name in ("demo.plain", "demo/plain", "../demo", ".", "..", "demo\0", "x" * 300,
             "\udc80", "x.\udcff", "d\u00e9mo", "", ".demo", "demo."):
    attempt(f"name {name!r}", lambda: describe_spec(chain(name, [SITE])))
for bad in (None, 3, b"demo", SITE):
    attempt(f"bad path {bad!r}",
            lambda: describe_spec(chain("demo_absent", bad)))
class Text(str):
    pass


attempt("subclasses of str",
        lambda: describe_spec(chain(Text("demo"), [Text(SITE)])))
