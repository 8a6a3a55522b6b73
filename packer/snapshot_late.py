# SPDX-License-Identifier: Apache-2.0
"""Modules that run at each start: between snapshot_home_watch.py and
snapshot_zone_watch.py.

A module whose body sees what differs from one process to the next is left out,
and so is what imports it.  But where its importers have only the module, and nobody
has looked into it when the application begins, they can be in the snapshot: with
an empty module, whose body runs when the snapshot has been restored.  The body
must not change anything else: it is run a second time to see that.
"""

# What an empty module has as well.
OF_EMPTY_MODULES = {
    "__cached__", "__class__", "__file__", "__loader__", "__name__", "__package__",
    "__path__", "__spec__",
}
MOST_CODE = 20_000  # bytes, of a body that would otherwise make a gate only

# What a body may do once more, and at another time, without being noticed.
REPEATABLE_CALLS = {
    "confstr", "cpu_count", "ctermid", "fstat", "fstatvfs", "get_exec_path",
    "get_terminal_size", "getegid", "geteuid", "getgid", "getgroups", "getloadavg",
    "getlogin", "getpgid", "getpgrp", "getpid", "getppid", "getpriority", "getrandom",
    "getresgid", "getresuid", "getsid", "getuid", "isatty", "process_cpu_count",
    "sched_getaffinity", "sched_getscheduler", "sysconf", "times", "ttyname",
    "urandom",
}


class LateWatch(HomeWatch):
    def __init__(self):
        super().__init__()
        self.causes = set()    # (module, each reason of its own)
        self.readers = set()   # (variable that may be a gate, module that reads it)
        self.looked = set()    # modules that others have looked into
        self.observed = []     # (module, class that tells of looks)
        self.late = []         # modules to run at each start

    def note_cause(self, name, reason):
        self.causes.add((name, reason))
        self.observe(name)

    def note_reader(self, name, variable):
        self.readers.add((variable, name))
        self.observe(name)

    def observe(self, name):
        """The module's body runs: nobody has it yet."""
        module = sys.modules.get(name)
        if any(module is other for other, kind in self.observed):
            return
        if type(module) is not type(sys):
            self.looked.add(name)
            return
        watch = self

        def noting(method):
            real = getattr(type(sys), method)

            def noted(self, key, *value):
                if key not in OF_EMPTY_MODULES and watch.active \
                        and watch.body() not in (None, name):
                    watch.looked.add(name)
                return real(self, key, *value)

            return noted

        kind = type("module", (type(sys),), {
            method: noting(method)
            for method in ("__getattribute__", "__setattr__", "__delattr__")})
        self.observed.append((module, kind))
        module.__class__ = kind

    def show_observed(self, are_seen):
        """Whether what looks through all modules sees the observed as usual."""
        for module, kind in self.observed:
            if type(module) in (type(sys), kind):
                module.__class__ = type(sys) if are_seen else kind
            else:  # the body has given it a class of its own
                self.looked.add(vars(module)["__name__"])

    def find_late(self):
        """After the last import."""
        candidates = [n for n in self.order if self.may_be_late(n)]
        if not candidates or sys.version_info >= (3, 12):  # signatures()
            return
        repeat = Repeat(self)
        self.late = [n for n in candidates
                     if repeat.is_clean(n) and self.may_be_late(n)]
        while True:
            chains = close(self)
            wrong = [n for n in self.late if not self.is_good_late(n, chains)]
            if not wrong:
                break
            self.late = [n for n in self.late if n not in wrong]
        for name in self.late:
            self.reasons.pop(name, None)
        self.gate = [v for v in self.gate if self.is_read(v, self.late)]

    def is_read(self, variable, left_out):
        """Whether something else than these modules reads it."""
        return any(n not in left_out for v, n in self.readers if v == variable)

    def imported_by(self, name, chains):
        """What is imported where its body would be, in order."""
        return [n for n in self.order
                if n in self.edges.get(name, ()) and n in sys.modules
                and n not in chains and not name.startswith(n + ".")]

    def may_be_late(self, name):
        causes = {reason for n, reason in self.causes if n == name}
        is_reader = any(n == name for variable, n in self.readers)
        if not causes and not is_reader or name in self.looked \
                or name in MENDED or name in self.home_readers \
                or name in self.set.values() \
                or name in self.cwd_readers:
            return False
        spec = getattr(sys.modules.get(name), "__spec__", None)
        if not is_source(spec) or spec.submodule_search_locations is not None:
            return False
        if not all(map(is_repeatable, causes)) \
                or (self.reasons.get(name) not in causes if causes
                    else name in self.reasons):
            return False
        code = spec.loader.get_code(name)
        return (bool(causes) or size_of(code) <= MOST_CODE) \
            and not self.is_in_circle(name)

    def is_in_circle(self, name):
        """Whether what the body imports may have looked at a part of it."""
        seen, queue = set(), [name]
        while queue:
            for other in self.edges.get(queue.pop(), ()):
                if other == name:
                    return True
                # A package is not imported by its modules, for this.
                if other not in seen and not name.startswith(other + "."):
                    seen.add(other)
                    queue.append(other)
        return False

    def is_good_late(self, name, chains):
        """Its package is there, and somebody who imports it."""
        parent = name.rpartition(".")[0]
        return parent not in chains and any(
            name in found and importer not in chains
            for importer, found in self.edges.items())


class Repeat:
    """Runs bodies once more."""

    def __init__(self, watch):
        self.watch = watch
        self.standby = Standby(watch, close(watch))
        for module, functions in EFFECTS.items():
            for function in functions if module in sys.modules else ():
                watch.wrap(sys.modules[module], function)

    def is_clean(self, name):
        module = sys.modules.pop(name)
        parent, _, tail = name.rpartition(".")
        before = set(sys.modules)
        self.standby.called.clear()
        tables = self.standby.tables()
        self.standby.look_around()
        marks = signatures(self.standby.objects)
        self.watch.active = True
        try:
            builtins.__import__(name)
            new = [n for n in sys.modules if n not in before]
        except Exception:
            new = []
        self.watch.active = False
        is_clean = new == [name] and self.standby.is_clean(marks, tables, new)
        sys.modules[name] = module
        if parent:
            setattr(sys.modules[parent], tail, module)
        return is_clean


def size_of(code):
    return len(code.co_code) + sum(
        size_of(c) for c in code.co_consts if type(c) is type(code))


def is_repeatable(reason):
    what, _, rest = reason.partition(" ")
    if what in ("lists", "reads"):
        return True
    module, _, function = rest.partition("()")[0].rpartition(".")
    return what == "calls" and rest.endswith("()") and (
        module == "time" and function != "sleep"
        or module in ("os", "posix") and function in (*REPEATABLE_CALLS, *PATHS)
        or module in ("grp", "platform", "pwd", "random", "ssl", "uuid"))
