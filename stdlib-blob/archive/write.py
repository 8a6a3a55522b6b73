# SPDX-License-Identifier: Apache-2.0
"""Writes a distribution as a python-build-standalone full archive.

write.py DIST FOLDER: FOLDER/cpython-VERSION-TRIPLE-OPTIONS-full.tar.zst from
DIST/python, and prints its path.  The same distribution gives the same bytes:
entries in order, without times, owners or the umask of the machine.
"""

import json
import stat
import subprocess
import sys
import tarfile
from pathlib import Path

LEVEL = "-12"


def archive_name(info):
    return (f"cpython-{info['python_version']}-{info['target_triple']}"
            f"-{info['optimizations']}-full.tar.zst")


def neutral(member):
    executable = member.mode & stat.S_IXUSR
    member.mode = 0o755 if executable or member.isdir() else 0o644
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = "root"
    return member


def add_tree(tar, root):
    for path in sorted(root.rglob("*"), key=lambda p: p.relative_to(root).as_posix()):
        if "__pycache__" in path.parts:
            continue  # written by whoever ran this Python since
        tar.add(path, Path("python", path.relative_to(root)), recursive=False,
                filter=neutral)


def main():
    root = Path(sys.argv[1]) / "python"
    folder = Path(sys.argv[2])
    info = json.loads((root / "PYTHON.json").read_text())
    out = folder / archive_name(info)
    temp = out.with_name(out.name + ".new")
    folder.mkdir(parents=True, exist_ok=True)
    command = ["zstd", "-q", "-f", "-T1", LEVEL, "-o", temp]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as zstd:
        with tarfile.open(fileobj=zstd.stdin, mode="w|", format=tarfile.PAX_FORMAT) as tar:
            add_tree(tar, root)
        zstd.stdin.close()
        if zstd.wait() != 0:
            sys.exit("write.py: zstd failed")
    temp.rename(out)
    print(out)


if __name__ == "__main__":
    main()
