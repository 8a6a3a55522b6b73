# SPDX-License-Identifier: Apache-2.0
"""$HOME in a snapshot: modules that keep it are in it, and each start has its
own; where it cannot be replaced, they are left out."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path
from textwrap import dedent
from typing import Any, Callable, Dict, List, Optional, Tuple

import pytest
import xxhash
from conftest import PACK, App, run
from sides import Result

# With what a start has from the snapshot: absolute, normal, of usual characters.
USER = "/home" + "/user"
FIT = ["/root", USER, "/h", USER + "/john.doe/a_b-c/@x", "/" + "d" * 249,
       "/" + "/".join("abcdefghij" * 2)]  # fmt: skip
# Others boot ordinarily.
UNFIT = ["/", "", "relative", "/trailing/", "//double", "/a//b", "/a/./b", "/a/..",
         "/with space", "/non-ascii-é", "/" + "d" * 250, None]  # fmt: skip


def environment(home: Optional[str], **more: str) -> Dict[str, str]:
    env = {"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", **more}
    return env if home is None else {**env, "HOME": home}


def ways(exe: Path, home: Optional[str], *arguments: str) -> Dict[str, Result]:
    return {
        value: run([exe, *arguments], env=environment(home, PEXCZ_SNAPSHOT=value))
        for value in ("explain", "0")
    }


def says_the_same(exe: Path, home: Optional[str], *arguments: str) -> bytes:
    """Restored if the home fits, else booted ordinarily."""
    got, want = ways(exe, home, *arguments).values()
    err = got.err
    if home in UNFIT:
        assert b"ordinary boot: imports depend on $HOME" in err, home
        err = err[err.index(b"\n") + 1 :]
    assert (got.code, got.out, err) == (want.code, want.out, want.err), home
    return got.out


def inspect(exe: Path) -> Dict[str, Any]:
    pexcz = PACK.with_name("pexcz")
    found: Dict[str, Any] = json.loads(run([pexcz, "inspect", "--snapshot", "--json", exe]).out)
    return found


# --- what is replaced --------------------------------------------------------

KEEPER = """\
    import dataclasses, functools, os, os.path, pathlib, sys
    from os.path import expanduser
    from pathlib import Path, PurePosixPath

    HOME = expanduser("~")
    CONFIG = os.path.join(HOME, ".config", "tool.ini")
    PATH = Path.home() / ".cache" / "tool"
    TWICE = HOME * 2 + f":{HOME}"
    KIND = type(HOME, (), {})
    URL = f"file://{HOME}/x?y"
    FORMAT = "{}:{}".format(os.environ["HOME"], PATH)
    JOINED = os.pathsep.join(["/etc", os.path.expandvars("$HOME/etc"), "/usr"])
    PATHS = [Path("~/a").expanduser(), PurePosixPath(HOME), Path("/etc/x")]
    TEXTED = Path(HOME, "b")
    TEXT = str(TEXTED)
    NESTED = {"a": [(HOME, {"b": CONFIG})], "c": ("x", os.getenv("HOME"))}
    ASKED = [HOME == "", CONFIG != "auto", HOME.endswith("/"), HOME.startswith(("~", "-")),
             HOME in ("", ".", "x/y"), CONFIG.endswith(".ini"), CONFIG == "/etc/tool.ini",
             CONFIG.startswith(HOME), PATH == Path("/etc"), bool(HOME), "/" in HOME,
             CONFIG == HOME, os.path.dirname(CONFIG), os.path.basename(CONFIG),
             os.path.splitext(CONFIG)[1], PATH.name, PATH.parent, PATH.suffix,
             CONFIG.replace("\\\\", "/"), HOME.replace("/", "/"), CONFIG.rsplit("/", 1)[1],
             HOME.rstrip("/"), CONFIG.partition("="), HOME.isdigit(), f"{HOME}", f"{HOME!s:}",
             PATH.relative_to(HOME), PATH == Path(HOME), Path("/usr") == Path("/x"),
             PATH.with_name("n"), PATH.stem, CONFIG.replace(HOME, "~"), HOME in "/proc/x",
             PATH.is_absolute(), os.path.isabs(HOME), os.path.normpath(HOME + "/a/../b")]
    RARE = os.environ.get("XDG_CONFIG_HOME") or os.path.join(HOME, ".config")

    class Cache:
        folder = expanduser("~/.tool/cache")
        def __init__(self, path=expanduser("~/default")):
            self.path = path

    @dataclasses.dataclass(frozen=True)
    class Settings:
        path: Path = Path.home() / "settings"
        text: str = HOME

    @functools.lru_cache(None)
    def cached(name):
        return os.path.join(expanduser("~"), name)

    cached("n")
    kept = cached("n")
    SETTINGS = Settings()
    part = functools.partial(os.path.join, HOME)

    def outer(value):
        return lambda: value
    closure = outer(HOME + "/closure")
    sys.path.append(os.path.join(HOME, "plugins"))
    """

TELLER = """\
    import keeper as k
    from keeper import *

    def main():
        for name, value in sorted(vars(k).items()):
            if name.isupper() and name != "KIND":
                print(name, value)
        print(KIND.__name__, KIND.__qualname__)
        print(Cache.folder, Cache().path, cached("n"), kept is cached("n"))
        print(k.part("p"), closure(), sys.path[-1], k.SETTINGS.text)
        print(len(HOME), HOME == os.environ["HOME"], HOME in {os.environ["HOME"]})
        print({HOME: 1}[expanduser("~")], hash(HOME) == hash(os.environ["HOME"]))
        print(CONFIG[-8:], CONFIG[:2], CONFIG.split("/"), CONFIG.encode(), repr(CONFIG))
        home = Path(os.environ["HOME"])
        for path in [PATH, TEXTED, SETTINGS.path, *PATHS]:
            print(path, repr(path), path.parts, path.name, path.parent, path.anchor,
                  path.suffix, path.as_uri(), path.parents[0], path / "x", len(path.parts),
                  path.with_name("n") if path.name else "", path.joinpath("..", "y"))
        print(PATH == home / ".cache/tool", hash(PATH) == hash(home / ".cache" / "tool"),
              PATH in {home / ".cache/tool"}, PATH.relative_to(home),
              PATH.is_relative_to(home), PATH > home, sorted([TEXTED, PATH, home]),
              PATH.match("*/tool"))
        print([part is sys.intern(part) for part in PATH.parts[1:]])
        print(hash(SETTINGS) == hash(Settings()), SETTINGS == Settings(),
              sys.getsizeof(HOME) == sys.getsizeof(os.environ["HOME"]))
        print(Path.home() == home, expanduser("~/z"), PATH.exists())
        again = HOME + "/" + HOME
        print(again, again.count(HOME), HOME.upper(), HOME.isascii())
    """


@pytest.fixture(scope="module")
def keeper(make_app: Callable[..., App]) -> App:
    app = make_app(
        "-e", "teller:main",
        sources={"keeper.py": dedent(KEEPER), "teller.py": dedent(TELLER)},
    )  # fmt: skip
    report = inspect(app.exe)
    assert report["home"] > 10 and not report["left"]
    return app


@pytest.mark.parametrize("home", [*FIT, *UNFIT], ids=lambda home: str(home)[:24])
def test_each_start_has_its_own(keeper: App, home: Optional[str]) -> None:
    out = says_the_same(keeper.exe, home).decode()
    if home in FIT:
        assert f"\nCONFIG {home}/.config/tool.ini\n" in out


def test_reference_says_the_same(keeper: App, tmp_path: Path, sides) -> None:
    sides.install(keeper)
    for home in "/root", USER:
        want = sides.reference.run(env=environment(home))
        got = sides.packed.run(env=environment(home))
        assert want.code == 0
        assert (got.out, got.code) == (want.out, want.code)


def test_one_of_two_is_the_first(keeper: App) -> None:
    """As Python reads the environment."""
    command = ["sh", "-c", 'exec env -i "$@"', "sh", "HOME=/first", str(keeper.exe)]
    assert b"CONFIG /first/.config" in run(command).out


# --- what cannot be ----------------------------------------------------------

# A module's text: `value` is told, `HOME` and `Path` are there.  Seen where it is
# kept or done:
SEEN = {
    "key": "table = {HOME: 1}; value = table",
    "key_of_key": "value = {(HOME, 1): 2}",
    "member": "value = {HOME}",
    "frozen": "value = frozenset([HOME])",
    "hashed": "kept = hash(HOME); value = lambda: kept == hash(HOME)",
    "looked_up": "kept = HOME in {'/x'}; value = lambda: kept",
    "path_key": "value = {Path(HOME): 1}",
    "name": "value = Path(HOME).name",
    "component": "value = os.path.basename(HOME)",
    "parts": "value = Path(HOME).parts",
    "components": "value = HOME.split('/')",
    "bytes": "value = HOME.encode()",
    "bytearray": "value = bytearray(HOME, 'ascii')",
    "pattern": "value = re.compile(re.escape(HOME)).pattern",
    "compiled": "value = re.compile(HOME).match('/root') is not None",
    "accent": "value = HOME + '/é'",
    "wide": "value = HOME + '/\\u20ac'",
    "subclass": "value = type('S', (str,), {})(HOME)",
    "slotted": "value = type('S', (str,), {'__slots__': ()})(HOME)",
    "interned": "value = sys.intern(HOME)",
    "attribute": "value = C(); setattr(value, HOME, 1); value = vars(value)",
    "exists": "value = os.path.isdir(HOME)",
    "listed": "value = os.path.exists(HOME) and sorted(os.listdir(HOME))[:0]",
    "compared": "value = HOME == '/srv/x'",
    "compared_path": "value = Path(HOME) == Path('/srv/x')",
    "among": "value = HOME in ('/opt', '/srv/x')",
    "among_members": "value = os.environ.get('HOME') in {'/opt', '/srv/x'}",
    "below_srv": "value = HOME.startswith('/srv')",
    "sorted_before": "value = HOME < '/srv'",
    "has_srv": "value = 'srv' in HOME",
    "folder": "value = os.path.dirname(HOME) == '/srv'",
    "parent": "value = Path(HOME).parent == Path('/srv')",
    "named": "value = Path(HOME).name == 'x'",
    "first": "value = HOME.split('/')[1] == 'srv'",
    "ending": "value = HOME.endswith('x')",
    "file": "value = HOME + '/y' == '/srv/x/y'",
    "two_parts": "value = HOME.split('/') == ['', 'srv', 'x']",
    "last_part": "value = HOME.rsplit('/', 1)[0] == '/srv'",
    "head": "value = HOME.rpartition('/')[0] == '/srv'",
    "upper": "value = HOME.upper() == '/SRV/X'",
    "no_end": "value = HOME.rstrip('x') == '/srv/'",
    "replaced": "value = HOME.replace('/srv', '')",
    "quoted": "value = f'={HOME}'.replace('=/srv', '')",
    "encoded": "value = HOME.encode() == b'/srv/x'",
    "file_system": "value = os.fsencode(HOME) == b'/srv/x'",
    "formatted": "value = f'{HOME:.4}' == '/srv'",
    "filled": "value = HOME.ljust(8) == '/srv/x  '",
    "called": "value = HOME.__eq__('/srv/x'), HOME.__contains__('srv')",
    "matched": "value = re.match('/srv', HOME) is not None",
    "substituted": "value = re.sub('^/srv', '', HOME)",
    "file_name": "import fnmatch; value = fnmatch.fnmatch(HOME, '/srv/*')",
    "start_of": "value = '/srv/x/y'.startswith(HOME + '/')",
    "part_of": "value = HOME in '/srv/x/y'",
    "short": "value = '/srv/x/y'.replace(HOME, '~')",
    "parents": "value = Path('/srv') in Path(HOME).parents",
    "above": "value = Path(HOME).is_relative_to('/srv/x')",
    "below": "value = Path('/srv/x/y').is_relative_to(Path(HOME))",
    "path_pattern": "value = Path(HOME).match('/srv/*')",
    "path_parts": "value = Path(HOME).parts[2:] == ('x',)",
    "sibling": "value = HOME == '/' or Path(HOME).with_name('y') == Path('/srv/y')",
    "suffix": "value = Path(HOME).suffix, os.path.splitext(HOME)[1]",
    "written": "value = HOME; os.path.exists(HOME) and open(HOME + '/x', 'a')",
}

# Found by what comes of it with another home.
FOUND = {
    "hash of a path": "kept = hash(Path(HOME)); value = lambda: kept == hash(Path(HOME))",
    "one character": "value = HOME[1:2]",
    "end": "value = (HOME + '/x')[-4:]",
    "digest": "value = hashlib.md5(HOME.encode()).hexdigest()",
    "array": "value = array.array('u', HOME)",
    "parent": "value = str(Path(HOME).parent)",
    "depth": "value = HOME.count('/')",
    "length": "value = len(HOME)",
    "width": "value = f'{HOME:>30}'",
    "size": "value = len(bytes(HOME, 'ascii'))",
    "below": "value = HOME.startswith('/home/')",
    "root": "value = HOME == '/root'",
    "root, a path": "value = Path(HOME) == Path('/root')",
    "normal": "value = os.path.normpath(HOME + '/../x')",
    "common": "value = os.path.commonprefix([HOME, '/root-x'])",
}  # fmt: skip

BEFORE = """\
import array, hashlib, os, re, sys
from os.path import expanduser
from pathlib import Path
HOME = expanduser("~")
class C: pass
"""

FINE = "import os\nFINE = os.path.expanduser('~/fine')\n"


def tell(modules: List[str]) -> str:
    return f"""\
