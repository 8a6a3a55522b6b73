# SPDX-License-Identifier: Apache-2.0
"""Makes the private venv of the tests, unless it is there already.

usage: make_venv.py VENV REQUIREMENTS PYTHON

Its Python is this one, if it has the version that PYTHON is named for, else
PYTHON, which the base is built from.  A venv holds the hash of what it was made
from (the requirements and the version of the Python), so it is made anew
exactly when one of them changes.  Concurrent calls wait for each other.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path


def main():
    venv, requirements, python = (Path(arg) for arg in sys.argv[1:4])
    if python.name == "python%d.%d" % sys.version_info[:2]:
        python = Path(sys.executable)
    version = subprocess.check_output([python, "-c", "import sys; print(sys.version)"])
    made_from = version.strip() + requirements.read_bytes()
    key = hashlib.sha256(made_from).hexdigest()
    stamp = venv / "made-from.sha256"
    venv.parent.mkdir(parents=True, exist_ok=True)
    with open(venv.parent / (venv.name + ".lock"), "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == key:
            stamp.touch()
            return 0
        shutil.rmtree(venv, ignore_errors=True)
        for command in (
            [str(python), "-m", "venv", str(venv)],
            [str(venv / "bin/python"), "-m", "pip", "install", "--quiet",
             "--disable-pip-version-check", "--no-deps",
             "-r", str(requirements)],
        ):  # fmt: skip
            code = subprocess.run(command, check=False).returncode
            if code != 0:
                return code
        stamp.write_text(key)
    return 0


if __name__ == "__main__":
    sys.exit(main())
