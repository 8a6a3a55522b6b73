# SPDX-License-Identifier: Apache-2.0
"""Takes a Python distribution from a python-build-standalone full archive.

read.py ARCHIVE BUILD NAME: unpacks it to BUILD/dist/NAME-archive-HASH, once, and
makes the link BUILD/dist/NAME that names it, as build_dist.py does.  NAME is X.Y,
and X.Y-MACHINE for another machine than this one.
"""

import hashlib
import io
import json
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

FORMAT_VERSION = "8"


def check(path, version, machine):
    """The distribution can be linked: version, format, machine, objects."""
    info = json.loads(path.read_text())
    if info.get("version") != FORMAT_VERSION:
        sys.exit(f"read.py: PYTHON.json of format {info.get('version')}, not {FORMAT_VERSION}")
    found = ".".join(info["python_version"].split(".")[:2])
    if found != version:
        sys.exit(f"read.py: a distribution of Python {found}, not {version}")
    if info["target_triple"].split("-")[0] != machine:
        sys.exit(f"read.py: a distribution for {info['target_triple']}, not {machine}")
    if not info["build_info"]["core"].get("objs"):
        sys.exit("read.py: no object files in it: it is not a full archive")


def unpack(archive, target):
    command = ["zstd", "-q", "-d", "-c", archive]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as zstd:
        with tarfile.open(fileobj=zstd.stdout, mode="r|") as tar:
            tar.extractall(target, filter="data")
        shutil.copyfileobj(zstd.stdout, io.BytesIO())  # what fills the last block
    if zstd.returncode != 0:
        sys.exit(f"read.py: {archive}: zstd failed")


def main():
    archive, build, name = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    version, _, machine = name.partition("-")
    with open(archive, "rb") as stream:
        key = hashlib.file_digest(stream, "sha256").hexdigest()[:16]
    root = build.resolve() / "dist"
    root.mkdir(parents=True, exist_ok=True)
    final = root / f"{name}-archive-{key}"
    if not (final / "python/PYTHON.json").is_file():
        with tempfile.TemporaryDirectory(prefix="work-", dir=root) as work:
            unpack(archive, work)
            check(Path(work, "python/PYTHON.json"), version, machine or platform.machine())
            shutil.rmtree(final, ignore_errors=True)
            final.mkdir()
            Path(work, "python").rename(final / "python")
    link = root / name
    temp = link.with_name(link.name + ".new")
    temp.unlink(missing_ok=True)
    temp.symlink_to(final.name)
    temp.replace(link)


if __name__ == "__main__":
    main()
