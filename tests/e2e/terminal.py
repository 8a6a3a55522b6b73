# SPDX-License-Identifier: Apache-2.0
"""A program on a terminal of its own, and somebody who types."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import termios
import time
from typing import Dict, Sequence

TIMEOUT = 30


class Terminal:
    """`with Terminal([program, argument...], env) as t:`; killed at the end."""

    def __init__(
        self,
        command: Sequence[object],
        env: Dict[str, str],
        cwd: object = "/",
        columns: int = 80,
    ) -> None:
        self.seen = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ,
                            struct.pack("HHHH", 24, columns, 0, 0))
                os.chdir(str(cwd))
                os.execve(str(command[0]), [str(c) for c in command], env)
            finally:
                os._exit(99)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *exc: object) -> None:
        if self.pid:
            os.kill(self.pid, 9)
            os.waitpid(self.pid, 0)
        os.close(self.fd)

    def _read(self, timeout: float) -> bytes:
        """Some output; nothing when the program has ended or is silent."""
        if not select.select([self.fd], [], [], timeout)[0]:
            return b""
        try:
            return os.read(self.fd, 65536)
        except OSError:  # EIO: nobody has the other end any more
            return b""

    def expect(self, text: bytes) -> bytes:
        """Reads up to `text`; returns what came before it."""
        end = time.monotonic() + TIMEOUT
        while text not in self.seen:
            more = self._read(end - time.monotonic())
            assert more, (text, self.seen)
            self.seen += more
        before, _, self.seen = self.seen.partition(text)
        return before

    def type(self, keys: bytes) -> None:
        os.write(self.fd, keys)

    def end(self) -> bytes:
        """Reads to the end of the program; its exit code is in .code."""
        end = time.monotonic() + TIMEOUT
        while True:
            more = self._read(end - time.monotonic())
            if not more:
                break
            self.seen += more
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        self.code = os.waitstatus_to_exitcode(status)
        return self.seen
