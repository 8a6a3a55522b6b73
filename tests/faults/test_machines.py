# SPDX-License-Identifier: Apache-2.0
"""Machines without what one takes for granted, and caches tampered with."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, Dict, List, Optional

import pytest
from conftest import ALL, BUILD, PEXCZ
from test_calls import temps

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from enter_root import make_root  # noqa: E402

ENV = {"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"}
ANSWER = b"answer 42\n"
KILLS = 200 if ALL else 25

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounts need root")


def run(command: List[object], env: Optional[Dict[str, str]] = None, **options):
    return subprocess.run(
        [str(part) for part in command],
        env={**ENV, **(env or {})},
        stdin=options.pop("stdin", subprocess.DEVNULL),
        capture_output=True,
        check=False,
        timeout=120,
        **options,
    )


def answers(done: subprocess.CompletedProcess, what: str = "") -> None:
    seen = (done.returncode, done.stdout, done.stderr.decode())
    assert seen == (0, ANSWER, ""), what


def in_mounts(script: str, *command: object, env=None, unshare=("--mount",)):
    """Runs the command behind a shell script in namespaces of its own."""
    return run(
        ["unshare", *unshare, "sh", "-ec", script + '\nexec "$@"', "sh", *command],
        env,
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    return folder


def files_of(folder: Path) -> List[Path]:
    return [p for p in folder.rglob("*") if not p.is_dir()]


def check_cache(app: Path, home: Path, what: str) -> None:
    """A normal run, and the cache is as it should be."""
    env = {"HOME": str(home)}
    answers(run([app], env), what)
    assert temps(home) == [], what
    verify = run([PEXCZ, "cache", "verify", "-q"], env)
    assert verify.returncode == 0, f"{what}: {verify.stderr.decode()}"


# --- places ------------------------------------------------------------------


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"HOME": ""},
        {"HOME": "/"},
        {"HOME": "relative"},
        {"HOME": "/nonexistent"},
        {"HOME": "/proc/none"},
        {"XDG_CACHE_HOME": "relative", "HOME": "/nonexistent"},
        {"PEXCZ_CACHE": "/dev/null"},
        {"PEXCZ_CACHE": "/" + "x" * 300},
        {"PEXCZ_CACHE": "/" + "x/" * 2000},
    ],
)
def test_no_folder(app: Path, points, env: Dict[str, str]) -> None:
    outside = [Path("/.cache/pexcz"), Path("/nonexistent/.cache/pexcz")]
    before = [path.exists() for path in outside]
    answers(run([app], env))
    points.add("variables that name no usable folder")
    assert [path.exists() for path in outside] == before


def test_which_variable(app: Path, tmp_path: Path, points) -> None:
    names = ("PEXCZ_CACHE", "XDG_CACHE_HOME", "HOME")
    places = ("", "pexcz", ".cache/pexcz")
    env = {name: str(tmp_path / name) for name in names}
    for name in names:
        (tmp_path / name).mkdir(mode=0o700)
    for name, place in zip(names, places):
        answers(run([app], env))
        used = [n for n in names if files_of(tmp_path / n)]
        assert used == [name]
        assert (tmp_path / name / place / "so").is_dir()
        shutil.rmtree(tmp_path / name)
        (tmp_path / name).mkdir(mode=0o700)
        del env[name]
        points.add("variables that name the folder")
    # The next place, when the first cannot be used.
    env = {"XDG_CACHE_HOME": "/dev/null", "HOME": str(tmp_path / "HOME")}
    answers(run([app], env))
    assert files_of(tmp_path / "HOME")


@needs_root
@pytest.mark.parametrize("change", ["owner", "mode", "parent", "link"])
def test_folder_of_another(app: Path, home: Path, points, change: str) -> None:
    answers(run([app], {"HOME": str(home)}))
    root = home / ".cache/pexcz"
    if change == "owner":
        os.chown(home, 12345, 12345)
    elif change == "mode":
        (root / "so").chmod(0o777)
    elif change == "parent":
        home.chmod(0o777)
    else:
        root.rename(home / "elsewhere")
        root.symlink_to(home / "elsewhere")
        os.lchown(root, 12345, 12345)
    for path in files_of(home):
        if not path.is_symlink():
            path.chmod(0o700)
            path.write_bytes(b"hostile")
    before = sorted(files_of(home))
    answers(run([app], {"HOME": str(home)}), change)
    assert sorted(files_of(home)) == before
    points.add("folders that somebody else could change")


def test_modes(app: Path, home: Path, points) -> None:
    for mask in (0o000, 0o022, 0o077, 0o777):
        shutil.rmtree(home / ".cache", ignore_errors=True)
        command = f'umask {mask:o}; "$0"; umask'
        done = run(["sh", "-c", command, app], {"HOME": str(home)})
        assert done.stdout == ANSWER + b"%04o\n" % mask
        for path in [*home.rglob("*")]:
            mode = stat.S_IMODE(path.stat().st_mode)
            assert mode == (0o700 if path.is_dir() else 0o500), path
        points.add("umasks")


# --- machines ----------------------------------------------------------------


@needs_root
def test_read_only_root(app: Path, home: Path, points) -> None:
    script = "mount -o remount,bind,ro /"
    answers(in_mounts(script, app, env={"HOME": str(home)}))
    assert files_of(home) == []
    check_cache(app, home, "first run")
    answers(in_mounts(script, app, env={"HOME": str(home)}), "filled before")
    points.add("read-only root", 2)


@needs_root
def test_full_disk(app: Path, home: Path, points) -> None:
    """6 MB do not fit, whichever of the files comes first."""
    for pages in range(1, 1600, 20 if ALL else 150):
        script = (
            f"mount -t tmpfs -o size={pages * 4}k,mode=700 none {home}\n"
            f'"$1"\nfind {home} -name ".tmp-*"'
        )
        answers(in_mounts(script + "\nset -- true", app, env={"HOME": str(home)}))
        points.add("sizes of a disk that gets full")


@needs_root
def test_noexec(app: Path, home: Path, points) -> None:
    script = (
        f"mount -t tmpfs none /mnt\ncp {app} /mnt/app\n"
        f"mount -t tmpfs -o noexec,mode=700 none {home}\n"
        "mount -t tmpfs -o noexec none /dev/shm\n"
        f'/mnt/app\nfind {home} -type f'
    )
    done = in_mounts(script + "\nset -- true", env={"HOME": str(home)})
    answers(done)
    points.add("noexec folders")


@pytest.fixture
def root(app: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    make_root(folder)
    shutil.copy(app, folder / "srv/app")
    (folder / "home").mkdir(mode=0o700)
    return folder


@needs_root
@pytest.mark.parametrize("mounts", ["", "proc", "dev", "proc dev"])
def test_bare_root(root: Path, points, mounts: str) -> None:
    script = "\n".join(f"mount --bind /{m} {root}/{m}" for m in mounts.split())
    for home in ["/home", "/none"] if "proc" in mounts else ["/home"]:
        for _ in range(2):
            answers(
                in_mounts(script, "chroot", root, "/srv/app", env={"HOME": home}),
                f"{mounts} {home}",
            )
            points.add("roots without /proc or /dev")
    if "proc" not in mounts:
        done = in_mounts(script, "chroot", root, "/srv/app", env={"HOME": "/none"})
        assert done.returncode == 1
        lines = done.stderr.decode().splitlines()
        assert lines[0].startswith("pexcz: ") and "OSError" in lines[-1]


@pytest.fixture(scope="session")
def deny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("deny") / "deny_calls"
    source = Path(__file__).with_name("deny_calls.c")
    subprocess.run(["cc", "-D_GNU_SOURCE", source, "-o", out], check=True)
    return out


@pytest.mark.parametrize(
    "calls",
    [
        "memfd_create",
        "memfd_create clone3 statx renameat2 unshare",
        "container",
        "container clone3 memfd_create",
        "flock",
        "fsync",
        "utimensat",
        "fchmodat",
        "sched_getaffinity",
    ],
)
def test_seccomp(app: Path, home: Path, deny: Path, points, calls: str) -> None:
    for env in ({"HOME": str(home)}, {"HOME": str(home)}, {}):
        answers(run([deny, *calls.split(), "--", app], env), calls)
        points.add("seccomp profiles")
    assert temps(home) == []


@needs_root
@pytest.mark.parametrize("value", [1, 2])
def test_memfd_noexec(app: Path, points, value: int) -> None:
    script = f"echo {value} > /proc/sys/vm/memfd_noexec"
    done = in_mounts(
        script, app, unshare=("--mount", "--pid", "--fork", "--mount-proc")
    )
    if b"memfd_noexec" in done.stderr:
        pytest.skip(done.stderr.decode())
    answers(done)
    points.add("vm.memfd_noexec")


@needs_root
def test_user_namespace_without_a_mapping(app: Path, home: Path, points) -> None:
    home.chmod(0o777)
    answers(run(["unshare", "--user", app], {"HOME": str(home)}))
    assert files_of(home) == []
    points.add("user namespaces without a mapping")


@needs_root
def test_set_user_id(app: Path, home: Path, tmp_path: Path, points) -> None:
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents:
        if parent != Path("/tmp") and str(parent).startswith("/tmp/"):
            parent.chmod(0o755)
    copy = tmp_path / "setuid"
    shutil.copy(app, copy)
    copy.chmod(0o4755)
    hostile = tmp_path / "hostile"
    hostile.mkdir()
    os.chown(hostile, 65534, 65534)
    names = ("HOME", "XDG_CACHE_HOME", "PEXCZ_CACHE", "LD_LIBRARY_PATH", "TMPDIR")
    env = {name: str(hostile) for name in names}
    env["PEXCZ_SHARED_OBJECTS"] = "explain"
    user = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    answers(run([*user, copy], env))
    assert files_of(hostile) == []
    points.add("set-uid, hostile environment", len(env))


# --- limits ------------------------------------------------------------------


def limited(kind: int, value: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(kind, (value, value))


def test_file_size_limit(app: Path, home: Path, points) -> None:
    env = {"HOME": str(home)}
    for size in (0, 4096, 1 << 20, 5 << 20):
        limit = limited(resource.RLIMIT_FSIZE, size)
        done = run([app], env, preexec_fn=limit)
        assert done.returncode == 1 and done.stdout == b"", size
        lines = done.stderr.decode().splitlines()
        assert lines[0].startswith("pexcz: ") and "OSError" in lines[-1], lines
        assert temps(home) == []
        points.add("limits of file size")
    check_cache(app, home, "without a limit")
    answers(run([app], env, preexec_fn=limited(resource.RLIMIT_FSIZE, 0)))


def test_descriptor_limit(app: Path, tmp_path: Path, points) -> None:
    """Enough for Python is enough for us."""
    for count in range(4, 20):
        home = tmp_path / str(count)
        home.mkdir(mode=0o700)
        limit = limited(resource.RLIMIT_NOFILE, count)
        for env in ({"HOME": str(home)}, {"HOME": str(home)}, {}):
            done = run([app], env, preexec_fn=limit)
            if done.returncode != 0:
                assert count < 10, (count, done.stderr)
                assert done.returncode in (1, 127), (count, done.stderr)
                assert done.stderr != b""
            else:
                answers(done)
            points.add("limits of descriptors")
        check_cache(app, home, str(count))


def test_memory_limit(app: Path, tmp_path: Path, points) -> None:
    for megabytes in range(20, 200, 8 if ALL else 30):
        home = tmp_path / str(megabytes)
        home.mkdir(mode=0o700)
        limit = limited(resource.RLIMIT_AS, megabytes << 20)
        for env in ({"HOME": str(home)}, {}):
            done = run([app], env, preexec_fn=limit)
            if done.returncode != 0:
                assert done.returncode > 0 or megabytes < 60, (megabytes, done)
                assert done.stdout == b""
            points.add("limits of memory")
        check_cache(app, home, str(megabytes))


def test_closed_standard_streams(app: Path, home: Path, points) -> None:
    for closed in ("<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", "<&- >&- 2>&-"):
        shutil.rmtree(home / ".cache", ignore_errors=True)
        done = run(["sh", "-c", f'"$0" {closed}', app], {"HOME": str(home)})
        assert done.returncode == 0, closed
        check_cache(app, home, closed)
        points.add("closed standard streams")


# --- what is in the cache -----------------------------------------------------


def damage(path: Path, how: str) -> None:
    content = path.read_bytes()
    path.chmod(0o700)
    if how == "truncated":
        path.write_bytes(content[:1000])
    elif how == "changed":
        path.write_bytes(content[:5000] + b"\0" * 200 + content[5200:])
    elif how == "longer":
        path.write_bytes(content + b"x")
    elif how == "owner":
        os.chown(path, 12345, 12345)
    elif how == "mode":
        path.chmod(0o777)
    elif how == "removed":
        path.unlink()
    else:
        path.unlink()
        if how == "link":
            path.symlink_to("/etc/passwd")
        elif how == "fifo":
            os.mkfifo(path)
        elif how == "folder":
            path.mkdir()
        elif how == "empty":
            path.touch()
        else:
            raise AssertionError(how)


HOW = "truncated changed longer mode removed link fifo folder empty".split()


@pytest.mark.parametrize("how", HOW + (["owner"] if os.geteuid() == 0 else []))
def test_damaged_files(app: Path, home: Path, points, how: str) -> None:
    answers(run([app], {"HOME": str(home)}))
    names = sorted(p.name for p in files_of(home))
    assert len(names) == 3
    for name in names:
        damage(next(p for p in files_of(home) if p.name == name), how)
        check_cache(app, home, f"{name} {how}")
        assert sorted(p.name for p in files_of(home)) == names
        points.add("damaged files")


def test_damage_that_cannot_be_seen(app: Path, home: Path, points) -> None:
    """Size and time as they were: found when loading fails, and by verify."""
    env = {"HOME": str(home)}
    answers(run([app], env))
    for path in files_of(home):
        times = path.stat()
        path.chmod(0o700)
        content = path.read_bytes()
        path.write_bytes(b"\0" * 64 + content[64:])
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        path.chmod(0o500)
        answers(run([app], env), path.name)
        assert path.read_bytes() == content
        points.add("damage that shows only when loading")
    for path in files_of(home):
        times = path.stat()
        path.chmod(0o700)
        content = path.read_bytes()
        path.write_bytes(content[:-20] + b"\0" * 19 + b"x")
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        path.chmod(0o500)
        done = run([PEXCZ, "cache", "verify"], env)
        assert done.returncode == 1 and path.name.encode() in done.stderr
        check_cache(app, home, path.name)
        points.add("damage that only verify sees")


def test_names_taken(app: Path, home: Path, points) -> None:
    """The temporary names and the folders are something else."""
    env = {"HOME": str(home)}
    answers(run([app], env))
    paths = [p.relative_to(home) for p in home.rglob("*")]
    folders = [p for p in paths if (home / p).is_dir()]
    files = [p.with_name(".tmp-" + p.name) for p in paths if p not in folders]
    outside = home / "outside"
    for path in [*folders[3:], *files]:
        for how in ("link", "fifo", "file", "folder"):
            shutil.rmtree(home / ".cache")
            outside.mkdir(exist_ok=True)
            taken = home / path
            taken.parent.mkdir(parents=True)
            for parent in path.parents:
                (home / parent).chmod(0o700)
            if how == "link":
                taken.symlink_to(outside)
            elif how == "fifo":
                os.mkfifo(taken)
            elif how == "file":
                taken.touch()
            elif path in files:
                taken.mkdir()
            answers(run([app], env), f"{path} is a {how}")
            assert list(outside.iterdir()) == []
            points.add("names that are taken by something else")
            check_cache(app, home, f"{path} is a {how}")


def test_times(app: Path, home: Path, points) -> None:
    """The clock was set back, or forward."""
    env = {"HOME": str(home)}
    for when in (0, 1, 4_000_000_000):
        answers(run([app], env))
        for path in home.rglob("*"):
            if path.is_dir():
                os.utime(path, (when, when))
        (home / ".cache/pexcz/so/.tmp-old").touch()
        answers(run([app], env))
        prune = run([PEXCZ, "cache", "prune", "-q", "--days", "1"], env)
        assert prune.returncode == 0
        check_cache(app, home, str(when))
        points.add("clocks")


# --- many processes ------------------------------------------------------------


def test_killed(app: Path, tmp_path: Path, points) -> None:
    rng = random.Random(4)
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    start = time.monotonic()
    answers(run([app], {"HOME": str(home)}))
    longest = time.monotonic() - start
    interrupted = 0
    for _ in range(KILLS):
        shutil.rmtree(home / ".cache")
        process = subprocess.Popen(
            [app], env={**ENV, "HOME": str(home)}, stdout=subprocess.DEVNULL
        )
        time.sleep(rng.random() * longest)
        process.kill()
        interrupted += process.wait() == -signal.SIGKILL
        check_cache(app, home, "after SIGKILL")
        points.add("first runs that were killed")
    assert interrupted > KILLS / 4


@pytest.mark.parametrize("count", [64, 300])
def test_many_first_runs(app: Path, home: Path, points, count: int) -> None:
    processes = [
        subprocess.Popen(
            [app],
            env={**ENV, "HOME": str(home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for _ in range(count)
    ]
    for process in processes:
        out, _ = process.communicate(timeout=120)
        assert (process.returncode, out) == (0, ANSWER), out.decode()
        points.add("processes at once")
    check_cache(app, home, "after many first runs")


def test_prune_meanwhile(app: Path, home: Path, points) -> None:
    env = {"HOME": str(home)}
    for _ in range(60 if ALL else 10):
        runs = [
            subprocess.Popen(
                [app],
                env={**ENV, **env},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            for _ in range(3)
        ]
        assert run([PEXCZ, "cache", "prune", "--all"], env).returncode == 0
        for process in runs:
            out, _ = process.communicate(timeout=60)
            assert (process.returncode, out) == (0, ANSWER), out.decode()
            points.add("first runs while the cache was pruned")
    check_cache(app, home, "after pruning")


@pytest.mark.parametrize("how", ["removed", "replaced", "cache removed"])
def test_executable_goes_away(
    app: Path, home: Path, tmp_path: Path, points, how: str
) -> None:
    copy = tmp_path / "copy"
    shutil.copy(app, copy)
    with subprocess.Popen(
        [copy, "wait"],
        env={**ENV, "HOME": str(home)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout.readline() == ANSWER
        if how == "cache removed":
            shutil.rmtree(home / ".cache")
        else:
            copy.unlink()
        if how == "replaced":
            copy.write_bytes(b"something else")
        out, err = process.communicate(b"", timeout=60)
    assert (process.returncode, out, err) == (0, b"late 7\n", b"")
    points.add("files that went away meanwhile")
