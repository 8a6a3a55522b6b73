# SPDX-License-Identifier: Apache-2.0
"""Licences and the bill of materials of what pexcz is made of.

documents.py VERSION PREFIX DISTRIBUTIONS PYTHON…: writes PREFIX/share/doc/pexcz
with sbom.cdx.json (CycloneDX 1.5) and licenses/.
"""

import json
import shutil
import sys
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "stdlib-blob"))
import versions  # noqa: E402
from components import debian_component, python_component  # noqa: E402

# Linked into the programs, beside what the bases have.
PROGRAM_PACKAGES = ("libjansson-dev", "libzstd-dev", "zlib1g-dev", "libxxhash-dev", "uthash-dev")


def main() -> int:
    version, prefix, distributions, *pythons = sys.argv[1:]
    doc = Path(prefix) / "share/doc/pexcz"
    licenses = doc / "licenses"
    licenses.mkdir(parents=True, exist_ok=True)
    for name in ("LICENSE", "NOTICE"):
        shutil.copyfile(ROOT / name, doc / name)
    components = []
    for python in pythons:
        dist = Path(distributions) / python / "python"
        components.append(python_component(json.loads((dist / "PYTHON.json").read_text())))
        for text in sorted((dist / "licenses").iterdir()):
            name = text.name.replace("cpython", f"cpython-{python}")
            shutil.copyfile(text, licenses / name)
    packages = {*versions.STATIC_LIBS.values(), *PROGRAM_PACKAGES}
    for package in sorted(packages):
        components.append(debian_component(package))
        text = Path("/usr/share/doc") / package / "copyright"
        if text.is_file():
            shutil.copyfile(text, licenses / f"LICENSE.{package}.txt")
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": "pexcz",
                "name": "pexcz",
                "version": version,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": components,
    }
    text = json.dumps(document, sort_keys=True)
    document["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, text)}"
    out = json.dumps(document, indent=1, sort_keys=True) + "\n"
    (doc / "sbom.cdx.json").write_text(out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
