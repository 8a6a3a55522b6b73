# SPDX-License-Identifier: Apache-2.0
"""Variables of the environment that modules set while they are imported:
between snapshot_locale_watch.py and snapshot_watch.py.

Each start sets them again, before anything else runs.
"""

import os


class VariablesWatch(LocaleWatch):
    def __init__(self):
        super().__init__()
        self.set = {}               # variable -> the module that sets it
        self.read_when_set = set()  # (variable, its reader, later than self.set)
        self.read_at_start = set()  # that constructors read, unset
        self.set_by_script = set()  # that the program may set before its imports

    def set_variable(self, name):
        """For a while: whoever removes it again leaves nothing behind."""
        module = self.body()
        if dict.__contains__(os.environ._data, os.fsencode(name)) or module is None:
            self.blame("os.putenv", f"sets ${name}")
        else:
            self.set.setdefault(name, module)

    def note_order(self, name, reader):
        if name in self.set:
            self.read_when_set.add((name, reader))

    def find_set_variables(self, are_set_again):
        """After the last import: not if the boot, or what runs only then, would
        see them, or would have seen what was there before."""
        for name, module in self.set.items():
            if not are_set_again or is_personal(name) or name in self.read_at_start \
                    or name in SEEN_BY_RESTORE or name not in os.environ:
                self.reasons.setdefault(module, f"sets ${name}")
        while True:
            left = close(self)
            gone = {*left, *self.late}
            first = next((i for i, n in enumerate(self.order) if n in gone), len(self.order))
            wrong = {module: f"sets ${name}" for name, module in self.set.items()
                     if self.order.index(module) > first}
            wrong.update({
                reader: f"reads ${name}, which {self.set[name]} sets"
                for name, reader in self.read_when_set if self.set.get(name) in gone})
            wrong.update({
                reader: f"reads ${name}, which the script sets"
                for name, reader in self.readers if name in self.set_by_script})
            wrong.pop(None, None)
            wrong = {n: why for n, why in wrong.items() if n not in left}
            if not wrong:
                break
            self.late = [n for n in self.late if n not in wrong]
            self.reasons.update(wrong)

    def kept_variables(self, chains):
        return [name for name, module in self.set.items() if module not in chains]
