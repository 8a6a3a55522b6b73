# SPDX-License-Identifier: Apache-2.0
"""Namespace packages of each kind, split over wheels, user code and folders of
the real file system; .pth files."""

import importlib
import importlib.metadata
import importlib.resources
import os
import pkgutil
import site
import sys


def put(path, text=""):
    path = os.path.join(SCRATCH, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    importlib.invalidate_caches()


def forget(top):
    for known in list(sys.modules):
        if known == top or known.startswith(top + "."):
            del sys.modules[known]


def all_of(top, names):
    for name in names:
        attempt(f"{case}: {name}", lambda: describe_module(
            importlib.import_module(name)))
    package = importlib.import_module(top)
    record(f"{case}: path", list(package.__path__))
    record(f"{case}: found", sorted(
        [i.name, i.ispkg] for i in pkgutil.iter_modules(package.__path__, top + ".")))
    attempt(f"{case}: resources", lambda: sorted(
        c.name for c in importlib.resources.files(top).iterdir()
        if c.name != "__pycache__"))


EXTEND = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n"
for folder in ("first", "last"):
    for top, init in (("space", None), ("nspkg", EXTEND), ("legacy", None)):
        put(f"{folder}/{top}/{folder}.py", f"WHERE = {folder!r}\n")
        put(f"{folder}/{top}/two.py", f"WHERE = {folder!r}\n")
        if init is not None:
            put(f"{folder}/{top}/__init__.py", init)

record("legacy, as site left it", describe_module(sys.modules["legacy"]))
MODULES = {
    "space": ["space.one", "space.two", "space.shared.from_two", "space.absent"],
    "nspkg": ["nspkg.one", "nspkg.two", "nspkg.user", "nspkg.absent"],
    "legacy": ["legacy.one", "legacy.two", "legacy.user", "legacy.absent"],
}
for top, names in MODULES.items():
    case = f"{top} in the tree"
    all_of(top, names)
    for place, where in (("first", 0), ("last", len(sys.path))):
        case = f"{top}, folder {place}"
        sys.path.insert(where, f"{SCRATCH}/{place}")
        forget(top)
        all_of(top, [*names, f"{top}.{place}"])
        sys.path.remove(f"{SCRATCH}/{place}")
    forget(top)
    case = f"{top}, folders around the tree"
    sys.path[:] = [f"{SCRATCH}/first", *sys.path, f"{SCRATCH}/last"]
    all_of(top, [*names, f"{top}.first", f"{top}.last"])
    del sys.path[0], sys.path[-1]
    forget(top)
    case = f"{top} again"
    all_of(top, names)

put("with_pkg/nspkg.pkg", f"{SCRATCH}/last/nspkg\n{SITE}/demo\n# comment\n")
sys.path.append(SCRATCH + "/with_pkg")
forget("nspkg")
case = "a .pkg file"
all_of("nspkg", ["nspkg.last", "nspkg.plain", "nspkg.user"])
sys.path.pop()

# --- .pth files -------------------------------------------------------------

put("site/a.pth", f"{SITE}/demo/sub\n../last\nabsent\n\n# no\n"
    "import sys; sys.from_pth = __name__, sitedir\n")
put("site/b.pth", "import absent_module\n/never\n")
put("site/only_here.py", "HERE = 1\n")
before = list(sys.path)
site.addsitedir(SCRATCH + "/site")
record("added by .pth", [p for p in sys.path if p not in before])
record("run by .pth", sys.from_pth)
for name in ("sibling", "only_here"):
    attempt(f"by .pth: {name}", lambda: describe_module(
        importlib.import_module(name)))
sys.path[:] = before
attempt("addsitedir in the tree", lambda: sorted(
    site.addsitedir(SITE + "/demo", set())))
record("added in the tree", [p for p in sys.path if p not in before])
sys.path[:] = before

# --- an editable install ----------------------------------------------------

put("editable/src/edited/__init__.py", "WHERE = __file__\n")
put("editable/src/edited/part.py", "PART = 1\n")
put("editable/edited-3.dist-info/METADATA",
    "Metadata-Version: 2.1\nName: edited\nVersion: 3\n")
put("editable/edited-3.dist-info/entry_points.txt",
    "[demo.plugins]\nedited = edited.part:PART\n")
put("editable/__editable___edited_finder.py", f'''
import sys
from importlib.machinery import PathFinder
from importlib.util import spec_from_file_location
MAPPING = {{"edited": {SCRATCH + "/editable/src/edited"!r}}}
class Finder:
    @classmethod
    def find_spec(cls, fullname, path=None, target=None):
        if fullname in MAPPING:
            return spec_from_file_location(
                fullname, MAPPING[fullname] + "/__init__.py")
sys.meta_path.append(Finder)
''')
put("editable/__editable__.edited-3.pth", "import __editable___edited_finder\n")
site.addsitedir(SCRATCH + "/editable")
for name in ("edited", "edited.part"):
    attempt(f"editable {name}", lambda: describe_module(
        importlib.import_module(name)))
record("editable entry points", sorted(
    [e.name, e.dist.name] for e in importlib.metadata.entry_points(
        group="demo.plugins")))
record("editable version", importlib.metadata.version("edited"))
