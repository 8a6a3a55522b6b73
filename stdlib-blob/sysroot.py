# SPDX-License-Identifier: Apache-2.0
"""Debian's packages of another machine, unpacked into a folder.

sysroot.py FOLDER CC: what a base for the machine of the cross compiler CC is
built with, once.  FOLDER/var/lib/dpkg names the packages, as in a real root.
"""

import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import private_apt
import targets
import versions

# Linked into every base beside what CPython needs.
OWN_PACKAGES = ("libxxhash-dev", "libzstd-dev", "uthash-dev")


def sources():
    """Lines for the archives of this machine's own release, with its fixes."""
    codename = platform.freedesktop_os_release()["VERSION_CODENAME"]
    return [private_apt.source_line("deb", uri, suite, key)
            for uri, suites, key in private_apt.debian_archives()
            for suite in suites
            if re.fullmatch(rf"{codename}(-(updates|security))?", suite)]


def fetch(folder, target):
    packages = sorted({*versions.STATIC_LIBS.values(), *OWN_PACKAGES})
    with tempfile.TemporaryDirectory(prefix="packages-") as work:
        work = Path(work)
        (work / "status").touch()
        options = {
            "APT::Architecture": target.debian,
            "APT::Architectures": target.debian,
            "Dir::State::status": work / "status",
        }
        private_apt.run(work, sources(), options, ["update"], ["download", *packages])
        admin = folder / "var/lib/dpkg"
        admin.mkdir(parents=True)
        with open(admin / "status", "w", encoding="utf-8") as status:
            for package in sorted(work.glob("*.deb")):
                subprocess.check_call(["dpkg-deb", "-x", package, folder])
                control = subprocess.check_output(["dpkg-deb", "-f", package], text=True)
                status.write(control + "Status: install ok installed\n\n")


def main() -> int:
    folder = Path(sys.argv[1])
    target = targets.Target(sys.argv[2])
    temp = folder.with_name(folder.name + ".new")
    shutil.rmtree(temp, ignore_errors=True)
    try:
        fetch(temp, target)
    except (private_apt.FetchError, OSError, subprocess.CalledProcessError) as error:
        print(f"sysroot: {error}", file=sys.stderr)
        return 1
    shutil.rmtree(folder, ignore_errors=True)
    temp.rename(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
