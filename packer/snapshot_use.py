# SPDX-License-Identifier: Apache-2.0
"""What programs do with the modules that they have imported.

Runs in a rehearsed start in place of the application, of which nobody has said
how it is run: what this writes to is likely to be written to by any other.
Nothing outside of the process is changed, nothing depends on it.
"""

import sys


class Base:
    def __init__(self, value=0):
        self.value = value

    def __repr__(self):
        return f"{type(self).__name__}({self.value!r})"


class Derived(Base):
    def __init__(self, value, *more, **names):
        super().__init__(value)
        self.more = more
        self.names = names

    @property
    def double(self):
        return 2 * self.value


def use_language():
    items = [Derived(i, i + 1, name=str(i)) for i in range(3)]
    table = {str(item): item.double for item in items}
    print("text", sorted(table, key=lambda name: table[name]), "%s %5.1f" % ("a", 1.5))
    print("é", *items, sep=", ", end="\n", file=sys.stderr)
    sys.stdout.write(" ".join("a,b".split(",")).upper() + "\n")
    sys.stdout.flush()
    try:
        {}["missing"]
    except (KeyError, ValueError) as error:
        str(error)
    for name in "read", "missing":
        getattr(sys.stdin, name, None)
    with open("/dev/null", encoding="utf-8") as stream:
        stream.read().splitlines()
    with open("/dev/null", "w") as stream:
        print("text", file=stream)
    with open("/dev/null", "rb") as stream:
        stream.read().decode()
    isinstance(items, (dict, list))
    sum(x for x in range(3))


def use_argparse(module):
    parser = module.ArgumentParser(prog="program", description="text", epilog="text")
    parser.add_argument("-v", "--verbose", action="store_true", help="text")
    parser.add_argument("-n", "--number", type=int, default=1, metavar="N")
    parser.add_argument("--version", action="version", version="1")
    parser.add_argument("--mode", choices=["a", "b"], dest="mode", help="%(default)s")
    group = parser.add_argument_group("group")
    group.add_argument("--name", action="append")
    parser.add_mutually_exclusive_group().add_argument("-q", action="count")
    parser.add_argument("rest", nargs="*")
    parser.parse_args(["-v", "--number", "2", "word"])
    parser.parse_known_args(["word"])
    parser.format_help()
    parser = module.ArgumentParser()
    command = parser.add_subparsers(dest="command").add_parser("run", help="text")
    command.add_argument("file", nargs="?")
    command.set_defaults(function=use_language)
    parser.parse_args(["run", "a"])


def use_logging(module):
    logger = module.Logger("program")  # with none of the application's handlers
    logger.debug("text %s", 1)
    logger.setLevel(module.INFO)
    logger.info("text %s", 1)


def use_json(module):
    module.loads(module.dumps({"a": [1, 2.5, None, True, "é"]}, indent=2))


def use_os(module):
    path = module.path.join(module.getcwd(), "missing", "file.txt")
    module.path.exists(path)
    module.path.isdir(module.path.dirname(module.path.abspath(path)))
    module.path.splitext(module.path.basename(path))
    module.path.expanduser("~/file")
    module.environ.get("MISSING", "")
    "MISSING" in module.environ
    try:
        module.stat(path)
    except OSError as error:
        str(error)


def use_pathlib(module):
    path = module.Path("/") / "missing" / "file.txt"
    path.exists()
    str(path.parent.resolve().joinpath(path.name, path.suffix))


def use_re(module):
    pattern = module.compile("text")
    pattern.sub("", "a text")
    match = module.match("text", "text")
    match and match.group(0)


def use_datetime(module):
    module.datetime(2000, 1, 1).strftime("%Y-%m-%d")
    (module.date(2000, 1, 1) + module.timedelta(days=1)).isoformat()


def use_functools(module):
    module.partial(use_language)
    module.lru_cache(maxsize=None)(str)("a")
    module.wraps(use_language)(lambda: None)


def use_collections(module):
    module.OrderedDict(a=1).update(b=2)
    module.defaultdict(list)["a"].append(1)
    module.Counter("aab").most_common(1)


def use_contextlib(module):
    @module.contextmanager
    def manager():
        yield 1

    with manager():
        pass


def main():
    __import__("atexit")._clear()  # what is the application's
    use_language()
    for key, use in list(globals().items()):
        module = sys.modules.get(key[len("use_"):]) if key.startswith("use_") else None
        if module is not None:
            try:
                use(module)
            except Exception:
                pass  # the application has replaced it


main()
