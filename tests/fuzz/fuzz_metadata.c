/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The texts of a wheel.  The first byte says which: METADATA, WHEEL,
 * entry_points.txt, RECORD, a requirement, a wheel's file name.
 */
#include "dist_metadata.h"
#include "fuzz.h"
#include "record.h"
#include "tags.h"

static void
must(bool condition)
{
    if (!condition) {
        __builtin_trap();
    }
}

/* They are written into generated scripts as they are. */
static void
check_scripts(const struct pexcz_dist_metadata *m)
{
    static const char forbidden[] = " \t\r\n'\"();:#\\/";

    for (size_t i = 0; i < m->script_count; i++) {
        const struct pexcz_script *s = &m->scripts[i];

        must(s->name[0] != '\0' && strchr(s->name, '/') == NULL);
        must(s->module[0] != '\0' && strpbrk(s->module, forbidden) == NULL);
        must(s->attr == NULL || strpbrk(s->attr, forbidden) == NULL);
    }
}

/* What was read and written is read as the same again. */
static void
check_record(struct pexcz_slice text, struct pexcz_arena *arena)
{
    struct pexcz_record first = {0};
    struct pexcz_record second = {0};
    struct pexcz_slice again;
    struct pexcz_error err;

    if (pexcz_record_parse(text, "fuzz", arena, &first, &err) < 0
        || pexcz_record_format(&first, arena, &again, &err) < 0) {
        return;
    }
    must(pexcz_record_parse(again, "fuzz", arena, &second, &err) == 0);
    must(first.count == second.count);
    for (size_t i = 0; i < first.count; i++) {
        must(strcmp(first.rows[i].path, second.rows[i].path) == 0);
        must(strcmp(first.rows[i].hash, second.rows[i].hash) == 0);
        must(strcmp(first.rows[i].size, second.rows[i].size) == 0);
    }
}

static void
parse(uint8_t which, struct pexcz_slice text, struct pexcz_arena *arena)
{
    struct pexcz_dist_metadata m = {0};
    struct pexcz_requirement requirement;
    struct pexcz_wheel_name name;
    struct pexcz_error err;
    char *copy;

    switch (which % 6) {
    case 0:
        must(pexcz_metadata_parse(text, "fuzz", arena, &m, &err) < 0
             || (m.name[0] != '\0' && m.version[0] != '\0'));
        break;
    case 1:
        (void)!pexcz_wheel_file_parse(text, "fuzz", &m, &err);
        break;
    case 2:
        if (pexcz_entry_points_parse(text, "fuzz", arena, &m, &err) == 0) {
            check_scripts(&m);
        }
        break;
    case 3:
        check_record(text, arena);
        break;
    case 4:
        (void)!pexcz_requirement_parse(text, arena, &requirement, &err);
        break;
    default:
        copy = pexcz_arena_dup(arena, text, &err);
        must(copy == NULL
             || pexcz_wheel_name_parse(copy, arena, &name, &err) < 0
             || name.tags.count != 0);
        break;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pexcz_arena arena = {0};

    if (size != 0) {
        parse(data[0], pexcz_slice_make(data + 1, size - 1), &arena);
    }
    pexcz_arena_done(&arena);
    return 0;
}
