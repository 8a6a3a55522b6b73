/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include "pex_build.h"
#include "sha256.h"

#define SP "lib/python3.11/site-packages"

static const struct pexcz_target target = {
    .major = 3,
    .minor = 11,
    .micro = 2,
    .arch = "x86_64",
    .glibc_major = 2,
    .glibc_minor = 28,
};

static struct pexcz_error err;

/* A plan with all that it borrows from. */
struct planned {
    struct pexcz_pex pex;
    struct pexcz_arena arena;
    struct pexcz_plan plan;
    int rc;
};

static void
make_plan(struct pex_build *p, const char *info, struct planned *ret)
{
    struct pexcz_plan_source source = {.pex = &ret->pex};
    const char *path = pex_write(p, info);

    *ret = (struct planned){.rc = 0};
    err.msg[0] = '\0';
    ret->rc = pexcz_pex_open(path, &ret->pex, &err);
    if (ret->rc == 0) {
        ret->rc = pexcz_resolve(&ret->pex, &target, &ret->arena,
                                &source.resolved, &err);
    }
    if (ret->rc == 0) {
        ret->rc = pexcz_plan_make(&source, 1, &target, &ret->plan, &err);
    }
}

static void
planned_done(struct pex_build *p, struct planned *planned)
{
    pexcz_plan_done(&planned->plan);
    pexcz_arena_done(&planned->arena);
    pexcz_pex_close(&planned->pex);
    pex_build_done(p);
}

/* The text of a file of the plan; static storage. */
static const char *
text_of(const struct planned *planned, const char *path)
{
    static char text[8192];
    const struct pexcz_plan_entry *e = pexcz_plan_find(&planned->plan, path);
    struct pexcz_buf buf = {0};
    struct pexcz_slice s;

    text[0] = '\0';
    if (e == NULL) {
        return "(missing)";
    }
    if (e->kind == PEXCZ_KIND_DIR) {
        return "(directory)";
    }
    if (pexcz_content_read(&e->content, &buf, &s, &err) == 0
        && s.len < sizeof(text)) {
        if (s.len != 0) {
            memcpy(text, s.ptr, s.len);
        }
        text[s.len] = '\0';
    }
    pexcz_buf_done(&buf);
    return text;
}

static void
check_sorted(const struct pexcz_plan *plan)
{
    for (size_t i = 1; i < plan->entry_count; i++) {
        CHECK(strcmp(plan->entries[i - 1].path, plan->entries[i].path) < 0);
    }
    for (size_t i = 0; i < plan->entry_count; i++) {
        const char *slash = strrchr(plan->entries[i].path, '/');
        char parent[512];

        if (slash != NULL) {
            (void)snprintf(parent, sizeof(parent), "%.*s",
                           (int)(slash - plan->entries[i].path),
                           plan->entries[i].path);
            CHECK(pexcz_plan_find(plan, parent) != NULL);
        }
    }
}

static const char demo_record[]
    = "demo/__init__.py,sha256=x,1\n"
      "demo/gone.py,,\n"
      "demo/__pycache__/__init__.cpython-311.pyc,,\n"
      ".prefix/bin/demo,sha256=y,2\n"
      ".prefix/bin/tool,sha256=z,3\n"
      ".prefix/bin/elf,,\n"
      ".prefix/data/share/demo/d.txt,,\n"
      ".prefix/platlib/fast.so,,\n"
      ".prefix/include/site/pythonX.Y/demo/demo.h,,\n"
      "demo-1.dist-info/METADATA,,\n"
      "demo-1.dist-info/RECORD,,\n"
      "demo-1.dist-info/INSTALLER,,\n"
      "demo-1.pex-info/original-whl-info.json,,\n";

