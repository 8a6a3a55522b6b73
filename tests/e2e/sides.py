# SPDX-License-Identifier: Apache-2.0
"""The two sides of every comparison: `python3.X app`, where app is the PEX,
on this machine, and the packed `app` in a root without Python.  The version is
that of the Python that runs the tests.

Both see the same paths: the application is /srv/app, /srv/work the current
folder, /srv/home the home.  What then remains different is normalised:

- a folder of Pex's cache that holds a wheel or the user code, and the
  standard library's folder, become their places below /proc/pexcz;
- stack frames of Pex's own boot and of runpy are left out of tracebacks;
- addresses of objects become 0x.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

from enter_root import EXIT_REFUSED
from known_runs import remembered

ENTER = Path(__file__).with_name("enter_root.py")
TIMEOUT = 300
PREFIX = "/proc/pexcz"
VERSION = "%d.%d" % sys.version_info[:2]
# That packed applications are for; foreign_machine.py runs such tests.
MACHINE = os.environ.get("PEXCZ_TEST_MACHINE", "x86_64")
LIB = f"{PREFIX}/lib/python{VERSION}"
SITE = LIB + "/site-packages"

FRAME = re.compile(
    r'^[ |]*File "(?P<file>[^"\n]*)", line \d+, in [^\n]*\n'
    r"(?:[ |]{4,}(?!File)[^\n]*\n)*",
    re.MULTILINE,
)
OWN_FRAME = re.compile(
    r"<frozen (runpy|zipimport)>|.*/\.bootstrap/.*|.*/unzipped_pexes/\d+/"
    r"(CPython[^/]*/)?[0-9a-f]+/(__main__|__pex__/__init__)\.py"
)


class NoNamespaces(Exception):
    """This machine gives no mount namespace."""


@dataclass
class Result:
    code: int
    out: bytes
    err: bytes

    @property
    def text(self) -> str:
        return self.out.decode()


def reference_python(build: Path) -> str:
    """Debian's own Python, whose source pexcz's base is built from, if this
    release has it; else the one that was built."""
    debian = f"/usr/bin/python{VERSION}"
    if os.access(debian, os.X_OK):
        return debian
    return str(build / f"dist/{VERSION}/python/install/bin/python{VERSION}")


def run(command: Sequence[object], **options: object) -> Result:
    """As subprocess.run, without a terminal or input unless given."""
    if "input" not in options:
        options.setdefault("stdin", subprocess.DEVNULL)
    options.setdefault("timeout", TIMEOUT)
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        check=False,
        **options,
    )
    return Result(done.returncode, done.stdout, done.stderr)


class Side:
    """One way to run an application; each has a folder of its own that is
    /srv for the process."""

    def __init__(
        self,
        folder: Path,
        root: Path,
        python: Optional[str] = None,
        pex_root: Optional[Path] = None,
        env: Optional[Dict[str, str]] = None,
    ) -> None:
        self.folder = folder
        self.root = root
        self.python = python
        self.env = {"LANG": "C.UTF-8", "HOME": "/srv/home", "TZ": "UTC"}
        self.env.update(env or {})
        # What run() knows it by; None: not at all.
        self.application: Optional[Tuple[Path, int]] = None
        if python is not None:
            self.env.update(PATH="/usr/bin:/bin", PEX_ROOT=str(pex_root))
        for name in ("work", "home"):
            (folder / name).mkdir(parents=True)

    @property
    def work(self) -> Path:
        return self.folder / "work"

    def install(self, application: Path) -> None:
        self.application = None
        if application.is_file():
            self.application = (application, application.stat().st_mtime_ns)
        target = self.folder / "app"
        if target.is_dir():
            shutil.rmtree(target)
        target.unlink(missing_ok=True)
        if application.is_dir():
            shutil.copytree(application, target, symlinks=True)
            return
        try:
            os.link(application, target)
        except OSError:
            shutil.copy(application, target)

    def command(
        self, arguments: Sequence[str], options: Sequence[str] = ()
    ) -> List[str]:
        program = [self.python, *options] if self.python is not None else []
        return [
            *(sys.executable, "-I", "-S", str(ENTER)),
            *(str(self.root), str(self.folder), "/srv/work"),
            *program,
            *("/srv/app", *arguments),
        ]

    @contextlib.contextmanager
    def start(
        self,
        *arguments: str,
        env: Optional[Dict[str, str]] = None,
        **options: object,
    ) -> Iterator[subprocess.Popen]:
        """A process whose streams are pipes; killed at the end."""
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        with subprocess.Popen(
            self.command(arguments),
            env={**self.env, **(env or {})},
            start_new_session=True,
            **options,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        env: Optional[Dict[str, str]] = None,
    ) -> Result:
        if self.python is None or self.application is None:
            return self._run(arguments, stdin, env)
        variables = {**self.env, **(env or {})}
        variables.pop("PEXCZ_SNAPSHOT", None)  # what the two modes differ in
        program = [p for p in self.command(arguments) if p != str(self.folder)]
        return remembered(
            lambda: self._run(arguments, stdin, env),
            self.folder,
            (self.application, *program, stdin, *sorted(variables.items())),
        )

    def _run(
        self, arguments: Sequence[str], stdin: bytes, env: Optional[Dict[str, str]]
    ) -> Result:
        with self.start(*arguments, env=env, stdin=subprocess.PIPE) as process:
            out, err = process.communicate(stdin, timeout=TIMEOUT)
        result = Result(process.returncode, out, err)
        if result.code == EXIT_REFUSED and err.startswith(b"enter_root: "):
            raise NoNamespaces(err.decode().strip())
        return result

    def normalise(self, output: bytes) -> str:
        text = output.decode("utf-8", "backslashreplace")
        text = FRAME.sub(_keep_frame, text)
        text = re.sub(r"0x[0-9a-f]{6,}", "0x", text)
        if self.python is not None:
            cache = re.escape(self.env["PEX_ROOT"])
            text = re.sub(
                cache + r"/installed_wheels/\d+/[0-9a-f]{64}/[^/\s]+\.whl"
                r"|" + cache + r"/unzipped_pexes/\d+/(CPython[^/]*/)?[0-9a-f]+",
                SITE,
                text,
            )
            text = re.sub(
                rf"/[^\s\"']*/lib/python{re.escape(VERSION)}/", LIB + "/", text
            )
        return text

    def files(self) -> Dict[str, bytes]:
        """What the application made or changed: {path below /srv/work: bytes}."""
        found = {}
        for folder, _, names in os.walk(self.work):
            for name in names:
                path = Path(folder, name)
                if path.is_symlink():
                    data = os.fsencode(os.readlink(path))
                else:
                    data = path.read_bytes()
                    if name.endswith(".pyc"):
                        data = without_source_time(data)
                found[str(path.relative_to(self.work))] = data
        return found


def without_source_time(pyc: bytes) -> bytes:
    """PEP 552: magic, flags and then the time of a source that each side
    wrote at a time of its own."""
    return pyc[:8] + pyc[12:] if pyc[4:8] == bytes(4) else pyc


def _keep_frame(frame: re.Match) -> str:
    return "" if OWN_FRAME.fullmatch(frame["file"]) else frame[0]
