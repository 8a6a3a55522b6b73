# SPDX-License-Identifier: Apache-2.0
"""Which modules that are imported inside of functions can stand by.

The part between snapshot_watch.py and snapshot_patterns.py.  A module on standby is imported
when the snapshot is made, but in sys.modules only from its own import on
(importer/standby.h).  So nobody may be able to tell when its body ran: it must
change nothing that was there before, and see nothing that may be otherwise
later on.  Only modules of the standard library can: the body of another one may
look at what the application keeps in objects of its own, such as its settings.
`signatures` gives eight bytes for each object of a list, which
change with what it refers to.
"""

import sys

MOST_TRIED = 200

STANDARD = sys._stdlib_dir + "/"

# Calls whose effect is not seen in the heap.
EFFECTS = {
    "atexit": ("register", "unregister"),
    "faulthandler": ("enable", "register", "dump_traceback_later"),
    "gc": ("disable", "enable", "freeze", "set_debug", "set_threshold"),
    "os": ("register_at_fork",),
    "socket": ("setdefaulttimeout",),
    "sys": (
        "addaudithook", "set_asyncgen_hooks", "set_int_max_str_digits",
        "set_coroutine_origin_tracking_depth", "setdlopenflags", "setprofile",
        "setrecursionlimit", "setswitchinterval", "settrace",
    ),
    "warnings": ("warn", "warn_explicit"),
}

# What a program cannot tell from outside whether it is filled.
CACHES = {"encodings": ("_cache",), "linecache": ("cache",), "re": ("_cache",)}


# What of sys tells in which order modules were imported.
ORDER = {"modules", "meta_path", "path_hooks", "path_importer_cache"}


def opcodes(code):
    argument = 0
    for i in range(0, len(code.co_code), 2):
        name = OPCODE_NAMES[code.co_code[i]]
        argument = argument << 8 | code.co_code[i + 1]
        if name != "EXTENDED_ARG":
            yield name, argument
            argument = 0


def imports_of(code, package, of_functions, inside=False):
    """The absolute names that the body of a module imports, or its functions."""
    consts = []
    for name, argument in opcodes(code):
        if name == "LOAD_CONST":
            consts.append(code.co_consts[argument])
            if consts[-1] == "__main__" and not inside:
                break  # what follows is for the module as a program
        elif name == "IMPORT_NAME" and inside == of_functions and len(consts) > 1:
            level, items = consts[-2:]
            base = code.co_names[argument]
            if level:
                parent = package.rsplit(".", level - 1)[0]
                base = f"{parent}.{base}" if base else parent
            yield base
            yield from (f"{base}.{item}" for item in items or () if item != "*")
    for const in code.co_consts:
        if type(const) is type(code):
            is_function = bool(const.co_flags & 2)  # CO_NEWLOCALS
            if of_functions or not is_function:
                yield from imports_of(const, package, of_functions,
                                      inside or is_function)