static void
add_demo_chroot(struct zip_build *z, const char *dir)
{
    struct zip_item elf = {.name = ".deps/demo-1-py3-none-any.whl/.prefix/"
                                   "bin/elf",
                           .data = pexcz_slice_str("\177ELF")};

    pex_add(z,
            "{\"stash_dir\": \".prefix\", \"record_relpath\": "
            "\"demo-1.dist-info/RECORD\", \"sys_path_entries\": [\".\"]}",
            "%s.layout.json", dir);
    pex_add_info(z, dir, "demo", "1", "", demo_record);
    pex_add(z,
            "[console_scripts]\n# comment\ndemo = demo.cli:main.run [x]\n"
            "[other]\nnonsense\n[gui_scripts]\ndemo-ui=demo.ui\n",
            "%sdemo-1.dist-info/entry_points.txt", dir);
    pex_add(z, "pip\n", "%sdemo-1.dist-info/INSTALLER", dir);
    pex_add(z, "", "%sdemo/__init__.py", dir);
    pex_add(z, "", "%sdemo/__pycache__/__init__.cpython-311.pyc", dir);
    pex_add(z, "", "%sdemo/sourceless.pyc", dir);
    pex_add(z, "{}", "%sdemo-1.pex-info/original-whl-info.json", dir);
    pex_add(z, "#!python\nold\n", "%s.prefix/bin/demo", dir);
    pex_add(z, "#!/usr/bin/env python3.9 -E\nimport demo\n",
            "%s.prefix/bin/tool", dir);
    zip_add(z, &elf);
    pex_add(z, "data", "%s.prefix/data/share/demo/d.txt", dir);
    pex_add(z, "so", "%s.prefix/platlib/fast.so", dir);
    pex_add(z, "h", "%s.prefix/include/site/pythonX.Y/demo/demo.h", dir);
}

static const char demo_info[]
    = "{\"requirements\": [\"demo\"], \"distributions\": "
      "{\"demo-1-py3-none-any.whl\": \"\"}}";

static void
check_demo_tree(const struct planned *p)
{
    const struct pexcz_plan *plan = &p->plan;
    char tool_hash[PEXCZ_RECORD_HASH_SIZE];
    char expected[160];

    CHECK_STR(text_of(p, SP "/demo/__init__.py"), "");
    CHECK_STR(text_of(p, SP "/demo/__pycache__"), "(missing)");
    CHECK_STR(text_of(p, SP "/demo/sourceless.pyc"), "");
    CHECK_STR(text_of(p, SP "/fast.so"), "so");
    CHECK_STR(text_of(p, "share/demo/d.txt"), "data");
    CHECK_STR(text_of(p, "include/site/python3.11/demo/demo.h"), "h");
    CHECK_STR(text_of(p, SP "/.layout.json"), "(missing)");
    CHECK_STR(text_of(p, SP "/demo-1.pex-info"), "(missing)");
    CHECK_STR(text_of(p, SP "/.prefix"), "(missing)");
    CHECK_STR(text_of(p, SP "/demo-1.dist-info/INSTALLER"), "pex\n");
    CHECK_STR(text_of(p, SP "/demo-1.dist-info/REQUESTED"), "");
    CHECK_STR(text_of(p, "bin/elf"), "\177ELF");
    CHECK_STR(text_of(p, "bin/tool"),
              "#!/proc/pexcz/bin/python3\nimport demo\n");
    CHECK_STR(text_of(p, "bin/demo"),
              "#!/proc/pexcz/bin/python3\n"
              "# -*- coding: utf-8 -*-\n"
              "import importlib\n"
              "import sys\n"
              "\n"
              "entry_point = importlib.import_module('demo.cli')\n"
              "for attr in ('main', 'run'):\n"
              "    entry_point = getattr(entry_point, attr)\n"
              "\n"
              "if __name__ == \"__main__\":\n"
              "    sys.exit(entry_point())\n");
    CHECK_STR(text_of(p, "bin/demo-ui"),
              "#!/proc/pexcz/bin/python3\n"
              "# -*- coding: utf-8 -*-\n"
              "import runpy\n"
              "import sys\n"
              "\n"
              "if __name__ == \"__main__\":\n"
              "    runpy.run_module('demo.ui', run_name=\"__main__\", "
              "alter_sys=True)\n"
              "    sys.exit(0)\n");
    CHECK_EQ(pexcz_plan_find(plan, "bin/demo")->mode, 0755);
    CHECK_EQ(pexcz_plan_find(plan, "bin/elf")->mode, 0755);
    CHECK_EQ(pexcz_plan_find(plan, SP "/fast.so")->mode, 0644);
    CHECK_EQ(pexcz_plan_find(plan, SP "/fast.so")->mtime, 315532800);
    CHECK(pexcz_plan_find(plan, SP "/demo/__init__.py")->compile);
    CHECK(!pexcz_plan_find(plan, "bin/demo")->compile);
    CHECK_STR(pexcz_plan_find(plan, SP "/fast.so")->origin,
              "demo-1-py3-none-any.whl");
    pexcz_record_hash(
        pexcz_slice_str("#!/proc/pexcz/bin/python3\nimport demo\n"),
        tool_hash);
    (void)snprintf(expected, sizeof(expected), "../../../bin/tool,%s,38\n",
                   tool_hash);
    CHECK(strstr(text_of(p, SP "/demo-1.dist-info/RECORD"), expected) != NULL);
    CHECK(strstr(text_of(p, SP "/demo-1.dist-info/RECORD"), ".prefix")
          == NULL);
    check_sorted(plan);
}

