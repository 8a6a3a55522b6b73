/* SPDX-License-Identifier: Apache-2.0 */
/* pexcz_blob_verify(): a good blob passes; each defect, sealed with right
 * hashes, is named; and no flipped bit passes, wherever it is. */
#include "blob_reader.h"
#include "blob_reseal.h"
#include "blob_writer.h"
#include "check.h"

#include <stdlib.h>
#include <unistd.h>

static const char *const suffixes[] = {".abi3.so", ".so", NULL};

static void
add(struct pexcz_blob_writer *w, const char *path, enum pexcz_entry_kind kind,
    const char *content, const char *code)
{
    struct pexcz_entry_spec spec = {
        .path = pexcz_slice_str(path),
        .kind = kind,
        .mode = 0644,
        .payload = PEXCZ_NONE,
        .code = PEXCZ_NONE,
    };
    const char *contents[] = {content, code};
    uint32_t *numbers[] = {&spec.payload, &spec.code};
    struct pexcz_error err;

    for (int i = 0; i < 2; i++) {
        struct pexcz_encoded enc;

        if (contents[i] == NULL) {
            continue;
        }
        CHECK_EQ(pexcz_payload_encode(pexcz_slice_str(contents[i]),
                                      PEXCZ_ENCODE_ZSTD, 3, NULL, &enc, &err),
                 0);
        CHECK_EQ(pexcz_blob_writer_put(w, &enc, 8, numbers[i], &err), 0);
        pexcz_encoded_done(&enc);
    }
    CHECK_EQ(pexcz_blob_writer_add(w, &spec, &err), 0);
}

static void
add_boot(struct pexcz_blob_writer *w, enum pexcz_boot_key key,
         const char *value)
{
    struct pexcz_error err;

    CHECK_EQ(pexcz_blob_writer_boot(w, key, pexcz_slice_str(value), &err), 0);
}

/* Entries: 0 root, 1 a, 2 bin, 3 a/b, 4 a/c.py, 5 a/d.abi3.so, 6 a/d.py,
 * 7 a/e.pyc, 8 bin/link, 9 bin/self, 10 a/b/__init__.py, 11 a/b/f.txt.
 * Modules: 0 a/b, 1 a/c, 2 a/d, 3 a/e.  Payloads: 0 "x = 1\n", 1 bytecode,
 * 2 ELF, 3 "y\n", 4 bytecode, 5 "../a/c.py", 6 compressed text. */
