/* SPDX-License-Identifier: Apache-2.0 */
/* packer/check_base: what is no base for this program. */
#include "check_base.h"
#include "packed_build.h"
#include "pexcz_version.h"

static const struct packed_item stdlib[] = {
    {"lib/python3.11/os.py", PEXCZ_KIND_FILE, 0644, "import sys\n", "code"},
    {NULL, PEXCZ_KIND_FILE, 0, NULL, NULL},
};

/* A base whose option is `option`, NULL for none; what check says. */
static const char *
check(const char *option)
{
    static struct pexcz_error err;
    struct pexcz_base_facts facts;
    const struct packed_setting settings[] = {
        {PEXCZ_BOOT_OPTION, option},
        {PEXCZ_BOOT_OPTION, NULL},
    };

    packed_write_base("base");
    packed_add("base", PEXCZ_ADDR_STDLIB, PACKED_MAGIC, stdlib, settings);
    return pexcz_check_base("base", NULL, &facts, &err) == 0 ? "" : err.msg;
}

int
main(void)
{
    char folder[] = "/tmp/pexcz-test-XXXXXX";
    struct pexcz_base_facts facts;
    struct pexcz_error err;

    packed_enter_folder(folder);
    CHECK_STR(check("pexcz=" PEXCZ_VERSION), "");
    CHECK_STR(
        check("pexcz=0.0.9\x1b"),
        "base: a base of pexcz 0.0.9\\x1b; this is pexcz " PEXCZ_VERSION);
    CHECK_STR(check("other=1"),
              "base: cannot be used as a base: it does not say which pexcz "
              "made it");
    CHECK_STR(check(NULL),
              "base: cannot be used as a base: it does not say which pexcz "
              "made it");
    packed_add("base", PEXCZ_ADDR_APP, PACKED_MAGIC, stdlib, NULL);
    CHECK_EQ(pexcz_check_base("base", NULL, &facts, &err),
             PEXCZ_E_UNSUPPORTED);
    CHECK_STR(err.msg,
              "base: cannot be used as a base: it has been packed already");
    CHECK_EQ(unlink("base"), 0);
    CHECK_EQ(pexcz_check_base("base", NULL, &facts, &err), PEXCZ_E_IO);
    CHECK_EQ(rmdir(folder), 0);
    CHECK_DONE();
}
