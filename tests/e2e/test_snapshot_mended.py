# SPDX-License-Identifier: Apache-2.0
"""What modules keep of the process, and get anew at each start from a snapshot."""

from __future__ import annotations

import time
from pathlib import Path
from textwrap import dedent
from typing import Callable, Dict, List

from conftest import PACK, App
from sides import run

ENV = {"LANG": "C.UTF-8", "HOME": "/nowhere", "PEXCZ_SNAPSHOT": "explain"}


def starts(exe: Path, count: int = 3) -> List[str]:
    """The output of starts from the snapshot."""
    outs = []
    for _ in range(count):
        done = run([exe], env=ENV)
        assert (done.code, done.err) == (0, b""), done.err.decode()
        outs.append(done.out.decode())
    return outs


def left_out(
    make_pex: Callable[..., Path], exe: Path, sources: Dict[str, str]
) -> List[str]:
    """Packs all:main; the lines of the report about what is not in the snapshot."""
    pex = make_pex(
        "-e", "all:main", sources={n: dedent(t) for n, t in sources.items()}
    )
    report = run([PACK, "-v", "--snapshot", "require", pex, "-o", exe]).err.decode()
    return [line for line in report.splitlines() if "not in the snapshot" in line]


def test_generators_are_seeded_anew(
    make_pex: Callable[..., Path], tmp_path: Path
) -> None:
    """Those without a seed; a module that draws from one is left out."""
    sources = {
        "keeps.py": """\
            import random
            generator = random.Random()
            draw = generator.getrandbits
            class Own(random.Random):
                pass
            own, seeded = [Own()], Own(5)
            later = Own()
            later.seed(5)
            random.Random()
            """,
        "draws.py": "import random\nvalue = random.Random().random()\n",
        "user.py": """\
            import keeps
            def main():
                print(keeps.draw(64), keeps.own[0].gauss(0, 1))
                print(keeps.seeded.random(), keeps.later.random())
                import draws
            """,
        "all.py": "import draws, user\ndef main():\n    user.main()\n",
    }  # fmt: skip
    exe = tmp_path / "app"
    left = left_out(make_pex, exe, sources)
    assert left == [
        "  not in the snapshot: all: imports draws",
        "  not in the snapshot: draws: draws from a random.Random()",
    ]
    outs = [out.splitlines() for out in starts(exe)]
    assert len({out[0] for out in outs}) == len(outs)
    assert {out[1] for out in outs} == {"0.6229016948897019 0.6229016948897019"}


NUMPY = """\
import numpy.random as r
def main():
    print(r.rand(), r.mtrand._rand.standard_normal(), r.randint(1 << 60))
    print(type(r.get_bit_generator().seed_seq).__name__, r.default_rng(1).random())
    r.seed(3)
    print(r.rand())
"""


def test_numpy_random_is_seeded_anew(make_app: Callable[..., App]) -> None:
    app = make_app("numpy", "-e", "dice:main", sources={"dice.py": NUMPY})
    outs = [out.splitlines() for out in starts(app.exe)]
    assert len({out[0] for out in outs}) == len(outs)
    assert {tuple(out[1:]) for out in outs} == {
        ("SeedSequence 0.5118216247002567", "0.5507979025745755")
    }


def test_who_draws_from_numpy_is_left_out(
    make_pex: Callable[..., Path], tmp_path: Path
) -> None:
    text = "import numpy.random\nfrom numpy.random import %s as f\nvalue = f(7)\n"
    pex = make_pex(
        "numpy", "-e", "main:main",
        sources={"draws.py": text % "rand", "seeds.py": text % "seed",
                 "main.py": "import draws, seeds\ndef main(): pass\n"},
    )  # fmt: skip
    report = run([PACK, "-v", pex, "-o", tmp_path / "app"]).err.decode()
    left = [line for line in report.splitlines() if "not in the snapshot" in line]
    assert sorted(left) == [
        "  not in the snapshot: draws: calls numpy.random.mtrand.rand()",
        "  not in the snapshot: main: imports draws",
        "  not in the snapshot: seeds: calls numpy.random.mtrand.seed()",
    ]


