# SPDX-License-Identifier: Apache-2.0
"""Tells what the imports come to, in a form that can be compared line by line.

The text of snapshot_import.py, which imports the modules, is in front of this
one.  It runs with the home that snapshots are made with, twice, and with homes
of other shapes, with which the imports must come to the same.  In the first
case it tells for each of the other homes what would be there if it was in the
place of that one.

Looked at is all that can be reached from the variables of modules, but for what
objects hide from the collector.

The answer, in descriptor 3: for each home, lines "module NAME", each followed by
a number for each thing that was met.
"""

HOME = home()
PLAIN = {int, float, complex, bytearray, bool, range, slice, type(None),
         type(...), type(NotImplemented)}
SKIPPED = {"__builtins__", "__loader__", "__spec__", "__cached__"}
FUNCTION = type(all_objects)
CODE = type(all_objects.__code__)
# Filled by whoever asks for an instance; what is on the stack.
OPAQUE = {CODE, type(sys._getframe()), type(sys.modules["_abc"]._get_dump(
    sys.modules["abc"].ABC)[0]), type(sys.modules["abc"].ABC._abc_impl)}


def name_of(kind):
    name = type.__dict__["__qualname__"].__get__(kind)
    return f"{module_of(kind)}.{name}"


class Outcome:
    """Of all modules, when `target` is in the place of the home."""

    def __init__(self, target):
        self.target = target
        self.numbers = {}   # id of an object that was met -> its number
        self.queue = []     # these objects
        self.pure = getattr(sys.modules.get("pathlib"), "PurePath", None)

    def text(self, value):
        kind = type(value)
        if kind is bytes:  # of the environment; elsewhere the home cannot be
            value = value.decode("latin-1")
        if kind is str or kind is bytes:
            return value if self.target is None else value.replace(
                HOME, self.target)
        if kind in PLAIN:
            return f"{kind.__name__} {value!r}"
        if kind is type(sys):
            return f"module {vars(value).get('__name__')}"
        if kind in OPAQUE:
            return kind.__name__
        number = self.numbers.get(id(value))
        if number is None:
            number = self.numbers[id(value)] = len(self.queue)
            self.queue.append(value)
        return f"{name_of(kind)} {number}"

    def parts_of(self, value):
        """What an object consists of."""
        kind = type(value)
        if kind is list:
            return self.replaced(value)
        if kind is tuple:
            return value
        if kind is dict:
            return [v for item in value.items() for v in item]
        if kind in (set, frozenset):
            return sorted(value, key=self.sort_key)
        if kind is FUNCTION:
            cells = [cell_of(c) for c in value.__closure__ or ()]
            return [value.__module__, value.__qualname__, value.__defaults__,
                    value.__kwdefaults__, value.__dict__, *cells]
        if type in kind.__mro__:
            variables = type.__dict__["__dict__"].__get__(value)
            return [name_of(value), *(v for item in list(variables.items())
                                      for v in item)]
        if self.pure in kind.__mro__:
            return [str(value)]
        return REFERENTS(value)

    def replaced(self, items):
        if self.target is not None and HOME[1:] in items:
            place = items.index(HOME[1:])
            return [*items[:place], *self.target[1:].split("/"), *items[place + 1:]]
        return items

    def sort_key(self, value):
        kind = type(value)
        if kind in (str, bytes) or kind in PLAIN:
            return self.text(value)
        return name_of(value if type in kind.__mro__ else kind)

    def tell(self, names, out):
        done = 0
        for name in names:
            out.append(f"module {name}")
            for variable, value in list(vars(sys.modules[name]).items()):
                if variable not in SKIPPED:
                    self.tell_all([variable, value], out)
            while done < len(self.queue):
                try:
                    self.tell_all(self.parts_of(self.queue[done]), out)
                except Exception as error:  # a proxy of nothing, for one
                    out.append(type(error).__name__)
                done += 1

    def tell_all(self, values, out):
        out += ["%08x" % (hash(self.text(v)) & 0xFFFFFFFF) for v in values]


def cell_of(cell):
    try:
        return cell.cell_contents
    except ValueError:
        return None


def main_of_outcome():
    names = [n for n, m in sys.modules.items()
             if type(m) is type(sys) and n not in ("__main__", "gc")]
    lines = []
    for target in home_samples() if HOME is not None else [None]:
        Outcome(target).tell(names, lines)
    with open(3, "w", encoding="utf-8", errors="surrogateescape") as out:
        out.write("\n".join([*lines, ""]))


REFERENTS = __import__("gc").get_referents
main_of_outcome()
