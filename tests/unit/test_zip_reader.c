/* SPDX-License-Identifier: Apache-2.0 */
#include "zip_reader.h"

#include "check.h"
#include "zip_build.h"

#include <sys/stat.h>
#include <unistd.h>

static struct pexcz_error err;

/* Opens what was built; frees the builder later, as the zip borrows. */
static struct pexcz_zip *
open_built(struct zip_build *z, const struct zip_end *end)
{
    struct pexcz_zip *zip = NULL;

    zip_finish(z, end);
    err.msg[0] = '\0';
    if (pexcz_zip_open_slice(pexcz_buf_slice(&z->out), "t.zip", &zip, &err)
        < 0) {
        return NULL;
    }
    return zip;
}

static void
check_content(const struct pexcz_zip *zip, const char *name, const char *want)
{
    const struct pexcz_zip_member *m = pexcz_zip_find(zip, name);
    struct pexcz_buf buf = {0};
    struct pexcz_slice got = {0};

    CHECK(m != NULL);
    if (m != NULL) {
        CHECK_EQ(pexcz_zip_read(zip, m, &buf, &got, &err), 0);
        CHECK(pexcz_slice_eq(got, pexcz_slice_str(want)));
    }
    pexcz_buf_done(&buf);
}

static void
test_good(void)
{
    struct zip_build z = {0};
    struct zip_item dir = {.name = "d/", .mode = S_IFDIR | 0755};
    struct zip_item exe = {.name = "d/run",
                           .data = pexcz_slice_str("#!/bin/sh\n"),
                           .mode = S_IFREG | 0755,
                           .date = 44 << 9 | 2 << 5 | 29, /* 2024-02-29 */
                           .time = 23 << 11 | 59 << 5 | 29};
    struct zip_item packed = {.name = "packed",
                              .data = pexcz_slice_str("aaaaaaaaaaaaaaaaaaaa"),
                              .deflate = true};
    struct zip_item empty
        = {.name = "empty", .deflate = true, .data = pexcz_slice_str("")};
    struct zip_item utf8 = {
        .name = "\xc3\xa9.txt", .flags = 0x800, .data = pexcz_slice_str("e")};
    struct zip_item streamed = {
        .name = "streamed", .zip64 = true, .data = pexcz_slice_str("stream")};
    struct pexcz_zip *zip;
    const struct pexcz_zip_member *m;

    zip_put(&z.out, "#!/usr/bin/env python3\n", 23);
    zip_add(&z, &packed);
    zip_add(&z, &dir);
    zip_add(&z, &dir); /* a directory may be recorded twice */
    zip_add(&z, &exe);
    zip_add(&z, &empty);
    zip_add(&z, &utf8);
    zip_add(&z, &streamed);
    zip = open_built(&z, &(struct zip_end){0});
    CHECK_STR(err.msg, "");
    CHECK(zip != NULL);
    if (zip == NULL) {
        return;
    }
    CHECK_EQ(pexcz_zip_count(zip), 6);
    CHECK_EQ(pexcz_zip_prefix_size(zip), 23);
    CHECK_STR(pexcz_zip_name(zip), "t.zip");
    CHECK_STR(pexcz_zip_get(zip, 0)->name, "d");
    CHECK_STR(pexcz_zip_get(zip, 1)->name, "d/run");
    CHECK_EQ(pexcz_zip_lower_bound(zip, "d/"), 1);
    CHECK_EQ(pexcz_zip_lower_bound(zip, "\xff"), 6);
    CHECK(pexcz_zip_find(zip, "d/ru") == NULL);
    m = pexcz_zip_find(zip, "d/run");
    CHECK_EQ(m->mode, 0755);
    CHECK_EQ(m->mtime, 1709251198); /* 2024-02-29T23:59:58Z */
    CHECK(!m->is_dir && pexcz_zip_find(zip, "d")->is_dir);
    CHECK_EQ(pexcz_zip_find(zip, "packed")->mtime, 315532800);
    CHECK_EQ(pexcz_zip_find(zip, "packed")->mode, 0);
    check_content(zip, "d/run", "#!/bin/sh\n");
    check_content(zip, "packed", "aaaaaaaaaaaaaaaaaaaa");
    check_content(zip, "empty", "");
    check_content(zip, "\xc3\xa9.txt", "e");
    check_content(zip, "streamed", "stream");
    pexcz_zip_close(zip);
    zip_build_done(&z);
    pexcz_zip_close(NULL);
}

