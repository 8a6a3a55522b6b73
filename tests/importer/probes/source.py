# SPDX-License-Identifier: Apache-2.0
"""Source text: inspect, linecache, tracebacks, warnings."""

import inspect
import importlib
import linecache
import sys
import traceback
import warnings

import demo._ext
import demo.crlf
import demo.latin
import demo.plain
import demo.sourceless
import demo.sub.leaf
import demo.twin_b
import json.decoder
import os
import space

for thing in (demo.plain, demo.plain.Thing, demo.plain.Thing.method,
              demo.plain.outer(len), demo.plain.fail, demo.crlf.f, demo.crlf,
              demo.latin, demo.sourceless, demo.sourceless.f, demo._ext,
              demo._ext.answer, demo.twin_b.where, demo, space, json.decoder,
              json.JSONDecoder.decode, os, os.path.join):
    name = f"{thing.__module__}.{thing.__qualname__}" if hasattr(
        thing, "__qualname__") else thing.__name__
    for function in (inspect.getsource, inspect.getsourcefile, inspect.getfile,
                     inspect.getsourcelines, inspect.getmodule, inspect.getdoc,
                     inspect.getcomments):
        attempt(f"{function.__name__} {thing.__class__.__name__} {name}",
                function, thing)
linecache.clearcache()
path = SITE + "/demo/plain.py"
record("linecache", [linecache.getline(path, n) for n in (0, 1, 7, 500)])
record("lazycache", [linecache.lazycache(path, vars(demo.plain)),
                     linecache.getlines("odd name", vars(demo.plain))])
record("checkcache", linecache.checkcache())
record("relative", linecache.getline("demo/plain.py", 1))


def traceback_of(function, *arguments):
    """Without the frames of importlib's loaders: those in C have none.  (An
    import statement, unlike import_module(), cuts all of importlib out.)"""
    try:
        function(*arguments)
    except BaseException:
        linecache.clearcache()
        return [line for line in traceback.format_exc().splitlines()
                if "<frozen importlib._bootstrap_external>" not in line]
    return "no exception"


record("traceback", traceback_of(demo.plain.outer(
    lambda: demo.plain.fail("x"))))
record("traceback without source", traceback_of(
    lambda: eval("f(", vars(demo.sourceless))))
for name in ("body", "chain", "missing", "syntax", "indent", "encoding", "nul",
             "not_utf8", "name", "beyond", "package", "package.sub", "magic",
             "short", "no_code", "_ext", "absent", "syntax.sub"):
    record(f"traceback {name}",
           traceback_of(importlib.import_module, f"demo.bad.{name}"))
    record(f"left behind {name}", f"demo.bad.{name}" in sys.modules)
record("traceback of a statement",
       traceback_of(exec, "import demo.bad.chain"))
record("traceback of the stdlib", traceback_of(json.loads, "{"))

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    exec(compile("\n\n\nwarnings.warn('w', stacklevel=1)", path, "exec"),
         {"warnings": warnings})
record("warning", warnings.formatwarning(
    caught[0].message, caught[0].category, caught[0].filename,
    caught[0].lineno))
