/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the bytes of a file of the plan come from.
 *
 * Cheap to copy.  The archive and the literal belong to the pexcz_pex or
 * pexcz_plan that handed the content out and must outlive it.
 */
#ifndef PEXCZ_CONTENT_H
#define PEXCZ_CONTENT_H

#include "zip_reader.h"

struct pexcz_content {
    const struct pexcz_zip *zip;           /* NULL: literal */
    const struct pexcz_zip_member *member; /* of zip */
    struct pexcz_slice literal;
};

static inline struct pexcz_content
pexcz_content_literal(struct pexcz_slice bytes)
{
    return (struct pexcz_content){.literal = bytes};
}

static inline struct pexcz_content
pexcz_content_member(const struct pexcz_zip *zip,
                     const struct pexcz_zip_member *member)
{
    return (struct pexcz_content){.zip = zip, .member = member};
}

static inline uint64_t
pexcz_content_size(const struct pexcz_content *content)
{
    return content->zip != NULL ? content->member->size : content->literal.len;
}

/* As pexcz_zip_read(): borrowed, or at the end of `scratch`.  Any number of
 * threads, each with its own scratch. */
PEXCZ_MUST_USE static inline int
pexcz_content_read(const struct pexcz_content *content,
                   struct pexcz_buf *scratch, struct pexcz_slice *ret,
                   struct pexcz_error *err)
{
    if (content->zip != NULL) {
        return pexcz_zip_read(content->zip, content->member, scratch, ret,
                              err);
    }
    *ret = content->literal;
    return PEXCZ_OK;
}

#endif
