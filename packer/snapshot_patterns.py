# SPDX-License-Identifier: Apache-2.0
"""Regular expressions of functions: between snapshot_standby.py and snapshot_script.py.

A function that calls `re.compile("…")` or `re.sub("…", …)` finds the pattern in
re's cache from its second call on.  If the expression and its flags are
constants in the function's code, the snapshot has it for the first call, too.
"""

import sys

CALLED = {"compile", "findall", "finditer", "fullmatch", "match", "search", "split",
          "sub", "subn"}
ATTRIBUTE = {"LOAD_ATTR", "LOAD_METHOD"}
# Half of what the cache has room for: the rest is the program's.
MOST_PATTERNS = 256
LONGEST_PATTERN = 4096


def steps_of(code):
    """(name of the opcode, operand): constants and names as such."""
    has_flag = {"LOAD_GLOBAL"} if sys.version_info < (3, 12) else {"LOAD_GLOBAL", *ATTRIBUTE}
    for name, value in opcodes(code):
        if name == "LOAD_CONST":
            value = code.co_consts[value]
        elif name == "LOAD_GLOBAL" or name in ATTRIBUTE:
            value = code.co_names[value >> 1 if name in has_flag else value]
        if name not in ("CACHE", "PRECALL", "PUSH_NULL"):
            yield name, value


def load(steps, scope, module):
    """The global variable, or attribute of `module`, that the steps begin with,
    or None, and the steps behind it."""
    if not steps or steps[0][0] != "LOAD_GLOBAL":
        return None, steps
    value = scope.get(steps[0][1])
    if value is module and steps[1:] and steps[1][0] in ATTRIBUTE:
        return vars(module).get(steps[1][1]), steps[2:]
    return value, steps[1:]


def flags_of(steps, scope, module):
    """Those that re.compile() is given up to the call; None: not constant."""
    flags = 0
    while steps and steps[0][0] not in ("CALL", "CALL_KW"):
        value, rest = load(steps, scope, module)
        if type(value) is module.RegexFlag:
            flags |= value.value
        elif steps[0][0] in ("BINARY_OP", "KW_NAMES") \
                or steps[0] == ("LOAD_CONST", ("flags",)):
            rest = steps[1:]
        else:
            return None
        steps = rest
    return None if flags & module.DEBUG.value else flags  # which prints


def is_function_of(module, value):
    return type(value) is type(load) and value.__globals__ is vars(module)


def patterns_in(code, scope, module):
    """(text, flags) of the calls in the code and in what it defines."""
    steps = list(steps_of(code))
    for i in range(len(steps)):
        called, rest = load(steps[i:i + 20], scope, module)
        if is_function_of(module, called) and called.__name__ in CALLED and rest \
                and rest[0][0] == "LOAD_CONST" and type(rest[0][1]) in (str, bytes):
            is_compile = called.__name__ == "compile"
            flags = flags_of(rest[1:], scope, module) if is_compile else 0
            if flags is not None:
                yield rest[0][1], flags
    for const in code.co_consts:
        if type(const) is type(code):
            yield from patterns_in(const, scope, module)


def users_of(module):
    """(code, global variables) of functions where a variable is re, or of it."""
    uses = {id(vars(module)): False, id(OWN): False}  # by the variables' address
    for function in all_objects():
        if type(function) is type(load):
            scope = function.__globals__
            if id(scope) not in uses:
                uses[id(scope)] = any(v is module or is_function_of(module, v)
                                      for v in list(scope.values()))
            if uses[id(scope)]:
                yield function.__code__, scope


def patterns_of_functions():
    """As text.  An application's oddest object may not cost it its snapshot."""
    module = sys.modules.get("re")
    found = {}
    try:
        if is_standard(module.__spec__):
            for code, scope in users_of(module):
                for text, flags in patterns_in(code, scope, module):
                    if len(text) <= LONGEST_PATTERN:
                        found[ascii((text, flags))] = None
    except Exception:
        pass
    return list(found)[:MOST_PATTERNS]
