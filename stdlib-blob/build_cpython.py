# SPDX-License-Identifier: Apache-2.0
"""Configures and builds CPython from its unpacked source, in place.

Non-PIE, every extension of Setup.local linked in, against the glibc floor's
stubs and Debian's static archives.  For another machine than this one with a
finished Python of the same version for this one, which runs what the build
has to run.  Recipe and traps: docs/portability.md.
"""

import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

import glibc_floor
import versions

HERE = Path(__file__).resolve().parent


# What configure finds out by running programs, when it cannot: as it is with
# glibc on all machines, and char signed or not as the processor has it.
CROSS_ANSWERS = [
    "ac_cv_file__dev_ptmx=yes",
    "ac_cv_file__dev_ptc=no",
    "ac_cv_aligned_required=no",
    "ac_cv_broken_sem_getvalue=no",
    "ac_cv_pthread_system_supported=yes",
    "ac_cv_working_tzset=yes",
    "ac_cv_wchar_t_signed=no",
    "--with-computed-gotos",
    "--enable-ipv6",
]


class BuildError(Exception):
    pass


def step(command, cwd, log):
    """Runs one build command; on failure the log's end is the message."""
    # The source's date, not today's, is the one in sys.version.
    epoch = subprocess.check_output(
        ["dpkg-parsechangelog", "-S", "Timestamp"], cwd=cwd, text=True
    ).strip()
    with open(log, "ab") as out:
        done = subprocess.run(
            command, cwd=cwd, stdout=out, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, check=False,
            env={**os.environ, "SOURCE_DATE_EPOCH": epoch, "TZ": "UTC"},
        )
    if done.returncode != 0:
        tail = Path(log).read_text(errors="replace").splitlines()[-25:]
        raise BuildError(f"{command[0]} failed; {log} ends with:\n" + "\n".join(tail))


def find_static(target, name):
    found = target.find_library(name)
    if found is None:
        package = versions.STATIC_LIBS[name]
        raise BuildError(f"no {name}: install the Debian package {package}")
    return found


def cross_options(work, target, build_python):
    """Of configure."""
    sysroot = work / "sysroot"
    include = sysroot / "usr/include"
    python = work / "build-python"
    python.symlink_to(build_python)
    packages = sysroot / "usr/lib" / target.multiarch / "pkgconfig"
    return [
        f"--host={target.multiarch}",
        f"--build={platform.machine()}-linux-gnu",
        f"--with-build-python={python}",
        f"CPPFLAGS=-isystem{include} -isystem{include / target.multiarch}",
        f"PKG_CONFIG_LIBDIR={packages}",
        f"PKG_CONFIG_SYSROOT_DIR={sysroot}",
        *CROSS_ANSWERS,
    ]


