/* SPDX-License-Identifier: Apache-2.0 */
#include "callbacks.h"
#include "entry_frame.h"
#include "exe_layout.h"
#include "gc_credit.h"
#include "heap.h"
#include "heap_places.h"
#include "library_construct.h"
#include "library_direct.h"
#include "library_settle.h"
#include "live_objects.h"
#include "main_thread.h"
#include "openssl_cpu.h"
#include "owned_data.h"
#include "page_runs.h"
#include "process_facts.h"
#include "snapshot.h"
#include "snapshot_environment.h"
#include "snapshot_gc.h"
#include "snapshot_header.h"
#include "snapshot_home_texts.h"
#include "snapshot_hooks.h"
#include "snapshot_kernel.h"
#include "snapshot_refresh.h"
#include "standby.h"
#include "type_lookups.h"
#include "write_at.h"

#include <dirent.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static struct {
    unsigned int open_files;
    enum pexcz_places places;
    bool needs_cwd;
    bool encoding_is_read;
} making;

/* Of a folder in /proc; 0 when it cannot be read. */
static unsigned int
count_entries(const char *path)
{
    DIR *dir = opendir(path);
    unsigned int n = 0;

    while (dir != NULL && readdir(dir) != NULL) {
        n++;
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    return n;
}

/* What would be missing in a restored process. */
static int
check_process(struct pexcz_error *err)
{
    /* ".", "..", this thread, and those that are started again. */
    if (count_entries("/proc/self/task")
        > 3 + pexcz_library_constructor_threads()) {
        return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                          "the imports leave a thread running");
    }
    if (pexcz_callbacks_alive() != 0) {
        return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                          "the imports leave a callback of ctypes");
    }
    if (count_entries("/proc/self/fd") != making.open_files) {
        return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                          "the imports leave a file open");
    }
    return PEXCZ_OK;
}

int
pexcz_snapshot_begin(enum pexcz_places places, struct pexcz_error *err)
{
    uint64_t together = 0;
    int rc;

    pexcz_openssl_cpu_ask();
    rc = pexcz_owned_check_untouched(err);
    pexcz_process_be_neutral();
    making.open_files = count_entries("/proc/self/fd");
    making.places = places;
    if (rc == PEXCZ_OK && places != PEXCZ_PLACES_NONE) {
        rc = pexcz_heap_record(err);
    }
    if (rc == PEXCZ_OK && places == PEXCZ_PLACES_USE) {
        rc = pexcz_places_use(PEXCZ_PLACES_FD, &together, err);
    }
    if (rc == PEXCZ_OK && !pexcz_heap_begin(together)) {
        rc = pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                        "the addresses of the snapshot are not free");
    }
    return rc;
}

void
pexcz_snapshot_need_cwd(void)
{
    making.needs_cwd = true;
}

void
pexcz_snapshot_need_encoding(void)
{
    making.encoding_is_read = true;
}

static int
call(PyObject *module, const char *function)
{
    PyObject *result = PyObject_CallMethod(module, function, NULL);

    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

/* No garbage, nothing that teardown would be noticed by. */
static int
settle(PyObject *gc, struct pexcz_error *err)
{
    PyObject *writers;
    int credit = PEXCZ_GC_CREDIT_TOTAL;
    int rc = gc != NULL ? pexcz_snapshot_hooks_before_dump() : -1;

    /* What is made from here on must not have parts of what was freed. */
    pexcz_heap_clear_free();
    if (rc < 0 || pexcz_main_thread_forget() < 0) {
        PyErr_Print();
        return pexcz_fail(err, PEXCZ_E_INTERNAL, 0,
                          "a callback before the dump failed");
    }
    if (call(gc, "collect") < 0) { /* Python's own free lists go, too */
        PyErr_Print();
        return pexcz_fail(err, PEXCZ_E_INTERNAL, 0, "gc.collect() failed");
    }
    pexcz_heap_clear_free();
    if (pexcz_entry_frame_prepare() < 0) {
        PyErr_Print();
        return pexcz_fail(err, PEXCZ_E_INTERNAL, 0,
                          "the call of the entry point cannot be compiled");
    }
    rc = pexcz_refresh_prepare(err);
    if (rc < 0) {
        return rc;
    }
    if (pexcz_live_objects_need_teardown(false, &writers)) {
        return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                          "the imports leave an object whose end can be "
                          "noticed");
    }
    Py_DECREF(writers);
    /* That has filled Python's cache of attributes with other ones, and so
     * have the imports: a start that replaces one writes to both names. */
    (void)PyType_ClearCache();
    if (pexcz_refresh_rehearse() < 0) {
        return pexcz_fail(err, PEXCZ_E_INTERNAL, 0, "the rehearsal failed");
    }
    pexcz_snapshot_gc_prepare(gc);
    if (call(gc, "collect") < 0 || call(gc, "freeze") < 0) {
        PyErr_Print();
        return pexcz_fail(err, PEXCZ_E_INTERNAL, 0, "gc.freeze() failed");
    }
    pexcz_gc_credit(&credit); /* as behind the last import of a boot */
    if (making.places == PEXCZ_PLACES_USE) {
        rc = pexcz_heap_each_lookup(pexcz_type_lookups_put, err);
    }
    return rc == PEXCZ_OK ? check_process(err) : rc;
}

/* settle(), and sys.modules as it was. */
static int
settle_all(struct pexcz_error *err)
{
    PyObject *modules = PyImport_GetModuleDict();
    bool was_there = PyDict_GetItemString(modules, "gc") != NULL;
    PyObject *gc = PyImport_ImportModule("gc");
    int rc = settle(gc, err);

    if (!was_there) {
        (void)PyDict_DelItemString(modules, "gc");
    }
    Py_XDECREF(gc);
    if (rc == PEXCZ_OK && pexcz_standby_seal() < 0) {
        PyErr_Print();
        return pexcz_fail(err, PEXCZ_E_INTERNAL, 0, "modules cannot stand by");
    }
    return rc;
}

