# SPDX-License-Identifier: Apache-2.0
"""What modules do with time zones while they are imported: between
snapshot_late.py and snapshot_locale_watch.py.

Each start sets again what two kinds of objects keep, wherever they are
(snapshot_zone.py): the names of the process's zone in those of _strptime, and
zones that dateutil has found by their names among the machine's files.  So
nobody may have asked them when the snapshot is made.
"""

import os
import sys
import time

# What a zone is asked without that a method of its class is called by name.
IMPLICIT = "__getattribute__ __setattr__ __delattr__ __eq__ __ne__ __hash__ __repr__".split()


class ZoneWatch(LateWatch):
    def __init__(self):
        super().__init__()
        self.finds_names = False  # those of the process's zone, for an object
        self.tables = []  # (module, _strptime.TimeRE that it has made)
        self.zones = []   # (module, name of the zone that it has looked for)

    def watch_zone(self):
        """Variables of the module time that depend on the time zone."""
        watch = self

        def variable(name):
            def read(module):
                if not only_compares_zone():
                    watch.blame(f"time.{name}", f"reads time.{name}")
                return vars(module)[name]

            return property(read)

        time.__class__ = type("module", (type(time),), {
            name: variable(name)
            for name in ("tzname", "timezone", "altzone", "daylight")})

    def reads_names(self):
        self.blame("time.tzname", "reads time.tzname")

    # --- _strptime ----------------------------------------------------------

    def watch_names(self):
        """Objects with the names of the process's zone may be made and kept."""
        module = self.begin_watching("_strptime", "TimeRE")
        if module is None:
            return
        watch = self
        names, table = module.LocaleTime, module.TimeRE
        find, make, compose = names.__init__, table.__init__, table.pattern

        def find_names(self):
            watch.finds_names = type(self) is names
            try:
                find(self)
            finally:
                watch.finds_names = False

        def make_table(self, locale_time=None):
            make(self, locale_time)
            body = watch.body() if watch.active else None
            if body is not None:
                watch.tables.append((body, self))

        def pattern(self, format):
            if "Z" in format:
                watch.reads_names()
            return compose(self, format)

        def kept(name):
            def read(self):
                if sys._getframe(1).f_globals is not vars(module):
                    watch.reads_names()
                if name not in vars(self):
                    raise AttributeError(name)
                return vars(self)[name]

            return property(read, lambda self, value: vars(self).update({name: value}))

        def asking(name):
            real = getattr(dict, name)

            def method(self, *args):
                if sys._getframe(1).f_globals is not vars(module) \
                        and (name not in ("__getitem__", "get") or args[0] == "Z"):
                    watch.reads_names()
                return real(self, *args)

            return method

        names.__init__, table.__init__, table.pattern = find_names, make_table, pattern
        for name in ("timezone", "tzname", "daylight", "LC_date_time", "LC_date", "LC_time"):
            setattr(names, name, kept(name))
        for name in ("__getitem__", "get", "copy", "items", "values"):
            setattr(table, name, asking(name))

    # --- dateutil -----------------------------------------------------------

    def watch_zone_files(self):
        """A zone that dateutil.tz.gettz() is asked for by its name may be kept,
        as long as nobody looks into it."""
        module = self.begin_watching("dateutil.tz.tz")
        if module is None or not finds_zones(module):
            return
        kind = type(module.gettz)
        find = kind.nocache

        def nocache(name=None):
            body = self.body() if self.active and not self.standing_by else None
            if body is None or not is_zone_name(name):
                return find(name)
            self.zones.append((body, name))
            return self.unknown_zone(module.tzfile, name, find)

        kind.nocache = staticmethod(nocache)

    def unknown_zone(self, base, name, find):
        """One that tells of looks into it.  It knows nothing before the first:
        what finding it imports would not be imported at each start."""
        watch = self

        def noting(method):
            real = getattr(base, method)

            def noted(self, *args):
                if args[:1] != ("__class__",):
                    watch.blame("time zone", f"looks into the time zone {name}")
                    variables = object.__getattribute__(self, "__dict__")
                    if not variables:
                        variables.update(vars(find(name)))
                return real(self, *args)

            return noted

        kind = type("tzfile", (base,), {
            method: noting(method) for method in IMPLICIT
            if getattr(base, method) is not None})
        return kind.__new__(kind)

    def find_zones(self):
        """After the last import: whether what was kept can be set again."""
        self.active = False
        for body, table in self.tables:
            names = table.locale_time
            if type(names) is not sys.modules["_strptime"].LocaleTime \
                    or zoned_patterns(table) != zoned_patterns(names_table(names)):
                self.reasons.setdefault(body, "reads time.tzname")
        for body, name in self.zones:
            module = sys.modules["dateutil.tz.tz"]
            found = without_files(type(module.gettz).nocache, name)
            if module.tzfile not in type(found).__mro__:
                # A start that finds no file either would get something else.
                self.reasons.setdefault(body, f"looks for the time zone {name}")
        self.active = True


def only_compares_zone():
    """Whether a time is parsed, of whose format the time zone is no part."""
    frame = sys._getframe(2)
    while frame.f_globals is OWN:
        frame = frame.f_back
    return frame.f_globals.get("__name__") == "_strptime" \
        and frame.f_code.co_name == "_strptime" \
        and "Z" not in frame.f_locals["format"]


def without_files(function, name):
    """What it gives where there are no files but the tree's; what it imports
    is gone again."""
    before = dict(sys.modules)
    real = os.path.isfile
    os.path.isfile = lambda path: in_tree(path) and real(path)
    try:
        return function(name)
    except Exception:
        return None
    finally:
        os.path.isfile = real
        for new in set(sys.modules).difference(before):
            del sys.modules[new]
            parent, _, tail = new.rpartition(".")
            if parent in before:
                vars(before[parent]).pop(tail, None)
