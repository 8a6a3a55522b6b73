# SPDX-License-Identifier: Apache-2.0
"""Which wheels of a PEX are chosen, and in which order: ours against Pex's own
code, for generated PEXes.

Each has some projects in several versions and for several platforms, roots
that may repeat, extras, markers, cycles, exclusions and overrides.
PEXCZ_SEED changes the seed, PEXCZ_RESOLVE_CASES the number of PEXes.
"""

from __future__ import annotations

import json
import os
import platform
import random
import subprocess
import sys
from pathlib import Path
from typing import Dict, Iterable, List

from pex.environment import PEXEnvironment, ResolveError
from pex.pex_info import PexInfo

DRIVER = os.environ["PEXCZ_RESOLVE_DRIVER"]
SEED = int(os.environ.get("PEXCZ_SEED", "20240229"))
CASES = int(os.environ.get("PEXCZ_RESOLVE_CASES", "200"))

MINOR = sys.version_info[1]
NAMES = ["alpha", "Beta", "ga_mma", "del.ta", "eps-ilon", "zeta"]
VERSIONS = ["1.0", "1.5", "2.0", "2.0rc1", "2.1.dev3", "1!0.1", "1.0.post1"]
TAGS = [
    "py3-none-any",
    "py2.py3-none-any",
    f"cp3{MINOR}-cp3{MINOR}-manylinux_2_17_x86_64.manylinux2014_x86_64",
    f"cp3{MINOR}-abi3-manylinux_2_5_x86_64",
    "cp37-abi3-linux_x86_64",
    f"cp3{MINOR + 1}-cp3{MINOR + 1}-manylinux2014_x86_64",
    "py3-none-macosx_11_0_arm64",
    "py3-none-win_amd64",
    f"cp3{MINOR}-none-any",
    "py38-none-any",
]
SPECIFIERS = ["", ">=1.0", "<2", "==1.*", ">1.0", "~=1.0", "!=1.5", "==2.0", ">=2.0rc1", ">=9"]
MARKERS = [
    'python_version >= "3.8"',
    'python_version < "3.8"',
    'sys_platform == "win32"',
    'extra == "one"',
    'extra == "two" and python_version >= "3"',
    'extra == "one" or sys_platform == "linux"',
]


def requirement(rng: random.Random, extras: bool = True) -> str:
    text = rng.choice(NAMES)
    if rng.random() < 0.3:
        text = text.upper() if rng.random() < 0.5 else text.replace("_", "-")
    if rng.random() < 0.25:
        text += "[" + ",".join(rng.sample(["one", "two", "Three"], rng.randint(1, 2))) + "]"
    text += rng.choice(SPECIFIERS if rng.random() < 0.4 else ["", ">=0"])
    markers = MARKERS if extras else MARKERS[:3]
    return text + (f"; {rng.choice(markers)}" if rng.random() < 0.35 else "")


def write_wheel(rng: random.Random, deps: Path) -> str:
    name = rng.choice(NAMES)
    stem = f"{name.replace('-', '_')}-{rng.choice(VERSIONS)}"
    build = rng.choice(["", "", "", "-1", "-2x"])
    file_name = f"{stem}{build}-{rng.choice(TAGS)}.whl"
    info = deps / file_name / f"{stem}.dist-info"
    if info.exists():
        return file_name
    info.mkdir(parents=True)
    lines = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {stem.split('-')[1]}"]
    if rng.random() < 0.15:
        lines.append("Requires-Python: " + rng.choice([">=3.8", "<3.5", ">=3", "~=3.9"]))
    lines += ["Provides-Extra: one", "Provides-Extra: two"]
    lines += [f"Requires-Dist: {requirement(rng)}" for _ in range(rng.choice([0, 0, 1, 1, 2, 3]))]
    (info / "METADATA").write_text("\n".join(lines) + "\n")
    (info / "WHEEL").write_text("Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")
    (info / "RECORD").write_text("")
    layout = {
        "stash_dir": ".prefix",
        "record_relpath": f"{stem}.dist-info/RECORD",
        "fingerprint": None,
        "root_is_purelib": True,
    }
    (deps / file_name / ".layout.json").write_text(json.dumps(layout))
    return file_name


def unlike(names: Iterable[str]) -> List[str]:
    """Without wheels that tags and version do not tell apart: Pex takes what
    it meets first then, or goes by fingerprints, for its comparison of
    distributions is no order."""
    found: Dict[object, str] = {}
    for name in names:
        parts = name.split("-")
        tag = "-".join(parts[-3:]).replace("py2.", "")
        found.setdefault((parts[0], parts[1], tag), name)
    return sorted(found.values())


def write_pex(rng: random.Random, pex: Path, number: int) -> None:
    deps = pex / ".deps"
    listed = unlike(write_wheel(rng, deps) for _ in range(rng.randint(4, 14)))
    rng.shuffle(listed)
    overridden = [
        requirement(rng, extras=False) for _ in range(rng.choice([0, 0, 0, 1, 2]))
    ]
    fields = {
        "pex_hash": f"{number:040x}",
        "code_hash": "0" * 40,
        "build_properties": {},
        "distributions": {name: "0" * 64 for name in listed},
        "requirements": [
            requirement(rng, extras=False) for _ in range(rng.randint(1, 4))
        ],
        "excluded": [
            rng.choice(NAMES) + rng.choice(["", ">=2", "<2"])
            for _ in range(rng.choice([0, 0, 0, 1]))
        ],
        "overridden": overridden,
        "ignore_errors": rng.random() < 0.7,
    }
    (pex / "PEX-INFO").write_text(json.dumps(fields))
    # An installed PEX, which Pex uses where it lies.
    (pex / "PEX-LAYOUT").write_text("loose")
    (pex / ".bootstrap").mkdir()


def chosen_by_pex(pex: Path) -> str:
    info = PexInfo.from_pex(str(pex))
    try:
        dists = PEXEnvironment.mount(str(pex), pex_info=info).resolve()
    except ResolveError as e:
        return f"error {e}"
    except Exception as e:  # two overrides that apply are no ResolveError
        return f"error {type(e).__name__}: {e}"
    return " ".join(["ok", *(os.path.basename(d.location) for d in dists)])


def test_same_choice(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PEX_ROOT", str(tmp_path / "root"))
    rng = random.Random(f"{SEED} resolve")
    pexes: List[Path] = []
    for number in range(CASES):
        pex = tmp_path / str(number)
        pex.mkdir()
        write_pex(rng, pex, number)
        pexes.append(pex)
    done = subprocess.run(
        [DRIVER, platform.python_version(), platform.machine()],
        input="".join(f"{pex}\n" for pex in pexes),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    wrong: Dict[str, object] = {}
    outcomes = {"ok": 0, "error": 0}
    for pex, got in zip(pexes, done.stdout.splitlines()):
        want = chosen_by_pex(pex)
        kind = want.split(" ")[0]
        outcomes[kind] += 1
        if got.split(" ")[0] != kind or kind == "ok" and got != want:
            wrong[str(pex)] = (want, got)
    assert not wrong, f"{len(wrong)} of {CASES} differ: {list(wrong.items())[:5]}"
    assert min(outcomes.values()) > CASES // 20, outcomes
