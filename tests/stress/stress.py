# SPDX-License-Identifier: Apache-2.0
"""Starts packed programs again and again, many at once, some of them disturbed
by a signal at a random moment.  Each ends as a program without a snapshot
would: with its whole output and exit code 0, or by the signal that it got.

stress.py [--starts N] [--seed N]: exit code 1 and a message on
the first that does not.  A tenth of the starts are of a program with threads.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Optional, Tuple

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / "tests"), str(REPOSITORY / "tests/e2e")]

import totals  # noqa: E402
from pexes import build_pex  # noqa: E402

BUILD = Path(os.environ["PEXCZ_BUILD"])
ENVIRONMENT = {"LANG": "C.UTF-8"}
AT_ONCE = 12
TIMEOUT = 120  # seconds for one start: it hangs

PLAIN = """\
import argparse, asyncio, collections, dataclasses, decimal, email.message, enum
import hashlib, http.client, json, logging, random, re, sqlite3, ssl, subprocess
def main():
    text = json.dumps({str(i): [i, str(i)] for i in range(200)})
    print(hashlib.sha256(text.encode()).hexdigest(), re.sub("[0-9]+", "n", text)[:40])
    print(0 <= random.random() < 1)
"""

THREADS = """\
import collections, json, queue, sqlite3, threading
def work(numbers, sums):
    kept = []
    for n in iter(numbers.get, None):
        kept.append(json.loads(json.dumps({"n": [n] * 50})))
        sums.put(sum(kept[-1]["n"]))
        if len(kept) > 20:
            del kept[::2]
def main():
    numbers, sums = queue.Queue(), queue.Queue()
    threads = [threading.Thread(target=work, args=(numbers, sums), daemon=True)
               for _ in range(8)]  # daemons: the main thread may be interrupted
    for thread in threads:
        thread.start()
    for n in range(400):
        numbers.put(n)
    for _ in threads:
        numbers.put(None)
    for thread in threads:
        thread.join()
    print(sum(sums.get() for _ in range(400)), threading.active_count())
"""

# What a process may get, and what may come of it besides an undisturbed end.
SIGNALS: List[Tuple[signal.Signals, bool]] = [
    (signal.SIGKILL, True), (signal.SIGTERM, True), (signal.SIGHUP, True),
    (signal.SIGINT, True), (signal.SIGUSR1, True), (signal.SIGALRM, True),
    (signal.SIGCHLD, False), (signal.SIGCONT, False), (signal.SIGWINCH, False),
    (signal.SIGURG, False), (signal.SIGSTOP, False),
]  # fmt: skip


class Failure(Exception):
    pass


@dataclass
class Program:
    exe: Path
    want: bytes
    takes: float = 0.02  # seconds, of late: signals come within that time


@dataclass
class Start:
    program: Program
    process: subprocess.Popen[bytes]
    began: float
    disturb_at: Optional[float]
    signal: Tuple[signal.Signals, bool]


def make(folder: Path, name: str, text: str) -> Program:
    pex = build_pex(BUILD, ["-e", f"{name}:main"], {f"{name}.py": text})
    exe = folder / name
    subprocess.run([BUILD / "bin/pexcz-pack", "-q", "--snapshot", "require", pex,
                    "-o", exe], check=True)  # fmt: skip
    done = subprocess.run([exe], env={**ENVIRONMENT, "PEXCZ_SNAPSHOT": "0"},
                          capture_output=True, check=True)  # fmt: skip
    return Program(exe, done.stdout)


def begin(program: Program, chance: random.Random) -> Start:
    process = subprocess.Popen([program.exe], env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
    now = time.monotonic()
    disturb = now + chance.random() * program.takes if chance.random() < 0.6 else None
    return Start(program, process, now, disturb, chance.choice(SIGNALS))


def disturb(start: Start) -> None:
    start.disturb_at = None
    start.process.send_signal(start.signal[0])
    if start.signal[0] == signal.SIGSTOP:
        start.process.send_signal(signal.SIGCONT)


def check(start: Start, disturbed: bool) -> str:
    out, err = start.process.communicate()
    code = start.process.returncode
    number, deadly = start.signal
    if (code, out, err) == (0, start.program.want, b""):
        return "ended"
    if disturbed and number == signal.SIGINT and code in (0, 1, 120, -number) \
            and (b"KeyboardInterrupt" in err or err == b"" and code == -number):
        return number.name  # also in a callback, or while the end is written out
    if disturbed and deadly and number != signal.SIGINT and code == -number:
        return number.name
    raise Failure(f"{start.program.exe.name}: code {code}, stdout {out!r}, "
                  f"stderr {err!r}, disturbed by {number.name if disturbed else None}")


def run(programs: List[Program], starts: int, chance: random.Random) -> Dict[str, int]:
    running: List[Tuple[Start, bool]] = []
    counts: Dict[str, int] = {}
    begun = 0
    while begun < starts or running:
        while begun < starts and len(running) < AT_ONCE:
            running.append((begin(programs[begun % 10 == 0], chance), False))
            begun += 1
        now = time.monotonic()
        left = []
        for start, disturbed in running:
            if start.process.poll() is not None:
                end = check(start, disturbed)
                took = now - start.began
                start.program.takes += (took - start.program.takes) / 20
                counts[end] = counts.get(end, 0) + 1
                continue
            if start.disturb_at is not None and now >= start.disturb_at:
                disturb(start)
                disturbed = True
            elif now - start.began > TIMEOUT:
                start.process.kill()
                raise Failure(f"{start.program.exe.name} hangs")
            left.append((start, disturbed))
        running = left
        time.sleep(0.0005)
    return counts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    options = parser.parse_args()
    print(f"seed {options.seed}")
    with tempfile.TemporaryDirectory() as folder:
        programs = [make(Path(folder), "plain", PLAIN),
                    make(Path(folder), "threads", THREADS)]  # fmt: skip
        try:
            counts = run(programs, options.starts, random.Random(options.seed))
        except Failure as failure:
            print(f"stress: {failure}", file=sys.stderr)
            totals.report(0, 1, 0)
            return 1
    text = ", ".join(f"{n} {end}" for end, n in sorted(counts.items()))
    print(f"{sum(counts.values())} starts: {text}")
    totals.report(1, 0, 0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
