/* SPDX-License-Identifier: Apache-2.0 */
/* blob/: what is written is read back, layers merge, and no flipped bit goes
 * unnoticed or crashes the reader. */
#include "blob_reader.h"
#include "blob_writer.h"
#include "check.h"
#include "tree.h"

#include <stdlib.h>
#include <unistd.h>

static const char *const suffixes[] = {".abi3.so", ".so", NULL};

static struct pexcz_slice
text(const char *s)
{
    return pexcz_slice_str(s);
}

static uint32_t
put(struct pexcz_blob_writer *w, struct pexcz_slice content,
    enum pexcz_encoding how, uint32_t align)
{
    struct pexcz_encoded enc;
    struct pexcz_error err;
    uint32_t payload = PEXCZ_NONE;

    CHECK_EQ(pexcz_payload_encode(content, how, 3, NULL, &enc, &err), 0);
    CHECK_EQ(pexcz_blob_writer_put(w, &enc, align, &payload, &err), 0);
    pexcz_encoded_done(&enc);
    return payload;
}

static int
add(struct pexcz_blob_writer *w, const char *path, uint32_t payload,
    uint32_t code, struct pexcz_error *err)
{
    struct pexcz_entry_spec spec = {
        .path = text(path),
        .kind = PEXCZ_KIND_FILE,
        .mode = 0644,
        .mtime = 315532800,
        .payload = payload,
        .code = code,
    };

    return pexcz_blob_writer_add(w, &spec, err);
}

static char big[100000];

/* A blob in fresh memory; the caller frees ret->ptr.  It has a copy of the
 * payload with the hash `copied`, whose content is `big`, and two more. */
static struct pexcz_buf
make_blob(const char *extra, uint64_t copied)
{
    char name[] = "/tmp/test_blob_XXXXXX";
    int fd = mkstemp(name);
    struct pexcz_blob_options options
        = {.python_major = 3, .python_magic = 3495};
    struct pexcz_error err;
    struct pexcz_blob_writer *w;
    struct pexcz_buf out = {0};
    uint64_t size = 0;
    uint32_t code;

    (void)unlink(name);
    memset(big, 'x', sizeof(big));
    w = pexcz_blob_writer_new(fd, 0, &options, &err);
    CHECK(w != NULL);
    code = put(w, text("marshalled"), PEXCZ_ENCODE_RAW, 8);
    CHECK_EQ(add(w, "lib/pkg/__init__.py",
                 put(w, text("x = 1\n"), PEXCZ_ENCODE_ZSTD, 8), code, &err),
             0);
    CHECK_EQ(add(w, "lib/pkg.py", put(w, text("x = 1\n"), PEXCZ_ENCODE_RAW, 8),
                 PEXCZ_NONE, &err),
             0);
    CHECK_EQ(add(w, "lib/ext.abi3.so",
                 put(w, text("\177ELF"), PEXCZ_ENCODE_RAW, 4096), PEXCZ_NONE,
                 &err),
             0);
    CHECK_EQ(
        add(w, extra,
            put(w, pexcz_slice_make(big, sizeof(big)), PEXCZ_ENCODE_ZSTD, 8),
            PEXCZ_NONE, &err),
        0);
    CHECK_EQ(add(w, "lib/pkg.py", 0, PEXCZ_NONE, &err), PEXCZ_E_CONFLICT);
    CHECK_STR(err.msg, "lib/pkg.py: given twice");
    CHECK_EQ(add(w, "lib/../x", 0, PEXCZ_NONE, &err), PEXCZ_E_CORRUPT);
    CHECK_EQ(add(w, "lib/pkg.py/x", 0, PEXCZ_NONE, &err), PEXCZ_E_CONFLICT);
    CHECK_EQ(pexcz_blob_writer_boot(w, PEXCZ_BOOT_NAME, text("demo"), &err),
             0);
    CHECK_EQ(pexcz_blob_writer_copy(w, 7, code, &err), 0);
    CHECK_EQ(pexcz_blob_writer_copy(w, copied,
                                    put(w, pexcz_slice_make(big, sizeof(big)),
                                        PEXCZ_ENCODE_RAW, 16),
                                    &err),
             0);
    CHECK_EQ(pexcz_blob_writer_copy(w, 3, code, &err), 0);
    CHECK_EQ(pexcz_blob_writer_copy(w, 4, 1000, &err), PEXCZ_E_INTERNAL);
    CHECK_EQ(pexcz_blob_writer_finish(w, suffixes, &size, &err), 0);
    CHECK_EQ(size % PEXCZ_BLOB_PAGE, 0);
    CHECK_EQ(pexcz_buf_reserve(&out, (size_t)size, &err), 0);
    CHECK_EQ(pread(fd, out.ptr, (size_t)size, 0), (long long)size);
    out.len = (size_t)size;
    pexcz_blob_writer_free(w);
    (void)close(fd);
    return out;
}