CLIENT = """\
import aiohttp.connector as c, ssl
def main():
    for context in c._SSL_CONTEXT_VERIFIED, c._SSL_CONTEXT_UNVERIFIED:
        print(type(context) is ssl.SSLContext, context.verify_mode,
              context.check_hostname, len(context.get_ca_certs()), int(context.options))
    import aiohttp._websocket.writer as w
    print(w.WebSocketWriter.__init__.__kwdefaults__["random"].random())
"""


def test_contexts_of_aiohttp_are_made_anew(
    make_pex: Callable[..., Path], tmp_path: Path
) -> None:
    pex = make_pex("aiohttp", "-e", "client:main", sources={"client.py": CLIENT})
    exe = tmp_path / "app"
    report = run([PACK, "-v", "--snapshot", "require", pex, "-o", exe]).err
    assert b"not in the snapshot" not in report, report.decode()
    outs = [out.splitlines() for out in starts(exe)]
    booted = run([exe], env={**ENV, "PEXCZ_SNAPSHOT": "0"})
    assert {tuple(out[:2]) for out in outs} == {tuple(booted.text.splitlines()[:2])}
    assert "True" in outs[0][0]
    assert len({out[2] for out in outs}) == len(outs)


def test_other_versions_are_not_mended(
    make_pex: Callable[..., Path], tmp_path: Path
) -> None:
    """A module under the name of one that is mended, with other names in it: it
    is in the snapshot as it is, and left out if it did what the other does."""
    sources = {
        "rich/__init__.py": "",
        "rich/style.py": "from random import randint\nWIDTH = 80\n",
        "urllib3/__init__.py": "",
        "urllib3/util/__init__.py": "",
        "urllib3/util/connection.py": """\
            import socket
            HAS_SOCKETS = socket.socket() is not None
            """,
        "user.py": """\
            import rich.style
            def main():
                print(rich.style.WIDTH, sorted(vars(rich.style))[-1])
                import urllib3.util.connection as c
                print(c.HAS_SOCKETS)
            """,
        "all.py": "import user, urllib3.util.connection\nmain = user.main\n",
    }  # fmt: skip
    exe = tmp_path / "app"
    left = left_out(make_pex, exe, sources)
    assert [line for line in left if "urllib3.util.connection: " in line], left
    assert not [line for line in left if "rich" in line], left
    assert starts(exe) == ["80 randint\nTrue\n"] * 3


def test_what_numpy_and_scipy_ask_the_machine(
    make_pex: Callable[..., Path], tmp_path: Path
) -> None:
    """The C library's version, the time and the number of processors, which
    parts of NumPy that nearly all of SciPy imports keep."""
    sources = {
        "scipy/__init__.py": "",
        "scipy/fft/__init__.py": "",
        "scipy/fft/_pocketfft/__init__.py": "",
        "scipy/fft/_pocketfft/helper.py": "import os\n_cpu_count = os.cpu_count()\n",
        "user.py": """\
            import scipy.fft._pocketfft.helper as fft
            import numpy.f2py.rules as rules
            import numpy.testing._private.utils as utils
            def main():
                import os, sys, time
                libc = os.confstr("CS_GNU_LIBC_VERSION").split()[1]
                print(utils._glibcver == libc, utils._glibc_older_than("9.9"))
                print(fft._cpu_count == os.cpu_count())
                body = rules.module_rules["modulebody"]
                date = time.asctime(time.gmtime(rules.generationtime))
                print(rules.generationtime >= int(sys.argv[1]), f"Generation date: {date}\\n * Do not" in body)
            """,
    }  # fmt: skip
    sources = {name: dedent(text) for name, text in sources.items()}
    pex = make_pex("numpy", "-e", "user:main", sources=sources)
    exe = tmp_path / "app"
    report = run([PACK, "-v", "--snapshot", "require", pex, "-o", exe])
    assert report.code == 0 and b"not in the snapshot" not in report.err, report.err
    time.sleep(1)  # so that packing was in another second
    done = run([exe, str(int(time.time()))], env=ENV)
    assert (done.err, done.text) == (b"", "True True\nTrue\nTrue True\n")
