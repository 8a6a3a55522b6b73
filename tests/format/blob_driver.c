/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The C side of test_format.py.
 *
 *   blob_driver build OUT [DICT] < lines
 *   blob_driver dump FILE OFFSET
 *
 * build: each line is, separated by tabs,
 *   entry KIND MODE MTIME NSEC ENCODING ALIGN CONTENT CODE PATH
 *   boot KEY VALUE
 *   library PATH SONAME GROUP HASH, with its needs in the following lines:
 *   need KIND PATH NAME
 *   copy HASH CONTENT
 * with KIND and KEY as numbers, MODE octal, ENCODING raw or zstd; CONTENT,
 * CODE and VALUE are files, or "-", GROUP and HASH hexadecimal.  dump:
 * everything in the blob as the C reader sees it, after a full verification;
 * blobref.py prints the same.
 */
#include "blob_reader.h"
#include "blob_writer.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define MAX_FIELDS 10
#define LEVEL 3

static const char *const suffixes[]
    = {".cpython-311-x86_64-linux-gnu.so", ".abi3.so", ".so", NULL};

static _Noreturn void
die(const char *what, const struct pexcz_error *err)
{
    (void)fprintf(stderr, "%s: %s\n", what, err != NULL ? err->msg : "");
    exit(1);
}

static struct pexcz_buf
read_file(const char *path)
{
    struct pexcz_buf buf = {0};
    struct pexcz_error err;
    uint8_t chunk[65536];
    FILE *f = fopen(path, "rb");
    size_t n;

    if (f == NULL) {
        die(path, NULL);
    }
    while ((n = fread(chunk, 1, sizeof(chunk), f)) != 0) {
        if (pexcz_buf_append(&buf, chunk, n, &err) < 0) {
            die(path, &err);
        }
    }
    (void)fclose(f);
    return buf;
}

/* --- build -------------------------------------------------------------- */

#define MAX_NEEDS 16

struct build {
    struct pexcz_blob_writer *writer;
    void *cdict;
    struct pexcz_library_spec library; /* not given to the writer yet */
};

/* Kept until the process ends. */
static struct pexcz_slice
keep(const char *text)
{
    char *copy = strdup(strcmp(text, "-") == 0 ? "" : text);

    if (copy == NULL) {
        die("memory", NULL);
    }
    return pexcz_slice_str(copy);
}

static void
end_library(struct build *b)
{
    struct pexcz_error err;

    if (b->library.needs != NULL
        && pexcz_blob_writer_library(b->writer, &b->library, &err) < 0) {
        die("library", &err);
    }
    b->library.needs = NULL;
}

static void
begin_library(struct build *b, char **f)
{
    end_library(b);
    b->library = (struct pexcz_library_spec){
        .path = keep(f[1]),
        .soname = keep(f[2]),
        .hash = strtoull(f[4], NULL, 16),
        .needs = calloc(MAX_NEEDS, sizeof(struct pexcz_need_spec)),
    };
    for (size_t i = 0; i < sizeof(b->library.group); i++) {
        unsigned int byte = 0;

        if (sscanf(f[3] + 2 * i, "%2x", &byte) != 1) {
            die("group", NULL);
        }
        b->library.group[i] = (uint8_t)byte;
    }
}

static void
add_need(struct build *b, char **f)
{
    struct pexcz_need_spec need = {
        .kind = (enum pexcz_need_kind)strtoul(f[1], NULL, 10),
        .path = keep(f[2]),
        .name = keep(f[3]),
    };

    if (b->library.needs == NULL || b->library.need_count == MAX_NEEDS) {
        die("need", NULL);
    }
    memcpy((char *)(uintptr_t)b->library.needs
               + b->library.need_count++ * sizeof(need),
           &need, sizeof(need));
}

static uint32_t
put(struct build *b, const char *file, const char *encoding, uint32_t align)
{
    struct pexcz_error err;
    struct pexcz_encoded enc;
    struct pexcz_buf content;
    uint32_t payload = PEXCZ_NONE;

    if (strcmp(file, "-") == 0) {
        return PEXCZ_NONE;
    }
    content = read_file(file);
    if (pexcz_payload_encode(pexcz_buf_slice(&content),
                             strcmp(encoding, "zstd") == 0 ? PEXCZ_ENCODE_ZSTD
                                                           : PEXCZ_ENCODE_RAW,
                             LEVEL, b->cdict, &enc, &err)
            < 0
        || pexcz_blob_writer_put(b->writer, &enc, align, &payload, &err) < 0) {
        die(file, &err);
    }
    pexcz_encoded_done(&enc);
    pexcz_buf_done(&content);
    return payload;
}

