/* SPDX-License-Identifier: Apache-2.0 */
/* packer/inspect: what is listed is what was packed, once. */
#include "inspect.h"
#include "packed_build.h"

#include <jansson.h>

#define SITE "lib/python3.11/site-packages"
#define INFO SITE "/demo-1.0.dist-info"
#define END_OF_LIST                                                           \
    {                                                                         \
        NULL, PEXCZ_KIND_FILE, 0, NULL, NULL                                  \
    }

static const struct packed_item stdlib[] = {
    {"bin/python", PEXCZ_KIND_SELF, 0755, NULL, NULL},
    {"lib/python3.11/os.py", PEXCZ_KIND_FILE, 0644, "import sys\n", "os code"},
    END_OF_LIST,
};

static const struct packed_item app[] = {
    {"bin/demo", PEXCZ_KIND_FILE, 0755, "#!python\n", NULL},
    {SITE "/demo/__init__.py", PEXCZ_KIND_FILE, 0644, "a = 1\n", "init code"},
    {SITE "/demo/copy.py", PEXCZ_KIND_FILE, 0644, "a = 1\n", "copied code"},
    {SITE "/demo/data.txt", PEXCZ_KIND_FILE, 0644, "text\n", NULL},
    {SITE "/demo/fast.so", PEXCZ_KIND_FILE, 0755, "\177ELF", NULL},
    {SITE "/demo/link", PEXCZ_KIND_SYMLINK, 0777, "data.txt", NULL},
    {SITE "/main.py", PEXCZ_KIND_FILE, 0644, "b = 2\n", "main code"},
    {SITE "/od\x1b\xff\x64.txt", PEXCZ_KIND_FILE, 0644, "odd\n", NULL},
    {INFO "/METADATA", PEXCZ_KIND_FILE, 0644, "Name: demo\n", NULL},
    {INFO "/RECORD", PEXCZ_KIND_FILE, 0644,
     "demo/__init__.py,,\n"
     "demo/copy.py,sha256=x,6\n"
     "demo/data.txt,,\n"
     "demo/fast.so,,\n"
     "demo/link,,\n"
     "../../../bin/demo,,\n"
     "../../../../../../outside,,\n"
     "demo-1.0.dist-info/METADATA,,\n"
     "demo-1.0.dist-info/RECORD,,\n",
     NULL},
    {SITE "/broken-2.dist-info/RECORD", PEXCZ_KIND_FILE, 0644, "a,b,c,d\n",
     NULL},
    END_OF_LIST,
};

static const struct packed_setting settings[] = {
    {PEXCZ_BOOT_NAME, "demo"},
    {PEXCZ_BOOT_ENTRY_MODULE, "main"},
    {PEXCZ_BOOT_SEARCH_PATH, SITE},
    {PEXCZ_BOOT_SEARCH_PATH, SITE "/demo"},
    {PEXCZ_BOOT_PEX_INFO, "{\"entry_point\": \"main\"}"},
    {PEXCZ_BOOT_NAME, NULL},
};

static const struct pexcz_inspected *
find(const struct pexcz_inspection *in, const char *path)
{
    for (size_t i = 0; i < in->entry_count; i++) {
        if (strcmp(in->entries[i].path, path) == 0) {
            return &in->entries[i];
        }
    }
    CHECK_STR("not there", path);
    return &in->entries[0];
}

static void
check_application(const struct pexcz_inspection *in)
{
    const struct pexcz_inspected *e = find(in, SITE "/demo/__init__.py");
    const struct pexcz_inspected_dist *demo;

    CHECK_EQ(in->dist_count, 2);
    demo = &in->dists[1];
    CHECK_STR(in->dists[0].name, "broken");
    CHECK_STR(in->dists[0].version, "2");
    CHECK_EQ(in->dists[0].sums.files, 1);
    CHECK_STR(demo->name, "demo");
    CHECK_STR(demo->version, "1.0");
    CHECK_EQ(demo->sums.files, 8);
    CHECK_EQ(demo->sums.modules, 3);
    CHECK_EQ(in->other.files, 2);
    CHECK_EQ(in->other.modules, 1);
    CHECK_EQ(in->total.files, 11);

    CHECK(e->is_module && e->module.package && e->has_code);
    CHECK_STR(e->module_name, "demo");
    CHECK_EQ(e->distribution, 1);
    CHECK_EQ(e->content.size, 6);
    CHECK_EQ(e->code.size, 9);
    CHECK_EQ(find(in, "bin/demo")->distribution, 1);
    CHECK_EQ(find(in, SITE "/main.py")->distribution, PEXCZ_NO_DISTRIBUTION);
    CHECK_STR(find(in, SITE "/main.py")->module_name, "main");
    /* The longest folder of sys.path counts. */
    CHECK_STR(find(in, SITE "/demo/copy.py")->module_name, "copy");
    CHECK_STR(find(in, SITE "/demo/link")->link, "data.txt");
    CHECK(!find(in, SITE "/demo/data.txt")->is_module);
    /* The same text twice: stored and counted once. */
    CHECK(!e->content.again);
    CHECK(find(in, SITE "/demo/copy.py")->content.again);
}

static void
check_sums(const struct pexcz_inspection *in)
{
    uint64_t size = in->other.size;
    uint64_t stored = in->other.stored;
    uint64_t program = in->file->bytes.len;

    for (size_t i = 0; i < in->dist_count; i++) {
        size += in->dists[i].sums.size;
        stored += in->dists[i].sums.stored;
    }
    CHECK_EQ(in->total.size, size);
    CHECK_EQ(in->total.stored, stored);
    for (int i = 0; i < PEXCZ_PART_COUNT; i++) {
        program -= in->file->parts[i].size;
    }
    CHECK_EQ(in->program, program);
}

