/* SPDX-License-Identifier: Apache-2.0 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "real_files.h"

#include "exe_layout.h"
#include "library_files.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define INFO_SUFFIX ".dist-info"
/* Of each distribution the first file and the last one: where it is, all of
 * the others are. */
#define FIRST_FILE "METADATA"
#define LAST_FILE "RECORD"

struct job {
    const struct pexcz_tree *tree;
    char root[PEXCZ_MAX_PATH + 1]; /* what stands for PEXCZ_PREFIX */
    bool failed;
};

/* Makes sure that the file is there. */
static void
place(struct job *job, const char *path)
{
    struct pexcz_library_places places = {0};
    struct pexcz_library_set set;
    struct pexcz_error err;
    char real[PEXCZ_MAX_PATH + 1];
    size_t size = strlen(path);
    size_t real_size;

    if (job->failed
        || pexcz_library_set_of_file(job->tree, path, &set, &err) < 0) {
        job->failed = true;
        return;
    }
    if (pexcz_library_files_place(&places, &set, real, sizeof(real), &err)
        < 0) {
        job->failed = true;
    }
    else if (job->root[0] == '\0') {
        real_size = strlen(real);
        if (real_size > size + 1
            && strcmp(real + real_size - size, path) == 0) {
            memcpy(job->root, real, real_size - size - 1);
            job->root[real_size - size - 1] = '\0';
        }
        job->failed = job->root[0] == '\0';
    }
    pexcz_library_set_done(&set);
}

/* Everything below `path`, a file or folder, but the file `last`. */
static void
place_all(struct job *job, const char *path, const char *last)
{
    struct pexcz_children children;
    struct pexcz_node node;
    struct pexcz_node child;
    char name[PEXCZ_MAX_PATH + 1];

    if (!pexcz_tree_find(job->tree, pexcz_slice_str(path), &node)) {
        return;
    }
    if (node.entry.kind == PEXCZ_KIND_FILE) {
        if (strcmp(path, last) != 0) {
            place(job, path);
        }
        return;
    }
    if (node.entry.kind != PEXCZ_KIND_DIR) {
        return;
    }
    pexcz_tree_children(job->tree, pexcz_slice_str(path), &children);
    while (!job->failed && pexcz_tree_children_next(&children, &child)) {
        int n = snprintf(name, sizeof(name), "%s/%.*s", path,
                         (int)child.entry.name.len,
                         (const char *)child.entry.name.ptr);

        if (n > 0 && (size_t)n < sizeof(name)) {
            place_all(job, name, last);
        }
    }
}

static bool
ends_dist(struct pexcz_slice value)
{
    size_t size = sizeof(INFO_SUFFIX) - 1;

    return value.len > size
           && memcmp(value.ptr + value.len - size, INFO_SUFFIX, size) == 0;
}

/* One distribution, whose folder is `info`; its other values begin at
 * `cursor`. */
static void
place_dist(struct job *job, const struct pexcz_blob *app, uint32_t cursor,
           struct pexcz_slice info)
{
    char first[PEXCZ_MAX_PATH + 1];
    char last[PEXCZ_MAX_PATH + 1];
    char real[2 * PEXCZ_MAX_PATH + 2];
    struct pexcz_slice value;
    uint32_t key;

    (void)snprintf(first, sizeof(first), "%.*s/" FIRST_FILE, (int)info.len,
                   (const char *)info.ptr);
    (void)snprintf(last, sizeof(last), "%.*s/" LAST_FILE, (int)info.len,
                   (const char *)info.ptr);
    place(job, first);
    (void)snprintf(real, sizeof(real), "%s/%s", job->root, last);
    if (job->failed || access(real, F_OK) == 0) {
        return;
    }
    while (!job->failed && pexcz_blob_boot_next(app, &cursor, &key, &value)) {
        char path[PEXCZ_MAX_PATH + 1];

        if (key != PEXCZ_BOOT_FILES || value.len >= sizeof(path)) {
            continue;
        }
        memcpy(path, value.ptr, value.len);
        path[value.len] = '\0';
        place_all(job, path, last);
        if (ends_dist(value)) {
            break;
        }
    }
    place(job, last);
}

/* In front of the first entry of the tree that is the application's. */
static int
add_to_path(const struct pexcz_blob *app, const char *root)
{
    PyObject *path = PySys_GetObject("path");
    PyObject *item;
    struct pexcz_slice site;
    char own[PEXCZ_MAX_PATH + 64];
    Py_ssize_t at = 0;
    int rc;

    if (path == NULL || !PyList_Check(path)
        || !pexcz_blob_boot_get(app, PEXCZ_BOOT_SEARCH_PATH, &site)) {
        return 0;
    }
    (void)snprintf(own, sizeof(own), PEXCZ_PREFIX "/%.*s", (int)site.len,
                   (const char *)site.ptr);
    while (at < PyList_GET_SIZE(path)) {
        PyObject *there = PyList_GET_ITEM(path, at);

        if (PyUnicode_Check(there)
            && PyUnicode_CompareWithASCIIString(there, own) == 0) {
            break;
        }
        at++;
    }
    (void)snprintf(own, sizeof(own), "%s/%.*s", root, (int)site.len,
                   (const char *)site.ptr);
    item = PyUnicode_DecodeFSDefault(own);
    rc = item != NULL ? PyList_Insert(path, at, item) : -1;
    Py_XDECREF(item);
    return rc;
}

int
pexcz_real_files_add(const struct pexcz_tree *tree,
                     const struct pexcz_blob *app)
{
    struct job job = {.tree = tree};
    struct pexcz_slice value;
    uint32_t cursor = 0;
    uint32_t start = 0;
    uint32_t key;
    bool any = false;

    while (pexcz_blob_boot_next(app, &cursor, &key, &value)) {
        if (key == PEXCZ_BOOT_FILES && ends_dist(value)) {
            place_dist(&job, app, start, value);
            start = cursor;
            any = true;
        }
    }
    return any && !job.failed ? add_to_path(app, job.root) : 0;
}
