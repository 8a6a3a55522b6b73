/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

/*
 * The next field of a CSV row, quotes undone into `field`.  *ret_more says
 * that a comma follows; else the row's end has been passed.
 */
static int
next_field(struct pexcz_slice *rest, struct pexcz_buf *field, bool *ret_more,
           struct pexcz_error *err)
{
    size_t i = 0;
    bool quoted = false;
    int rc = PEXCZ_OK;

    field->len = 0;
    *ret_more = false;
    for (; i < rest->len && rc == PEXCZ_OK; i++) {
        uint8_t c = rest->ptr[i];

        if (quoted) {
            if (c == '"' && i + 1 < rest->len && rest->ptr[i + 1] == '"') {
                i++;
            }
            else if (c == '"') {
                quoted = false;
                continue;
            }
        }
        else if (c == '"' && field->len == 0) {
            quoted = true;
            continue;
        }
        else if (c == ',') {
            *ret_more = true;
            i++;
            break;
        }
        else if (c == '\n') {
            i++;
            break;
        }
        else if (c == '\r') {
            continue;
        }
        rc = pexcz_buf_append(field, &c, 1, err);
    }
    *rest = pexcz_slice_make(rest->ptr + i, rest->len - i);
    return rc;
}

int
pexcz_record_add(struct pexcz_record *record, struct pexcz_arena *arena,
                 const char *path, const char *hash, const char *size,
                 struct pexcz_error *err)
{
    void *rows = record->rows;
    int rc = pexcz_arena_grow(arena, &rows, record->count, &record->cap,
                              sizeof(*record->rows), err);

    if (rc < 0) {
        return rc;
    }
    record->rows = rows;
    record->rows[record->count++]
        = (struct pexcz_record_row){path, hash, size};
    return PEXCZ_OK;
}

int
pexcz_record_parse(struct pexcz_slice text, const char *where,
                   struct pexcz_arena *arena, struct pexcz_record *ret,
                   struct pexcz_error *err)
{
    struct pexcz_record record = {0};
    struct pexcz_slice rest = text;
    struct pexcz_buf field = {0};
    struct pexcz_slice first = pexcz_slice_take(&rest, '\n');
    size_t line = 0;
    int rc = PEXCZ_OK;

    record.crlf = first.len != text.len && first.len != 0
                  && first.ptr[first.len - 1] == '\r';
    rest = text;
    while (rest.len != 0) {
        const char *fields[3] = {"", "", ""};
        size_t count = 0;
        bool more = true;

        line++;
        while (more) {
            rc = next_field(&rest, &field, &more, err);
            if (rc < 0) {
                goto out;
            }
            if (count < 3) {
                fields[count]
                    = pexcz_arena_dup(arena, pexcz_buf_slice(&field), err);
                if (fields[count] == NULL) {
                    rc = PEXCZ_E_NOMEM;
                    goto out;
                }
            }
            count++;
        }
        if (count == 1 && fields[0][0] == '\0') {
            continue; /* a blank line */
        }
        if (count != 3 || fields[0][0] == '\0') {
            rc = pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                            "%s: line %zu is not PATH,HASH,SIZE", where, line);
            goto out;
        }
        rc = pexcz_record_add(&record, arena, fields[0], fields[1], fields[2],
                              err);
        if (rc < 0) {
            goto out;
        }
    }
    *ret = record;

out:
    pexcz_buf_done(&field);
    return rc;
}

static int
format_field(struct pexcz_buf *buf, const char *text, struct pexcz_error *err)
{
    int rc;

    if (strpbrk(text, ",\"\r\n") == NULL) {
        return pexcz_buf_append_str(buf, text, err);
    }
    rc = pexcz_buf_append(buf, "\"", 1, err);
    for (; rc == PEXCZ_OK && *text != '\0'; text++) {
        if (*text == '"') {
            rc = pexcz_buf_append(buf, "\"", 1, err);
        }
        if (rc == PEXCZ_OK) {
            rc = pexcz_buf_append(buf, text, 1, err);
        }
    }
    return rc < 0 ? rc : pexcz_buf_append(buf, "\"", 1, err);
}

int
pexcz_record_format(const struct pexcz_record *record,
                    struct pexcz_arena *arena, struct pexcz_slice *ret,
                    struct pexcz_error *err)
{
    struct pexcz_buf buf = {0};
    char *copy;
    int rc = PEXCZ_OK;

    for (size_t i = 0; i < record->count; i++) {
        const struct pexcz_record_row *row = &record->rows[i];
        const char *const fields[3] = {row->path, row->hash, row->size};

        for (size_t k = 0; k < 3; k++) {
            rc = k == 0 ? PEXCZ_OK : pexcz_buf_append(&buf, ",", 1, err);
            if (rc == PEXCZ_OK) {
                rc = format_field(&buf, fields[k], err);
            }
            if (rc < 0) {
                goto out;
            }
        }
        rc = pexcz_buf_append_str(&buf, record->crlf ? "\r\n" : "\n", err);
        if (rc < 0) {
            goto out;
        }
    }
    copy = pexcz_arena_dup(arena, pexcz_buf_slice(&buf), err);
    if (copy == NULL) {
        rc = PEXCZ_E_NOMEM;
        goto out;
    }
    *ret = pexcz_slice_make(copy, buf.len);

out:
    pexcz_buf_done(&buf);
    return rc;
}
