# SPDX-License-Identifier: Apache-2.0
"""Modules on standby: what functions import is ready in the snapshot, and
nobody can tell."""

from __future__ import annotations

from textwrap import dedent
from typing import Callable

import pytest
from conftest import App
from test_snapshot import alike, start  # noqa: F401

MAIN = """\
    import io, os, re, sys, values, weakref

    def ready(module):
        import gc  # which has what was there from the start in the oldest generation
        return not any(o is module for i in (0, 1) for o in gc.get_objects(i))

    def look(before):
        for name in list(sys.modules):
            if name not in before:
                module = sys.modules[name]
                spec = module.__spec__
                print(name, list(vars(module)), spec, module.__loader__ is spec.loader,
                      getattr(module, "__path__", None) is spec.submodule_search_locations,
                      getattr(module, "__file__", None) == spec.origin)
                parent, _, tail = name.rpartition(".")
                if parent:
                    print(getattr(sys.modules[parent], tail) is module)

    def library():
        before = set(sys.modules)
        print([c.__name__ for c in io.RawIOBase.__subclasses__()])
        import shutil, textwrap, heapq, struct, bz2, zlib
        look(before)
        print([c.__name__ for c in io.RawIOBase.__subclasses__()])
        print(bz2.BZ2Compressor is sys.modules["_bz2"].BZ2Compressor, zlib.crc32(b"x"))
        print(textwrap.fill("a b " * 40), shutil.which("/nothing"), struct.pack("i", 1))
        return shutil, textwrap, zlib, sys.modules["_bz2"]

    def package():
        before = set(sys.modules)
        import json
        look(before)
        import html.parser
        look(before)
        print(json.loads("[1]"), html.parser.unescape is html.unescape)
        return json, json.decoder, html, html.parser

    def changed_value():
        import _compression
        _compression.BaseStream = io.BytesIO
        import bz2
        print(bz2.BZ2File.mro())

    def changed_class():
        io.RawIOBase.flavour = "sour"
        import _compression, bz2
        print(_compression.DecompressReader.flavour, bz2.BZ2File.mro())
        print([c.__name__ for c in io.RawIOBase.__subclasses__()])

    def replaced():
        module = type(sys)("fnmatch")
        module.fnmatch = "other"
        sys.modules["fnmatch"] = module
        import shutil
        print(shutil.fnmatch.fnmatch, list(vars(shutil))[:12])

    def builtin():
        import builtins
        kept = builtins.__import__
        names = []
        def import_(name, *rest):
            names.append(name)
            return kept(name, *rest)
        builtins.__import__ = import_
        import shutil
        builtins.__import__ = kept
        print(names)

    def finder():
        class Finder:
            def find_spec(self, name, path=None, target=None):
                print("asked for", name, path)
        sys.meta_path.insert(0, Finder())
        import textwrap, bz2
        return textwrap, bz2

    def own_finder():
        class Finder:
            def find_spec(self, name, path=None, target=None):
                if name == "_compression":
                    from importlib.machinery import ModuleSpec
                    return ModuleSpec(name, self)
            def create_module(self, spec):
                return None
            def exec_module(self, module):
                module.DecompressReader = None
                module.BaseStream = object
                module.deep = "from the finder"
        sys.meta_path.insert(0, Finder())
        import bz2
        print(bz2._compression.deep, list(vars(bz2)), bz2.BZ2File.mro())

    def finder_class():
        finder = sys.meta_path[0]
        real = type(finder).find_spec
        def find_spec(self, name, *rest):
            print("asked for", name)
            return real(self, name, *rest)
        type(finder).find_spec = find_spec
        import textwrap

    def entry_finder():
        class Finder:
            def find_spec(self, name, target=None):
                print("asked for", name)
                return real.find_spec(name, target)
        for path, real in list(sys.path_importer_cache.items()):
            if path == os.path.dirname(os.__file__):
                sys.path_importer_cache[path] = Finder()
                break
        import textwrap

    def path_of_package():
        import html
        html.__path__.insert(0, os.getcwd())
        with open("parser.py", "w") as stream:
            stream.write("from_disk = True\\n")
        import html.parser
        print(html.parser.from_disk)

    def other_package():
        import html
        del sys.modules["html"]
        import html.parser as parser
        print(sys.modules["html"] is html, parser.__name__)

    def path_hook():
        def hook(path):
            print("asked for", path)
            raise ImportError
        sys.path_hooks.insert(0, hook)
        import html.parser

    def importlib_function():
        import importlib._bootstrap as bootstrap
        real = bootstrap._find_spec
        def find_spec(name, path, target=None):
            print("asked for", name)
            return real(name, path, target)
        bootstrap._find_spec = find_spec
        import shutil

    def audited():
        def hook(event, arguments):
            if event == "import":
                print(arguments[0])
        sys.addaudithook(hook)
        import shutil

    def path():
        with open("textwrap.py", "w") as stream:
            stream.write("from_disk = True\\n")
        sys.path.insert(0, os.getcwd())
        import textwrap
        print(textwrap.from_disk)

    def traced():
        seen = []
        def trace(frame, event, argument):
            seen.append((frame.f_code.co_name, frame.f_globals["__name__"]))
            return trace
        sys.settrace(trace)
        import textwrap
        sys.settrace(None)
        print(("<module>", "textwrap") in seen)

    def by_hand():
        import importlib.util
        spec = importlib.util.find_spec("textwrap")
        module = importlib.util.module_from_spec(spec)
        print(list(vars(module)))
        spec.loader.exec_module(module)
        print(module.fill("text"))
        import textwrap
        print(textwrap is module)
        return [textwrap]

    def again():
        import importlib, textwrap
        textwrap.fill = textwrap.extra = None
        importlib.reload(textwrap)
        print(textwrap.fill("text"), textwrap.extra)
        del sys.modules["textwrap"]
        old = textwrap
        import textwrap
        print(textwrap is old, textwrap.fill("text"))

    def settings():
        values.settings["debug"] = True
        import reads
        print(reads.debug)

    def unclean():
        import logging
        print(logging.root.manager.loggerDict)
        import concurrent.futures
        print(*logging.root.manager.loggerDict)

    def threads():
        import _thread, time
        lock = _thread.allocate_lock()
        found = []
        def work():
            import shutil, html.parser
            found.append((shutil, html.parser))
        for i in range(20):
            _thread.start_new_thread(work, ())
        while len(found) < 20:
            time.sleep(0.001)
        print(len(set(found)))
        return found[0]

    def main():
        name, *rest = sys.argv[1:]
        modules = globals()[name]()
        if rest:
            print([m.__name__ for m in modules or () if not ready(m)])
            print([m.__name__ for m in modules or () if not ready(m.__spec__)])
    """