import fine, {", ".join(modules)}
def main():
    for module in {", ".join(modules)},:
        print(module.__name__, module.value() if callable(module.value) else module.value)
"""


def pack(pex: Path, exe: Path) -> str:
    done = run([PACK, "-v", "--snapshot", "require", pex, "-o", exe])
    assert done.code == 0, done.err.decode()
    said = done.err.decode()
    assert "not in the snapshot: fine" not in said, said
    return said


def all_the_same(exe: Path) -> None:
    for home in "/root", USER, "/h", "/srv/x", "/", None:
        got, want = ways(exe, home).values()
        assert want.code == 0, want.err.decode()
        assert (got.code, got.out) == (want.code, want.out), home


def test_modules_are_left_out(make_pex: Callable[..., Path], tmp_path: Path) -> None:
    sources = {f"{name}.py": BEFORE + text + "\n" for name, text in SEEN.items()}
    pex = make_pex(
        "-e", "user:main",
        sources={**sources, "user.py": tell([*SEEN]), "fine.py": FINE,
                 "user_of_key.py": "import key\n"},
    )  # fmt: skip
    said = pack(pex, tmp_path / "app")
    for name in SEEN:  # for what it does itself
        assert re.search(f"not in the snapshot: {name}: (?!imports)", said), (name, said)
    all_the_same(tmp_path / "app")


@pytest.mark.parametrize("name", FOUND)
def test_module_is_left_out(
    make_pex: Callable[..., Path], tmp_path: Path, name: str
) -> None:
    pex = make_pex(
        "-e", "user:main",
        sources={"odd.py": BEFORE + FOUND[name] + "\n", "user.py": tell(["odd", "user_of_odd"]),
                 "user_of_odd.py": "from odd import value\n", "fine.py": FINE},
    )  # fmt: skip
    said = pack(pex, tmp_path / "app")
    for module in "odd", "user_of_odd":
        assert f"not in the snapshot: {module}: " in said, said
    all_the_same(tmp_path / "app")


def test_where_nobody_looks(make_pex: Callable[..., Path], tmp_path: Path) -> None:
    """Its holder is nobody's, for all that can be told: all readers are left out."""
    text = "import io; kept = io.StringIO(); kept.write(HOME + '\\u20ac'); kept.seek(0)\n"
    pex = make_pex(
        "-e", "user:main",
        sources={"odd.py": BEFORE + text + "value = lambda: kept.getvalue()[:-1]\n",
                 "user.py": tell(["odd"]), "fine.py": FINE},
    )  # fmt: skip
    exe = tmp_path / "app"
    done = run([PACK, "-v", "--snapshot", "require", pex, "-o", exe])
    assert done.code == 0, done.err.decode()
    for module in "odd", "fine":  # "reads" where no dump with a home can be made
        assert re.search(rf"not in the snapshot: {module}: (keep|read)s \$HOME",
                         done.err.decode())  # fmt: skip
    all_the_same(exe)