static void
test_chroot(void)
{
    struct pex_build p = {0};
    struct planned planned;
    const char *record;

    add_demo_chroot(&p.zip, ".deps/demo-1-py3-none-any.whl/");
    make_plan(&p, demo_info, &planned);
    CHECK_STR(err.msg, "");
    CHECK_EQ(planned.rc, 0);
    check_demo_tree(&planned);
    CHECK_EQ(planned.plan.warnings.count, 1);
    CHECK_STR(planned.plan.warnings.items[0],
              "demo-1-py3-none-any.whl: RECORD lists demo/gone.py, which is "
              "not there");
    record = text_of(&planned, SP "/demo-1.dist-info/RECORD");
    CHECK(strncmp(record,
                  "demo/__init__.py,sha256=x,1\n../../../bin/tool,sha256=", 53)
          == 0);
    CHECK(strstr(record,
                 "../../../bin/elf,,\n../../../share/demo/d.txt,,\n"
                 "fast.so,,\n"
                 "../../../include/site/python3.11/demo/demo.h,,\n"
                 "demo-1.dist-info/METADATA,,\n"
                 "demo-1.dist-info/RECORD,,\n../../../bin/demo,sha256=")
          != NULL);
    CHECK(strstr(record, "demo-1.dist-info/INSTALLER,sha256="
                         "HlafJUPu7mfjxv3SDH-RbkxsHOWSVbPXTEBC1hzonpM,4\n"
                         "demo-1.dist-info/REQUESTED,sha256="
                         "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n")
          != NULL);
    planned_done(&p, &planned);
}

/* The same distribution as a wheel file, stored and deflated. */
static void
test_wheel_file(void)
{
    for (int deflate = 0; deflate < 2; deflate++) {
        struct pex_build p = {0};
        struct zip_build wheel = {0};
        struct zip_item item = {.name = ".deps/demo-1-py3-none-any.whl",
                                .deflate = deflate != 0};
        struct planned planned;

        pex_add_info(&wheel, "", "demo", "1", "", NULL);
        pex_add(&wheel,
                "[console_scripts]\ndemo = demo.cli:main.run [x]\n"
                "[gui_scripts]\ndemo-ui=demo.ui\n",
                "demo-1.dist-info/entry_points.txt");
        pex_add(&wheel, "", "demo/__init__.py");
        pex_add(&wheel, "", "demo/sourceless.pyc");
        pex_add(&wheel, "#!python -E\nimport demo\n",
                "demo-1.data/scripts/tool");
        pex_add(&wheel, "\177ELF", "demo-1.data/scripts/elf");
        pex_add(&wheel, "data", "demo-1.data/data/share/demo/d.txt");
        pex_add(&wheel, "so", "demo-1.data/platlib/fast.so");
        pex_add(&wheel, "h", "demo-1.data/headers/demo.h");
        zip_finish(&wheel, &(struct zip_end){0});
        item.data = pexcz_buf_slice(&wheel.out);
        zip_add(&p.zip, &item);
        make_plan(&p, demo_info, &planned);
        CHECK_STR(err.msg, "");
        CHECK_EQ(planned.rc, 0);
        check_demo_tree(&planned);
        CHECK_EQ(planned.plan.warnings.count, 0);
        CHECK_EQ(planned.pex.dists[0].form, PEXCZ_DIST_WHEEL);
        planned_done(&p, &planned);
        zip_build_done(&wheel);
    }
}

