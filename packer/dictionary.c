/* SPDX-License-Identifier: Apache-2.0 */
#include "tree_store.h"

#include <stdlib.h>
#include <string.h>

/* The trainer with fixed parameters is in zstd's "static" interface. */
#define ZDICT_STATIC_LINKING_ONLY
#include <zdict.h>

#define DICT_SIZE ((size_t)112 << 10)
/* What training looks at, at most; taken evenly from all contents. */
#define SAMPLE_TOTAL ((size_t)8 << 20)
/* Of one content: large ones do well without a dictionary. */
#define SAMPLE_SIZE ((size_t)16 << 10)
/* A dictionary costs its own size in the file: with less than this to learn
 * from it costs more than it saves. */
#define SAMPLE_MINIMUM (DICT_SIZE * 12)

struct samples {
    struct pexcz_buf bytes;
    size_t *sizes;
    size_t count;
};

static int
add_sample(struct samples *s, struct pexcz_slice content,
           struct pexcz_error *err)
{
    size_t n = content.len < SAMPLE_SIZE ? content.len : SAMPLE_SIZE;
    int rc;

    if (n < 64) {
        return PEXCZ_OK;
    }
    rc = pexcz_buf_append(&s->bytes, content.ptr, n, err);
    if (rc == PEXCZ_OK) {
        s->sizes[s->count++] = n;
    }
    return rc;
}

static size_t
capped(uint64_t size)
{
    return size < SAMPLE_SIZE ? (size_t)size : SAMPLE_SIZE;
}

/* Every `step`-th entry's content and bytecode. */
static int
collect(const struct pexcz_tree_store *store, size_t step, struct samples *s,
        struct pexcz_error *err)
{
    struct pexcz_buf scratch = {0};
    int rc = PEXCZ_OK;

    for (size_t i = 0; i < store->plan->entry_count && rc == PEXCZ_OK;
         i += step) {
        const struct pexcz_plan_entry *e = &store->plan->entries[i];
        struct pexcz_slice content;

        if (e->kind != PEXCZ_KIND_FILE) {
            continue;
        }
        if (!store->hot[i]) {
            rc = add_sample(s, pexcz_buf_slice(&store->compiled[i].code), err);
        }
        /* Beside bytecode, text: a large binary teaches nothing. */
        if (rc == PEXCZ_OK && e->compile) {
            rc = pexcz_content_read(&e->content, &scratch, &content, err);
            if (rc == PEXCZ_OK) {
                rc = add_sample(s, content, err);
            }
            scratch.len = 0;
        }
    }
    pexcz_buf_done(&scratch);
    return rc;
}

static int
train(const struct samples *s, struct pexcz_buf *ret, struct pexcz_error *err)
{
    ZDICT_fastCover_params_t params = {
        .k = 1024,
        .d = 8,
        .f = 20,
        .steps = 1,
        .nbThreads = 1,
        .splitPoint = 1.0,
        .accel = 1,
        .zParams = {.compressionLevel = 19},
    };
    size_t n;
    int rc = pexcz_buf_reserve(ret, DICT_SIZE, err);

    if (rc < 0) {
        return rc;
    }
    n = ZDICT_trainFromBuffer_fastCover(ret->ptr, DICT_SIZE, s->bytes.ptr,
                                        s->sizes, (unsigned int)s->count,
                                        params);
    /* Samples that have nothing in common are no failure. */
    ret->len = ZDICT_isError(n) ? 0 : n;
    return PEXCZ_OK;
}

int
pexcz_tree_store_dictionary(const struct pexcz_tree_store *store,
                            struct pexcz_buf *ret, struct pexcz_error *err)
{
    const struct pexcz_plan *plan = store->plan;
    struct samples s = {0};
    size_t total = 0;
    int rc = PEXCZ_OK;

    for (size_t i = 0; i < plan->entry_count; i++) {
        if (plan->entries[i].compile) {
            total += capped(pexcz_content_size(&plan->entries[i].content));
            total += store->hot[i] ? 0 : capped(store->compiled[i].code.len);
        }
    }
    if (total < SAMPLE_MINIMUM) {
        return PEXCZ_OK;
    }
    s.sizes = pexcz_alloc_array(2 * plan->entry_count, sizeof(*s.sizes));
    if (s.sizes == NULL) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    rc = collect(store, 1 + total / SAMPLE_TOTAL, &s, err);
    if (rc == PEXCZ_OK && s.count != 0) {
        rc = train(&s, ret, err);
    }
    pexcz_buf_done(&s.bytes);
    free(s.sizes);
    return rc;
}