struct tables {
    struct pexcz_snapshot_header *header;
    struct pexcz_page_runs pages;
    struct pexcz_buf bytes;
    uint64_t offset; /* of the tables in the snapshot */
};

static int
collect_pages(struct tables *t, struct pexcz_error *err)
{
    uint64_t mask = PEXCZ_PAGE_SIZE - 1;
    uint64_t heap = PEXCZ_ADDR_HEAP;
    uint64_t heap_end = (t->header->heap_end + mask) & ~mask;
    uint64_t owned[PEXCZ_OWNED_ANCHORS];
    int rc = pexcz_buf_append(&t->pages.bytes, (const void *)(uintptr_t)heap,
                              (size_t)(heap_end - heap), err);

    pexcz_owned_anchors(owned);
    for (size_t i = 0; i < PEXCZ_OWNED_ANCHORS && rc == PEXCZ_OK; i += 2) {
        rc = pexcz_page_runs_add(&t->pages, owned[i], owned[i + 1],
                                 PEXCZ_PAGE_SIZE, err);
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_libraries_pages(&t->pages, PEXCZ_PAGE_SIZE, err);
    }
    t->offset = PEXCZ_PAGE_SIZE + t->pages.bytes.len;
    t->header->tables = t->offset;
    return rc;
}

/* Ends the table that began at `start` of the bytes. */
static void
end_table(struct tables *t, size_t start, struct pexcz_snapshot_table *ret)
{
    ret->offset = t->offset + start;
    ret->size = t->bytes.len - start;
}

static int
build_tables(struct tables *t, struct pexcz_error *err)
{
    size_t start = 0;
    int rc = pexcz_buf_append(&t->bytes, t->pages.runs.ptr, t->pages.runs.len,
                              err);

    end_table(t, start, &t->header->pages);
    start = t->bytes.len;
    if (rc == PEXCZ_OK) {
        rc = pexcz_process_keys(&t->bytes, err);
    }
    end_table(t, start, &t->header->keys);
    start = t->bytes.len;
    if (rc == PEXCZ_OK) {
        rc = pexcz_process_atfork(&t->bytes, err);
    }
    end_table(t, start, &t->header->atfork);
    start = t->bytes.len;
    if (rc == PEXCZ_OK) {
        rc = pexcz_snapshot_home_write(&t->bytes, err);
    }
    end_table(t, start, &t->header->home);
    start = t->bytes.len;
    if (rc == PEXCZ_OK) {
        rc = pexcz_snapshot_environment_write(&t->bytes, err);
    }
    end_table(t, start, &t->header->env);
    if (rc == PEXCZ_OK) {
        rc = pexcz_buf_align(&t->bytes, 8, err);
    }
    return rc == PEXCZ_OK
               ? pexcz_libraries_write(t->header, t->offset, &t->bytes, err)
               : rc;
}

static int
write_at(int fd, const void *bytes, size_t size, uint64_t offset,
         struct pexcz_error *err)
{
    int rc = pexcz_write_at(fd, bytes, size, offset, err);

    return rc < 0 ? pexcz_fail(err, PEXCZ_E_IO, err->sys_errno,
                               "the snapshot cannot be written")
                  : rc;
}

int
pexcz_snapshot_write(const struct pexcz_located *located, int fd,
                     struct pexcz_error *err)
{
    struct pexcz_snapshot_header header = {.magic = PEXCZ_SNAPSHOT_MAGIC};
    struct tables tables = {.header = &header};
    int rc = settle_all(err);

    if (rc < 0) {
        return rc;
    }
    header.thread_state = (uintptr_t)PyThreadState_Get();
    PyOS_BeforeFork();
    pexcz_main_thread_clear_frames();
    header.heap_end = pexcz_heap_end();
    if (making.places == PEXCZ_PLACES_RECORD) {
        rc = pexcz_heap_write_places(PEXCZ_PLACES_FD, err);
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_library_settle(header.heap_end, err);
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_snapshot_home_settle(header.heap_end, err);
    }
    if (rc == PEXCZ_OK) {
        rc = collect_pages(&tables, err);
    }
    if (rc == PEXCZ_OK) {
        rc = build_tables(&tables, err);
    }
    if (rc == PEXCZ_OK) {
        const struct pexcz_buf *pages = &tables.pages.bytes;

        pexcz_snapshot_identify(located, &header);
        header.kernel_is_read = pexcz_snapshot_kernel_was_asked();
        header.needs_cwd = making.needs_cwd;
        header.encoding_is_read = making.encoding_is_read;
        header.home_is_read = pexcz_snapshot_home_is_read();
        header.size = tables.offset + tables.bytes.len;
        header.pages_sum = XXH3_64bits(pages->ptr, pages->len);
        header.tables_sum = XXH3_64bits(tables.bytes.ptr, tables.bytes.len);
        header.sum = pexcz_snapshot_header_sum(&header);
        rc = write_at(fd, &header, sizeof(header), 0, err);
        if (rc == PEXCZ_OK) {
            rc = write_at(fd, pages->ptr, pages->len, PEXCZ_PAGE_SIZE, err);
        }
    }
    if (rc == PEXCZ_OK) {
        rc = write_at(fd, tables.bytes.ptr, tables.bytes.len, tables.offset,
                      err);
    }
    pexcz_page_runs_done(&tables.pages);
    pexcz_buf_done(&tables.bytes);
    return rc;
}