# --- files below it ----------------------------------------------------------


def test_file_that_was_not_there(make_pex: Callable[..., Path], tmp_path: Path) -> None:
    text = """\
        import configparser, os
        from pathlib import Path
        OLD = (Path.home() / ".tool.conf").exists()
        CONFIG = configparser.ConfigParser()
        READ = CONFIG.read(os.path.expanduser("~/.toolrc"))
        def main():
            print(OLD, len(READ), end=" ")
            import folder
            print(folder.FOLDER)
        """
    folder = 'import os; FOLDER = os.path.isdir(os.path.expanduser("~/.tool"))'
    both = "import folder, seek\ndef main(): seek.main()\n"
    sources = {"seek.py": dedent(text), "folder.py": folder, "both.py": both}
    pex = make_pex("-e", "both:main", sources=sources)
    exe = tmp_path / "app"
    done = run([PACK, "-v", "--snapshot", "require", pex, "-o", exe])
    said = done.err.decode()
    assert "not in the snapshot: seek" not in said
    for name in ".tool.conf", ".toolrc":
        assert f"is not used when ~/{name} is there" in said
    assert "~/.tool is there" not in said  # the program may make it itself
    assert "not in the snapshot: folder" in said
    home = tmp_path / "home"
    home.mkdir()
    assert says_the_same(exe, str(home)) == b"False 0 False\n"
    assert says_the_same(exe, str(home / "missing")) == b"False 0 False\n"
    (home / ".toolrc").write_text("[a]\nb = c\n")
    got, want = ways(exe, str(home)).values()
    assert b"ordinary boot: a file is there" in got.err
    assert got.out == want.out == b"False 1 False\n"


