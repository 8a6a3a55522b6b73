/* SPDX-License-Identifier: Apache-2.0 */
#include "compile.h"

#include "exe_layout.h"
#include "marshal_refs.h"
#include "threads.h"

#include <pthread.h>
#include <stdlib.h>

/* A worker takes some 20 ms to start: worth it for this many files. */
#define FILES_PER_WORKER 24

struct run {
    struct pexcz_compiler *compiler;
    const struct pexcz_plan_entry *entries;
    size_t count;
    struct pexcz_compiled *results;
    pexcz_compile_progress progress;
    void *context;
    size_t total;
    pthread_mutex_t lock; /* of all below */
    size_t next;
    size_t done;
    bool failed;
    struct pexcz_error error;
};

struct thread {
    pthread_t id;
    struct run *run;
    struct pexcz_worker *worker;
    bool started;
};

void
pexcz_compiled_done(struct pexcz_compiled *compiled)
{
    pexcz_buf_done(&compiled->code);
    pexcz_buf_done(&compiled->imports);
    free(compiled->message);
    *compiled = (struct pexcz_compiled){0};
}

int
pexcz_compiler_open(struct pexcz_compiler *compiler, const char *python,
                    unsigned int max_workers, struct pexcz_error *err)
{
    int rc;

    *compiler = (struct pexcz_compiler){0};
    for (size_t i = 0; i < PEXCZ_MAX_WORKERS; i++) {
        compiler->workers[i].fd = -1;
    }
    compiler->max_workers
        = max_workers != 0 ? max_workers : pexcz_processor_count();
    if (compiler->max_workers > PEXCZ_MAX_WORKERS) {
        compiler->max_workers = PEXCZ_MAX_WORKERS;
    }
    compiler->path = pexcz_slice_dup(pexcz_slice_str(python));
    if (compiler->path == NULL) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    rc = pexcz_worker_open(&compiler->workers[0], compiler->path,
                           &compiler->python, err);
    if (rc < 0) {
        pexcz_compiler_close(compiler);
    }
    return rc;
}

void
pexcz_compiler_close(struct pexcz_compiler *compiler)
{
    if (compiler->path == NULL) {
        return; /* never opened */
    }
    for (size_t i = 0; i < PEXCZ_MAX_WORKERS; i++) {
        pexcz_worker_close(&compiler->workers[i]);
    }
    free(compiler->path);
    compiler->path = NULL;
}

int
pexcz_compiler_stdlib(struct pexcz_compiler *compiler,
                      struct pexcz_slice imports, struct pexcz_slice *ret,
                      struct pexcz_error *err)
{
    return pexcz_worker_stdlib(&compiler->workers[0], imports, ret, err);
}

static int
compile_entry(struct pexcz_worker *worker,
              const struct pexcz_plan_entry *entry, struct pexcz_buf *scratch,
              struct pexcz_compiled *ret, struct pexcz_error *err)
{
    struct pexcz_worker_result result = {0};
    struct pexcz_buf name = {0};
    struct pexcz_slice source;
    int rc;

    scratch->len = 0;
    rc = pexcz_content_read(&entry->content, scratch, &source, err);
    if (rc == 0) {
        rc = pexcz_buf_printf(&name, err, "%s/%s", PEXCZ_PREFIX, entry->path);
    }
    if (rc == 0) {
        rc = pexcz_worker_compile(worker, pexcz_buf_slice(&name), source,
                                  &result, err);
    }
    if (rc < 0) {
        goto out;
    }
    ret->warnings = result.warnings;
    if (result.is_error) {
        ret->message = pexcz_slice_dup(result.code);
        if (ret->message == NULL) {
            rc = pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
        }
        goto out;
    }
    rc = pexcz_buf_append(&ret->code, result.code.ptr, result.code.len, err);
    if (rc == 0) {
        rc = pexcz_marshal_normalise(ret->code.ptr, ret->code.len, err);
        if (rc < 0) {
            pexcz_wrap(err, "%s: %s", worker->python, entry->path);
        }
    }
    if (rc == 0) {
        rc = pexcz_buf_append(&ret->imports, result.imports.ptr,
                              result.imports.len, err);
    }
out:
    pexcz_buf_done(&name);
    return rc;
}

/* The next entry to compile; false when there is none. */
static bool
take(struct run *run, size_t *ret)
{
    bool found = false;

    (void)pthread_mutex_lock(&run->lock);
    while (!run->failed && run->next < run->count
           && !run->entries[run->next].compile) {
        run->next++;
    }
    if (!run->failed && run->next < run->count) {
        *ret = run->next++;
        found = true;
    }
    (void)pthread_mutex_unlock(&run->lock);
    return found;
}

static void
report(struct run *run, int rc, const struct pexcz_error *err)
{
    (void)pthread_mutex_lock(&run->lock);
    if (rc < 0 && !run->failed) {
        run->failed = true;
        run->error = *err;
    }
    run->done++;
    if (rc == 0 && run->progress != NULL) {
        run->progress(run->context, run->done, run->total);
    }
    (void)pthread_mutex_unlock(&run->lock);
}

static void *
work(void *argument)
{
    struct thread *thread = argument;
    struct run *run = thread->run;
    struct pexcz_error err = {0};
    struct pexcz_buf scratch = {0};
    size_t i;
    int rc = PEXCZ_OK;

    if (thread->worker->pid == 0) {
        struct pexcz_python python;

        rc = pexcz_worker_open(thread->worker, run->compiler->path, &python,
                               &err);
    }
    if (rc < 0) {
        report(run, rc, &err);
    }
    while (rc == 0 && take(run, &i)) {
        rc = compile_entry(thread->worker, &run->entries[i], &scratch,
                           &run->results[i], &err);
        report(run, rc, &err);
    }
    pexcz_buf_done(&scratch);
    return NULL;
}

int
pexcz_compiler_run(struct pexcz_compiler *compiler,
                   const struct pexcz_plan_entry *entries, size_t count,
                   struct pexcz_compiled *ret, pexcz_compile_progress progress,
                   void *context, struct pexcz_error *err)
{
    struct run run = {
        .compiler = compiler,
        .entries = entries,
        .count = count,
        .results = ret,
        .progress = progress,
        .context = context,
    };
    struct thread threads[PEXCZ_MAX_WORKERS] = {0};
    size_t n;

    (void)pthread_mutex_init(&run.lock, NULL);
    for (size_t i = 0; i < count; i++) {
        run.total += entries[i].compile ? 1 : 0;
    }
    n = 1 + run.total / FILES_PER_WORKER;
    n = n > compiler->max_workers ? compiler->max_workers : n;
    /* The first worker is served by this thread. */
    for (size_t i = 0; i < n; i++) {
        threads[i].run = &run;
        threads[i].worker = &compiler->workers[i];
        threads[i].started
            = i != 0
              && pthread_create(&threads[i].id, NULL, work, &threads[i]) == 0;
    }
    (void)work(&threads[0]);
    for (size_t i = 1; i < n; i++) {
        if (threads[i].started) {
            (void)pthread_join(threads[i].id, NULL);
        }
    }
    (void)pthread_mutex_destroy(&run.lock);
    if (run.failed) {
        if (err != NULL) {
            *err = run.error;
        }
        return run.error.code;
    }
    return PEXCZ_OK;
}
