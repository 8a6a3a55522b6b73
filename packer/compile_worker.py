# SPDX-License-Identifier: Apache-2.0
"""Compiles Python source for the packer: requests on fd 0, replies on fd 1.

Every message is a little-endian u32 size and that many bytes.  First the
worker says who it is; then each request is answered by one reply:

  hello    "MAJOR.MINOR.MICRO\\n", magic number, "\\n", extension suffixes
           with a space between
  request  u32 size of the file name, file name, source; or, with an empty
           name, lines "NAME FROM,FROM": imports of modules of the standard
           library
  reply    u32 status, u32 warnings, u32 size of the imports, imports, rest
           status 0: the rest is the marshalled code object
           status 1: the rest is the message of the error; no code

Imports are lines "DEPTH LEVEL NAME FROM,FROM": what IMPORT_NAME instructions
ask for; DEPTH is 0 in code that runs when the module is imported.  In the
reply to a request with an empty name they are the files of the modules that
these imports lead to, and there is no rest.
"""
import _imp
import marshal
import os
import sys
import warnings
from _frozen_importlib_external import MAGIC_NUMBER
from opcode import opmap

IMPORT_NAME = opmap["IMPORT_NAME"]
EXTENDED_ARG = opmap["EXTENDED_ARG"]
LOAD_CONST = opmap["LOAD_CONST"]
LOAD_SMALL_INT = opmap.get("LOAD_SMALL_INT", -1)
CO_NEWLOCALS = 0x2


def read(size):
    parts = []
    while size:
        part = os.read(0, min(size, 1 << 20))
        if not part:
            os._exit(0)
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def write(message):
    view = memoryview(len(message).to_bytes(4, "little") + message)
    while view:
        view = view[os.write(1, view):]


def argument(code, at):
    """The argument of the instruction at `at`, and where it starts."""
    value = code[at + 1]
    shift = 8
    while at >= 2 and code[at - 2] == EXTENDED_ARG:
        at -= 2
        value |= code[at + 1] << shift
        shift += 8
    return value, at


def constant(code, consts, at):
    value, start = argument(code, at)
    if code[at] == LOAD_CONST and value < len(consts):
        return consts[value], start
    if code[at] == LOAD_SMALL_INT:
        return value, start
    return None, start


def scan(code, depth, lines):
    raw = code.co_code
    at = raw.find(IMPORT_NAME)
    while at >= 0:
        if at % 2 == 0 and at >= 4:
            index, start = argument(raw, at)
            names, start = constant(raw, code.co_consts, start - 2)
            level = 0
            if start >= 2:
                level, start = constant(raw, code.co_consts, start - 2)
            if index < len(code.co_names) and isinstance(level, int):
                names = names if isinstance(names, tuple) else ()
                lines.append("%d %d %s %s" % (
                    depth, level, code.co_names[index], ",".join(names)))
        at = raw.find(IMPORT_NAME, at + 1)
    for const in code.co_consts:
        if hasattr(const, "co_code"):
            # Class bodies run with the module, functions do not.
            lazy = depth or bool(const.co_flags & CO_NEWLOCALS)
            scan(const, int(lazy), lines)


def find_spec(name):
    """Of a module of the standard library, which is not imported."""
    parent = name.rpartition(".")[0]
    path = None
    if parent:
        spec = specs(parent)
        path = spec and spec.submodule_search_locations
        if path is None:
            return None
    for finder in sys.meta_path:
        spec = finder.find_spec(name, path)
        if spec is not None:
            return spec
    return None


def specs(name, known={}):
    if name not in known:
        known[name] = find_spec(name)
    return known[name]


def stdlib_closure(text):
    """The files that imports of the standard library lead to."""
    files = {}
    waiting = []

    def visit(name, names):
        parts = name.split(".")
        whole = [".".join(parts[:i + 1]) for i in range(len(parts))]
        for each in whole + [name + "." + n for n in names if n and n != "*"]:
            spec = specs(each)
            if spec is not None and spec.has_location and each not in files:
                files[each] = spec.origin
                waiting.append(spec)

    for line in text.decode("utf-8", "surrogateescape").splitlines():
        name, _, names = line.partition(" ")
        visit(name, names.split(","))
    while waiting:
        spec = waiting.pop()
        lines = []
        code = getattr(spec.loader, "get_code", lambda name: None)(spec.name)
        if code is not None:
            scan(code, 0, lines)
        for line in lines:
            depth, level, name, names = line.split(" ")
            if depth != "0":
                continue
            if level != "0":
                base = spec.name.split(".")
                drop = int(level) - (spec.submodule_search_locations is not None)
                base = base[:len(base) - drop]
                name = ".".join(base + [name] if name else base)
            if name:
                visit(name, names.split(","))
    return "\n".join(sorted(files.values())).encode("utf-8", "surrogateescape")


def one_line(error):
    text = "%s: %s" % (type(error).__name__, error)
    return " ".join(text.split()).encode("utf-8", "backslashreplace")


def head(status, caught, text):
    return b"".join(n.to_bytes(4, "little")
                    for n in (status, caught, len(text)))


def answer(request):
    size = int.from_bytes(request[:4], "little")
    if size == 0:
        text = stdlib_closure(request[4:])
        return head(0, 0, text) + text
    name = request[4:4 + size].decode("utf-8", "surrogateescape")
    imports = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            code = compile(request[4 + size:], name, "exec",
                           dont_inherit=True, optimize=0)
            result = marshal.dumps(code, 4)
            scan(code, 0, imports)
            status = 0
        except (SyntaxError, ValueError, RecursionError, MemoryError,
                OverflowError, UnicodeError) as error:
            result = one_line(error)
            imports = []
            status = 1
    text = "\n".join(imports).encode("utf-8", "backslashreplace")
    return head(status, len(caught), text) + text + result


def main():
    hello = "%d.%d.%d\n%d\n%s" % (
        *sys.version_info[:3], int.from_bytes(MAGIC_NUMBER, "little"),
        " ".join(_imp.extension_suffixes()))
    write(hello.encode())
    while True:
        write(answer(read(int.from_bytes(read(4), "little"))))


main()
