# SPDX-License-Identifier: Apache-2.0
"""Asserts, docstrings and cache names, for -O and -OO."""

import importlib.util
import json
import sys

import demo.opt

record("flags", [sys.flags.optimize, demo.opt.DEBUG, __debug__])
record("docs", [demo.opt.__doc__, demo.opt.checked.__doc__, json.loads.__doc__,
                json.__doc__])
attempt("assert", demo.opt.checked)
record("spec", [describe_spec(importlib.util.find_spec(n)) for n in
                ("demo.opt", "demo", "json", "demo._ext", "demo.sourceless")])
record("module", describe_module(demo.opt))