static bool
find(const struct pexcz_blob *b, const char *path, struct pexcz_entry *ret)
{
    return pexcz_blob_find(b, text(path), pexcz_blob_hash(text(path)), ret);
}

static void
test_read_back(void)
{
    struct pexcz_buf bytes = make_blob("data/big.txt", 9);
    uint32_t copy;
    struct pexcz_blob b;
    struct pexcz_error err;
    struct pexcz_entry e;
    struct pexcz_module m;
    struct pexcz_buf scratch = {0};
    struct pexcz_slice s;
    char path[PEXCZ_MAX_PATH + 1];

    CHECK_EQ(pexcz_blob_open(&b, pexcz_buf_slice(&bytes), "t", &err), 0);
    CHECK(find(&b, "", &e));
    CHECK_EQ(e.child_count, 2);
    CHECK(find(&b, "lib", &e));
    CHECK_EQ(e.child_count, 3);
    CHECK(!find(&b, "lib/", &e));
    CHECK(!find(&b, "/lib", &e));
    CHECK(!find(&b, "lib/none", &e));
    CHECK(find(&b, "data/big.txt", &e));
    CHECK_EQ(e.size, sizeof(big));
    CHECK_EQ(e.mtime, 315532800);
    CHECK_EQ(pexcz_blob_path(&b, e.index, path, sizeof(path), &err), 12);
    CHECK_STR(path, "data/big.txt");
    CHECK_EQ(pexcz_blob_content(&b, e.payload, &scratch, &s, &err), 0);
    CHECK(s.len == sizeof(big) && memcmp(s.ptr, big, s.len) == 0);
    CHECK(pexcz_blob_find_module(&b, text("lib/pkg"),
                                 pexcz_blob_hash(text("lib/pkg")), &m));
    CHECK(m.package && m.kind == PEXCZ_MODULE_SOURCE);
    CHECK_EQ(pexcz_blob_content(&b, m.code, &scratch, &s, &err), 0);
    CHECK(pexcz_slice_eq(s, text("marshalled")));
    CHECK(pexcz_blob_find_module(&b, text("lib/ext"),
                                 pexcz_blob_hash(text("lib/ext")), &m));
    CHECK(!m.package && m.kind == PEXCZ_MODULE_EXTENSION);
    CHECK(pexcz_blob_boot_get(&b, PEXCZ_BOOT_NAME, &s));
    CHECK(pexcz_slice_eq(s, text("demo")));
    CHECK(pexcz_blob_find_copy(&b, 3, &copy));
    CHECK_EQ(pexcz_blob_content(&b, copy, &scratch, &s, &err), 0);
    CHECK(pexcz_slice_eq(s, text("marshalled")));
    CHECK(pexcz_blob_find_copy(&b, 7, &copy));
    CHECK(pexcz_blob_find_copy(&b, 9, &copy));
    CHECK(!pexcz_blob_find_copy(&b, 0, &copy));
    CHECK(!pexcz_blob_find_copy(&b, 5, &copy));
    CHECK(!pexcz_blob_find_copy(&b, UINT64_MAX, &copy));
    pexcz_buf_done(&scratch);
    pexcz_blob_close(&b);
    pexcz_buf_done(&bytes);
}

static void
test_layers(void)
{
    struct pexcz_buf upper = make_blob("lib/a.txt", 9);
    struct pexcz_buf lower = make_blob("lib/z.txt", 9);
    struct pexcz_blob b[2];
    struct pexcz_tree tree = {0};
    struct pexcz_children it;
    struct pexcz_node node;
    struct pexcz_error err;
    char names[64] = "";

    CHECK_EQ(pexcz_blob_open(&b[0], pexcz_buf_slice(&upper), "u", &err), 0);
    CHECK_EQ(pexcz_blob_open(&b[1], pexcz_buf_slice(&lower), "l", &err), 0);
    CHECK(pexcz_tree_add(&tree, &b[0]) && pexcz_tree_add(&tree, &b[1]));
    pexcz_tree_children(&tree, text("lib"), &it);
    while (pexcz_tree_children_next(&it, &node)) {
        (void)strncat(names, (const char *)node.entry.name.ptr,
                      node.entry.name.len);
        (void)strcat(names, " ");
    }
    CHECK_STR(names, "a.txt ext.abi3.so pkg pkg.py z.txt ");
    CHECK(pexcz_tree_find(&tree, text("lib/z.txt"), &node));
    CHECK(node.blob == &b[1]);
    CHECK(pexcz_tree_find(&tree, text("lib/pkg.py"), &node));
    CHECK(node.blob == &b[0]);
    pexcz_blob_close(&b[0]);
    pexcz_blob_close(&b[1]);
    pexcz_buf_done(&upper);
    pexcz_buf_done(&lower);
}

