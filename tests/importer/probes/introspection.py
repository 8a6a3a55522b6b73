# SPDX-License-Identifier: Apache-2.0
"""What debuggers, profilers and tests see of packed modules."""

import bdb
import cProfile
import dataclasses
import dis
import doctest
import faulthandler
import importlib
import importlib.util
import inspect
import io
import linecache
import logging
import os
import pdb
import pickle
import pstats
import pyclbr
import re
import subprocess
import sys
import tempfile
import threading
import trace
import tracemalloc
import typing
import unittest
import warnings

import demo.plain
import demo.documented
import demo.sub.leaf


def without_addresses(text):
    return re.sub(r"\b0x[0-9a-f]+\b", "0x", text)


# --- tracing ----------------------------------------------------------------

lines = []


def tracer(frame, event, argument):
    if frame.f_code.co_filename.startswith(SITE):
        lines.append([event, os.path.basename(frame.f_code.co_filename),
                      frame.f_lineno, frame.f_code.co_qualname])
    return tracer


sys.settrace(tracer)
demo.documented.double(4)
importlib.reload(demo.sub.leaf)
sys.settrace(None)
record("settrace", lines)
counter = trace.Trace(count=1, trace=0, countfuncs=0)
counter.runfunc(demo.documented.double, 3)
record("trace module", sorted(
    [name, line, n] for (name, line), n in counter.results().counts.items()
    if name.startswith(SITE)))
debugger = pdb.Pdb(stdin=io.StringIO(
    "break demo.documented:2\nbreak demo.documented.double\nstep\nlist\nstep\nnext\n"
    "next\nwhere\nlist\nlonglist\nsource demo.plain.Thing\np value\nargs\nup\ndown\n"
    "return\ncontinue\n"),
    stdout=io.StringIO(), nosigint=True, readrc=False)
debugger.use_rawinput = False
debugger.runcall(demo.documented.double, 5)
record("pdb", without_addresses(debugger.stdout.getvalue()))
record("breakpoint in the tree", bdb.Bdb().set_break(demo.plain.__file__, 9))
record("breakpoint too far", bdb.Bdb().set_break(demo.plain.__file__, 900))

profile = cProfile.Profile()
profile.runcall(demo.documented.double, 3)
record("cProfile", sorted(
    [file, line, name, calls[0]] for (file, line, name), calls
    in pstats.Stats(profile).stats.items() if "double" in name))
tracemalloc.start()
kept = demo.documented.double([None] * 1000)
taken = tracemalloc.take_snapshot().filter_traces(
    [tracemalloc.Filter(True, demo.documented.__file__)])
tracemalloc.stop()
record("tracemalloc", [str(s.traceback) for s in taken.statistics("lineno")])

# --- texts ------------------------------------------------------------------

stream = io.StringIO()
finder = doctest.DocTestFinder()
runner = doctest.DocTestRunner(verbose=False)
tests = finder.find(demo.documented, "demo.documented")
record("doctest found", [[t.name, t.filename, t.lineno, len(t.examples)]
                         for t in tests])
record("doctest", [list(runner.run(t, out=stream.write)) for t in tests])
record("doctest output", stream.getvalue())
record("doctest of a file", list(doctest.testfile(
    SITE + "/demo/data/example.txt", module_relative=False, verbose=False,
    report=False)))
record("doctest of package data", list(doctest.testfile(
    "data/example.txt", package="demo", verbose=False, report=False)))
record("doctest suite", [str(t) for t in doctest.DocTestSuite(demo.documented)])
record("pyclbr", {name: [type(c).__name__, c.lineno, c.file] for name, c
                  in pyclbr.readmodule_ex("demo.plain").items()})
record("loader of tests", str(unittest.TestLoader().discover(
    SITE + "/demo/tests", top_level_dir=SITE)))
record("dis", [i.positions for i in dis.get_instructions(demo.documented.double)])

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    demo.documented.warn()
record("warning", [[str(w.message), w.filename, w.lineno,
                    warnings.formatwarning(w.message, w.category, w.filename,
                                           w.lineno)] for w in caught])
with warnings.catch_warnings():
    warnings.filterwarnings("error", module=r"demo\.documented")
    attempt("warning as error", demo.documented.warn)


class Handler(logging.Handler):
    def emit(self, entry):
        record("logging", [entry.pathname, entry.lineno, entry.funcName,
                           entry.module, entry.filename, entry.getMessage()])


logging.getLogger("demo").addHandler(Handler())
demo.documented.log()

with tempfile.TemporaryFile() as f:
    faulthandler.dump_traceback(f)
    f.seek(0)
    record("faulthandler", f.read().decode())
CRASH = "import faulthandler, demo.documented; faulthandler.enable(); " \
    "demo.documented.crash()"
