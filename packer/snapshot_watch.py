# SPDX-License-Identifier: Apache-2.0
"""What modules do while they are imported: between snapshot_variables_watch.py and
snapshot_standby.py."""

import builtins
import io
import os
import sys
import time

OWN_IMPORTS = set(sys.modules)
import opcode

OPCODE_NAMES = opcode.opname
for name in set(sys.modules) - OWN_IMPORTS:  # the application imports its own
    del sys.modules[name]
PREFIX = "/proc/pexcz"
# What os.getcwd() returns, behind it the number of the module that asks: one
# component, so that a pathlib.Path is found as well.  Put together, so that no
# constant of this file is taken for a copy that a module keeps.
CWD = "-".join(("/pexcz", "working", "directory"))
OWN = globals()
ENOENT = 2
# Parts of paths that only the making of a snapshot has.
MARKS = ("/pexcz/executable", "/pexcz/program", "//pexcz")
MOST_ABSENT = 32  # each costs a start a microsecond

# Set in nearly every session, so a snapshot that was gated by one of them
# would never be used.
PERSONAL = {
    "COLORTERM", "COLUMNS", "DISPLAY", "EDITOR", "HOME", "HOSTNAME", "LANG",
    "LANGUAGE", "LINES", "LOGNAME", "LS_COLORS", "MAIL", "OLDPWD", "PAGER",
    "PATH", "PWD", "SHELL", "SHLVL", "TERM", "TERM_PROGRAM", "TMP", "TMPDIR",
    "TEMP", "TZ", "USER", "USERNAME", "VISUAL", "VIRTUAL_ENV", "_",
}
PERSONAL_PREFIXES = ("LC_", "PEX", "SSH_", "XDG_")
# Unset in nearly every session.
RARE = {
    "PYTHONUSERBASE", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME",
    "XDG_STATE_HOME",
}

# Of those that begin so, what is Python's own: snapshot_environment.c.
PYTHON_ = {
    "PYTHON_" + tail for tail in
    ("BASIC_REPL COLORS CPU_COUNT FROZEN_MODULES GIL HISTORY JIT "
     "PERF_JIT_SUPPORT PRESITE").split()
}

# These do not: snapshot_environment.c of the runtime.
SEEN_BY_SNAPSHOT = {
    "PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "PYTHONPATH", "PYTHONUNBUFFERED",
    "PYTHONUSERBASE",
}

# Set whenever a snapshot is made: snapshot_process.c of the packer, and
# app_environment.c of the runtime, which has its own way with $PATH.
FIXED_VARIABLES = {b"HOME", b"LC_CTYPE", b"PEX", b"TZ"}
OWN_PATH = f"{PREFIX}/bin".encode()

# What objects are made with that a start makes anew.
SEEN_BY_RESTORE = {"SSL_CERT_DIR", "SSL_CERT_FILE"}

KNOWN = {
    "_tkinter": "keeps addresses of this process",
    "readline": "reads the terminal's settings",
}

# gettext looks for catalogues of these languages in the tree, where there are
# none; elsewhere it would be seen to look.  sysconfig asks for HOME; what it
# remembers is dropped, and where a module keeps it, it is replaced.
HARMLESS_READERS = {"gettext", "sysconfig"}
LOOKS_IN_VAIN = {"gettext"}
# These ask who they are, and are told anew at restore, or keep it no longer than
# an import takes.
USES_IDENT = {"_frozen_importlib", "importlib._bootstrap", "threading"}
PASSED_THROUGH = {"collections.abc", "genericpath", "os", "posixpath"}

CLOCK = (
    "time time_ns monotonic monotonic_ns perf_counter perf_counter_ns "
    "process_time process_time_ns thread_time thread_time_ns clock_gettime "
    "clock_gettime_ns localtime ctime asctime sleep get_clock_info"
).split()

