# SPDX-License-Identifier: Apache-2.0
"""Imports in a second interpreter of the process."""

import _xxsubinterpreters as interpreters

import demo.sub.leaf

CODE = """
import json, sys
import demo.sub.leaf, space.two, email.message
with open({output!r}, "w") as f:
    json.dump([demo.sub.leaf.LEAF, demo.__file__, space.two.__spec__.origin,
               list(space.__path__), demo.plain.__cached__
               if hasattr(demo, "plain") else None], f)
"""

for run in range(3):
    interpreter = interpreters.create()
    output = f"{SCRATCH}/{run}"
    interpreters.run_string(interpreter, CODE.format(output=output))
    interpreters.destroy(interpreter)
    with open(output, encoding="utf-8") as f:
        record(f"interpreter {run}", f.read())
record("here", [demo.sub.leaf.LEAF, describe_module(demo.sub)])
