/* SPDX-License-Identifier: Apache-2.0 */
#include "utf8.h"
#include "zip_end.h"
#include "zip_format.h"
#include "zip_internal.h"

#include <stdlib.h>
#include <sys/stat.h>

/* A directory entry while it is being checked. */
struct raw_member {
    struct pexcz_slice name; /* as recorded */
    uint16_t flags;
    uint16_t method;
    uint32_t crc;
    uint64_t size;
    uint64_t packed_size;
    uint64_t header; /* of the local header, from the start of the input */
};

struct span {
    uint64_t start;
    uint64_t end;
    const struct pexcz_zip_member *member;
};

static int
corrupt(const struct pexcz_zip *zip, struct pexcz_slice member,
        const char *cause, struct pexcz_error *err)
{
    char shown[256];

    pexcz_utf8_escape(member, shown, sizeof(shown));
    return pexcz_fail(err, PEXCZ_E_CORRUPT, 0, "%s: %s: %s", zip->name, shown,
                      cause);
}

static int
too_big(const struct pexcz_zip *zip, const char *member, const char *what,
        uint64_t value, uint64_t limit, struct pexcz_error *err)
{
    return pexcz_fail(err, PEXCZ_E_TOO_BIG, 0,
                      "%s: %s: %s of %llu is over the limit of %llu",
                      zip->name, member, what, (unsigned long long)value,
                      (unsigned long long)limit);
}

/* NULL when the name is acceptable, else what is wrong with it. */
static const char *
name_defect(struct pexcz_slice name, uint16_t flags)
{
    size_t part = 0;
    bool ascii = true;

    if (name.len == 0) {
        return "empty member name";
    }
    if (name.len > PEXCZ_ZIP_MAX_NAME) {
        return "member name is too long";
    }
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == 0) {
            return "member name holds a NUL byte";
        }
        if (name.ptr[i] == '\\') {
            return "member name holds a backslash";
        }
        if (name.ptr[i] < 0x20 || name.ptr[i] == 0x7f) {
            return "member name holds a control character";
        }
        ascii = ascii && name.ptr[i] < 0x80;
    }
    if (!pexcz_utf8_valid(name)) {
        return "member name is not UTF-8";
    }
    if (!ascii && (flags & PEXCZ_ZIP_FLAG_UTF8) == 0) {
        return "member name is neither ASCII nor marked as UTF-8";
    }
    if (name.ptr[0] == '/') {
        return "member name is an absolute path";
    }
    for (size_t i = 0; i <= name.len; i++) {
        if (i < name.len && name.ptr[i] != '/') {
            continue;
        }
        if (i == name.len && part == i) {
            break; /* the trailing slash of a directory */
        }
        if (i == part) {
            return "member name has an empty part";
        }
        if (i - part == 1 && name.ptr[part] == '.') {
            return "member name has a '.' part";
        }
        if (i - part == 2 && memcmp(name.ptr + part, "..", 2) == 0) {
            return "member name has a '..' part";
        }
        if (i - part > PEXCZ_ZIP_MAX_PART) {
            return "member name has a part that is too long";
        }
        part = i + 1;
    }
    return NULL;
}

/*
 * Takes the Zip64 values that replace saturated 32-bit ones.  `offset` is NULL
 * for a local header, which has none.
 */
static bool
apply_zip64(struct pexcz_slice extra, uint64_t *size, uint64_t *packed,
            uint64_t *offset)
{
    uint64_t *wide[3] = {size, packed, offset};
    struct pexcz_zip_extra_f head = {0};
    struct pexcz_slice field;
    size_t pos = 0;
    uint64_t at = 0;
    bool wanted = false;

    for (size_t i = 0; i < 3; i++) {
        wanted = wanted || (wide[i] != NULL && *wide[i] == UINT32_MAX);
    }
    if (!wanted) {
        return true;
    }
    for (;;) {
        if (!pexcz_slice_sub(extra, pos, sizeof(head), &field)) {
            /* A size of exactly 4 GiB - 1 without Zip64: taken as it is. */
            return true;
        }
        memcpy(&head, field.ptr, sizeof(head));
        if (!pexcz_slice_sub(extra, pos + sizeof(head),
                             pexcz_le16_get(head.size), &field)) {
            return false;
        }
        if (pexcz_le16_get(head.id) == PEXCZ_ZIP_EXTRA_ZIP64) {
            break;
        }
        pos += sizeof(head) + pexcz_le16_get(head.size);
    }
    for (size_t i = 0; i < 3; i++) {
        struct pexcz_slice s;
        pexcz_le64 v;

        if (wide[i] == NULL || *wide[i] != UINT32_MAX) {
            continue;
        }
        if (!pexcz_slice_sub(field, at, sizeof(v), &s)) {
            return false;
        }
        memcpy(&v, s.ptr, sizeof(v));
        *wide[i] = pexcz_le64_get(v);
        at += sizeof(v);
    }
    return true;
}

