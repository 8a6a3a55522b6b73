/* SPDX-License-Identifier: Apache-2.0 */
#include "version.h"

static bool
is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool
is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static uint8_t
lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

static bool
is_separator(uint8_t c)
{
    return c == '.' || c == '-' || c == '_';
}

/* The byte at i, 0 beyond the end. */
static uint8_t
at(struct pexcz_slice s, size_t i)
{
    return i < s.len ? s.ptr[i] : 0;
}

/* Digits from i on without leading zeros; moves *i behind them. */
static struct pexcz_slice
take_number(struct pexcz_slice s, size_t *i)
{
    size_t start;

    while (at(s, *i) == '0') {
        (*i)++;
    }
    start = *i;
    while (is_digit(at(s, *i))) {
        (*i)++;
    }
    return pexcz_slice_make(s.ptr + start, *i - start);
}

/* Moves *i behind `word` if it is there, in any case. */
static bool
take_word(struct pexcz_slice s, size_t *i, const char *word)
{
    size_t n = strlen(word);

    if (*i > s.len || s.len - *i < n) {
        return false;
    }
    for (size_t k = 0; k < n; k++) {
        if (lower(s.ptr[*i + k]) != (uint8_t)word[k]) {
            return false;
        }
    }
    *i += n;
    return true;
}

static bool
take_any(struct pexcz_slice s, size_t *i, const char *const *words,
         size_t *ret_index)
{
    for (size_t k = 0; words[k] != NULL; k++) {
        if (take_word(s, i, words[k])) {
            *ret_index = k;
            return true;
        }
    }
    return false;
}

/* SEP? word SEP? digits*: a pre, post or dev part. */
static bool
take_part(struct pexcz_slice s, size_t *i, const char *const *words,
          size_t *ret_index, struct pexcz_slice *ret_number)
{
    size_t k = *i;

    if (is_separator(at(s, k))) {
        k++;
    }
    if (!take_any(s, &k, words, ret_index)) {
        return false;
    }
    if (is_separator(at(s, k))) {
        k++;
    }
    *ret_number = take_number(s, &k);
    *i = k;
    return true;
}

static void
take_pre(struct pexcz_slice s, size_t *i, struct pexcz_version *v)
{
    /* Longer words first, as in PEP 440's own expression. */
    static const char *const words[]
        = {"alpha", "a", "beta", "b", "preview", "pre", "c", "rc", NULL};
    static const enum pexcz_pre_kind kinds[]
        = {PEXCZ_PRE_ALPHA,     PEXCZ_PRE_ALPHA,     PEXCZ_PRE_BETA,
           PEXCZ_PRE_BETA,      PEXCZ_PRE_CANDIDATE, PEXCZ_PRE_CANDIDATE,
           PEXCZ_PRE_CANDIDATE, PEXCZ_PRE_CANDIDATE};
    size_t index;

    if (take_part(s, i, words, &index, &v->pre)) {
        v->pre_kind = kinds[index];
    }
}

static void
take_post(struct pexcz_slice s, size_t *i, struct pexcz_version *v)
{
    static const char *const words[] = {"post", "rev", "r", NULL};
    size_t index;

    if (at(s, *i) == '-' && is_digit(at(s, *i + 1))) {
        (*i)++;
        v->has_post = true;
        v->post = take_number(s, i);
        return;
    }
    v->has_post = take_part(s, i, words, &index, &v->post);
}

static bool
is_label(uint8_t c)
{
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z');
}

static void
take_local(struct pexcz_slice s, size_t *i, struct pexcz_version *v)
{
    size_t k = *i + 1;
    size_t start = k;

    if (at(s, *i) != '+' || !is_label(at(s, k))) {
        return;
    }
    for (;;) {
        while (is_label(at(s, k))) {
            k++;
        }
        if (!is_separator(at(s, k)) || !is_label(at(s, k + 1))) {
            break;
        }
        k++;
    }
    v->local = pexcz_slice_make(s.ptr + start, k - start);
    *i = k;
}

size_t
pexcz_version_parse_prefix(struct pexcz_slice s, bool allow_local,
                           struct pexcz_version *ret)
{
    static const char *const dev_words[] = {"dev", NULL};
    struct pexcz_version v = {0};
    size_t i = lower(at(s, 0)) == 'v' ? 1 : 0;
    size_t start = i;
    size_t index;
    struct pexcz_slice number;

    if (!is_digit(at(s, i))) {
        return 0;
    }
    number = take_number(s, &i);
    if (at(s, i) == '!' && is_digit(at(s, i + 1))) {
        v.epoch = number;
        i++;
        start = i;
        (void)take_number(s, &i);
    }
    while (at(s, i) == '.' && is_digit(at(s, i + 1))) {
        i++;
        (void)take_number(s, &i);
    }
    v.release = pexcz_slice_make(s.ptr + start, i - start);
    take_pre(s, &i, &v);
    take_post(s, &i, &v);
    v.has_dev = take_part(s, &i, dev_words, &index, &v.dev);
    if (allow_local) {
        take_local(s, &i, &v);
    }
    *ret = v;
    return i;
}

