/* SPDX-License-Identifier: Apache-2.0 */
#include "zip_reader.h"

#include <limits.h>
#define ZLIB_CONST
#include <zlib.h>

static int
bad_data(const struct pexcz_zip *zip, const struct pexcz_zip_member *m,
         const char *cause, struct pexcz_error *err)
{
    return pexcz_fail(err, PEXCZ_E_CORRUPT, 0, "%s: %s: %s",
                      pexcz_zip_name(zip), m->name, cause);
}

/* At most UINT_MAX bytes at a time: zlib counts in unsigned int. */
static unsigned
chunk(uint64_t left)
{
    return left > UINT_MAX ? UINT_MAX : (unsigned)left;
}

/*
 * Unpacks `packed` into exactly m->size bytes at `out`.  The output never
 * grows beyond that, whatever the stream holds.
 */
static int
inflate_member(const struct pexcz_zip *zip, const struct pexcz_zip_member *m,
               struct pexcz_slice packed, uint8_t *out,
               struct pexcz_error *err)
{
    z_stream z = {0};
    uint8_t sink;
    uint64_t in_left = packed.len;
    uint64_t out_left = m->size;
    int status;
    int rc = PEXCZ_OK;

    if (inflateInit2(&z, -MAX_WBITS) != Z_OK) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "%s: %s: out of memory",
                          pexcz_zip_name(zip), m->name);
    }
    z.next_in = packed.ptr;
    z.next_out = m->size == 0 ? &sink : out;
    do {
        unsigned in_now = chunk(in_left);
        unsigned out_now = chunk(out_left);

        z.avail_in = in_now;
        z.avail_out = out_now;
        if (out_now == 0) {
            /* Only the end of the stream may follow: one byte too many
             * shows itself. */
            z.next_out = &sink;
            z.avail_out = 1;
        }
        status = inflate(&z, Z_NO_FLUSH);
        in_left -= in_now - z.avail_in;
        if (out_now == 0) {
            if (z.avail_out == 0) {
                rc = bad_data(zip, m, "unpacks to more than its stated size",
                              err);
                goto out;
            }
        }
        else {
            out_left -= out_now - z.avail_out;
        }
    } while (status == Z_OK);
    if (status == Z_MEM_ERROR) {
        rc = pexcz_fail(err, PEXCZ_E_NOMEM, 0, "%s: %s: out of memory",
                        pexcz_zip_name(zip), m->name);
    }
    else if (status != Z_STREAM_END) {
        rc = bad_data(zip, m,
                      status == Z_BUF_ERROR ? "compressed data are cut short"
                                            : "compressed data are damaged",
                      err);
    }
    else if (out_left != 0) {
        rc = bad_data(zip, m, "unpacks to less than its stated size", err);
    }
    else if (in_left != 0) {
        rc = bad_data(zip, m, "bytes follow its compressed data", err);
    }

out:
    (void)inflateEnd(&z);
    return rc;
}

int
pexcz_zip_read(const struct pexcz_zip *zip, const struct pexcz_zip_member *m,
               struct pexcz_buf *scratch, struct pexcz_slice *ret,
               struct pexcz_error *err)
{
    struct pexcz_slice bytes = pexcz_zip_packed(zip, m);

    if (m->is_dir) {
        *ret = pexcz_slice_make(NULL, 0);
        return PEXCZ_OK;
    }
    if (m->is_deflated) {
        uint8_t *out;
        int rc;

        if (m->size > SIZE_MAX
            || pexcz_buf_reserve(scratch, (size_t)m->size, err) < 0) {
            return pexcz_fail(err, PEXCZ_E_NOMEM, 0,
                              "%s: %s: out of memory (%llu bytes wanted)",
                              pexcz_zip_name(zip), m->name,
                              (unsigned long long)m->size);
        }
        out = scratch->ptr + scratch->len;
        rc = inflate_member(zip, m, bytes, out, err);
        if (rc < 0) {
            return rc;
        }
        bytes = pexcz_slice_make(out, (size_t)m->size);
    }
    if (crc32_z(0, bytes.ptr, bytes.len) != m->crc) {
        return bad_data(zip, m, "CRC error", err);
    }
    if (m->is_deflated) {
        scratch->len += bytes.len;
    }
    *ret = bytes;
    return PEXCZ_OK;
}
