# SPDX-License-Identifier: Apache-2.0
"""Which of the modules that an application imports can be in its snapshot.

The texts of snapshot_known.py, snapshot_home.py, snapshot_home_rules.py,
snapshot_home_watch.py, snapshot_late.py, snapshot_zone_watch.py, snapshot_locale_watch.py,
snapshot_variables_watch.py, snapshot_watch.py, snapshot_standby.py, snapshot_patterns.py and
snapshot_script.py are in front of this one.

Runs inside the packed executable in place of the entry point (snapshot_role.c)
with `arguments`, a list of text, `startup`, which runs the lines of .pth
files, sitecustomize and usercustomize, `library`, which says what keeps a
shared object out, `refuse_library`, which does, and `watch_libraries`, which lets us know what they call.  Imports what the application imports
before its entry point is called, and watches each module's body: what it does
that another process could see or would find different (files outside of the
tree, entropy, the clock, the environment, threads, …) keeps the module, and
what imports it, out of the snapshot.

arguments: descriptor for the answer, "home" if $HOME can be replaced or "",
kind of entry point (call, module,
script), its name, the attribute to call, how many command lines to warm up
with, those, each as text for shlex, then modules to leave out, each with a tab and why, if
it was not asked for; "-" is for one that imports another of these.  The answer, lines of fields
separated by tabs:

  gate NAME[=VALUE]          an environment variable that was read
  late NAME NAMES            can be empty in it, and run at each start; with
                             blanks between, what it imports
  module NAME                can be in the snapshot; in the order to import
  left NAME CHAIN REASON     cannot; CHAIN, with blanks between, are the modules
                             by which it imports the last, which REASON is about
  absent PATH                a file that must not be there, as it is not now;
                             "~/…" is below $HOME
  home NAME                  a module that has read $HOME
  cwd NAME ATTRIBUTE         a global variable that is the working directory
  set NAME                   a variable of the environment, to be set at each start
  encoding                   a module asks for the locale's encoding
  reseed                     there are instances of random.Random without a seed
  off REASON                 no snapshot at all
  standby NAME               functions import it, and it can stand by
  pattern TEXT               of Python: an expression that functions compile, and
                             its flags
  ended REASON               the exception that ended the imports
"""


HARMLESS = set(
    "RESUME NOP CACHE LOAD_CONST LOAD_NAME LOAD_FAST IMPORT_FROM IMPORT_STAR STORE_NAME "
    "STORE_FAST POP_TOP MAKE_CELL MAKE_FUNCTION PUSH_NULL SETUP_ANNOTATIONS "
    "SET_FUNCTION_ATTRIBUTE BUILD_TUPLE BUILD_LIST BUILD_MAP BUILD_CONST_KEY_MAP LIST_EXTEND COPY "
    "PRECALL".split())


def leading_imports(code):
    """(level, name, fromlist) of the import statements that run first of all
    when `code` runs, if a module as __main__; ends at the first thing that can
    have an effect of its own.  Then, if that is the call of an imported
    function without arguments, (level, module, name) of it, or None."""
    steps = []
    found = []
    kept = {}  # local variables: (level, module, name)
    for name, argument in opcodes(code):
        value = argument
        if name == "LOAD_CONST":
            value = code.co_consts[argument]
        elif name in ("LOAD_NAME", "IMPORT_NAME", "IMPORT_FROM"):
            value = code.co_names[argument]
        if name == "IMPORT_NAME":
            found.append((steps[-2][1], value, steps[-1][1]))
        elif name == "STORE_FAST":
            kept.pop(argument, None)
            if steps[-1][0] == "IMPORT_FROM":
                kept[argument] = (*found[-1][:2], steps[-1][1])
        elif name == "CALL" and argument == 0:
            called = [step for step in steps[-3:] if step[0] not in ("PRECALL", "PUSH_NULL")]
            return found, kept.get(called[-1][1]) if called[-1][0] == "LOAD_FAST" else None
        elif name not in HARMLESS and not (
                name == "COMPARE_OP" and steps[-2:] == [
                    ("LOAD_NAME", "__name__"), ("LOAD_CONST", "__main__")]) \
                and not (name in ("POP_JUMP_FORWARD_IF_FALSE", "POP_JUMP_IF_FALSE")
                         and steps[-1][0] == "COMPARE_OP") \
                and not (name == "CALL_INTRINSIC_1" and argument == 2):  # import *
            break
        if name != "CACHE":
            steps.append((name, value))
    return found, None


