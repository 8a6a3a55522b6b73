# SPDX-License-Identifier: Apache-2.0
"""Which answers about a text with $HOME can be others with another home: between
snapshot_home.py and snapshot_home_watch.py."""

# Methods that ask what a slot of str is asked as well.
SLOTS = {"__eq__": "compare", "__ne__": "compare", "__lt__": "order", "__le__": "order",
         "__gt__": "order", "__ge__": "order", "__contains__": "contains", "__getitem__": "item"}
# Methods of str whose answer may depend on it; those that only put texts
# together do not.
TEXT_METHODS = [*SLOTS, *"""
    capitalize casefold center count encode endswith __format__ find index isalnum
    isalpha isdecimal isdigit isidentifier islower isnumeric istitle isupper ljust
    lower lstrip partition removeprefix removesuffix replace rfind rindex rjust
    rpartition rsplit rstrip split startswith strip swapcase title translate upper
    zfill
    """.split()]
# Whose first argument is no text that is looked for.
WITHOUT_OTHER = {"center", "encode", "ljust", "rjust", "translate", "zfill", "__format__",
                 "__getitem__"}
PATTERN_METHODS = "match fullmatch search sub subn split findall finditer scanner".split()
PATH_FUNCTIONS = "dirname split splitext normpath commonpath commonprefix relpath".split()

# Those of a path that begins with / and has nothing but letters, digits and
# ._@-/ in it.
FALSE_OF_PATHS = {"isalnum", "isalpha", "isdecimal", "isdigit", "isidentifier", "isnumeric"}
USUAL = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@-/")
SPLITS = {"split", "partition", "rpartition"}
# Come to the same with each home that the other text cannot be a part of.
SEARCHES = {*SPLITS, "replace", "count", "contains"}
# What is at /proc is nobody's home.
NEVER_HOME = "/proc/"

# These look into paths, and come to the same with each home.
PATH_MODULES = {"genericpath", "os", "pathlib", "pathlib._local", "posixpath",
                "importlib._bootstrap_external", "_frozen_importlib_external"}


def is_of_paths(frame):
    """Whether it is a function of theirs that has such an answer."""
    return frame.f_globals.get("__name__") in PATH_MODULES \
        and frame.f_code.co_name != "fsencode"


def depends(kind, text, other):
    """Whether the answer can be another one with another home in the text.

    `kind`: what a slot or a method of str is asked; `other`: its first argument;
    "rpartition" also for a split from the right in two; "within": the text is the
    argument, and asked is `other`."""
    if kind == "hash":
        return text != HOME[1:]  # which pathlib interns
    before, home, after = text.partition(HOME)
    if not home:
        return kind != "compare" or text != HOME[1:] or (
            type(other) is str and not has_home(other) and can_be_home("/" + other))
    if kind in SEARCHES and type(other) is str and not has_home(other):
        return is_found(kind, text, other)
    if HOME in after:
        return True
    if type(other) is tuple:
        return any(depends(kind, text, item) for item in other)
    if kind in FALSE_OF_PATHS:
        return False
    if kind.endswith("strip"):
        return is_stripped(kind, text, other)
    if kind == "__format__":
        return other != ""
    if type(other) is not str:
        return kind not in SPLITS and kind not in ("compare", "order")
    if kind == "within":
        return not other.startswith(NEVER_HOME) and "/" in other \
            and before in other and after in other
    if has_home(other):
        return not other.startswith(before + HOME)
    if kind == "compare":
        middle = other[len(before):len(other) - len(after)]
        return other.startswith(before) and other.endswith(after) \
            and len(before) + len(after) < len(other) and can_be_home(middle)
    if kind in ("order", "startswith", "removeprefix"):
        return other.startswith(before + "/") and other != before + "/"
    if kind in ("endswith", "removesuffix"):
        rest = other.removesuffix(after)
        return other.endswith(after) and rest != "" and rest[-1] != "/" \
            and USUAL.issuperset(rest)
    return True


def is_stripped(kind, text, characters):
    """Whether stripping can take more than slashes away from the home."""
    if type(characters) is not str or USUAL.isdisjoint(characters.replace("/", "")):
        return type(characters) is str and has_home(characters)
    before, _, after = getattr(text, kind)(characters).partition(HOME)
    return kind != "rstrip" and before == "" or kind != "lstrip" and after == ""


def is_found(kind, text, other):
    """Whether the other text can be in the home, or reach into it."""
    between = text.split(HOME)
    if other == "/" and kind == "rpartition":
        return between[-1] == ""
    if kind == "contains" and (
            other == "/" or any(other in part for part in between)):
        return False
    return any(map(can_reach, [other] * (len(between) - 1), between, between[1:]))


def can_reach(other, before, after):
    for start in range(len(other)):
        if start and not (before.endswith(other[:start]) and other[start] == "/"):
            continue
        for end in range(start + 1, len(other) + 1):
            if not USUAL.issuperset(other[start:end]):
                break
            if end == len(other) or after.startswith(other[end:]):
                return True
    return False
