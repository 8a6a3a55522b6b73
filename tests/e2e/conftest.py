# SPDX-License-Identifier: Apache-2.0
"""Fixtures: PEXes of PyPI projects, packed, run on both sides."""

from __future__ import annotations

import difflib
import os
import re
import shutil
import signal
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Collection, Dict, Iterator, List, Optional, Sequence

import own_library
import pytest
from enter_root import LIBC, MANYLINUX, make_root
from pexes import CONSTRAINTS, Offline, build_pex, locked, pex_root, unpack_once
from sides import MACHINE, VERSION, NoNamespaces, Result, Side, reference_python, run
from systems import GLIBC, system_root

BUILD = Path(os.environ["PEXCZ_BUILD"])
# What was built for the Python that runs the tests: base, programs, samples.
OWN_BUILD = next(
    (f for f in (BUILD, BUILD / "others" / VERSION)
     if (f / f"lib/pexcz/base-{VERSION}").exists()),
    BUILD,
)
PEXCZ = OWN_BUILD / "bin/pexcz"
PACK = OWN_BUILD / "bin/pexcz-pack"
BASE = OWN_BUILD / f"lib/pexcz/base-{VERSION}"
PEX_ROOT = pex_root(BUILD)
# A release of Debian, in which packed applications run instead of a bare root.
SYSTEM = os.environ.get("PEXCZ_TEST_SYSTEM")
# The machine to pack for.
PACK_OPTIONS = ["--platform", MACHINE] if MACHINE != "x86_64" else []

# A shell starts what runs in its background with interrupts ignored, and so
# would be what the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass
class App:
    pex: Path
    exe: Path
    report: bytes  # what packing printed


@pytest.fixture(scope="session")
def python() -> str:
    """The Python that runs PEXes for comparison."""
    return reference_python(BUILD)


@pytest.fixture(scope="session")
def make_pex(python: str) -> Callable[..., Path]:
    """make_pex("cowsay", "-c", "cowsay", sources={name: text})"""

    def make(
        *arguments: str,
        sources: Optional[Dict[str, str]] = None,
        constraints: Path = CONSTRAINTS,
    ) -> Path:
        try:
            return build_pex(BUILD, arguments, sources, constraints)
        except Offline as e:
            pytest.skip(f"not cached, and no index to be reached: {e}")

    return make


