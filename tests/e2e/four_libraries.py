# SPDX-License-Identifier: Apache-2.0
"""A program with NumPy, Flask, SQLAlchemy and cryptography, which prints the
same three lines wherever it runs (and a fourth one if its argument says how many
threads there shall be), and settings that its libraries look at when
they are loaded."""

from __future__ import annotations

from typing import Dict

PROJECTS = ["cryptography", "flask", "numpy", "sqlalchemy"]
# Is imported when the program is told how many threads to start.
HELPERS = ["threadpoolctl==3.8.0"]
SOURCE = {
    "work.py": """\
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
    solved = numpy.linalg.solve(a[:40, :40] + 120 * numpy.eye(40), numpy.ones(40))
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
    if sys.argv[1:]:
        # $OPENBLAS_NUM_THREADS starts no more than there are processors.
        import threadpoolctl
        threadpoolctl.threadpool_limits(int(sys.argv[1]))
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
    if sys.argv[1:]:
        [pool] = threadpoolctl.threadpool_info()
        print(os.path.basename(pool["filepath"]).partition("-")[0], pool["num_threads"])
"""
}

# What hides features of the processor from libc and from OpenBLAS.
NO_AVX512 = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW",
             "OPENBLAS_CORETYPE": "Haswell"}  # fmt: skip
NO_AVX2 = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-AVX2_Usable",
           "OPENBLAS_CORETYPE": "Sandybridge"}  # fmt: skip
NO_AVX = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX,-AVX2,-SSE4_2,-SSSE3,-BMI2,-ERMS,-FSRM",
          "OPENBLAS_CORETYPE": "Prescott"}  # fmt: skip
# Threads of OpenBLAS that wait do so without keeping a processor busy.
PATIENT = {"OPENBLAS_THREAD_TIMEOUT": "8"}
ONE_THREAD = {**PATIENT, "OPENBLAS_NUM_THREADS": "1"}
EIGHT_THREADS = {**PATIENT, "OPENBLAS_NUM_THREADS": "8"}
SETTINGS: Dict[str, Dict[str, str]] = {
    "plain": PATIENT,
    "one-thread": ONE_THREAD,
    "eight-threads": EIGHT_THREADS,
    "no-avx512": {**PATIENT, **NO_AVX512},
    "no-avx2-one-thread": {**ONE_THREAD, **NO_AVX2},
    "no-avx-eight-threads": {**EIGHT_THREADS, **NO_AVX},
}
