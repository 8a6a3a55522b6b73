/* SPDX-License-Identifier: Apache-2.0 */
/* packer/packed_file: blobs are found, and no change to them goes unseen. */
#include "packed_build.h"
#include "packed_file.h"

#include <sys/stat.h>

static const struct packed_item stdlib[] = {
    {"bin/python", PEXCZ_KIND_SELF, 0755, NULL, NULL},
    {"lib/python3.11/os.py", PEXCZ_KIND_FILE, 0644, "import sys\n", "code"},
    {NULL, PEXCZ_KIND_FILE, 0, NULL, NULL},
};

static const struct packed_item app[] = {
    {"lib/python3.11/site-packages/app.py", PEXCZ_KIND_FILE, 0644, "x = 1\n",
     "more code"},
    {NULL, PEXCZ_KIND_FILE, 0, NULL, NULL},
};

static int
open_and_close(const char *path, struct pexcz_error *err)
{
    struct pexcz_packed_file file;
    int rc = pexcz_packed_file_open(&file, path, err);

    if (rc == 0) {
        pexcz_packed_file_close(&file);
    }
    return rc;
}

static int
verify(const char *path, struct pexcz_error *err)
{
    struct pexcz_packed_file file;
    int rc = pexcz_packed_file_open(&file, path, err);

    if (rc == 0) {
        rc = pexcz_packed_file_verify(&file, err);
        pexcz_packed_file_close(&file);
    }
    return rc;
}

static void
make_files(void)
{
    packed_write_base("elf");
    packed_write_base("base");
    packed_add("base", PEXCZ_ADDR_STDLIB, PACKED_MAGIC, stdlib, NULL);
    packed_write_base("packed");
    packed_add("packed", PEXCZ_ADDR_STDLIB, PACKED_MAGIC, stdlib, NULL);
    packed_add("packed", PEXCZ_ADDR_APP, PACKED_MAGIC, app, NULL);
}

static void
test_parts(void)
{
    struct pexcz_packed_file file;
    struct pexcz_tree tree;
    struct pexcz_node node;
    struct pexcz_error err;

    CHECK_EQ(verify("base", &err), 0);
    CHECK_EQ(verify("packed", &err), 0);
    CHECK_EQ(pexcz_packed_file_open(&file, "base", &err), 0);
    CHECK(!file.parts[PEXCZ_PART_APPLICATION].present);
    CHECK(file.parts[PEXCZ_PART_STDLIB].present);
    pexcz_packed_file_tree(&file, false, &tree);
    CHECK(pexcz_tree_find(&tree, pexcz_slice_str("lib/python3.11/os.py"),
                          &node));
    CHECK_EQ(pexcz_packed_file_part(&file, node.blob), PEXCZ_PART_STDLIB);
    pexcz_packed_file_close(&file);

    CHECK_EQ(pexcz_packed_file_open(&file, "packed", &err), 0);
    CHECK(file.parts[PEXCZ_PART_APPLICATION].present);
    CHECK_EQ(file.parts[PEXCZ_PART_APPLICATION].offset % PEXCZ_PAGE_SIZE, 0);
    pexcz_packed_file_tree(&file, false, &tree);
    CHECK_EQ(tree.layer_count, 1);
    CHECK(!pexcz_tree_find(&tree, pexcz_slice_str("lib/python3.11/os.py"),
                           &node));
    pexcz_packed_file_tree(&file, true, &tree);
    CHECK_EQ(tree.layer_count, 2);
    CHECK(pexcz_tree_find(&tree, pexcz_slice_str("lib/python3.11/os.py"),
                          &node));
    CHECK(pexcz_tree_find(
        &tree, pexcz_slice_str("lib/python3.11/site-packages/app.py"), &node));
    CHECK_EQ(pexcz_packed_file_part(&file, node.blob), PEXCZ_PART_APPLICATION);
    pexcz_packed_file_close(&file);
}

static void
write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void
test_not_packed(void)
{
    struct pexcz_error err;

    CHECK_EQ(open_and_close("missing", &err), PEXCZ_E_IO);
    CHECK_STR(err.msg, "missing: No such file or directory");
    CHECK_EQ(open_and_close(".", &err), PEXCZ_E_CORRUPT);
    CHECK_STR(err.msg, ".: not a regular file");
    CHECK_EQ(mkfifo("fifo", 0600), 0);
    CHECK_EQ(open_and_close("fifo", &err), PEXCZ_E_CORRUPT);
    CHECK_STR(err.msg, "fifo: not a regular file");
    write_text("empty", "");
    CHECK_EQ(open_and_close("empty", &err), PEXCZ_E_CORRUPT);
    CHECK_STR(err.msg, "empty: the file is empty");
    write_text("text", "#!/bin/sh\n");
    CHECK_EQ(open_and_close("text", &err), PEXCZ_E_UNSUPPORTED);
    CHECK_STR(err.msg, "text: not an ELF executable");
    CHECK_EQ(open_and_close("elf", &err), PEXCZ_E_UNSUPPORTED);
    CHECK_STR(err.msg, "elf: not an executable made by pexcz");
}

