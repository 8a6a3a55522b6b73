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


def cpp_sample(folder: Path, *options: str) -> Path:
    run("cmake", "-S", SAMPLES / "cpp", "-B", folder, f"-DCMAKE_PREFIX_PATH={PREFIX}", *options)
    run("cmake", "--build", folder)
    return folder / "report"


def test_cpp_with_cmake(tmp_path: Path) -> None:
    report = cpp_sample(tmp_path)
    out = run(report, RULES, "pear=2")
    assert out == "pear=2: 1.20\nknown: apple, melon, pear\n"
    assert "KeyError: 'kiwi'" in run(report, RULES, "kiwi=2", code=1)


def test_sanitized(compile_c, tmp_path: Path) -> None:
    """CPython keeps some blocks until the process ends: no leak check."""
    flag = "-fsanitize=address,undefined"
    env = {"ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "halt_on_error=1"}
    quote = compile_c("quote-asan", [SAMPLES / "c/quote.c"], flag)
    run(quote, RULES, "pear=12", "apple=1", env=env)
    assert "KeyError: 'kiwi'" in run(quote, RULES, "kiwi=1", env=env, code=1)
    report = cpp_sample(tmp_path, f"-DCMAKE_CXX_FLAGS={flag}")
    assert run(report, RULES, "pear=2", env=env).startswith("pear=2: 1.20\n")
    # SQLite makes the name of the function that it calls from that of the file.
    plugin = compile_c(
        "sqlite_prices.so", [SAMPLES / "plugin/sqlite_prices.c"], "-shared", "-fPIC", flag
    )
    libraries = [run("gcc", f"-print-file-name=lib{n}.so").strip() for n in ("asan", "ubsan")]
    command = ["sqlite3", "-bail", ":memory:", f".load {plugin}", "select price('pear', 12)"]
    env |= {"PRICE_RULES": str(RULES), "LD_PRELOAD": ":".join(libraries)}
    assert run(*command, env=env) == "6.48\n"


def test_valgrind(compile_c, tmp_path: Path) -> None:
    command = ("valgrind", "-q", "--error-exitcode=9")
    quote = compile_c("quote-valgrind", [SAMPLES / "c/quote.c"])
    assert run(*command, quote, RULES, "pear=12").endswith("pear=12: 6.48\n")
    report = cpp_sample(tmp_path)
    assert run(*command, report, RULES, "pear=2").startswith("pear=2: 1.20\n")


def test_plugin(compile_c) -> None:
    plugin = compile_c(
        "sqlite_prices.so", [SAMPLES / "plugin/sqlite_prices.c"], "-shared", "-fPIC"
    )
    command = ["sqlite3", "-bail", ":memory:", f".load {plugin}"]
    env = {"PRICE_RULES": str(RULES)}
    assert run(*command, "select price('pear', 12) + 1", env=env) == "7.48\n"
    assert "no number of things" in run(*command, "select price('pear', 0)", env=env, code=1)
