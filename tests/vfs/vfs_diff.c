/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vfs_diff FOLDER SEED CALLS [THREADS]: random calls on random paths of a
 * random tree, on the tree in the process and on a read-only mount of the same
 * files in FOLDER, an empty one. Prints each difference; exit code 1 when
 * there is one, 77 where no mount can be made.
 */
#include "vfs_diff.h"

#include "exe_layout.h"
#include "vfs_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_SIZE 5000u
#define MAX_SHOWN 20
#define SOME_USER 12345

static struct random_tree tree;
static atomic_uint differences;

struct worker {
    uint64_t state;
    unsigned long calls;
    unsigned long made;
    bool alone;
    struct side sides[2];
};

void
say(struct side *side, const char *format, ...)
{
    size_t root_size = strlen(side->root);
    char text[8192];
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    for (const char *p = text; *p != '\0' && side->used + 8 < LOG_SIZE;) {
        /* The tree may have a folder of that name, too. */
        if ((p == text || p[-1] == ' ')
            && strncmp(p, side->root, root_size) == 0) {
            memcpy(side->log + side->used, "ROOT", 4);
            side->used += 4;
            p += root_size;
        }
        else {
            side->log[side->used++] = *p++;
        }
    }
    side->log[side->used] = '\0';
}

void
say_result(struct side *side, const char *name, long rc)
{
    if (rc < 0) {
        say(side, "%s: %s", name, strerrorname_np(errno));
    }
    else {
        say(side, "%s: %ld", name, rc);
    }
}

/* A path below the root, without a leading slash, that may be there. */
static void
random_tail(uint64_t *state, char *ret, size_t cap)
{
    static const char *const ends[]
        = {"/", "/.", "/..", "/none", "/../", "//", "/a", "/../..", "/c.py"};
    const struct tree_entry *e
        = &tree.entries[random_below(state, (uint32_t)tree.count)];
    size_t size;

    (void)snprintf(ret, cap, "%s", e->path);
    if (random_below(state, 12) == 0) {
        ret[0] = '\0';
    }
    size = strlen(ret);
    if (random_below(state, 20) == 0 && size > 1) {
        ret[random_below(state, (uint32_t)size - 1) + 1] = '/';
    }
    while (random_below(state, 3) == 0 && strlen(ret) + 200 < cap) {
        (void)strcat(ret, ends[random_below(state, 9)]);
    }
    if (random_below(state, 25) == 0) {
        e = &tree.entries[random_below(state, (uint32_t)tree.count)];
        size = strlen(ret);
        (void)snprintf(ret + size, cap - size, "/%s", e->path);
    }
    if (random_below(state, 400) == 0) {
        size = strlen(ret);
        memset(ret + size, '/', cap - size - 1);
        ret[cap - 1] = '\0';
    }
}

/* After a difference the two sides may have different files open. */
static void
drop_descriptors(struct worker *w)
{
    for (size_t i = 0; i < FD_COUNT; i++) {
        for (size_t j = 0; j < 2; j++) {
            if (w->sides[j].fds[i] >= 0) {
                (void)close(w->sides[j].fds[i]);
                w->sides[j].fds[i] = -1;
            }
        }
    }
}

/* The length of a path without its last component and slashes. */
static size_t
parent_size(const char *path)
{
    size_t size = strlen(path);

    while (size != 0 && path[size - 1] == '/') {
        size--;
    }
    while (size != 0 && path[size - 1] != '/') {
        size--;
    }
    return size;
}

/*
 * Whether a path leads out of the tree, where the two have nothing in common
 * (but for the link to /dev/null) and must not change anything; or is the
 * mount itself, which is a name in another file system.
 */
bool
leads_out(const struct side *s, int fd, const char *path)
{
    char parent[PATH_SIZE];
    size_t size = parent_size(path);
    struct stat root;
    struct stat st;

    if (pexcz_vfs_stat(s->root, &root) < 0
        || (pexcz_vfs_fstatat(fd, path, &st, 0) == 0
            && st.st_dev != root.st_dev && !S_ISCHR(st.st_mode))) {
        return true;
    }
    memcpy(parent, path, size);
    (void)memcpy(parent + size, ".", 2);
    return pexcz_vfs_fstatat(fd, parent, &st, 0) == 0
               ? st.st_dev != root.st_dev
               : errno == EACCES; /* every folder of the tree can be entered */
}

