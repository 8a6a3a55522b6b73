/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot_streams.h"

#include "snapshot_objects.h"

#include <stdbool.h>
#include <string.h>
#include <structmember.h>
#include <sys/stat.h>
#include <unistd.h>

/* Python's global flags are deprecated from 3.12 on. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

/* In the owned data: where the fields are.  Those without a member of the
 * type lie between two that have one (_io/textio.c, _io/fileio.c). */
static struct {
    Py_ssize_t buffer;         /* before `encoding` */
    Py_ssize_t encoder;        /* behind it */
    Py_ssize_t decoder;        /* behind that */
    Py_ssize_t errors;         /* two behind that */
    Py_ssize_t line_buffering; /* char; followed by write_through */
    Py_ssize_t seekable;       /* char, five behind line_buffering */
    Py_ssize_t telling;        /* char, before `_finalizing` */
    Py_ssize_t raw_bits;       /* char, behind the descriptor */
    Py_ssize_t raw_blksize;    /* unsigned */
} at;

#define RAW_READABLE 2u
#define RAW_WRITABLE 4u
#define RAW_SEEKABLE_UNKNOWN 0x30u /* -1 in two bits */

#define FIELD(o, type, offset) (*(type *)(void *)((char *)(o) + (offset)))

static const char *const attributes[]
    = {"__stdin__", "__stdout__", "__stderr__"};

/* --- where the fields are ------------------------------------------------ */

/* -1: there is no such member of that kind. */
static Py_ssize_t
member(const PyTypeObject *type, const char *name, int kind)
{
    for (const PyMemberDef *m = type->tp_members; m != NULL && m->name != NULL;
         m++) {
        if (strcmp(m->name, name) == 0) {
            return m->type == kind ? m->offset : -1;
        }
    }
    return -1;
}

static bool
find_fields(const PyTypeObject *text, const PyTypeObject *raw)
{
    Py_ssize_t encoding = member(text, "encoding", T_OBJECT);
    Py_ssize_t line_buffering = member(text, "line_buffering", T_BOOL);
    Py_ssize_t finalizing = member(text, "_finalizing", T_BOOL);
    Py_ssize_t blksize = member(raw, "_blksize", T_UINT);
    Py_ssize_t word = sizeof(void *);

    at.buffer = encoding - word;
    at.encoder = encoding + word;
    at.decoder = encoding + 2 * word;
    at.errors = encoding + 4 * word;
    at.line_buffering = line_buffering;
    at.seekable = line_buffering + 5;
    at.telling = line_buffering + 7;
    at.raw_bits = (Py_ssize_t)(sizeof(PyObject) + sizeof(int));
    at.raw_blksize = blksize;
    return encoding > 0 && blksize > at.raw_bits
           && member(text, "buffer", T_OBJECT) == at.buffer
           && line_buffering == encoding + 6 * word
           && member(text, "write_through", T_BOOL) == line_buffering + 1
           && finalizing == line_buffering + 8
           && member(raw, "_finalizing", T_BOOL) == at.raw_bits + 1;
}

static bool
attribute_is(PyObject *o, const char *name, const void *want)
{
    PyObject *value = PyObject_GetAttrString(o, name);

    Py_XDECREF(value);
    PyErr_Clear();
    return value == want;
}

static bool
is_instance(PyObject *o, const char *type)
{
    return strcmp(Py_TYPE(o)->tp_name, type) == 0;
}

/* The layers are io's own, and the fields have what their attributes say. */
static bool
is_known(int fd, PyObject *text, PyObject *buffer, PyObject *raw)
{
    const char *buffered
        = fd == STDIN_FILENO ? "_io.BufferedReader" : "_io.BufferedWriter";
    unsigned int access = fd == STDIN_FILENO ? RAW_READABLE : RAW_WRITABLE;
    PyObject *seekable;
    bool can_seek;

    if (!is_instance(text, "_io.TextIOWrapper")
        || !is_instance(buffer, buffered) || !is_instance(raw, "_io.FileIO")
        || !find_fields(Py_TYPE(text), Py_TYPE(raw))) {
        return false;
    }
    seekable = PyObject_CallMethod(buffer, "seekable", NULL);
    can_seek = seekable == Py_True;
    Py_XDECREF(seekable);
    PyErr_Clear();
    return FIELD(raw, int, sizeof(PyObject)) == fd
           && (FIELD(raw, unsigned char, at.raw_bits)
               & (RAW_READABLE | RAW_WRITABLE))
                  == access
           && attribute_is(text, "errors", FIELD(text, void *, at.errors))
           && FIELD(text, char, at.seekable) == can_seek
           && FIELD(text, char, at.telling) == can_seek
           && (FIELD(text, void *, at.encoder) == NULL) == (fd == STDIN_FILENO)
           && (FIELD(text, void *, at.decoder) == NULL)
                  == (fd != STDIN_FILENO);
}

/* --- preparation --------------------------------------------------------- */

