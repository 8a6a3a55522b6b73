/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve_report.h"

#include "utf8.h"

#include <stdarg.h>
#include <stdio.h>

/* Tags shown of one wheel. */
#define SHOWN_TAGS 3

/* Text that grows up to the size of an error message, then counts lines. */
struct report {
    char text[PEXCZ_ERROR_MSG_SIZE];
    size_t len;
    size_t dropped;
};

static void add_line(struct report *rep, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
add_line(struct report *rep, const char *fmt, ...)
{
    char line[700];
    va_list ap;
    size_t n;

    va_start(ap, fmt);
    (void)vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    n = strlen(line);
    /* Room for the line that says how many were dropped. */
    if (rep->dropped != 0 || rep->len + n + 64 > sizeof(rep->text)) {
        rep->dropped++;
        return;
    }
    if (rep->len != 0) {
        rep->text[rep->len++] = '\n';
    }
    memcpy(rep->text + rep->len, line, n + 1);
    rep->len += n;
}

static void
escape(const char *s, char *ret, size_t size)
{
    pexcz_utf8_escape(pexcz_slice_str(s), ret, size);
}

static void
add_candidate(struct report *rep, const struct pexcz_candidate *c)
{
    const struct pexcz_tags *tags = &c->dist->wheel.tags;
    char name[200];
    char detail[400];
    size_t at = 0;

    escape(c->dist->file_name, name, sizeof(name));
    if (c->fit == PEXCZ_FIT_OK || c->fit == PEXCZ_FIT_PATCH) {
        escape(c->dist->metadata.version, detail, 100);
        add_line(rep, "    %s: fits, but its version is %s", name, detail);
        return;
    }
    if (c->fit == PEXCZ_FIT_PYTHON) {
        escape(c->dist->metadata.requires_python_text, detail, 100);
        add_line(rep, "    %s: needs Python %s", name, detail);
        return;
    }
    for (size_t i = 0; i < tags->count && i < SHOWN_TAGS; i++) {
        char tag[120];
        int n;

        (void)snprintf(tag, sizeof(tag), "%s-%s-%s", tags->items[i].python,
                       tags->items[i].abi, tags->items[i].platform);
        n = snprintf(detail + at, sizeof(detail) - at, "%s%s",
                     i == 0 ? "" : ", ", tag);
        at += n > 0 ? (size_t)n : 0;
    }
    if (tags->count > SHOWN_TAGS) {
        (void)snprintf(detail + at, sizeof(detail) - at, " … %zu more",
                       tags->count - SHOWN_TAGS);
    }
    add_line(rep, "    %s: tagged %s", name, detail);
}

/* Whether any distribution of this project can be used at all. */
static bool
some_fit(const struct pexcz_pex *pex, const struct pexcz_candidate *candidates,
         const char *key, size_t *ret_count)
{
    bool fit = false;

    *ret_count = 0;
    for (size_t i = 0; i < pex->dist_count; i++) {
        if (strcmp(candidates[i].dist->metadata.key, key) == 0) {
            (*ret_count)++;
            fit = fit || candidates[i].fit == PEXCZ_FIT_OK
                  || candidates[i].fit == PEXCZ_FIT_PATCH;
        }
    }
    return fit;
}

static void
add_unresolved(struct report *rep, const struct pexcz_pex *pex,
               const struct pexcz_tags *supported,
               const struct pexcz_candidate *candidates,
               const struct pexcz_unresolved *u)
{
    const char *key = u->requirement->key;
    char req[200];
    char by[200] = "PEX-INFO";
    size_t count;
    bool fit = some_fit(pex, candidates, key, &count);

    escape(u->requirement->text, req, sizeof(req));
    if (u->required_by != NULL) {
        escape(u->required_by->file_name, by, sizeof(by));
    }
    add_line(rep, "  %s (required by %s)", req, by);
    if (count == 0) {
        add_line(rep, pex->dist_count == 0
                          ? "    the PEX has no distributions at all"
                          : "    the PEX has no distribution of that name");
        return;
    }
    if (!fit) {
        add_line(rep,
                 "    needed: a tag like %s-%s-%s or py3-none-any (%zu "
                 "are supported)",
                 supported->items[0].python, supported->items[0].abi,
                 supported->items[0].platform, supported->count);
    }
    for (size_t i = 0; i < pex->dist_count; i++) {
        if (strcmp(candidates[i].dist->metadata.key, key) == 0) {
            add_candidate(rep, &candidates[i]);
        }
    }
}

int
pexcz_resolve_report(const struct pexcz_pex *pex,
                     const struct pexcz_target *target,
                     const struct pexcz_tags *supported,
                     const struct pexcz_candidate *candidates,
                     const struct pexcz_unresolved *unresolved,
                     size_t unresolved_count, struct pexcz_error *err)
{
    struct report rep = {.len = 0};
    char first[200];

    escape(unresolved[0].requirement->text, first, sizeof(first));
    if (unresolved_count == 1) {
        add_line(&rep,
                 "%.400s: no distribution in it satisfies '%s' on CPython "
                 "%d.%d.%d, %.32s, glibc %d.%d",
                 pex->name, first, target->major, target->minor, target->micro,
                 target->arch, target->glibc_major, target->glibc_minor);
    }
    else {
        add_line(&rep,
                 "%.400s: no distributions in it satisfy '%s' and %zu other "
                 "requirements on CPython %d.%d.%d, %.32s, glibc %d.%d",
                 pex->name, first, unresolved_count - 1, target->major,
                 target->minor, target->micro, target->arch,
                 target->glibc_major, target->glibc_minor);
    }
    for (size_t i = 0; i < unresolved_count; i++) {
        add_unresolved(&rep, pex, supported, candidates, &unresolved[i]);
    }
    if (rep.dropped != 0) {
        (void)snprintf(rep.text + rep.len, sizeof(rep.text) - rep.len,
                       "\n  … %zu more lines", rep.dropped);
    }
    return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0, "%s", rep.text);
}

