# SPDX-License-Identifier: Apache-2.0
"""What modules do with $HOME while they are imported: between snapshot_home.py
and snapshot_watch.py."""

import os
import sys

MOST_REFERRERS = 10000
# Many homes have one of these, by its name.
USUAL_AT_HOME = {"~/.bashrc", "~/.gitconfig"}


def is_settings_file(path):
    """Whether the name is that of a file which a user may have written.  A
    program makes its folders itself, and would boot ordinarily ever after."""
    tail = path.rpartition("/")[2].lstrip(".")
    return tail.endswith("rc") or "." in tail or tail.endswith("config")


class HomeWatch:
    """The part of Watch that is about $HOME."""

    def __init__(self):
        self.replaces_home = False
        self.home_readers = {}  # modules that read it, in order
        self.home_is_read = False
        self.methods = set()    # code of those that watch texts

    # --- what is asked of texts with it -----------------------------------

    def watch_home(self):
        """A module that looks into a text with $HOME may do so because of one
        that nobody has tried."""
        if HOME is None or not self.replaces_home:
            return
        watch_texts(self.text_is_asked)
        for name in TEXT_METHODS:
            self.watch_method(name)
        for name in PATH_FUNCTIONS:
            self.watch_path_function(name)

    def watch_method(self, name):
        real = vars(str)[name]

        def method(self, *args, **kwargs):
            if has_home(self):
                kind = SLOTS.get(name, name)
                if name == "rsplit":
                    limit = args[1] if args[1:] else kwargs.get("maxsplit")
                    kind = "rpartition" if limit == 1 else "split"
                if name != "replace" or args[:1] != args[1:2]:
                    tell_text(kind, self, args[0] if args else kwargs.get("sep"))
            elif args and name not in WITHOUT_OTHER:
                for other in args[0] if type(args[0]) is tuple else args[:1]:
                    if has_home(other):
                        tell_text("within", other, self)
            return real(self, *args, **kwargs)

        self.methods.add(method.__code__)
        replace_method(str, name, method)

    def watch_path_function(self, name):
        """Parts of the home are of one with as many components as it."""
        real = getattr(os.path, name)

        def function(*args, **kwargs):
            result = real(*args, **kwargs)
            given = args[0] if args else None
            texts = given if type(given) in (list, tuple) else (given,)
            first = result[0] if type(result) is tuple else result
            if any(map(has_home, texts)) and (
                    not has_home(first) or name == "splitext" and given.endswith(HOME)):
                self.depends_on_home()
            return result

        setattr(os.path, name, function)

    def watch_patterns(self):
        """Its methods look into texts in C."""
        module = None if HOME is None else self.begin_watching("re", "Pattern")
        if module is None:
            return
        for name in PATTERN_METHODS:
            self.watch_pattern_method(module.Pattern, name)

    def watch_pattern_method(self, pattern, name):
        real = vars(pattern)[name]

        def method(*args, **kwargs):
            for text in (*args[1:], *kwargs.values()):
                if has_home(text):
                    tell_text(name, text, None)
            return real(*args, **kwargs)

        self.methods.add(method.__code__)
        replace_method(pattern, name, method)

    def begin_watching(self, name, attribute=None):
        """The module, once: as soon as it has the attribute, or else when its
        body has run; None before that and later."""
        module = module_to_watch(name)
        if module is None or module in self.watched:
            return None
        if not hasattr(module, attribute) if attribute \
                else getattr(module.__spec__, "_initializing", False):
            return None
        self.watched.append(module)
        return module

    def watch_paths(self):
        module = None if HOME is None else self.begin_watching("pathlib", "PosixPath")
        if module is None:
            return
        pure = module.PurePath
        for name in "parts", "parents", "suffix", "suffixes", "stem", "parent":
            self.watch_property(pure, name)
        for name in "match", "full_match", "with_name", "relative_to", "is_relative_to":
            if hasattr(pure, name):
                self.watch_path_method(pure, name)
        self.watch_equality(pure)

    def watch_property(self, pure, name):
        # 3.13 has some in a base.
        real = next(vars(c)[name] for c in pure.__mro__ if name in vars(c))

        def get(path):
            result = real.__get__(path)
            text = str(path)
            if has_home(text) and (
                    not has_home(str(result)) if name == "parent"
                    else name in ("parts", "parents") or text.endswith(HOME)):
                self.depends_on_home()
            return result

        setattr(pure, name, property(get))

    def watch_path_method(self, pure, name):
        real = getattr(pure, name)

        def method(path, *args, **kwargs):
            text = str(path)
            others = [str(arg) for arg in args if isinstance(arg, (str, pure))]
            if name == "with_name":
                depends = text.endswith(HOME)
            elif name in ("match", "full_match"):
                depends = has_home(text) or any(map(has_home, others))
            else:
                depends = has_home(text) != any(map(has_home, others))
            if depends:
                self.depends_on_home()
            return self.unwatched(real, path, *args, **kwargs)

        setattr(pure, name, method)

    def watch_equality(self, pure):
        """3.11 compares lists, and those of two lengths at a glance."""
        real = vars(pure)["__eq__"]

        def equal(path, other):
            if isinstance(other, pure) and self.active:
                a, b = str(path), str(other)
                if has_home(a) and depends("compare", a, b) \
                        or has_home(b) and depends("compare", b, a):
                    self.depends_on_home()
            return self.unwatched(real, path, other)

        pure.__eq__ = equal

    def unwatched(self, function, *args, **kwargs):
        was_active, self.active = self.active, False
        try:
            return function(*args, **kwargs)
        finally:
            self.active = was_active

    def depends_on_home(self):
        self.blame("os.environ", "depends on what $HOME is")

    def text_is_asked(self, kind, text, other):
        if not self.active or type(text) is not str:
            return
        frame = sys._getframe(1)
        if frame.f_code in self.methods:
            frame = frame.f_back
        if frame is None or frame.f_globals is OWN:
            return
        if kind in ("compare", "order", "hash") or not is_of_paths(frame):
            if depends(kind, text, other):
                self.depends_on_home()

    # --- its reader ---------------------------------------------------------

    def read_home(self):
        self.active = False
        module = self.body()
        self.active = True
        if module is not None:
            self.home_readers.setdefault(module)
        return module is not None

    def is_absent_at_home(self, path):
        """Whether a path below $HOME is looked for, which is not there; the
        snapshot is good for homes that do not have it either."""
        if not self.active or not self.replaces_home or self.standing_by:
            return False
        if isinstance(path, os.PathLike):
            path = os.fspath(path)
        if type(path) is not str or not path.startswith(HOME + "/") \
                or not path.isprintable() or not path.isascii():
            return False
        short = "~" + path[len(HOME):]
        if short in self.absent:
            return True
        if short in USUAL_AT_HOME or not is_settings_file(short) \
                or len(self.absent) >= MOST_ABSENT or self.body() is None:
            return False
        self.absent.append(short)
        return True

    def find_home(self, is_run):
        """Modules that keep $HOME, or its last component, in anything but a
        text that nobody has asked for its hash or a path of pathlib's.  Where
        the application is run, it keeps others in modules that do not read it.
        """
        if HOME is None or not self.home_is_read:
            return
        import gc
        self.active = False
        forget_patterns()
        objects = all_objects()
        component = sys.intern(HOME[1:])
        lists = set()
        bad = []
        for path, parts in paths_at_home(objects):
            lists.add(id(parts))
            if is_hashed(path):
                bad.append(path)
            forget_caches(path)
        own = {id(o) for o in (OWN, vars(self), os.environ._data,
                               sys.modules["posix"].environ)}
        for holder in objects:
            if id(holder) in own or type(holder) is type(sys._getframe()) \
                    and holder.f_globals is OWN:
                continue
            for value in long_texts_in(gc, holder, own):
                if str not in type(value).__mro__:
                    fine = os.fsencode(component) not in value
                elif value is component:
                    fine = id(holder) in lists and self.replaces_home
                elif not self.replaces_home:
                    fine = not str.__contains__(value, component)
                else:
                    fine = is_home_text(value) \
                        or not str.__contains__(value, component)
                if not fine:
                    bad.append(holder)
        for holder in bad:
            name = self.owner(gc, holder, {id(objects), id(bad)})
            if is_run and name not in self.home_readers:
                continue
            for module in (name,) if name else self.home_readers:
                if module != "sysconfig":  # it is made to forget
                    self.reasons.setdefault(
                        module, "keeps $HOME where it cannot be replaced")
        self.active = True

    def owner(self, gc, holder, seen):
        """The module whose variables lead to the object, on the shortest way;
        `seen`: what does not count."""
        spaces = {id(vars(m)): name for name, m in sys.modules.items()
                  if type(m) is type(sys) and name in self.begun}
        level = [holder]
        while level and len(seen) < MOST_REFERRERS:
            for found in level:
                if id(found) in spaces:
                    return spaces[id(found)]
            seen.update(map(id, level))
            seen.add(id(level))
            level = [o for o in gc.get_referrers(*level)
                     if id(o) not in seen and type(o) is not type(sys._getframe())]
        return None


