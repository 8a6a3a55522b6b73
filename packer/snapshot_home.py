# SPDX-License-Identifier: Apache-2.0
"""Where pathlib and re keep $HOME, or its component: in front of snapshot_import.py
and snapshot_trace.py.

`home` tells what $HOME is: in the snapshot it is replaced in any text, and in
the lists that this file finds.
"""

import sys

HOME = home()
# Slots of pathlib.PurePath: lists of components in 3.11 and 3.13; what can be
# made anew from them, and is when it is asked for.
COMPONENTS = ("_parts", "_tail_cached")
CACHED = ("_pparts",)
# Tables of re, by patterns: one in 3.11, two in 3.13.
PATTERNS = ("_cache", "_cache2")


def all_objects():
    was_there = "gc" in sys.modules
    import gc
    if not was_there:
        del sys.modules["gc"]
    return gc.get_objects()


def paths_at_home(objects):
    """(path, list that has the home's component) of pathlib's objects."""
    module = sys.modules.get("pathlib")
    if HOME is None or not hasattr(module, "PurePath"):
        return
    component = sys.intern(HOME[1:])
    pure = module.PurePath
    slots = [vars(pure)[name] for name in COMPONENTS if name in vars(pure)]
    for path in objects:
        if pure in type(path).__mro__:
            for slot in slots:
                try:
                    parts = slot.__get__(path)
                except AttributeError:
                    continue
                if any(part is component for part in parts):
                    yield path, parts


def forget_caches(path):
    for name in CACHED:
        slot = vars(sys.modules["pathlib"].PurePath).get(name)
        if slot is not None:
            try:
                slot.__delete__(path)
            except AttributeError:
                pass


def forget_patterns():
    """re keeps them for whoever compiles the same again, and is not to blame."""
    module = sys.modules.get("re")
    tables = vars(module) if type(module) is type(sys) else {}
    for table in map(tables.get, PATTERNS):
        for key in list(table or ()):
            if any(has_home(part) or type(part) is bytes and HOME[1:].encode() in part
                   for part in key):
                del table[key]
