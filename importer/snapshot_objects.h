/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a restored process makes anew, found once, when the snapshot is made:
 * looking it up costs more than changing it.
 */
#ifndef PEXCZ_SNAPSHOT_OBJECTS_H
#define PEXCZ_SNAPSHOT_OBJECTS_H

#include <Python.h>

#include <signal.h>

/* Classes of _io that can hold bytes back. */
#define PEXCZ_IO_WRITERS 4

struct pexcz_snapshot_objects {
    int utf8_mode;       /* of sys.flags */
    int has_sqlite;      /* _sqlite3 is loaded */
    int has_openssl;     /* _hashlib or _ssl was */
    PyObject *argv;      /* sys.argv, a list */
    PyObject *orig_argv; /* sys.orig_argv, a list */
    PyObject *environ;   /* posix.environ, a dict; NULL without posix */
    PyObject *streams[3];
    PyObject *raws[3];        /* at the bottom of these */
    PyObject *spares[3];      /* stdin, stdout for the other error handler;
                               * owned */
    PyObject *signal;         /* _signal.signal */
    PyObject *handlers[NSIG]; /* callable ones; else NULL */
    unsigned char ignored[NSIG];
    PyObject *tzset;             /* time.tzset; NULL without time */
    PyCFunction gc_functions[2]; /* gc's own: snapshot_gc.h */
    /* What live_objects.c looks for at exit: owned; NULL until it did. */
    PyTypeObject *io_base;
    PyTypeObject *io_writers[PEXCZ_IO_WRITERS];
    PyObject *del; /* "__del__" */
};

/* In the owned data, so that a snapshot has them.  Borrowed references: what
 * is alive in the dump is so in a restored process, until code runs there, and
 * must be free to end.  A stream ends by being written out. */
extern struct pexcz_snapshot_objects pexcz_snapshot_objects;

#endif