def import_for_function(function, depth=0):
    """What a call of the function imports before it does anything else."""
    if type(function) is not type(main) or depth > 5:
        return
    scope = {"__name__": "__main__",
             "__package__": function.__globals__.get("__package__")}
    found, called = leading_imports(function.__code__)
    for level, module, fromlist in found:
        last = __import__(module, scope, None, fromlist, level)
        if called is not None and (level, module) == called[:2]:
            holder = last
    if called is not None:
        import_for_function(vars(holder).get(called[2]), depth + 1)


def find_spec(name):
    """Imports the parent packages, as runpy does."""
    parent = name.rpartition(".")[0]
    path = None
    if parent:
        __import__(parent)
        path = sys.modules[parent].__path__
    return sys.modules["_frozen_importlib"]._find_spec(name, path)


def warm_up(kind, name, attribute, line):
    """Runs the application itself, to see what it imports later on."""
    import shlex
    arguments = shlex.split(line)
    del sys.modules["shlex"]
    list.__setitem__(sys.argv, slice(1, None), arguments)
    if kind == "call":
        target = sys.modules[name]
        for part in attribute.split("."):
            target = getattr(target, part)
        target()
    elif kind == "module":
        import runpy
        runpy.run_module(name, run_name="__main__", alter_sys=False)
    else:
        import runpy
        runpy.run_path(f"{PREFIX}/{name}", run_name="__main__")


def load_lazy_modules(watch):
    """What importlib.util.LazyLoader made and nobody has looked at yet: in the
    snapshot it is imported as usual."""
    lazy = getattr(sys.modules.get("importlib.util"), "_LazyModule", None)
    tried = set()  # one that fails stays lazy in 3.13
    while waiting := [n for n, m in sys.modules.items()
                      if type(m) is lazy and n not in tried]:
        tried.update(waiting)
        for name in waiting:
            try:
                sys.modules[name].__name__
            except (Exception, SystemExit) as error:
                watch.reasons.setdefault(
                    name, f"cannot be imported: {type(error).__name__}: {error}")


def attempt(lines, function, *args):
    """The application says itself what is wrong with it, when it is run."""
    try:
        function(*args)
    except SystemExit:
        pass
    except Exception as error:
        lines.append(f"ended\t{type(error).__name__}: {error}")


def import_for_entry_point(watch, kind, name, attribute):
    package = ""
    if kind == "call":
        __import__(name)
        target = sys.modules[name]
        for part in attribute.split("."):
            target = vars(target).get(part) if hasattr(target, "__dict__") else None
        try:
            import_for_function(target)
        except Exception:
            pass  # which the function may expect
        return
    if kind == "module":
        spec = find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = find_spec(name + ".__main__")
        if spec is None:
            return
        package = spec.parent
        code = spec.loader.get_code(spec.name)
        text = spec.loader.get_source(spec.name)
    else:
        path = f"{PREFIX}/{name}"
        with open(path, "rb") as stream:
            text = stream.read()
        if text[:4] == b"\x7fELF":
            return
        code = compile(text, path, "exec", dont_inherit=True)
    if code is None:
        return
    found = leading_imports(code)[0]
    script = Script(text or "")
    if len(script.imports) > len(found):
        found = script.imports
        watch.set_by_script = script.variables
    scope = {"__name__": "__main__", "__package__": package}
    for level, module, fromlist in found:
        __import__(module, scope, None, fromlist, level)