def build(src, work, version, target, build_python, pgo, jobs):
    """Builds in `src`; helper files go to `work`.  Returns the static libs."""
    # From 3.13 on, configure takes what is behind the last slash of CC for the
    # compiler's name, and without one there is no PGO.
    cc = target.cc
    stub = work / f"{Path(cc).name}-stub"
    slibs = work / "slibs"
    log = work / "build.log"
    glibc_floor.make(stub, versions.GLIBC_FLOOR, cc)
    compat = work / "glibc_compat.o"
    subprocess.check_call(
        [cc, "-O2", "-fno-pie", "-c", str(HERE / "glibc_compat.c"), "-o", str(compat)]
    )
    slibs.mkdir(exist_ok=True)
    static = {}
    for name in versions.STATIC_LIBS:
        static[name] = find_static(target, name)
    for name, path in static.items():
        needs = " ".join(str(static[n]) for n in versions.STATIC_NEEDS.get(name, ()))
        (slibs / name).write_text(f"INPUT ( {path} {needs} )\n")
    # Below `work`, of which no name is left in the result.
    (work / "sysroot").symlink_to(target.root)
    setup = (HERE / "Setup.local").read_text()
    own = (HERE / f"Setup-{version}.local").read_text()
    setup = setup.replace("@OF THIS VERSION@\n", own)
    setup = setup.replace("$(UUID_INC)", str(work / "sysroot/usr/include/uuid"))
    (src / "Modules/Setup.local").write_text(setup)
    configure = [
        "./configure",
        f"CC={cc} -B{stub}",
        # Each variable and function in a section of its own: link_base.py orders some of them.
        f"CFLAGS=-fno-pie -fdata-sections -ffunction-sections -fdebug-prefix-map={work}=/build -fmacro-prefix-map={work}=/build",
        f"LDFLAGS=-L{slibs} -no-pie -Wl,--no-as-needed",
        f"LIBS={compat}",
        "--prefix=/install",
        "--with-system-expat",
        "--with-readline=editline",
        "--disable-test-modules",
        "--without-ensurepip",
        *versions.VERSIONS[version]["configure"],
    ]
    if pgo:
        configure.append("--enable-optimizations")
    else:  # -O3 of everything, without a profile, is a megabyte more
        configure.append("OPT=-DNDEBUG -g -fwrapv -O2 -Wall")
    if target.is_cross:
        configure += cross_options(work, target, build_python)
    step(configure, src, log)
    make = ["python"]
    if pgo:
        make = ["profile-opt", f"PROFILE_TASK={HERE / 'profile_task.py'}"]
    step(["make", f"-j{jobs}", *make], src, log)
    if pgo and "-fprofile-use" not in log.read_text(errors="replace"):
        raise BuildError(f"built without the profile that was asked for: {log}")
    step(["make", f"-j{jobs}", "sharedmods", "python-config"], src, log)
    newest = glibc_floor.highest_version(src / "python")
    floor = glibc_floor.version_key(versions.GLIBC_FLOOR)
    if newest is None or glibc_floor.version_key(newest) > floor:
        raise BuildError(f"python needs GLIBC_{newest}, over the floor {versions.GLIBC_FLOOR}")
    return static


def rebuild_pic(src, work, jobs):
    """Compiles all objects again, position-independent, with the same profile.

    For the embedding library, which may become part of a PIE or of a shared
    object; the base stays non-PIE (docs/design.md).  The few functions whose
    code differs before the profile is applied are compiled without it.
    """
    log = work / "build.log"
    for pattern in ("*.o", "lib*.a"):
        for path in src.rglob(pattern):
            path.unlink()
    makefile = src / "Makefile"
    text = makefile.read_text()
    text, count = re.subn(r"^(CONFIGURE_CFLAGS=.*)-fno-pie", r"\1-fPIC", text, flags=re.M)
    if count != 1:
        raise BuildError("CPython's Makefile does not have the flags it was given")
    if list(src.glob("Objects/*.gcda")):
        text = re.sub(
            r"^(CONFIGURE_CFLAGS_NODIST=.*)", r"\1 $(PGO_PROF_USE_FLAG)"
            " -Wno-error=coverage-mismatch", text, flags=re.M)
    makefile.write_text(text)
    library = next(w for w in re.findall(r"^LIBRARY=\s*(\S+)", text, re.M))
    library = library.replace("$(VERSION)", re.search(r"^VERSION=\s*(\S+)", text, re.M)[1])
    library = library.replace("$(ABIFLAGS)", "")
    step(["make", f"-j{jobs}", library], src, log)


def install(src, work, destination):
    """`make install` into destination/install, without byte code."""
    log = work / "build.log"
    stage = work / "stage"
    shutil.rmtree(stage, ignore_errors=True)
    step(["make", "altbininstall", "libinstall", "inclinstall", "COMPILEALL_OPTS=-x .*",
          f"DESTDIR={stage}"], src, log)
    shutil.copytree(stage / "install", destination / "install", symlinks=True)
    # getpath looks for this folder to find exec_prefix.
    for lib in (destination / "install/lib").glob("python*"):
        (lib / "lib-dynload").mkdir(exist_ok=True)
    for cache in sorted((destination / "install").rglob("__pycache__")):
        shutil.rmtree(cache)
    for file in (destination / "install").rglob("_sysconfigdata_*.py"):
        if not file.is_symlink():
            file.write_text(without_work_paths(file.read_text(), work))


def without_work_paths(text, work):
    """sysconfig's data as a user can use it: no flag names our folders."""
    flag = rf" ?(?:-B|-L|-isystem|-f[a-z]+-prefix-map=)?{re.escape(str(work))}[/=](?!src)[^\s'\"]*"
    return re.sub(flag, "", text).replace(str(work), "/build")
