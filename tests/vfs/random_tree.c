/* SPDX-License-Identifier: Apache-2.0 */
#include "random_tree.h"

#include "blob_reader.h"
#include "blob_writer.h"
#include "exe_layout.h"
#include "vfs.h"

#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define MTIME 1600000000
#define MTIME_NSEC 123456789

static struct pexcz_blob blob;
static struct pexcz_tree mounted;
static struct pexcz_buf bytes;

static const char *const names[] = {
    "a",       "b",     "c.py", "data", "x y",    "\xc3\xbc",
    ".hidden", "pexcz", "proc", "..x",  "README", "lib",
};
#define NAME_COUNT (sizeof(names) / sizeof(names[0]))

static bool
is_taken(const struct random_tree *tree, const char *path)
{
    for (size_t i = 0; i < tree->count; i++) {
        if (strcmp(tree->entries[i].path, path) == 0) {
            return true;
        }
    }
    return false;
}

/* A path in a directory of the tree, or at its root; false: taken. */
static bool
new_path(const struct random_tree *tree, uint64_t *state, char *ret,
         size_t cap)
{
    const char *name = names[random_below(state, NAME_COUNT)];
    const char *dir = "";
    char long_name[256];
    char path[1400];

    if (random_below(state, 60) == 0) {
        memset(long_name, 'n', 255);
        long_name[255] = '\0';
        name = long_name;
    }
    for (int i = 0; i < 4; i++) {
        const struct tree_entry *e
            = &tree->entries[random_below(state, (uint32_t)tree->count + 1)];

        if (e < tree->entries + tree->count && e->kind == PEXCZ_KIND_DIR) {
            dir = e->path;
            break;
        }
    }
    (void)snprintf(path, sizeof(path), "%s%s%s", dir, *dir != '\0' ? "/" : "",
                   name);
    if (strlen(path) >= 600 || strlen(path) >= cap || is_taken(tree, path)) {
        return false;
    }
    memcpy(ret, path, strlen(path) + 1);
    return true;
}

/* Where a link leads: near, up, to an absolute path, in circles, nowhere. */
static void
new_target(const struct random_tree *tree, uint64_t *state,
           struct tree_entry *link)
{
    const struct tree_entry *to
        = &tree->entries[random_below(state, (uint32_t)tree->count)];
    const char *slash = strrchr(to->path, '/');
    const char *name = slash != NULL ? slash + 1 : to->path;
    char text[sizeof(link->target)];

    switch (random_below(state, 8)) {
    case 0:
        (void)snprintf(text, sizeof(text), "%s/%s", PEXCZ_PREFIX, to->path);
        break;
    case 1: /* one that leads out would be created in what is there */
        (void)snprintf(text, sizeof(text), "%s%s",
                       strchr(link->path, '/') != NULL ? "../" : "", name);
        break;
    case 2:
        (void)snprintf(text, sizeof(text), "%s/", name);
        break;
    case 3:
        (void)snprintf(text, sizeof(text), "%s", "/dev/null");
        break;
    case 4:
        (void)snprintf(text, sizeof(text), "./%s/..", name);
        break;
    default:
        (void)snprintf(text, sizeof(text), "%s",
                       strchr(link->path, '/') == NULL ? to->path : name);
        break;
    }
    memcpy(link->target, text, strlen(text) + 1);
}

static void
generate(struct random_tree *tree, uint64_t *state)
{
    static const unsigned modes[] = {0644, 0755, 0444, 0600, 0555, 0000};

    while (tree->count < TREE_MAX_ENTRIES) {
        struct tree_entry *e = &tree->entries[tree->count];
        uint32_t what = random_below(state, 10);

        if (!new_path(tree, state, e->path, sizeof(e->path))) {
            continue;
        }
        if (what < 3 || tree->count < 4) {
            e->kind = PEXCZ_KIND_DIR;
            e->mode = 0755;
        }
        else if (what < 8) {
            e->kind = PEXCZ_KIND_FILE;
            e->mode = modes[random_below(state, 6)];
            e->size = random_below(state, 3) == 0 ? random_below(state, 70000)
                                                  : random_below(state, 500);
        }
        else {
            e->kind = PEXCZ_KIND_SYMLINK;
            e->mode = 0777;
            new_target(tree, state, e);
        }
        tree->count++;
    }
}

