# SPDX-License-Identifier: Apache-2.0
"""Versions, specifiers, markers and tags: ours against `packaging`'s.

20,000 generated questions of each kind go to tests/unit/packaging_driver.c and
to the library that Pex itself decides with; every answer must be the same.
PEXCZ_SEED changes the seed, PEXCZ_CASES the number of cases.
"""

from __future__ import annotations

import os
import random
import subprocess
from typing import Callable, Iterator, List, Optional, Sequence
from unittest import mock

import pytest
from packaging import tags as packaging_tags
from packaging.markers import (
    InvalidMarker,
    Marker,
    UndefinedComparison,
    UndefinedEnvironmentName,
)
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

DRIVER = os.environ["PEXCZ_PACKAGING_DRIVER"]
SEED = int(os.environ.get("PEXCZ_SEED", "20240229"))
CASES = int(os.environ.get("PEXCZ_CASES", "20000"))

ENVIRONMENT = {
    "implementation_name": "cpython",
    "implementation_version": "3.11.2",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_release": "",
    "platform_system": "Linux",
    "platform_version": "",
    "python_full_version": "3.11.2",
    "python_version": "3.11",
    "sys_platform": "linux",
}


def ask(questions: Sequence[Sequence[str]]) -> List[str]:
    text = "".join("\t".join(q) + "\n" for q in questions)
    done = subprocess.run(
        [DRIVER],
        input=text.encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    return done.stdout.decode().splitlines()


def check(
    questions: Sequence[Sequence[str]], oracle: Callable[..., str]
) -> None:
    answers = ask(questions)
    assert len(answers) == len(questions)
    wrong = []
    for question, answer in zip(questions, answers):
        want = oracle(*question[1:])
        if answer != want:
            wrong.append((question, answer, want))
    assert not wrong, "%d of %d differ: %r" % (
        len(wrong),
        len(questions),
        wrong[:20],
    )


def generator(name: str) -> random.Random:
    return random.Random("%d %s" % (SEED, name))


def some(rng: random.Random, *values: str) -> str:
    return rng.choice(values)


def number(rng: random.Random) -> str:
    if rng.random() < 0.02:
        return str(rng.randrange(10**24))
    text = str(rng.randrange(4) if rng.random() < 0.8 else rng.randrange(120))
    return "0" + text if rng.random() < 0.05 else text


def release(rng: random.Random, least: int = 1) -> str:
    return ".".join(number(rng) for _ in range(rng.randint(least, 4)))


def suffix(rng: random.Random, words: Sequence[str]) -> str:
    return (
        some(rng, "", "", ".", "-", "_")
        + rng.choice(words)
        + some(rng, "", "", ".", "-", "_")
        + (number(rng) if rng.random() < 0.85 else "")
    )


def version(rng: random.Random, local: float = 0.15, least: int = 1) -> str:
    text = "v" if rng.random() < 0.05 else ""
    if rng.random() < 0.08:
        text += number(rng) + "!"
    text += release(rng, least)
    if rng.random() < 0.3:
        text += suffix(
            rng, ["a", "b", "c", "rc", "alpha", "beta", "pre", "preview", "RC"]
        )
    if rng.random() < 0.25:
        if rng.random() < 0.3:
            text += "-" + number(rng)
        else:
            text += suffix(rng, ["post", "rev", "r", "POST"])
    if rng.random() < 0.25:
        text += suffix(rng, ["dev", "DEV"])
    if rng.random() < local:
        text += "+" + some(rng, ".", "-", "_").join(
            some(rng, "a", "B", "abc", "1", "02", "10", "1a")
            for _ in range(rng.randint(1, 3))
        )
    return text


def near(rng: random.Random, text: str) -> str:
    """A version that has something to do with another one."""
    roll = rng.random()
    if roll < 0.2:
        return text
    if roll < 0.35:
        return text + some(rng, ".post1", ".dev1", "a1", "+local", ".0", ".1")
    if roll < 0.5:
        return text.split("+")[0]
    if roll < 0.6:
        return text.rstrip("0123456789")
    return version(rng)


def spoil(rng: random.Random, text: str) -> str:
    """Sometimes a text that is no longer well-formed."""
    if rng.random() > 0.04 or not text:
        return text
    at = rng.randrange(len(text) + 1)
    return text[:at] + some(rng, ".", "-", "*", "x", "+", "!", " ") + text[at:]


def specifier(rng: random.Random) -> str:
    op = some(rng, "==", "!=", "<=", ">=", "<", ">", "~=", "==", "!=", "===")
    space = some(rng, "", "", " ")
    if op in ("==", "!=") and rng.random() < 0.35:
        epoch = number(rng) + "!" if rng.random() < 0.08 else ""
        return op + space + epoch + release(rng) + ".*"
    local = 0.15 if op in ("==", "!=", "===") else 0.0
    return op + space + version(rng, local, 2 if op == "~=" else 1)


def specifier_set(rng: random.Random, most: int = 3) -> str:
    parts = [specifier(rng) for _ in range(rng.randint(0, most))]
    return some(rng, ",", ", ", " ,").join(parts)


def compare(a: str, b: str) -> str:
    try:
        x, y = Version(a), Version(b)
    except InvalidVersion:
        return "bad"
    return str((x > y) - (x < y))


def contains(specs: str, text: str) -> str:
    try:
        return str(int(SpecifierSet(specs).contains(text, prereleases=True)))
    except InvalidSpecifier:
        return "bad"


def test_versions() -> None:
    rng = generator("versions")
    questions = []
    for _ in range(CASES):
        a = version(rng)
        b = near(rng, a)
        questions.append(("compare", spoil(rng, a), spoil(rng, b)))
    check(questions, compare)


def test_specifiers() -> None:
    rng = generator("specifiers")
    questions = []
    for _ in range(CASES):
        specs = specifier_set(rng)
        seed = specs.strip("=<>!~ ").split(",")[0].replace(".*", "").strip()
        text = near(rng, seed) if seed else version(rng)
        questions.append(("contains", spoil(rng, specs), text.strip()))
    check(questions, contains)


def test_specifier_inclusion() -> None:
    """What an exclusion covers is Pex's own rule, not packaging's."""
    sets = pytest.importorskip("pex.specifier_sets")
    pep_440 = pytest.importorskip("pex.pep_440")

    def includes(outer: str, inner: str) -> str:
        try:
            return str(int(sets.includes(outer, inner)))
        except Exception as e:  # its vendored packaging has its own classes
            assert type(e).__name__ == "InvalidSpecifier", e
            return "bad"

    assert pep_440.Version("1.0") == pep_440.Version("1")
    rng = generator("inclusion")
    questions = []
    for _ in range(CASES):
        outer = specifier_set(rng, 2)
        inner = outer if rng.random() < 0.1 else specifier_set(rng, 2)
        if "===" in outer + inner and ("," in outer or "," in inner):
            continue  # Pex looks at the items in an order of its own
        questions.append(("includes", outer, inner))
    check(questions, includes)


def quoted(rng: random.Random, text: str) -> str:
    quote = some(rng, '"', "'")
    return quote + text + quote


def comparison(rng: random.Random) -> str:
    name = rng.choice(
        list(ENVIRONMENT)
        + ["extra", "extra", "python_implementation", "os.name"]
        + ["sys.platform", "platform.machine", "python_version"]
    )
    if "version" in name or name == "platform_release":
        value = some(rng, "3.11", "3.10", "3.11.2", "3.8", "3.11.*", "3", "x")
        value = version(rng, 0.0) if rng.random() < 0.2 else value
    elif name == "extra":
        value = some(rng, "tls", "TLS", "my_extra", "My.Extra", "none", "")
    else:
        value = rng.choice(
            sorted(ENVIRONMENT.values()) + ["win32", "nt", "x86_64 arm64"]
        )
    op = some(
        rng, "==", "!=", "<", "<=", ">", ">=", "~=", "===", "in", "not in"
    )
    space = some(rng, " ", " ", "  ")
    tight = op not in ("in", "not in") and rng.random() < 0.2
    space = "" if tight else space
    sides = [name, quoted(rng, value)]
    if rng.random() < 0.2:
        sides.reverse()
    return sides[0] + space + op + space + sides[1]


def marker_text(rng: random.Random, depth: int = 0) -> str:
    parts = []
    for _ in range(rng.choice([1, 1, 2, 3])):
        if depth < 3 and rng.random() < 0.2:
            inner = marker_text(rng, depth + 1)
            parts.append("(" + some(rng, "", " ") + inner + ")")
        else:
            parts.append(comparison(rng))
    text = parts[0]
    for part in parts[1:]:
        text += some(rng, " and ", " or ") + part
    return text


def evaluate(text: str, extra: str) -> str:
    environment = dict(ENVIRONMENT, extra=extra)
    try:
        return str(int(Marker(text).evaluate(environment)))
    except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName):
        return "bad"


