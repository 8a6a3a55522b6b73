# SPDX-License-Identifier: Apache-2.0
"""What PEX_* variables ask for that is no part of an ordinary start: other
PEXes, inherited paths, profiles, coverage, a history.

Runs inside the packed program, from text of the executable.
"""

import os
import sys


def fail(message):
    sys.stderr.flush()
    sys.exit("pexcz: " + message)


def _paths_of(pex):
    """What `import __pex__` of a PEX adds to sys.path.  It is Pex's own code,
    from that PEX, so it runs in a child and leaves nothing behind here."""
    import marshal

    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(ours)
            for name in list(os.environ):
                if name.startswith("PEX_") and name not in ("PEX_ROOT", "PEX_VERBOSE"):
                    del os.environ[name]
            os.environ["PEX_VENV"] = "0"
            # Pex runs this executable to learn what Python it is.
            os.environ["_PEXCZ_PYTHON"] = "1"
            before = set(sys.path)
            sys.path.insert(0, pex)
            import __pex__  # noqa: F401

            added = [p for p in sys.path if p not in before and p != pex]
            with os.fdopen(theirs, "wb") as stream:
                marshal.dump(added, stream)
            status = 0
        except SystemExit as e:
            print(e.code, file=sys.stderr)
        except BaseException as e:
            print(f"pexcz: {pex}: {type(e).__name__}: {e}", file=sys.stderr)
        finally:
            sys.stderr.flush()
            os._exit(status)
    os.close(theirs)
    with os.fdopen(ours, "rb") as stream:
        data = stream.read()
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0:
        sys.exit(1)
    # Its boot code is at the end, or at the front while it is being imported.
    added = [p for p in marshal.loads(data) if not p.endswith("/.bootstrap")]
    if os.path.isdir(os.path.join(pex, ".bootstrap")):
        added.insert(0, pex)  # of the loose layout, which is not unpacked
    return added


def _is_pex(path):
    import zipfile

    if os.path.isdir(path):
        return os.path.isfile(os.path.join(path, "PEX-INFO"))
    try:
        with zipfile.ZipFile(path) as archive:
            return "PEX-INFO" in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def _is_this_program(path):
    try:
        return os.path.samefile(path, sys.executable)
    except OSError:  # it was deleted
        return False


def split_paths(text):
    """As Pex: normalised, each once."""
    return list(
        dict.fromkeys(
            os.path.normpath(os.path.expanduser(p)) for p in text.split(os.pathsep)
        )
    )


def add_pexes(text):
    import site

    for pex in split_paths(text):
        if not os.path.exists(pex):
            fail(f"PEX_PATH: {pex}: No such file or directory")
        if _is_this_program(pex):
            continue  # its distributions are there
        if not _is_pex(pex):
            fail(f"PEX_PATH: {pex}: not a PEX")
        for path in _paths_of(os.path.abspath(pex)):
            if path not in sys.path:
                site.addsitedir(path)


def inherit(text, how):
    paths = text.split(os.pathsep)
    if how == "python":
        paths = map(os.path.abspath, paths)
    paths = [p for p in dict.fromkeys(paths) if p not in sys.path]
    if how == "fallback":
        sys.path.extend(paths)
    else:
        sys.path[:0] = paths


def _profiled(run, filename, sort):
    import cProfile

    profiler = cProfile.Profile()
    try:
        return profiler.runcall(run)
    finally:
        if filename is not None:
            profiler.dump_stats(os.path.realpath(os.path.expanduser(filename)))
        else:
            profiler.print_stats(sort=sort or "cumulative")


def _own_paths():
    library = os.path.dirname(os.__file__)
    return [
        p
        for p in sys.path
        if p != library and p != library + "/lib-dynload" and not p.endswith(".zip")
    ]


def _covered(run, filename):
    try:
        import coverage
    except ImportError:
        sys.exit("Could not bootstrap coverage module, aborting.")
    if filename is not None:
        filename = os.path.realpath(os.path.expanduser(filename))
        where = {"data_file": filename}
    else:
        where = {"data_suffix": True}
    # Otherwise what lies in site-packages, as all of this does, is left out.
    cov = coverage.Coverage(include=[f"{p}/*" for p in _own_paths()], **where)
    cov.start()
    try:
        return run()
    finally:
        cov.stop()
        if filename is not None:
            cov.save()
        else:
            cov.report(show_missing=False, ignore_errors=True, file=sys.stdout)


def measured(run, profile, profile_file, profile_sort, coverage, coverage_file):
    if profile:
        plain = run
        run = lambda: _profiled(plain, profile_file, profile_sort)  # noqa: E731
    return _covered(run, coverage_file) if coverage else run()


def use_history(filename):
    """A prompt with a history that stays in `filename`, or without one."""

    def hook():
        try:
            import readline
            import rlcompleter  # noqa: F401
        except ImportError:
            return
        readline.parse_and_bind("tab: complete")
        if filename is None:
            return
        path = os.path.expanduser(filename)
        try:
            readline.read_history_file(path)
        except OSError:
            pass
        import atexit

        atexit.register(_write_history, path)

    sys.__interactivehook__ = hook


def _write_history(path):
    import readline

    try:
        readline.write_history_file(path)
    except OSError:
        pass


def set_title(program):
    try:
        from setproctitle import setproctitle
    except ImportError:
        return
    setproctitle(f"{sys.executable} {program} {' '.join(sys.argv[1:])}")


def console_script(name):
    """The entry point "mod:attr" of a distribution's script, or None."""
    import re
    from importlib.metadata import distributions

    found = {}
    for dist in distributions():
        points = {p.group: p for p in dist.entry_points if p.name == name}
        point = points.get("console_scripts") or points.get("gui_scripts")
        if point is not None:
            key = re.sub("[-_.]+", "-", dist.name).lower()
            found.setdefault(key, (point.value, f"{dist.name} {dist.version}"))
    if len(found) > 1:
        sys.exit(
            f"Ambiguous script specification {name} matches multiple entry points:"
            + "".join(f"\n\t{value} from {dist}" for value, dist in found.values())
        )
    return next(iter(found.values()))[0] if found else None


def near_script(name):
    """For the message about a script that is not there."""
    from difflib import get_close_matches
    from importlib.metadata import entry_points

    points = entry_points()
    names = [
        point.name
        for group in ("console_scripts", "gui_scripts")
        for point in points.select(group=group)
    ]
    try:
        names += os.listdir(os.path.join(sys.prefix, "bin"))
    except OSError:
        pass
    near = get_close_matches(name, list(dict.fromkeys(names)), n=3)
    return " Did you mean " + " or ".join(map(repr, near)) + "?" if near else ""
