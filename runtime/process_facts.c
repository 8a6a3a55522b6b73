/* SPDX-License-Identifier: Apache-2.0 */
#include "process_facts.h"

#include "snapshot_format.h"

#include <limits.h>
#include <pthread.h>

#define MAX_ATFORK 16
/* Left to libraries that take theirs first in the process that is restored:
 * libdl before glibc 2.34, preloaded ones. */
#define KEYS_OF_OTHERS 16

typedef void key_destructor(void *);
typedef void fork_handler(void);

extern int __real_pthread_key_create(pthread_key_t *key,
                                     key_destructor *destructor);
extern int __real_pthread_key_delete(pthread_key_t key);
extern int __real_pthread_atfork(fork_handler *prepare, fork_handler *parent,
                                 fork_handler *child);
extern pthread_t __real_pthread_self(void);
pthread_t __wrap_pthread_self(void);
int __wrap_pthread_key_create(pthread_key_t *key, key_destructor *destructor);
int __wrap_pthread_key_delete(pthread_key_t key);
int __wrap_pthread_atfork(fork_handler *prepare, fork_handler *parent,
                          fork_handler *child);

static struct {
    bool neutral;
    bool used[PTHREAD_KEYS_MAX];
    key_destructor *destructors[PTHREAD_KEYS_MAX];
    struct pexcz_snapshot_atfork atfork[MAX_ATFORK];
    size_t atfork_count; /* may be more than MAX_ATFORK */
} facts;

void
pexcz_process_be_neutral(void)
{
    pthread_key_t unused;

    facts.neutral = true;
    for (int i = 0; i < KEYS_OF_OTHERS; i++) {
        (void)__real_pthread_key_create(&unused, NULL);
    }
}

pthread_t
__wrap_pthread_self(void)
{
    return facts.neutral ? PEXCZ_NEUTRAL_THREAD : __real_pthread_self();
}

int
__wrap_pthread_key_create(pthread_key_t *key, key_destructor *destructor)
{
    int rc = __real_pthread_key_create(key, destructor);

    /* Those of constructors are made in each process, before all this. */
    if (rc == 0 && facts.neutral && *key < PTHREAD_KEYS_MAX) {
        facts.used[*key] = true;
        facts.destructors[*key] = destructor;
    }
    return rc;
}

int
__wrap_pthread_key_delete(pthread_key_t key)
{
    if (key < PTHREAD_KEYS_MAX) {
        facts.used[key] = false;
    }
    return __real_pthread_key_delete(key);
}

int
__wrap_pthread_atfork(fork_handler *prepare, fork_handler *parent,
                      fork_handler *child)
{
    int rc = __real_pthread_atfork(prepare, parent, child);

    if (rc == 0 && facts.atfork_count++ < MAX_ATFORK) {
        facts.atfork[facts.atfork_count - 1] = (struct pexcz_snapshot_atfork){
            .prepare = (uintptr_t)prepare,
            .parent = (uintptr_t)parent,
            .child = (uintptr_t)child,
        };
    }
    return rc;
}

int
pexcz_process_keys(struct pexcz_buf *out, struct pexcz_error *err)
{
    int rc = PEXCZ_OK;

    for (size_t i = 0; i < PTHREAD_KEYS_MAX && rc == PEXCZ_OK; i++) {
        struct pexcz_snapshot_key key = {
            .number = i,
            .destructor = (uintptr_t)facts.destructors[i],
        };

        if (facts.used[i]) {
            rc = pexcz_buf_append(out, &key, sizeof(key), err);
        }
    }
    return rc;
}

int
pexcz_process_atfork(struct pexcz_buf *out, struct pexcz_error *err)
{
    if (facts.atfork_count > MAX_ATFORK) {
        return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                          "more than %d fork handlers", MAX_ATFORK);
    }
    return pexcz_buf_append(out, facts.atfork,
                            facts.atfork_count * sizeof(facts.atfork[0]), err);
}

static bool
is_wanted(const struct pexcz_snapshot_key *keys, size_t count,
          pthread_key_t number, size_t *ret)
{
    for (size_t i = 0; i < count; i++) {
        if (keys[i].number == number) {
            *ret = i;
            return true;
        }
    }
    return false;
}

/* libc hands out the lowest free number: those between the wanted ones are
 * taken too, and given back. */
bool
pexcz_process_make_keys(struct pexcz_slice table)
{
    const struct pexcz_snapshot_key *keys = (const void *)table.ptr;
    size_t count = table.len / sizeof(*keys);
    pthread_key_t made[PTHREAD_KEYS_MAX];
    size_t n = 0;
    size_t wanted = 0;

    while (wanted < count && n < PTHREAD_KEYS_MAX
           && __real_pthread_key_create(&made[n], NULL) == 0) {
        size_t i;

        wanted += is_wanted(keys, count, made[n], &i);
        n++;
    }
    for (size_t k = 0; k < n; k++) {
        (void)__real_pthread_key_delete(made[k]);
    }
    if (wanted < count) {
        return false;
    }
    for (size_t k = 0; k < n; k++) {
        pthread_key_t key;
        size_t i;
        bool keep = is_wanted(keys, count, made[k], &i);
        key_destructor *destructor
            = keep ? (key_destructor *)(uintptr_t)keys[i].destructor : NULL;

        if (__wrap_pthread_key_create(&key, destructor) != 0) {
            return false;
        }
        made[k] = keep ? PTHREAD_KEYS_MAX : key;
    }
    for (size_t k = 0; k < n; k++) {
        if (made[k] != PTHREAD_KEYS_MAX) {
            (void)__wrap_pthread_key_delete(made[k]);
        }
    }
    return true;
}

void
pexcz_process_make_atfork(struct pexcz_slice table)
{
    const struct pexcz_snapshot_atfork *h = (const void *)table.ptr;

    for (size_t i = 0; i < table.len / sizeof(*h); i++) {
        (void)__wrap_pthread_atfork((fork_handler *)(uintptr_t)h[i].prepare,
                                    (fork_handler *)(uintptr_t)h[i].parent,
                                    (fork_handler *)(uintptr_t)h[i].child);
    }
}
