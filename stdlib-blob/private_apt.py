# SPDX-License-Identifier: Apache-2.0
"""apt-get with a state of its own.

The machine's own sources and lists are read for the mirrors' addresses and
keys only; nothing outside the given folder is written.
"""

import re
import subprocess
from pathlib import Path


class FetchError(Exception):
    pass


def debian_archives():
    """[(URI, suites, Signed-By)] of the Debian archives in the machine's apt."""
    folder = Path("/etc/apt")
    found = []
    for path in sorted(folder.glob("sources.list.d/*.sources")):
        for stanza in re.split(r"\n\s*\n", path.read_text()):
            fields = dict(re.findall(r"^([A-Za-z-]+):\s*(.+)$", stanza, re.M))
            if "main" in fields.get("Components", "") and "URIs" in fields:
                found.append((fields["URIs"].split()[0], fields["Suites"].split(),
                              fields.get("Signed-By", "")))
    lists = [folder / "sources.list", *sorted(folder.glob("sources.list.d/*.list"))]
    for path in lists:
        if not path.is_file():
            continue
        for line in path.read_text().splitlines():
            m = re.match(r"deb\s+(?:\[(.*?)\]\s+)?(\S+)\s+(\S+)\s+.*\bmain\b", line)
            if m:
                key = re.search(r"signed-by=(\S+)", m[1] or "")
                found.append((m[2], [m[3]], key[1] if key else ""))
    if not found:
        raise FetchError("no Debian archive in /etc/apt: cannot fetch from it")
    return found


def source_line(kind, uri, suite, key):
    option = f" [signed-by={key}]" if key else ""
    return f"{kind}{option} {uri} {suite} main"


def run(folder, lines, options, *commands):
    """Runs apt-get commands in `folder` with these lines of sources.list."""
    state = folder / "apt"
    for sub in ("lists/partial", "cache/archives/partial", "etc/preferences.d"):
        (state / sub).mkdir(parents=True, exist_ok=True)
    (state / "sources.list").write_text("\n".join(lines) + "\n")
    options = {
        "Dir::Etc::sourcelist": state / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": state / "lists",
        "Dir::Cache": state / "cache",
        "APT::Get::List-Cleanup": "0",
        "APT::Sandbox::User": "root",
        **options,
    }
    apt = ["apt-get", "-q"]
    for name, value in options.items():
        apt += ["-o", f"{name}={value}"]
    for command in commands:
        done = subprocess.run(
            apt + command, cwd=folder, text=True, capture_output=True, check=False
        )
        if done.returncode != 0:
            raise FetchError(f"apt-get {command[0]}: {done.stderr.strip()}")