static void
build_line(struct build *b, char **f, size_t n)
{
    struct pexcz_error err;

    if (n == 10 && strcmp(f[0], "entry") == 0) {
        uint32_t align = (uint32_t)strtoul(f[6], NULL, 10);
        struct pexcz_entry_spec spec = {
            .kind = (enum pexcz_entry_kind)strtoul(f[1], NULL, 10),
            .mode = (uint16_t)strtoul(f[2], NULL, 8),
            .mtime = strtoll(f[3], NULL, 10),
            .mtime_nsec = (uint32_t)strtoul(f[4], NULL, 10),
            .payload = put(b, f[7], f[5], align),
            .code = put(b, f[8], f[5], 8),
            .path = pexcz_slice_str(f[9]),
        };

        if (pexcz_blob_writer_add(b->writer, &spec, &err) < 0) {
            die(f[9], &err);
        }
    }
    else if (n == 3 && strcmp(f[0], "boot") == 0) {
        struct pexcz_buf value = read_file(f[2]);

        if (pexcz_blob_writer_boot(
                b->writer, (enum pexcz_boot_key)strtoul(f[1], NULL, 10),
                pexcz_buf_slice(&value), &err)
            < 0) {
            die(f[2], &err);
        }
        pexcz_buf_done(&value);
    }
    else if (n == 5 && strcmp(f[0], "library") == 0) {
        begin_library(b, f);
    }
    else if (n == 4 && strcmp(f[0], "need") == 0) {
        add_need(b, f);
    }
    else if (n == 3 && strcmp(f[0], "copy") == 0) {
        uint64_t hash = strtoull(f[1], NULL, 16);

        if (pexcz_blob_writer_copy(b->writer, hash, put(b, f[2], "raw", 16),
                                   &err)
            < 0) {
            die(f[2], &err);
        }
    }
    else {
        die("bad line", NULL);
    }
}

