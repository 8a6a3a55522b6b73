# SPDX-License-Identifier: Apache-2.0
"""Times of whole processes, runs of the candidates interleaved."""

from __future__ import annotations

import os
import statistics
import time
from dataclasses import dataclass, field
from typing import Dict, List, Sequence

# Nothing of the caller's environment takes part.
ENVIRONMENT = {"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"}


@dataclass
class Candidate:
    command: Sequence[str]
    env: Dict[str, str] = field(default_factory=dict)
    seconds: List[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def minimum(self) -> float:
        return min(self.seconds)

    def run(self, home: str) -> None:
        env = {**ENVIRONMENT, "HOME": home, **self.env}
        null = os.open(os.devnull, os.O_RDWR)
        actions = [(os.POSIX_SPAWN_DUP2, null, fd) for fd in (0, 1, 2)]
        start = time.perf_counter()
        pid = os.posix_spawn(self.command[0], list(self.command), env, file_actions=actions)
        _, status = os.waitpid(pid, 0)
        self.seconds.append(time.perf_counter() - start)
        os.close(null)
        if status != 0:
            raise RuntimeError(f"{' '.join(self.command)}: status {status}")


def interleave(candidates: Dict[str, Candidate], runs: int, home: str) -> None:
    """One run of each to warm up, then `runs` rounds over all of them."""
    for candidate in candidates.values():
        candidate.run(home)
        candidate.seconds.clear()
    for _ in range(runs):
        for candidate in candidates.values():
            candidate.run(home)
