/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot_home_texts.h"

#include "exe_layout.h"
#include "snapshot_header.h"
#include "snapshot_home.h"

#include <stdlib.h>
#include <string.h>

#define SIZE PEXCZ_SNAPSHOT_HOME_SIZE
/* A text with more in front of the home is not looked for. */
#define MAX_PREFIX 4096u

static struct {
    char homes[2][SIZE + 1];
    const char *home; /* one of them; NULL: $HOME is another one */
    /* Both components, interned in each of the two processes, so that the
     * table of interned texts is the same in both. */
    PyObject *components[2];
    struct pexcz_buf table;
    bool is_read;
    bool is_full; /* no memory */
} making;

/* --- making ---------------------------------------------------------------
 */

void
pexcz_snapshot_home_begin(void)
{
    const char *home = getenv("HOME");

    for (size_t i = 0; i < 2; i++) {
        pexcz_snapshot_home_make(i != 0, making.homes[i]);
        if (home != NULL && strcmp(home, making.homes[i]) == 0) {
            making.home = making.homes[i];
        }
    }
}

int
pexcz_snapshot_home_started(void)
{
    for (size_t i = 0; i < 2; i++) {
        PyObject *text = PyUnicode_FromString(making.homes[i] + 1);

        if (text == NULL) {
            return -1;
        }
        PyUnicode_InternInPlace(&text);
        making.components[i] = text;
    }
    return 0;
}

PyObject *
pexcz_snapshot_home_get(void)
{
    if (making.home == NULL) {
        Py_RETURN_NONE;
    }
    return PyUnicode_FromString(making.home);
}

PyObject *
pexcz_snapshot_home_get_samples(void)
{
    PyObject *tuple = PyTuple_New(PEXCZ_SNAPSHOT_HOME_SAMPLES);

    for (size_t i = 0; tuple != NULL && i < PEXCZ_SNAPSHOT_HOME_SAMPLES; i++) {
        PyObject *text = PyUnicode_FromString(pexcz_snapshot_home_samples[i]);

        if (text == NULL) {
            Py_CLEAR(tuple);
        }
        else {
            PyTuple_SET_ITEM(tuple, (Py_ssize_t)i, text);
        }
    }
    return tuple;
}

static const char *
text_of(const PyASCIIObject *object)
{
    return (const char *)(object + 1);
}

static bool
is_plain_text(const PyASCIIObject *text)
{
    return text->ob_base.ob_type == &PyUnicode_Type && text->state.compact != 0
           && text->state.ascii != 0 && text->state.interned == 0
           && text->hash == -1;
}

/* The component's next place from `at` on, or NULL. */
static const char *
find_component(const char *at, const char *end)
{
    return memmem(at, (size_t)(end - at), making.home + 1, SIZE - 1);
}

bool
pexcz_snapshot_home_is_in(PyObject *object)
{
    const PyASCIIObject *text = (const PyASCIIObject *)object;

    return making.home != NULL && PyUnicode_CheckExact(object)
           && text->state.compact != 0 && text->state.ascii != 0
           && (size_t)text->length >= SIZE - 1
           && find_component(text_of(text), text_of(text) + text->length)
                  != NULL;
}

/* Wherever the component is in it, the whole home is. */
static bool
is_replaceable(const PyASCIIObject *text)
{
    const char *at = text_of(text);
    const char *end = at + text->length;

    while ((at = find_component(at, end)) != NULL) {
        if (at == text_of(text) || at[-1] != '/') {
            return false;
        }
        at += SIZE - 1;
    }
    return true;
}

PyObject *
pexcz_snapshot_home_is_text(PyObject *object)
{
    const PyASCIIObject *text = (const PyASCIIObject *)object;

    return PyBool_FromLong(making.home != NULL && is_plain_text(text)
                           && is_replaceable(text));
}

static void
add(enum pexcz_snapshot_home_kind kind, const void *object, size_t place)
{
    struct pexcz_snapshot_home entry
        = {kind, (uint64_t)(uintptr_t)object, place};
    struct pexcz_error err;

    if (pexcz_buf_append(&making.table, &entry, sizeof(entry), &err) < 0) {
        making.is_full = true;
    }
}

static PyObject *
own_component(void)
{
    return making.components[making.home == making.homes[1]];
}

