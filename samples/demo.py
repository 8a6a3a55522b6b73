# SPDX-License-Identifier: Apache-2.0
"""`make demo`: a PEX of a real application becomes an executable that runs in
a root file system with nothing in it but libc.

usage: demo.py BUILD X.Y
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = "cowsay==6.1"
SCRIPT = "cowsay"
ARGUMENTS = ["-t", "no Python here"]
LIBRARIES = ("libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0",
             "librt.so.1", "libutil.so.1")
RUNS = 15


def step(text):
    print(f"\n== {text}", flush=True)


def bare_root(root, exe):
    for folder in ("proc", "dev", "tmp", "lib64", "lib/x86_64-linux-gnu"):
        (root / folder).mkdir(parents=True)
    shutil.copy("/lib64/ld-linux-x86-64.so.2", root / "lib64")
    for name in LIBRARIES:
        source = Path("/lib/x86_64-linux-gnu") / name
        if source.exists():
            shutil.copy(source, root / "lib/x86_64-linux-gnu")
    shutil.copy(exe, root / "app")


def median_ms(command):
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


def main():
    build, version = Path(sys.argv[1]), sys.argv[2]
    if "%d.%d" % sys.version_info[:2] != version:
        sys.exit(f"demo: the tests' venv has Python {sys.version.split()[0]}, "
                 f"but a PEX for {version} is needed: make HOST_PYTHON=python{version}")
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        pex, exe = work / "app.pex", work / "app"
        step(f"a PEX of {PROJECT}, by the pex tool")
        subprocess.run([sys.executable, "-m", "pex", PROJECT, "-c", SCRIPT,
                        "-o", pex], check=True)
        print(f"{pex.name}: {pex.stat().st_size:,} bytes")
        step("pexcz-pack app.pex -o app")
        subprocess.run([build / "bin/pexcz-pack", pex, "-o", exe], check=True)
        step("./app in a root without Python")
        root = work / "root"
        bare_root(root, exe)
        options = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        subprocess.run(
            ["unshare", *options, "--mount", "--pid", "--fork", "sh", "-c",
             'mount -t proc proc "$0/proc" && exec chroot "$0" /app "$@"',
             root, *ARGUMENTS], check=True)
        step(f"start-up, median of {RUNS} runs")
        reference = median_ms([sys.executable, pex, *ARGUMENTS])
        packed = median_ms([exe, *ARGUMENTS])
        print(f"python{version} app.pex {reference:8.1f} ms")
        print(f"./app              {packed:8.1f} ms")


if __name__ == "__main__":
    main()