static bool
has_errors(PyObject *text, const char *name)
{
    return PyUnicode_CompareWithASCIIString(FIELD(text, PyObject *, at.errors),
                                            name)
           == 0;
}

/* A text stream over the same buffer, whose fields refresh() exchanges. */
static PyObject *
new_spare(PyObject *text, PyObject *buffer)
{
    const char *errors
        = has_errors(text, "strict") ? "surrogateescape" : "strict";

    return PyObject_CallFunction((PyObject *)Py_TYPE(text), "Osss", buffer,
                                 "utf-8", errors, "\n");
}

static bool
prepare_stream(int fd)
{
    PyObject *text = PySys_GetObject(attributes[fd]);
    PyObject *buffer
        = text != NULL ? PyObject_GetAttrString(text, "buffer") : NULL;
    PyObject *raw
        = buffer != NULL ? PyObject_GetAttrString(buffer, "raw") : NULL;
    bool known = raw != NULL && is_known(fd, text, buffer, raw);

    if (known) {
        pexcz_snapshot_objects.streams[fd] = text;
        pexcz_snapshot_objects.raws[fd] = raw;
        if (fd != STDERR_FILENO) {
            pexcz_snapshot_objects.spares[fd] = new_spare(text, buffer);
            known = pexcz_snapshot_objects.spares[fd] != NULL;
        }
    }
    Py_XDECREF(raw);
    Py_XDECREF(buffer);
    PyErr_Clear();
    return known;
}

int
pexcz_streams_prepare(struct pexcz_error *err)
{
    bool known = true;

    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO && known; fd++) {
        known = prepare_stream(fd);
    }
    return known ? PEXCZ_OK
                 : pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                              "the imports leave other standard streams");
}

/* --- refresh ------------------------------------------------------------- */

/* Calls type(self).__init__ again with these arguments, which are consumed. */
static int
initialise(PyObject *self, PyObject *args)
{
    int rc = args != NULL ? Py_TYPE(self)->tp_init(self, args, NULL) : -1;

    Py_XDECREF(args);
    return rc;
}

/* What FileIO.__init__ finds out about a descriptor, and what it forgets. */
static long
refresh_raw(PyObject *raw, int fd)
{
    struct stat st;
    unsigned int size = 8192; /* io.DEFAULT_BUFFER_SIZE */

    if (fstat(fd, &st) == 0 && st.st_blksize > 1) {
        size = (unsigned int)st.st_blksize;
    }
    FIELD(raw, unsigned int, at.raw_blksize) = size;
    FIELD(raw, unsigned char, at.raw_bits) |= RAW_SEEKABLE_UNKNOWN;
    return (long)size;
}

static void
exchange(PyObject *text, PyObject *spare)
{
    const Py_ssize_t fields[] = {at.encoder, at.decoder, at.errors};

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        PyObject *kept = FIELD(text, PyObject *, fields[i]);

        FIELD(text, PyObject *, fields[i])
            = FIELD(spare, PyObject *, fields[i]);
        FIELD(spare, PyObject *, fields[i]) = kept;
    }
}

static void
refresh_text(PyObject *text, int fd, const char *errors)
{
    char can_seek = lseek(fd, 0, SEEK_CUR) >= 0;

    if (fd != STDERR_FILENO && !has_errors(text, errors)) {
        exchange(text, pexcz_snapshot_objects.spares[fd]);
    }
    FIELD(text, char, at.line_buffering)
        = fd == STDERR_FILENO || isatty(fd) == 1;
    FIELD(text, char, at.seekable) = can_seek;
    FIELD(text, char, at.telling) = can_seek;
}

/* PYTHONUNBUFFERED: text goes to the descriptor itself. */
static int
refresh_unbuffered(PyObject *text, PyObject *buffer, PyObject *raw, int fd,
                   const char *errors)
{
    PyObject *below = fd == STDIN_FILENO ? buffer : raw;

    if (below == raw) {
        Py_INCREF(buffer); /* its end would close `raw` */
    }
    return initialise(text, Py_BuildValue("OsssOO", below, "utf-8", errors,
                                          "\n", Py_False, Py_True));
}

static int
refresh_stream(int fd, const char *errors)
{
    PyObject *text = pexcz_snapshot_objects.streams[fd];
    PyObject *buffer = FIELD(text, PyObject *, at.buffer);
    PyObject *raw = pexcz_snapshot_objects.raws[fd];
    int rc
        = initialise(buffer, Py_BuildValue("Ol", raw, refresh_raw(raw, fd)));

    if (rc == 0 && Py_UnbufferedStdioFlag != 0) {
        rc = refresh_unbuffered(text, buffer, raw, fd, errors);
    }
    else if (rc == 0) {
        refresh_text(text, fd, errors);
    }
    return rc;
}

int
pexcz_streams_refresh(const char *stdio_errors)
{
    int rc = 0;

    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO && rc == 0; fd++) {
        rc = refresh_stream(fd, fd == STDERR_FILENO ? "backslashreplace"
                                                    : stdio_errors);
    }
    return rc;
}
