# SPDX-License-Identifier: Apache-2.0
"""Runs a command on a machine that can start programs of another one.

usage: foreign_machine.py MACHINE COMMAND ARGUMENT...

The kernel hands such programs to qemu's user-mode emulator, by a rule that
holds in a user namespace of the command's own (Linux 6.7), so nothing is
registered for the whole machine.  Where it has such a rule, that is used.  The
other machine's glibc, from Debian's cross packages, is laid over /lib.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
MS_REC = 16384
MS_PRIVATE = 1 << 18
RULES = Path("/proc/sys/fs/binfmt_misc")

# e_machine, and the name of the loader in /lib.
MACHINES = {"aarch64": (183, "ld-linux-aarch64.so.1")}

_libc = ctypes.CDLL(None, use_errno=True)


def _check(code: int) -> None:
    if code != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _mount(source: str, target: str, kind: str, flags: int = 0, options: str = "") -> None:
    arguments = [os.fsencode(text) for text in (source, target, kind)]
    _check(_libc.mount(*arguments, ctypes.c_ulong(flags), os.fsencode(options)))


def _map_users(process: int) -> None:
    """All users of this machine if root asks for it, else only oneself."""
    for name, own in (("uid_map", os.geteuid()), ("gid_map", os.getegid())):
        text = "0 0 4294967295" if os.geteuid() == 0 else f"0 {own} 1"
        if os.geteuid() != 0:
            Path(f"/proc/{process}/setgroups").write_text("deny")
        Path(f"/proc/{process}/{name}").write_text(text)


def _new_namespaces() -> None:
    """The users are mapped from outside, where this process is still root."""
    inside, outside = os.pipe()
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        os.close(outside)
        os.read(inside, 1)
        try:
            _map_users(parent)
        except OSError as e:
            print(f"foreign_machine: {e}", file=sys.stderr)
            os._exit(1)
        os._exit(0)
    _check(_libc.unshare(CLONE_NEWNS | CLONE_NEWUSER))
    os.close(outside)
    if os.waitpid(child, 0)[1] != 0:
        raise OSError("the users cannot be mapped")
    _mount("none", "/", "none", MS_REC | MS_PRIVATE)


def _register(machine: str) -> None:
    """64-bit little-endian programs and shared objects; argv[0] stays (P), and
    the emulator is opened now (F), so any root will do."""
    magic = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00" + bytes([MACHINES[machine][0], 0])
    mask = b"\xff" * 7 + bytes(9) + b"\xfe\xff\xff\xff"
    texts = ["".join(f"\\x{byte:02x}" for byte in part) for part in (magic, mask)]
    _mount("binfmt_misc", str(RULES), "binfmt_misc")
    rule = f":pexcz-{machine}:M::{':'.join(texts)}:/usr/bin/qemu-{machine}-static:PF"
    (RULES / "register").write_text(rule)


def _add_libraries(machine: str, folder: str) -> None:
    libraries = Path(f"/usr/{machine}-linux-gnu/lib")
    Path(folder, f"{machine}-linux-gnu").symlink_to(libraries)
    loader = MACHINES[machine][1]
    Path(folder, loader).symlink_to(libraries / loader)
    place = os.path.realpath("/lib")
    _mount("overlay", place, "overlay", options=f"lowerdir={folder}:{place}")


def main() -> int:
    machine, command = sys.argv[1], sys.argv[2:]
    try:
        _new_namespaces()
        if not (RULES / f"qemu-{machine}").exists():
            _register(machine)
        # Gone with the namespace: it lies on a file system of its own.
        _mount("tmpfs", "/mnt", "tmpfs")
        _add_libraries(machine, "/mnt")
    except OSError as e:
        print(f"foreign_machine: programs for {machine} cannot be run here: {e}",
              file=sys.stderr)
        return 1
    os.execvp(command[0], command)


if __name__ == "__main__":
    sys.exit(main())
