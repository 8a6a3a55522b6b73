# SPDX-License-Identifier: Apache-2.0
"""Imports the modules of a snapshot and mends what it cannot keep.

Runs inside the packed executable in place of the entry point
(snapshot_role.c), which writes the snapshot afterwards.  `arguments`: how many
modules follow, the modules in order, how many names follow, the modules that
must not be imported, how many paths, files that must not be there, and
"MODULE:NAME" of global variables that are the working directory.  `startup`
runs the lines of .pth files and the like; `kernel` says of which version the
kernel is to be.
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


def watch_kernel():
    """Modules are told of a kernel and a name that no machine has."""
    import os

    making = True
    real = os.uname

    def uname():
        if not making:
            return real()
        version = kernel()
        return os.uname_result(
            ("Linux", f"name-{version}", version, f"#{version}", real().machine))

    def done():
        nonlocal making
        making = False
        os.uname = real

    os.uname = uname
    return done


def mend_ctypes(module):
    import pexcz_snapshot

    def drop():
        module.pythonapi._handle = 0

    def after():
        module.pythonapi._handle = module._dlopen(None, module.DEFAULT_MODE)

    # So late that no object comes into the memory of the address that is freed.
    pexcz_snapshot.register(before_dump=drop, after_restore=after)


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


def mend_platform(module):
    module._uname_cache = None
    module._platform_cache.clear()


MENDED = {
    "ctypes": mend_ctypes,
    "django.utils.encoding": mend_django_encoding,
    "logging": mend_logging,
    "multiprocessing.process": mend_process,
    "multiprocessing.spawn": mend_spawn,
    "multiprocessing.util": mend_multiprocessing,
    "pip._vendor.rich.style": mend_rich_style,
    "pip._vendor.urllib3.util.connection": mend_urllib3,
    "platform": mend_platform,
    "random": mend_random,
    "rich.style": mend_rich_style,
    "subprocess": mend_subprocess,
    "sysconfig": mend_sysconfig,
    "urllib3.util.connection": mend_urllib3,
}


def mend_all(after):
    import pexcz_snapshot

    if after is not None:
        pexcz_snapshot.register(after_restore=after)
    for name, mend in MENDED.items():
        module = sys.modules.get(name)
        after = mend(module) if module is not None else None
        if after is not None:
            pexcz_snapshot.register(after_restore=after)
    del sys.modules["pexcz_snapshot"]


def take(names):
    count = int(names.pop(0))
    taken = names[:count]
    del names[:count]
    return taken


def main(*names):
    rest = list(names)
    modules = take(rest)
    left = set(take(rest))
    for path in take(rest):
        look_for(path)
    variables = [text.split(":") for text in rest]
    after = None
    startup()
    kernel_done = watch_kernel()
    if variables:
        needs_cwd()
        after = import_with_cwd(modules, left, variables)
    else:
        import_all(modules, left)
    kernel_done()
    mend_all(after)


main(*arguments)