PROCESS = (
    "getcwd getcwdb getpid getppid getuid geteuid getgid getegid getgroups "
    "getlogin getpgid getpgrp getsid getresuid getresgid getpriority "
    "urandom getrandom cpu_count process_cpu_count sched_getaffinity sched_getscheduler isatty "
    "ttyname get_terminal_size times getloadavg umask nice pipe pipe2 dup dup2 "
    "fstat fstatvfs read write lseek get_blocking set_blocking "
    "get_inheritable set_inheritable wait waitpid memfd_create eventfd "
    "openpty setsid ctermid get_exec_path sched_setaffinity confstr "
    "pidfd_open"
).split()

# Linux has the same everywhere for a kind of processor.
FIXED = {"SC_CLK_TCK", "SC_IOV_MAX", "SC_PAGESIZE", "SC_PAGE_SIZE"}

THREADS = ("start_new_thread", "start_joinable_thread")  # the latter since 3.13

PATHS = "stat lstat access readlink statvfs pathconf listxattr".split()

SIGNALS = (
    "getsignal signal siginterrupt set_wakeup_fd setitimer alarm pthread_sigmask "
    "raise_signal"
).split()

STREAM_METHODS = (
    "write writelines read readline readlines isatty flush detach "
    "reconfigure seek tell truncate readable writable seekable"
).split()

PLATFORM = (
    "node release version platform uname processor libc_ver "
    "freedesktop_os_release architecture"
)


RANDOM = (
    "seed random uniform randint randrange choice choices shuffle sample "
    "triangular betavariate binomialvariate expovariate gammavariate gauss "
    "lognormvariate normalvariate vonmisesvariate paretovariate "
    "weibullvariate getstate setstate getrandbits randbytes"
)

# Of the generator that all share, which is seeded anew at restore.
NUMPY_RANDOM = (
    "beta binomial bytes chisquare choice dirichlet exponential f gamma "
    "geometric get_state gumbel hypergeometric laplace logistic lognormal "
    "logseries multinomial multivariate_normal negative_binomial "
    "noncentral_chisquare noncentral_f normal pareto permutation poisson power "
    "rand randint randn random random_integers random_sample ranf rayleigh sample "
    "seed set_state shuffle standard_cauchy standard_exponential standard_gamma "
    "standard_normal standard_t triangular uniform vonmises wald weibull zipf"
)

# What asks for more than os does, watched as soon as the module is there.
LATER = {
    "_locale": "bindtextdomain textdomain bind_textdomain_codeset",
    "_ssl": "RAND_bytes RAND_pseudo_bytes RAND_add",
    "_uuid": "generate_time_safe",
    "faulthandler": "enable register dump_traceback_later",
    "grp": "getgrgid getgrnam getgrall",
    "numpy.random.mtrand": NUMPY_RANDOM,
    "platform": PLATFORM,
    "pwd": "getpwuid getpwnam getpwall",
    "random": RANDOM,
    "resource": "getrusage getrlimit prlimit",
    "spwd": "getspnam getspall",
    "tracemalloc": "start",
}


def is_variable_of_python(name):
    return name in PYTHON_ or name.startswith("PYTHON") and name[6:7] not in ("", "_")


def is_personal(name):
    return name in PERSONAL or name not in RARE and (
        is_variable_of_python(name) or name.startswith(PERSONAL_PREFIXES))


def is_numeric_time(args):
    """Whether time.strftime() gives a time that it is given, without words of a
    language."""
    return len(args) == 2 and {
        directive for part in args[0].split("%")[1:]
        for directive in part.lstrip("0123456789")[:1]
    } <= set("YmdHMSj")


