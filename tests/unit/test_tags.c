/* SPDX-License-Identifier: Apache-2.0 */
#include "tags.h"

#include "check.h"

static struct pexcz_error err;

static size_t
index_of(const struct pexcz_tags *tags, const char *text)
{
    for (size_t i = 0; i < tags->count; i++) {
        char tag[200];

        (void)snprintf(tag, sizeof(tag), "%s-%s-%s", tags->items[i].python,
                       tags->items[i].abi, tags->items[i].platform);
        if (strcmp(tag, text) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

static void
test_supported(void)
{
    struct pexcz_arena arena = {0};
    struct pexcz_target target = {0};
    struct pexcz_tags tags;

    CHECK_EQ(pexcz_target_init(&target, "3.11.2", "x86_64", &err), 0);
    CHECK(target.glibc_major >= 2);
    CHECK_EQ(pexcz_target_set_glibc(&target, "2.17", &err), 0);
    CHECK_EQ(pexcz_tags_supported(&target, &arena, &tags, &err), 0);
    /* linux, 13 of manylinux_2_x, 3 old names. */
    CHECK_EQ(index_of(&tags, "cp311-cp311-linux_x86_64"), 0);
    CHECK_EQ(index_of(&tags, "cp311-cp311-manylinux_2_17_x86_64"), 1);
    CHECK_EQ(index_of(&tags, "cp311-cp311-manylinux2014_x86_64"), 2);
    CHECK_EQ(index_of(&tags, "cp311-cp311-manylinux1_x86_64"), 16);
    CHECK_EQ(index_of(&tags, "cp311-abi3-linux_x86_64"), 17);
    CHECK_EQ(index_of(&tags, "cp311-none-linux_x86_64"), 34);
    CHECK_EQ(index_of(&tags, "cp310-abi3-linux_x86_64"), 51);
    CHECK(index_of(&tags, "cp32-abi3-manylinux1_x86_64") != SIZE_MAX);
    CHECK(index_of(&tags, "cp31-abi3-linux_x86_64") == SIZE_MAX);
    CHECK(index_of(&tags, "cp311-cp311-manylinux_2_18_x86_64") == SIZE_MAX);
    CHECK(index_of(&tags, "cp311-cp311-manylinux_2_4_x86_64") == SIZE_MAX);
    CHECK(index_of(&tags, "cp312-cp312-linux_x86_64") == SIZE_MAX);
    CHECK_EQ(index_of(&tags, "py30-none-any"), tags.count - 1);
    CHECK_EQ(index_of(&tags, "py311-none-any"), tags.count - 13);
    CHECK_EQ(index_of(&tags, "cp311-none-any"), tags.count - 14);

    target.arch = "aarch64";
    CHECK_EQ(pexcz_tags_supported(&target, &arena, &tags, &err), 0);
    CHECK(index_of(&tags, "cp311-cp311-manylinux_2_17_aarch64") != SIZE_MAX);
    CHECK(index_of(&tags, "cp311-cp311-manylinux_2_16_aarch64") == SIZE_MAX);
    CHECK(index_of(&tags, "cp311-cp311-manylinux1_aarch64") == SIZE_MAX);
    pexcz_arena_done(&arena);
}

static void
test_target(void)
{
    static const char *const versions[]
        = {"", "3", "3.11", "2.7.18", "3.11.2.1", "3.x.1", "3.11.2rc1"};
    static const char *const glibcs[] = {"", "2", "1.2", "2.17.1", "2.x"};
    struct pexcz_target target;
    char tag[16];

    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        CHECK_EQ(pexcz_target_init(&target, versions[i], "x86_64", &err),
                 PEXCZ_E_CORRUPT);
    }
    CHECK_EQ(pexcz_target_init(&target, "3.13.0", "x86_64", &err), 0);
    for (size_t i = 0; i < sizeof(glibcs) / sizeof(glibcs[0]); i++) {
        CHECK_EQ(pexcz_target_set_glibc(&target, glibcs[i], &err),
                 PEXCZ_E_USAGE);
    }
    pexcz_target_python_tag(&target, tag);
    CHECK_STR(tag, "cp313");
}

static void
test_wheel_names(void)
{
    static const char *const bad[] = {"foo",
                                      "foo.whl",
                                      "foo-1-py3-none.tar.gz",
                                      "py3-none-any.whl",
                                      "a-1-py3..py2-none-any.whl",
                                      "a-1--none-any.whl"};
    struct pexcz_arena arena = {0};
    struct pexcz_wheel_name w;
    struct pexcz_target target;
    struct pexcz_tags tags;
    size_t rank = 0;
    char big[700] = "a-1-";

    CHECK_EQ(pexcz_wheel_name_parse(
                 "Foo_bar-1.0-2-py2.py3-none.abi3-any.linux_x86_64.whl",
                 &arena, &w, &err),
             0);
    CHECK_STR(w.name, "Foo_bar");
    CHECK_STR(w.version, "1.0");
    CHECK_STR(w.build, "2");
    CHECK_EQ(w.tags.count, 8);
    CHECK_EQ(index_of(&w.tags, "py3-abi3-linux_x86_64"), 7);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK_EQ(pexcz_wheel_name_parse(bad[i], &arena, &w, &err),
                 PEXCZ_E_CORRUPT);
        CHECK(strstr(err.msg, "is not a wheel file name") != NULL);
    }

    /* Any tag of the product may be the one that fits best. */
    CHECK_EQ(pexcz_target_init(&target, "3.11.2", "x86_64", &err), 0);
    CHECK_EQ(pexcz_target_set_glibc(&target, "2.28", &err), 0);
    CHECK_EQ(pexcz_tags_supported(&target, &arena, &tags, &err), 0);
    CHECK_EQ(pexcz_wheel_name_parse("a-1-cp37-abi3-manylinux_2_12_x86_64."
                                    "manylinux2010_x86_64.whl",
                                    &arena, &w, &err),
             0);
    CHECK(pexcz_tags_rank(&tags, &w.tags, &rank));
    CHECK_EQ(rank, index_of(&tags, "cp37-abi3-manylinux_2_12_x86_64"));
    CHECK_EQ(pexcz_wheel_name_parse("a-1-cp311-cp311-macosx_11_0_arm64.whl",
                                    &arena, &w, &err),
             0);
    CHECK(!pexcz_tags_rank(&tags, &w.tags, &rank));

    /* 101 * 101 tags. */
    for (int set = 0; set < 2; set++) {
        for (int i = 0; i < 100; i++) {
            (void)strcat(big, "b.");
        }
        (void)strcat(big, "b-");
    }
    (void)strcat(big, "any.whl");
    CHECK_EQ(pexcz_wheel_name_parse(big, &arena, &w, &err), PEXCZ_E_CORRUPT);
    CHECK(strstr(err.msg, "too many tags") != NULL);
    pexcz_arena_done(&arena);
}

int
main(void)
{
    test_supported();
    test_target();
    test_wheel_names();
    CHECK_DONE();
}
