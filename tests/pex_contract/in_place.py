# SPDX-License-Identifier: Apache-2.0
"""Runs a program with the packed file in the place of a PEX.

    in_place.py PACKED PEX COMMAND...

In a mount namespace of its own, PACKED lies over PEX: the command sees it
under the PEX's path, everybody else still sees the PEX.
"""

import ctypes
import os
import sys

CLONE_NEWNS = 0x00020000
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18


def mount(libc, source, target, flags):
    if libc.mount(os.fsencode(source), os.fsencode(target), None, flags, None) != 0:
        sys.exit(f"in_place: mount: {os.strerror(ctypes.get_errno())}")


def main():
    packed, pex, *command = sys.argv[1:]
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mount.argtypes = [ctypes.c_char_p] * 3 + [ctypes.c_ulong, ctypes.c_void_p]
    if libc.unshare(CLONE_NEWNS) != 0:
        sys.exit(f"in_place: unshare: {os.strerror(ctypes.get_errno())}")
    mount(libc, "none", "/", MS_REC | MS_PRIVATE)
    mount(libc, packed, pex, MS_BIND)
    os.execvp(command[0], command)


main()