static void
build(const char *out, const char *dict_file)
{
    struct pexcz_blob_options options = {
        .machine = 62,
        .python_major = 3,
        .python_minor = 11,
        .python_magic = 0x0a0d0da7,
    };
    struct pexcz_buf dict = {0};
    struct pexcz_error err;
    struct build b = {0};
    uint64_t size;
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;
    int fd = open(out, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    if (dict_file != NULL) {
        dict = read_file(dict_file);
        options.dict = pexcz_buf_slice(&dict);
        b.cdict = pexcz_cdict_new(options.dict, LEVEL);
    }
    b.writer = pexcz_blob_writer_new(fd, 0, &options, &err);
    if (b.writer == NULL) {
        die(out, &err);
    }
    while ((len = getline(&line, &cap, stdin)) > 0) {
        char *fields[MAX_FIELDS];
        char *rest = line;
        size_t n = 0;

        line[len - 1] = '\0';
        while (n < MAX_FIELDS && rest != NULL) {
            fields[n++] = strsep(&rest, "\t");
        }
        build_line(&b, fields, n);
    }
    end_library(&b);
    if (pexcz_blob_writer_finish(b.writer, suffixes, &size, &err) < 0) {
        die(out, &err);
    }
    pexcz_blob_writer_free(b.writer);
    pexcz_cdict_free(b.cdict);
    pexcz_buf_done(&dict);
    free(line);
    (void)close(fd);
}

/* --- dump --------------------------------------------------------------- */

static void
print_hex(struct pexcz_slice s)
{
    if (s.len == 0) {
        (void)printf("-");
    }
    for (size_t i = 0; i < s.len; i++) {
        (void)printf("%02x", s.ptr[i]);
    }
}

static void
print_content(const struct pexcz_blob *blob, uint32_t payload)
{
    struct pexcz_buf scratch = {0};
    struct pexcz_slice s;
    struct pexcz_error err;

    if (payload == PEXCZ_NONE) {
        (void)printf(" -\n");
        return;
    }
    if (pexcz_blob_content(blob, payload, &scratch, &s, &err) < 0) {
        die("content", &err);
    }
    (void)printf(" %016" PRIx64 "\n", (uint64_t)XXH3_64bits(s.ptr, s.len));
    pexcz_buf_done(&scratch);
}

static void
dump_entry(const struct pexcz_blob *blob, uint32_t index)
{
    char path[PEXCZ_MAX_PATH + 1];
    struct pexcz_entry e;
    struct pexcz_error err;
    struct pexcz_slice s;
    int len = pexcz_blob_path(blob, index, path, sizeof(path), &err);

    if (len < 0) {
        die("path", &err);
    }
    s = pexcz_slice_make(path, (size_t)len);
    if (!pexcz_blob_find(blob, s, pexcz_blob_hash(s), &e)
        || e.index != index) {
        die(path, NULL);
    }
    (void)printf("entry ");
    print_hex(s);
    (void)printf(" %d %o %" PRId64 " %" PRIu32 " %" PRIu64 " %" PRIu32,
                 (int)e.kind, e.mode, e.mtime, e.mtime_nsec, e.size,
                 e.child_count);
    print_content(blob, e.payload);
}

static void
dump_module(const struct pexcz_blob *blob, uint32_t index)
{
    char path[PEXCZ_MAX_PATH + 1];
    struct pexcz_module m;
    struct pexcz_module found;
    struct pexcz_error err;
    struct pexcz_slice stem;
    int len;

    if (pexcz_blob_module(blob, index, &m, &err) < 0) {
        die("module", &err);
    }
    len = pexcz_blob_path(blob, m.entry, path, sizeof(path), &err);
    if (len < 0) {
        die("path", &err);
    }
    stem = pexcz_slice_make(path, (size_t)len - m.suffix_size);
    if (!pexcz_blob_find_module(blob, stem, pexcz_blob_hash(stem), &found)
        || found.entry != m.entry) {
        die(path, NULL);
    }
    (void)printf("module ");
    print_hex(stem);
    (void)printf(" ");
    print_hex(pexcz_slice_make(path, (size_t)len));
    (void)printf(" %d %d", (int)found.kind, found.package);
    print_content(blob, found.code);
}

static void
print_path(const struct pexcz_blob *blob, uint32_t entry)
{
    char path[PEXCZ_MAX_PATH + 1];
    struct pexcz_error err;
    int len = pexcz_blob_path(blob, entry, path, sizeof(path), &err);

    if (len < 0) {
        die("path", &err);
    }
    print_hex(pexcz_slice_make(path, (size_t)len));
}

static void
dump_library(const struct pexcz_blob *blob, uint32_t index)
{
    struct pexcz_library l;
    struct pexcz_library found;
    struct pexcz_error err;

    if (pexcz_blob_library(blob, index, &l, &err) < 0) {
        die("library", &err);
    }
    if (!pexcz_blob_find_library(blob, l.entry, &found)
        || found.hash != l.hash) {
        die("library is not found", NULL);
    }
    (void)printf("library ");
    print_path(blob, l.entry);
    (void)printf(" ");
    print_hex(l.soname);
    (void)printf(" ");
    print_hex(pexcz_slice_make(l.group, sizeof(l.group)));
    (void)printf("\n");
    for (uint32_t i = 0; i < l.need_count; i++) {
        struct pexcz_need n;

        if (pexcz_blob_need(blob, l.first_need + i, &n, &err) < 0) {
            die("need", &err);
        }
        (void)printf("need %d ", (int)n.kind);
        print_path(blob, n.entry);
        (void)printf(" ");
        print_hex(n.name);
        (void)printf("\n");
    }
}

static void
dump(const char *file, uint64_t offset)
{
    struct pexcz_buf bytes = read_file(file);
    struct pexcz_slice blob_bytes;
    struct pexcz_blob blob;
    struct pexcz_error err;
    struct pexcz_slice value;
    uint32_t cursor = 0;
    uint32_t key;

    if (!pexcz_slice_sub(pexcz_buf_slice(&bytes), offset, bytes.len - offset,
                         &blob_bytes)) {
        die("offset", NULL);
    }
    if (pexcz_blob_open(&blob, blob_bytes, file, &err) < 0
        || pexcz_blob_verify(&blob, &err) < 0) {
        die("blob", &err);
    }
    (void)printf("blob %" PRIu64 " %u %u.%u %" PRIu32 " ",
                 pexcz_blob_size(&blob), blob.machine, blob.python_major,
                 blob.python_minor, blob.python_magic);
    print_hex(pexcz_slice_make(blob.id, sizeof(blob.id)));
    (void)printf("\n");
    for (uint32_t i = 0; i < blob.entries.count; i++) {
        dump_entry(&blob, i);
    }
    for (uint32_t i = 0; i < blob.modules.count; i++) {
        dump_module(&blob, i);
    }
    for (uint32_t i = 0; i < pexcz_blob_library_count(&blob); i++) {
        dump_library(&blob, i);
    }
    while (pexcz_blob_boot_next(&blob, &cursor, &key, &value)) {
        (void)printf("boot %" PRIu32 " ", key);
        print_hex(value);
        (void)printf("\n");
    }
    pexcz_blob_close(&blob);
    pexcz_buf_done(&bytes);
}

int
main(int argc, char **argv)
{
    if (argc >= 3 && argc <= 4 && strcmp(argv[1], "build") == 0) {
        build(argv[2], argc == 4 ? argv[3] : NULL);
    }
    else if (argc == 4 && strcmp(argv[1], "dump") == 0) {
        dump(argv[2], strtoull(argv[3], NULL, 10));
    }
    else {
        die("usage: blob_driver build OUT [DICT] | dump FILE OFFSET", NULL);
    }
    return fflush(stdout) == 0 ? 0 : 1;
}
