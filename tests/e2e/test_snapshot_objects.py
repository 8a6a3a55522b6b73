# SPDX-License-Identifier: Apache-2.0
"""What the garbage collector says is there, restored and booted."""

from __future__ import annotations

from textwrap import dedent
from typing import Callable

from conftest import App, Sides, run

ASKER = """\
    import gc, inspect, textwrap, trace

    class Plugin:
        all = []
        def __init__(self, name): self.name = name
        def method(self): pass
    first = Plugin("first")
    table = {"plugin": first, "second": Plugin("second")}

    def names(function):
        return sorted(type(o).__name__ for o in gc.get_referrers(function))

    def main():
        found = [o for o in gc.get_objects() if isinstance(o, Plugin)]
        print(sorted(o.name for o in found))
        third = Plugin("third")
        print(any(o is third for o in gc.get_objects()))
        print(any(o is first for o in [*gc.get_objects(0), *gc.get_objects(1),
                                       *gc.get_objects(generation=2)]))
        for o in first, table, Plugin.method, Plugin.method.__code__, Plugin, trace.Trace.runfunc:
            print(names(o))
        print(any(o is table for o in gc.get_referrers(first)), gc.get_referrers())
        for wrong in -1, 3, "x":
            try:
                gc.get_objects(wrong)
            except Exception as error:
                print(repr(error))
        print(gc.get_objects.__name__, inspect.signature(gc.get_objects),
              gc.get_referrers.__doc__.splitlines()[0])
        # What a function imports may have been imported when packing.
        print("fractions", [f.__name__ for f in gc.get_objects() if inspect.isfunction(f)
                            and f.__module__ == "fractions"],
              [t.__name__ for t in gc.get_objects() if isinstance(t, type)
               and t.__module__ == "fractions"])
        import fractions
        print(any(o is fractions for o in gc.get_objects()),
              any(o is fractions.Fraction for o in gc.get_objects()))
        gc.unfreeze()
        print(len([o for o in gc.get_objects() if o is first]))
    """


def test_objects_and_referrers(make_app: Callable[..., App]) -> None:
    app = make_app("-e", "asker:main", sources={"asker.py": dedent(ASKER)})
    restored, booted = (
        run([app.exe], env={"LANG": "C.UTF-8", "PEXCZ_SNAPSHOT": value})
        for value in ("explain", "0")
    )
    assert (booted.code, booted.err) == (0, b""), booted.err.decode()
    assert restored == booted


def test_reference_says_the_same(make_app: Callable[..., App], sides: Sides) -> None:
    sides.compare(make_app("-e", "asker:main", sources={"asker.py": dedent(ASKER)}))
