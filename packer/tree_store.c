/* SPDX-License-Identifier: Apache-2.0 */
#include "tree_store.h"

#include "exe_layout.h"
#include "sha256.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* What is read and compressed before it is written; more would be faster by
 * nothing and cost memory. */
#define BATCH_BYTES ((uint64_t)16 << 20)
#define BATCH_JOBS 1024u

/* Unmarshalling reads integers; payload offsets of code are kept aligned. */
#define CODE_ALIGN 16u
#define DATA_ALIGN 8u

#define MAX_THREADS 64u

/* More saves a tenth of a shared object and takes most of the packing time. */
#define LIBRARY_LEVEL(level) ((level) > 3 ? (level) / 3 : 1)

/* One content on its way into the blob. */
struct job {
    size_t entry;
    bool is_code;
    struct pexcz_buf scratch; /* the content, if it had to be inflated */
    struct pexcz_encoded encoded;
    uint32_t align;
};

struct batch {
    const struct pexcz_tree_store *store;
    const void *cdict;
    struct job jobs[BATCH_JOBS];
    size_t count;
    uint64_t bytes;
    atomic_size_t next;
    atomic_bool failed;
    pthread_mutex_t lock; /* of error */
    struct pexcz_error error;
};

/* Where each entry's payloads went. */
struct placed {
    uint32_t content;
    uint32_t code;
};

struct writing {
    const struct pexcz_tree_store *store;
    struct pexcz_blob_writer *writer;
    struct placed *placed;
    struct batch *batch;
    uint64_t done;
    uint64_t total;
    struct pexcz_error *err;
};

static bool
is_elf(struct pexcz_slice content)
{
    return content.len > 4 && memcmp(content.ptr, "\177ELF", 4) == 0;
}

static int
read_library(const struct pexcz_tree_store *store, size_t entry,
             struct pexcz_slice content, struct pexcz_error *err)
{
    const char *path = store->plan->entries[entry].path;
    const char *slash = strrchr(path, '/');
    struct pexcz_library_info *info;

    if (store->libraries == NULL || store->libraries[entry] != NULL
        || !pexcz_is_library(content, slash != NULL ? slash + 1 : path,
                             store->machine)) {
        return PEXCZ_OK;
    }
    info = calloc(1, sizeof(*info));
    if (info == NULL) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    store->libraries[entry] = info;
    return pexcz_library_read(content, info, err);
}

static bool
is_raw(const struct pexcz_tree_store *store, size_t entry)
{
    return store->raw != NULL && store->raw[entry];
}

static bool
is_recorded(struct pexcz_slice content, const char *recorded)
{
    char hash[PEXCZ_RECORD_HASH_SIZE];

    pexcz_record_hash(content, hash);
    return strcmp(hash, recorded) == 0;
}

static int
encode(const struct batch *batch, struct job *job, struct pexcz_error *err)
{
    const struct pexcz_tree_store *store = batch->store;
    const struct pexcz_plan_entry *e = &store->plan->entries[job->entry];
    enum pexcz_encoding how = PEXCZ_ENCODE_ZSTD;
    const void *cdict = batch->cdict;
    int level = store->level;
    struct pexcz_slice content;
    int rc;

    job->align = DATA_ALIGN;
    if (job->is_code) {
        content = pexcz_buf_slice(&store->compiled[job->entry].code);
        if (store->hot[job->entry]) {
            how = PEXCZ_ENCODE_RAW;
            job->align = CODE_ALIGN;
        }
    }
    else {
        rc = pexcz_content_read(&e->content, &job->scratch, &content, err);
        if (rc < 0) {
            return rc;
        }
        if (e->recorded != NULL) {
            store->unrecorded[job->entry] = !is_recorded(content, e->recorded);
        }
        if (is_elf(content)) {
            rc = read_library(store, job->entry, content, err);
            if (rc < 0) {
                return rc;
            }
            cdict = NULL; /* of text and bytecode */
            level = LIBRARY_LEVEL(level);
            if (store->libraries == NULL
                || store->libraries[job->entry] == NULL
                || is_raw(store, job->entry)) {
                how = PEXCZ_ENCODE_RAW;
                job->align = PEXCZ_PAGE_SIZE;
            }
        }
    }
    rc = pexcz_payload_encode(content, how, level, cdict, &job->encoded, err);
    return rc < 0 ? pexcz_wrap(err, "%s", e->path) : PEXCZ_OK;
}

static void *
encode_jobs(void *argument)
{
    struct batch *batch = argument;
    struct pexcz_error err = {0};
    size_t i;

    while (!atomic_load(&batch->failed)
           && (i = atomic_fetch_add(&batch->next, 1)) < batch->count) {
        if (encode(batch, &batch->jobs[i], &err) < 0) {
            (void)pthread_mutex_lock(&batch->lock);
            if (!atomic_exchange(&batch->failed, true)) {
                batch->error = err;
            }
            (void)pthread_mutex_unlock(&batch->lock);
        }
    }
    return NULL;
}

