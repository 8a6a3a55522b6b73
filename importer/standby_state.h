/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the standby share. */
#ifndef PEXCZ_STANDBY_STATE_H
#define PEXCZ_STANDBY_STATE_H

#include <Python.h>
#include <stdbool.h>
#include <stdint.h>

/* A class of a module on standby, which its base does not know of. */
struct pexcz_standby_hidden {
    PyTypeObject *base;
    PyObject *key; /* of the entry in the base's table of subclasses */
    PyObject *reference;
    unsigned int version; /* of the base */
};

enum pexcz_standby_place {
    IN_USE, /* in sys.modules, if not taken out again */
    STANDBY,
    TAKEN, /* its import has begun */
};

struct pexcz_standby_module {
    PyObject *name;
    PyObject *module;
    PyObject *imports;
    PyObject *children;
    PyObject *classes;
    PyObject *spec; /* of the import that has begun */
    PyObject *tail; /* the name in its package; NULL: it is in none */
    PyObject *package_name;
    PyObject *package; /* the module; NULL: not known */
    uint64_t version;  /* of its variables */
    size_t *needs;
    size_t need_count;
    struct pexcz_standby_hidden *hidden;
    size_t hidden_count;
    size_t *order; /* modules on standby that an import of this one imports,
                    * itself the last; NULL: not known */
    size_t order_count;
    enum pexcz_standby_place state;
    bool restored;
};

struct pexcz_standby_state {
    struct pexcz_standby_module *modules;
    size_t count;
    PyObject *index;          /* dict: name of a module on standby -> number */
    PyObject *create_builtin; /* _imp's own */
    PyObject *load;           /* code objects of importlib's functions */
    PyObject *find_and_load;
    PyObject *init_attributes;
};

extern struct pexcz_standby_state pexcz_standby;

/* The module of that name that was put on standby; NULL: there is none. */
struct pexcz_standby_module *pexcz_standby_find(PyObject *name);

uint64_t pexcz_standby_version(PyObject *module);

/* Whether nothing has changed that its body may have seen. */
bool pexcz_standby_can_leave(const struct pexcz_standby_module *m);

/* Gives the module what its body made of its submodules, and bases their
 * classes; -1 with an exception. */
int pexcz_standby_fill(const struct pexcz_standby_module *m);

/* standby_direct.c, while the snapshot is made and at the end of a restore. */
int pexcz_standby_direct_seal(void);
void pexcz_standby_direct_resume(void);

#endif