def test_markers() -> None:
    rng = generator("markers")
    extras = ("", "tls", "TLS", "my-extra", "My_Extra")
    questions = [
        ("marker", spoil(rng, marker_text(rng)), some(rng, *extras))
        for _ in range(CASES)
    ]
    check(questions, evaluate)


def requirement_text(rng: random.Random) -> str:
    text = some(rng, "", "", " ")
    text += some(rng, "foo", "Foo.Bar", "a_b--c", "x", "a1", "1a", "zope.a")
    if rng.random() < 0.3:
        names = [
            some(rng, "one", "Two", "a.b", "c_d", "one")
            for _ in range(rng.randint(0, 3))
        ]
        text += some(rng, "", " ") + "[" + some(rng, ",", " , ").join(names)
        text += "]"
    if rng.random() < 0.1:
        text += " @ https://example.org/x-1.0.whl"
        text += " " if rng.random() < 0.8 else ""
    else:
        specs = specifier_set(rng)
        if rng.random() < 0.2:
            specs = "(" + specs + ")"
        text += some(rng, "", " ") + specs
    if rng.random() < 0.4:
        text += some(rng, ";", " ; ", "; ") + marker_text(rng)
    return text


def parse_requirement(text: str) -> str:
    try:
        req = Requirement(text)
    except InvalidRequirement:
        return "bad"
    return "%s [%s] %d %s %d" % (
        canonicalize_name(req.name),
        ",".join(sorted(req.extras)),
        # A set drops what is said twice; ours keeps it.
        len(req.specifier),
        req.url or "",
        req.marker is not None,
    )


