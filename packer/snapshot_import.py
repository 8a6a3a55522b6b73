# SPDX-License-Identifier: Apache-2.0
"""Imports the modules of a snapshot and mends what it cannot keep.

Runs inside the packed executable in place of the entry point
(snapshot_role.c), which writes the snapshot afterwards.  `arguments`: how many
modules follow, the modules in order, how many names follow, the modules that
must not be imported, how many lines, modules to be left empty (snapshot_late.py)
and, behind blanks, what those import, how many paths, files that must not be
there, how many names, modules that are to stand by (importer/standby.h), how
many texts, patterns that functions compile (snapshot_patterns.py), 1 if there
are generators of random numbers to be seeded at each start, else 0, 1 if the
locale's encoding was asked for, else 0, how many names, modules that read $HOME,
how many names, variables of the environment that the imports set, and
"MODULE:NAME" of global variables that are the working directory.  The texts of
snapshot_known.py, snapshot_home.py and snapshot_zone.py are in front of this
one.  `startup` runs the lines of .pth files and the like;
`kernel` says of which version the kernel is to be.
"""

import sys


CWD = "/pexcz-working-directory"


class Left(BaseException):
    """No handler in a library catches it."""


class Guard:
    def __init__(self, left):
        self.left = left

    def find_spec(self, name, path=None, target=None):
        if name in self.left:
            raise Left(f"{name} is imported, which the snapshot must not have")
        return None


class Bodiless:
    """Finds modules whose bodies run at each start, and not now."""

    def __init__(self, lines):
        self.imports = {line.split()[0]: line.split()[1:] for line in lines}
        self.found = []

    def find_spec(self, name, path=None, target=None):
        if name not in self.imports or name in self.found:
            return None
        self.found.append(name)
        spec = sys.modules["_frozen_importlib"]._find_spec(name, path)
        spec.loader = Empty(spec.loader, self.imports[name])
        return spec


class Empty:
    def __init__(self, real, imports):
        self.real = real
        self.imports = imports
        self.create_module = real.create_module

    def exec_module(self, module):
        module.__spec__.loader = module.__loader__ = self.real
        for name in self.imports:
            __import__(name)


def run_bodies(names):
    def after():
        for name in names:
            module = sys.modules[name]
            module.__spec__.loader.exec_module(module)

    return after


def import_all(modules, left):
    guard = Guard(left)
    sys.meta_path.insert(0, guard)
    for name in modules:
        try:
            __import__(name)
        except BaseException as error:
            text = str(error).replace("\n", " ")
            sys.exit(f"cannot import {name}: {type(error).__name__}: {text}")
    sys.meta_path.remove(guard)


def import_with_cwd(modules, left, variables):
    """Imports all in a working directory that can be told from any other."""
    import os

    making = True
    real = os.getcwd

    def getcwd():
        return CWD if making else real()

    def after():
        path = os.path.abspath(os.getcwd())
        for module, name in variables:
            setattr(sys.modules[module], name, path)

    os.getcwd = getcwd
    import_all(modules, left)
    os.getcwd = real
    making = False
    for module, name in variables:
        setattr(sys.modules[module], name, None)
    return after


def set_again(names):
    """Variables of the environment that the imports set: each start does, before
    all that others have registered.  Gates are for what was there before."""
    values = {}

    def after():
        import os
        os.environ.update(values)

    def take_back():
        if names:
            import os
            values.update((name, os.environ.pop(name)) for name in names)

    if names:
        import pexcz_snapshot
        pexcz_snapshot.register(after_restore=after)
        del sys.modules["pexcz_snapshot"]
    return take_back