def test_not_read_is_no_gate(make_app: Callable[..., App]) -> None:
    app = make_app("-e", "plain:main", sources={"plain.py": "def main(): print(1)\n"})
    for home in "/", None, "relative":
        assert ways(app.exe, home)["explain"] == Result(0, b"1\n", b"")


# --- a damaged table ---------------------------------------------------------

REPOSITORY = Path(__file__).resolve().parents[2]
ENTRY = struct.Struct("<QQQ")
TEXT, ITEM = 1, 2


def header_fields() -> Dict[str, int]:
    """Where each field of the header is, and "end": of blob/snapshot_format.h."""
    text = (REPOSITORY / "blob/snapshot_format.h").read_text()
    body = re.search(r"struct pexcz_snapshot_header \{\n(.*?)\n\};", text, re.S)
    assert body
    sizes = {"uint8_t": 1, "uint32_t": 4, "uint64_t": 8, "struct pexcz_snapshot_table": 16}
    found, offset = {}, 0
    for kind, name, count in re.findall(
        r"^    (\w+|struct \w+)\s+(\w+)(?:\[(\w+)\])?;", body[1], re.M
    ):
        if count and not count.isdigit():
            defined = re.search(rf"#define {count} (\d+)", text)
            assert defined
            count = defined[1]
        found[name] = offset
        offset += sizes[kind] * int(count or 1)
    return {**found, "end": (offset + 7) // 8 * 8}


class Snapshot:
    """The bytes of a packed file, whose snapshot can be changed."""

    def __init__(self, exe: Path) -> None:
        found = re.search(
            r"\.pexcz\.snapshot +PROGBITS +\w+ (\w+)",
            run(["readelf", "-SW", str(exe)]).out.decode(),
        )
        assert found
        self.at = int(found[1], 16)
        self.data = bytearray(exe.read_bytes())
        self.fields = header_fields()

    def number(self, field: str, behind: int = 0) -> int:
        where = self.at + self.fields[field] + behind
        (value,) = struct.unpack_from("<Q", self.data, where)
        return int(value)

    def entries(self) -> List[Tuple[int, int, int]]:
        start = self.at + self.number("home")
        return [*ENTRY.iter_unpack(self.data[start : start + self.number("home", 8)])]

    def put(self, number: int, entry: Tuple[int, int, int]) -> None:
        start = self.at + self.number("home")
        ENTRY.pack_into(self.data, start + number * ENTRY.size, *(n % 2**64 for n in entry))

    def seal(self) -> None:
        for field, start, end in (
            ("tables_sum", self.number("tables"), self.number("size")),
            ("sum", self.fields["pages_sum"], self.fields["end"]),
        ):
            digest = xxhash.xxh3_64_intdigest(bytes(self.data[self.at + start : self.at + end]))
            struct.pack_into("<Q", self.data, self.at + self.fields[field], digest)


def test_damaged_tables(keeper: App, tmp_path: Path) -> None:
    """Any bit of them: it is an ordinary boot."""
    snapshot = Snapshot(keeper.exe)
    data = snapshot.data
    start, end = (snapshot.at + snapshot.number(n) for n in ("tables", "size"))
    want = ways(keeper.exe, "/root")["0"]
    damaged = tmp_path / keeper.exe.name
    for offset in range(start, end, max(8, (end - start) // 20)):
        data[offset] ^= 1
        damaged.write_bytes(data)
        damaged.chmod(0o755)
        got = ways(damaged, "/root")["explain"]
        assert b"ordinary boot: the snapshot is damaged" in got.err
        assert got.out == want.out
        data[offset] ^= 1


def test_hostile_table(keeper: App, tmp_path: Path) -> None:
    """With sums that are right: numbers that lead out of the snapshot, or to something
    else in it, are an ordinary boot."""
    want = ways(keeper.exe, "/root")["0"]
    snapshot = Snapshot(keeper.exe)
    end = snapshot.number("heap_end")
    entries = snapshot.entries()
    text = next(i for i, e in enumerate(entries) if e[0] == TEXT)
    item = next(i for i, e in enumerate(entries) if e[0] == ITEM)
    hostile = []
    for number in text, item:
        kind, address, place = entries[number]
        for other in 0, 8, -8, 2**63, end, end - 8, end - 64, address + 8, address + 1:
            hostile.append((number, (kind, other, place)))
        for other in -1, 2**31, 2**63, place + 10**6:
            hostile.append((number, (kind, address, other)))
        for other in 0, 3, -1, TEXT + ITEM - kind:
            hostile.append((number, (other, address, place)))
    exe = tmp_path / keeper.exe.name
    for number, entry in hostile:
        snapshot.put(number, entry)
        snapshot.seal()
        exe.write_bytes(snapshot.data)
        exe.chmod(0o755)
        got = ways(exe, "/root")["explain"]
        assert b"ordinary boot: imports depend on $HOME" in got.err, entry
        assert (got.code, got.out) == (want.code, want.out), entry
        snapshot.put(number, entries[number])
    snapshot.seal()
    exe.write_bytes(snapshot.data)
    assert ways(exe, "/root")["explain"] == want


# --- a real tool -------------------------------------------------------------


def test_black(make_app: Callable[..., App]) -> None:
    """Its module black.cache is compiled by mypyc."""
    app = make_app("black", "-c", "black")
    report = inspect(app.exe)
    assert "black" in {m["name"] for m in report["modules"]}
    assert report["home"] > 0 and not report["left"]
    for home in *FIT[:4], *UNFIT:
        out = says_the_same(app.exe, home, "--version")
        assert b"compiled: yes" in out