/* Offsets that do not count the prefix in, and Zip64 records. */
static void
test_bias(void)
{
    for (int wide = 0; wide < 2; wide++) {
        struct zip_build z = {0};
        struct zip_end end = {.zip64 = wide != 0};
        struct pexcz_zip *zip;

        zip_put(&z.out, "prefix", 6);
        z.bias = 6;
        zip_add_text(&z, "a", "1");
        zip_add_text(&z, "b", "2");
        zip = open_built(&z, &end);
        CHECK_STR(err.msg, "");
        CHECK(zip != NULL);
        if (zip != NULL) {
            CHECK_EQ(pexcz_zip_prefix_size(zip), 6);
            check_content(zip, "a", "1");
            check_content(zip, "b", "2");
        }
        pexcz_zip_close(zip);
        zip_build_done(&z);
    }
}

static void
test_trailing(void)
{
    struct zip_build z = {0};
    struct zip_build outer = {0};
    struct zip_end end = {.trailing = "{\"scie\": 1}", .trailing_len = 11};
    struct zip_end comment = {.comment = "hi", .comment_len = 2};
    struct zip_item nested = {.name = "x.whl"};
    struct pexcz_zip *zip;
    struct pexcz_zip *inner = NULL;

    zip_add_text(&z, "a", "1");
    zip = open_built(&z, &end);
    CHECK(zip != NULL);
    check_content(zip, "a", "1");
    pexcz_zip_close(zip);
    zip_build_done(&z);

    zip_add_text(&z, "a", "1");
    zip = open_built(&z, &comment);
    CHECK(zip != NULL);
    check_content(zip, "a", "1");
    pexcz_zip_close(zip);

    /* A stored archive inside: its end record lies near ours. */
    nested.data = pexcz_buf_slice(&z.out);
    zip_add(&outer, &nested);
    zip = open_built(&outer, &(struct zip_end){0});
    CHECK(zip != NULL);
    if (zip != NULL) {
        struct pexcz_buf buf = {0};
        struct pexcz_slice bytes;

        CHECK_EQ(pexcz_zip_count(zip), 1);
        CHECK_EQ(
            pexcz_zip_read(zip, pexcz_zip_get(zip, 0), &buf, &bytes, &err), 0);
        CHECK(buf.ptr == NULL); /* borrowed */
        CHECK_EQ(pexcz_zip_open_slice(bytes, "in", &inner, &err), 0);
        check_content(inner, "a", "1");
        pexcz_zip_close(inner);
        zip_put(&buf, bytes.ptr, bytes.len);
        CHECK_EQ(pexcz_zip_open_buf(&buf, "in", &inner, &err), 0);
        CHECK(buf.ptr == NULL);
        check_content(inner, "a", "1");
        pexcz_zip_close(inner);
        pexcz_zip_close(zip);
    }
    zip_build_done(&outer);
    zip_build_done(&z);
}

/* Builds an archive with one good member and `item`; it must be refused. */
static void
refuse(const struct zip_item *item, const struct zip_end *end, int code,
       const char *message, int line)
{
    struct zip_build z = {0};
    struct pexcz_zip *zip;

    zip_add_text(&z, "good", "data");
    if (item != NULL) {
        zip_add(&z, item);
    }
    zip = open_built(&z, end);
    if (zip != NULL || (int)err.code != code
        || strcmp(err.msg, message) != 0) {
        (void)fprintf(stderr, "line %d: got %d %s\n", line,
                      zip != NULL ? 0 : (int)err.code, err.msg);
    }
    CHECK(zip == NULL);
    CHECK_EQ(err.code, code);
    CHECK_STR(err.msg, message);
    pexcz_zip_close(zip);
    zip_build_done(&z);
}

#define REFUSE(code, message, ...)                                            \
    do {                                                                      \
        struct zip_item item = {__VA_ARGS__};                                 \
                                                                              \
        refuse(&item, &(struct zip_end){0}, code, message, __LINE__);         \
    } while (0)