static void
test_model(void)
{
    struct pexcz_packed_file file;
    struct pexcz_inspection in;
    struct pexcz_error err;

    CHECK_EQ(pexcz_packed_file_open(&file, "packed", &err), 0);
    CHECK_EQ(pexcz_inspection_read(&file, false, &in, &err), 0);
    check_application(&in);
    check_sums(&in);
    pexcz_inspection_done(&in);
    CHECK_EQ(pexcz_inspection_read(&file, true, &in, &err), 0);
    CHECK_STR(find(&in, "lib/python3.11/os.py")->module_name, "os");
    CHECK_EQ(find(&in, "lib/python3.11/os.py")->part, PEXCZ_PART_STDLIB);
    CHECK_EQ(find(&in, "bin/python")->content.size, file.bytes.len);
    CHECK_EQ(in.total.files, 13);
    check_sums(&in);
    pexcz_inspection_done(&in);
    pexcz_packed_file_close(&file);
}

/* What pexcz_inspect() prints, in `ret`. */
static void
inspect(bool json, char *ret, size_t size)
{
    struct pexcz_error err;
    int saved = dup(STDOUT_FILENO);
    int fd = open("printed", O_RDWR | O_CREAT | O_TRUNC, 0600);
    ssize_t n;

    (void)fflush(stdout);
    CHECK(saved >= 0 && fd >= 0);
    CHECK_EQ(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
    CHECK_EQ(pexcz_inspect(
                 &(struct pexcz_file_options){.file = "packed", .json = json},
                 &err),
             0);
    CHECK_EQ(fflush(stdout), 0);
    CHECK_EQ(dup2(saved, STDOUT_FILENO), STDOUT_FILENO);
    (void)close(saved);
    n = pread(fd, ret, size - 1, 0);
    ret[n > 0 ? n : 0] = '\0';
    (void)close(fd);
    CHECK_EQ(unlink("printed"), 0);
}

static json_t *
entry_of(const json_t *root, const char *path)
{
    size_t i;
    json_t *item;

    json_array_foreach(json_object_get(root, "entries"), i, item)
    {
        if (strcmp(json_string_value(json_object_get(item, "path")), path)
            == 0) {
            return item;
        }
    }
    CHECK_STR("not there", path);
    return NULL;
}

static const char *
text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void
test_json(void)
{
    static char text[1 << 16];
    json_error_t error;
    json_t *root;
    const json_t *object;
    const json_t *item;

    inspect(true, text, sizeof(text));
    root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    CHECK(root != NULL);
    CHECK_STR(text_of(root, "python"), "3.11");
    object = json_object_get(root, "settings");
    CHECK_STR(text_of(object, "entry_module"), "main");
    CHECK_EQ(json_array_size(json_object_get(object, "search_path")), 2);
    CHECK_STR(text_of(json_object_get(object, "pex_info"), "entry_point"),
              "main");
    CHECK_EQ(json_array_size(json_object_get(root, "parts")), 2);
    CHECK_EQ(json_array_size(json_object_get(root, "distributions")), 2);
    item = entry_of(root, SITE "/demo/copy.py");
    CHECK_STR(text_of(item, "kind"), "file");
    CHECK_STR(text_of(item, "mode"), "0644");
    CHECK_STR(text_of(item, "distribution"), "demo");
    CHECK(json_is_true(json_object_get(item, "shared")));
    CHECK_EQ(json_integer_value(json_object_get(item, "mtime")), PACKED_MTIME);
    object = json_object_get(item, "module");
    CHECK_STR(text_of(object, "kind"), "module");
    CHECK_STR(text_of(object, "name"), "copy");
    CHECK_EQ(json_integer_value(
                 json_object_get(json_object_get(object, "bytecode"), "size")),
             11);
    CHECK_STR(text_of(entry_of(root, SITE "/demo/link"), "target"),
              "data.txt");
    CHECK(entry_of(root, SITE "/od\\x1b\\xffd.txt") != NULL);
    json_decref(root);
}

static void
test_text(void)
{
    static char text[1 << 16];

    inspect(false, text, sizeof(text));
    CHECK(strstr(text, "  entry_module     main\n") != NULL);
    CHECK(strstr(text, "      8        3") != NULL);
    CHECK(strstr(text, "  demo 1.0\n") != NULL);
    CHECK(strstr(text, "  " SITE "/demo/link -> data.txt\n") != NULL);
    CHECK(strstr(text, "  " SITE "/demo/\n") != NULL);
    /* Nothing in a file steers the terminal. */
    CHECK(strstr(text, "/od\\x1b\\xffd.txt\n") != NULL);
    CHECK(strchr(text, '\x1b') == NULL);
}

int
main(void)
{
    char folder[] = "/tmp/test_inspect_XXXXXX";

    packed_enter_folder(folder);
    packed_write_base("packed");
    packed_add("packed", PEXCZ_ADDR_STDLIB, PACKED_MAGIC, stdlib, NULL);
    packed_add("packed", PEXCZ_ADDR_APP, PACKED_MAGIC, app, settings);
    test_model();
    test_json();
    test_text();
    CHECK_EQ(unlink("packed"), 0);
    CHECK_EQ(rmdir(folder), 0);
    CHECK_DONE();
}