/* Content of an entry: compressible, different for each path. */
static char *
content_of(const struct tree_entry *e)
{
    char *text = malloc(e->size + 1);

    if (text == NULL) {
        err(2, "malloc");
    }
    for (size_t i = 0; i < e->size; i++) {
        text[i] = (char)('a' + (i * strlen(e->path) + i / 7) % 26);
    }
    return text;
}

static void
check(int rc, const char *what)
{
    if (rc < 0) {
        err(2, "%s", what);
    }
}

static void
write_disk(const struct random_tree *tree, const struct tree_entry *e)
{
    struct timespec times[2] = {{MTIME, MTIME_NSEC}, {MTIME, MTIME_NSEC}};
    size_t prefix = strlen(PEXCZ_PREFIX);
    char path[2048];
    char target[2048];

    (void)snprintf(path, sizeof(path), "%s/%s", tree->disk, e->path);
    if (e->kind == PEXCZ_KIND_DIR) {
        check(mkdir(path, 0755), path);
    }
    else if (e->kind == PEXCZ_KIND_SYMLINK) {
        bool inside = strncmp(e->target, PEXCZ_PREFIX, prefix) == 0;

        (void)snprintf(target, sizeof(target), "%s%s",
                       inside ? tree->disk : "",
                       e->target + (inside ? prefix : 0));
        check(symlink(target, path), path);
    }
    else {
        char *text = content_of(e);
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

        check(fd, path);
        check(write(fd, text, e->size) == (ssize_t)e->size ? 0 : -1, path);
        check(fchmod(fd, e->mode), path);
        (void)close(fd);
        free(text);
    }
    check(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), path);
}

/* Of a directory that was filled since; and the modes, which umask changed. */
static void
finish_disk(const struct random_tree *tree, const struct tree_entry *e)
{
    struct timespec times[2] = {{MTIME, MTIME_NSEC}, {MTIME, MTIME_NSEC}};
    char path[2048];

    (void)snprintf(path, sizeof(path), "%s/%s", tree->disk, e->path);
    if (e->kind == PEXCZ_KIND_DIR) {
        check(chmod(path, e->mode), path);
    }
    if (tree->user != 0) {
        check(lchown(path, tree->user, tree->user), path);
    }
    check(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), path);
}

static void
write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);

    check(fd, path);
    check(write(fd, text, strlen(text)) < 0 ? -1 : 0, path);
    (void)close(fd);
}

/* A user namespace in which we are root. */
static bool
become_root(void)
{
    char map[64];
    uid_t uid = geteuid();
    gid_t gid = getegid();

    if (unshare(CLONE_NEWUSER) < 0) {
        return false;
    }
    write_text("/proc/self/setgroups", "deny");
    (void)snprintf(map, sizeof(map), "0 %u 1", uid);
    write_text("/proc/self/uid_map", map);
    (void)snprintf(map, sizeof(map), "0 %u 1", gid);
    write_text("/proc/self/gid_map", map);
    return true;
}

/*
 * A namespace of our own in which nothing but the copy's folder can be
 * written, since paths lead out of the tree, too.
 */
static bool
make_namespace(struct random_tree *tree)
{
    struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};

    (void)snprintf(tree->disk, sizeof(tree->disk), "%s%s", tree->folder,
                   PEXCZ_PREFIX);
    return (geteuid() == 0 || become_root()) && unshare(CLONE_NEWNS) == 0
           && mount("none", "/", "none", MS_REC | MS_PRIVATE, "") == 0
           && mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &read_only,
                            sizeof(read_only))
                  == 0
           && mount("none", tree->folder, "tmpfs", 0, "mode=755") == 0;
}

/* The copy is a mount of its own in a folder of the mount's name, as /proc is
 * for the tree. */