static void
test_names(void)
{
    REFUSE(PEXCZ_E_CORRUPT, "t.zip: ../x: member name has a '..' part",
           .name = "../x");
    REFUSE(PEXCZ_E_CORRUPT, "t.zip: a/../x: member name has a '..' part",
           .name = "a/../x");
    REFUSE(PEXCZ_E_CORRUPT, "t.zip: a/..: member name has a '..' part",
           .name = "a/..");
    REFUSE(PEXCZ_E_CORRUPT, "t.zip: ./x: member name has a '.' part",
           .name = "./x");
    REFUSE(PEXCZ_E_CORRUPT, "t.zip: /x: member name is an absolute path",
           .name = "/x");
    REFUSE(PEXCZ_E_CORRUPT, "t.zip: a//x: member name has an empty part",
           .name = "a//x");
    REFUSE(PEXCZ_E_CORRUPT, "t.zip: a\\x5cx: member name holds a backslash",
           .name = "a\\x");
    REFUSE(PEXCZ_E_CORRUPT, "t.zip: a\\x00x: member name holds a NUL byte",
           .name = "a\0x", .name_len = 3);
    REFUSE(PEXCZ_E_CORRUPT,
           "t.zip: a\\x1b[2J: member name holds a control character",
           .name = "a\x1b[2J");
    REFUSE(PEXCZ_E_CORRUPT, "t.zip: \\xff: member name is not UTF-8",
           .name = "\xff", .flags = 0x800);
    REFUSE(PEXCZ_E_CORRUPT, "t.zip: \\xff: member name is not UTF-8",
           .name = "\xff");
    REFUSE(PEXCZ_E_CORRUPT, "t.zip: \\xc0\\xaf: member name is not UTF-8",
           .name = "\xc0\xaf", .flags = 0x800);
    REFUSE(PEXCZ_E_CORRUPT,
           "t.zip: \xc3\xa9: member name is neither ASCII nor marked as "
           "UTF-8",
           .name = "\xc3\xa9");
    REFUSE(PEXCZ_E_CORRUPT, "t.zip: good: duplicate member", .name = "good");
    REFUSE(PEXCZ_E_CORRUPT, "t.zip: good: duplicate member", .name = "good/");
    REFUSE(PEXCZ_E_CORRUPT,
           "t.zip: good: one member is a file, another lies below it",
           .name = "good/x/y");
}

static void
test_members(void)
{
    struct pexcz_slice data = pexcz_slice_str("content");

    REFUSE(PEXCZ_E_UNSUPPORTED, "t.zip: l: member is a symbolic link",
           .name = "l", .data = data, .mode = S_IFLNK | 0777);
    REFUSE(PEXCZ_E_UNSUPPORTED, "t.zip: l: member is a special file",
           .name = "l", .mode = S_IFCHR | 0666);
    REFUSE(PEXCZ_E_UNSUPPORTED, "t.zip: x: member is encrypted", .name = "x",
           .data = data, .flags = 1);
    REFUSE(PEXCZ_E_UNSUPPORTED, "t.zip: x: unknown compression method 93",
           .name = "x", .data = data, .method = 93);
    REFUSE(PEXCZ_E_CORRUPT,
           "t.zip: x: name and mode disagree on whether it is a directory",
           .name = "x", .mode = S_IFDIR | 0755);
    REFUSE(PEXCZ_E_CORRUPT, "t.zip: x/: directory with content", .name = "x/",
           .data = data);
    REFUSE(PEXCZ_E_CORRUPT, "t.zip: x: stored member with two sizes",
           .name = "x", .data = data, .size_add = 1);
    REFUSE(PEXCZ_E_CORRUPT,
           "t.zip: x: local header has another name than the directory",
           .name = "x", .local_name = "y", .data = data);
    REFUSE(PEXCZ_E_CORRUPT,
           "t.zip: x: local header and directory disagree on size or CRC",
           .name = "x", .data = data, .local_size_add = 1);
    REFUSE(PEXCZ_E_CORRUPT, "t.zip: x: central directory points to no member",
           .name = "x", .data = data, .offset_add = 1);
    REFUSE(PEXCZ_E_CORRUPT,
           "t.zip: x: central directory points outside the file", .name = "x",
           .data = data, .offset_add = 100000);
    REFUSE(PEXCZ_E_CORRUPT, "t.zip: x: its data reach beyond the directory",
           .name = "x", .data = data, .deflate = true, .packed_add = 1000);
    REFUSE(PEXCZ_E_TOO_BIG,
           "t.zip: x: unpacked size of 8589934599 is over the limit of "
           "8589934592",
           .name = "x", .data = data, .deflate = true, .zip64 = true,
           .size_add = INT64_C(8589934592));
    REFUSE(PEXCZ_E_TOO_BIG,
           "t.zip: x: compression ratio of 11184811 is over the limit of "
           "500",
           .name = "x", .data = data, .deflate = true, .zip64 = true,
           .size_add = INT64_C(100663296));
}