/* Seconds since 1970 of a DOS time taken as UTC. */
static int64_t
dos_time(uint16_t date, uint16_t time)
{
    static const int64_t epoch_1980 = 315532800;
    static const int days_before[12]
        = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int64_t year = date >> 9; /* since 1980 */
    int month = date >> 5 & 15;
    int day = date & 31;
    int hour = time >> 11;
    int min = time >> 5 & 63;
    int sec = (time & 31) * 2;
    int64_t days;
    bool leap;

    if (month < 1 || month > 12 || day < 1 || hour > 23 || min > 59
        || sec > 59) {
        return epoch_1980;
    }
    /* 2100, the one exception to the rule of four, is year 120. */
    leap = year % 4 == 0 && year != 120;
    days = year * 365 + (year + 3) / 4 - (year > 120 ? 1 : 0)
           + days_before[month - 1] + (leap && month > 2 ? 1 : 0) + day - 1;
    return epoch_1980 + days * 86400 + hour * 3600 + min * 60 + sec;
}

/* Unix file type and permissions, 0 when not recorded. */
static uint32_t
unix_mode(const struct pexcz_zip_central_f *entry)
{
    unsigned host = pexcz_le16_get(entry->made_by) >> 8;

    if (host != PEXCZ_ZIP_HOST_UNIX && host != PEXCZ_ZIP_HOST_DARWIN) {
        return 0;
    }
    return pexcz_le32_get(entry->external_attr) >> 16;
}

/* Compares the local header with the directory; finds the packed bytes. */
static int
check_local(const struct pexcz_zip *zip, const struct raw_member *raw,
            uint64_t directory_offset, struct pexcz_zip_member *m,
            struct pexcz_error *err)
{
    struct pexcz_zip_local_f local = {0};
    struct pexcz_slice s;
    struct pexcz_slice name;
    struct pexcz_slice extra;
    uint64_t size;
    uint64_t packed;
    uint64_t at;

    if (!pexcz_slice_sub(zip->data, raw->header, sizeof(local), &s)) {
        return corrupt(zip, raw->name,
                       "central directory points outside the file", err);
    }
    memcpy(&local, s.ptr, sizeof(local));
    if (pexcz_le32_get(local.signature) != PEXCZ_ZIP_SIG_LOCAL) {
        return corrupt(zip, raw->name, "central directory points to no member",
                       err);
    }
    at = raw->header + sizeof(local);
    if (!pexcz_slice_sub(zip->data, at, pexcz_le16_get(local.name_size), &name)
        || !pexcz_slice_sub(zip->data, at + pexcz_le16_get(local.name_size),
                            pexcz_le16_get(local.extra_size), &extra)) {
        return corrupt(zip, raw->name, "local header is cut short", err);
    }
    at += (uint64_t)pexcz_le16_get(local.name_size)
          + pexcz_le16_get(local.extra_size);
    if (!pexcz_slice_eq(name, raw->name)) {
        return corrupt(zip, raw->name,
                       "local header has another name than the directory",
                       err);
    }
    size = pexcz_le32_get(local.size);
    packed = pexcz_le32_get(local.packed_size);
    if (!apply_zip64(extra, &size, &packed, NULL)) {
        return corrupt(zip, raw->name, "bad Zip64 field in local header", err);
    }
    if (pexcz_le16_get(local.method) != raw->method
        || ((pexcz_le16_get(local.flags) ^ raw->flags)
            & (PEXCZ_ZIP_FLAG_ENCRYPTED | PEXCZ_ZIP_FLAG_DESCRIPTOR
               | PEXCZ_ZIP_FLAG_STRONG))
               != 0) {
        return corrupt(zip, raw->name,
                       "local header and directory disagree on how it is "
                       "stored",
                       err);
    }
    if ((raw->flags & PEXCZ_ZIP_FLAG_DESCRIPTOR) != 0 && size == 0
        && packed == 0 && pexcz_le32_get(local.crc) == 0) {
        /* As the flag promises, they follow the data. */
    }
    else if (size != raw->size || packed != raw->packed_size
             || pexcz_le32_get(local.crc) != raw->crc) {
        return corrupt(zip, raw->name,
                       "local header and directory disagree on size or CRC",
                       err);
    }
    if (at > directory_offset || raw->packed_size > directory_offset - at) {
        return corrupt(zip, raw->name, "its data reach beyond the directory",
                       err);
    }
    m->offset = at;
    return PEXCZ_OK;
}

