# SPDX-License-Identifier: Apache-2.0
"""Fetches a Debian source package with a private apt state.

The machine's own sources and lists are read for the mirror's address and key
only; nothing outside the given folder is written.
"""

import re
import subprocess
from pathlib import Path

import versions


class FetchError(Exception):
    pass


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


def debian_mirror():
    """(URI, Signed-By) of the first Debian archive in the machine's apt."""
    folder = Path("/etc/apt")
    for path in sorted(folder.glob("sources.list.d/*.sources")):
        for stanza in re.split(r"\n\s*\n", path.read_text()):
            fields = dict(re.findall(r"^([A-Za-z-]+):\s*(.+)$", stanza, re.M))
            if "main" in fields.get("Components", "") and "URIs" in fields:
                key = fields.get("Signed-By", "")
                return fields["URIs"].split()[0], key
    lists = [folder / "sources.list", *sorted(folder.glob("sources.list.d/*.list"))]
    for path in lists:
        if not path.is_file():
            continue
        for line in path.read_text().splitlines():
            m = re.match(r"deb\s+(?:\[(.*?)\]\s+)?(\S+)\s+\S+\s+.*\bmain\b", line)
            if m:
                key = re.search(r"signed-by=(\S+)", m[1] or "")
                return m[2], key[1] if key else ""
    raise FetchError("no Debian archive in /etc/apt: cannot fetch CPython's source")


def fetch(version, folder):
    """Unpacks CPython's source under `folder`; returns its directory."""
    row = versions.VERSIONS[version]
    suite, source = row["suite"], row["source"]
    folder = Path(folder).resolve()
    state = folder / "apt"
    for sub in ("lists/partial", "cache/archives/partial", "etc/preferences.d"):
        (state / sub).mkdir(parents=True, exist_ok=True)
    uri, key = debian_mirror()
    option = f" [signed-by={key}]" if key else ""
    (state / "sources.list").write_text(f"deb-src{option} {uri} {suite} main\n")
    options = {
        "Dir::Etc::sourcelist": state / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": state / "lists",
        "Dir::Cache": state / "cache",
        "APT::Get::List-Cleanup": "0",
        "APT::Sandbox::User": "root",
    }
    apt = ["apt-get", "-q"]
    for name, value in options.items():
        apt += ["-o", f"{name}={value}"]
    for command in (["update"], ["source", "--download-only", source]):
        done = subprocess.run(
            apt + command, cwd=folder, text=True, capture_output=True, check=False
        )
        if done.returncode != 0:
            raise FetchError(f"apt-get {command[0]}: {done.stderr.strip()}")
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
