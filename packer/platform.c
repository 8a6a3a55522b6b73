/* SPDX-License-Identifier: Apache-2.0 */
#include "platform.h"

#include "elf_file.h"
#include "utf8.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Of all spellings together. */
#define MAX_TEXT 100

static int
refuse(const char *text, struct pexcz_error *err)
{
    char shown[2 * MAX_TEXT];

    pexcz_utf8_escape(pexcz_slice_str(text), shown, sizeof(shown));
    return pexcz_fail(err, PEXCZ_E_USAGE, 0,
                      "--platform: '%s' is not one that pexcz packs for, such "
                      "as aarch64, x86_64, manylinux_2_28_aarch64 or "
                      "linux_aarch64-cp-311-cp311",
                      shown);
}

/* Cuts "-LAST" off; NULL when there is no dash. */
static char *
cut_last(char *text)
{
    char *dash = strrchr(text, '-');

    if (dash == NULL) {
        return NULL;
    }
    *dash = '\0';
    return dash + 1;
}

static size_t
count_dashes(const char *text)
{
    size_t n = 0;

    while ((text = strchr(text, '-')) != NULL) {
        text++;
        n++;
    }
    return n;
}

/* Pex's "311", "3.11" or "3.11.2", with the ABI of that CPython. */
static bool
read_python(const char *version, const char *abi, char ret[16])
{
    char wanted_abi[16];
    int major = 0;
    int minor = 0;
    int micro = 0;
    int end = 0;

    if (strchr(version, '.') == NULL) {
        if (sscanf(version, "%1d%2d%n", &major, &minor, &end) != 2) {
            return false;
        }
    }
    else if (sscanf(version, "%1d.%2d%n.%3d%n", &major, &minor, &end, &micro,
                    &end)
             < 2) {
        return false;
    }
    (void)snprintf(wanted_abi, sizeof(wanted_abi), "cp%d%d", major, minor);
    (void)snprintf(ret, 16, "%d.%d", major, minor);
    return isdigit((unsigned char)version[0]) && version[end] == '\0'
           && strcmp(abi, wanted_abi) == 0;
}

/* What is behind the name of the system in a platform tag: the machine. */
static const char *
skip_system(const char *tag, char ret_glibc[16])
{
    static const struct {
        const char *prefix;
        const char *glibc;
    } systems[] = {
        {"linux_", ""},
        {"manylinux1_", "2.5"},
        {"manylinux2010_", "2.12"},
        {"manylinux2014_", "2.17"},
    };
    int major;
    int minor;
    int end = 0;

    for (size_t i = 0; i < sizeof(systems) / sizeof(systems[0]); i++) {
        size_t n = strlen(systems[i].prefix);

        if (strncmp(tag, systems[i].prefix, n) == 0) {
            (void)strcpy(ret_glibc, systems[i].glibc);
            return tag + n;
        }
    }
    if (sscanf(tag, "manylinux_%2d_%3d_%n", &major, &minor, &end) == 2
        && end != 0) {
        (void)snprintf(ret_glibc, 16, "%d.%d", major, minor);
        return tag + end;
    }
    return tag;
}

int
pexcz_platform_parse(const char *text, struct pexcz_platform *ret,
                     struct pexcz_error *err)
{
    struct pexcz_platform platform = {0};
    char tag[MAX_TEXT];
    uint16_t machine;

    if (strlen(text) >= sizeof(tag)) {
        return refuse("…", err);
    }
    for (size_t i = 0; i <= strlen(text); i++) {
        tag[i] = (char)tolower((unsigned char)text[i]);
    }
    if (count_dashes(tag) >= 3) {
        const char *abi = cut_last(tag);
        const char *version = cut_last(tag);
        const char *implementation = cut_last(tag);

        if (strcmp(implementation, "cp") != 0
            || !read_python(version, abi, platform.python)) {
            return refuse(text, err);
        }
    }
    for (char *c = tag; *c != '\0'; c++) {
        *c = *c == '-' || *c == '.' ? '_' : *c;
    }
    machine = strcmp(tag, "current") == 0
                  ? pexcz_elf_own_machine()
                  : pexcz_elf_machine(skip_system(tag, platform.glibc));
    if (machine == EM_NONE) {
        return refuse(text, err);
    }
    platform.machine = pexcz_elf_machine_name(machine);
    *ret = platform;
    return PEXCZ_OK;
}