/* Cuts the implementation off; *ret_ours says whether the target is one. */
static struct pexcz_slice
cut_implementation(const char *text, bool *ret_ours)
{
    /* Longer names first. */
    static const struct {
        const char *name;
        bool ours;
    } names[] = {
        {"CPython[free-threaded]", false},
        {"CPython[gil]", true},
        {"CPython+t", false},
        {"CPython-t", true},
        {"CPython", true},
        {"PyPy", false},
    };

    *ret_ours = true;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t n = strlen(names[i].name);

        if (strncmp(text, names[i].name, n) == 0) {
            *ret_ours = names[i].ours;
            return pexcz_slice_str(text + n);
        }
    }
    return pexcz_slice_str(text);
}

int
pexcz_constraints_check(const struct pexcz_pex *pex,
                        const struct pexcz_target *target,
                        struct pexcz_arena *arena, const char **ret_patch,
                        struct pexcz_error *err)
{
    const struct pexcz_strings *all = &pex->info.interpreter_constraints;
    const char *patch = NULL;
    struct report rep = {.len = 0};
    char version[32];

    *ret_patch = NULL;
    if (all->count == 0) {
        return PEXCZ_OK;
    }
    (void)snprintf(version, sizeof(version), "%d.%d.%d", target->major,
                   target->minor, target->micro);
    add_line(&rep,
             "%.400s: its interpreter constraints do not admit CPython "
             "%s",
             pex->name, version);
    for (size_t i = 0; i < all->count; i++) {
        struct pexcz_specifiers set;
        char shown[120];
        bool ours;
        struct pexcz_slice text = cut_implementation(all->items[i], &ours);

        if (pexcz_specifiers_parse(text, arena, &set, err) < 0) {
            return pexcz_wrap(err, "%s: PEX-INFO: interpreter_constraints",
                              pex->name);
        }
        if (ours && pexcz_specifiers_contain(&set, pexcz_slice_str(version))) {
            return PEXCZ_OK;
        }
        if (ours && patch == NULL
            && pexcz_specifiers_admit_patch(&set, target->major,
                                            target->minor)) {
            patch = all->items[i];
        }
        escape(all->items[i], shown, sizeof(shown));
        add_line(&rep, "  %s", shown);
    }
    if (patch != NULL) {
        *ret_patch = patch;
        return PEXCZ_OK;
    }
    return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0, "%s", rep.text);
}
