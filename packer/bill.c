/* SPDX-License-Identifier: Apache-2.0 */
#include "bill.h"

#include "base.h"
#include "out_file.h"
#include "packed_file.h"
#include "utf8.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* A whole file, which appears complete or not at all. */
static int
write_file(const char *path, struct pexcz_slice bytes, struct pexcz_error *err)
{
    struct pexcz_out_file out = {.fd = -1, .dir = -1};
    int rc = pexcz_out_file_open(&out, path, err);

    if (rc == PEXCZ_OK) {
        rc = pexcz_out_file_write(&out, bytes.ptr, bytes.len, 0, err);
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_out_file_commit(&out, 0666, err);
    }
    pexcz_out_file_close(&out);
    return rc;
}

/* A file of the base's tree; nothing if it has none. */
static int
append_from_base(struct pexcz_buf *out, const char *base, const char *path,
                 struct pexcz_error *err)
{
    struct pexcz_packed_file file;
    struct pexcz_buf scratch = {0};
    struct pexcz_slice body;
    struct pexcz_node node;
    int rc = pexcz_packed_file_open(&file, base, err);

    if (rc < 0) {
        return rc;
    }
    if (pexcz_tree_find(&file.tree, pexcz_slice_str(path), &node)
        && node.entry.kind == PEXCZ_KIND_FILE) {
        rc = pexcz_blob_content(node.blob, node.entry.payload, &scratch, &body,
                                err);
        if (rc == PEXCZ_OK) {
            rc = pexcz_buf_append(out, body.ptr, body.len, err);
        }
    }
    pexcz_buf_done(&scratch);
    pexcz_packed_file_close(&file);
    return rc;
}

/* --- bill of materials ----------------------------------------------------
 */
/* A NULL given to json_object_set_new() and the like makes them fail, so that
 * only the outermost call is checked. */

/* Bytes that are not UTF-8 as "\xNN". */
static json_t *
text(const char *s)
{
    size_t cap = strlen(s) * 4 + 8;
    char *escaped = malloc(cap);
    json_t *ret;

    if (escaped == NULL) {
        return NULL;
    }
    if (pexcz_utf8_valid(pexcz_slice_str(s))) {
        (void)strcpy(escaped, s);
    }
    else {
        pexcz_utf8_escape(pexcz_slice_str(s), escaped, cap);
    }
    ret = json_string(escaped);
    free(escaped);
    return ret;
}

static int
add_license(json_t *list, const char *kind, const char *value)
{
    return json_array_append_new(
        list, json_pack("{s:{s:o}}", "license", kind, text(value)));
}

/* An expression, else the classifiers, else the licence's name if it is one
 * and not the whole text. */
static json_t *
licenses(const struct pexcz_dist_metadata *md)
{
    json_t *list = json_array();
    int rc = list != NULL ? 0 : -1;

    if (md->license_expression != NULL) {
        rc |= json_array_append_new(
            list,
            json_pack("{s:o}", "expression", text(md->license_expression)));
    }
    else if (md->classifiers.count != 0) {
        for (size_t i = 0; i < md->classifiers.count; i++) {
            const char *name = md->classifiers.items[i];
            const char *last = strstr(name, " :: ");

            rc |= add_license(list, "name", last != NULL ? last + 4 : name);
        }
    }
    else if (md->license != NULL && strchr(md->license, '\n') == NULL) {
        rc |= add_license(list, "name", md->license);
    }
    if (rc != 0) {
        json_decref(list);
        return NULL;
    }
    return list;
}

/* Of the characters of a version these have a meaning in a package URL. */
static json_t *
purl(const char *type, const char *name, const char *version)
{
    struct pexcz_buf whole = {0};
    json_t *ret = NULL;
    int rc = pexcz_buf_printf(&whole, NULL, "pkg:%s/%s@", type, name);

    for (const char *p = version; rc == PEXCZ_OK && *p != '\0'; p++) {
        rc = strchr("+!%#?@ ", *p) != NULL
                 ? pexcz_buf_printf(&whole, NULL, "%%%02X", (unsigned char)*p)
                 : pexcz_buf_append(&whole, p, 1, NULL);
    }
    if (rc == PEXCZ_OK && pexcz_buf_append(&whole, "", 1, NULL) == PEXCZ_OK) {
        ret = text((const char *)whole.ptr);
    }
    pexcz_buf_done(&whole);
    return ret;
}