def test_requirements() -> None:
    rng = generator("requirements")
    questions = []
    for _ in range(CASES):
        text = spoil(rng, requirement_text(rng))
        questions.append(("requirement", text))
    check(questions, parse_requirement)


@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
@pytest.mark.parametrize("minor", [8, 9, 10, 11, 12, 13, 14])
def test_supported_tags(arch: str, minor: int) -> None:
    """The whole list, in order, for each glibc there has been."""
    questions = []
    wants = []
    for glibc in range(17, 43):
        platforms = list(platform_tags(arch, glibc))
        interpreter = "cp3%d" % minor
        tags = list(
            packaging_tags.cpython_tags(
                (3, minor), [interpreter], platforms
            )
        )
        tags += packaging_tags.compatible_tags(
            (3, minor), interpreter, platforms
        )
        wants.append(" ".join(str(t) for t in tags))
        questions.append(("tags", "3.%d.1" % minor, arch, "2.%d" % glibc))
    assert ask(questions) == wants


def platform_tags(arch: str, glibc: int) -> Iterator[str]:
    from packaging import _manylinux

    yield "linux_" + arch
    _manylinux._get_glibc_version.cache_clear()
    with mock.patch.object(
        _manylinux,
        "_get_glibc_version",
        lambda: _manylinux._GLibCVersion(2, glibc),
    ), mock.patch.object(
        _manylinux, "_get_manylinux_module", lambda: None
    ):
        yield from list(_manylinux.platform_tags([arch]))


def wheel_name(rng: random.Random) -> str:
    def pick(values: Sequence[str], most: int) -> str:
        return ".".join(
            rng.choice(values) for _ in range(rng.randint(1, most))
        )

    parts = ["Foo_bar", "1.0"]
    if rng.random() < 0.2:
        parts.append("1x")
    parts.append(pick(["py2", "py3", "cp311", "cp37", "CP39"], 3))
    parts.append(pick(["none", "abi3", "cp311"], 2))
    parts.append(pick(["any", "linux_x86_64", "manylinux2014_x86_64"], 3))
    return "-".join(parts) + ".whl"


def wheel_tags(name: str) -> Optional[frozenset]:
    return packaging_tags.parse_tag("-".join(name[:-4].split("-")[-3:]))


def test_wheel_names() -> None:
    rng = generator("wheels")
    questions = [("wheel", wheel_name(rng)) for _ in range(CASES)]
    for question, answer in zip(questions, ask(questions)):
        want = frozenset(str(t) for t in wheel_tags(question[1]) or ())
        assert frozenset(answer.split(" ")) == want, question