static void
copy(const char *from, const char *to, struct pexcz_buf *ret)
{
    struct pexcz_slice map = {0};
    struct pexcz_error err;
    int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    ret->len = 0;
    CHECK_EQ(pexcz_file_map(from, &map, &err), 0);
    CHECK_EQ(pexcz_buf_append(ret, map.ptr, map.len, &err), 0);
    CHECK_EQ(write(fd, map.ptr, map.len), (long long)map.len);
    CHECK_EQ(close(fd), 0);
    pexcz_file_unmap(&map);
}

static void
test_cut_and_appended(void)
{
    struct pexcz_buf bytes = {0};
    struct pexcz_error err;

    copy("packed", "changed", &bytes);
    CHECK_EQ(truncate("changed", (off_t)bytes.len + 10), 0);
    CHECK_EQ(open_and_close("changed", &err), 0);
    CHECK_EQ(verify("changed", &err), PEXCZ_E_CORRUPT);
    CHECK_STR(err.msg, "changed: the file has 10 bytes appended");
    for (size_t size = bytes.len - 1; size > 0;
         size -= size > 97 ? 97 : size) {
        CHECK_EQ(truncate("changed", (off_t)size), 0);
        CHECK(open_and_close("changed", &err) < 0);
        CHECK(strncmp(err.msg, "changed: ", 9) == 0);
    }
    pexcz_buf_done(&bytes);
}

static void
put_at(int fd, uint64_t offset, const void *bytes, size_t size)
{
    CHECK_EQ(pwrite(fd, bytes, size, (off_t)offset), (long long)size);
}

/* Each changed byte of a blob is an error; one anywhere else may be one, and
 * crashes nothing. */
static void
test_flips(void)
{
    struct pexcz_buf bytes = {0};
    struct pexcz_packed_file file;
    struct pexcz_error err;
    uint64_t from;
    uint64_t to;
    int fd;

    CHECK_EQ(pexcz_packed_file_open(&file, "packed", &err), 0);
    from = file.parts[PEXCZ_PART_STDLIB].offset;
    to = file.parts[PEXCZ_PART_APPLICATION].offset
         + file.parts[PEXCZ_PART_APPLICATION].size;
    pexcz_packed_file_close(&file);
    copy("packed", "changed", &bytes);
    fd = open("changed", O_WRONLY);
    for (size_t i = 0; i < bytes.len; i += i < 512 ? 1 : 13) {
        uint8_t flipped = bytes.ptr[i] ^ (uint8_t)(1u << i % 8);
        int rc;

        put_at(fd, i, &flipped, 1);
        rc = verify("changed", &err);
        if (i >= from && i < to) {
            /* UNSUPPORTED: it may now claim to be of a later version. */
            CHECK(rc == PEXCZ_E_CORRUPT || rc == PEXCZ_E_UNSUPPORTED);
        }
        put_at(fd, i, &bytes.ptr[i], 1);
    }
    CHECK_EQ(verify("changed", &err), 0);
    CHECK_EQ(close(fd), 0);
    pexcz_buf_done(&bytes);
}

/* Without its segment the runtime cannot use a blob, but it can be read. */
static void
test_section_only(void)
{
    struct pexcz_packed_file file;
    struct pexcz_buf bytes = {0};
    struct pexcz_error err;
    Elf64_Word none = PT_NULL;
    uint64_t header;
    int fd;

    copy("packed", "changed", &bytes);
    fd = open("changed", O_WRONLY);
    header = sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr);
    put_at(fd, header + offsetof(Elf64_Phdr, p_type), &none, sizeof(none));
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(pexcz_packed_file_open(&file, "changed", &err), 0);
    CHECK(file.parts[PEXCZ_PART_APPLICATION].present);
    CHECK_EQ(pexcz_packed_file_verify(&file, &err), PEXCZ_E_CORRUPT);
    CHECK_STR(err.msg, "changed: application: its segment is missing");
    pexcz_packed_file_close(&file);
    pexcz_buf_done(&bytes);
}

static void
test_parts_that_do_not_match(void)
{
    struct pexcz_error err;

    packed_write_base("other");
    packed_add("other", PEXCZ_ADDR_STDLIB, PACKED_MAGIC + 1, stdlib, NULL);
    packed_add("other", PEXCZ_ADDR_APP, PACKED_MAGIC, app, NULL);
    CHECK_EQ(verify("other", &err), PEXCZ_E_CONFLICT);
    CHECK_STR(err.msg, "other: the application was packed for Python 3.11, "
                       "not for this executable's");
    packed_write_base("alone");
    packed_add("alone", PEXCZ_ADDR_APP, PACKED_MAGIC, app, NULL);
    CHECK_EQ(verify("alone", &err), PEXCZ_E_CORRUPT);
    CHECK_STR(err.msg, "alone: the standard library is missing");
}

int
main(void)
{
    static const char *const made[]
        = {"elf",  "base",    "packed", "fifo", "empty",
           "text", "changed", "other",  "alone"};
    char folder[] = "/tmp/test_packed_file_XXXXXX";

    packed_enter_folder(folder);
    make_files();
    test_parts();
    test_not_packed();
    test_cut_and_appended();
    test_flips();
    test_section_only();
    test_parts_that_do_not_match();
    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
        CHECK_EQ(unlink(made[i]), 0);
    }
    CHECK_EQ(rmdir(folder), 0);
    CHECK_DONE();
}
