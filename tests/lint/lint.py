# SPDX-License-Identifier: Apache-2.0
"""Rules of the source tree that no compiler checks; each counts as a test.

Looks at the files that git knows.  What a rule wants is its docstring.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Dict, Iterator, List

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "mutations")]
import snapshot_rules  # noqa: E402
import totals  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
MAX_LINES = 800

# Folder of the product: folders that it may include from.
MAY_INCLUDE = {
    "blob": {"blob"},
    "cache": {"cache", "blob"},
    "packer": {"packer", "cache", "blob"},
    "vfs": {"vfs", "blob"},
    "importer": {"importer", "blob"},
    "runtime": {"runtime", "importer", "vfs", "cache", "blob"},
    "stdlib-blob": {"stdlib-blob"},
}
MAY_USE_PYTHON = ("importer/", "runtime/", "samples/", "tests/")

# Their text is part of the key of the built Python: a change builds it anew.
NOT_FORMATTED = ("stdlib-blob/glibc_compat.c", "stdlib-blob/glibc_stat.c")
WITHOUT_LICENCE = {"stdlib-blob/profile_task.py"}

# Split, so that this file is not found.
PRIVATE = re.compile(
    "|".join(
        [
            r"(?<![\w.*/-])/(?:work|root|home)/\w",
            r"/tmp/" + r"pexcz/(?:commit|COMMON|build)",
            r"pypi" + r"\.org",
            r"pythonhosted" + r"\.org",
            r"deb\.debian" + r"\.org",
            r"registry\.npmjs" + r"\.org",
            r"crates" + r"\.io",
            r"proxy\.golang" + r"\.org",
        ]
    )
)


def git_files(*patterns: str) -> List[str]:
    done = subprocess.run(
        ["git", "ls-files", "--", *patterns],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    names = done.stdout.splitlines()
    return [n for n in names if (ROOT / n).is_file()]


def lines(name: str) -> List[str]:
    return (ROOT / name).read_text(encoding="utf-8").splitlines()


def includes(name: str, pattern: str) -> Iterator[tuple]:
    for number, line in enumerate(lines(name), 1):
        found = re.match(rf"\s*#\s*include\s*{pattern}", line)
        if found:
            yield number, found[1]


def dependencies() -> Iterator[str]:
    """A folder includes only from folders below it."""
    folder_of: Dict[str, str] = {}
    for header in git_files("*.h"):
        folder_of[Path(header).name] = header.split("/")[0]
    for name in git_files("*.c", "*.h"):
        folder = name.split("/")[0]
        if folder not in MAY_INCLUDE:
            continue
        for number, header in includes(name, r'"([^"]+)"'):
            of = folder_of.get(Path(header).name)
            if of is not None and of not in MAY_INCLUDE[folder]:
                yield f"{name}:{number}: {folder}/ must not include {of}/"


def python_h() -> Iterator[str]:
    """Python.h is included in importer/ and runtime/ only."""
    for name in git_files("*.c", "*.h"):
        if not name.startswith(MAY_USE_PYTHON):
            for number, _ in includes(name, r'[<"](Python\.h)[>"]'):
                yield f"{name}:{number}: no Python.h here"


def unique_names() -> Iterator[str]:
    """No two headers or sources of the product have one name."""
    seen: Dict[str, str] = {}
    for name in git_files(*(f"{f}/*.[ch]" for f in MAY_INCLUDE)):
        other = seen.setdefault(Path(name).name, name)
        if other != name:
            yield f"{name}: {other} has the same name"


def file_length() -> Iterator[str]:
    """Files of code have 800 lines at most."""
    for name in git_files("*.c", "*.h", "*.py", "*.mk", "*.S"):
        count = len(lines(name))
        if count > MAX_LINES:
            yield f"{name}: {count} lines"


def licence() -> Iterator[str]:
    """Files of code say their licence in the first three lines."""
    code = ["*.c", "*.h", "*.py", "*.mk", "*.S", "*.sh", "*.[1-8]"]
    code += ["Makefile", ".ci/run", ".ci/install-packages"]
    for name in git_files(*code):
        if name in WITHOUT_LICENCE:
            continue
        head = lines(name)[:3]
        if head and not any("SPDX-License-Identifier:" in h for h in head):
            yield f"{name}: no SPDX-License-Identifier"


def private_names() -> Iterator[str]:
    """No path of a developer's machine, no host of a registry."""
    for name in git_files():
        if name.startswith("tests/fuzz/corpus/"):
            continue
        try:
            text = lines(name)
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text, 1):
            found = PRIVATE.search(line)
            if found:
                yield f"{name}:{number}: {found[0]}"


def man_pages() -> Iterator[str]:
    """mandoc has no warning about a manual page."""
    for name in git_files("*.[1-8]"):
        done = subprocess.run(
            ["mandoc", "-T", "lint", "-W", "warning", name],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            check=False,
            text=True,
        )
        yield from done.stdout.splitlines()


def formatting() -> Iterator[str]:
    """clang-format would change nothing."""
    names = [
        name
        for name in git_files("*.c", "*.h")
        if not name.startswith(NOT_FORMATTED)
    ]
    done = subprocess.run(
        ["clang-format", "--dry-run", "-Werror", *names],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        check=False,
        text=True,
    )
    for line in done.stderr.splitlines():
        if "-Wclang-format-violations" in line:
            yield line


def named_tests() -> Iterator[str]:
    """The documents name tests that exist."""
    files = set(git_files("tests/*.py"))
    known = {name for file in files
             for name in re.findall(r"^\s*def (test_\w+)", "\n".join(lines(file)), re.M)}
    for document in ("docs/behaviour.md", "docs/pyoxidizer.md"):
        # CPython's own files are named, too.
        text = re.sub(r"`cpython: [^`|]*`(, `test_\w+`)*|^\| `test_\w+` .*", "",
                      "\n".join(lines(document)), flags=re.M)
        for quoted in re.findall(r"`([^`]+)`", text):
            for name in re.findall(r"\btest_\w+\b(?!\.py|\w)", quoted):
                if name not in known:
                    yield f"{document}: {name}"
            for name in re.findall(r"[\w/]+\.py\b", quoted):
                if "/" in name and not any(f.endswith("/" + name) or f == name
                                           for f in files):
                    yield f"{document}: {name}"


def any_python() -> Iterator[str]:
    """The suite of applications is for every Python: sides.VERSION."""
    for name in git_files("tests/e2e/*.py"):
        for number, line in enumerate(lines(name), 1):
            if re.search(r"python3\.1\d|cpython-3\d|base-3\.", line):
                yield f"{name}:{number}: {line.strip()}"


def mutations() -> Iterator[str]:
    """What `make mutations` changes in a file is there, once."""
    for name, rule in snapshot_rules.RULES.items():
        if "\n".join(lines(rule.file)).count(rule.old) != 1:
            yield f"{name}: {rule.file}: {rule.old!r}"


RULES = [
    dependencies,
    python_h,
    unique_names,
    file_length,
    licence,
    private_names,
    man_pages,
    formatting,
    named_tests,
    any_python,
    mutations,
]


def main() -> int:
    failed = 0
    for rule in RULES:
        found = list(rule())
        failed += bool(found)
        print(f"{'FAILED' if found else 'ok':7} {rule.__name__}")
        if found:
            print(f"  {rule.__doc__}")
            print("".join(f"  {line}\n" for line in found), end="")
    totals.report(len(RULES) - failed, failed, 0)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