static void
make_disk(const struct random_tree *tree)
{
    char parent[sizeof(tree->disk)];

    (void)snprintf(parent, sizeof(parent), "%s", tree->disk);
    *strrchr(parent, '/') = '\0';
    check(mkdir(parent, 0755), parent);
    check(mkdir(tree->disk, 0755), tree->disk);
    check(mount("none", tree->folder, "tmpfs", MS_REMOUNT | MS_RDONLY, ""),
          tree->folder);
    check(mount("none", tree->disk, "tmpfs", 0, "mode=755"), tree->disk);
    check(chown(tree->disk, tree->user, tree->user), tree->disk);
    for (size_t i = 0; i < tree->count; i++) {
        write_disk(tree, &tree->entries[i]);
    }
    for (size_t i = 0; i < tree->count; i++) {
        finish_disk(tree, &tree->entries[i]);
    }
    check(mount("none", tree->disk, "tmpfs", MS_REMOUNT | MS_RDONLY, ""),
          tree->disk);
}

static void
must(int rc, const struct pexcz_error *error)
{
    if (rc < 0) {
        errx(2, "%s", error->msg);
    }
}

static void
add_to_blob(struct pexcz_blob_writer *w, const struct tree_entry *e, bool raw)
{
    struct pexcz_entry_spec spec = {
        .path = pexcz_slice_str(e->path),
        .kind = (enum pexcz_entry_kind)e->kind,
        .mode = (uint16_t)e->mode,
        .mtime = MTIME,
        .mtime_nsec = MTIME_NSEC,
        .payload = PEXCZ_NONE,
        .code = PEXCZ_NONE,
    };
    struct pexcz_encoded enc;
    struct pexcz_error error;

    if (e->kind != PEXCZ_KIND_DIR) {
        char *text
            = e->kind == PEXCZ_KIND_FILE ? content_of(e) : strdup(e->target);
        size_t size = e->kind == PEXCZ_KIND_FILE ? e->size : strlen(e->target);

        must(pexcz_payload_encode(pexcz_slice_make(text, size),
                                  raw ? PEXCZ_ENCODE_RAW : PEXCZ_ENCODE_ZSTD,
                                  3, NULL, &enc, &error),
             &error);
        must(pexcz_blob_writer_put(w, &enc, 8, &spec.payload, &error), &error);
        pexcz_encoded_done(&enc);
        free(text);
    }
    must(pexcz_blob_writer_add(w, &spec, &error), &error);
}

static void
mount_tree(const struct random_tree *tree)
{
    static const char *const suffixes[] = {".so", NULL};
    struct pexcz_blob_options options = {.python_major = 3};
    struct pexcz_error error;
    struct pexcz_blob_writer *w;
    uint64_t size = 0;
    int fd = memfd_create("tree", MFD_CLOEXEC);

    check(fd, "memfd_create");
    w = pexcz_blob_writer_new(fd, 0, &options, &error);
    must(w != NULL ? 0 : -1, &error);
    for (size_t i = 0; i < tree->count; i++) {
        add_to_blob(w, &tree->entries[i], i % 3 == 0);
    }
    must(pexcz_blob_writer_finish(w, suffixes, &size, &error), &error);
    must(pexcz_buf_reserve(&bytes, (size_t)size, &error), &error);
    check(pread(fd, bytes.ptr, (size_t)size, 0) == (ssize_t)size ? 0 : -1,
          "pread");
    bytes.len = (size_t)size;
    pexcz_blob_writer_free(w);
    (void)close(fd);
    must(pexcz_blob_open(&blob, pexcz_buf_slice(&bytes), "t", &error), &error);
    if (!pexcz_tree_add(&mounted, &blob)) {
        errx(2, "no room for the tree");
    }
    pexcz_vfs_mount(&mounted);
}

bool
random_tree_make(struct random_tree *tree, uint64_t *state)
{
    tree->count = 0;
    generate(tree, state);
    if (!make_namespace(tree)) {
        return false;
    }
    make_disk(tree);
    if (tree->user != 0) {
        check(setresgid(tree->user, tree->user, tree->user), "setresgid");
        check(setresuid(tree->user, tree->user, tree->user), "setresuid");
    }
    mount_tree(tree);
    return true;
}

void
random_tree_done(void)
{
    pexcz_vfs_mount(NULL);
    pexcz_blob_close(&blob);
    pexcz_buf_done(&bytes);
}
