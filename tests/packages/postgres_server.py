# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL server of the machine's own, for the time of one suite."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Dict, Iterator, List, Optional

USER = "nobody"  # the server refuses to be root's
SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{folder}'
fsync = off
max_prepared_transactions = 10
"""


def find_programs() -> Optional[Path]:
    """The folder of initdb and pg_ctl."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@contextlib.contextmanager
def postgres_server(programs: Path, database: str) -> Iterator[Dict[str, str]]:
    """Gives the variables by which libpq finds it.  The socket's path is short
    enough for the kernel, wherever the tests run."""
    as_user: List[str] = []
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as name:
        if os.getuid() == 0:
            shutil.chown(name, USER)
            as_user = ["setpriv", "--reuid", USER, "--regid", "nogroup", "--clear-groups"]

        def run(program: str, *arguments: str) -> None:
            subprocess.run([*as_user, str(programs / program), *arguments], check=True,
                           cwd=name, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

        data = Path(name, "data")
        run("initdb", "--auth", "trust", "--username", "postgres", "--encoding", "UTF8",
            "--locale", "C.UTF-8", "--no-sync", "--pgdata", str(data))
        with open(data / "postgresql.conf", "a", encoding="utf-8") as settings:
            settings.write(SETTINGS.format(folder=name))
        run("pg_ctl", "start", "--wait", "--pgdata", str(data), "--log", f"{name}/log")
        try:
            run("createdb", "--host", name, "--username", "postgres", database)
            yield {"PGHOST": name, "PGUSER": "postgres"}
        finally:
            run("pg_ctl", "stop", "--mode", "immediate", "--pgdata", str(data))
