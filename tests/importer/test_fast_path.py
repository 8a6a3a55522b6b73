# SPDX-License-Identifier: Apache-2.0
"""That packed modules come from the blob, without a look at the disk."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import Both

WHO = """\
import sys, importlib.util
import demo.sub.leaf, demo.sourceless, json
print(*(type(m.__loader__).__module__ for m in (demo, demo.sub.leaf,
      demo.sourceless, json)))
print(type(sys.meta_path[0]).__module__, type(sys.path_importer_cache[
      demo.__path__[0]]).__module__)
"""

LOOK_UPS = """\
import sys, os, importlib.util
import demo.sub, space.shared
sys.path.append("/nowhere")
importlib.util.find_spec("first_makes_the_finders")
os.path.exists("/mark-start")
for i in range(100):
    for name in ("absent%d", "demo.absent%d", "demo.sub.absent%d",
                 "space.absent%d", "space.shared.absent%d"):
        assert importlib.util.find_spec(name % i) is None
import demo.plain, demo.latin, space.one, demo.sourceless, json.tool
from importlib import reload
reload(demo.plain)
demo.plain.__loader__.get_data(demo.plain.__file__)
demo.plain.__loader__.get_source("demo.plain")
os.path.exists("/mark-end")
"""


def test_the_importer_is_at_work(both: Both) -> None:
    done = both.packed.run("-c", WHO)
    assert done.out.split() == ["_pexcz"] * 6


def test_no_system_calls_for_modules(both: Both, tmp_path: Path) -> None:
    """Neither for absent names nor for those of the tree, sources too."""
    if shutil.which("strace") is None:
        pytest.skip("no strace")
    log = tmp_path / "log"
    done = subprocess.run(
        ["strace", "-f", "-qq", "-e", "trace=file,desc,memory", "-e",
         "signal=none", "-o", str(log), str(both.packed.python), "-I", "-c",
         LOOK_UPS],
        capture_output=True, text=True, check=False)
    if "ptrace" in done.stderr:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    text = log.read_text()
    assert "/mark-start" in text
    between = text.split("/mark-start")[1].split("/mark-end")[0]
    calls = [line for line in between.splitlines()[1:-1]
             if not any(memory in line for memory in
                        ("mmap(NULL", "munmap(", "brk(", "madvise(",
                         "mremap("))
             and '"/nowhere' not in line]
    assert not calls, "\n".join(calls[:20])
