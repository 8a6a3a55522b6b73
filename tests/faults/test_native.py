# SPDX-License-Identifier: Apache-2.0
"""Real wheels with private libraries and no cache: all from memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ALL, BUILD, PEXCZ, run_checked

PROJECTS = (
    "cryptography numpy pandas lxml psycopg2-binary pillow pyarrow scikit-learn "
    "opencv-python-headless scipy matplotlib"
).split()

PROGRAM = """\
import io

def cryptography():
    from cryptography.fernet import Fernet
    f = Fernet(Fernet.generate_key())
    return f.decrypt(f.encrypt(b"x")) == b"x"

def numpy():
    import numpy as np
    a = np.arange(9.0).reshape(3, 3) + np.eye(3)
    return abs(np.linalg.inv(a) @ a - np.eye(3)).max() < 1e-9

def pandas():
    import pandas as pd
    return pd.DataFrame({"a": [1, 2, 2]}).groupby("a").size().tolist() == [1, 2]

def lxml():
    from lxml import etree
    return etree.fromstring("<a><b/></a>").xpath("count(//b)") == 1.0

def psycopg2():
    import psycopg2
    try:
        psycopg2.connect("host=127.0.0.1 port=1")
    except psycopg2.OperationalError as e:
        return "refused" in str(e)

def pillow():
    from PIL import Image, ImageDraw, ImageFont
    image = Image.new("RGB", (20, 20))
    ImageDraw.Draw(image).text((0, 0), "x", font=ImageFont.load_default(12))
    image.save(io.BytesIO(), "WEBP")
    return image.getbbox() is not None

def pyarrow():
    import pyarrow as pa, pyarrow.compute as pc, pyarrow.parquet as pq
    table = pa.table({"a": [1, 2, 3]})
    pq.write_table(table, io.BytesIO())
    return pc.sum(table["a"]).as_py() == 6

def sklearn():
    from sklearn.linear_model import LinearRegression
    return abs(LinearRegression().fit([[0], [1]], [0, 2]).coef_[0] - 2) < 1e-9

def cv2():
    import cv2, numpy as np
    return cv2.GaussianBlur(np.ones((9, 9), np.uint8), (3, 3), 0).shape == (9, 9)

def scipy():
    from scipy import linalg, optimize, sparse, stats
    return abs(linalg.det([[2.0, 0], [0, 3]]) - 6) < 1e-9

def matplotlib():
    import matplotlib
    matplotlib.use("agg")
    import matplotlib.pyplot as plot
    out = io.BytesIO()
    plot.plot([1, 2])
    plot.savefig(out)
    return out.getvalue()[:4] == b"\\x89PNG"

def main():
    for use in (cryptography, numpy, pandas, lxml, psycopg2, pillow, pyarrow,
                sklearn, cv2, scipy, matplotlib):
        print(use.__name__, bool(use()))
"""


@pytest.mark.skipif(not ALL, reason="a PEX of 230 MB: make faults")
def test_everything_from_memory(tmp_path: Path, points) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "native.py").write_text(PROGRAM)
    pex, exe = tmp_path / "native.pex", tmp_path / "native"
    run_checked(
        [sys.executable, "-m", "pex", *PROJECTS, "-D", source, "-e", "native:main"]
        + ["-o", pex, "--use-pip-config"],
        {**os.environ, "PEX_ROOT": str(BUILD / "pex/root")},
    )
    run_checked([PEXCZ, "pack", "-q", "--snapshot", "off", pex, "-o", exe], None)
    home = tmp_path / "home"
    home.write_bytes(b"")
    done = subprocess.run(
        [exe],
        env={"LANG": "C.UTF-8", "HOME": str(home), "MPLCONFIGDIR": str(tmp_path)},
        capture_output=True,
        check=False,
    )
    lines = done.stdout.decode().splitlines()
    assert done.returncode == 0 and len(lines) == len(PROJECTS), done.stderr.decode()
    assert all(line.endswith(" True") for line in lines), lines
    points.add("distributions loaded from memory", len(lines))
