# SPDX-License-Identifier: Apache-2.0
"""Starts one packed file with NumPy, Flask, SQLAlchemy and cryptography in its
snapshot again and again, several at once, under settings that its libraries
look at when they are loaded.  All print the same, which an ordinary boot did.

libraries.py [--starts N]: exit code 1 and a message on the first that differs.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Dict, List

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / "tests"), str(REPOSITORY / "tests/e2e")]

import totals  # noqa: E402
from pexes import Offline, build_pex  # noqa: E402

BUILD = Path(os.environ["PEXCZ_BUILD"])
PROJECTS = ["cryptography", "flask", "numpy", "sqlalchemy"]
AT_ONCE = 6
TIMEOUT = 120  # seconds for one start: it hangs

PROGRAM = """\
import hashlib, os, sys, threading
import flask, numpy, numpy.linalg, numpy.random, sqlalchemy, sqlalchemy.orm
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

app = flask.Flask(__name__)

@app.get("/<word>")
def page(word):
    return flask.render_template_string("<p>{{ word }}", word=word)

class Base(sqlalchemy.orm.DeclarativeBase):
    pass

class Row(Base):
    __tablename__ = "rows"
    id: sqlalchemy.orm.Mapped[int] = sqlalchemy.orm.mapped_column(primary_key=True)
    name: sqlalchemy.orm.Mapped[str]

def work():
    a = numpy.arange(14400, dtype=float).reshape(120, 120) % 7
    numbers = numpy.random.default_rng(5).random(4).round(6).tolist()
    solved = numpy.linalg.solve(a + 120 * numpy.eye(120), numpy.ones(120))
    engine = sqlalchemy.create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with sqlalchemy.orm.Session(engine) as session:
        session.add_all([Row(name=n) for n in "abc"])
        session.commit()
        names = session.scalars(sqlalchemy.select(Row.name).order_by(Row.id)).all()
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))
    sealed = AESGCM(bytes(16)).encrypt(bytes(12), b"text", b"")
    return " ".join(map(str, (
        int((a @ a).sum()), round(float(solved.sum()), 6), numbers, names,
        app.test_client().get("/%3C").text, sealed.hex(),
        hashlib.sha256(key.sign(b"text")).hexdigest()[:16])))

def main():
    assert 0 <= numpy.random.rand() < 1 and AESGCM.generate_key(128) != bytes(16)
    print(work(), flush=True)
    if os.fork() == 0:
        print(work(), flush=True)
        os._exit(0)
    os.wait()
    results = []
    threads = [threading.Thread(target=lambda: results.append(work())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(len(set(results)), results[0])
"""

MASKS = ["-AVX2,-AVX2_Usable", "-AVX,-AVX2,-SSE4_2,-SSSE3,-BMI2,-ERMS,-FSRM"]
SETTINGS: List[Dict[str, str]] = [
    {},
    {"OPENBLAS_NUM_THREADS": "1"},
    {"OPENBLAS_NUM_THREADS": "8"},
    *({"GLIBC_TUNABLES": f"glibc.cpu.hwcaps={mask}"} for mask in MASKS),
    {"GLIBC_TUNABLES": f"glibc.cpu.hwcaps={MASKS[1]}", "OPENBLAS_NUM_THREADS": "8"},
]


def start(exe: Path, settings: Dict[str, str], snapshot: str) -> str:
    """What it printed, or what went wrong."""
    # Threads of OpenBLAS that wait do so without keeping a processor busy.
    env = {"LANG": "C.UTF-8", "HOME": str(exe.parent), "PEXCZ_SNAPSHOT": snapshot,
           "OPENBLAS_THREAD_TIMEOUT": "8"}  # fmt: skip
    try:
        done = subprocess.run([exe], env={**env, **settings}, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=TIMEOUT)  # fmt: skip
    except subprocess.TimeoutExpired:
        return "hangs"
    if (done.returncode, done.stderr) != (0, b""):
        return f"code {done.returncode}, stderr {done.stderr!r}, stdout {done.stdout!r}"
    return done.stdout.decode()


def run(exe: Path, starts: int) -> int:
    """The number of starts that printed something else."""
    want = start(exe, {}, "0")
    wrong = 0
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        order = [SETTINGS[i % len(SETTINGS)] for i in range(starts)]
        for settings, got in zip(
            order, pool.map(lambda s: start(exe, s, "explain"), order)
        ):
            if got != want or len(want.splitlines()) != 3:
                wrong += 1
                print(f"stress: {settings}: {got}\ninstead of {want}", file=sys.stderr)
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=5000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        exe = Path(folder) / "app"
        try:
            pex = build_pex(
                BUILD, [*PROJECTS, "-e", "work:main"], {"work.py": PROGRAM}
            )
        except Offline as error:
            print(f"no PEX: {error}")
            totals.report(0, 0, 1)
            return 0
        subprocess.run([BUILD / "bin/pexcz-pack", "-q", "--snapshot", "require", pex,
                        "-o", exe], check=True)  # fmt: skip
        wrong = run(exe, options.starts)
    print(f"{options.starts} starts with libraries, {wrong} wrong")
    totals.report(1 if wrong == 0 else 0, 1 if wrong != 0 else 0, 0)
    return 1 if wrong != 0 else 0


if __name__ == "__main__":
    sys.exit(main())