class Watch(VariablesWatch):
    def __init__(self):
        super().__init__()
        self.order = []        # modules whose import began
        self.begun = set()
        self.edges = {}        # module -> modules that its body imported
        self.reasons = {}      # module -> why it cannot be in the snapshot
        self.mended = {}       # the same, if only it is not as it is known
        self.startup = None    # the same of what runs before all imports
        self.gate = []
        self.given = {}        # variables that the command line of pexcz-pack sets
        self.watched = []
        self.cwd_readers = {}  # module -> what os.getcwd() is to it
        self.cwd = []          # (module, global variable)
        self.absent = []       # files that were looked for and not found
        self.active = False
        self.in_startup = False
        self.standing_by = False  # what is imported is to stand by
        self.importers = set()  # of what is left out
        self.unseeded = []     # instances of random.Random without a seed

    def body(self):
        """The module whose body is running, innermost; None: there is none."""
        frame = sys._getframe(1)
        while frame is not None:
            if frame.f_code.co_name == "<module>" and frame.f_globals is not OWN:
                name = frame.f_globals.get("__name__")
                if name in self.begun:
                    return name
            if id(frame.f_code) in LOADING:
                name = getattr(frame.f_locals.get("self"), "name", None)
                if name in self.begun:
                    return name
            frame = frame.f_back
        return None

    def blame(self, what, reason):
        if not self.active:
            return
        if what in MENDED["sysconfig"] and caller() == "sysconfig" \
                or what in MENDED["_strptime"] and self.finds_names:
            return
        self.active = False
        try:
            name = self.body()
            if name is None:
                if self.in_startup:
                    self.startup = self.startup or reason
            elif what == "os.getcwd()" and not self.standing_by:
                if what not in MENDED.get(name, ()):
                    self.cwd_readers.setdefault(
                        name, f"{CWD}-{len(self.cwd_readers):05}")
            elif what not in MENDED.get(name, ()):
                self.reasons.setdefault(name, reason)
                self.note_cause(name, reason)
            else:
                self.mended[name] = reason
        finally:
            self.active = True

    def edge(self, imported):
        name = self.body()
        if name is not None and name != imported:
            self.edges.setdefault(name, set()).add(imported)

    # --- imports ----------------------------------------------------------

    def find_spec(self, name, path=None, target=None):
        """First on sys.meta_path: sees every import that begins."""
        if self.active:
            self.edge(name)
            if name not in self.begun:
                self.begun.add(name)
                self.order.append(name)
                parent = name.rpartition(".")[0]
                if parent:
                    self.edges.setdefault(name, set()).add(parent)
            if name in KNOWN:
                self.reasons.setdefault(name, KNOWN[name])
        return None

    def watch_imports(self, left_out):
        for name, reason in left_out.items():
            if reason == "-":
                self.importers.add(name)
            else:
                KNOWN[name] = reason or "is left out on request"
        real = builtins.__import__

        def import_(name, globals=None, locals=None, fromlist=(), level=0):
            result = real(name, globals, locals, fromlist, level)
            if self.active:
                self.note_import(name, globals, fromlist, level)
            return result

        builtins.__import__ = import_
        sys.meta_path.insert(0, self)

    def note_import(self, name, globals, fromlist, level):
        if level:
            package = (globals or {}).get("__package__") or ""
            base = package.rsplit(".", level - 1)[0] if level > 1 else package
            name = f"{base}.{name}" if name else base
        self.edge(name)
        for item in fromlist or ():
            if isinstance(item, str) and f"{name}.{item}" in sys.modules:
                self.edge(f"{name}.{item}")
        for later, functions in LATER.items():
            self.watch_functions(later, functions.split())
        self.watch_contexts()
        self.watch_selectors()
        self.watch_paths()
        self.watch_patterns()
        self.watch_names()
        self.watch_getlocale()
        self.watch_zone_files()

    # --- the process ------------------------------------------------------

    def wrap(self, module, name, allowed=None):
        real = getattr(module, name, None)
        if real is None or getattr(real, "__pexcz__", False):
            return
        what = f"{module.__name__.lstrip('_')}.{name}()"

        def watched(*args, **kwargs):
            if name in PATHS and (
                    self.is_absent(real, args, kwargs)
                    or name in ("stat", "lstat")
                    and self.is_absent_at_home(args[0] if args else None)):
                raise FileNotFoundError(
                    ENOENT, os.strerror(ENOENT), os.fspath(args[0]))
            if allowed is None or not allowed(args):
                self.blame(what, f"calls {what}")
            return real(*args, **kwargs)

        watched.__pexcz__ = True
        watched.__name__ = watched.__qualname__ = name
        for group in ("supports_dir_fd", "supports_fd", "supports_effective_ids",
                      "supports_follow_symlinks"):
            functions = getattr(module, group, None)
            if functions is not None and real in functions:
                functions.add(watched)
        setattr(module, name, watched)

    def is_absent(self, real, args, kwargs):
        """Whether a catalogue of messages outside of the tree is looked for and
        not there; the snapshot is good for processes that do not find it either.
        Of other files too many would be found elsewhere: /etc/mime.types."""
        path = args[0] if len(args) == 1 and not kwargs else None
        if self.standing_by or type(path) is not str or not path.startswith("/") \
                or in_tree(path) or not self.active or any(
                    mark in path for mark in (*MARKS, CWD)) \
                or not path.isprintable() or caller() not in LOOKS_IN_VAIN:
            return False
        if path not in self.absent:
            try:
                real(path)
                return False
            except FileNotFoundError:
                if len(self.absent) >= MOST_ABSENT:
                    return False
                self.absent.append(path)
            except OSError:
                return False
        return True

    def watch_functions(self, name, functions):
        """Of a module that is loaded already, when others call them."""
        module = self.begin_watching(name)
        if module is None:
            return
        inside = lambda args: sys._getframe(2).f_globals is vars(module)
        for function in functions:
            self.wrap(module, function, inside)
        if name == "random":
            self.watch_generators(module)

    def watch_generators(self, module):
        """Seeded ones are constants; others are seeded anew at restore, so nothing
        may have been drawn from them."""
        watch = self
        kind = module.Random

        def is_unseeded(generator):
            return any(other is generator for other in watch.unseeded)

        def watched(name):
            real = getattr(kind, name)

            def method(self, *args, **kwargs):
                if is_unseeded(self):
                    watch.blame("random.Random()", "draws from a random.Random()")
                return real(self, *args, **kwargs)

            return method

        def seed(self, a=None, version=2):
            if a is None and watch.active and not is_unseeded(self):
                if watch.standing_by:
                    watch.blame("random.Random()", "makes a random.Random()")
                watch.unseeded.append(self)
            real(self, a, version)

        real = kind.seed
        for name in ("random", "getrandbits", "getstate"):
            setattr(kind, name, watched(name))
        kind.seed = seed

    def watch_contexts(self):
        """OpenSSL draws keys for each, and reads files, the machine's
        certificates among them, without Python's knowledge."""
        module = self.begin_watching("ssl", "SSLContext")
        if module is None:
            return
        watch = self
        real = module.SSLContext.__new__

        def __new__(cls, *args, **kwargs):
            watch.blame("ssl.SSLContext", "makes an ssl.SSLContext")
            return real(cls, *args, **kwargs)

        module.SSLContext.__new__ = staticmethod(__new__)

    def watch_selectors(self):
        module = self.begin_watching("selectors", "DefaultSelector")
        if module is None:
            return
        watch = self
        real = module._BaseSelectorImpl.__init__

        def __init__(self):
            watch.blame("selectors", "makes a selector")
            real(self)

        module._BaseSelectorImpl.__init__ = __init__

    def watch_process(self):
        os.getcwd = lambda: self.cwd_readers.get(self.body(), CWD)
        self.wrap(os, "sysconf", lambda args: args and args[0] in FIXED)
        for name in PROCESS:
            self.wrap(os, name)
        for name in PATHS:
            parents = ("/", "/proc") if name == "lstat" else ()  # realpath()
            self.wrap(os, name, lambda args, parents=parents: args and (
                in_tree(args[0]) or args[0] in parents))
        self.wrap(time, "strftime", is_numeric_time)
        for name in CLOCK:
            self.wrap(time, name)
        self.watch_zone()
        import _signal
        for name in SIGNALS:
            self.wrap(_signal, name)
        import _thread
        for name in THREADS:
            self.wrap(_thread, name)
        for_locks = lambda args: (
            sys._getframe(2).f_globals.get("__name__") in USES_IDENT)
        self.wrap(_thread, "get_ident", for_locks)
        self.wrap(_thread, "get_native_id", for_locks)
        self.watch_locale()
        sys.addaudithook(self.audit)

    def audit(self, event, args):
        if not self.active:
            return
        reason = None
        if event == "open":
            path, mode, flags = args
            if isinstance(path, int):
                return
            if not in_tree(path):
                if not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) \
                        and self.is_absent_at_home(path):
                    return
                reason = f"opens {show(path)}"
            elif flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                reason = f"writes {os.fsdecode(path)}"
        elif event in ("os.listdir", "os.scandir"):
            if args[0] is None or not in_tree(args[0]) \
                    and not self.is_absent_at_home(args[0]):
                reason = f"lists {show(args[0])}"
        elif event == "import":
            if args[1] is not None and args[0] not in sys.builtin_module_names:
                if args[0] in KNOWN or args[0] in self.importers:
                    refuse_library(args[1])
                why = library(args[1])
                if why is not None and args[0] not in self.importers:
                    self.reasons.setdefault(
                        args[0], f"is a shared object that {why}")
                return
        elif event == "os.putenv":
            self.set_variable(os.fsdecode(args[0]))
        elif event == "os.unsetenv":
            name = os.fsdecode(args[0])
            if self.set.pop(name, None) is None:
                reason = f"sets ${name}"
            else:  # if the user has set it, it is gone as well
                self.read_variable(name)
        elif event == "ctypes.dlsym" and is_of_python(args):
            return
        elif event in ("glob.glob", "glob.glob/2"):
            return
        elif event.partition(".")[0] in AUDITED or event in AUDITED:
            reason = f"does {event}"
        if reason is not None:
            self.blame(event, reason)

    def library_calls(self, name):
        """A shared object calls this function, or reads this $VARIABLE, or a
        constructor of it this =VARIABLE at each start."""
        if name == "$HOME":
            self.blame("os.environ", "reads $HOME")
        elif name.startswith("$"):
            self.read_variable(name[1:])
        elif name.startswith("="):
            if name[1:] not in self.set:  # else the constructor is given it
                self.read_at_start.add(name[1:])
            self.readers.add((name[1:], self.body()))
            self.note_order(name[1:], self.body())
        else:
            self.blame(name, f"calls {name}() in a shared object")

    # --- environment, arguments, streams ----------------------------------

    def read_variable(self, key):
        name = os.fsdecode(key)
        if is_variable_of_python(name) and name not in SEEN_BY_SNAPSHOT:
            return  # any of them switches the snapshot off
        if name == "HOME":
            self.home_is_read = True
        if caller() in HARMLESS_READERS:
            return
        if name == "HOME" and self.replaces_home and self.active \
                and not self.standing_by and self.read_home():
            return
        if is_personal(name) and name not in self.given \
                or self.standing_by and name not in self.gate:
            self.blame("os.environ", f"reads ${name}")
        elif self.active:
            body = self.body()
            if name not in self.gate and (self.in_startup or body is not None):
                self.gate.append(name)
            self.note_reader(body, name)
            self.note_order(name, body)
            if self.in_startup:
                self.looked.add(body)

    def watch_sys(self):
        watch = self

        class Variables(dict):
            def __getitem__(self, key):
                watch.read_variable(key)
                return dict.__getitem__(self, key)

            def __contains__(self, key):
                watch.read_variable(key)
                return dict.__contains__(self, key)

            def get(self, key, default=None):
                watch.read_variable(key)
                return dict.get(self, key, default)

        def whole(name):
            real = getattr(dict, name)

            def method(self, *args):
                watch.blame("os.environ", "reads the whole environment")
                return real(self, *args)

            return method

        for name in ("__iter__", "keys", "values", "items", "copy", "__len__",
                     "__eq__", "__or__"):
            setattr(Variables, name, whole(name))
        self.given = {os.fsdecode(key): value for key, value
                      in os.environ._data.items() if key not in FIXED_VARIABLES
                      and (key != b"PATH" or value.strip(b":") != OWN_PATH)}
        os.environ._data = os.environb._data = Variables(os.environ._data)

        class Arguments(list):
            pass

        def reading(name):
            real = getattr(list, name)

            def method(self, *args):
                watch.blame("sys.argv", "reads sys.argv")
                return real(self, *args)

            return method

        for name in ("__getitem__", "__iter__", "__len__", "__contains__",
                     "__eq__", "__add__", "copy", "index", "count", "pop"):
            setattr(Arguments, name, reading(name))
        sys.argv = Arguments(list(sys.argv))

        class Stream(io.TextIOWrapper):
            pass

        def using(name, stream):
            real = getattr(io.TextIOWrapper, name)

            def method(self, *args, **kwargs):
                watch.blame(f"sys.{stream}", f"uses sys.{stream}")
                return real(self, *args, **kwargs)

            return method

        for stream in ("stdin", "stdout", "stderr"):
            old = getattr(sys, stream)
            kind = type("TextIOWrapper", (Stream,), {
                name: using(name, stream) for name in STREAM_METHODS})
            new = kind(old.buffer, encoding=old.encoding, errors=old.errors,
                       newline="\n", line_buffering=old.line_buffering)
            setattr(sys, stream, new)
            setattr(sys, f"__{stream}__", new)
            KEEP.append(old)

    def find_cwd(self):
        """A module may keep the working directory in a global variable, which
        is set again at restore; anywhere else it could not be found."""
        if not self.cwd_readers:
            return
        import gc
        self.active = False
        readers = {mark[1:]: name for name, mark in self.cwd_readers.items()}
        own = {id(vars(sys.modules[n])): n for n in self.cwd_readers
               if n in sys.modules}
        found = set()
        lost = set()
        for holder in gc.get_objects():
            if holder is OWN or holder is readers or holder is own \
                    or holder is self.cwd_readers or holder is self \
                    or holder is vars(self):
                continue
            for value, direct in texts_in(gc, holder):
                if CWD[1:] not in value:
                    continue
                name = own.get(id(holder))
                if direct and name and value == self.cwd_readers[name]:
                    found.add(name)
                else:
                    lost.update(n for mark, n in readers.items() if mark in value)
        for name, mark in self.cwd_readers.items():
            if name in lost or name not in found:
                self.reasons.setdefault(name, "calls os.getcwd()")
            else:
                self.cwd += [(name, attribute) for attribute, value
                             in vars(sys.modules[name]).items() if value == mark]
        self.active = True

    def find_patches(self):
        """A module that changes others when it is imported does so at another
        time if it is left out: what is imported after it is left out, too."""
        left = close(self)
        for number, name in enumerate(self.order):
            if name not in left or name not in sys.modules:
                continue
            changed = self.changed_by(name, left)
            if changed is not None:
                for later in self.order[number + 1:]:
                    self.reasons.setdefault(
                        later, f"is imported after {name}, which changes {changed}")
                return

    def changed_by(self, patcher, left):
        """A module that has something of `patcher`, which it does not import."""
        namespace = vars(sys.modules[patcher])
        for name, module in list(sys.modules.items()):
            if type(module) is not type(sys) or name in left or name == "__main__" \
                    or vars(module).get("__name__") != name:  # an alias
                continue
            for value in list(vars(module).values()):
                if is_of(value, namespace):
                    return name
                if type(value) is type and any(
                        is_of(v, namespace) for v in list(vars(value).values())) \
                        and vars(value).get("__module__") == name:
                    return name
        return None

    def find_unknown(self):
        """Modules of another version than those that are mended."""
        self.active = False
        for name, reason in self.mended.items():
            if not is_known(name, sys.modules.get(name)):
                self.reasons.setdefault(name, reason)
        self.active = True

    def find_kept_paths(self):
        """Modules that keep what was derived from sys.executable or argv."""
        self.active = False
        for name in self.order:
            module = sys.modules.get(name)
            if "sys.executable" in MENDED.get(name, ()):
                continue
            if type(module) is not type(sys):
                continue
            if keeps_path(module):
                self.reasons.setdefault(name, "keeps sys.executable")
        self.active = True


