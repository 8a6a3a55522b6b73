/* SPDX-License-Identifier: Apache-2.0 */
#include "zip_end.h"

#include "zip_format.h"

#define MAX_COMMENT 65535u

/* One place where an end record may be, with what it says. */
struct candidate {
    uint64_t pos;
    uint64_t comment_end;
    struct pexcz_zip_end end;
};

static bool
get_record(struct pexcz_slice data, uint64_t off, void *ret, size_t size)
{
    struct pexcz_slice s;

    if (!pexcz_slice_sub(data, off, size, &s)) {
        return false;
    }
    memcpy(ret, s.ptr, size);
    return true;
}

/* The narrow value must be "see the wide one" or agree with it. */
static bool
agrees(uint64_t narrow, uint64_t saturated, uint64_t wide)
{
    return narrow == saturated || narrow == wide;
}

/*
 * Reads the Zip64 records that end at `end_pos`.  False when there are none
 * or when they contradict themselves or the classic record.  On success
 * *ret_dir_end is where the directory must end.
 */
static bool
read_end64(struct pexcz_slice data, uint64_t end_pos,
           const struct pexcz_zip_end_f *end, struct pexcz_zip_end64_f *ret,
           uint64_t *ret_dir_end)
{
    struct pexcz_zip_locator64_f loc = {0};
    struct pexcz_zip_end64_f wide = {0};
    uint64_t loc_pos;
    uint64_t wide_pos;

    if (end_pos < sizeof(loc) + sizeof(wide)) {
        return false;
    }
    loc_pos = end_pos - sizeof(loc);
    wide_pos = loc_pos - sizeof(wide);
    if (!get_record(data, loc_pos, &loc, sizeof(loc))
        || pexcz_le32_get(loc.signature) != PEXCZ_ZIP_SIG_LOCATOR64
        || !get_record(data, wide_pos, &wide, sizeof(wide))
        || pexcz_le32_get(wide.signature) != PEXCZ_ZIP_SIG_END64) {
        return false;
    }
    if (pexcz_le64_get(wide.record_size) != sizeof(wide) - 12
        || pexcz_le32_get(loc.directory_disk) != 0
        || pexcz_le32_get(loc.disks) > 1 || pexcz_le32_get(wide.disk) != 0
        || pexcz_le32_get(wide.directory_disk) != 0
        || pexcz_le64_get(wide.disk_count) != pexcz_le64_get(wide.count)
        || !agrees(pexcz_le16_get(end->count), UINT16_MAX,
                   pexcz_le64_get(wide.count))
        || !agrees(pexcz_le32_get(end->directory_size), UINT32_MAX,
                   pexcz_le64_get(wide.directory_size))
        || !agrees(pexcz_le32_get(end->directory_offset), UINT32_MAX,
                   pexcz_le64_get(wide.directory_offset))) {
        return false;
    }
    /* The locator's offset must need the same bias as all the others. */
    if (pexcz_le64_get(wide.directory_size) > wide_pos
        || pexcz_le64_get(wide.directory_offset)
               > wide_pos - pexcz_le64_get(wide.directory_size)
        || pexcz_le64_get(loc.end_offset) > wide_pos
        || wide_pos - pexcz_le64_get(loc.end_offset)
               != wide_pos - pexcz_le64_get(wide.directory_size)
                      - pexcz_le64_get(wide.directory_offset)) {
        return false;
    }
    *ret = wide;
    *ret_dir_end = wide_pos;
    return true;
}

