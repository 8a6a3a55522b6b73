# SPDX-License-Identifier: Apache-2.0
"""What a base is made of, for bills of materials.

components.py DIST OUT [SYSROOT]: writes OUT/components.json, a list of CycloneDX
components, and OUT/licenses.txt, their texts one after the other.  SYSROOT has
the libraries of another machine's base (sysroot.py).
"""

import json
import subprocess
import sys
from pathlib import Path

import versions

# Of Debian packages whose libraries are linked in; the texts say it exactly.
LICENSES = {
    "libbsd-dev": "BSD-3-Clause",
    "libbz2-dev": "bzip2-1.0.6",
    "libcrypt-dev": "LGPL-2.1-or-later",
    "libedit-dev": "BSD-3-Clause",
    "libexpat1-dev": "MIT",
    "libffi-dev": "MIT",
    "libjansson-dev": "MIT",
    "liblzma-dev": "LicenseRef-public-domain",
    "libncurses-dev": "X11-distribute-modifications-variant",
    "libsqlite3-dev": "blessing",
    "libssl-dev": "Apache-2.0",
    "libxxhash-dev": "BSD-2-Clause",
    "libzstd-dev": "BSD-3-Clause",
    "uthash-dev": "BSD-1-Clause",
    "uuid-dev": "BSD-3-Clause",
    "zlib1g-dev": "Zlib",
}
# Parts of CPython that others wrote and that are archives of their own.
PARTS = {"libmpdec.a": "BSD-2-Clause"}
# Linked into every base by pexcz itself.
OWN_PACKAGES = ("libxxhash-dev", "libzstd-dev")


def license_of(name):
    kind = "name" if name.startswith("LicenseRef-") else "id"
    return [{"license": {kind: name}}]


def debian_component(package, root="/"):
    """A library that was taken from a Debian package."""
    query = ["dpkg-query", f"--admindir={root}/var/lib/dpkg", "-W", "-f", "${source:Package} ${Version}", package]
    source, version = subprocess.check_output(query, text=True).split()
    escaped = version.replace(":", "%3A").replace("+", "%2B")
    return {
        "type": "library",
        "bom-ref": f"deb:{package}",
        "name": source,
        "version": version,
        "purl": f"pkg:deb/debian/{package}@{escaped}",
        "licenses": license_of(LICENSES[package]),
    }


def python_component(info):
    version = info["python_version"]
    return {
        "type": "framework",
        "bom-ref": f"cpython@{version}",
        "name": "cpython",
        "version": version,
        "purl": f"pkg:generic/cpython@{version}",
        "licenses": [{"license": {"id": name}} for name in info["licenses"]],
    }


def linked(info):
    """{library: names of its licences} of all static archives."""
    found = {}
    for variants in info["build_info"]["extensions"].values():
        for link in variants[0]["links"]:
            if "path_static" in link:
                names = found.setdefault(Path(link["path_static"]).name, set())
                names.update(variants[0].get("licenses") or ())
    return found


def components(dist, root="/"):
    """[(component, file with its licence or None)], CPython first."""
    info = json.loads((dist / "PYTHON.json").read_text())
    result = [(python_component(info), dist / info["license_path"])]
    packages = set(OWN_PACKAGES)
    for library, names in sorted(linked(info).items()):
        package = versions.STATIC_LIBS.get(library)
        if package and (dist / f"licenses/LICENSE.{package}.txt").is_file():
            packages.add(package)
        else:
            # Of another distribution's maker, or a part of CPython.
            name = library.removeprefix("lib").removesuffix(".a")
            component = {"type": "library", "bom-ref": f"static:{name}", "name": name}
            if library in PARTS:
                component["licenses"] = license_of(PARTS[library])
            elif names:
                component["licenses"] = [{"license": {"name": n}} for n in sorted(names)]
            result.append((component, None))
    for package in sorted(packages):
        text = dist / f"licenses/LICENSE.{package}.txt"
        if not text.is_file():
            text = Path("/usr/share/doc") / package / "copyright"
        result.append((debian_component(package, root), text if text.is_file() else None))
    return result


def texts(found):
    parts = []
    for component, path in found[1:]:  # CPython's is in its own tree
        if path is not None:
            title = f"{component['name']} {component.get('version', '')}".strip()
            parts.append(f"{'=' * 68}\n{title}\n\n{path.read_text(errors='replace')}\n")
    return "".join(parts)


def main() -> int:
    dist, out = map(Path, sys.argv[1:3])
    found = components(dist, *sys.argv[3:])
    out.mkdir(parents=True, exist_ok=True)
    (out / "licenses.txt").write_text(texts(found))
    listing = json.dumps([c for c, _ in found], indent=1, sort_keys=True)
    (out / "components.json").write_text(listing + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