def close(watch):
    """The modules that cannot be there, each with the shortest chain of imports
    that leads to one with a reason of its own."""
    importers = {}
    for importer, imported in watch.edges.items():
        for name in imported:
            importers.setdefault(name, []).append(importer)
    chains = {}
    queue = [n for n in watch.order if n in watch.reasons]
    queue += [n for n in watch.reasons if n not in watch.begun]
    queue = [n for n in queue if n not in watch.late]
    for name in queue:
        chains.setdefault(name, (name,))
    while queue:
        name = queue.pop(0)
        for importer in importers.get(name, ()):
            if importer not in chains and importer not in watch.late:
                chains[importer] = (importer, *chains[name])
                queue.append(importer)
    return chains


def main(fd, replaced, kind, name, attribute, count, *rest):
    lines = []
    lines_to_warm = rest[:int(count)]
    left_out = dict(text.partition("\t")[::2] for text in rest[int(count):])
    watch = Watch()
    watch.replaces_home = bool(replaced) and HOME is not None
    watch.watch_process()
    watch.watch_sys()
    watch.watch_imports(left_out)
    watch.watch_home()
    watch_libraries(watch.library_calls)
    already = set(sys.modules)
    watch.active = watch.in_startup = True
    startup()
    watch.in_startup = False
    off = watch.startup
    if off is None and not watch.reasons:
        attempt(lines, import_for_entry_point, watch, kind, name, attribute)
        watch.show_observed(True)
        watch.find_home(False)
        watch.find_patches()
        watch.show_observed(False)
        finders = list(sys.meta_path)
        for line in lines_to_warm:
            attempt(lines, warm_up, kind, name, attribute, line)
            sys.meta_path[:] = finders
        load_lazy_modules(watch)
        watch.show_observed(True)
        watch.find_cwd()
        watch.find_zones()
        watch.find_unknown()
        if lines_to_warm:
            watch.find_home(True)
        watch.find_kept_paths()
        watch.active = False
        is_program = kind != "call" or attribute != ""  # not one command of several
        if is_program:
            watch.find_late()
        watch.find_set_variables(is_program)
    elif off is None:
        off = next(iter(watch.reasons.values()))
    watch.active = False
    if off is not None:
        lines.append(f"off\tcode that runs before all imports {off}")
    chains = close(watch)
    order = list(watch.order)
    given = {n: f"={os.fsdecode(v)}" for n, v in watch.given.items()}
    gate = [n for n in watch.gate if watch.is_read(n, chains)]
    lines += [f"gate\t{n}{given.get(n, '')}" for n in gate]
    lines += [f"absent\t{n}" for n in watch.absent]
    lines += [f"late\t{' '.join([n, *watch.imported_by(n, chains)])}" for n in watch.late]
    lines += [f"set\t{n}" for n in watch.kept_variables(chains)]
    lines += ["encoding"] if watch.encoding_readers.difference(chains) else []
    lines += ["reseed"] if watch.unseeded else []
    lines += [f"home\t{n}" for n in watch.home_readers if n not in chains]
    lines += [f"cwd\t{n}\t{a}" for n, a in watch.cwd if n not in chains]
    for n in order:
        if n in chains:
            reason = watch.reasons[chains[n][-1]]
            lines.append(f"left\t{n}\t{' '.join(chains[n])}\t{reason}")
        elif n in sys.modules and n not in already:
            lines.append(f"module\t{n}")
    if off is None and sys.version_info < (3, 12):
        watch.standing_by = True
        lines += [f"standby\t{n}" for n in Standby(watch, chains).run()]
    if off is None:
        lines += [f"pattern\t{text}" for text in patterns_of_functions()]
    sys.meta_path.remove(watch)
    with open(int(fd), "w", encoding="utf-8", errors="surrogateescape") as out:
        out.write("".join(line.replace("\n", " ") + "\n" for line in lines))


main(*arguments)