/* Limits and storage of one member. */
static int
check_storage(const struct pexcz_zip *zip, const struct raw_member *raw,
              uint32_t mode, struct pexcz_zip_member *m,
              struct pexcz_error *err)
{
    uint32_t type = mode & S_IFMT;

    if ((raw->flags
         & (PEXCZ_ZIP_FLAG_ENCRYPTED | PEXCZ_ZIP_FLAG_STRONG
            | PEXCZ_ZIP_FLAG_MASKED))
        != 0) {
        return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                          "%s: %s: member is encrypted", zip->name, m->name);
    }
    if ((raw->flags & PEXCZ_ZIP_FLAG_PATCH) != 0
        || (raw->method != PEXCZ_ZIP_METHOD_STORED
            && raw->method != PEXCZ_ZIP_METHOD_DEFLATED)) {
        return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                          "%s: %s: unknown compression method %u", zip->name,
                          m->name, (unsigned)raw->method);
    }
    if (type != 0 && type != S_IFREG && type != S_IFDIR) {
        return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                          "%s: %s: member is a %s", zip->name, m->name,
                          type == S_IFLNK ? "symbolic link" : "special file");
    }
    if (type != 0 && (type == S_IFDIR) != m->is_dir) {
        return corrupt(zip, raw->name,
                       "name and mode disagree on whether it is a directory",
                       err);
    }
    if (m->is_dir && raw->size != 0) {
        return corrupt(zip, raw->name, "directory with content", err);
    }
    if (raw->method == PEXCZ_ZIP_METHOD_STORED
        && raw->size != raw->packed_size) {
        return corrupt(zip, raw->name, "stored member with two sizes", err);
    }
    if (raw->size > PEXCZ_ZIP_MAX_MEMBER_SIZE) {
        return too_big(zip, m->name, "unpacked size", raw->size,
                       PEXCZ_ZIP_MAX_MEMBER_SIZE, err);
    }
    if (raw->size > PEXCZ_ZIP_RATIO_FLOOR
        && raw->size / PEXCZ_ZIP_MAX_RATIO > raw->packed_size) {
        return too_big(zip, m->name, "compression ratio",
                       raw->packed_size == 0 ? raw->size
                                             : raw->size / raw->packed_size,
                       PEXCZ_ZIP_MAX_RATIO, err);
    }
    return PEXCZ_OK;
}

/* Fixed part and name of the directory entry at *pos; moves *pos on. */
static int
next_central(const struct pexcz_zip *zip, const struct pexcz_zip_end *end,
             size_t *pos, struct pexcz_zip_central_f *entry,
             struct raw_member *raw, struct pexcz_error *err)
{
    struct pexcz_slice s;
    struct pexcz_slice extra;
    uint64_t at = *pos;

