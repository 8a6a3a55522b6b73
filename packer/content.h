/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the bytes of a file of the plan come from.
 *
 * Cheap to copy.  The archive, the literal and the path belong to the
 * pexcz_pex or pexcz_plan that handed the content out and must outlive it.
 */
#ifndef PEXCZ_CONTENT_H
#define PEXCZ_CONTENT_H

#include "folder.h"
#include "zip_reader.h"

struct pexcz_content {
    const struct pexcz_zip *zip;
    const struct pexcz_zip_member *member; /* of zip */
    const char *path;                      /* of a file on disk */
    uint64_t size;              /* of the file at path when it was listed */
    struct pexcz_slice literal; /* when there is neither zip nor path */
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

static inline struct pexcz_content
pexcz_content_file(const char *path, uint64_t size)
{
    return (struct pexcz_content){.path = path, .size = size};
}

static inline uint64_t
pexcz_content_size(const struct pexcz_content *content)
{
    if (content->zip != NULL) {
        return content->member->size;
    }
    return content->path != NULL ? content->size : content->literal.len;
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
    if (content->path != NULL) {
        return pexcz_folder_file_read(content->path, content->size, scratch,
                                      ret, err);
    }
    *ret = content->literal;
    return PEXCZ_OK;
}

#endif