done = subprocess.run([sys.executable, "-I", "-B", "-c", CRASH], capture_output=True,
                      text=True, check=False)
record("crash", [done.returncode,
                 re.sub(r"\n+Extension modules:.*\n|\n+$", "", done.stderr)])
# Printed by C.
done = subprocess.run([sys.executable, "-I", "-B", "-c",
                       "import demo.plain\ndemo.plain.outer("
                       "lambda: demo.plain.fail('é'))()"],
                      capture_output=True, text=True, check=False)
record("traceback by C", done.stderr)
done = subprocess.run([sys.executable, "-I", "-B", "-c",
                       "import threading, demo.plain\n"
                       "threading.Thread(target=demo.plain.fail, args='x').start()"],
                      capture_output=True, text=True, check=False)
record("traceback of a thread", done.stderr)
done = subprocess.run([sys.executable, "-I", "-B", "-c",
                       "import demo.documented; x = demo.documented.Bad(); del x"],
                      capture_output=True, text=True, check=False)
record("unraisable", without_addresses(done.stderr))
done = subprocess.run([sys.executable, "-I", "-B", "-m", "pdb", "-c", "list", "-c",
                       "next", "-c", "where", "-c", "quit",
                       SITE + "/demo/documented.py"],
                      capture_output=True, text=True, check=False)
record("-m pdb", [done.stdout, done.stderr])
for module in (["trace", "--listfuncs", "--module"], ["cProfile", "-m"],
               ["doctest"], ["timeit", "-n1", "-r1"]):
    target = "demo.documented"
    if module[0] == "doctest":
        target = SITE + "/demo/documented.py"
    if module[0] == "timeit":
        target = "import demo.documented"
    done = subprocess.run([sys.executable, "-I", "-B", "-m", *module, target],
                          capture_output=True, text=True, check=False)
    record(f"-m {module[0]}", [done.returncode, sorted(
        line for line in done.stdout.splitlines()
        if "documented" in line and "." in line and not re.match(r"\s+\d", line)),
        done.stderr])

# --- classes ----------------------------------------------------------------

record("dataclass", [repr(demo.documented.Point(1, 2)),
                     typing.get_type_hints(demo.documented.Point),
                     [f.name for f in dataclasses.fields(demo.documented.Point)],
                     inspect.getsource(demo.documented.Point),
                     str(inspect.signature(demo.documented.Point))])
record("pickle", pickle.dumps(demo.documented.Point(1, 2)).hex())
record("unpickle", repr(pickle.loads(pickle.dumps(demo.documented.Point(3, 4)))))


@dataclasses.dataclass
class Mine:
    value: int


attempt("pickle of __main__", lambda: pickle.loads(pickle.dumps(Mine(3))).value)
record("getmodule", [inspect.getmodule(f).__name__ for f in (
    demo.documented.double, demo.plain.Thing, demo.sub.leaf)])
record("stack", [[os.path.basename(f.filename), f.function, f.code_context]
                 for f in demo.documented.stack()[:1]])

# --- lazy and reloaded -------------------------------------------------------


def lazily(name):
    spec = importlib.util.find_spec(name)
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


for name in ("demo.twin_a", "demo.reloaded", "demo.bad.body", "demo._stable"):
    sys.modules.pop(name, None)
    attempt(f"lazy {name}", lambda: type(lazily(name)).__name__)
    attempt(f"lazy {name} used", lambda: sorted(
        k for k in vars(sys.modules[name]) if not k.startswith("__")))
    attempt(f"lazy {name} touched", lambda: [
        getattr(sys.modules[name], "COUNT", None), type(sys.modules[name]).__name__,
        describe_module(sys.modules[name])])
for n in range(3):
    module = importlib.reload(importlib.import_module("demo.reloaded"))
    record(f"reload {n}", [module.COUNT, describe_module(module)])
attempt("reload of a namespace", lambda: describe_module(
    importlib.reload(importlib.import_module("space"))))
attempt("reload of an extension", lambda: describe_module(
    importlib.reload(importlib.import_module("demo._stable"))))
finders = list(sys.meta_path)
sys.meta_path.clear()
warnings.simplefilter("ignore")
attempt("no meta path", importlib.import_module, "demo.sub.sibling")
sys.modules.pop("demo.twin_b", None)
attempt("no meta path, known", importlib.import_module, "demo.plain")
sys.meta_path[:] = finders
attempt("meta path restored", lambda: describe_module(
    importlib.import_module("demo.twin_b")))
sys.meta_path[:] = [f for f in finders if isinstance(f, type)]
attempt("stock finders alone", lambda: describe_module(
    importlib.import_module("demo.crlf")))
sys.meta_path[:] = finders
record("threads", threading.active_count())