    if (!pexcz_slice_sub(end->directory, at, sizeof(*entry), &s)) {
        goto cut;
    }
    memcpy(entry, s.ptr, sizeof(*entry));
    if (pexcz_le32_get(entry->signature) != PEXCZ_ZIP_SIG_CENTRAL) {
        return pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                          "%s: central directory is damaged at offset %llu",
                          zip->name,
                          (unsigned long long)(end->directory_offset + at));
    }
    at += sizeof(*entry);
    if (!pexcz_slice_sub(end->directory, at, pexcz_le16_get(entry->name_size),
                         &raw->name)) {
        goto cut;
    }
    at += raw->name.len;
    if (!pexcz_slice_sub(end->directory, at, pexcz_le16_get(entry->extra_size),
                         &extra)) {
        goto cut;
    }
    at += extra.len;
    if (!pexcz_slice_sub(end->directory, at,
                         pexcz_le16_get(entry->comment_size), &s)) {
        goto cut;
    }
    at += s.len;
    raw->flags = pexcz_le16_get(entry->flags);
    raw->method = pexcz_le16_get(entry->method);
    raw->crc = pexcz_le32_get(entry->crc);
    raw->size = pexcz_le32_get(entry->size);
    raw->packed_size = pexcz_le32_get(entry->packed_size);
    raw->header = pexcz_le32_get(entry->offset);
    if (!apply_zip64(extra, &raw->size, &raw->packed_size, &raw->header)) {
        return corrupt(zip, raw->name, "bad Zip64 field in the directory",
                       err);
    }
    if (pexcz_le16_get(entry->disk) != 0
        || __builtin_add_overflow(raw->header, end->bias, &raw->header)) {
        return corrupt(zip, raw->name,
                       "central directory points outside the file", err);
    }
    *pos = (size_t)at;
    return PEXCZ_OK;

cut:
    return pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                      "%s: central directory is cut short", zip->name);
}

static int
compare_members(const void *a, const void *b)
{
    const struct pexcz_zip_member *x = a;
    const struct pexcz_zip_member *y = b;

    return strcmp(x->name, y->name);
}

static int
compare_spans(const void *a, const void *b)
{
    const struct span *x = a;
    const struct span *y = b;

    if (x->start != y->start) {
        return x->start < y->start ? -1 : 1;
    }
    return (x->end > y->end) - (x->end < y->end);
}

/* Reads the directory into zip->members, in its own order; spans[i] covers
 * header and data of member i. */
static int
read_directory(struct pexcz_zip *zip, const struct pexcz_zip_end *end,
               struct span *spans, struct pexcz_error *err)
{
    uint64_t total = 0;
    uint64_t packed_total = 0;
    char *names = zip->names;
    size_t pos = 0;

    for (size_t i = 0; i < zip->count; i++) {
        struct pexcz_zip_member *m = &zip->members[i];
        struct pexcz_zip_central_f entry = {0};
        struct raw_member raw = {0};
        const char *defect;
        int rc = next_central(zip, end, &pos, &entry, &raw, err);

        if (rc < 0) {
            return rc;
        }
        defect = name_defect(raw.name, raw.flags);
        if (defect != NULL) {
            return corrupt(zip, raw.name, defect, err);
        }
        m->is_dir = raw.name.ptr[raw.name.len - 1] == '/';
        m->name = names;
        m->name_len = (uint32_t)(raw.name.len - (m->is_dir ? 1 : 0));
        memcpy(names, raw.name.ptr, m->name_len);
        names[m->name_len] = '\0';
        names += m->name_len + 1;
        m->crc = raw.crc;
        m->size = raw.size;
        m->packed_size = raw.packed_size;
        m->is_deflated = raw.method == PEXCZ_ZIP_METHOD_DEFLATED;
        m->mode = (uint16_t)(unix_mode(&entry) & 07777);
        m->mtime
            = dos_time(pexcz_le16_get(entry.date), pexcz_le16_get(entry.time));
        rc = check_storage(zip, &raw, unix_mode(&entry), m, err);
        if (rc == PEXCZ_OK) {
            rc = check_local(zip, &raw, end->directory_offset, m, err);
        }
        if (rc < 0) {
            return rc;
        }
        total += m->size; /* at most MAX_MEMBERS * MAX_MEMBER_SIZE */
        packed_total += m->packed_size;
        if (total > PEXCZ_ZIP_MAX_TOTAL_SIZE) {
            return too_big(zip, m->name, "unpacked size of all members", total,
                           PEXCZ_ZIP_MAX_TOTAL_SIZE, err);
        }
        spans[i] = (struct span){raw.header, m->offset + m->packed_size, m};
    }
    if (pos != end->directory.len) {
        return pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                          "%s: central directory holds more than the %llu "
                          "members that the end record counts",
                          zip->name, (unsigned long long)end->count);
    }
    if (total > PEXCZ_ZIP_RATIO_FLOOR
        && total / PEXCZ_ZIP_MAX_RATIO > packed_total) {
        return too_big(zip, "all members", "compression ratio",
                       packed_total == 0 ? total : total / packed_total,
                       PEXCZ_ZIP_MAX_RATIO, err);
    }
    return PEXCZ_OK;
}

