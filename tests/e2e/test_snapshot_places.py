# SPDX-License-Identifier: Apache-2.0
"""Objects that a start writes to lie together in the snapshot, so that it copies
few pages, and are objects like all others."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Callable, List, Sequence

import pytest
from conftest import PACK, Result
from sides import run

ENV = {"LANG": "C.UTF-8", "PEXCZ_SNAPSHOT": "explain"}

# Many functions, of which a run calls some that lie far from one another.
SPARSE = """\
    import re

    TEXT = "".join(
        f"def f{i}(x):\\n    'function number {i}'\\n    return x + {i}\\n"
        for i in range(20_000)
    )
    functions = {}
    exec(TEXT, functions)

    def main():
        total = 0
        for i in range(0, 20_000, 50):
            total = functions[f"f{i}"](total)
        with open("/proc/self/smaps") as stream:
            heap = stream.read().partition("1000000000-")[2]
        print(total, re.search(r"Private_Dirty: *(\\d+) kB", heap)[1])
    """

# The kernel writes into a small block of the snapshot before all that.
CALLS = (
    SPARSE.replace("import re", "import multiprocessing, re, socket")
    .replace("functions = {}", "buffer = bytearray(40)\n    functions = {}")
    .replace("total = 0", """ends = socket.socketpair()
        ends[0].send(bytes(40))
        total = ends[1].recv_into(buffer)
        with open("/dev/zero", "rb", buffering=0) as stream:
            total += stream.readinto(buffer)""")
)  # fmt: skip

# Many classes, in each of which a run looks an attribute up.  Where Python keeps
# what it found is among its static data.
CLASSES = """\
    import re

    names = [f"attribute_{i}" for i in range(300)]
    classes = [type(f"C{i}", (), {name: i}) for i, name in enumerate(names)]

    def main():
        total = 0
        for cls, name in zip(classes, names):
            total += getattr(cls(), name)
        classes[7].attribute_7 = "new"  # what is kept is not believed for ever
        del classes[8].attribute_8
        text = classes[7]().attribute_7 + str(hasattr(classes[8], "attribute_8"))
        with open("/proc/self/smaps") as stream:
            data = re.findall(r"^0[0-9a-f]{7}-\\S+ rw-p(?:.*\\n)+?Private_Dirty: *(\\d+) kB", stream.read(), re.M)
        print(total, text, sum(map(int, data)))
    """

# What the imports made grows, shrinks and goes.
CHANGES = """\
    import gc
    import hashlib
    import os
    import sys
    import threading

    class Node:
        def __init__(self, value):
            self.value = value
            self.others = []

    nodes = [Node(i) for i in range(500)]
    for node in nodes:
        node.others.append(nodes[node.value * 7 % 500])
    table = {f"key {i}": [i] * (i % 40) for i in range(300)}
    arrays = [bytearray(b"x" * i) for i in range(0, 600, 7)]
    texts = [f"text {i} " * (i % 9) for i in range(200)]
    members = {frozenset((i, i + 1)) for i in range(100)}

    def change(part):
        for node in nodes[part::4]:
            node.others += [node] * 20
            node.name = f"node {node.value}"
        for key in list(table)[part::4]:
            table[key].extend(range(50))
            if len(table[key]) % 3 == 0:
                del table[key]
        for array in arrays[part::4]:
            array += b"y" * 700
            del array[3:-5]
        for i in range(part, 200, 4):
            texts[i] += str(i) * 30
        members.difference_update(list(members)[part::4])

    def digest():
        state = repr([
            [(n.value, n.name, [o.value for o in n.others]) for n in nodes],
            sorted(table.items()), arrays, texts, len(members),
        ])
        return hashlib.sha256(state.encode()).hexdigest()[:16]

    def main():
        if "unknown" in sys.argv:
            nodes.reverse()
        for part in range(2):
            change(part)
        threads = [threading.Thread(target=change, args=(2,))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            change(3)
            for node in nodes:
                node.others.clear()
            del table["key 7"]
            gc.collect()
            os.write(writer, b"gone")
            os._exit(0)
        os.waitpid(child, 0)
        change(3)
        print(os.read(reader, 10), digest())
        nodes.clear()
        table.clear()
        arrays.clear()
        texts.clear()
        members.clear()
        gc.collect()
        print(len([Node(i) for i in range(2000)]))
    """

# Ends at once when the packer rehearses it, which only that can see.
ENDS = """\
    import faulthandler
    import os
    import signal
    import sys

    def main():
        if sys.argv[1:] == ["handler"]:
            faulthandler.enable()
            signal.signal(signal.SIGTRAP, signal.SIG_IGN)
        elif os.environ.get("TERM") and sys.argv[1:] == ["killed"]:
            os.kill(os.getpid(), signal.SIGKILL)
        elif os.environ.get("TERM") and sys.argv[1:] == ["code"]:
            sys.exit(3)
        print("lives")
    """


# Ends when it is rehearsed for what most programs do.
ENDS_AT_ONCE = """\
    import builtins
    import os

    say = builtins.print

    def print_or_end(*values):
        if os.environ.get("TERM"):
            os._exit(7)
        say(*values)

    builtins.print = print_or_end

    def main():
        say("lives")
    """


@pytest.fixture
def pack(make_pex: Callable[..., Path], tmp_path: Path) -> Callable[..., Path]:
    def make(text: str, *warm: str) -> Path:
        pex = make_pex("-e", "app:main", sources={"app.py": dedent(text)})
        exe = tmp_path / f"app-{len(list(tmp_path.iterdir()))}"
        options = [f"--snapshot-warm={line}" for line in warm]
        done = run([PACK, "-q", "--snapshot=require", *options, pex, "-o", exe])
        assert (done.code, done.err) == (0, b"")
        return exe

    return make


def restored(exe: Path, *arguments: str) -> bytes:
    done = run([exe, *arguments], env=ENV)
    assert (done.code, done.err) == (0, b"")
    return done.out


@pytest.mark.parametrize("text", [SPARSE, CALLS], ids=["sparse", "calls"])
def test_few_pages_are_copied(pack: Callable[..., Path], text: str) -> None:
    total, kilobytes = restored(pack(text)).split()
    total_placed, kilobytes_placed = restored(pack(text, "")).split()
    assert total == total_placed
    assert int(kilobytes) > 400 * 4  # one page for each function that is called
    assert int(kilobytes_placed) < int(kilobytes) / 4


def test_lookups_are_found(pack: Callable[..., Path]) -> None:
    *found, kilobytes = restored(pack(CLASSES)).split()
    *found_placed, kilobytes_placed = restored(pack(CLASSES, "")).split()
    assert found == found_placed == [b"%d" % sum(range(300)), b"newFalse"]
    assert int(kilobytes_placed) <= int(kilobytes) - 5 * 4


@pytest.mark.parametrize("arguments", [[], ["unknown"]])
def test_objects_grow_and_go(pack: Callable[..., Path], arguments: Sequence[str]) -> None:
    exe = pack(CHANGES, "", "twice 'the same' \"two words\"")
    want = run([exe, *arguments], env={**ENV, "PEXCZ_SNAPSHOT": "0"})
    assert (want.code, want.err) == (0, b"")
    assert restored(exe, *arguments) == want.out


@pytest.mark.parametrize("how", ["handler", "killed", "code"])
def test_run_that_ends_early(pack: Callable[..., Path], how: str) -> None:
    exe = pack(ENDS, how)
    assert restored(exe, how if how == "handler" else "") == b"lives\n"


@pytest.mark.parametrize(
    ("text", "warm", "why"),
    [
        (ENDS, ["killed"], "--snapshot-warm='killed': signal 9 (Killed) ended the rehearsal"),
        (ENDS_AT_ONCE, [], "a start: the rehearsal ended with code 7"),
    ],
)  # fmt: skip
def test_rehearsal_that_fails_is_said(
    make_pex: Callable[..., Path], tmp_path: Path, text: str, warm: List[str], why: str
) -> None:
    pex = make_pex("-e", "app:main", sources={"app.py": dedent(text)})
    options = [f"--snapshot-warm={line}" for line in warm]
    done = run([PACK, "-v", *options, pex, "-o", tmp_path / "app"])
    assert f"not known what is written to by {why}\n" in done.err.decode()
    assert restored(tmp_path / "app") == b"lives\n"


def test_arguments_are_those_of_a_shell(make_pex: Callable[..., Path], tmp_path: Path) -> None:
    """Both runs with --snapshot-warm get the same ones."""
    text = """\
        import os, sys

        def main():
            with open(sys.argv[1], "a") as stream:
                print(sys.argv[2:], bool(os.environ.get("TERM")), file=stream)
        """
    pex = make_pex("-e", "app:main", sources={"app.py": dedent(text)})
    out = tmp_path / "out"
    line = rf"""{out}  'a b' "c\"d\e" f\ g''h '' "" i"j"k\\ """
    done = run([PACK, "-q", f"--snapshot-warm={line}", pex, "-o", tmp_path / "app"])
    assert done == Result(0, b"", b"")
    words = ["a b", 'c"d\\e', "f gh", "", "", "ijk\\"]
    assert out.read_text().splitlines() == [f"{words} False", f"{words} True"]
