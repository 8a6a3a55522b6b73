# SPDX-License-Identifier: Apache-2.0
"""What is torn down at exit, and what not, where shared objects are used."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Callable

import pytest
from own_library import both
from sides import run

CAPSULE = """
static void end(PyObject *capsule)
{
    FILE *stream = PyCapsule_GetPointer(capsule, NULL);
    fputs("the end\\n", stream);
    fclose(stream);
}
static PyObject *make(PyObject *self, PyObject *unused)
{
    return PyCapsule_New(fdopen(dup(1), "w"), NULL, end);
}
"""

# A type that the collector does not know.
PLAIN = """
struct thing { PyObject_HEAD };
static void end(PyObject *self)
{
    %s;
    PyObject_Free(self);
}
static PyTypeObject Thing = {
    .ob_base = {PyObject_HEAD_INIT(NULL) 0}, .tp_name = "own.Thing",
    .tp_basicsize = sizeof(struct thing), .tp_dealloc = end,
    .tp_flags = Py_TPFLAGS_DEFAULT, .tp_free = PyObject_Free,
};
static PyObject *make(PyObject *self, PyObject *unused)
{
    return PyType_Ready(&Thing) < 0 ? NULL : PyObject_New(PyObject, &Thing);
}
"""

# One that it does, and that calls what it was given.
CALLS = """
struct thing { PyObject_HEAD PyObject *call; };
static int traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((struct thing *)self)->call);
    return 0;
}
static void end(PyObject *self)
{
    struct thing *thing = (struct thing *)self;
    PyObject *call = thing->call;
    PyObject_GC_UnTrack(self);
    %s
    Py_XDECREF(PyObject_CallNoArgs(call));
    Py_XDECREF(thing->call);
    PyObject_GC_Del(self);
}
static PyTypeObject Thing = {
    .ob_base = {PyObject_HEAD_INIT(NULL) 0}, .tp_name = "own.Thing",
    .tp_basicsize = sizeof(struct thing), .tp_dealloc = end,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, .tp_traverse = traverse,
};
static PyObject *make(PyObject *self, PyObject *call)
{
    struct thing *thing;
    if (PyType_Ready(&Thing) < 0) return NULL;
    thing = PyObject_GC_New(struct thing, &Thing);
    if (thing != NULL) { thing->call = Py_NewRef(call); PyObject_GC_Track(thing); }
    return (PyObject *)thing;
}
"""

METHOD = """
static PyMethodDef methods[] = {{"make", make, %s, NULL}, {0}};
static int start(PyObject *m) { (void)m; return 0; }
"""

USER = """\
import own

def bye(print=print):
    print("the end")

kept = []
def main():
    kept.append(own.make(%s))
    print("main", flush=True)
"""

# What the end of an object is when nobody looks for it.
EXIT = 9

# The C text, the kind of the function make(), its argument.
NOTICED = {
    "writes to what it opened": (CAPSULE, "METH_NOARGS", ""),
    "prints": (PLAIN % 'puts("the end"); fflush(stdout)', "METH_NOARGS", ""),
    "prints by Python": (PLAIN % 'PySys_WriteStdout("the end\\n")', "METH_NOARGS", ""),
    "calls a function": (CALLS % "", "METH_O", "bye"),
    "calls what is in a list": (
        CALLS % "call = PyTuple_GET_ITEM(PyList_GET_ITEM(call, 0), 0);",
        "METH_O", "[(bye,)]"),
}  # fmt: skip
UNNOTICED = {
    "refers to data": (CALLS % f"_exit({EXIT});", "METH_O", "[(1, 'a')]"),
    "is unknown to the collector": (PLAIN % f"_exit({EXIT})", "METH_NOARGS", ""),
}


@pytest.mark.parametrize("name", NOTICED)
def test_end_of_an_object(
    pack_own: Callable[..., Path], tmp_path: Path, name: str
) -> None:
    """From the snapshot and loaded by ld.so: as in any Python."""
    text, kind, argument = NOTICED[name]
    exe = pack_own(text + METHOD % kind, user=USER % argument)
    assert "not in the snapshot: own" not in (tmp_path / "report").read_text()
    assert both(exe) == ["main\nthe end\n"] * 2


@pytest.mark.parametrize("name", UNNOTICED)
def test_end_that_nobody_notices(pack_own: Callable[..., Path], name: str) -> None:
    """Nothing is torn down for objects that have no way to be noticed."""
    text, kind, argument = UNNOTICED[name]
    exe = pack_own(text + METHOD % kind, user=USER % argument)
    assert both(exe) == ["main\n"] * 2


def test_end_of_what_an_import_made(pack_own: Callable[..., Path]) -> None:
    """An object of the snapshot prints when it goes, too."""
    text, kind, _ = NOTICED["prints by Python"]
    user = "import own\nkept = own.make()\ndef main():\n    print('main', flush=True)\n"
    exe = pack_own(text + METHOD % kind, user=user)
    assert both(exe) == ["main\nthe end\n"] * 2


def test_constructor_is_not_noticed(pack_own: Callable[..., Path]) -> None:
    """What a library writes when it is loaded has nothing to do with objects."""
    text = """
    #include <fcntl.h>
    __attribute__((constructor)) static void construct(void)
    {
        int fd = open("/dev/null", O_RDWR);
        (void)!write(fd, "x", 1);
        close(fd);
    }
    """
    text = dedent(text) + PLAIN % f"_exit({EXIT})" + METHOD % "METH_NOARGS"
    exe = pack_own(text, user=USER % "")
    env = {"LANG": "C.UTF-8", "HOME": str(exe.parent)}
    done = [run([exe], env={**env, "PEXCZ_SNAPSHOT": v}) for v in ("explain", "0")]
    assert [(d.code, d.out, d.err) for d in done] == [
        (0, b"main\n", b""), (EXIT, b"main\n", b"")
    ]  # fmt: skip