/* A compressed payload of the lower layer, read from the upper one's copy. */
static void
test_copies(void)
{
    struct pexcz_buf lower = make_blob("lib/z.txt", 9);
    struct pexcz_buf upper;
    struct pexcz_blob b[2];
    struct pexcz_tree tree = {0};
    struct pexcz_payload payload;
    struct pexcz_buf scratch = {0};
    struct pexcz_slice s;
    struct pexcz_error err;
    struct pexcz_entry e;

    CHECK_EQ(pexcz_blob_open(&b[1], pexcz_buf_slice(&lower), "l", &err), 0);
    CHECK(find(&b[1], "lib/z.txt", &e));
    CHECK_EQ(pexcz_blob_payload(&b[1], e.payload, &payload, &err), 0);
    CHECK(payload.storage != PEXCZ_STORAGE_RAW);
    upper = make_blob("lib/a.txt", payload.hash);
    CHECK_EQ(pexcz_blob_open(&b[0], pexcz_buf_slice(&upper), "u", &err), 0);
    CHECK(pexcz_tree_add(&tree, &b[0]) && pexcz_tree_add(&tree, &b[1]));
    CHECK_EQ(pexcz_tree_content(&tree, &b[1], e.payload, &scratch, &s, &err),
             0);
    CHECK(s.len == sizeof(big) && memcmp(s.ptr, big, s.len) == 0);
    CHECK(s.ptr > upper.ptr && s.ptr < upper.ptr + upper.len);
    tree.layers[0] = &b[1];
    CHECK_EQ(pexcz_tree_content(&tree, &b[1], e.payload, &scratch, &s, &err),
             0);
    CHECK(s.ptr == scratch.ptr && s.len == sizeof(big));
    pexcz_buf_done(&scratch);
    pexcz_blob_close(&b[0]);
    pexcz_blob_close(&b[1]);
    pexcz_buf_done(&upper);
    pexcz_buf_done(&lower);
}

/* Reads all that can be reached; true when something was called corrupt. */
static bool
read_all(struct pexcz_slice bytes)
{
    struct pexcz_blob b;
    struct pexcz_error err;
    struct pexcz_buf scratch = {0};
    struct pexcz_slice s;
    bool bad = pexcz_blob_open(&b, bytes, "t", &err) < 0;

    if (bad) {
        return true;
    }
    for (uint32_t i = 0; i < b.entries.count; i++) {
        struct pexcz_entry e;

        bad |= pexcz_blob_entry(&b, i, &e, &err) < 0;
    }
    for (uint32_t i = 0; i < b.modules.count; i++) {
        struct pexcz_module m;

        bad |= pexcz_blob_module(&b, i, &m, &err) < 0;
    }
    for (uint32_t i = 0; i < b.payloads.count; i++) {
        bad |= pexcz_blob_content(&b, i, &scratch, &s, &err) < 0;
    }
    bad |= pexcz_blob_verify(&b, &err) < 0;
    pexcz_buf_done(&scratch);
    pexcz_blob_close(&b);
    return bad;
}

/* Everywhere: header, payloads, index, sums and the paddings between. */
static void
test_flips(void)
{
    struct pexcz_buf bytes = make_blob("data/big.txt", 9);
    uint64_t random = 88172645463325252u;
    unsigned missed = 0;

    CHECK(!read_all(pexcz_buf_slice(&bytes)));
    for (int i = 0; i < 10000; i++) {
        size_t at;
        uint8_t bit;

        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        at = (size_t)(random % bytes.len);
        bit = (uint8_t)(1u << (random >> 61));
        bytes.ptr[at] ^= bit;
        missed += !read_all(pexcz_buf_slice(&bytes));
        bytes.ptr[at] ^= bit;
    }
    CHECK_EQ(missed, 0);
    for (size_t len = 0; len < bytes.len; len += 509) {
        CHECK(read_all(pexcz_slice_make(bytes.ptr, len)));
    }
    pexcz_buf_done(&bytes);
}

int
main(void)
{
    test_read_back();
    test_layers();
    test_copies();
    test_flips();
    CHECK_DONE();
}
