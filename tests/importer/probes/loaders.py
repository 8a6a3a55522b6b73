# SPDX-License-Identifier: Apache-2.0
"""Every method of the loaders, with good arguments and bad ones."""

import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import pathlib
import types


def describe_code(code):
    if not isinstance(code, types.CodeType):
        return repr(code)
    return {
        "file": code.co_filename,
        "names": [code.co_name, code.co_qualname, code.co_firstlineno],
        "code": code.co_code.hex(),
        "lines": list(map(list, code.co_lines())),
        "columns": list(map(list, code.co_positions()))[:60],
        "flags": code.co_flags,
        "constants": [describe_code(c) for c in code.co_consts],
        "variables": [code.co_names, code.co_varnames, code.co_freevars],
        "exceptions": code.co_exceptiontable.hex(),
    }


def resource(loader, name):
    reader = loader.get_resource_reader(name)
    return [type(reader).__name__, str(reader.files()),
            sorted(set(reader.contents()) - {"__pycache__"})]


NAMES = """
demo demo.plain demo.empty demo.crlf demo.opt demo.twin_a demo.twin_b demo.both
demo.latin demo.bom demo.sourceless demo.sourceless_package demo._ext
demo._stable demo.sub demo.sub.leaf demo.bad.syntax demo.bad.indent
demo.bad.encoding demo.bad.not_utf8 demo.bad.nul demo.bad.magic demo.bad.short
demo.bad.no_code demo_single json email os.path this json.decoder
demo.\u00fcml\u00e4ut
""".split()

for name in NAMES:
    spec = importlib.util.find_spec(name)
    loader = spec.loader
    if isinstance(loader, type):
        continue
    for method in ("is_package", "get_filename", "get_source"):
        for argument in (name, None, "another.name"):
            attempt(f"{name} {method}({argument})", getattr(loader, method),
                    *([argument]))
        attempt(f"{name} {method}()", getattr(loader, method))
    for argument in (name, "another.name"):
        attempt(f"{name} get_code({argument})",
                lambda: describe_code(loader.get_code(argument)))
    if isinstance(loader, importlib.machinery.ExtensionFileLoader):
        attempt(f"{name} get_resource_reader",
                lambda: hasattr(loader, "get_data"))
        continue
    attempt(f"{name} get_data", lambda: loader.get_data(loader.path).hex())
    attempt(f"{name} get_resource_reader", resource, loader, name)
    attempt(f"{name} get_resource_reader(another)", resource, loader, "other")
    if hasattr(loader, "path_stats"):
        attempt(f"{name} path_stats",
                lambda: loader.path_stats(loader.path)["size"])
    record(f"{name} equal", [
        loader == type(loader)(loader.name, loader.path),
        loader == type(loader)("other", loader.path),
        loader == importlib.util.find_spec(name).loader,
        hash(loader) == hash(importlib.util.find_spec(name).loader),
        sorted(vars(loader)),
    ])
    record(f"{name} kinds", [
        c.__name__ for c in (
            importlib.abc.Loader, importlib.abc.InspectLoader,
            importlib.abc.ExecutionLoader, importlib.abc.FileLoader,
            importlib.abc.SourceLoader, importlib.abc.ResourceLoader,
            importlib.machinery.SourceFileLoader,
            importlib.machinery.SourcelessFileLoader)
        if isinstance(loader, c)])

loader = importlib.util.find_spec("demo.plain").loader
record("methods", [name for name in dir(loader)
                   if name not in ("__module__", "__weakref__", "__dict__")])
for path in (SITE + "/demo/data/bytes.bin", SITE + "/demo/inner.zip",
             pathlib.Path(SITE, "demo/data/greeting.txt"),
             (SITE + "/demo/data/greeting.txt").encode(),
             SITE + "//demo/data/../data/greeting.txt", SITE + "/demo",
             SITE + "/demo/absent", SITE + "/demo/plain.py/", "absent", "", 3,
             SITE + "/demo/data/greeting.txt\0", ROOT, "/proc/version_absent",
             SITE + "/demo/_stable.abi3.so"):
    attempt(f"get_data({path!r})",
            lambda: len(loader.get_data(path)) and loader.get_data(path).hex())
attempt("get_data(path=)",
        lambda: loader.get_data(path=SITE + "/demo/empty.py").hex())
attempt("get_code(fullname=)",
        lambda: describe_code(loader.get_code(fullname="demo.plain")))
attempt("source_to_code", lambda: describe_code(
    loader.source_to_code(b"x = 1", "somewhere.py")))
attempt("create_module", loader.create_module, loader)
attempt("load_module", lambda: describe_module(loader.load_module("demo.plain")))
for arguments in ((), ("a", "b"), ("a", "b", "c")):
    for method in ("get_code", "get_data", "exec_module", "create_module"):
        try:
            getattr(loader, method)(*arguments)
        except TypeError:
            record(f"{method}{arguments}", "TypeError")
attempt("cache", lambda: importlib.util.cache_from_source(loader.path))
attempt("find by file", lambda: describe_spec(
    importlib.util.spec_from_file_location("m", SITE + "/demo/plain.py")))


class Counting(type(loader)):
    """Derived from the loader that a spec has, as some profilers do."""

    def source_to_code(self, data, path, **more):
        return super().source_to_code(b"CHANGED = True\n", path, **more)


spec = importlib.util.spec_from_file_location(
    "m", SITE + "/demo/plain.py",
    loader=Counting("m", SITE + "/demo/plain.py"))
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
record("derived", [hasattr(module, "CHANGED"), describe_spec(spec)])
record("signatures", [str(inspect.signature(getattr(loader, m)))
                      for m in ("exec_module", "get_data", "create_module")])

# --- comparison ------------------------------------------------------------

plain = importlib.import_module("demo.plain")


class Derived(type(plain.__loader__)):
    pass


same = importlib.machinery.SourceFileLoader("demo.plain", plain.__file__)
for name, other in (
        ("importlib's", same),
        ("its own class's", type(plain.__loader__)(
            "demo.plain", plain.__file__)),
        ("derived", Derived("demo.plain", plain.__file__)),
        ("another", importlib.import_module("demo.sub").__loader__), ("none", None)):
    loader = plain.__loader__
    record(f"equal to {name}", [
        loader == other, other == loader, loader != other, other != loader,
        hash(loader) == hash(other), other in {loader: 1}])
record("specs", importlib.util.spec_from_file_location(
    "demo.plain", plain.__file__) == plain.__spec__)
