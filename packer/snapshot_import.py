# SPDX-License-Identifier: Apache-2.0
"""Imports the modules of a snapshot and mends what it cannot keep.

Runs inside the packed executable in place of the entry point
(snapshot_role.c), which writes the snapshot afterwards.  `arguments`: how many
modules follow, the modules in order, and those that must not be imported.
`startup` runs the lines of .pth files and the like.
"""

import sys


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
        __import__(name)
    sys.meta_path.remove(guard)


def mend_logging(module):
    import time

    def after():
        module._startTime = time.time()

    module._startTime = 0.0
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


def mend_sysconfig(module):
    import os

    def after():
        module._PROJECT_BASE = os.path.dirname(
            module._safe_realpath(sys.executable))

    module._CONFIG_VARS = None
    module._PROJECT_BASE = None
    return after


def mend_random(module):
    # Seeded anew by the module's own fork handler.
    module._inst.seed(0)


def mend_platform(module):
    module._uname_cache = None
    module._platform_cache.clear()


MENDED = {
    "logging": mend_logging,
    "multiprocessing.process": mend_process,
    "multiprocessing.spawn": mend_spawn,
    "platform": mend_platform,
    "random": mend_random,
    "sysconfig": mend_sysconfig,
}


def mend_all():
    import pexcz_snapshot

    for name, mend in MENDED.items():
        module = sys.modules.get(name)
        after = mend(module) if module is not None else None
        if after is not None:
            pexcz_snapshot.register(after_restore=after)


def main(count, *names):
    startup()
    modules = names[:int(count)]
    import_all(modules, set(names[int(count):]))
    mend_all()


main(*arguments)
