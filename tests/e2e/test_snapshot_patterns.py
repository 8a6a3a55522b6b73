# SPDX-License-Identifier: Apache-2.0
"""Regular expressions that functions compile are in the snapshot, in re's cache."""

from __future__ import annotations

from textwrap import dedent
from typing import Callable

import pytest
from conftest import App
from test_snapshot import alike, start  # noqa: F401

MAIN = """\
    import re, sys, warnings
    import re as other
    from re import compile as make, VERBOSE

    def plain():
        return re.compile("plain[0-9]+").match("plain1")

    def with_flags():
        re.compile("With Flags", re.I | other.M)
        return make("with  verbose", flags=VERBOSE)

    class Class:
        @staticmethod
        def method(text):
            def inner():
                return re.sub(r"in\\s+method", "", text)
            return inner()

    def of_bytes():
        return re.search(b"of (bytes)", b"some of bytes")

    def warns():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            re.compile("[[a]b]")
        return [str(w.message) for w in caught]

    def fails():
        try:
            return re.compile("(fails")
        except re.error as error:
            return str(error)

    def prints():
        return re.compile("prints", re.DEBUG)

    def varies(text="var", flags=0):
        return re.compile("varies", flags), re.compile(text + "ies")

    def main():
        if sys.argv[1:]:
            for kind, text, flags in re._cache:
                print(ascii(text), flags)
        else:
            print(plain(), with_flags(), Class.method("in  method"), of_bytes(), warns(),
                  fails(), prints(), varies(flags=re.X))
    """

EXPECTED = [
    ("plain[0-9]+", 0),
    ("With Flags", 10),
    ("with  verbose", 64),
    (r"in\s+method", 0),
    (b"of (bytes)", 0),
]
LEFT = ["[[a]b]", "(fails", "prints", "varies"]


@pytest.fixture(scope="session")
def app(make_app: Callable[..., App]) -> App:
    return make_app("-e", "patterns:main", sources={"patterns.py": dedent(MAIN)})


def test_are_cached(start, app: App) -> None:  # noqa: F811
    lines = start(app, "list").text.splitlines()
    for text, flags in EXPECTED:
        assert f"{ascii(text)} {flags}" in lines
    for text in LEFT:
        assert not any(line.startswith(ascii(text)) for line in lines)


def test_nobody_can_tell(start, app: App) -> None:  # noqa: F811
    """What warns, prints or fails does so when it is called."""
    restored = start(app)
    alike(restored, start(app, env={"PEXCZ_SNAPSHOT": "0"}))
    assert restored.code == 0, restored.err.decode()
    assert "LITERAL" in restored.text and "FutureWarning" not in restored.text
    assert "Possible nested set" in restored.text