class Changes:
    """What modules are given for as long as the imports take."""

    def __init__(self, wanted):
        import builtins

        self.wanted = wanted  # (module, function to call when it is there)
        self.undo = []
        self.real = builtins.__import__
        builtins.__import__ = self.import_

    def import_(self, *args, **kwargs):
        result = self.real(*args, **kwargs)
        for item in list(self.wanted):
            module = sys.modules.get(item[0])
            if module and not module.__spec__._initializing:
                self.wanted.remove(item)
                item[1](self, module)
        return result

    def replace(self, kind, name, value):
        self.undo.append((kind, name, vars(kind)[name]))
        setattr(kind, name, value)

    def done(self):
        import builtins

        builtins.__import__ = self.real
        for kind, name, value in self.undo:
            setattr(kind, name, value)


UNSEEDED = []


def watch_generators(changes, module):
    """Notes instances of random.Random that are made without a seed."""
    real = module.Random.seed

    def seed(self, a=None, version=2):
        UNSEEDED[:] = [g for g in UNSEEDED if g is not self]
        if a is None:
            UNSEEDED.append(self)
        real(self, a, version)

    changes.replace(module.Random, "seed", seed)


def mend_generators():
    generators = []
    while UNSEEDED:
        generator = UNSEEDED.pop()
        if sys.getrefcount(generator) > 2:  # others have it, too
            generators.append(generator)
    if not generators:
        return None
    seed = sys.modules["random"].Random.seed

    def after():
        for generator in generators:
            seed(generator)

    for generator in generators:
        seed(generator, 0)
    return after


def watch_entropy(changes, module):
    """What asks for it is seeded anew: no word of it must be left over."""
    changes.replace(module, "_urandom", bytes)


def mend_numpy_random(module):
    def after():
        if hasattr(module, "set_bit_generator"):  # NumPy 1.24
            module.set_bit_generator(
                sys.modules["numpy.random._mt19937"].MT19937())
        else:
            module.seed()

    return after


class Context:
    """In the place of an ssl.SSLContext: there is no entropy for one."""

    options = verify_flags = 0

    def __getattr__(self, name):
        return lambda *args, **kwargs: None


def watch_contexts(changes, module):
    changes.replace(module.SSLContext, "__new__",
                    staticmethod(lambda cls, *args, **kwargs: Context()))


def watch_kernel():
    """Modules are told of a kernel and a name that no machine has."""
    import posix  # not os, which the application may not import

    making = True
    real = posix.uname

    def uname():
        if not making:
            return real()
        version = kernel()
        return posix.uname_result(
            ("Linux", f"name-{version}", version, f"#{version}", real().machine))

    def replace(function):
        posix.uname = function
        if "os" in sys.modules:
            sys.modules["os"].uname = function

    def done():
        nonlocal making
        making = False
        replace(real)

    replace(uname)
    return done


def mend_aiohttp(module):
    """It makes two contexts, with keys and the machine's certificates."""
    import gc

    names = {"_SSL_CONTEXT_VERIFIED": True, "_SSL_CONTEXT_UNVERIFIED": False}

    def after():
        for name, verified in names.items():
            setattr(module, name, module._make_ssl_context(verified))

    for name in names:
        setattr(module, name, None)
    if any(type(o) is Context for o in gc.get_objects()):
        sys.exit("cannot import aiohttp.connector: it makes an ssl.SSLContext")
    return after


def mend_ctypes(module):
    import pexcz_snapshot

    def drop():
        module.pythonapi._handle = 0

    def after():
        module.pythonapi._handle = module._dlopen(None, module.DEFAULT_MODE)

    # So late that no object comes into the memory of the address that is freed.
    pexcz_snapshot.register(before_dump=drop, after_restore=after)


def mend_dateutil_parser(module):
    import time

    infos = [o for o in all_objects() if module.parserinfo in type(o).__mro__]

    def after():
        year = time.localtime().tm_year
        for info in infos:
            info._year = year
            info._century = year // 100 * 100

    for info in infos:
        info._year = info._century = None
    return after


def mend_django_encoding(module):
    name = "DEFAULT_LOCALE_ENCODING"
    value = getattr(module, name)
    holders = [m for m in sys.modules.values()
               if getattr(m, "__dict__", {}).get(name) is value]

    def after():
        for holder in holders:
            setattr(holder, name, module.get_system_encoding())

    for holder in holders:
        setattr(holder, name, None)
    return after


