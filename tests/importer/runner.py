# SPDX-License-Identifier: Apache-2.0
"""Runs a probe and writes what it records as JSON.

usage: PYTHON -I -B runner.py PROBE OUTPUT ROOT SCRATCH

A probe is a script that calls record(key, value) with what it observes; it
also has ROOT, SITE (site-packages below ROOT), SCRATCH (an empty folder of
the real file system) and the helpers below.  An exception that leaves the
probe fails the run.
"""

import json
import os
import sys


def main():
    probe, output, root, scratch = sys.argv[1:]
    records = {}

    def record(key, value):
        assert key not in records, f"recorded twice: {key}"
        records[key] = json.loads(json.dumps(value, default=repr))

    def attempt(key, function, *arguments, **options):
        """Records the result, or class and text of the exception."""
        try:
            value = function(*arguments, **options)
        except BaseException as e:
            record(key, describe_error(e))
        else:
            record(key, value)

    def describe_error(e):
        fields = {name: repr(getattr(e, name))
                  for name in ("name", "path", "filename", "errno", "lineno",
                               "offset", "text", "msg", "code")
                  if hasattr(e, name)}
        return [type(e).__name__, str(e), fields]

    def describe_loader(loader):
        if loader is None or isinstance(loader, type):
            return repr(loader)
        return [type(loader).__name__, getattr(loader, "name", None),
                getattr(loader, "path", None)]

    def describe_spec(spec):
        if spec is None:
            return None
        locations = spec.submodule_search_locations
        return {
            "type": type(spec).__name__,
            "name": spec.name,
            "loader": describe_loader(spec.loader),
            "origin": spec.origin,
            "cached": spec.cached,
            "has_location": spec.has_location,
            "locations": None if locations is None
            else [type(locations).__name__, *locations],
            "parent": spec.parent,
            "loader_state": repr(spec.loader_state),
        }

    def describe_module(module):
        names = vars(module)
        return {
            "names": list(names),
            "file": getattr(module, "__file__", "-"),
            "cached": getattr(module, "__cached__", "-"),
            "name": module.__name__,
            "package": module.__package__,
            "path": list(names["__path__"]) if "__path__" in names else None,
            "doc": module.__doc__,
            "loader": describe_loader(module.__loader__),
            "same": module.__loader__ is module.__spec__.loader,
            "spec": describe_spec(module.__spec__),
            "repr": repr(module),
        }

    version = "python%d.%d" % sys.version_info[:2]
    scope = {
        "__name__": "__main__",
        "ROOT": root,
        "STDLIB": os.path.join(root, "lib", version),
        "SITE": os.path.join(root, "lib", version, "site-packages"),
        "SCRATCH": scratch,
        "record": record,
        "attempt": attempt,
        "describe_error": describe_error,
        "describe_loader": describe_loader,
        "describe_spec": describe_spec,
        "describe_module": describe_module,
    }
    with open(probe, encoding="utf-8") as f:
        code = compile(f.read(), probe, "exec")
    exec(code, scope)
    with open(output, "w", encoding="utf-8") as f:
        json.dump(records, f)


if __name__ == "__main__":
    main()