AUDITED = {
    "ctypes", "fcntl", "ftplib", "gc.get_objects", "gc.get_referrers",
    "gc.get_referents", "imaplib", "mmap", "msvcrt", "nntplib", "poplib",
    "pty", "resource", "shutil", "smtplib", "socket", "sqlite3", "subprocess",
    "syslog", "telnetlib", "tempfile", "urllib", "webbrowser",
    "sys.setprofile", "sys.settrace",
    "os.chdir", "os.fchdir", "os.chmod", "os.chown", "os.chflags", "os.exec",
    "os.fork", "os.forkpty", "os.fwalk", "os.getxattr", "os.kill", "os.killpg",
    "os.link", "os.listxattr", "os.lockf", "os.mkdir", "os.posix_spawn",
    "os.remove", "os.removexattr", "os.rename", "os.rmdir", "os.setxattr",
    "os.spawn", "os.symlink", "os.system", "os.truncate", "os.utime",
    "signal.pthread_kill",
}
# Frames in which a shared object is loaded and its module made.
LOADING = {
    id(getattr(sys.modules["_frozen_importlib_external"].ExtensionFileLoader,
               name).__code__)
    for name in ("create_module", "exec_module")
}
KEEP = []  # streams that share a descriptor must not be collected


def caller():
    """The module that uses os or os.path, directly or not."""
    frame = sys._getframe(2)
    while frame is not None and (
            frame.f_globals is OWN
            or frame.f_globals.get("__name__") in PASSED_THROUGH):
        frame = frame.f_back
    return frame.f_globals.get("__name__") if frame is not None else None


