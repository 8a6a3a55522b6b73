# SPDX-License-Identifier: Apache-2.0
"""Links the program for other machines than this one.

portable.py GLIBC CC WORK OUT OBJECT…: against link-time stubs of that glibc
(stdlib-blob/glibc_floor.py) and static archives of everything else.
"""

import subprocess
import sys
from pathlib import Path

STDLIB_BLOB = Path(__file__).resolve().parents[1] / "stdlib-blob"
sys.path.insert(0, str(STDLIB_BLOB))
import glibc_floor  # noqa: E402

ARCHIVES = ("libjansson.a", "libz.a", "libzstd.a")


def main() -> int:
    floor, cc, work, out, *objects = sys.argv[1:]
    folder = Path(work)
    folder.mkdir(parents=True, exist_ok=True)
    glibc_floor.make(folder / "stub", floor, cc)
    compat = folder / "glibc_compat.o"
    source = STDLIB_BLOB / "glibc_compat.c"
    subprocess.check_call([cc, "-O2", "-fno-pie", "-c", str(source), "-o", str(compat)])
    command = [cc, f"-B{folder / 'stub'}/", "-no-pie", "-pthread", "-Wl,-z,relro,-z,now"]
    command += ["-Wl,--build-id=sha1", "-o", out, *objects, str(compat)]
    command += [f"-l:{archive}" for archive in ARCHIVES] + ["-lpthread", "-ldl"]
    subprocess.check_call(command)
    subprocess.check_call(["strip", out])
    newest = glibc_floor.highest_version(Path(out))
    if glibc_floor.version_key(newest) > glibc_floor.version_key(floor):
        print(f"portable: {out} needs GLIBC_{newest}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
