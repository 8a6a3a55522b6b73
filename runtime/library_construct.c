/* SPDX-License-Identifier: Apache-2.0 */
#include "library_construct.h"

#include "exe_layout.h"
#include "heap.h"
#include "library_actions.h"
#include "library_cpu.h"
#include "library_relocate.h"
#include "library_settle.h"
#include "library_state.h"
#include "library_tls.h"

#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define MAX_KEYS 16
#define MAX_THREADS 64
#define MAX_VARIABLES 8
#define REST_NS 2000000 /* a thread at rest is so again after this long */
#define MAX_WAITS 1000

typedef void constructor(int argc, char **argv, char **environment);

extern int __real_pthread_key_create(pthread_key_t *key,
                                     void (*destructor)(void *));
extern int __real_pthread_key_delete(pthread_key_t key);

/* Of a library that is remade: its data before and after its constructors. */
struct remade {
    size_t number;
    char *before;
    char *after;
    size_t size;
};

static struct {
    bool other; /* the process is the second one */
    bool active;
    bool acts;
    pthread_key_t keys[MAX_KEYS];
    size_t key_count;
    size_t variable_count; /* that the imports have set */
    struct {
        const char *name;
        const char *value;
    } variables[MAX_VARIABLES];
    pid_t threads[MAX_THREADS];
    size_t thread_count;
    struct remade remade[PEXCZ_LIBRARIES];
    size_t remade_count;
    /* What their heap was after the last of them. */
    char *heap;
    size_t heap_size;
    struct pexcz_buf changes;
} constructing;

void
pexcz_library_construct_begin(bool other)
{
    constructing.other = other;
}

bool
pexcz_library_is_constructing(void)
{
    return constructing.active;
}

bool
pexcz_library_constructor_acts(void)
{
    constructing.acts = true;
    return constructing.active;
}

int
pexcz_library_constructor_processors(void)
{
    return constructing.other ? 2 : 1;
}

/* What decides about the code that computes and about threads: another value
 * in the other process, so neither can show in a snapshot. */
bool
pexcz_library_constructor_variable(const char *name, char *value, char **ret)
{
    static const struct {
        const char *name;
        const char *other; /* NULL: unset there, too */
    } all[] = {
        {"GOMP_SPINCOUNT", NULL},
        {"GOTO_NUM_THREADS", NULL},
        {"OMP_NUM_THREADS", NULL},
        {"OPENBLAS_CORETYPE", "Prescott"},
        {"OPENBLAS_DEFAULT_NUM_THREADS", NULL},
        {"OPENBLAS_MAIN_FREE", NULL},
        {"OPENBLAS_NUM_THREADS", NULL},
        {"OPENBLAS_THREAD_TIMEOUT", "4"}, /* soon at rest */
        {"OPENBLAS_VERBOSE", NULL},
    };

    if (value != NULL && constructing.variable_count < MAX_VARIABLES) {
        constructing.variables[constructing.variable_count].name = name;
        constructing.variables[constructing.variable_count++].value = value;
        return false;
    }
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (strcmp(all[i].name, name) == 0) {
            *ret = constructing.other ? (char *)(uintptr_t)all[i].other : NULL;
            return true;
        }
    }
    return false;
}

void
pexcz_library_constructor_key(unsigned int key)
{
    if (constructing.key_count < MAX_KEYS) {
        constructing.keys[constructing.key_count++] = key;
    }
}

/* --- threads ------------------------------------------------------------- */

size_t
pexcz_library_constructor_threads(void)
{
    return constructing.thread_count;
}

bool
pexcz_library_is_constructors_thread(void)
{
    pid_t own = (pid_t)syscall(SYS_gettid);

    for (size_t i = 0; i < constructing.thread_count; i++) {
        if (constructing.threads[i] == own) {
            return true;
        }
    }
    return false;
}

/* Whether the thread waits for something. */
static bool
rests(const char *number)
{
    char path[64];
    char text[256];
    const char *behind;
    ssize_t n;
    int fd;

    (void)snprintf(path, sizeof(path), "/proc/self/task/%.20s/stat", number);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    n = read(fd, text, sizeof(text) - 1);
    (void)close(fd);
    text[n > 0 ? n : 0] = '\0';
    behind = strrchr(text, ')');
    return behind != NULL && strncmp(behind, ") S", 3) == 0;
}