bool
pexcz_version_parse(struct pexcz_slice text, struct pexcz_version *ret)
{
    struct pexcz_version v;
    size_t n;

    while (text.len != 0 && is_space(text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    while (text.len != 0 && is_space(text.ptr[text.len - 1])) {
        text.len--;
    }
    n = pexcz_version_parse_prefix(text, true, &v);
    if (n == 0 || n != text.len) {
        return false;
    }
    *ret = v;
    return true;
}

bool
pexcz_version_next_part(struct pexcz_slice *rest, struct pexcz_slice *ret)
{
    size_t n = 0;

    if (rest->len == 0) {
        return false;
    }
    while (n < rest->len && !is_separator(rest->ptr[n])) {
        n++;
    }
    *ret = pexcz_slice_make(rest->ptr, n);
    n += n < rest->len ? 1 : 0;
    *rest = pexcz_slice_make(rest->ptr + n, rest->len - n);
    return true;
}

/* Decimal digits of any length. */
static int
cmp_numbers(struct pexcz_slice a, struct pexcz_slice b)
{
    while (a.len != 0 && a.ptr[0] == '0') {
        a = pexcz_slice_make(a.ptr + 1, a.len - 1);
    }
    while (b.len != 0 && b.ptr[0] == '0') {
        b = pexcz_slice_make(b.ptr + 1, b.len - 1);
    }
    if (a.len != b.len) {
        return a.len < b.len ? -1 : 1;
    }
    return pexcz_slice_cmp(a, b);
}

/* At most `limit` numbers; missing ones are 0. */
static int
cmp_releases(struct pexcz_slice a, struct pexcz_slice b, size_t limit)
{
    for (size_t i = 0; i < limit && (a.len != 0 || b.len != 0); i++) {
        struct pexcz_slice x = {0};
        struct pexcz_slice y = {0};
        int c;

        (void)pexcz_version_next_part(&a, &x);
        (void)pexcz_version_next_part(&b, &y);
        c = cmp_numbers(x, y);
        if (c != 0) {
            return c;
        }
    }
    return 0;
}

static int
cmp_bool(bool a, bool b)
{
    return (int)a - (int)b;
}

/* Where the version stands among those of its release: dev releases first,
 * then pre-releases, then all else. */
static int
pre_rank(const struct pexcz_version *v)
{
    if (v->pre_kind != PEXCZ_PRE_NONE) {
        return (int)v->pre_kind;
    }
    return !v->has_post && v->has_dev ? 0 : (int)PEXCZ_PRE_CANDIDATE + 1;
}

static bool
is_numeric(struct pexcz_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!is_digit(s.ptr[i])) {
            return false;
        }
    }
    return true;
}

static int
cmp_label(struct pexcz_slice a, struct pexcz_slice b)
{
    for (size_t i = 0; i < a.len && i < b.len; i++) {
        int c = (int)lower(a.ptr[i]) - (int)lower(b.ptr[i]);

        if (c != 0) {
            return c;
        }
    }
    return cmp_bool(a.len > b.len, b.len > a.len);
}

static int
cmp_locals(struct pexcz_slice a, struct pexcz_slice b)
{
    for (;;) {
        struct pexcz_slice x;
        struct pexcz_slice y;
        bool more_a = pexcz_version_next_part(&a, &x);
        bool more_b = pexcz_version_next_part(&b, &y);
        bool num_a;
        bool num_b;
        int c;

        if (!more_a || !more_b) {
            return cmp_bool(more_a, more_b);
        }
        num_a = is_numeric(x);
        num_b = is_numeric(y);
        if (num_a != num_b) {
            return num_a ? 1 : -1;
        }
        c = num_a ? cmp_numbers(x, y) : cmp_label(x, y);
        if (c != 0) {
            return c;
        }
    }
}

int
pexcz_version_cmp_release(const struct pexcz_version *a,
                          const struct pexcz_version *b)
{
    int c = cmp_numbers(a->epoch, b->epoch);

    return c != 0 ? c : cmp_releases(a->release, b->release, SIZE_MAX);
}

int
pexcz_version_cmp_public(const struct pexcz_version *a,
                         const struct pexcz_version *b)
{
    int c = pexcz_version_cmp_release(a, b);

    if (c == 0) {
        c = pre_rank(a) - pre_rank(b);
    }
    if (c == 0) {
        c = cmp_numbers(a->pre, b->pre);
    }
    if (c == 0) {
        c = cmp_bool(a->has_post, b->has_post);
    }
    if (c == 0) {
        c = cmp_numbers(a->post, b->post);
    }
    if (c == 0) {
        c = cmp_bool(b->has_dev, a->has_dev);
    }
    if (c == 0) {
        c = cmp_numbers(a->dev, b->dev);
    }
    return c;
}

int
pexcz_version_cmp(const struct pexcz_version *a, const struct pexcz_version *b)
{
    int c = pexcz_version_cmp_public(a, b);

    return c != 0 ? c : cmp_locals(a->local, b->local);
}

size_t
pexcz_version_release_count(const struct pexcz_version *v)
{
    struct pexcz_slice rest = v->release;
    struct pexcz_slice part;
    size_t n = 0;

    while (pexcz_version_next_part(&rest, &part)) {
        n++;
    }
    return n;
}

bool
pexcz_version_has_prefix(const struct pexcz_version *v,
                         const struct pexcz_version *prefix, size_t count)
{
    return cmp_numbers(v->epoch, prefix->epoch) == 0
           && cmp_releases(v->release, prefix->release, count) == 0;
}
