# SPDX-License-Identifier: Apache-2.0
"""Tells what each module keeps in its global variables, as a digest.

The text of snapshot_import.py, which imports the modules, is in front of this
one.  It runs in two processes when the two snapshots differ: the modules whose
digests differ keep what is not the same in every process.  Only what lies near
is looked at: variables, containers, attributes of classes and instances.

The answer, in descriptor 3: lines of a module's name, a tab and the digest.
"""

import _thread
import hashlib
import posix

PLAIN = {int, float, complex, str, bytes, bytearray, bool, type(None)}
DEEPEST = 4
HOME = home()
# A dump has others for them, which are always the same.
NUMBERS = {_thread.get_ident(), _thread.get_native_id(), posix.getpid()}


def text_of(value, depth=0):
    kind = type(value)
    if kind is str and HOME is not None:
        value = value.replace(HOME[1:], "~")
    elif kind is bytes and HOME is not None:  # of the environment
        value = value.replace(HOME[1:].encode(), b"~")
    if kind in PLAIN:
        return "a number of the process" if kind is int and value in NUMBERS else repr(value)
    if depth < DEEPEST and kind in (tuple, list):
        return repr([text_of(v, depth + 1) for v in value])
    if depth < DEEPEST and kind in (set, frozenset):
        return repr(sorted(text_of(v, depth + 1) for v in value))
    if depth < DEEPEST and kind is dict:
        return repr([(text_of(k, depth + 1), text_of(v, depth + 1))
                     for k, v in value.items()])
    try:
        return repr(memoryview(value).tobytes())
    except TypeError:
        return kind.__name__


def attributes_of(value):
    found = dict(vars(value)) if hasattr(type(value), "__dict__") and getattr(
        type(value), "__dictoffset__", 0) else {}
    for name in getattr(type(value), "__slots__", ()):
        if isinstance(name, str) and not name.startswith("__"):
            found[name] = getattr(value, name, None)
    return found


def text_of_variable(value, module):
    kind = type(value)
    text = text_of(value)
    if kind in PLAIN or text != kind.__name__:
        return text
    if kind is type(text_of):
        cells = [c.cell_contents for c in value.__closure__ or ()]
        return text_of([value.__defaults__, value.__kwdefaults__, cells])
    if isinstance(value, type):
        own = vars(value).get("__module__") == module
        return text_of(dict(vars(value)) if own else value)
    if kind is type(sys):
        return text
    return text + text_of(attributes_of(value))


def tell_all(names):
    lines = []
    for name in names:
        texts = []
        for variable, value in list(vars(sys.modules[name]).items()):
            try:
                texts.append(f"{variable}={text_of_variable(value, name)}")
            except Exception as error:  # a proxy of nothing, for one
                texts.append(f"{variable}: {type(error).__name__}")
        digest = hashlib.sha256("\n".join(texts).encode(errors="replace")).hexdigest()
        lines.append(f"{name}\t{digest}\n")
    with open(3, "w", encoding="utf-8", errors="surrogateescape") as out:
        out.write("".join(lines))


tell_all([n for n, m in sys.modules.items() if type(m) is type(sys)])
