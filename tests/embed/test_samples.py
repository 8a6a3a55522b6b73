# SPDX-License-Identifier: Apache-2.0
"""The programs of samples/embed, from an installed prefix."""

from __future__ import annotations

from pathlib import Path

from conftest import PREFIX, ROOT, RULES, run

SAMPLES = ROOT / "samples/embed"


def test_c_with_pkg_config(compile_c) -> None:
    quote = compile_c("quote", [SAMPLES / "c/quote.c"])
    assert run(quote, RULES, "pear=12", "apple=1").splitlines() == [
        'rates: {"apple": 0.4, "pear": 0.6, "melon": 2.5}',
        "pear=12: 6.48",
        "apple=1: 0.40",
    ]
    out = run(quote, RULES, "kiwi=1", "pear=0", code=1)
    assert "quote: KeyError: 'kiwi'\nquote: ValueError: 0 is no number of things\n" in out


def test_cpp_with_cmake(tmp_path: Path) -> None:
    run("cmake", "-S", SAMPLES / "cpp", "-B", tmp_path, f"-DCMAKE_PREFIX_PATH={PREFIX}")
    run("cmake", "--build", tmp_path)
    out = run(tmp_path / "report", RULES, "pear=2")
    assert out == "pear=2: 1.20\nknown: apple, melon, pear\n"
    assert "KeyError: 'kiwi'" in run(tmp_path / "report", RULES, "kiwi=2", code=1)


def test_plugin(compile_c) -> None:
    plugin = compile_c(
        "sqlite_prices.so", [SAMPLES / "plugin/sqlite_prices.c"], "-shared", "-fPIC"
    )
    command = ["sqlite3", "-bail", ":memory:", f".load {plugin}"]
    env = {"PRICE_RULES": str(RULES)}
    assert run(*command, "select price('pear', 12) + 1", env=env) == "7.48\n"
    assert "no number of things" in run(*command, "select price('pear', 0)", env=env, code=1)