static json_t *
dist_component(const struct pexcz_dist *dist)
{
    const struct pexcz_dist_metadata *md = &dist->metadata;

    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "type", "library",
                     "bom-ref", text(dist->file_name), "name", text(md->name),
                     "version", text(md->version), "purl",
                     purl("pypi", md->key, md->version), "licenses",
                     licenses(md));
}

/* What the base says that it is made of; without that, Python alone. */
static json_t *
base_components(const struct pexcz_bill *bill)
{
    struct pexcz_buf document = {0};
    struct pexcz_error none;
    json_t *list = NULL;

    if (append_from_base(&document, bill->base,
                         PEXCZ_BASE_DOCUMENTS "/" PEXCZ_BASE_COMPONENTS, &none)
        == PEXCZ_OK) {
        list = json_loadb((const char *)document.ptr, document.len, 0, NULL);
    }
    pexcz_buf_done(&document);
    if (json_is_array(list)) {
        return list;
    }
    json_decref(list);
    return json_pack("[{s:s, s:s, s:s, s:s, s:o, s:[{s:{s:s}}]}]", "type",
                     "framework", "bom-ref", "cpython", "name", "cpython",
                     "version", bill->python, "purl",
                     purl("generic", "cpython", bill->python), "licenses",
                     "license", "id", "Python-2.0");
}

static json_t *
components(const struct pexcz_bill *bill)
{
    json_t *list = base_components(bill);
    int rc = list != NULL ? 0 : -1;

    for (size_t i = 0; i < bill->count; i++) {
        const struct pexcz_resolved *r = &bill->sources[i].resolved;

        for (size_t k = 0; k < r->count; k++) {
            rc |= json_array_append_new(list, dist_component(r->dists[k]));
        }
    }
    if (rc != 0) {
        json_decref(list);
        return NULL;
    }
    return list;
}

int
pexcz_bill_write_sbom(const struct pexcz_bill *bill, const char *path,
                      struct pexcz_error *err)
{
    json_t *document = json_pack(
        "{s:s, s:s, s:i, s:{s:{s:s, s:s, s:o}}, s:o}", "bomFormat",
        "CycloneDX", "specVersion", "1.5", "version", 1, "metadata",
        "component", "type", "application", "bom-ref", "application", "name",
        text(bill->name), "components", components(bill));
    char *out = document != NULL
                    ? json_dumps(document, JSON_INDENT(1) | JSON_SORT_KEYS)
                    : NULL;
    int rc;

    json_decref(document);
    if (out == NULL) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    rc = write_file(path, pexcz_slice_str(out), err);
    free(out);
    return rc;
}

/* --- licences ---------------------------------------------------------------
 */

static bool
is_license_name(const char *name)
{
    static const char *const starts[]
        = {"license", "licence", "copying", "copyright", "notice", "authors"};

    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        if (strncasecmp(name, starts[i], strlen(starts[i])) == 0) {
            return true;
        }
    }
    return false;
}

/* In the distribution's .dist-info folder: a licence by its name, or any file
 * in a folder licenses/ or license_files/. */
static bool
is_license(const struct pexcz_dist *dist, const struct pexcz_file *file)
{
    size_t len = dist->dist_info != NULL ? strlen(dist->dist_info) : 0;
    const char *inner = file->path + len + 1;

    if (len == 0 || file->is_dir
        || strncmp(file->path, dist->dist_info, len) != 0
        || file->path[len] != '/') {
        return false;
    }
    return strncmp(inner, "licenses/", 9) == 0
           || strncmp(inner, "license_files/", 14) == 0
           || is_license_name(inner);
}