/* Chroots of older Pexes: stash without types, or no layout file at all. */
static void
test_old_chroots(void)
{
    static const char dir[] = ".deps/demo-1-py3-none-any.whl/";
    struct pex_build p = {0};
    struct planned planned;

    pex_add(&p.zip,
            "{\"stash_dir\": \".prefix\", \"record_relpath\": "
            "\"demo-1.dist-info/RECORD\"}",
            "%s.layout.json", dir);
    pex_add_info(&p.zip, dir, "demo", "1", "",
                 "demo-1.dist-info/RECORD,,\r\n.prefix/share/d.txt,,\r\n"
                 ".prefix/data/e.txt,,\r\n");
    pex_add(&p.zip, "data", "%s.prefix/share/d.txt", dir);
    pex_add(&p.zip, "e", "%s.prefix/data/e.txt", dir);
    make_plan(&p, demo_info, &planned);
    CHECK_STR(err.msg, "");
    CHECK_STR(text_of(&planned, "share/d.txt"), "data");
    CHECK_STR(text_of(&planned, "data/e.txt"), "e");
    CHECK(strncmp(text_of(&planned, SP "/demo-1.dist-info/RECORD"),
                  "demo-1.dist-info/RECORD,,\r\n../../../share/d.txt,,\r\n",
                  50)
          == 0);
    planned_done(&p, &planned);

    p = (struct pex_build){{{0}, {0}, 0, 0}, ""};
    pex_add_info(&p.zip, dir, "demo", "1", "", "demo.py,,\n");
    pex_add(&p.zip, "x = 1\n", "%sdemo.py", dir);
    pex_add(&p.zip, "#!/usr/bin/python2\nx\n", "%sbin/demo", dir);
    make_plan(&p, demo_info, &planned);
    CHECK_STR(err.msg, "");
    CHECK_EQ(planned.pex.dists[0].form, PEXCZ_DIST_LEGACY);
    CHECK_STR(text_of(&planned, SP "/demo.py"), "x = 1\n");
    CHECK_STR(text_of(&planned, SP "/bin"), "(missing)");
    CHECK_STR(text_of(&planned, "bin/demo"), "#!/proc/pexcz/bin/python3\nx\n");
    CHECK_STR(text_of(&planned, SP "/demo-1.dist-info/RECORD"), "demo.py,,\n");
    planned_done(&p, &planned);
}