/* Notes all threads but this one; whether they rest. */
static bool
look_at_threads(void)
{
    DIR *dir = opendir("/proc/self/task");
    pid_t own = (pid_t)syscall(SYS_gettid);
    const struct dirent *entry;
    bool rest = true;

    constructing.thread_count = 0;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        pid_t id = atoi(entry->d_name);

        if (id != 0 && id != own && constructing.thread_count < MAX_THREADS) {
            constructing.threads[constructing.thread_count++] = id;
            rest = rest && rests(entry->d_name);
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    return rest;
}

static bool
wait_for_rest(void)
{
    static const struct timespec pause = {.tv_nsec = REST_NS};
    int in_a_row = 0;

    for (int i = 0; i < MAX_WAITS && in_a_row < 2; i++) {
        in_a_row = look_at_threads() ? in_a_row + 1 : 0;
        if (constructing.thread_count == 0) {
            return true;
        }
        (void)nanosleep(&pause, NULL);
    }
    return in_a_row == 2;
}

/* --- copies -------------------------------------------------------------- */

bool
pexcz_library_data(const struct pexcz_snapshot_library *library, size_t i,
                   uint64_t *ret_start, uint64_t *ret_end)
{
    const struct pexcz_snapshot_segment *s = &library->segments[i];
    uint64_t relro_end = library->relro + library->relro_size;

    if ((s->flags & PF_W) == 0) {
        return false;
    }
    *ret_start = s->start;
    *ret_end = s->start + s->size;
    if (library->relro_size != 0 && library->relro >= s->start
        && relro_end <= s->start + s->size) {
        *ret_start = relro_end; /* it begins with what is read-only */
    }
    return *ret_start < *ret_end;
}

static size_t
data_size(const struct pexcz_snapshot_library *library)
{
    size_t size = 0;
    uint64_t start;
    uint64_t end;

    for (size_t i = 0; i < library->segment_count; i++) {
        if (pexcz_library_data(library, i, &start, &end)) {
            size += (size_t)(end - start);
        }
    }
    return size + pexcz_library_tls_own(library).len;
}

/* In memory of its own: malloc() takes from the snapshot's heap. */
static char *
copy_of(const void *bytes, size_t size)
{
    char *copy = mmap(NULL, size + PEXCZ_PAGE_SIZE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (copy == MAP_FAILED) {
        return NULL;
    }
    if (bytes != NULL) {
        memcpy(copy, bytes, size);
    }
    return copy;
}

static void
drop(char *copy, size_t size)
{
    if (copy != NULL) {
        (void)munmap(copy, size + PEXCZ_PAGE_SIZE);
    }
}

enum direction {
    TO_COPY,
    FROM_COPY,
};

static void
move_part(void *data, size_t size, char **copy, enum direction direction)
{
    memcpy(direction == TO_COPY ? *copy : data,
           direction == TO_COPY ? data : *copy, size);
    *copy += size;
}

static void
move(const struct pexcz_snapshot_library *library, char *copy,
     enum direction direction)
{
    struct pexcz_slice tls = pexcz_library_tls_own(library);
    uint64_t start;
    uint64_t end;

    for (size_t i = 0; i < library->segment_count; i++) {
        if (pexcz_library_data(library, i, &start, &end)) {
            move_part((void *)(uintptr_t)start, (size_t)(end - start), &copy,
                      direction);
        }
    }
    move_part((void *)(uintptr_t)tls.ptr, tls.len, &copy, direction);
}

static char *
copy_data(const struct pexcz_snapshot_library *library)
{
    char *copy = copy_of(NULL, data_size(library));

    if (copy != NULL) {
        move(library, copy, TO_COPY);
    }
    return copy;
}

/* --- what they may not do ------------------------------------------------ */

/* Of the data of the libraries that this one needs. */
static uint64_t
sum_of_needed(const struct pexcz_snapshot_library *library)
{
    const struct pexcz_library_state *s = &pexcz_library_state;
    uint64_t sum = 0;

    for (size_t k = 0; k < library->needed_count; k++) {
        const struct pexcz_snapshot_library *other
            = &s->made[library->needed[k]];
        uint64_t start;
        uint64_t end;

        for (size_t i = 0; i < other->segment_count && other->remade == 0;
             i++) {
            if (pexcz_library_data(other, i, &start, &end)) {
                sum = XXH3_64bits_withSeed((const void *)(uintptr_t)start,
                                           (size_t)(end - start), sum);
            }
        }
    }
    return sum;
}

/* Whether nobody has touched what constructors have made. */
static bool
heap_is_whole(void)
{
    uint64_t start;
    uint64_t end;

    pexcz_heap_diverted(&start, &end);
    return constructing.heap_size == 0
           || memcmp(constructing.heap, (const void *)(uintptr_t)start,
                     constructing.heap_size)
                  == 0;
}

static bool
keep_heap(void)
{
    uint64_t start;
    uint64_t end;

    pexcz_heap_diverted(&start, &end);
    drop(constructing.heap, constructing.heap_size);
    constructing.heap_size = (size_t)(end - start);
    constructing.heap
        = copy_of((const void *)(uintptr_t)start, constructing.heap_size);
    return constructing.heap != NULL;
}

/* --- running them -------------------------------------------------------- */

/* Arguments that can be told from anything else. */
static char own_name[] = "";
static char *own_argv[] = {own_name, NULL};
static char *own_environment[] = {NULL};
#define OWN_ARGC 0x5be7a3d1

static const char *
find_arguments(const struct pexcz_snapshot_library *library)
{
    const char *why = NULL;
    uint64_t start;
    uint64_t end;

    for (size_t i = 0; i < library->segment_count; i++) {
        if (!pexcz_library_data(library, i, &start, &end)) {
            continue;
        }
        for (uint64_t at = start; at < end && why == NULL; at += 8) {
            uint64_t value = *(const uint64_t *)(uintptr_t)at;

            if (value == OWN_ARGC) {
                why = pexcz_library_note_word(PEXCZ_WORD_ARGC, at, -1, 0);
            }
            else if (value == (uintptr_t)own_argv) {
                why = pexcz_library_note_word(PEXCZ_WORD_ARGV, at, -1, 0);
            }
            else if (value == (uintptr_t)own_environment) {
                why = pexcz_library_note_word(PEXCZ_WORD_ENVIRON, at, -1, 0);
            }
        }
    }
    return why;
}

static void
run(const struct pexcz_snapshot_library *library, int argc, char **argv,
    char **environment)
{
    const uint64_t *array = (const uint64_t *)(uintptr_t)library->init_array;

    if (library->init != 0) {
        ((constructor *)(uintptr_t)library->init)(argc, argv, environment);
    }
    for (uint64_t i = 0; i < library->init_count; i++) {
        if (array[i] != 0 && array[i] != UINT64_MAX) {
            ((constructor *)(uintptr_t)array[i])(argc, argv, environment);
        }
    }
}

/* As if those of a mere computation had not run. */
static void
undo(const struct pexcz_snapshot_library *library, char *before)
{
    move(library, before, FROM_COPY);
    while (constructing.key_count != 0) {
        (void)__real_pthread_key_delete(
            constructing.keys[--constructing.key_count]);
    }
}

static const char *
keep(struct pexcz_snapshot_library *library, size_t number, char *before)
{
    struct pexcz_snapshot_action action = {
        .kind = PEXCZ_ACTION_CONSTRUCT,
        .function = number,
    };
    struct remade *r = &constructing.remade[constructing.remade_count++];
    bool done = true;

    *r = (struct remade){
        .number = number,
        .before = before,
        .after = copy_data(library),
        .size = data_size(library),
    };
    library->remade = 1;
    for (size_t i = 0; i < constructing.variable_count && done; i++) {
        done = pexcz_library_action_setenv(constructing.variables[i].name,
                                           constructing.variables[i].value);
    }
    done = done && pexcz_library_action_add(&action);
    for (size_t i = 0; i < constructing.variable_count && done; i++) {
        done = pexcz_library_action_unsetenv(constructing.variables[i].name);
    }
    return done && r->after != NULL && keep_heap()
               ? NULL
               : "has constructors that cannot be run again";
}

const char *
pexcz_library_construct(size_t number)
{
    struct pexcz_snapshot_library *library = &pexcz_library_state.made[number];
    uint64_t sum = sum_of_needed(library);
    char *before;
    pthread_key_t other_key;
    bool made = false;
    bool rest;

    if (library->init == 0 && library->init_count == 0) {
        return NULL;
    }
    if (!heap_is_whole()) {
        return "comes after one that changed what constructors have made";
    }
    before = copy_data(library);
    if (before == NULL) {
        return "is too large";
    }
    pexcz_heap_divert(true);
    constructing.acts = false;
    constructing.active = true;
    constructing.key_count = 0;
    constructing.variable_count = 0;
    /* Another key before or behind them: theirs have other numbers in the two
     * processes, those that come later the same. */
    if (constructing.other) {
        made = __real_pthread_key_create(&other_key, NULL) == 0;
    }
    pexcz_cpu_trial(true);
    run(library, 1, own_argv, own_environment);
    if (!constructing.other) {
        made = __real_pthread_key_create(&other_key, NULL) == 0;
    }
    rest = wait_for_rest();
    pexcz_cpu_trial(false);
    constructing.active = false;
    pexcz_heap_divert(false);
    if (made && (!constructing.acts || constructing.key_count == 0)) {
        (void)__real_pthread_key_delete(other_key);
    }
    if (!made) {
        return "finds no key that is free";
    }
    if (!rest) {
        return "starts a thread that does not rest";
    }
    if (sum != sum_of_needed(library)) {
        return "has constructors that change another library";
    }
    if (constructing.acts) {
        return keep(library, number, before);
    }
    undo(library, before);
    drop(before, data_size(library));
    run(library, OWN_ARGC, own_argv, own_environment);
    return find_arguments(library);
}

/* --- the snapshot -------------------------------------------------------- */

static int
fail_for(const struct pexcz_snapshot_library *library, const char *why,
         struct pexcz_error *err)
{
    return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0, "the shared object %s %s",
                      pexcz_library_state.made[library->root].path, why);
}

static int
add_change(uint64_t start, const uint64_t *words, size_t count,
           struct pexcz_error *err)
{
    struct pexcz_snapshot_run header = {
        .address = start,
        .size = count * sizeof(*words),
    };
    int rc = pexcz_buf_append(&constructing.changes, &header, sizeof(header),
                              err);

    for (size_t i = 0; i < count && rc == PEXCZ_OK; i++) {
        uint64_t value = pexcz_library_settled(words[i]);

        rc = pexcz_buf_append(&constructing.changes, &value, sizeof(value),
                              err);
    }
    return rc;
}

/* The words of [start, end) that are no longer as in `after`. */
static int
collect_range(uint64_t start, uint64_t end, const char *after,
              struct pexcz_error *err)
{
    const uint64_t *now = (const uint64_t *)(uintptr_t)start;
    const uint64_t *then = (const uint64_t *)(const void *)after;
    size_t count = (size_t)(end - start) / sizeof(*now);
    int rc = PEXCZ_OK;

    for (size_t i = 0; i < count && rc == PEXCZ_OK;) {
        size_t n = 0;

        while (i + n < count && now[i + n] != then[i + n]) {
            n++;
        }
        if (n != 0) {
            rc = add_change(start + i * sizeof(*now), now + i, n, err);
        }
        i += n + 1;
    }
    return rc;
}

static int
collect(const struct remade *r, struct pexcz_error *err)
{
    const struct pexcz_snapshot_library *library
        = &pexcz_library_state.made[r->number];
    struct pexcz_slice tls = pexcz_library_tls_own(library);
    const char *after = r->after;
    uint64_t start;
    uint64_t end;
    int rc = PEXCZ_OK;

    for (size_t i = 0; i < library->segment_count && rc == PEXCZ_OK; i++) {
        if (pexcz_library_data(library, i, &start, &end)) {
            rc = collect_range(start, end, after, err);
            after += end - start;
        }
    }
    if (rc == PEXCZ_OK && memcmp(tls.ptr, after, tls.len) != 0) {
        rc = fail_for(library, "has thread-local data that is in use", err);
    }
    return rc;
}

int
pexcz_library_construct_collect(struct pexcz_error *err)
{
    int rc = PEXCZ_OK;

    if (constructing.remade_count != 0
        && (!wait_for_rest() || !heap_is_whole())) {
        return fail_for(
            &pexcz_library_state.made[constructing.remade[0].number],
            "goes on with what its constructors have made", err);
    }
    for (size_t i = 0; i < constructing.remade_count && rc == PEXCZ_OK; i++) {
        const struct remade *r = &constructing.remade[i];

        rc = collect(r, err);
        move(&pexcz_library_state.made[r->number], r->before, FROM_COPY);
    }
    return rc;
}

int
pexcz_library_changes_write(struct pexcz_buf *out, struct pexcz_error *err)
{
    return pexcz_buf_append(out, constructing.changes.ptr,
                            constructing.changes.len, err);
}

/* --- in a restored process ----------------------------------------------- */

void
pexcz_library_construct_again(size_t number, int argc, char *const *argv)
{
    run(&pexcz_library_state.all[number], argc,
        (char **)(uintptr_t)(const void *)argv, environ);
}

bool
pexcz_library_changes_check(struct pexcz_slice table, uint64_t end)
{
    while (table.len != 0) {
        const struct pexcz_snapshot_run *r = (const void *)table.ptr;

        if (table.len < sizeof(*r) || r->size % sizeof(uint64_t) != 0
            || r->size > table.len - sizeof(*r)
            || r->address < PEXCZ_ADDR_LIBRARIES || r->address > end
            || r->size > end - r->address) {
            return false;
        }
        table.ptr += sizeof(*r) + r->size;
        table.len -= sizeof(*r) + (size_t)r->size;
    }
    return true;
}

void
pexcz_library_changes_apply(struct pexcz_slice table)
{
    while (table.len != 0) {
        const struct pexcz_snapshot_run *r = (const void *)table.ptr;

        memcpy((void *)(uintptr_t)r->address, r + 1, (size_t)r->size);
        table.ptr += sizeof(*r) + r->size;
        table.len -= sizeof(*r) + (size_t)r->size;
    }
}