static void
run_one(struct worker *w)
{
    const struct operation *op
        = &operations[random_below(&w->state, (uint32_t)operation_count)];
    size_t slot = random_below(&w->state, FD_COUNT);
    bool relative = random_below(&w->state, 3) == 0;
    char tail[PATH_SIZE - 200];
    char other[PATH_SIZE - 200];
    char paths[2][PATH_SIZE];
    char others[2][PATH_SIZE];
    struct call calls[2];
    uint32_t r[4];

    random_tail(&w->state, tail, sizeof(tail));
    random_tail(&w->state, other, sizeof(other));
    for (size_t i = 0; i < 4; i++) {
        r[i] = random_next(&w->state);
    }
    if (op->alone && !w->alone) {
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        struct side *s = &w->sides[i];
        struct call *c = &calls[i];
        bool at = relative && s->fds[slot] >= 0;

        *c = (struct call){.fd = at ? s->fds[slot] : AT_FDCWD,
                           .path = paths[i],
                           .other = others[i],
                           .tail = other};
        memcpy(c->r, r, sizeof(r));
        (void)snprintf(paths[i], PATH_SIZE, "%s%s%s", at ? "" : s->root,
                       at ? "" : "/", tail);
        (void)snprintf(others[i], PATH_SIZE, "%s%s%s", at ? "" : s->root,
                       at ? "" : "/", other);
        if (leads_out(s, c->fd, paths[i]) || leads_out(s, c->fd, others[i])) {
            return;
        }
    }
    for (size_t i = 0; i < 2; i++) {
        w->sides[i].used = 0;
        w->sides[i].log[0] = '\0';
        errno = 0;
        op->run(&w->sides[i], &calls[i]);
    }
    w->made++;
    if (strcmp(w->sides[0].log, w->sides[1].log) == 0) {
        return;
    }
    drop_descriptors(w);
    if (atomic_fetch_add(&differences, 1) < MAX_SHOWN) {
        (void)fprintf(stderr,
                      "%s of \"%.200s\"%s, \"%.100s\" (%x %x %x %x)\n"
                      "  vfs:  %s\n  disk: %s\n",
                      op->name, tail,
                      relative && w->sides[0].fds[slot] >= 0 ? " at" : "",
                      other, r[0], r[1], r[2], r[3], w->sides[0].log,
                      w->sides[1].log);
    }
}

static void *
work(void *argument)
{
    struct worker *w = argument;

    w->sides[0].root = PEXCZ_PREFIX;
    w->sides[1].root = tree.disk;
    for (size_t i = 0; i < FD_COUNT; i++) {
        for (size_t j = 0; j < 2; j++) {
            struct side *s = &w->sides[j];

            /* Some directory to start from. */
            s->fds[i] = i == 0 ? pexcz_vfs_open(s->root, O_RDONLY, 0) : -1;
        }
    }
    for (unsigned long i = 0; i < w->calls; i++) {
        run_one(w);
    }
    drop_descriptors(w);
    return NULL;
}

int
main(int argc, char **argv)
{
    uint64_t seed = argc > 3 ? strtoull(argv[2], NULL, 0) : 0;
    unsigned long calls = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
    size_t threads = argc > 4 ? strtoul(argv[4], NULL, 10) : 1;
    uint64_t state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    unsigned long made = 0;
    struct worker *workers;
    pthread_t *ids;

    if (calls == 0 || threads == 0 || threads > 64) {
        (void)fprintf(stderr, "usage: vfs_diff FOLDER SEED CALLS [THREADS]\n");
        return 2;
    }
    workers = calloc(threads, sizeof(*workers));
    ids = calloc(threads, sizeof(*ids));
    if (workers == NULL || ids == NULL) {
        return 2;
    }
    tree.folder = argv[1];
    tree.user = seed % 3 == 0 && geteuid() == 0 ? SOME_USER : 0;
    if (!random_tree_make(&tree, &state)) {
        (void)printf("no mount namespace\n");
        return 77;
    }
    for (size_t i = 0; i < threads; i++) {
        workers[i].state = state + (i + 1) * UINT64_C(0x2545f4914f6cdd1d);
        workers[i].calls = calls / threads;
        workers[i].alone = threads == 1;
        if (pthread_create(&ids[i], NULL, work, &workers[i]) != 0) {
            return 2;
        }
    }
    for (size_t i = 0; i < threads; i++) {
        (void)pthread_join(ids[i], NULL);
        made += workers[i].made;
    }
    random_tree_done();
    free(workers);
    free(ids);
    (void)printf("seed %llu: %lu calls in %zu threads, %u differences\n",
                 (unsigned long long)seed, made, threads,
                 atomic_load(&differences));
    return atomic_load(&differences) != 0;
}