@pytest.fixture(scope="session")
def make_app(
    make_pex: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., App]:
    """As make_pex, and packed with -v, once for all of pytest's workers."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    folder /= "apps"
    folder.mkdir(exist_ok=True)

    def make(*arguments: str, **more: Any) -> App:
        pex = make_pex(*arguments, **more)
        exe, report = folder / pex.stem, folder / f"{pex.stem}.report"
        with locked(report):
            if not report.exists():
                packing = run([PACK, *PACK_OPTIONS, "-v", pex, "-o", exe])
                assert packing.code == 0, packing.err.decode()
                report.write_bytes(packing.err)
        return App(pex, exe, report.read_bytes())

    return make


@pytest.fixture
def pack_own(make_pex: Callable[..., Path], tmp_path: Path) -> Callable[..., Path]:
    """pack_own(text): the packed USER, or another main module, with `own`, a
    shared object of this C text (own_library.py)."""

    def pack(text: str, *options: str, user: str = own_library.USER) -> Path:
        made = make_pex(
            "-e", "user:main", sources={"user.py": user, "other.py": "x = 1"}
        )
        pex = tmp_path / "own.pex"
        shutil.copy(made, pex)
        name, content = own_library.own_file(BUILD, tmp_path, text, *options)
        with zipfile.ZipFile(pex, "a") as archive:
            archive.writestr(name, content)
        exe = tmp_path / "own"
        report = run([PACK, "-v", pex, "-o", exe])
        assert report.code == 0, report.err.decode()
        (tmp_path / "report").write_bytes(report.err)
        return exe

    return pack


class Sides:
    """The reference and the packed application, each with fresh folders."""

    def __init__(self, folder: Path, python: str, env: Dict[str, str]) -> None:
        self.reference = Side(
            folder / "reference", Path("/"), python, PEX_ROOT, env=env
        )
        self.roots = folder / "roots"
        self.packed = Side(folder / "packed", self.root(LIBC), env=env)

    def root(self, libraries: Sequence[str]) -> Path:
        if SYSTEM is not None:
            return system_root(BUILD, SYSTEM)
        root = self.roots / f"{len(libraries)}-libraries"
        if not root.exists():
            make_root(root, libraries, MACHINE)
        return root

    @property
    def both(self) -> tuple[Side, Side]:
        return self.reference, self.packed

    def install(self, app: App) -> None:
        if SYSTEM is not None:
            least = re.search(rb"for glibc (\d+)\.(\d+)", app.report)
            assert least is not None, app.report
            if (int(least[1]), int(least[2])) > GLIBC[SYSTEM]:
                pytest.skip(f"{least[0].decode()}: a wheel is too new for {SYSTEM}")
        unpack_once(app.pex, self.reference.python, self.reference.env["PEX_ROOT"])
        self.reference.install(app.pex)
        self.packed.install(app.exe)

    def expect_manylinux(self) -> None:
        """The wheels of this test name libraries that none of them carries."""
        self.packed.root = self.root(LIBC + MANYLINUX)

    def write(self, name: str, data: str) -> None:
        """Puts a file into the current folder of both."""
        for side in self.both:
            path = side.work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(data)

    def compare(
        self,
        app: App,
        *arguments: str,
        stdin: bytes = b"",
        env: Optional[Dict[str, str]] = None,
        varies: str = "",
        changes: Collection[str] = (),
    ) -> Result:
        """Runs both; exit code, stdout, stderr and the files in the current
        folder must be alike, but for the text that the pattern `varies`
        matches, and the contents of the files in `changes`."""
        self.install(app)
        want = self.reference.run(*arguments, stdin=stdin, env=env)
        got = self.packed.run(*arguments, stdin=stdin, env=env)
        self.check(want, got, varies)
        self.check_files(changes)
        return got

    def check(self, want: Result, got: Result, varies: str = "") -> None:
        def seen(side: Side, result: Result) -> List[str]:
            texts = [side.normalise(result.out), side.normalise(result.err)]
            if varies:
                texts = [re.sub(varies, "...", text) for text in texts]
            text = "\n-- stderr --\n".join(texts)
            return f"{text}\n-- exit code {result.code}".splitlines()

        diff = difflib.unified_diff(
            seen(self.reference, want),
            seen(self.packed, got),
            *(f"python{VERSION} app.pex", "app"),
            lineterm="",
        )
        lines = list(diff)
        assert not lines, "\n".join(lines)

    def check_files(self, changes: Collection[str] = ()) -> None:
        want, got = self.reference.files(), self.packed.files()
        assert sorted(got) == sorted(want)
        changed = {name for name in want if want[name] != got[name]}
        assert changed <= set(changes)


MODES = ("restored", "booted")


# No snapshot is made for another machine.
@pytest.fixture(params=["booted"] if PACK_OPTIONS else MODES)
def start_env(request: pytest.FixtureRequest) -> Dict[str, str]:
    """What decides how a packed application starts: each test that uses `sides`
    runs in both modes, unless its module has a start_env of its own."""
    return {"PEXCZ_SNAPSHOT": "0"} if request.param == "booted" else {}


@pytest.fixture
def sides(tmp_path: Path, python: str, start_env: Dict[str, str]) -> Sides:
    return Sides(tmp_path, python, start_env)


@pytest.fixture
def same(sides: Sides) -> Callable[..., Result]:
    """same(app, argument...): see Sides.compare()."""
    return sides.compare


@pytest.fixture
def emulator() -> str:
    """Runs programs as on another processor of this kind: `-cpu MODEL PROGRAM`."""
    found = shutil.which("qemu-x86_64-static")
    if found is None:
        pytest.skip("qemu-x86_64-static is not installed")
    return found


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """As tmp_path, but other users may come in, too."""
    with tempfile.TemporaryDirectory(prefix="pexcz-test-") as name:
        os.chmod(name, 0o755)
        yield Path(name)


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """tiny("4k"): a folder with a file system of that size."""
    mounted = []

    def make(size: str) -> Path:
        folder = tmp_path / f"disk{len(mounted)}"
        folder.mkdir()
        done = run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder])
        if done.code != 0:
            pytest.skip(f"cannot mount: {done.err.decode().strip()}")
        mounted.append(folder)
        return folder

    yield make
    for folder in mounted:
        run(["umount", folder])


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "machine(name): for PEXCZ_TEST_MACHINE=name only")


def is_other_mode(item: pytest.Item) -> bool:
    """Whether the test's name gives it the other mode, always the same one."""
    callspec = getattr(item, "callspec", None)
    mode = callspec.params.get("start_env") if callspec else None
    if mode not in MODES:
        return False
    name = item.nodeid.replace(mode, "")
    return MODES[zlib.crc32(name.encode()) % 2] != mode


def pytest_collection_modifyitems(
    config: pytest.Config, items: List[pytest.Item]
) -> None:
    """Tests of another machine are part of its own target; of those that run in
    both modes, PEXCZ_TEST_ONE_MODE takes the half."""
    markers = {item: item.get_closest_marker("machine") for item in items}
    others = [i for i, m in markers.items() if m is not None and m.args[0] != MACHINE]
    if os.environ.get("PEXCZ_TEST_ONE_MODE"):
        others += [item for item in items if is_other_mode(item)]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item not in others]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item):
    """A machine without namespaces skips, and says why."""
    try:
        return (yield)
    except NoNamespaces as e:
        pytest.skip(f"no root without Python can be made here: {e}")
