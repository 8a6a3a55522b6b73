/* SPDX-License-Identifier: Apache-2.0 */
#include "verify.h"

#include "inspection.h"
#include "sha256.h"
#include "signature.h"
#include "utf8.h"

#include <stdio.h>
#include <string.h>

#define HASH_PREFIX "sha256="

/* What came of one distribution's rows. */
struct counts {
    size_t same;
    size_t replaced; /* another input gave the file with this name */
};

static bool
has_hash(const struct pexcz_recorded *row)
{
    return strncmp(row->hash, HASH_PREFIX, strlen(HASH_PREFIX)) == 0;
}

/* Whether another row for the same path, beside [i], tells this hash. */
static bool
is_recorded_elsewhere(const struct pexcz_inspection *in, size_t i,
                      const char *hash)
{
    const struct pexcz_recorded *rows = in->recorded;
    size_t first = i;

    while (first != 0 && strcmp(rows[first - 1].path, rows[i].path) == 0) {
        first--;
    }
    for (size_t j = first;
         j < in->recorded_count && strcmp(rows[j].path, rows[i].path) == 0;
         j++) {
        if (strcmp(rows[j].hash, hash) == 0) {
            return true;
        }
    }
    return false;
}

static int
differs(const struct pexcz_inspection *in, const struct pexcz_recorded *row,
        const char *how, struct pexcz_error *err)
{
    const struct pexcz_inspected_dist *dist = &in->dists[row->dist];
    char path[512];
    char name[200];

    pexcz_utf8_escape(pexcz_slice_str(row->path), path, sizeof(path));
    pexcz_utf8_escape(pexcz_slice_str(dist->name), name, sizeof(name));
    return pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                      "%s: %s %s: %s is %s by its RECORD", in->file->path,
                      name, dist->version, path, how);
}

static int
check_row(const struct pexcz_inspection *in, size_t i,
          struct pexcz_buf *scratch, struct counts *counts,
          struct pexcz_error *err)
{
    const struct pexcz_recorded *row = &in->recorded[i];
    char hash[PEXCZ_RECORD_HASH_SIZE];
    struct pexcz_slice content;
    struct pexcz_node node;
    int rc;

    if (!has_hash(row)) {
        return PEXCZ_OK;
    }
    if (!pexcz_tree_find(&in->file->tree, pexcz_slice_str(row->path), &node)
        || node.entry.kind != PEXCZ_KIND_FILE) {
        return differs(in, row, "missing", err);
    }
    rc = pexcz_blob_content(node.blob, node.entry.payload, scratch, &content,
                            err);
    if (rc < 0) {
        return rc;
    }
    pexcz_record_hash(content, hash);
    if (strcmp(hash, row->hash) == 0) {
        counts[row->dist].same++;
        return PEXCZ_OK;
    }
    if (!is_recorded_elsewhere(in, i, hash)) {
        return differs(in, row, "another file", err);
    }
    counts[row->dist].replaced++;
    return PEXCZ_OK;
}

/* "NAME VERSION: N files, RECORD sha256=…" */
static int
print_dist(const struct pexcz_inspection *in, size_t i,
           const struct counts *counts, struct pexcz_buf *scratch,
           struct pexcz_error *err)
{
    const struct pexcz_inspected_dist *dist = &in->dists[i];
    char path[PEXCZ_MAX_PATH + 1];
    char name[200];
    char hash[PEXCZ_RECORD_HASH_SIZE] = "none";
    struct pexcz_slice content;
    struct pexcz_node node;
    int n = snprintf(path, sizeof(path), "%s/RECORD", dist->info);

    if (n > 0 && (size_t)n < sizeof(path)
        && pexcz_tree_find(&in->file->tree, pexcz_slice_str(path), &node)
        && node.entry.kind == PEXCZ_KIND_FILE) {
        int rc = pexcz_blob_content(node.blob, node.entry.payload, scratch,
                                    &content, err);

        if (rc < 0) {
            return rc;
        }
        pexcz_record_hash(content, hash);
    }
    pexcz_utf8_escape(pexcz_slice_str(dist->name), name, sizeof(name));
    (void)printf("%s %s: %zu files", name, dist->version, counts->same);
    if (counts->replaced != 0) {
        (void)printf(", %zu of another distribution", counts->replaced);
    }
    (void)printf(", RECORD %s\n", hash);
    return PEXCZ_OK;
}

static int
check_distributions(const struct pexcz_packed_file *file, bool quiet,
                    struct pexcz_error *err)
{
    struct pexcz_inspection in;
    struct pexcz_buf scratch = {0};
    struct counts *counts = NULL;
    int rc = pexcz_inspection_read(file, false, &in, err);

    if (rc == PEXCZ_OK) {
        counts = pexcz_arena_alloc(&in.arena, in.dist_count + 1,
                                   sizeof(*counts), err);
        rc = counts == NULL ? PEXCZ_E_NOMEM : PEXCZ_OK;
    }
    for (size_t i = 0; rc == PEXCZ_OK && i < in.recorded_count; i++) {
        rc = check_row(&in, i, &scratch, counts, err);
    }
    for (size_t i = 0; rc == PEXCZ_OK && !quiet && i < in.dist_count; i++) {
        rc = print_dist(&in, i, &counts[i], &scratch, err);
    }
    pexcz_buf_done(&scratch);
    pexcz_inspection_done(&in);
    return rc;
}

int
pexcz_verify(const struct pexcz_file_options *options, struct pexcz_error *err)
{
    struct pexcz_packed_file file;
    bool quiet = options->verbosity < 0;
    int rc = pexcz_packed_file_open(&file, options->file, err);

    if (rc < 0) {
        return rc;
    }
    rc = pexcz_packed_file_verify(&file, err);
    if (rc == PEXCZ_OK) {
        rc = check_distributions(&file, quiet, err);
    }
    pexcz_packed_file_close(&file);
    if (rc == PEXCZ_OK && options->signers != NULL) {
        rc = pexcz_signature_check(options->file, options->signature,
                                   options->signers, options->signer, err);
        if (rc == PEXCZ_OK && !quiet) {
            (void)printf("%s: signed by %s\n", options->file, options->signer);
        }
    }
    if (rc == PEXCZ_OK && !quiet) {
        (void)printf("%s: intact\n", options->file);
    }
    return rc;
}