static int
run_threads(struct batch *batch, struct pexcz_error *err)
{
    pthread_t ids[MAX_THREADS];
    unsigned int wanted = batch->store->threads;
    unsigned int started = 0;

    atomic_store(&batch->next, 0);
    if (wanted > MAX_THREADS) {
        wanted = MAX_THREADS;
    }
    while (started + 1 < wanted && started + 1 < batch->count
           && pthread_create(&ids[started], NULL, encode_jobs, batch) == 0) {
        started++;
    }
    (void)encode_jobs(batch);
    while (started > 0) {
        (void)pthread_join(ids[--started], NULL);
    }
    if (atomic_load(&batch->failed)) {
        *err = batch->error;
        return batch->error.code;
    }
    return PEXCZ_OK;
}

static void
empty_batch(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        pexcz_encoded_done(&batch->jobs[i].encoded);
        pexcz_buf_done(&batch->jobs[i].scratch);
    }
    batch->count = 0;
    batch->bytes = 0;
}

/* Encodes and writes what the batch holds. */
static int
flush(struct writing *w)
{
    struct batch *batch = w->batch;
    int rc = run_threads(batch, w->err);

    for (size_t i = 0; i < batch->count && rc == PEXCZ_OK; i++) {
        const struct job *job = &batch->jobs[i];
        struct placed *placed = &w->placed[job->entry];

        rc = pexcz_blob_writer_put(
            w->writer, &job->encoded, job->align,
            job->is_code ? &placed->code : &placed->content, w->err);
    }
    w->done += batch->bytes;
    empty_batch(batch);
    if (rc == PEXCZ_OK && w->store->progress != NULL) {
        w->store->progress(w->store->context, w->done, w->total);
    }
    return rc;
}

static int
add_job(struct writing *w, size_t entry, bool is_code, uint64_t size)
{
    struct batch *batch = w->batch;

    batch->jobs[batch->count++]
        = (struct job){.entry = entry, .is_code = is_code};
    batch->bytes += size;
    return batch->count == BATCH_JOBS || batch->bytes >= BATCH_BYTES
               ? flush(w)
               : PEXCZ_OK;
}

/* One pass over the plan: hot bytecode, or all the rest. */
static int
put_payloads(struct writing *w, bool hot_pass)
{
    const struct pexcz_tree_store *store = w->store;
    int rc = PEXCZ_OK;

    for (size_t i = 0; i < store->plan->entry_count && rc == PEXCZ_OK; i++) {
        const struct pexcz_plan_entry *e = &store->plan->entries[i];
        size_t code_size = store->compiled[i].code.len;

        if (code_size != 0 && store->hot[i] == hot_pass) {
            rc = add_job(w, i, true, code_size);
        }
        if (rc == PEXCZ_OK && !hot_pass && e->kind == PEXCZ_KIND_FILE) {
            rc = add_job(w, i, false, pexcz_content_size(&e->content));
        }
    }
    return rc == PEXCZ_OK && w->batch->count != 0 ? flush(w) : rc;
}

static int
add_entries(const struct writing *w)
{
    int rc = PEXCZ_OK;

    for (size_t i = 0; i < w->store->plan->entry_count && rc == PEXCZ_OK;
         i++) {
        const struct pexcz_plan_entry *e = &w->store->plan->entries[i];
        struct pexcz_entry_spec spec = {
            .path = pexcz_slice_str(e->path),
            .kind = e->kind,
            .mode = e->mode,
            .mtime = e->mtime,
            .payload = w->placed[i].content,
            .code = w->placed[i].code,
        };

        rc = pexcz_blob_writer_add(w->writer, &spec, w->err);
    }
    return rc;
}

static uint64_t
total_size(const struct pexcz_tree_store *store)
{
    uint64_t total = 0;

    for (size_t i = 0; i < store->plan->entry_count; i++) {
        if (store->plan->entries[i].kind == PEXCZ_KIND_FILE) {
            total += pexcz_content_size(&store->plan->entries[i].content);
        }
        total += store->compiled[i].code.len;
    }
    return total;
}

int
pexcz_tree_store_write(const struct pexcz_tree_store *store,
                       struct pexcz_slice dict,
                       struct pexcz_blob_writer *writer,
                       struct pexcz_error *err)
{
    size_t count = store->plan->entry_count;
    void *cdict = pexcz_cdict_new(dict, store->level);
    struct writing w = {
        .store = store,
        .writer = writer,
        .placed = pexcz_alloc_array(count, sizeof(*w.placed)),
        .batch = pexcz_alloc_array(1, sizeof(*w.batch)),
        .total = total_size(store),
        .err = err,
    };
    int rc;

    if (w.placed == NULL || w.batch == NULL
        || (dict.len != 0 && cdict == NULL)) {
        rc = pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
        goto out;
    }
    w.batch->store = store;
    w.batch->cdict = cdict;
    (void)pthread_mutex_init(&w.batch->lock, NULL);
    for (size_t i = 0; i < count; i++) {
        w.placed[i] = (struct placed){PEXCZ_NONE, PEXCZ_NONE};
    }
    rc = put_payloads(&w, true);
    if (rc == PEXCZ_OK) {
        rc = put_payloads(&w, false);
    }
    if (rc == PEXCZ_OK) {
        rc = add_entries(&w);
    }
    empty_batch(w.batch);
    (void)pthread_mutex_destroy(&w.batch->lock);

out:
    free(w.batch);
    free(w.placed);
    pexcz_cdict_free(cdict);
    return rc;
}