def mend_logging(module):
    import time

    clock = time.time_ns if type(module._startTime) is int else time.time

    def after():
        module._startTime = clock()

    module._startTime = 0
    return after


def mend_mercurial(module):
    import os

    def after():
        module.sysargv = [os.fsencode(a) for a in sys.argv]
        module.sysexecutable = os.fsencode(sys.executable)

    module.sysargv = module.sysexecutable = None
    return after


def mend_mercurial_umask(module):
    import os

    def after():
        module.umask = os.umask(0)
        os.umask(module.umask)

    module.umask = None
    return after


def mend_process(module):
    import os

    def after():
        config = module._current_process._config
        config["authkey"] = module.AuthenticationString(os.urandom(32))
        try:
            module.ORIGINAL_DIR = os.path.abspath(os.getcwd())
        except OSError:
            module.ORIGINAL_DIR = None

    module._current_process._config["authkey"] = None
    module.ORIGINAL_DIR = None
    return after


def mend_spawn(module):
    def after():
        module.set_executable(sys.executable)

    module.set_executable("")
    return after


def mend_subprocess(module):
    def after():
        module._USE_POSIX_SPAWN = module._use_posix_spawn()

    module._USE_POSIX_SPAWN = None
    return after


def mend_multiprocessing(module):
    import os

    def after():
        try:
            module.MAXFD = os.sysconf("SC_OPEN_MAX")
        except OSError:
            module.MAXFD = 256

    module.MAXFD = None
    return after


def mend_sysconfig(module):
    import os

    def after():
        module._PROJECT_BASE = os.path.dirname(
            module._safe_realpath(sys.executable))
        module._USER_BASE = module._getuserbase()

    module._CONFIG_VARS = None
    if hasattr(module, "_CONFIG_VARS_INITIALIZED"):
        module._CONFIG_VARS_INITIALIZED = False
    module._PROJECT_BASE = None
    module._USER_BASE = None
    return after


def mend_rich_style(module):
    def after():
        module._id_generator = module.count(module.getrandbits(24))

    module._id_generator = None
    return after


def mend_urllib3(module):
    def after():
        module.HAS_IPV6 = module._has_ipv6("::1")

    module.HAS_IPV6 = None
    return after


def mend_random(module):
    # Seeded anew by the module's own fork handler.
    module._inst.seed(0)


def mend_f2py_rules(module):
    import time

    def date():
        return time.asctime(time.gmtime(module.generationtime))

    before, _, behind = module.module_rules["modulebody"].partition(date())

    def after():
        # $SOURCE_DATE_EPOCH, which it prefers, is a gate.
        module.generationtime = int(time.time())
        module.module_rules["modulebody"] = before + date() + behind

    module.generationtime = 0
    module.module_rules["modulebody"] = ""
    return after


def mend_numpy_testing(module):
    def after():
        module._glibcver = module._get_glibc_version()

    module._glibcver = ""
    return after


def mend_scipy_fft(module):
    import os

    def after():
        module._cpu_count = os.cpu_count()

    module._cpu_count = None
    return after


def mend_platform(module):
    module._uname_cache = None
    module._platform_cache.clear()


MENDERS = {
    "_strptime": mend_strptime,
    "aiohttp.connector": mend_aiohttp,
    "ctypes": mend_ctypes,
    "dateutil.parser._parser": mend_dateutil_parser,
    "django.utils.encoding": mend_django_encoding,
    "logging": mend_logging,
    "mercurial.posix": mend_mercurial_umask,
    "mercurial.pycompat": mend_mercurial,
    "multiprocessing.process": mend_process,
    "multiprocessing.spawn": mend_spawn,
    "multiprocessing.util": mend_multiprocessing,
    "numpy.f2py.rules": mend_f2py_rules,
    "numpy.random.mtrand": mend_numpy_random,
    "numpy.testing._private.utils": mend_numpy_testing,
    "pip._vendor.rich.style": mend_rich_style,
    "pip._vendor.urllib3.util.connection": mend_urllib3,
    "platform": mend_platform,
    "random": mend_random,
    "rich.style": mend_rich_style,
    "scipy.fft._pocketfft.helper": mend_scipy_fft,
    "subprocess": mend_subprocess,
    "sysconfig": mend_sysconfig,
    "urllib3.util.connection": mend_urllib3,
}


