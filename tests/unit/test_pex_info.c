/* SPDX-License-Identifier: Apache-2.0 */
#include "pex_info.h"

#include "check.h"

static struct pexcz_error err;

static int
parse(const char *text, struct pexcz_arena *arena, struct pexcz_pex_info *ret)
{
    *ret = (struct pexcz_pex_info){0};
    err.msg[0] = '\0';
    return pexcz_pex_info_parse(pexcz_slice_str(text), "a.pex: PEX-INFO",
                                arena, ret, &err);
}

static void
test_defaults(void)
{
    struct pexcz_arena arena = {0};
    struct pexcz_pex_info info;

    CHECK_EQ(parse("{\"unknown\": [1, {}]}", &arena, &info), 0);
    CHECK(info.pex_hash == NULL && info.entry_point == NULL);
    CHECK(info.strip_pex_env && info.emit_warnings
          && info.venv_hermetic_scripts);
    CHECK(!info.ignore_errors && !info.venv && !info.includes_tools
          && !info.deps_are_wheel_files);
    CHECK_EQ(info.max_install_jobs, 1);
    CHECK_EQ(info.inherit_path, PEXCZ_INHERIT_FALSE);
    CHECK_EQ(info.venv_bin_path, PEXCZ_BIN_PATH_FALSE);
    CHECK_EQ(info.interpreter_selection_strategy, PEXCZ_SELECT_OLDEST);
    CHECK_EQ(info.requirements.count, 0);
    CHECK_EQ(info.pex_path.count, 0);
    pexcz_arena_done(&arena);
}

static void
test_all_fields(void)
{
    static const char text[]
        = "{\"pex_hash\": \"h\", \"code_hash\": \"c\", \"bootstrap_hash\": "
          "\"b\", \"distributions\": {\"z.whl\": \"1\", \"a.whl\": \"2\"}, "
          "\"requirements\": [\"z\", [\"a==1\", 0, null], \"z\"], "
          "\"excluded\": [\"e\"], \"overridden\": [\"o\"], "
          "\"interpreter_constraints\": [\">=3\"], "
          "\"interpreter_selection_strategy\": \"newest\", "
          "\"entry_point\": \"m:f\", \"script\": null, "
          "\"inject_python_args\": [\"-v\"], \"inject_args\": [\"x\", \"y\"], "
          "\"inject_env\": {\"K\": \"V\"}, \"bind_resource_paths\": {\"R\": "
          "\"p\"}, \"strip_pex_env\": false, \"inherit_path\": \"fallback\", "
          "\"pex_path\": \"p:q::\", \"ignore_errors\": true, "
          "\"emit_warnings\": false, \"venv\": true, \"venv_bin_path\": "
          "\"append\", \"venv_copies\": true, \"venv_hermetic_scripts\": "
          "false, \"deps_are_wheel_files\": true, \"max_install_jobs\": -1, "
          "\"pex_root\": \"~/r\", \"build_properties\": {\"pex_version\": "
          "\"2.1\", \"x\": 1}}";
    struct pexcz_arena arena = {0};
    struct pexcz_pex_info info;

    CHECK_EQ(parse(text, &arena, &info), 0);
    CHECK_STR(err.msg, "");
    CHECK_STR(info.pex_hash, "h");
    CHECK_STR(info.code_hash, "c");
    CHECK_STR(info.bootstrap_hash, "b");
    CHECK_EQ(info.distributions.count, 2);
    CHECK_STR(info.distributions.items[0].name, "z.whl");
    CHECK_STR(info.distributions.items[1].value, "2");
    CHECK_EQ(info.requirements.count, 2);
    CHECK_STR(info.requirements.items[1], "a==1");
    CHECK_STR(info.excluded.items[0], "e");
    CHECK_STR(info.overridden.items[0], "o");
    CHECK_STR(info.interpreter_constraints.items[0], ">=3");
    CHECK_EQ(info.interpreter_selection_strategy, PEXCZ_SELECT_NEWEST);
    CHECK_STR(info.entry_point, "m:f");
    CHECK(info.script == NULL);
    CHECK_STR(info.inject_python_args.items[0], "-v");
    CHECK_EQ(info.inject_args.count, 2);
    CHECK_STR(info.inject_env.items[0].name, "K");
    CHECK_STR(info.inject_env.items[0].value, "V");
    CHECK_STR(info.bind_resource_paths.items[0].value, "p");
    CHECK(!info.strip_pex_env && !info.emit_warnings && info.ignore_errors);
    CHECK_EQ(info.inherit_path, PEXCZ_INHERIT_FALLBACK);
    CHECK_EQ(info.pex_path.count, 2);
    CHECK_STR(info.pex_path.items[1], "q");
    CHECK(info.venv && info.includes_tools && info.venv_copies
          && !info.venv_hermetic_scripts && info.deps_are_wheel_files);
    CHECK_EQ(info.venv_bin_path, PEXCZ_BIN_PATH_APPEND);
    CHECK_EQ(info.max_install_jobs, -1);
    CHECK_STR(info.pex_root, "~/r");
    CHECK_STR(info.pex_version, "2.1");

    CHECK_EQ(parse("{\"pex_paths\": [\"a\"], \"pex_path\": \"b:c\"}", &arena,
                   &info),
             0);
    CHECK_EQ(info.pex_path.count, 1);
    CHECK_EQ(parse("{\"inherit_path\": true}", &arena, &info), 0);
    CHECK_EQ(info.inherit_path, PEXCZ_INHERIT_PREFER);
    pexcz_arena_done(&arena);
}