void
pexcz_snapshot_home_need(PyObject *lists)
{
    making.is_read = true;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(lists); i++) {
        PyObject *list = PyList_GET_ITEM(lists, i);

        for (Py_ssize_t k = 0; k < PyList_GET_SIZE(list); k++) {
            if (PyList_GET_ITEM(list, k) == own_component()) {
                /* The reference is kept until the list is written. */
                add(PEXCZ_HOME_ITEM, Py_NewRef(list), (size_t)k);
                break;
            }
        }
    }
}

/* The list has None until the start. */
static bool
settle_list(const struct pexcz_snapshot_home *entry)
{
    PyObject *list = (PyObject *)(uintptr_t)entry->address;
    Py_ssize_t place = (Py_ssize_t)entry->place;

    if (place >= PyList_GET_SIZE(list)
        || PyList_GET_ITEM(list, place) != own_component()
        || Py_REFCNT(list) < 2) {
        return false;
    }
    Py_DECREF(own_component());
    PyList_SET_ITEM(list, place, Py_NewRef(Py_None));
    Py_DECREF(list);
    return true;
}

/* The object in whose text the home at this address is, or NULL.  Free memory
 * is cleared: what looks like one is one. */
static PyASCIIObject *
text_around(const char *home, uint64_t heap_end)
{
    uint64_t first = (uint64_t)(uintptr_t)home - sizeof(PyASCIIObject);

    for (uint64_t at = first & ~(uint64_t)15;
         at >= PEXCZ_ADDR_HEAP && first - at <= MAX_PREFIX; at -= 16) {
        PyASCIIObject *text = (PyASCIIObject *)(uintptr_t)at;

        if (is_plain_text(text) && text->length > 0
            && (uint64_t)text->length < heap_end - at
            && home + SIZE <= text_of(text) + text->length) {
            return text;
        }
    }
    return NULL;
}

static bool
is_own(const char *at)
{
    for (size_t i = 0; i < 2; i++) {
        if (at == text_of((PyASCIIObject *)making.components[i])) {
            return true;
        }
    }
    return false;
}

/* False: it is where it cannot be replaced. */
static bool
settle_texts(uint64_t heap_end)
{
    const char *at = (const char *)(uintptr_t)PEXCZ_ADDR_HEAP;
    const char *end = (const char *)(uintptr_t)heap_end;

    while ((at = find_component(at, end)) != NULL) {
        if (!is_own(at)) {
            const char *home = at - 1;
            PyASCIIObject *text
                = *home == '/' ? text_around(home, heap_end) : NULL;

            if (text == NULL) {
                return false;
            }
            add(PEXCZ_HOME_TEXT, text, (size_t)(home - text_of(text)));
            memset((char *)(uintptr_t)home, '~', SIZE);
        }
        at += SIZE - 1;
    }
    return true;
}

int
pexcz_snapshot_home_settle(uint64_t heap_end, struct pexcz_error *err)
{
    const struct pexcz_snapshot_home *entries = (const void *)making.table.ptr;
    size_t lists = making.table.len / sizeof(*entries);
    bool good = true;

    if (making.home == NULL) {
        return PEXCZ_OK;
    }
    for (size_t i = 0; i < lists && good; i++) {
        good = settle_list(&entries[i]);
    }
    if (!good || Py_REFCNT(own_component()) != 1 || !settle_texts(heap_end)) {
        return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                          "the imports keep $HOME where it cannot be "
                          "replaced");
    }
    making.is_read |= making.table.len != 0;
    return making.is_full ? pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory")
                          : PEXCZ_OK;
}

bool
pexcz_snapshot_home_is_read(void)
{
    return making.is_read;
}

int
pexcz_snapshot_home_write(struct pexcz_buf *out, struct pexcz_error *err)
{
    return pexcz_buf_append(out, making.table.ptr, making.table.len, err);
}

/* --- start ----------------------------------------------------------------
 */

/* Whether `size` bytes at an address are in the heap. */
static bool
is_in_heap(uint64_t address, uint64_t size, uint64_t heap_end)
{
    return address >= PEXCZ_ADDR_HEAP && address % 8 == 0
           && size <= heap_end - PEXCZ_ADDR_HEAP
           && address - PEXCZ_ADDR_HEAP <= heap_end - PEXCZ_ADDR_HEAP - size;
}