/* True when the bytes at `pos` are an end record whose directory is there. */
static bool
read_candidate(struct pexcz_slice data, uint64_t pos, struct candidate *ret)
{
    struct pexcz_zip_end_f end = {0};
    struct pexcz_zip_end64_f wide = {0};
    uint64_t dir_end = pos;
    uint64_t size;
    uint64_t offset;
    uint64_t count;
    struct pexcz_slice dir;

    if (!get_record(data, pos, &end, sizeof(end))
        || pexcz_le32_get(end.signature) != PEXCZ_ZIP_SIG_END
        || pexcz_le16_get(end.disk) != 0
        || pexcz_le16_get(end.directory_disk) != 0
        || pexcz_le16_get(end.disk_count) != pexcz_le16_get(end.count)) {
        return false;
    }
    ret->pos = pos;
    ret->comment_end = pos + sizeof(end) + pexcz_le16_get(end.comment_size);
    if (ret->comment_end > data.len) {
        return false;
    }
    if (read_end64(data, pos, &end, &wide, &dir_end)) {
        size = pexcz_le64_get(wide.directory_size);
        offset = pexcz_le64_get(wide.directory_offset);
        count = pexcz_le64_get(wide.count);
    }
    else {
        size = pexcz_le32_get(end.directory_size);
        offset = pexcz_le32_get(end.directory_offset);
        count = pexcz_le16_get(end.count);
    }
    if (size > dir_end || offset > dir_end - size
        || !pexcz_slice_sub(data, dir_end - size, size, &dir)) {
        return false;
    }
    if (size == 0) {
        if (count != 0) {
            return false;
        }
    }
    else {
        pexcz_le32 signature;

        if (size < sizeof(struct pexcz_zip_central_f)) {
            return false;
        }
        memcpy(&signature, dir.ptr, sizeof(signature));
        if (pexcz_le32_get(signature) != PEXCZ_ZIP_SIG_CENTRAL) {
            return false;
        }
    }
    ret->end.bias = dir_end - size - offset;
    ret->end.directory_offset = dir_end - size;
    ret->end.directory = dir;
    ret->end.count = count;
    return true;
}

int
pexcz_zip_end_find(struct pexcz_slice data, const char *name,
                   struct pexcz_zip_end *ret, struct pexcz_error *err)
{
    const uint64_t record = sizeof(struct pexcz_zip_end_f);
    struct candidate best = {0};
    bool found = false;
    bool signature_seen = false;
    uint64_t last = 0; /* signature, in a good record or not */
    uint64_t pos;
    uint64_t stop;

    if (data.len < record) {
        return pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                          "%s: not a zip file (%zu bytes)", name, data.len);
    }
    pos = data.len - record;
    stop = pos > MAX_COMMENT ? pos - MAX_COMMENT : 0;
    for (;; pos--) {
        struct candidate c;

        if (data.ptr[pos] == 'P' && data.ptr[pos + 1] == 'K'
            && data.ptr[pos + 2] == 5 && data.ptr[pos + 3] == 6) {
            if (!signature_seen) {
                signature_seen = true;
                last = pos;
            }
            if (read_candidate(data, pos, &c)) {
                if (!found && pos == last) {
                    best = c;
                    found = true;
                }
                else if (!found) {
                    /* Others read the last one, or what it points to. */
                    return pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                                      "%s: two zip end records: the one at "
                                      "offset %llu is damaged, not the one at "
                                      "%llu",
                                      name, (unsigned long long)last,
                                      (unsigned long long)pos);
                }
                else if (c.comment_end > best.pos) {
                    return pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                                      "%s: two zip end records claim the same "
                                      "bytes (offsets %llu and %llu)",
                                      name, (unsigned long long)c.pos,
                                      (unsigned long long)best.pos);
                }
            }
        }
        if (pos == stop) {
            break;
        }
    }
    if (found) {
        *ret = best.end;
        return PEXCZ_OK;
    }
    if (signature_seen) {
        return pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                          "%s: damaged zip file: its end record points to no "
                          "central directory",
                          name);
    }
    if (data.len >= 4
        && (memcmp(data.ptr, "PK\3\4", 4) == 0
            || memcmp(data.ptr, "#!", 2) == 0)) {
        return pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                          "%s: not a zip file, or one that was cut short: no "
                          "end record in its last 64 KiB",
                          name);
    }
    return pexcz_fail(err, PEXCZ_E_CORRUPT, 0, "%s: not a zip file", name);
}