static int
append_text(struct pexcz_buf *out, const char *title, struct pexcz_slice body,
            struct pexcz_error *err)
{
    int rc = pexcz_buf_printf(out, err, "--- %s\n\n", title);

    if (rc == PEXCZ_OK) {
        rc = pexcz_buf_append(out, body.ptr, body.len, err);
    }
    return rc == PEXCZ_OK ? pexcz_buf_append_str(out, "\n", err) : rc;
}

static int
append_heading(struct pexcz_buf *out, const char *name, const char *version,
               const char *license, struct pexcz_error *err)
{
    return pexcz_buf_printf(out, err,
                            "==============================================="
                            "=====================\n%s %s%s%s\n\n",
                            name, version, license != NULL ? ": " : "",
                            license != NULL ? license : "");
}

/* One line, or NULL. */
static const char *
short_license(const struct pexcz_dist_metadata *md)
{
    if (md->license_expression != NULL) {
        return md->license_expression;
    }
    if (md->license != NULL && strchr(md->license, '\n') == NULL) {
        return md->license;
    }
    return md->classifiers.count != 0 ? md->classifiers.items[0] : NULL;
}

static int
append_dist(struct pexcz_buf *out, const struct pexcz_dist *dist,
            struct pexcz_error *err)
{
    const struct pexcz_dist_metadata *md = &dist->metadata;
    struct pexcz_buf scratch = {0};
    int rc
        = append_heading(out, md->name, md->version, short_license(md), err);

    if (rc == PEXCZ_OK && md->license != NULL
        && strchr(md->license, '\n') != NULL) {
        rc = append_text(out, "License", pexcz_slice_str(md->license), err);
    }
    for (size_t i = 0; rc == PEXCZ_OK && i < dist->files.count; i++) {
        const struct pexcz_file *file = &dist->files.items[i];
        struct pexcz_slice body;

        if (!is_license(dist, file)) {
            continue;
        }
        scratch.len = 0;
        rc = pexcz_content_read(&file->content, &scratch, &body, err);
        if (rc == PEXCZ_OK) {
            rc = append_text(out, file->path, body, err);
        }
    }
    pexcz_buf_done(&scratch);
    return rc;
}

/* What is in the base: CPython, and what is linked into it. */
static int
append_base(struct pexcz_buf *out, const struct pexcz_bill *bill,
            struct pexcz_error *err)
{
    char path[64];
    int major = 0;
    int minor = 0;
    int rc = append_heading(out, "CPython", bill->python, "Python-2.0", err);

    (void)sscanf(bill->python, "%d.%d", &major, &minor);
    (void)snprintf(path, sizeof(path), "lib/python%d.%d/LICENSE.txt", major,
                   minor);
    if (rc == PEXCZ_OK) {
        rc = pexcz_buf_printf(out, err, "--- %s\n\n", path);
    }
    if (rc == PEXCZ_OK) {
        rc = append_from_base(out, bill->base, path, err);
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_buf_append_str(out, "\n", err);
    }
    return rc == PEXCZ_OK
               ? append_from_base(out, bill->base,
                                  PEXCZ_BASE_DOCUMENTS "/" PEXCZ_BASE_LICENSES,
                                  err)
               : rc;
}

int
pexcz_bill_write_licenses(const struct pexcz_bill *bill, const char *path,
                          struct pexcz_error *err)
{
    struct pexcz_buf out = {0};
    int rc = append_base(&out, bill, err);

    for (size_t i = 0; rc == PEXCZ_OK && i < bill->count; i++) {
        const struct pexcz_resolved *r = &bill->sources[i].resolved;

        for (size_t k = 0; rc == PEXCZ_OK && k < r->count; k++) {
            rc = append_dist(&out, r->dists[k], err);
        }
    }
    if (rc == PEXCZ_OK) {
        rc = write_file(path, pexcz_buf_slice(&out), err);
    }
    pexcz_buf_done(&out);
    return rc;
}