static void
test_overlap(void)
{
    struct zip_build z = {0};
    struct zip_item second = {.name = "good", .data = {0}};
    struct pexcz_zip *zip;

    /* Two directory entries for one local header. */
    zip_add_text(&z, "good", "data");
    second.offset_add = -(int64_t)z.out.len;
    second.data = pexcz_slice_str("data");
    zip_add(&z, &second);
    zip = open_built(&z, &(struct zip_end){0});
    CHECK(zip == NULL);
    CHECK_STR(err.msg, "t.zip: good: overlaps with member good");
    zip_build_done(&z);
}

static void
test_end(void)
{
    static const struct zip_end none = {0};
    static const char end_record[22] = "PK\5\6";
    static const char damaged[22] = "PK\5\6\0\0\0\0\1\0\1\0\77";
    struct zip_end end = none;
    struct pexcz_zip *zip = NULL;
    struct zip_build z = {0};

    end.count_add = -1;
    refuse(NULL, &end, PEXCZ_E_CORRUPT,
           "t.zip: central directory holds more than the 0 members that the "
           "end record counts",
           __LINE__);
    end.count_add = 1;
    refuse(NULL, &end, PEXCZ_E_CORRUPT,
           "t.zip: central directory is too short for 2 members", __LINE__);
    /* 65,536 more members than there are look like the right number. */
    end = none;
    end.offset_add = 1000;
    refuse(NULL, &end, PEXCZ_E_CORRUPT,
           "t.zip: damaged zip file: its end record points to no central "
           "directory",
           __LINE__);
    end = none;
    end.offset_add = -1;
    refuse(NULL, &end, PEXCZ_E_CORRUPT,
           "t.zip: good: central directory points to no member", __LINE__);
    end = none;
    end.comment_claim = 1;
    refuse(NULL, &end, PEXCZ_E_CORRUPT,
           "t.zip: damaged zip file: its end record points to no central "
           "directory",
           __LINE__);

    /* An empty archive in the comment of another. */
    zip_add_text(&z, "a", "1");
    end = none;
    end.comment = end_record;
    end.comment_len = sizeof(end_record);
    zip = open_built(&z, &end);
    CHECK(zip == NULL);
    CHECK(strstr(err.msg, "t.zip: two zip end records claim the same bytes")
          == err.msg);
    zip_build_done(&z);
    /* One that points nowhere, in the comment or behind. */
    for (int i = 0; i < 2; i++) {
        zip_add_text(&z, "a", "1");
        end = none;
        end.comment = damaged;
        end.comment_len = i == 0 ? sizeof(damaged) : 0;
        end.trailing = damaged;
        end.trailing_len = i == 1 ? sizeof(damaged) : 0;
        zip = open_built(&z, &end);
        CHECK(zip == NULL);
        CHECK(strstr(err.msg, "t.zip: two zip end records: the one at offset ")
              == err.msg);
        zip_build_done(&z);
    }

    CHECK_EQ(pexcz_zip_open_slice(pexcz_slice_str(""), "e", &zip, &err),
             PEXCZ_E_CORRUPT);
    CHECK_STR(err.msg, "e: not a zip file (0 bytes)");
    CHECK_EQ(pexcz_zip_open_slice(
                 pexcz_slice_str("this is some text, no archive at all"), "e",
                 &zip, &err),
             PEXCZ_E_CORRUPT);
    CHECK_STR(err.msg, "e: not a zip file");
    CHECK_EQ(pexcz_zip_open_slice(
                 pexcz_slice_str("#!/usr/bin/python3\nprint('no archive')\n"),
                 "e", &zip, &err),
             PEXCZ_E_CORRUPT);
    CHECK_STR(err.msg, "e: not a zip file, or one that was cut short: no end "
                       "record in its last 64 KiB");
}

/* Every possible cut of a good archive is refused, without a crash. */
static void
test_truncated(void)
{
    struct zip_build z = {0};
    size_t whole;

    zip_add_text(&z, "a", "1");
    zip_add_text(&z, "b", "2");
    zip_finish(&z, &(struct zip_end){0});
    whole = z.out.len;
    for (size_t n = 0; n < whole; n++) {
        struct pexcz_zip *zip = NULL;
        uint8_t *copy = malloc(n == 0 ? 1 : n);

        zip_must(copy == NULL ? -1 : 0);
        memcpy(copy, z.out.ptr, n);
        CHECK_EQ(
            pexcz_zip_open_slice(pexcz_slice_make(copy, n), "cut", &zip, &err),
            PEXCZ_E_CORRUPT);
        free(copy);
    }
    zip_build_done(&z);
}