SOURCES = {
    "standby.py": MAIN,
    "values.py": "settings = {}\n",
    "reads.py": "from values import settings\ndebug = settings.get('debug')\n",
}
READY = ["library", "package", "finder", "by_hand", "threads"]
CHANGED = [
    *("changed_value", "changed_class", "replaced", "builtin", "own_finder"),
    *("finder_class", "entry_finder", "importlib_function", "audited"),
    *("other_package", "path_of_package", "path_hook"),
    *("path", "traced", "again", "settings", "unclean"),
]


@pytest.fixture(scope="session")
def app(make_app: Callable[..., App]) -> App:
    sources = {name: dedent(text) for name, text in SOURCES.items()}
    return make_app("-e", "standby:main", sources=sources)


@pytest.mark.parametrize("scenario", [*READY, *CHANGED])
def test_nobody_can_tell(start, app: App, scenario: str) -> None:  # noqa: F811
    restored = start(app, scenario)
    alike(restored, start(app, scenario, env={"PEXCZ_SNAPSHOT": "0"}))
    assert restored.code == 0, restored.err.decode()


@pytest.mark.parametrize("scenario", READY)
def test_is_ready(start, app: App, scenario: str) -> None:  # noqa: F811
    """The modules do come from the snapshot."""
    got = start(app, scenario, "x")
    assert got.text.splitlines()[-2] == "[]"


@pytest.mark.parametrize("scenario", ["library", "package"])
def test_needs_no_importlib(start, app: App, scenario: str) -> None:  # noqa: F811
    """Which would make new specs."""
    got = start(app, scenario, "x")
    assert got.text.splitlines()[-1] == "[]"
