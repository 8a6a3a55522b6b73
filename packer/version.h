/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PEP 440 versions.
 *
 * A parsed version borrows from the text it was parsed from.  Numbers are kept
 * as digits without leading zeros (an empty slice is 0), so they may be of any
 * length and nothing overflows.
 */
#ifndef PEXCZ_VERSION_H
#define PEXCZ_VERSION_H

#include "slice.h"

enum pexcz_pre_kind {
    PEXCZ_PRE_NONE,
    PEXCZ_PRE_ALPHA,
    PEXCZ_PRE_BETA,
    PEXCZ_PRE_CANDIDATE,
};

struct pexcz_version {
    struct pexcz_slice epoch;
    struct pexcz_slice release; /* "1.02.3", as written */
    enum pexcz_pre_kind pre_kind;
    struct pexcz_slice pre;
    bool has_post;
    struct pexcz_slice post;
    bool has_dev;
    struct pexcz_slice dev;
    struct pexcz_slice local; /* as written, without "+"; empty: none */
};

/* The whole of `text`, white space around it aside.  False if malformed. */
bool pexcz_version_parse(struct pexcz_slice text, struct pexcz_version *ret);

/* The longest version that `text` begins with, without white space and, unless
 * allow_local, without local label; returns its length, 0 if there is none. */
size_t pexcz_version_parse_prefix(struct pexcz_slice text, bool allow_local,
                                  struct pexcz_version *ret);

/* <0, 0, >0: the order of PEP 440. */
int pexcz_version_cmp(const struct pexcz_version *a,
                      const struct pexcz_version *b);

/* The same without local labels. */
int pexcz_version_cmp_public(const struct pexcz_version *a,
                             const struct pexcz_version *b);

/* Epoch and release alone, trailing zeros aside. */
int pexcz_version_cmp_release(const struct pexcz_version *a,
                              const struct pexcz_version *b);

/* Numbers in the release. */
size_t pexcz_version_release_count(const struct pexcz_version *v);

/* Whether v's epoch and first `count` release numbers (0 where v has fewer)
 * are those of `prefix`. */
bool pexcz_version_has_prefix(const struct pexcz_version *v,
                              const struct pexcz_version *prefix,
                              size_t count);

/* The next part of a dotted release (or, with separators ".-_", of a local
 * label).  False at the end; *rest moves on. */
bool pexcz_version_next_part(struct pexcz_slice *rest,
                             struct pexcz_slice *ret);

#endif
