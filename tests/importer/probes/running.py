# SPDX-License-Identifier: Apache-2.0
"""runpy: modules and files of the tree as __main__."""

import contextlib
import io
import runpy
import sys


def captured(function, *arguments, **options):
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream):
        result = function(*arguments, **options)
    return [stream.getvalue(), sorted(
        key for key in result if key not in ("__builtins__", "__doc__")),
        result["__name__"], result["__file__"], result["__cached__"],
        result["__package__"], describe_spec(result["__spec__"])]


sys.argv[1:] = ["argument"]
for name in ("demo", "demo.plain", "demo.sub", "demo.sub.leaf", "demo.__main__",
             "demo.sourceless", "demo.absent", "absent", "demo.data", "space",
             "demo._ext", "demo.bad.syntax", "demo.bad.package.sub", "space.one",
             "demo.both", "json.tool.absent"):
    attempt(f"run_module {name}", captured, runpy.run_module, name)
    attempt(f"run_module {name} as main", captured, runpy.run_module, name,
            run_name="__main__", alter_sys=True)
for path in ("demo/plain.py", "demo/sourceless.pyc", "demo", "demo/sub",
             "demo/inner.zip", "demo/absent.py", "demo/data", "demo/crlf.py",
             "demo/latin.py", "demo/bad/syntax.py"):
    attempt(f"run_path {path}", captured, runpy.run_path, f"{SITE}/{path}")
