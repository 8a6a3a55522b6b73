/* SPDX-License-Identifier: Apache-2.0 */
#include "platform.h"

#include "check.h"
#include "elf_file.h"

static struct pexcz_error err;

/* "MACHINE GLIBC PYTHON" with "-" for what is not said; "refused". */
static const char *
parse(const char *text)
{
    static char shown[64];
    struct pexcz_platform p;

    if (pexcz_platform_parse(text, &p, &err) < 0) {
        CHECK_EQ(err.code, PEXCZ_E_USAGE);
        return "refused";
    }
    (void)snprintf(shown, sizeof(shown), "%s %s %s", p.machine,
                   p.glibc[0] != '\0' ? p.glibc : "-",
                   p.python[0] != '\0' ? p.python : "-");
    return shown;
}

static void
test_spellings(void)
{
    CHECK_STR(parse("aarch64"), "aarch64 - -");
    CHECK_STR(parse("x86_64"), "x86_64 - -");
    CHECK_STR(parse("Linux_AArch64"), "aarch64 - -");
    CHECK_STR(parse("linux-aarch64"), "aarch64 - -");
    CHECK_STR(parse("manylinux2014_aarch64"), "aarch64 2.17 -");
    CHECK_STR(parse("manylinux2010_x86_64"), "x86_64 2.12 -");
    CHECK_STR(parse("manylinux1_x86_64"), "x86_64 2.5 -");
    CHECK_STR(parse("manylinux_2_28_aarch64"), "aarch64 2.28 -");
    CHECK_STR(parse("linux_aarch64-cp-311-cp311"), "aarch64 - 3.11");
    CHECK_STR(parse("linux-x86_64-cp-313-cp313"), "x86_64 - 3.13");
    CHECK_STR(parse("linux_aarch64-cp-3.11-cp311"), "aarch64 - 3.11");
    CHECK_STR(parse("manylinux_2_17_aarch64-cp-3.11.2-cp311"),
              "aarch64 2.17 3.11");
    CHECK(strstr(parse("current"),
                 pexcz_elf_machine_name(pexcz_elf_own_machine()))
          != NULL);
}

static void
test_refused(void)
{
    static const char *const texts[] = {
        "",
        "linux",
        "linux_",
        "win_amd64",
        "macosx_11_0_arm64",
        "linux_riscv64",
        "musllinux_1_1_aarch64",
        "manylinux_2_aarch64",
        "manylinux_2_28",
        "manylinux3_aarch64",
        "unknown",
        "aarch64-",
        "aarch64 ",
        "linux_aarch64-pp-39-pypy39_pp73",
        "linux_aarch64-cp-311-cp310",
        "linux_aarch64-cp-311-abi3",
        "linux_aarch64-cp-3-cp3",
        "linux_aarch64-cp-3.11.x-cp311",
        "linux_aarch64-cp--cp311",
        "linux_aarch64-cp-+3.11-cp311",
        "-cp-311-cp311",
        "----",
    };
    char longest[400];

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        CHECK_STR(parse(texts[i]), "refused");
    }
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    CHECK_STR(parse(longest), "refused");
    CHECK_STR(parse("a\x1b[31m"), "refused");
    CHECK(strchr(err.msg, '\x1b') == NULL);
}

int
main(void)
{
    test_spellings();
    test_refused();
    CHECK_DONE();
}