def long_texts_in(gc, holder, skipped):
    """Texts and bytes of any kind that are long enough for $HOME."""
    stack = gc.get_referents(holder)
    while stack:
        value = stack.pop()
        mro = type(value).__mro__
        if str in mro:
            if str.__len__(value) >= len(HOME) - 1:
                yield value
        elif bytes in mro or bytearray in mro:
            yield value
        elif type(value) in (tuple, dict) and not gc.is_tracked(value) \
                and id(value) not in skipped:
            stack += gc.get_referents(value)


def is_hashed(path):
    """Whether a path of pathlib's was asked for its hash."""
    try:
        return path._hash is not None
    except AttributeError:
        return False


def module_to_watch(name):
    """None as well for one that importlib.util.LazyLoader has made and that
    runs as soon as anything is asked of it, or is about to."""
    module = sys.modules.get(name)
    if type(module).__name__ == "_LazyModule":
        return None
    if getattr(getattr(module, "__spec__", None), "loader_state", None):
        frame = sys._getframe(1)
        while frame is not None:
            if frame.f_globals is vars(module) and frame.f_code.co_name == "<module>":
                return None
            frame = frame.f_back
    return module


def show(path):
    text = str(path) if path is None else os.fsdecode(path)
    return text if HOME is None else text.replace(HOME, "~")