/* A file that is also the parent of another member. */
static int
check_parents(const struct pexcz_zip *zip, struct pexcz_error *err)
{
    const char *last = "";
    size_t last_len = 0;

    for (size_t i = 0; i < zip->count; i++) {
        const struct pexcz_zip_member *m = &zip->members[i];
        const char *slash = strrchr(m->name, '/');
        char parent[PEXCZ_ZIP_MAX_NAME + 1];
        size_t len = slash == NULL ? 0 : (size_t)(slash - m->name);

        /* Members of one directory mostly follow one another. */
        if (len == last_len && memcmp(last, m->name, len) == 0) {
            continue;
        }
        last = m->name;
        last_len = len;
        for (; len > 0;) {
            const struct pexcz_zip_member *found;
            const char *next;

            memcpy(parent, m->name, len);
            parent[len] = '\0';
            found = pexcz_zip_find(zip, parent);
            if (found != NULL && !found->is_dir) {
                return corrupt(zip, pexcz_slice_make(parent, len),
                               "one member is a file, another lies below it",
                               err);
            }
            next = memrchr(parent, '/', len);
            len = next == NULL ? 0 : (size_t)(next - parent);
        }
    }
    return PEXCZ_OK;
}

/* Sorts members by name; refuses overlaps and names that occur twice. */
static int
sort_members(struct pexcz_zip *zip, struct span *spans,
             struct pexcz_error *err)
{
    size_t kept = 0;

    qsort(spans, zip->count, sizeof(*spans), compare_spans);
    for (size_t i = 1; i < zip->count; i++) {
        if (spans[i].start < spans[i - 1].end) {
            return pexcz_fail(
                err, PEXCZ_E_CORRUPT, 0, "%s: %s: overlaps with member %s",
                zip->name, spans[i].member->name, spans[i - 1].member->name);
        }
    }
    qsort(zip->members, zip->count, sizeof(*zip->members), compare_members);
    for (size_t i = 0; i < zip->count; i++) {
        const struct pexcz_zip_member *m = &zip->members[i];

        if (kept != 0 && strcmp(zip->members[kept - 1].name, m->name) == 0) {
            if (!m->is_dir || !zip->members[kept - 1].is_dir) {
                return corrupt(zip, pexcz_slice_str(m->name),
                               "duplicate member", err);
            }
            continue;
        }
        zip->members[kept++] = *m;
    }
    zip->count = kept;
    return check_parents(zip, err);
}

int
pexcz_zip_index(struct pexcz_zip *zip, struct pexcz_error *err)
{
    struct pexcz_zip_end end;
    struct span *spans = NULL;
    int rc = pexcz_zip_end_find(zip->data, zip->name, &end, err);

    if (rc < 0) {
        return rc;
    }
    if (end.count > PEXCZ_ZIP_MAX_MEMBERS) {
        return too_big(zip, "central directory", "member count", end.count,
                       PEXCZ_ZIP_MAX_MEMBERS, err);
    }
    if (end.count > end.directory.len / sizeof(struct pexcz_zip_central_f)) {
        return pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                          "%s: central directory is too short for %llu "
                          "members",
                          zip->name, (unsigned long long)end.count);
    }
    zip->count = (size_t)end.count;
    zip->prefix_size = end.bias;
    zip->members = pexcz_alloc_array(zip->count, sizeof(*zip->members));
    /* Each name is at least 46 bytes apart from the next: room for NULs. */
    zip->names = malloc(end.directory.len + 1);
    spans = pexcz_alloc_array(zip->count, sizeof(*spans));
    if (zip->members == NULL || zip->names == NULL || spans == NULL) {
        rc = pexcz_fail(err, PEXCZ_E_NOMEM, 0, "%s: out of memory", zip->name);
        goto out;
    }
    rc = read_directory(zip, &end, spans, err);
    if (rc == PEXCZ_OK) {
        rc = sort_members(zip, spans, err);
    }
    if (rc == PEXCZ_OK && end.bias == 0 && zip->count != 0) {
        /* Offsets that count the prefix in: it ends at the first member. */
        zip->prefix_size = spans[0].start;
    }

out:
    free(spans);
    return rc;
}