class Standby:
    """Imports modules one after the other, each after those that it imports."""

    def __init__(self, watch, causes):
        import _abc
        import gc
        self.gc = gc
        del sys.modules["gc"]
        self.registry = lambda kind: _abc._get_dump(kind)[0]
        self.watch = watch
        self.image = set(sys.modules).difference(causes)
        self.tried = set(sys.modules)
        self.bad = set(causes)
        self.called = []    # what a built-in module imports
        self.objects = []   # that were there before the next import
        self.abstract = []    # classes
        self.registered = {}  # what is registered with them

    # --- candidates -------------------------------------------------------

    def run(self):
        """The names, in order.  An application's oddest object may not cost it
        its whole snapshot: without them, it is one all the same."""
        try:
            return self.choose()
        except Exception:
            return []
        finally:
            self.gc.unfreeze()

    def choose(self):
        wanted = []
        for name in list(sys.modules):
            if name in self.image:
                wanted += self.imported_by(name, True)
        for name in wanted:
            self.attempt(name)
        return [name for name in dict.fromkeys(wanted) if self.can_stand_by(name)]

    def imported_by(self, name, of_functions, spec=None):
        spec = spec or getattr(sys.modules.get(name), "__spec__", None)
        if not is_source(spec):
            return []
        try:
            code = spec.loader.get_code(spec.name)
        except Exception:
            return []
        is_package = spec.submodule_search_locations is not None
        package = name if is_package else name.rpartition(".")[0]
        return list(imports_of(code, package, of_functions))

    def find(self, name):
        """The spec of a module that can be imported, or None."""
        parent, _, tail = name.rpartition(".")
        path = None
        if parent:
            self.attempt(parent)
            path = getattr(sys.modules.get(parent), "__path__", None)
            # Its import would replace a variable of that name.
            if path is None or tail in vars(sys.modules[parent]):
                return None
        try:
            return sys.modules["_frozen_importlib"]._find_spec(name, path)
        except Exception:
            return None

    def attempt(self, name):
        if name in self.tried or len(self.tried) - len(self.image) > MOST_TRIED:
            return
        self.tried.add(name)
        spec = self.find(name)
        if spec is None:
            return
        if is_standard(spec):
            for other in self.imported_by(name, False, spec):
                self.attempt(other)
            if asks_what_is_imported(spec):
                self.bad.add(name)
        elif spec.origin != "built-in":
            self.bad.add(name)
            return
        if name not in sys.modules:
            self.import_(name, spec.origin == "built-in")

    def can_stand_by(self, name):
        if name not in self.tried or name in self.image \
                or name not in sys.modules:
            return False
        queue, seen = [name], set()
        while queue:
            name = queue.pop()
            if name in seen:
                continue
            seen.add(name)
            if name in self.bad or name in self.watch.reasons:
                return False
            if name not in self.tried and name in sys.modules:
                return False
            queue += self.watch.edges.get(name, ())
            queue.append(name.rpartition(".")[0] or name)
        return True

    # --- imports ----------------------------------------------------------

    def import_(self, name, is_builtin):
        for module, functions in EFFECTS.items():
            for function in functions if module in sys.modules else ():
                self.watch.wrap(sys.modules[module], function)
        before = set(sys.modules)
        real = builtins.__import__
        self.called.clear()
        tables = self.tables()
        self.look_around()
        marks = signatures(self.objects)
        if is_builtin:
            builtins.__import__ = Called(real, self.called)
        self.watch.active = True
        try:
            builtins.__import__(name)
        except BaseException:
            self.bad.add(name)
        self.watch.active = False
        builtins.__import__ = real
        new = [n for n in sys.modules if n not in before]
        self.tried.update(new)
        if not self.is_clean(marks, tables, new):
            self.bad.update(new)
        self.bad.update(n for n in new if not is_usual(n))

    def is_clean(self, marks, tables, new):
        changed = self.changed(marks, signatures(self.objects))
        registers = self.has_registered(new)
        return not registers and self.image.issuperset(self.called[1:]) \
            and all(is_harmless(o, tables, new) for o in changed)

    def look_around(self):
        """Adds what can be changed, but for what each import changes."""
        importlib = vars(sys.modules["_frozen_importlib"])
        own = {id(OWN), id(vars(self.watch)), id(vars(self)), id(sys.modules),
               id(sys.path_importer_cache), id(importlib["_module_locks"]),
               id(importlib["_blocking_on"])}
        own.update(map(id, vars(self.watch).values()))
        own.update(map(id, vars(self).values()))
        for name, variables in CACHES.items():
            if name in sys.modules:
                own.update(id(vars(sys.modules[name])[v]) for v in variables)
        found = self.gc.get_objects()
        self.gc.freeze()  # the next time only what is new
        caches = [o for o in found if type(o).__name__ in CACHE_TYPES]
        own.update(map(id, caches))
        own.update(map(id, self.gc.get_referents(*caches)))
        self.objects += [o for o in found
                         if type(o) not in UNCHANGING and id(o) not in own]
        for kind in found:
            # isinstance() would ask a proxy, which might answer.
            if type in type(kind).__mro__ and "_abc_impl" in type.__dict__[
                    "__dict__"].__get__(kind):
                self.abstract.append(kind)
                self.registered[id(kind)] = self.registered_with(kind, ())

    def changed(self, old, new):
        if old == new:
            return []
        old = memoryview(old).cast("Q").tolist()
        new = memoryview(new).cast("Q").tolist()
        return [o for o, a, b in zip(self.objects, old, new) if a != b]

    def tables(self):
        """What is in the modules that an import may add a name to."""
        return {id(vars(m)): (m.__name__, dict(vars(m)))
                for m in sys.modules.values() if type(m) is type(sys)
                and (m is builtins or "__path__" in vars(m))}

    def registered_with(self, kind, new):
        """Classes that were registered with an abstract one, but for those of
        the modules `new`."""
        classes = [reference() for reference in self.registry(kind)]
        return {id(c) for c in classes if c is not None
                and type.__dict__["__module__"].__get__(c) not in new}

    def has_registered(self, new):
        found = False
        for kind in self.abstract:
            found |= self.registered[id(kind)] != self.registered_with(kind, new)
            self.registered[id(kind)] = self.registered_with(kind, ())
        return found