static void
test_user_code(void)
{
    struct pex_build p = {0};
    struct planned planned;
    struct zip_item exe = {.name = "app/run.sh",
                           .mode = 0100755,
                           .data = pexcz_slice_str("#!/bin/sh\n")};
    struct zip_item empty = {.name = "app/empty/"};

    pex_add_dist(&p, "demo", "1", "py3-none-any", "");
    pex_add_dist(&p, "other", "1", "py3-none-any", "");
    pex_add(&p.zip, "user\n", "demo.py");
    pex_add(&p.zip, "x = 1\n", "other.py");
    pex_add(&p.zip, "", "app/__main__.py");
    pex_add(&p.zip, "", "app/__pycache__/x.cpython-311.pyc");
    pex_add(&p.zip, "", "__pycache__/y.pyc");
    pex_add(&p.zip, "", "__pex__/__init__.py");
    pex_add(&p.zip, "", ".bootstrap/pex/__init__.py");
    pex_add(&p.zip, "", "sitecustomize/__init__.py");
    zip_add(&p.zip, &exe);
    zip_add(&p.zip, &empty);
    make_plan(&p,
              "{\"requirements\": [\"demo\", \"other\"], \"distributions\": "
              "{\"demo-1-py3-none-any.whl\": \"\", "
              "\"other-1-py3-none-any.whl\": \"\"}}",
              &planned);
    CHECK_STR(err.msg, "");
    CHECK_STR(text_of(&planned, SP "/demo.py"), "user\n");
    CHECK_STR(text_of(&planned, SP "/app/__main__.py"), "");
    CHECK_STR(text_of(&planned, SP "/app/empty"), "(directory)");
    CHECK_EQ(pexcz_plan_find(&planned.plan, SP "/app/run.sh")->mode, 0755);
    CHECK(pexcz_plan_find(&planned.plan, SP "/app/run.sh")->origin == NULL);
    CHECK_STR(text_of(&planned, SP "/app/__pycache__/x.cpython-311.pyc"), "");
    CHECK_STR(text_of(&planned, SP "/__pycache__"), "(missing)");
    CHECK_STR(text_of(&planned, SP "/__pex__"), "(missing)");
    CHECK_STR(text_of(&planned, SP "/.bootstrap"), "(missing)");
    CHECK_STR(text_of(&planned, SP "/PEX-INFO"), "(missing)");
    CHECK_STR(text_of(&planned, SP "/__main__.py"), "(missing)");
    CHECK(planned.plan.boot.has_sitecustomize);
    CHECK(!planned.plan.boot.has_usercustomize);
    CHECK_EQ(planned.plan.boot.kind, PEXCZ_ENTRY_NONE);
    /* Alike in other.py, not alike in demo.py. */
    CHECK_EQ(planned.plan.warnings.count, 1);
    CHECK_STR(planned.plan.warnings.items[0],
              SP "/demo.py: provided by both user code and "
                 "demo-1-py3-none-any.whl, not alike: the former is used");
    check_sorted(&planned.plan);
    planned_done(&p, &planned);
}

static void
test_pth(void)
{
    struct pex_build p = {0};
    struct planned planned;
    const struct pexcz_plan_boot *boot = &planned.plan.boot;

    pex_add(&p.zip, "# comment\n\nlib\nimport b; b.run()\r\nmissing\n./lib\n",
            "b.pth");
    pex_add(&p.zip,
            "import a\nsub/../lib/deep\n../../../..\n/usr/lib\n"
            "importlib\n",
            "a.pth");
    pex_add(&p.zip, "import hidden\n", ".h.pth");
    pex_add(&p.zip, "import sub\n", "sub/c.pth");
    pex_add(&p.zip, "", "lib/deep/m.py");
    make_plan(&p, "{}", &planned);
    CHECK_STR(err.msg, "");
    CHECK_EQ(boot->search_path.count, 3);
    CHECK_STR(boot->search_path.items[0], SP);
    CHECK_STR(boot->search_path.items[1], SP "/lib/deep");
    CHECK_STR(boot->search_path.items[2], SP "/lib");
    CHECK_EQ(boot->startup_lines.count, 2);
    CHECK_STR(boot->startup_lines.items[0], "import a");
    CHECK_STR(boot->startup_lines.items[1], "import b; b.run()");
    CHECK_EQ(planned.plan.warnings.count, 1);
    CHECK_STR(planned.plan.warnings.items[0],
              "a.pth: the line /usr/lib names a directory outside the PEX: "
              "left out");
    planned_done(&p, &planned);
}

