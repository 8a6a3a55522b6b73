# SPDX-License-Identifier: Apache-2.0
"""Writes wheels for tests, without any build tool."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from pathlib import Path
from typing import Collection, Dict

METADATA = """\
Metadata-Version: 2.1
Name: {name}
Version: {version}
Summary: A wheel of the tests.
Author: N\u00e4me
Requires-Python: >=3.8
{more}
Description of {name}.
"""


def build_wheel(
    folder: Path,
    name: str,
    version: str,
    tag: str,
    files: Dict[str, bytes],
    metadata: str = "",
    executable: Collection[str] = (),
) -> Path:
    """`metadata`: further header lines; `executable`: paths of programs."""
    info = f"{name}-{version}.dist-info"
    pure = str(tag == "py3-none-any").lower()
    files = {
        **files,
        f"{info}/METADATA": METADATA.format(
            name=name, version=version, more=metadata
        ).encode(),
        f"{info}/WHEEL": (
            "Wheel-Version: 1.0\nGenerator: tests\n"
            f"Root-Is-Purelib: {pure}\nTag: {tag}\n"
        ).encode(),
    }
    record = []
    for path, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest())
        text = digest.rstrip(b"=").decode()
        record.append(f"{path},sha256={text},{len(data)}\n")
    record.append(f"{info}/RECORD,,\n")
    files[f"{info}/RECORD"] = "".join(record).encode()
    out = folder / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for path, data in files.items():
            entry = zipfile.ZipInfo(path, (2024, 5, 6, 7, 8, 10))
            mode = 0o755 if path in executable else 0o644
            entry.external_attr = (0o100000 | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            z.writestr(entry, data)
    return out