class Called:
    """In place of __import__(): notes what is imported through it."""

    def __init__(self, real, names):
        self.real = real
        self.names = names

    def __call__(self, name, *args, **kwargs):
        self.names.append(name)
        return self.real(name, *args, **kwargs)


def is_harmless(holder, tables, new):
    """Whether the holder has got nothing but what each import adds."""
    if id(holder) in tables:
        name, old = tables[id(holder)]
        return len(old) <= len(holder) and all(
            key in old and old[key] is value or f"{name}.{key}" in new
            for key, value in holder.items())
    if type(holder) is list:  # built-in modules, by number
        return all(o is None or type(o) is type(sys) for o in holder)
    if type(holder) is not dict:
        return False
    return all(
        # A class's table of its subclasses, of which these are hidden.
        type(key) is int and type(value).__name__ in ("weakref", "ReferenceType")
        and id(value()) == key
        # An enumeration's members by value: combinations of flags.
        or type(key) is int and vars(type(value)).get(
            "_value2member_map_") is holder
        # Definitions of built-in modules.
        or type(key) is tuple and type(value).__name__ == "moduledef"
        for key, value in holder.items())


def is_source(spec):
    return spec is not None and getattr(spec, "has_location", False) \
        and type(spec.loader).__module__ == "_pexcz" \
        and type(spec.loader).__name__ == "SourceFileLoader"


def is_standard(spec):
    return is_source(spec) and spec.origin.startswith(STANDARD) \
        and not spec.origin.startswith(STANDARD + "site-packages/")


def asks_what_is_imported(spec):
    """Whether the module's body may look into sys.modules and the like."""
    codes = [spec.loader.get_code(spec.name)]
    while codes:
        code = codes.pop()
        if ORDER.intersection(code.co_names):
            return True
        codes += [c for c in code.co_consts
                  if type(c) is type(code) and not c.co_flags & 2]
    return False


def is_usual(name):
    """Whether the module `name` is as importlib makes one."""
    module = sys.modules[name]
    if type(module) is not type(sys) or name in MENDED or name in KNOWN \
            or name == "pexcz_snapshot":
        return False
    spec = vars(module).get("__spec__")
    return spec is not None and spec.name == name \
        and "__warningregistry__" not in vars(module) \
        and vars(module).get("__path__") == spec.submodule_search_locations \
        and (is_standard(spec) or spec.origin == "built-in") \
        and not keeps_path(module)


UNCHANGING = {type(o) for o in (
    (), len, "".join, imports_of.__get__, imports_of.__code__, str.join,
    type.__dict__["__dict__"], type.__dict__["__module__"], object.__init__,
    dict.__dict__["fromkeys"], type(sys).__dict__["__dict__"], property(),
    sys._getframe(), opcodes(imports_of.__code__))}
CACHE_TYPES = {"_lru_cache_wrapper", "_abc_data"}