static bool
is_text_sound(const struct pexcz_snapshot_home *entry, uint64_t heap_end)
{
    const PyASCIIObject *text = (const void *)(uintptr_t)entry->address;
    uint64_t size;

    if (!is_in_heap(entry->address, sizeof(*text), heap_end)
        || !is_plain_text(text) || text->length < 0) {
        return false;
    }
    size = (uint64_t)text->length;
    return size < heap_end - entry->address - sizeof(*text) && size >= SIZE
           && entry->place <= size - SIZE;
}

static bool
is_list_sound(const struct pexcz_snapshot_home *entry, uint64_t heap_end)
{
    const PyListObject *list = (const void *)(uintptr_t)entry->address;
    uint64_t items;
    uint64_t count;

    if (!is_in_heap(entry->address, sizeof(*list), heap_end)
        || list->ob_base.ob_base.ob_type != &PyList_Type
        || list->ob_base.ob_size < 0) {
        return false;
    }
    items = (uint64_t)(uintptr_t)list->ob_item;
    count = (uint64_t)list->ob_base.ob_size;
    return count <= (heap_end - PEXCZ_ADDR_HEAP) / sizeof(PyObject *)
           && is_in_heap(items, count * sizeof(PyObject *), heap_end)
           && entry->place < count && list->ob_item[entry->place] == Py_None;
}

bool
pexcz_snapshot_home_check(const struct pexcz_snapshot_header *header)
{
    struct pexcz_slice table = pexcz_snapshot_table(header, &header->home);
    const struct pexcz_snapshot_home *entries = (const void *)table.ptr;
    const char *home = getenv("HOME");

    if (header->home_is_read == 0) {
        return table.len == 0;
    }
    if (home == NULL || !pexcz_snapshot_home_fits(home)
        || (uintptr_t)table.ptr % 8 != 0
        || table.len % sizeof(*entries) != 0) {
        return false;
    }
    for (size_t i = 0; i < table.len / sizeof(*entries); i++) {
        const struct pexcz_snapshot_home *e = &entries[i];

        if (e->kind == PEXCZ_HOME_TEXT   ? !is_text_sound(e, header->heap_end)
            : e->kind == PEXCZ_HOME_ITEM ? !is_list_sound(e, header->heap_end)
                                         : true) {
            return false;
        }
    }
    return true;
}

static void
put_text(PyASCIIObject *text, size_t place, const char *home, size_t size)
{
    char *start = (char *)(text + 1) + place;
    size_t behind = (size_t)text->length - place - SIZE + 1;

    if ((size_t)text->length < place + SIZE) {
        return; /* a table that names places twice */
    }
    memcpy(start, home, size);
    memmove(start + size, start + SIZE, behind); /* with the NUL */
    text->length -= (Py_ssize_t)(SIZE - size);
}

static PyObject *
components_of(const char *home)
{
    PyObject *list = PyList_New(0);

    for (const char *p = home + 1; list != NULL && *p != '\0';) {
        size_t n = strcspn(p, "/");
        PyObject *text = PyUnicode_FromStringAndSize(p, (Py_ssize_t)n);

        if (text != NULL) {
            PyUnicode_InternInPlace(&text); /* as pathlib does */
        }
        if (text == NULL || PyList_Append(list, text) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(text);
        p += n + (p[n] == '/');
    }
    return list;
}

static int
put_components(PyObject *list, Py_ssize_t place, const char *home)
{
    PyObject *components = components_of(home);
    int rc = -1;

    if (components != NULL) {
        rc = PyList_SetSlice(list, place, place + 1, components);
        Py_DECREF(components);
    }
    return rc;
}

int
pexcz_snapshot_home_put(const struct pexcz_snapshot_header *header)
{
    struct pexcz_slice table = pexcz_snapshot_table(header, &header->home);
    const struct pexcz_snapshot_home *entries = (const void *)table.ptr;
    const char *home = getenv("HOME");
    size_t size = home != NULL ? strlen(home) : 0;
    int rc = 0;

    /* The last place in a text first: those before stay where they are. */
    for (size_t i = table.len / sizeof(*entries); i-- > 0 && rc == 0;) {
        void *object = (void *)(uintptr_t)entries[i].address;

        if (entries[i].kind == PEXCZ_HOME_TEXT) {
            put_text(object, (size_t)entries[i].place, home, size);
        }
        else {
            rc = put_components(object, (Py_ssize_t)entries[i].place, home);
        }
    }
    return rc;
}
