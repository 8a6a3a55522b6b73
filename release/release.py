# SPDX-License-Identifier: Apache-2.0
"""Makes one package of a staged installation below STAGE/usr.

release.py --version V --stage STAGE --out DIR [--glibc X.Y] wheel|deb|tarball

Order, owners, modes and times do not depend on the machine: times are
SOURCE_DATE_EPOCH's, or the last commit's.
"""

import argparse
import base64
import hashlib
import os
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SUMMARY = "Packs a PEX into one native executable that needs no Python"


def epoch():
    """Seconds since 1970 that every file gets."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given is None:
        command = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        given = done.stdout.strip() or "315532800"
    return max(int(given), 315532800)  # what a zip file can say


def files(stage):
    """[(path, path under usr)] in byte order, symbolic links included."""
    usr = stage / "usr"
    found = [p for p in usr.rglob("*") if p.is_symlink() or p.is_file()]
    return sorted(((p, str(p.relative_to(usr))) for p in found), key=lambda f: f[1])


def mode_of(path):
    return 0o755 if os.access(path, os.X_OK) else 0o644


# --- wheel --------------------------------------------------------------------


def wheel_name(name, version):
    """Where pip puts a file: programs beside python, the rest below the
    environment's root, so that one finds the other."""
    data = f"pexcz-{version}.data"
    if name.startswith("bin/"):
        return f"{data}/scripts/{name[len('bin/'):]}"
    return f"{data}/data/{name}"


def wheel(stage, out, version, glibc):
    tag = f"py3-none-manylinux_{glibc.replace('.', '_')}_x86_64"
    info = f"pexcz-{version}.dist-info"
    description = (ROOT / "README.md").read_text()
    metadata = (
        f"Metadata-Version: 2.1\nName: pexcz\nVersion: {version}\nSummary: {SUMMARY}\n"
        "License: Apache-2.0\nClassifier: Operating System :: POSIX :: Linux\n"
        f"Description-Content-Type: text/markdown\n\n{description}"
    )
    wheel_file = f"Wheel-Version: 1.0\nGenerator: pexcz\nRoot-Is-Purelib: false\nTag: {tag}\n"
    members = [(wheel_name(name, version), path.read_bytes(), mode_of(path))
               for path, name in files(stage)
               if name.startswith(("bin/", "lib/pexcz/base-", "share/"))]
    members += [
        (f"{info}/METADATA", metadata.encode(), 0o644),
        (f"{info}/WHEEL", wheel_file.encode(), 0o644),
        (f"{info}/LICENSE", (ROOT / "LICENSE").read_bytes(), 0o644),
        (f"{info}/NOTICE", (ROOT / "NOTICE").read_bytes(), 0o644),
    ]
    record = ""
    for name, data, _ in members:
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=")
        record += f"{name},sha256={digest.decode()},{len(data)}\n"
    members.append((f"{info}/RECORD", (record + f"{info}/RECORD,,\n").encode(), 0o644))
    path = out / f"pexcz-{version}-{tag}.whl"
    when = time.gmtime(epoch())[:6]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, data, mode in members:
            member = zipfile.ZipInfo(name, when)
            member.create_system = 3
            member.external_attr = (0o100000 | mode) << 16
            archive.writestr(member, data, zipfile.ZIP_DEFLATED)
    return path


# --- tarball and Debian package -------------------------------------------------


def tarball(stage, out, version):
    path = out / f"pexcz-{version}-linux-x86_64.tar.zst"
    top = f"pexcz-{version}"
    plain = path.with_suffix("")

    with tarfile.open(plain, "w", format=tarfile.GNU_FORMAT) as archive:
        for source, name in files(stage):
            member = archive.gettarinfo(source, f"{top}/{name}")
            member.uid = member.gid = 0
            member.uname = member.gname = "root"
            member.mtime = epoch()
            member.mode = 0o777 if member.issym() else mode_of(source)
            if member.islnk():
                member.type, member.size = tarfile.REGTYPE, source.stat().st_size
            with open(source, "rb") as content:
                archive.addfile(member, content if member.isreg() else None)
    subprocess.check_call(["zstd", "-q", "-f", "-9", "-T1", "--rm", str(plain), "-o", str(path)])
    return path


def deb(stage, out, version, glibc):
    """dpkg-deb takes times no newer than SOURCE_DATE_EPOCH and order by name."""
    when = epoch()
    control = stage / "DEBIAN"
    control.mkdir(exist_ok=True)
    size = sum(p.stat().st_size for p, _ in files(stage)) // 1024
    (control / "control").write_text(
        f"Package: pexcz\nVersion: {version}\nArchitecture: amd64\n"
        "Maintainer: the pexcz authors <pexcz@example.invalid>\n"
        f"Installed-Size: {size}\nDepends: libc6 (>= {glibc})\nSection: devel\n"
        f"Priority: optional\nDescription: {SUMMARY[0].lower() + SUMMARY[1:]}\n"
        " The programs pexcz and pexcz-pack, the Pythons that they pack with, and\n"
        " a library for C and C++ programs.\n"
    )
    for path in [stage, *stage.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else mode_of(path))
        os.utime(path, (when, when), follow_symlinks=False)
    path = out / f"pexcz_{version}_amd64.deb"
    command = ["dpkg-deb", "--root-owner-group", "-Zgzip", "-z6", "--build", str(stage), str(path)]
    subprocess.check_call(command, stdout=subprocess.DEVNULL,
                          env={**os.environ, "SOURCE_DATE_EPOCH": str(when)})
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--version", required=True)
    parser.add_argument("--stage", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--glibc", default="")
    parser.add_argument("kind", choices=["wheel", "deb", "tarball"])
    o = parser.parse_args()
    if o.kind == "wheel":
        path = wheel(o.stage, o.out, o.version, o.glibc)
    elif o.kind == "deb":
        path = deb(o.stage, o.out, o.version, o.glibc)
    else:
        path = tarball(o.stage, o.out, o.version)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
