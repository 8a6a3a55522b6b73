/* SPDX-License-Identifier: Apache-2.0 */
/* The tree that the tests of vfs/ mount, in memory. */
#ifndef PEXCZ_VFS_TREE_H
#define PEXCZ_VFS_TREE_H

#include "blob_reader.h"
#include "blob_writer.h"
#include "check.h"
#include "exe_layout.h"
#include "vfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define VFS_BIG_SIZE 200000u

struct vfs_file {
    const char *path;
    const char *content; /* of a link: its target; NULL: an empty directory */
    enum pexcz_entry_kind kind;
    uint16_t mode;
};

static const struct vfs_file vfs_files[] = {
    {"dir/file", "hello\n", PEXCZ_KIND_FILE, 0644},
    {"dir/prog", "#!/bin/sh\necho \"ran $*\"\n", PEXCZ_KIND_FILE, 0755},
    {"dir/sub/deep", "deep", PEXCZ_KIND_FILE, 0444},
    {"empty", "", PEXCZ_KIND_FILE, 0600},
    {"hollow", NULL, PEXCZ_KIND_DIR, 0755},
    {"link", "dir/file", PEXCZ_KIND_SYMLINK, 0777},
    {"dirlink", "dir/sub/..", PEXCZ_KIND_SYMLINK, 0777},
    {"loop", "loop", PEXCZ_KIND_SYMLINK, 0777},
    {"dangling", "nowhere", PEXCZ_KIND_SYMLINK, 0777},
    {"outside", "/dev/null", PEXCZ_KIND_SYMLINK, 0777},
};
#define VFS_FILE_COUNT (sizeof(vfs_files) / sizeof(vfs_files[0]))

static char vfs_big[VFS_BIG_SIZE];
static struct pexcz_blob vfs_blob;
static struct pexcz_tree vfs_test_tree;
static struct pexcz_buf vfs_bytes;

static void
vfs_add(struct pexcz_blob_writer *w, const char *path,
        struct pexcz_slice content, enum pexcz_entry_kind kind, uint16_t mode)
{
    struct pexcz_error err;
    struct pexcz_encoded enc;
    struct pexcz_entry_spec spec = {
        .path = pexcz_slice_str(path),
        .kind = kind,
        .mode = mode,
        .mtime = 1600000000,
        .mtime_nsec = 123456789,
        .payload = PEXCZ_NONE,
        .code = PEXCZ_NONE,
    };

    if (kind == PEXCZ_KIND_FILE || kind == PEXCZ_KIND_SYMLINK) {
        CHECK_EQ(pexcz_payload_encode(content, PEXCZ_ENCODE_ZSTD, 3, NULL,
                                      &enc, &err),
                 0);
        CHECK_EQ(pexcz_blob_writer_put(w, &enc, 8, &spec.payload, &err), 0);
        pexcz_encoded_done(&enc);
    }
    CHECK_EQ(pexcz_blob_writer_add(w, &spec, &err), 0);
}

/* Mounts vfs_files, "big" (compressed) and "self" (the test itself). */
static void
vfs_mount_tree(void)
{
    static const char *const suffixes[] = {".so", NULL};
    char name[] = "/tmp/test_vfs_XXXXXX";
    int fd = mkstemp(name);
    struct pexcz_blob_options options = {.python_major = 3};
    struct pexcz_error err;
    struct pexcz_blob_writer *w = pexcz_blob_writer_new(fd, 0, &options, &err);
    uint64_t size = 0;

    (void)unlink(name);
    CHECK(w != NULL);
    for (size_t i = 0; i < VFS_FILE_COUNT; i++) {
        const struct vfs_file *f = &vfs_files[i];

        vfs_add(w, f->path,
                pexcz_slice_str(f->content != NULL ? f->content : ""), f->kind,
                f->mode);
    }
    for (size_t i = 0; i < sizeof(vfs_big); i++) {
        vfs_big[i] = (char)('a' + i % 17);
    }
    vfs_add(w, "big", pexcz_slice_make(vfs_big, sizeof(vfs_big)),
            PEXCZ_KIND_FILE, 0644);
    vfs_add(w, "self", pexcz_slice_str(""), PEXCZ_KIND_SELF, 0755);
    CHECK_EQ(pexcz_blob_writer_finish(w, suffixes, &size, &err), 0);
    CHECK_EQ(pexcz_buf_reserve(&vfs_bytes, (size_t)size, &err), 0);
    CHECK_EQ(pread(fd, vfs_bytes.ptr, (size_t)size, 0), (long long)size);
    vfs_bytes.len = (size_t)size;
    pexcz_blob_writer_free(w);
    (void)close(fd);
    CHECK_EQ(
        pexcz_blob_open(&vfs_blob, pexcz_buf_slice(&vfs_bytes), "t", &err), 0);
    CHECK(pexcz_tree_add(&vfs_test_tree, &vfs_blob));
    pexcz_vfs_mount(&vfs_test_tree);
}

static void
vfs_unmount_tree(void)
{
    pexcz_vfs_mount(NULL);
    pexcz_blob_close(&vfs_blob);
    pexcz_buf_done(&vfs_bytes);
}

/* The same file below a real folder. */
static __attribute__((unused)) void
vfs_copy_out(const char *real_root, const struct vfs_file *f)
{
    char path[256];
    char *slash;
    FILE *stream;

    (void)snprintf(path, sizeof(path), "%s/%s", real_root, f->path);
    for (slash = path + strlen(real_root) + 1;
         (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        (void)mkdir(path, 0755);
        *slash = '/';
    }
    if (f->kind == PEXCZ_KIND_DIR) {
        CHECK_EQ(mkdir(path, f->mode), 0);
    }
    else if (f->kind == PEXCZ_KIND_SYMLINK) {
        CHECK_EQ(symlink(f->content, path), 0);
    }
    else {
        stream = fopen(path, "w");
        CHECK(stream != NULL && fputs(f->content, stream) >= 0);
        CHECK_EQ(fclose(stream), 0);
        CHECK_EQ(chmod(path, f->mode), 0);
    }
}

#endif
