# SPDX-License-Identifier: Apache-2.0
"""Processes under ptrace(2), on x86-64 Linux."""

from __future__ import annotations

import ctypes
import os
import signal
from pathlib import Path
from typing import Iterator, Sequence

from measure import ENVIRONMENT

# Of <sys/ptrace.h> and <sys/user.h>.
TRACEME, PEEKUSER, POKEUSER, CONT, SETOPTIONS = 0, 3, 6, 7, 0x4200
FORK, VFORK, CLONE, EXIT, EXITKILL = 0x2, 0x4, 0x8, 0x40, 0x100000
EVENT_EXIT = 6
RIP = 16 * 8
WALL = 0x40000000
BREAKPOINT = 0xCC

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


class Traced:
    """A program that has not run yet; its threads and children are traced too."""

    def __init__(self, exe: Path, arguments: Sequence[str], home: str) -> None:
        self.pid = os.fork()
        if self.pid == 0:
            null = os.open(os.devnull, os.O_RDWR)
            for fd in (0, 1, 2):
                os.dup2(null, fd)
            libc.ptrace(TRACEME, 0, None, None)
            os.execve(exe, [str(exe), *arguments], {**ENVIRONMENT, "HOME": home})
        os.waitpid(self.pid, 0)
        libc.ptrace(SETOPTIONS, self.pid, None, FORK | VFORK | CLONE | EXIT | EXITKILL)
        self.memory = os.open(f"/proc/{self.pid}/mem", os.O_RDWR)
        self.status = 0

    def read(self, address: int, size: int) -> bytes:
        return os.pread(self.memory, size, address)

    def write(self, address: int, content: bytes) -> None:
        os.pwrite(self.memory, content, address)

    def breakpoints(self) -> Iterator[int]:
        """Runs the program; yields the address of each BREAKPOINT that it comes
        to, where it goes on, so that the caller has to put the instruction
        back; and 0 when the process is about to exit."""
        stopped, number = self.pid, 0
        while True:
            libc.ptrace(CONT, stopped, None, number)
            stopped, status = os.waitpid(-1, WALL)
            while not os.WIFSTOPPED(status):
                if stopped == self.pid:
                    self.status = status
                    os.close(self.memory)
                    return
                stopped, status = os.waitpid(-1, WALL)
            number = os.WSTOPSIG(status)
            if number != signal.SIGTRAP:
                number = 0 if number == signal.SIGSTOP else number
                continue
            number = 0
            if status >> 16 == 0:
                address = libc.ptrace(PEEKUSER, stopped, RIP, None) - 1
                libc.ptrace(POKEUSER, stopped, RIP, address)
                yield address
            elif status >> 16 == EVENT_EXIT and stopped == self.pid:
                yield 0
