# SPDX-License-Identifier: Apache-2.0
"""The project that the tests import: three wheels and what is in them."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Dict, List

sys.path.append(str(Path(__file__).resolve().parents[1]))
from build_wheel import build_wheel  # noqa: E402

EXTENSION = """\
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject *
answer(PyObject *self, PyObject *unused)
{
    return PyLong_FromLong(42);
}

static PyMethodDef functions[] = {
    {"answer", answer, METH_NOARGS, "The answer."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static struct PyModuleDef def = {
    PyModuleDef_HEAD_INIT, .m_name = "NAME", .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit_NAME(void) { return PyModuleDef_Init(&def); }
"""

TWIN = '"""Twin."""\n\n\ndef where():\n    return where.__code__.co_filename\n'

# Namespace packages of old: pkgutil's, which each wheel has in full, and the
# line that setuptools writes in place of an __init__.py.
NSPKG = b"__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n"
NSPKG_PTH = (
    b"import sys, types, os;has_mfs = sys.version_info > (3, 5);"
    b"p = os.path.join(sys._getframe(1).f_locals['sitedir'], *('legacy',));"
    b"importlib = has_mfs and __import__('importlib.util');"
    b"has_mfs and __import__('importlib.machinery');"
    b"m = has_mfs and sys.modules.setdefault('legacy', "
    b"importlib.util.module_from_spec(importlib.machinery.PathFinder.find_spec("
    b"'legacy', [os.path.dirname(p)])));"
    b"m = m or sys.modules.setdefault('legacy', types.ModuleType('legacy'));"
    b"mp = (m or []) and m.__dict__.setdefault('__path__',[]);"
    b"(p not in mp) and mp.append(p)\n"
)

DOCUMENTED = '''\
"""Functions that show where they are.

>>> double(2)
4
>>> double(3)
7
"""

import dataclasses
import inspect
import logging
import warnings


def double(value):
    """Twice the value.

    >>> double("a")
    'aa'
    """
    result = value + value
    return result


def warn():
    warnings.warn("shown", UserWarning)


def log():
    logging.getLogger("demo").warning("said %s", 1)


def stack():
    return inspect.stack()


def crash():
    import ctypes
    ctypes.string_at(0)


class Bad:
    def __del__(self):
        raise ValueError("in __del__")


@dataclasses.dataclass
class Point:
    x: "int"
    y: int = 0
'''

DEMO: Dict[str, str] = {
    "demo/__init__.py": '"""A package."""\n\n__all__ = ["plain"]\nVALUE = 1\n',
    "demo/__main__.py": (
        "import sys\n"
        "print(__name__, __file__, __package__, __spec__.name, sys.argv[1:])\n"
        "print(sys.argv[0], sys.path[0])\n"
    ),
    "demo/plain.py": (
        '"""A module."""\n\nimport os\n\n\n'
        'class Thing:\n    """A class."""\n\n    def method(self):\n'
        "        return os.sep  # é\n\n\n"
        "def outer(f):\n    def inner():\n        return f()\n\n"
        "    return inner\n\n\n"
        "def fail(value):\n    raise ValueError(value)\n"
    ),
    "demo/documented.py": DOCUMENTED,
    "demo/pooled.py": (
        "import multiprocessing\n\n\ndef work(x):\n    return x + 1, __name__\n\n\n"
        "if __name__ == '__main__':\n"
        "    context = multiprocessing.get_context('spawn')\n"
        "    with context.Pool(1) as pool:\n"
        "        print(pool.map(work, range(3)))\n"
    ),
    "demo/data/example.txt": ">>> import demo\n>>> demo.VALUE\n1\n",
    "demo/tests/__init__.py": "",
    "demo/tests/test_it.py": (
        "import unittest\n\n\nclass Case(unittest.TestCase):\n"
        "    def test_it(self):\n        self.assertTrue(1)\n"
    ),
    "demo/empty.py": "",
    "demo/crlf.py": 'X = """a\r\nb"""\r\n\r\n\r\ndef f():\r\n    return X\r\n',
    "demo/opt.py": (
        '"""Doc."""\n\nDEBUG = __debug__\n\n\n'
        'def checked():\n    """Doc of a function."""\n'
        '    assert False, "asserted"\n    return "unchecked"\n'
    ),
    "demo/twin_a.py": TWIN,
    "demo/twin_b.py": TWIN,
    "demo/both.py": 'KIND = "module"\n',
    "demo/both/__init__.py": 'KIND = "package"\n',
    "demo/dirless.py": 'KIND = "module"\n',
    "demo/dirless/note.txt": "no package\n",
    "demo/_ext.py": 'KIND = "hidden by the extension module"\n',
    "demo/\u00fcml\u00e4ut.py": "NAME = __name__\n",
    "demo/sub/__init__.py": "from .leaf import LEAF\n",
    "demo/sub/leaf.py": "from .. import VALUE\nfrom . import sibling\n"
    "LEAF = VALUE + sibling.S\n",
    "demo/sub/sibling.py": "S = 2\n",
    "demo/sub/__main__.py": "print('sub', __name__)\n",
    "demo/sub/deep/inside.py": "I = __package__\n",
    "demo/data/greeting.txt": "hello\n",
    "demo/data/nested/more.txt": "more \u00e9\n",
    "demo/circular/__init__.py": "",
    "demo/circular/a.py": "from . import b\nA = 1\n",
    "demo/circular/b.py": "from . import a\n\n\ndef get():\n    return a.A\n",
    "demo/circular/c.py": "from .d import D\nC = 1\n",
    "demo/circular/d.py": "from .c import C\nD = 1\n",
    "demo/circular/e.py": "from . import f\nE = 1\n",
    "demo/circular/f.py": "from . import e\nF = e.E\n",
    "demo/bad/__init__.py": "",
    "demo/bad/syntax.py": "x = 1\nif x\n    pass\n",
    "demo/bad/indent.py": "if 1:\n  x\n y\n",
    "demo/bad/missing.py": "import thing_that_is_absent\n",
    "demo/bad/body.py": "def f():\n    1 / 0\n\n\nf()\n",
    "demo/bad/chain.py": "from . import body\n",
    "demo/bad/beyond.py": "from .... import x\n",
    "demo/bad/name.py": "from ..plain import absent\n",
    "demo/bad/exits.py": "raise SystemExit(3)\n",
    "demo/bad/package/__init__.py": "raise RuntimeError('no')\n",
    "demo/bad/package/sub.py": "",
    "demo/reloaded.py": "COUNT = globals().get('COUNT', 0) + 1\n",
    "demo/extended/__init__.py": (
        "import pkgutil\n__path__ = pkgutil.extend_path(__path__, __name__)\n"
    ),
    "demo/extended/own.py": "",
    "demo/swapped.py": (
        "import sys, types\n"
        "sys.modules[__name__] = types.SimpleNamespace(swapped=True)\n"
    ),
    "demo/attributes.py": (
        "NAMES = sorted(globals())\nFILE = __file__\nCACHED = __cached__\n"
        "SPEC = __spec__.origin\nINITIALIZING = __spec__._initializing\n"
    ),
    "nspkg/user.py": "USER = __name__\n",
    "legacy/user.py": "USER = __name__\n",
    "demo_single.py": '"""One file."""\n\nimport demo.plain\n',
}

RAW: Dict[str, bytes] = {
    "demo/latin.py": b"# -*- coding: latin-1 -*-\nTEXT = 'caf\xe9'\n",
    "demo/bom.py": b"\xef\xbb\xbfTEXT = '\xc3\xa9'\n",
    "demo/bad/encoding.py": b"# -*- coding: no-such-codec -*-\n",
    "demo/bad/not_utf8.py": b"x = 1\ny = '\xff'\n",
    "demo/bad/nul.py": b"x = 1\0\n",
    "demo/bad/magic.pyc": b"\x00\x00\r\n" + bytes(12) + b"N",
    "demo/bad/short.pyc": b"\xa7\r\r\n\0\0",
    "demo/bad/no_code.pyc": b"\xa7\r\r\n" + bytes(12) + b"N",
    "demo/bad/_ext.abi3.so": b"not a shared object",
    "demo/data/bytes.bin": bytes(range(256)) * 40,
}

ENTRY_POINTS = """\
[console_scripts]
demo-tool = demo.plain:outer

[demo.plugins]
one = demo.sub
two = demo.plain:Thing.method [extra]
"""


def compile_extension(include: Path, folder: Path, name: str) -> bytes:
    source = EXTENSION.replace("NAME", name)
    out = folder / f"{name}.so"
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-O1", f"-I{include}", "-xc", "-", "-o",
         str(out)],
        input=source.encode(), check=True,
    )
    return out.read_bytes()


def compile_bytecode(python: Path, folder: Path, text: str) -> bytes:
    source = folder / "gone.py"
    source.write_text(text)
    subprocess.run(
        [str(python), "-I", "-c",
         "import py_compile, sys; py_compile.compile(sys.argv[1], sys.argv[2],"
         " dfile='built/elsewhere/gone.py')", str(source), str(source) + "c"],
        check=True,
    )
    return Path(str(source) + "c").read_bytes()


def zip_bytes(files: Dict[str, str]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as z:
        for name, text in files.items():
            z.writestr(name, text)
    return stream.getvalue()


def wheel_files(wheel: Path) -> Dict[str, bytes]:
    with zipfile.ZipFile(wheel) as z:
        return {name: z.read(name) for name in z.namelist()}


def demo_files(python: Path, include: Path, folder: Path) -> Dict[str, bytes]:
    files = {name: text.encode() for name, text in DEMO.items()}
    files["nspkg/__init__.py"] = NSPKG
    files.update(RAW)
    files["demo/_ext.cpython-311-x86_64-linux-gnu.so"] = compile_extension(
        include, folder, "_ext")
    files["demo/_stable.abi3.so"] = compile_extension(
        include, folder, "_stable")
    files["demo/sourceless.pyc"] = compile_bytecode(
        python, folder, '"""No source."""\n\n\ndef f():\n    return 1\n')
    files["demo/sourceless_package/__init__.pyc"] = compile_bytecode(
        python, folder, "from . import inner\n")
    files["demo/sourceless_package/inner.pyc"] = compile_bytecode(
        python, folder, "INNER = __name__\n")
    files["demo/inner.zip"] = zip_bytes({
        "zipped.py": "def f():\n    raise KeyError('zipped')\n",
        "zipped_package/__init__.py": "Z = 1\n",
        "zipped_package/data.txt": "in a zip\n",
    })
    return files


def write_wheels(python: Path, include: Path, folder: Path) -> List[Path]:
    """`python`: the distribution's executable; `include`: its headers."""
    folder.mkdir(parents=True, exist_ok=True)
    demo = demo_files(python, include, folder)
    info = "demo-1.5.dist-info"
    demo[f"{info}/entry_points.txt"] = ENTRY_POINTS.encode()
    demo[f"{info}/top_level.txt"] = b"demo\ndemo_single\n"
    return [
        build_wheel(folder, "demo", "1.5", "cp311-cp311-linux_x86_64", demo,
                    "Requires-Dist: space-one\n"
                    "Requires-Dist: absent; extra == 'extra'\n"
                    "Provides-Extra: extra\n"),
        build_wheel(folder, "space_one", "1.0", "py3-none-any", {
            "space/one/__init__.py": b"ONE = __name__\n",
            "space/one/text.txt": b"one\n",
            "space/shared/from_one.py": b"",
            "space/only.py": b"",
            "nspkg/__init__.py": NSPKG,
            "nspkg/one.py": b"ONE = __name__\n",
            "legacy/one.py": b"ONE = __name__\n",
            "space_one-nspkg.pth": NSPKG_PTH,
        }),
        build_wheel(folder, "space_two", "2.0rc1", "py3-none-any", {
            "space/two.py": b"TWO = __name__\n",
            "space/shared/from_two.py": b"",
            "space/shared/data.txt": b"two\n",
            "nspkg/__init__.py": NSPKG,
            "nspkg/two.py": b"TWO = __name__\n",
            "legacy/two.py": b"TWO = __name__\n",
            "space_two-nspkg.pth": NSPKG_PTH,
        }),
    ]