static struct pexcz_buf
make_blob(void)
{
    char name[] = "/tmp/test_blob_verify_XXXXXX";
    int fd = mkstemp(name);
    struct pexcz_blob_options options
        = {.python_major = 3, .python_minor = 11, .python_magic = 3495};
    struct pexcz_buf out = {0};
    struct pexcz_error err;
    struct pexcz_blob_writer *w;
    char text[1000];
    uint64_t size = 0;

    (void)unlink(name);
    memset(text, 'z', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    w = pexcz_blob_writer_new(fd, 0, &options, &err);
    add(w, "a/b/__init__.py", PEXCZ_KIND_FILE, "x = 1\n", "code of b");
    add(w, "a/c.py", PEXCZ_KIND_FILE, "x = 1\n", NULL);
    add(w, "a/d.abi3.so", PEXCZ_KIND_FILE, "\177ELF", NULL);
    add(w, "a/d.py", PEXCZ_KIND_FILE, "y\n", NULL);
    add(w, "a/e.pyc", PEXCZ_KIND_FILE, "pyc", NULL);
    add(w, "bin/link", PEXCZ_KIND_SYMLINK, "../a/c.py", NULL);
    add(w, "bin/self", PEXCZ_KIND_SELF, NULL, NULL);
    add(w, "a/b/f.txt", PEXCZ_KIND_FILE, text, NULL);
    add_boot(w, PEXCZ_BOOT_NAME, "demo1");
    add_boot(w, PEXCZ_BOOT_SEARCH_PATH, "a");
    add_boot(w, PEXCZ_BOOT_SEARCH_PATH, "b");
    CHECK_EQ(pexcz_blob_writer_finish(w, suffixes, &size, &err), 0);
    CHECK_EQ(pexcz_buf_reserve(&out, (size_t)size, &err), 0);
    CHECK_EQ(pread(fd, out.ptr, (size_t)size, 0), (long long)size);
    out.len = (size_t)size;
    pexcz_blob_writer_free(w);
    (void)close(fd);
    return out;
}

static int
open_and_verify(struct pexcz_slice bytes, struct pexcz_error *err)
{
    struct pexcz_blob b;
    int rc = pexcz_blob_open(&b, bytes, "t", err);

    if (rc == 0) {
        rc = pexcz_blob_verify(&b, err);
        pexcz_blob_close(&b);
    }
    return rc;
}

static uint64_t
section(const uint8_t *bytes, enum pexcz_section_kind kind)
{
    struct pexcz_section_f s = {0};

    for (size_t at = sizeof(struct pexcz_blob_header_f);
         pexcz_le32_get(s.kind) != kind; at += sizeof(s)) {
        memcpy(&s, bytes + at, sizeof(s));
    }
    return pexcz_le64_get(s.offset);
}

/*
 * Adds `add` to the byte at `field` of record `index` of section `kind`; kind
 * 0 is the header page.
 */
struct defect {
    const char *message; /* in err.msg */
    uint32_t kind;
    uint32_t index;
    uint32_t record_size;
    size_t field;
    uint8_t add;
};

#define ENTRY(i, name, delta, message)                                        \
    {                                                                         \
        message, PEXCZ_SECTION_ENTRIES, i, sizeof(struct pexcz_entry_f),      \
            offsetof(struct pexcz_entry_f, name), delta                       \
    }
#define MODULE(i, name, delta, message)                                       \
    {                                                                         \
        message, PEXCZ_SECTION_MODULES, i, sizeof(struct pexcz_module_f),     \
            offsetof(struct pexcz_module_f, name), delta                      \
    }
#define PAYLOAD(i, name, delta, message)                                      \
    {                                                                         \
        message, PEXCZ_SECTION_PAYLOADS, i, sizeof(struct pexcz_payload_f),   \
            offsetof(struct pexcz_payload_f, name), delta                     \
    }
#define HEADER(name, delta, message)                                          \
    {                                                                         \
        message, 0, 0, 0, offsetof(struct pexcz_blob_header_f, name), delta   \
    }
#define BYTE(section, at, delta, message)                                     \
    {                                                                         \
        message, PEXCZ_SECTION_##section, 0, 0, at, delta                     \
    }

static const struct defect defects[] = {
    ENTRY(4, path_hash, 1, "corrupt path hash"),
    ENTRY(4, parent, 1, "corrupt entry parent"),
    ENTRY(4, parent, 200, "corrupt entry at"),
    ENTRY(4, name_offset, 1, "corrupt entry order"),
    ENTRY(6, name_offset, 252, "corrupt entry order"),
    ENTRY(5, name_size, 1, "corrupt path hash"),
    ENTRY(4, kind, 3, "corrupt entry at"),
    ENTRY(4, flags, 1, "corrupt entry at"),
    ENTRY(4, mode.b[1], 0x10, "corrupt entry at"),
    ENTRY(4, reserved0, 1, "corrupt entry at"),
    ENTRY(1, first_child, 1, "corrupt entry parent"),
    ENTRY(1, child_count, 255, "corrupt entry parent"),
    ENTRY(3, child_count, 255, "corrupt entry parent"),
    ENTRY(9, first_child, 1, "corrupt entry at"),
    ENTRY(4, payload, 100, "corrupt entry payload"),
    ENTRY(9, payload, 1, "corrupt entry at"),
    ENTRY(4, mtime_nsec.b[3], 0x40, "corrupt entry at"),
    ENTRY(4, size, 1, "corrupt entry size"),
    ENTRY(9, size, 1, "corrupt entry size"),
    ENTRY(4, reserved1, 1, "corrupt entry at"),
    MODULE(1, stem_hash, 1, "corrupt module hash table"),
    MODULE(1, stem_hash.b[7], 1, "corrupt module hash table"),
    MODULE(1, entry, 100, "corrupt module at"),
    MODULE(2, entry, 1, "corrupt module file"),
    MODULE(1, code, 100, "corrupt module at"),
    MODULE(1, kind, 1, "corrupt module suffix"),
    MODULE(1, kind, 3, "corrupt module at"),
    MODULE(1, flags, 1, "corrupt module suffix"),
    MODULE(0, flags, 255, "corrupt module suffix"),
    MODULE(1, suffix_size, 1, "corrupt module suffix"),
    MODULE(1, suffix_size, 100, "corrupt module file"),
    MODULE(1, reserved0, 1, "corrupt module at"),
    PAYLOAD(2, offset, 1, "corrupt payload record"),
    PAYLOAD(2, offset, 248, "corrupt overlapping payload"),
    PAYLOAD(2, stored_size, 1, "corrupt payload record"),
    PAYLOAD(6, stored_size, 1, "corrupt compressed payload"),
    PAYLOAD(6, stored_size, 255, "corrupt compressed payload"),
    PAYLOAD(6, size, 1, "corrupt compressed payload"),
    PAYLOAD(6, offset, 8, "corrupt compressed payload"),
    PAYLOAD(6, storage, 1, "corrupt payload record"), /* no dictionary */
    PAYLOAD(6, storage, 2, "corrupt payload record"),
    PAYLOAD(6, align_log2, 10, "corrupt payload record"),
    PAYLOAD(6, reserved0, 1, "corrupt payload record"),
    PAYLOAD(6, reserved1, 1, "corrupt payload record"),
    BYTE(BOOT, 5, 1, "corrupt boot record"),
    BYTE(BOOT, 7, 1, "corrupt boot record"),
    BYTE(BOOT, 14, 1, "corrupt padding"),
    BYTE(BOOT, 16, 252, "corrupt repeated boot record"),
    BYTE(STRINGS, 0, 256 + '/' - 'a', "corrupt entry at"),
    BYTE(PATH_HASH, 0, 1, "corrupt path hash table"),
    BYTE(PATH_HASH, 4, 1, "corrupt path hash table"),
    BYTE(MODULE_HASH, 4, 1, "corrupt module hash table"),
    BYTE(PAYLOAD_DATA, 6, 1, "corrupt padding"), /* "x = 1\n" is 6 long */
    HEADER(magic, 1, "t: not a pexcz blob"),
    HEADER(major, 1, "t: blob format 2.0 (flags 0) needs a newer pexcz"),
    HEADER(incompat_flags, 1, "t: blob format 1.0 (flags 0x1) needs"),
    HEADER(header_size, 255, "corrupt header at byte 0"),
    HEADER(section_count, 253, "corrupt section table"),
    HEADER(section_count, 30, "corrupt header at byte 0"),
    HEADER(section_size, 255, "corrupt header at byte 0"),
    HEADER(python_magic, 1, NULL), /* no one else knows what it should be */
    HEADER(total_size.b[1], 16, "t: cut short"),
    HEADER(index_offset, 1, "corrupt header"),
    HEADER(reserved, 1, "corrupt padding"),
    {"corrupt padding at byte 4095", 0, 0, 0, 4095, 1},
};

static void
test_defects(void)
{
    struct pexcz_buf good = make_blob();
    struct pexcz_buf bytes = {0};
    struct pexcz_error err = {0};

    CHECK_EQ(open_and_verify(pexcz_buf_slice(&good), &err), 0);
    CHECK_EQ(pexcz_buf_append(&bytes, good.ptr, good.len, &err), 0);
    for (size_t i = 0; i < sizeof(defects) / sizeof(defects[0]); i++) {
        const struct defect *d = &defects[i];
        uint64_t at = d->kind != 0 ? section(good.ptr, d->kind) : 0;
        int rc;

        at += (uint64_t)d->index * d->record_size + d->field;
        memcpy(bytes.ptr, good.ptr, good.len);
        bytes.ptr[at] = (uint8_t)(bytes.ptr[at] + d->add);
        reseal(bytes.ptr, bytes.len);
        err.msg[0] = '\0';
        rc = open_and_verify(pexcz_buf_slice(&bytes), &err);
        if (d->message == NULL ? rc != 0
                               : strstr(err.msg, d->message) == NULL) {
            (void)fprintf(stderr, "defect %zu: \"%s\", not \"%s\"\n", i,
                          err.msg, d->message);
            check_failures++;
        }
        check_count++;
    }
    pexcz_buf_done(&bytes);
    pexcz_buf_done(&good);
}

/* A slot moves behind an empty one, then is gone. */
static void
test_unreachable(void)
{
    struct pexcz_buf bytes = make_blob();
    struct pexcz_error err;
    uint64_t at = section(bytes.ptr, PEXCZ_SECTION_PATH_HASH);
    struct pexcz_slot_f slots[32];
    struct pexcz_slot_f moved;
    uint32_t from = 0;
    uint32_t to;

    memcpy(slots, bytes.ptr + at, sizeof(slots));
    while (pexcz_le32_get(slots[from].record) == 0) {
        from++;
    }
    to = from;
    while (pexcz_le32_get(slots[to].record) != 0
           || pexcz_le32_get(slots[(to + 31) % 32].record) != 0) {
        to = (to + 1) % 32;
    }
    moved = slots[from];
    memset(&slots[from], 0, sizeof(moved));
    slots[to] = moved;
    memcpy(bytes.ptr + at, slots, sizeof(slots));
    reseal(bytes.ptr, bytes.len);
    CHECK_EQ(open_and_verify(pexcz_buf_slice(&bytes), &err), PEXCZ_E_CORRUPT);
    CHECK(strstr(err.msg, "corrupt path hash table") != NULL);
    memset(&slots[to], 0, sizeof(moved));
    memcpy(bytes.ptr + at, slots, sizeof(slots));
    reseal(bytes.ptr, bytes.len);
    CHECK_EQ(open_and_verify(pexcz_buf_slice(&bytes), &err), PEXCZ_E_CORRUPT);
    CHECK(strstr(err.msg, "corrupt path hash table") != NULL);
    pexcz_buf_done(&bytes);
}

static void
test_writer_refuses(void)
{
    struct pexcz_blob_options options = {0};
    struct pexcz_error err;
    struct pexcz_entry_spec spec = {
        .path = pexcz_slice_str("l"),
        .kind = PEXCZ_KIND_SYMLINK,
    };
    char target[PEXCZ_MAX_LINK + 1];
    struct pexcz_encoded enc;
    FILE *f = tmpfile();
    struct pexcz_blob_writer *w
        = pexcz_blob_writer_new(fileno(f), 0, &options, &err);

    memset(target, 'x', sizeof(target));
    CHECK_EQ(pexcz_blob_writer_add(w, &spec, &err), PEXCZ_E_INTERNAL);
    CHECK_EQ(pexcz_payload_encode(pexcz_slice_make(target, sizeof(target)),
                                  PEXCZ_ENCODE_RAW, 0, NULL, &enc, &err),
             0);
    CHECK_EQ(pexcz_blob_writer_put(w, &enc, 8, &spec.payload, &err), 0);
    CHECK_EQ(pexcz_blob_writer_add(w, &spec, &err), PEXCZ_E_INTERNAL);
    spec.kind = PEXCZ_KIND_FILE;
    spec.mtime_nsec = 1000000000u;
    CHECK_EQ(pexcz_blob_writer_add(w, &spec, &err), PEXCZ_E_INTERNAL);
    spec.mtime_nsec--;
    CHECK_EQ(pexcz_blob_writer_add(w, &spec, &err), 0);
    pexcz_blob_writer_free(w);
    (void)fclose(f);
}

static void
test_every_byte(void)
{
    struct pexcz_buf bytes = make_blob();
    struct pexcz_error err;
    unsigned missed = 0;

    for (size_t at = 0; at < bytes.len; at += 3) {
        uint8_t bit = (uint8_t)(1u << (at / 3 % 8));

        bytes.ptr[at] ^= bit;
        missed += open_and_verify(pexcz_buf_slice(&bytes), &err) == 0;
        bytes.ptr[at] ^= bit;
    }
    CHECK_EQ(missed, 0);
    pexcz_buf_done(&bytes);
}

int
main(void)
{
    test_defects();
    test_unreachable();
    test_writer_refuses();
    test_every_byte();
    CHECK_DONE();
}
