/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 10,000 packed files with one to four bits flipped: whatever they are, every
 * reader comes back, as the runtime (open, look-ups) and as pexcz (verify,
 * walk).  With ASan and UBSan, which see what a crash would not show.
 */
#include "packed_build.h"
#include "packed_file.h"

#define MUTATIONS 10000
/* valgrind takes a hundred times as long. */
#define MUTATIONS_UNDER_VALGRIND 200

static const struct packed_item stdlib[] = {
    {"bin/python", PEXCZ_KIND_SELF, 0755, NULL, NULL},
    {"lib/python3.11/os.py", PEXCZ_KIND_FILE, 0644, "import sys\n", "code"},
    {"lib/python3.11/json/__init__.py", PEXCZ_KIND_FILE, 0644, "x = 1\n", "b"},
    {"lib/python3.11/json/tool.py", PEXCZ_KIND_FILE, 0644, "y = 2\n", "c"},
    {NULL, PEXCZ_KIND_FILE, 0, NULL, NULL},
};

static const struct packed_item app[] = {
    {"lib/python3.11/site-packages/app.py", PEXCZ_KIND_FILE, 0644, "x = 1\n",
     "more code"},
    {"lib/python3.11/site-packages/a/data.bin", PEXCZ_KIND_FILE, 0600,
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL},
    {"lib/python3.11/site-packages/link", PEXCZ_KIND_SYMLINK, 0777,
     "a/data.bin", NULL},
    {NULL, PEXCZ_KIND_FILE, 0, NULL, NULL},
};

static const struct packed_setting settings[] = {
    {PEXCZ_BOOT_ENTRY_MODULE, "app"},
    {PEXCZ_BOOT_SEARCH_PATH, "lib/python3.11/site-packages"},
    {0, NULL},
};

/* xorshift64*: the same flips in every run. */
static uint64_t random_state = 88172645463325252u;

static uint64_t
next_random(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 2685821657736338717u;
}

static void
read_blob(const struct pexcz_blob *blob)
{
    struct pexcz_buf scratch = {0};
    struct pexcz_slice content;
    struct pexcz_error err;
    uint32_t cursor = 0;
    uint32_t key;

    for (uint32_t i = 0; i < pexcz_blob_entry_count(blob) && i < 64; i++) {
        struct pexcz_entry entry;
        char path[PEXCZ_MAX_PATH + 1];

        if (pexcz_blob_entry(blob, i, &entry, &err) == 0) {
            CHECK(pexcz_blob_path(blob, i, path, sizeof(path), &err)
                  <= (int)PEXCZ_MAX_PATH);
        }
    }
    for (uint32_t i = 0; i < pexcz_blob_module_count(blob) && i < 64; i++) {
        struct pexcz_module module;

        if (pexcz_blob_module(blob, i, &module, &err) == 0
            && module.code != PEXCZ_NONE) {
            CHECK(
                pexcz_blob_content(blob, module.code, &scratch, &content, &err)
                <= 0);
        }
    }
    while (pexcz_blob_boot_next(blob, &cursor, &key, &content)) {
    }
    pexcz_buf_done(&scratch);
}

static void
read_all(const char *path)
{
    static const char *const names[]
        = {"", "lib/python3.11/os.py", "lib/python3.11/site-packages/link",
           "lib/python3.11/site-packages/a/data.bin", "bin/python"};
    struct pexcz_packed_file file;
    struct pexcz_error err = {0};
    int rc = pexcz_packed_file_open(&file, path, &err);

    if (rc < 0) {
        CHECK(err.msg[0] != '\0');
        return;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct pexcz_node node;

        (void)pexcz_tree_find(&file.tree, pexcz_slice_str(names[i]), &node);
    }
    for (int i = 0; i < PEXCZ_PART_COUNT; i++) {
        if (file.parts[i].present) {
            read_blob(&file.parts[i].blob);
        }
    }
    rc = pexcz_packed_file_verify(&file, &err);
    CHECK(rc == 0 || err.msg[0] != '\0');
    pexcz_packed_file_close(&file);
}

static void
mutate(int fd, uint64_t size)
{
    uint64_t offsets[4];
    uint8_t old[4];
    size_t n = 1 + next_random() % 4;

    for (size_t i = 0; i < n; i++) {
        uint8_t byte;

        offsets[i] = next_random() % size;
        CHECK_EQ(pread(fd, &old[i], 1, (off_t)offsets[i]), 1);
        byte = old[i] ^ (uint8_t)(1u << next_random() % 8);
        CHECK_EQ(pwrite(fd, &byte, 1, (off_t)offsets[i]), 1);
    }
    read_all("packed");
    while (n-- > 0) {
        CHECK_EQ(pwrite(fd, &old[n], 1, (off_t)offsets[n]), 1);
    }
}

int
main(void)
{
    char folder[] = "/tmp/pexcz-mutation-XXXXXX";
    int count = getenv("PEXCZ_UNDER_VALGRIND") != NULL
                    ? MUTATIONS_UNDER_VALGRIND
                    : MUTATIONS;
    off_t size;
    int fd;

    packed_enter_folder(folder);
    packed_write_base("packed");
    packed_add("packed", PEXCZ_ADDR_STDLIB, PACKED_MAGIC, stdlib, NULL);
    packed_add("packed", PEXCZ_ADDR_APP, PACKED_MAGIC, app, settings);
    fd = open("packed", O_RDWR);
    CHECK(fd >= 0);
    size = lseek(fd, 0, SEEK_END);
    for (int i = 0; i < count; i++) {
        mutate(fd, (uint64_t)size);
    }
    read_all("packed");
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(unlink("packed"), 0);
    CHECK_EQ(rmdir(folder), 0);
    CHECK_DONE();
}