static void
read_refuse(const struct zip_item *item, const char *message)
{
    struct zip_build z = {0};
    struct pexcz_zip *zip;
    struct pexcz_buf buf = {0};
    struct pexcz_slice got;

    zip_add(&z, item);
    zip = open_built(&z, &(struct zip_end){0});
    CHECK(zip != NULL);
    if (zip != NULL) {
        CHECK_EQ(pexcz_zip_read(zip, pexcz_zip_get(zip, 0), &buf, &got, &err),
                 PEXCZ_E_CORRUPT);
        CHECK_STR(err.msg, message);
        CHECK_EQ(buf.len, 0);
    }
    pexcz_buf_done(&buf);
    pexcz_zip_close(zip);
    zip_build_done(&z);
}

static void
test_data(void)
{
    struct pexcz_slice data = pexcz_slice_str("aaaaaaaaaaaaaaaaaaaaaaaaaaa");
    struct zip_item item = {.name = "x", .data = data, .crc_xor = 1};

    read_refuse(&item, "t.zip: x: CRC error");
    item.deflate = true;
    read_refuse(&item, "t.zip: x: CRC error");
    item.crc_xor = 0;
    item.size_add = -1;
    read_refuse(&item, "t.zip: x: unpacks to more than its stated size");
    item.size_add = 1;
    read_refuse(&item, "t.zip: x: unpacks to less than its stated size");
    item.size_add = 0;
    item.packed_add = -1;
    read_refuse(&item, "t.zip: x: compressed data are cut short");
    item = (struct zip_item){
        .name = "x", .data = pexcz_slice_str("\xff\xff\xff"), .method = 8};
    read_refuse(&item, "t.zip: x: compressed data are damaged");
    item.data = pexcz_slice_str("\x03");
    item.size_add = -1;
    item.crc_xor = 0;
    read_refuse(&item, "t.zip: x: compressed data are cut short");
}

/* 65,536 and more members: fine with Zip64, refused without. */
static void
test_many(void)
{
    struct zip_build z = {0};
    struct zip_build narrow = {0};
    struct pexcz_zip *zip;
    char name[32];

    for (int i = 0; i < 70000; i++) {
        (void)snprintf(name, sizeof(name), "d%d/%d", i % 7, i);
        zip_add_text(&z, name, "x");
        if (i < 65537) {
            zip_add_text(&narrow, name, "x");
        }
    }
    zip = open_built(&z, &(struct zip_end){.zip64 = true});
    CHECK_STR(err.msg, "");
    CHECK(zip != NULL);
    if (zip != NULL) {
        CHECK_EQ(pexcz_zip_count(zip), 70000);
        check_content(zip, "d3/69996", "x");
    }
    pexcz_zip_close(zip);
    zip_build_done(&z);
    zip = open_built(&narrow, &(struct zip_end){0});
    CHECK(zip == NULL);
    CHECK_STR(err.msg, "t.zip: central directory holds more than the 1 "
                       "members that the end record counts");
    zip_build_done(&narrow);
    zip_add_text(&z, "a", "x");
    zip = open_built(&z,
                     &(struct zip_end){.zip64 = true, .count_add = 1000000});
    CHECK(zip == NULL);
    CHECK_STR(err.msg, "t.zip: central directory: member count of 1000001 is "
                       "over the limit of 1000000");
    zip_build_done(&z);
}

static void
test_open_path(void)
{
    struct pexcz_zip *zip = NULL;
    char path[] = "/tmp/pexcz-test-XXXXXX";
    int fd = mkstemp(path);

    CHECK(fd >= 0);
    CHECK_EQ(pexcz_zip_open(path, &zip, &err), PEXCZ_E_CORRUPT);
    CHECK(strstr(err.msg, ": not a zip file (0 bytes)") != NULL);
    (void)close(fd);
    (void)unlink(path);
    CHECK_EQ(pexcz_zip_open(path, &zip, &err), PEXCZ_E_IO);
    CHECK_EQ(pexcz_zip_open("/", &zip, &err), PEXCZ_E_UNSUPPORTED);
    CHECK_STR(err.msg, "/: is a directory");
    CHECK_EQ(pexcz_zip_open("/dev/null", &zip, &err), PEXCZ_E_UNSUPPORTED);
    CHECK_STR(err.msg, "/dev/null: not a regular file");
}

int
main(void)
{
    test_good();
    test_bias();
    test_trailing();
    test_names();
    test_members();
    test_overlap();
    test_end();
    test_truncated();
    test_data();
    test_many();
    test_open_path();
    CHECK_DONE();
}