def keeps_path(module):
    for value in list(vars(module).values()):
        items = value if type(value) in (list, tuple) else (value,)
        texts = [os.fsdecode(i) for i in items if type(i) in (str, bytes)]
        if any(mark in text for text in texts for mark in MARKS):
            return True
    return False


def texts_in(gc, holder):
    """(text, whether it is in `holder` itself): also those in containers that
    the collector does not know."""
    stack = [(value, True) for value in gc.get_referents(holder)]
    while stack:
        value, direct = stack.pop()
        if type(value) is str:
            yield value, direct
        elif type(value) in (tuple, dict) and not gc.is_tracked(value):
            stack += [(v, False) for v in gc.get_referents(value)]


def is_of(value, namespace):
    """Whether it is a function of the module with this namespace.  No attribute
    of an unknown object is asked for: it may be a proxy."""
    if type(value) in (staticmethod, classmethod):
        value = value.__func__
    return type(value) is type(is_of) and value.__globals__ is namespace


def is_of_python(args):
    """Whether a symbol that ctypes looks up is one of Python's own."""
    module = sys.modules.get("ctypes")
    library, name = args
    return library is getattr(module, "pythonapi", None) \
        and type(name) is str and name.startswith(("Py", "_Py"))


def in_tree(path):
    try:
        path = os.fsdecode(path)
    except TypeError:
        return False
    return path == PREFIX or path.startswith(PREFIX + "/")