def mend_all(afters, last):
    import pexcz_snapshot

    modules = {name: sys.modules.get(name) for name in MENDERS}
    afters += [MENDERS[name](module) for name, module in modules.items()
               if module and is_known(name, module)]
    for after in [*afters, last]:
        if after is not None:
            pexcz_snapshot.register(after_restore=after)
    del sys.modules["pexcz_snapshot"]


class Recorder:
    """Notes what the bodies of modules import."""

    def __init__(self):
        self.statements = {}  # module -> {(name, names after from): found}
        self.inside = set()   # modules that their package's body imported
        self.real = __import__

    def find_spec(self, name, path=None, target=None):
        self.statements.setdefault(name, {})
        package = sys.modules.get(name.rpartition(".")[0])
        if package is not None and package.__spec__._initializing:
            self.inside.add(name)
        return None

    def body(self):
        frame = sys._getframe(2)
        while frame is not None:
            name = frame.f_globals.get("__name__")
            if frame.f_code.co_name == "<module>" and name in self.statements:
                return name
            frame = frame.f_back
        return None

    def import_(self, name, globals=None, locals=None, fromlist=(), level=0):
        body = self.body()
        full = name
        if level:
            package = globals.get("__package__") or ""
            package = package.rsplit(".", level - 1)[0]
            full = f"{package}.{name}" if name else package
        items = tuple(fromlist or ())
        found = self.statements.get(body, {})
        found.setdefault((full, items), None)
        result = self.real(name, globals, locals, fromlist, level)
        names = [full, *(f"{full}.{item}" for item in items)]
        found[full, items] = tuple(
            (n, sys.modules[n]) for n in names if n in sys.modules)
        return result


def all_types():
    found, queue = {}, [object]
    for kind in queue:
        for heir in type.__subclasses__(kind):
            if id(heir) not in found:
                found[id(heir)] = heir
                queue.append(heir)
    return found


def module_of(kind):
    return type.__dict__["__module__"].__get__(kind)


def reached_from(name):
    """The modules that things in the module come from.  No attribute of an
    unknown object is asked for: it may be a proxy."""
    for key, value in list(vars(sys.modules[name]).items()):
        if key in ("__builtins__", "__loader__", "__spec__"):
            continue
        if type(value) is type(sys):
            yield vars(value).get("__name__")
        elif type(value) is type(all_types):
            yield value.__module__
        elif type in type(value).__mro__:
            yield module_of(value)


def needs_of(name, statements):
    """What the body may have looked at: all modules within its reach."""
    queue = ["builtins", "sys"]
    for found in statements.values():
        queue += [n for n, module in found or ()]
    seen = {name, "__main__"}
    needs = []
    for other in queue:
        parent = other.rpartition(".")[0] if type(other) is str else ""
        if parent:
            queue.append(parent)
        if other not in seen and type(sys.modules.get(other)) is type(sys):
            seen.add(other)
            needs.append(other)
            queue += reached_from(other)
    return needs


def import_for_standby(names, recorder):
    """The new modules, and the classes that each has."""
    import builtins

    classes = {}
    sys.meta_path.insert(0, recorder)
    builtins.__import__ = recorder.import_
    types = all_types()
    for name in names:
        before = set(sys.modules)
        recorder.real(name)
        new = [n for n in sys.modules if n not in before]
        classes.update((n, []) for n in new)
        now = all_types()
        for kind in [now[i] for i in now if i not in types] if new else ():
            owner = module_of(kind)
            classes[owner if owner in new else new[0]].append(kind)
        types = now
    builtins.__import__ = recorder.real
    sys.meta_path.remove(recorder)
    return classes