static void
test_bad(void)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"[]", "a.pex: PEX-INFO: must be an object, not a list"},
        {"{\"entry_point\": 3}",
         "a.pex: PEX-INFO: field \"entry_point\" must be a string, not an "
         "integer"},
        {"{\"requirements\": \"x\"}",
         "a.pex: PEX-INFO: field \"requirements\" must be a list of strings, "
         "not a string"},
        {"{\"requirements\": [{}]}",
         "a.pex: PEX-INFO: field \"requirements\" must be a list of strings, "
         "none of them, not an object"},
        {"{\"inject_args\": [true]}",
         "a.pex: PEX-INFO: field \"inject_args\" must be a list of strings, "
         "none of them, not a boolean"},
        {"{\"distributions\": []}",
         "a.pex: PEX-INFO: field \"distributions\" must be an object, not a "
         "list"},
        {"{\"inject_env\": {\"A\": 1.5}}",
         "a.pex: PEX-INFO: field \"inject_env\" must be an object of "
         "strings, none of them, not a number"},
        {"{\"venv\": \"yes\"}",
         "a.pex: PEX-INFO: field \"venv\" must be a boolean, not a string"},
        {"{\"inherit_path\": \"\\u001b[2J\"}",
         "a.pex: PEX-INFO: field \"inherit_path\" has the unknown value "
         "\"\\x1b[2J\""},
        {"{\"max_install_jobs\": -2}",
         "a.pex: PEX-INFO: field \"max_install_jobs\" is out of range"},
        {"{\"build_properties\": []}",
         "a.pex: PEX-INFO: field \"build_properties\" must be an object, not "
         "a list"},
    };
    static const char *const not_json[] = {"",
                                           "{",
                                           "nonsense",
                                           "{\"a\": 1, \"a\": 2}",
                                           "{} {}",
                                           "{\"a\": \"\xff\"}",
                                           "{\"a\": \"\\u0000\"}"};
    struct pexcz_arena arena = {0};
    struct pexcz_pex_info info;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK_EQ(parse(cases[i].text, &arena, &info), PEXCZ_E_CORRUPT);
        CHECK_STR(err.msg, cases[i].message);
    }
    for (size_t i = 0; i < sizeof(not_json) / sizeof(not_json[0]); i++) {
        CHECK_EQ(parse(not_json[i], &arena, &info), PEXCZ_E_CORRUPT);
        CHECK(strstr(err.msg, "a.pex: PEX-INFO: not valid JSON: ") == err.msg);
        CHECK(strchr(err.msg, '\n') == NULL);
    }
    pexcz_arena_done(&arena);
}

static void
test_deep(void)
{
    static char text[100001];
    struct pexcz_arena arena = {0};
    struct pexcz_pex_info info;

    memset(text, '[', sizeof(text) - 1);
    CHECK_EQ(parse(text, &arena, &info), PEXCZ_E_CORRUPT);
    CHECK(strstr(err.msg, "not valid JSON") != NULL);
    pexcz_arena_done(&arena);
}

int
main(void)
{
    test_defaults();
    test_all_fields();
    test_bad();
    test_deep();
    CHECK_DONE();
}