static void
test_boot(void)
{
    struct pex_build p = {0};
    struct planned planned;
    const struct pexcz_plan_boot *boot = &planned.plan.boot;

    make_plan(&p,
              "{\"entry_point\": \"a.b : c.d\", \"inject_args\": [\"x y\"], "
              "\"inject_env\": {\"A\": \"b=c\"}, \"inject_python_args\": "
              "[\"-v\"], \"bind_resource_paths\": {\"R\": \"x/y\"}, "
              "\"strip_pex_env\": false, \"inherit_path\": \"prefer\"}",
              &planned);
    CHECK_STR(err.msg, "");
    CHECK_EQ(boot->kind, PEXCZ_ENTRY_CALL);
    CHECK_STR(boot->module, "a.b");
    CHECK_STR(boot->attr, "c.d");
    CHECK_STR(boot->inject_args.items[0], "x y");
    CHECK_STR(boot->inject_env.items[0], "A=b=c");
    CHECK_STR(boot->inject_python_args.items[0], "-v");
    CHECK_STR(boot->bind_resource_paths.items[0], "R=x/y");
    CHECK(!boot->strip_pex_env);
    CHECK_STR(boot->inherit_path, "prefer");
    CHECK_EQ(planned.plan.pex_info.len, planned.pex.info_text.len);
    planned_done(&p, &planned);

    p = (struct pex_build){{{0}, {0}, 0, 0}, ""};
    make_plan(&p, "{\"entry_point\": \"mod\"}", &planned);
    CHECK_EQ(boot->kind, PEXCZ_ENTRY_MODULE);
    CHECK_STR(boot->module, "mod");
    CHECK(boot->attr == NULL && boot->inherit_path == NULL);
    planned_done(&p, &planned);

    p = (struct pex_build){{{0}, {0}, 0, 0}, ""};
    make_plan(&p, "{\"venv\": true, \"venv_hermetic_scripts\": false}",
              &planned);
    CHECK_STR(boot->inherit_path, "python");
    planned_done(&p, &planned);

    p = (struct pex_build){{{0}, {0}, 0, 0}, ""};
    add_demo_chroot(&p.zip, ".deps/demo-1-py3-none-any.whl/");
    make_plan(&p,
              "{\"requirements\": [\"demo\"], \"script\": \"tool\", "
              "\"distributions\": {\"demo-1-py3-none-any.whl\": \"\"}}",
              &planned);
    CHECK_EQ(boot->kind, PEXCZ_ENTRY_SCRIPT);
    CHECK_STR(boot->script, "bin/tool");
    planned_done(&p, &planned);
}

static void
test_refused(void)
{
    static const struct {
        const char *info;
        const char *message;
    } cases[] = {
        {"{\"script\": \"x\"}", ": could not find script 'x' in it"},
        {"{\"script\": \"x\", \"entry_point\": \"y\"}",
         ": PEX-INFO: cannot specify both script and entry_point"},
        {"{\"entry_point\": \"a:b()\"}",
         ": PEX-INFO: entry_point: 'a:b()' is not an entry point of the form "
         "MODULE or MODULE:FUNCTION"},
        {"{\"inject_env\": {\"A=B\": \"c\"}}",
         ": PEX-INFO: inject_env: 'A=B' cannot be the name of an environment "
         "variable"},
        {"{\"requirements\": [\"demo\"], \"distributions\": "
         "{\"demo-1-py3-none-any.whl\": \"\"}}",
         ": " SP "/clash: demo-1-py3-none-any.whl wants it as a directory, "
         "but it is a file"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pex_build p = {0};
        struct planned planned;

        pex_add_dist(&p, "demo", "1", "py3-none-any", "");
        pex_add(&p.zip, "", ".deps/demo-1-py3-none-any.whl/clash/x");
        pex_add(&p.zip, "", "clash");
        make_plan(&p, cases[i].info, &planned);
        CHECK(planned.rc < 0);
        CHECK(strncmp(err.msg, p.path, strlen(p.path)) == 0);
        CHECK_STR(err.msg + strlen(p.path), cases[i].message);
        CHECK_EQ(planned.plan.entry_count, 0);
        planned_done(&p, &planned);
    }
}

int
main(void)
{
    test_chroot();
    test_wheel_file();
    test_old_chroots();
    test_user_code();
    test_pth();
    test_boot();
    test_refused();
    CHECK_DONE();
}