def put_aside(names):
    """Imports the modules and takes them out of sys.modules again."""
    recorder = Recorder()
    paths = set(sys.path_importer_cache)
    classes = import_for_standby(names, recorder)
    needs = {n: needs_of(n, recorder.statements[n]) for n in classes}
    order = list(dict.fromkeys([*classes, *(n for m in needs.values() for n in m)]))
    numbers = {name: number for number, name in enumerate(order)}
    children = {name: [] for name in order}
    for name in classes:
        parent, _, tail = name.rpartition(".")
        if name in recorder.inside and parent in classes:
            variables = vars(sys.modules[parent])
            children[parent].append(
                (tail, variables[tail]) if tail in variables else (tail,))
        elif parent:
            delattr(sys.modules[parent], tail)
    records = []
    for name in order:
        statements = None
        if name in classes:
            statements = tuple(
                (*key, found) for key, found in recorder.statements[name].items())
        records.append((
            name, sys.modules[name], statements, tuple(children[name]),
            tuple(classes.get(name, ())),
            tuple(numbers[n] for n in needs.get(name, ())),
            name in MENDERS or name in ("sys", "threading", "time")))
    for name in classes:
        del sys.modules[name]
    for path in set(sys.path_importer_cache) - paths:
        del sys.path_importer_cache[path]
    stand_by(records)


class Warnings:
    """In the place of the module `warnings`."""

    @staticmethod
    def warn(*args, **kwargs):
        raise Warning


def compile_patterns(texts):
    """Puts them into re's cache, but for what warns or does not compile."""
    module = sys.modules.get("re")
    if module is None or not texts:
        return
    modules = list(sys.modules.items())
    sys.modules["warnings"] = Warnings
    for text in texts:
        try:
            module._compile(*eval(text))
        except Exception:
            pass
    sys.modules.clear()
    sys.modules.update(modules)


def replace_home(readers):
    """A start puts its own home into these lists, and into any text, of which
    this script is not to be one."""
    global HOME

    if HOME is None:
        return
    lists = {}
    for path, parts in paths_at_home(all_objects()):
        forget_caches(path)
        lists[id(parts)] = parts
    if readers or lists:
        needs_home(list(lists.values()))
    HOME = None


def take(names):
    count = int(names.pop(0))
    taken = names[:count]
    del names[:count]
    return taken


def main(*names):
    rest = list(names)
    modules = take(rest)
    left = set(take(rest))
    bodiless = Bodiless(take(rest))
    for path in take(rest):
        look_for(path)
    standby = take(rest)
    patterns = take(rest)
    wanted = []
    if rest.pop(0) == "1":
        wanted.append(("random", watch_generators))
    if rest.pop(0) == "1":
        needs_encoding()
    if "numpy.random.mtrand" in modules:
        wanted.append(("random", watch_entropy))
    if "dateutil.tz.tz" in modules:
        wanted.append(("dateutil.tz.tz", watch_zone_files))
    if "aiohttp.connector" in modules:
        wanted.append(("ssl", watch_contexts))
    readers = take(rest)
    take_back = set_again(take(rest))
    variables = [text.split(":") for text in rest]
    after = None
    startup()
    sys.meta_path.insert(0, bodiless)
    kernel_done = watch_kernel()
    changes = Changes(wanted) if wanted else None
    if variables:
        needs_cwd()
        after = import_with_cwd(modules, left, variables)
    else:
        import_all(modules, left)
    if changes:
        changes.done()
    sys.meta_path.remove(bodiless)
    if standby:
        put_aside(standby)
    compile_patterns(patterns)
    take_back()
    kernel_done()
    mend_all([after, mend_generators(), mend_zones()], run_bodies(bodiless.found))
    replace_home(readers)


main(*arguments)
