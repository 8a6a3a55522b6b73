# SPDX-License-Identifier: Apache-2.0
"""Fetches a Debian source package with a private apt state."""

import re
import subprocess
from pathlib import Path

import private_apt
import versions

FetchError = private_apt.FetchError


def undo_patch(source, name, file):
    """Takes a distributor's change of one file out again, if it is there."""
    path = source / "debian/patches" / name
    if not path.is_file():
        return
    parts = re.split(r"^(?=--- )", path.read_text(), flags=re.M)
    wanted = [p for p in parts if re.match(rf"--- [^\n]*/{re.escape(file)}\b", p)]
    done = subprocess.run(
        ["patch", "-R", "-s", "-p1"], cwd=source, input="".join(wanted),
        text=True, capture_output=True, check=False,
    )
    if not wanted or done.returncode != 0:
        raise FetchError(f"{name}, {file} cannot be undone: {done.stdout.strip()}")


def replace(source, file, old, new):
    path = source / file
    text = path.read_text()
    if text.count(old) != 1:
        raise FetchError(f"{file} does not have {old!r} once")
    path.write_text(text.replace(old, new))


def fetch(version, folder):
    """Unpacks CPython's source under `folder`; returns its directory."""
    row = versions.VERSIONS[version]
    suite, source = row["suite"], row["source"]
    folder = Path(folder).resolve()
    uri, _, key = private_apt.debian_archives()[0]
    line = private_apt.source_line("deb-src", uri, suite, key)
    private_apt.run(folder, [line], {}, ["update"],
                    ["source", "--download-only", source])
    found = sorted(folder.glob(f"{source}_*.dsc"))
    if not found:
        raise FetchError(f"apt-get source {source}: no .dsc file came")
    target = folder / "src"
    subprocess.run(
        ["dpkg-source", "--no-check", "-x", found[-1].name, str(target)],
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    for patch, file in row["undo"]:
        undo_patch(target, patch, file)
    for file, old, new in row["replace"]:
        replace(target, file, old, new)
    return target
