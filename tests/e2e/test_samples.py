# SPDX-License-Identifier: Apache-2.0
"""The applications of samples/, against what their folders say."""

from __future__ import annotations

import re
import shlex
import signal
import struct
import subprocess
import urllib.request
import zlib
from pathlib import Path

from conftest import OWN_BUILD, App, Sides

SAMPLES = Path(__file__).resolve().parents[2] / "samples"


def sample(name: str) -> App:
    folder = OWN_BUILD / "samples"
    return App(folder / f"{name}.pex", folder / name, b"")


def test_click_cli(sides: Sides, same) -> None:
    app = sample("click-cli")
    transcript = (SAMPLES / "click-cli/expected.txt").read_text()
    steps = re.findall(r"^\$ greet (.*)\n((?:[^$].*\n)*)", transcript, re.M)
    assert len(steps) == 5
    for arguments, output in steps:
        assert same(app, *shlex.split(arguments)).text == output
    same(app, "--style", "rude", "Ada")
    same(app, "--help")


def test_flask_service(sides: Sides) -> None:
    app = sample("flask-service")
    sides.install(app)
    for side in sides.both:
        with side.start(stdout=subprocess.PIPE) as process:
            address = process.stdout.readline().decode().strip()
            with urllib.request.urlopen(address + "Ada") as answer:
                page = answer.read().decode()
            with urllib.request.urlopen(address + "static/style.css") as answer:
                assert answer.read().startswith(b"p {")
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
            assert process.returncode == 0
        assert page + "\n" == (SAMPLES / "flask-service/expected.html").read_text()


def pixels(png: bytes) -> tuple[int, int, bytes]:
    """Width, height, and the scan lines as they are filtered."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, data, size = 8, b"", (0, 0)
    while at < len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        body = png[at + 8 : at + 8 + length]
        assert zlib.crc32(kind + body) == struct.unpack_from(">I", png, at + 8 + length)[0]
        if kind == b"IHDR":
            size = struct.unpack_from(">II", body)
        elif kind == b"IDAT":
            data += body
        at += 12 + length
    return *size, zlib.decompress(data)


def test_plot(sides: Sides, tmp_path: Path) -> None:
    sides.expect_manylinux()
    app = sample("plot")
    sides.install(app)
    for side in sides.both:
        got = side.run("curve.png", env={"MPLCONFIGDIR": "/tmp"})
        assert got.code == 0, got.err.decode()
        assert got.text == (SAMPLES / "plot/expected.txt").read_text()
        width, height, lines = pixels((side.work / "curve.png").read_bytes())
        assert (width, height) == (640, 480)
        assert len(set(lines)) > 50  # not blank
