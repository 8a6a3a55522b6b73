/* SPDX-License-Identifier: Apache-2.0 */
#include "marshal_refs.h"

#include "buf.h"

#include <stdlib.h>

/* MAX_MARSHAL_STACK_DEPTH of CPython on Unix. */
#define MAX_DEPTH 2000u
#define FLAG_REF 0x80u

/* A code object: 5 numbers, 8 objects, 1 number, 2 objects. */
#define CODE_HEAD_SIZE (5u * 4u)
#define CODE_OBJECTS 10u
#define CODE_OBJECTS_AFTER_LINE 2u

/* A container that is being read. */
struct frame {
    uint64_t left; /* objects still to come; of a dict: unused */
    uint8_t type;
    bool is_value; /* dict: the next object is a value */
};

struct scan {
    uint8_t *bytes;
    size_t size;
    size_t pos;
    struct frame stack[MAX_DEPTH];
    size_t depth;
    /* First pass: one item per flagged object, 1 when something refers to it.
     * Second pass: its new number. */
    uint32_t *refs;
    size_t ref_count;
    size_t ref_cap;
    bool rewrite;
    uint32_t next_ref;
    size_t seen; /* flagged objects of the second pass */
    struct pexcz_error *err;
};

static int
corrupt(struct scan *scan, const char *what)
{
    return pexcz_fail(scan->err, PEXCZ_E_CORRUPT, 0,
                      "marshalled code: %s at byte %zu", what, scan->pos);
}

static int
skip(struct scan *scan, uint64_t n)
{
    if (n > scan->size - scan->pos) {
        return corrupt(scan, "cut short");
    }
    scan->pos += (size_t)n;
    return PEXCZ_OK;
}

static int
read_u32(struct scan *scan, uint32_t *ret)
{
    const uint8_t *p = scan->bytes + scan->pos;

    if (skip(scan, 4) < 0) {
        return PEXCZ_E_CORRUPT;
    }
    *ret = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16
           | (uint32_t)p[3] << 24;
    return PEXCZ_OK;
}

/* A size, which CPython takes as a signed number. */
static int
read_size(struct scan *scan, bool is_short, uint32_t *ret)
{
    if (is_short) {
        if (skip(scan, 1) < 0) {
            return PEXCZ_E_CORRUPT;
        }
        *ret = scan->bytes[scan->pos - 1];
        return PEXCZ_OK;
    }
    if (read_u32(scan, ret) < 0) {
        return PEXCZ_E_CORRUPT;
    }
    return *ret > INT32_MAX ? corrupt(scan, "size out of range") : PEXCZ_OK;
}

static int
push(struct scan *scan, uint8_t type, uint64_t count)
{
    if (scan->depth == MAX_DEPTH) {
        return corrupt(scan, "nested too deeply");
    }
    /* An object takes a byte at least. */
    if (count > scan->size - scan->pos) {
        return corrupt(scan, "cut short");
    }
    scan->stack[scan->depth++] = (struct frame){.left = count, .type = type};
    return PEXCZ_OK;
}

static int
flag_seen(struct scan *scan, size_t at)
{
    uint32_t number;

    if (!scan->rewrite) {
        if (pexcz_grow_array((void **)&scan->refs, scan->ref_count,
                             &scan->ref_cap, sizeof(*scan->refs), scan->err)
            < 0) {
            return PEXCZ_E_NOMEM;
        }
        scan->refs[scan->ref_count++] = 0;
        return PEXCZ_OK;
    }
    number = scan->refs[scan->seen];
    if (number == 0) {
        scan->bytes[at] &= (uint8_t)~FLAG_REF;
    }
    else {
        scan->refs[scan->seen] = scan->next_ref++;
    }
    scan->seen++;
    return PEXCZ_OK;
}

static int
reference(struct scan *scan)
{
    uint32_t number;
    uint8_t *p;

    if (read_u32(scan, &number) < 0) {
        return PEXCZ_E_CORRUPT;
    }
    if (!scan->rewrite) {
        if (number >= scan->ref_count) {
            return corrupt(scan, "reference out of range");
        }
        scan->refs[number] = 1;
        return PEXCZ_OK;
    }
    p = scan->bytes + scan->pos - 4;
    number = scan->refs[number];
    for (int i = 0; i < 4; i++) {
        p[i] = (uint8_t)(number >> (8 * i));
    }
    return PEXCZ_OK;
}

static bool
is_name_char(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9') || c == '_';
}

/* `at` is the type byte, the text lies before scan->pos. */
static void
unmark_character(struct scan *scan, size_t at, uint8_t type, uint32_t size)
{
    const uint8_t *text = scan->bytes + scan->pos - size;
    uint8_t plain;

    if (!scan->rewrite) {
        return;
    }
    if ((type == 'Z' || type == 'A') && size == 1 && !is_name_char(text[0])) {
        plain = type == 'Z' ? 'z' : 'a';
    }
    else if (type == 't' && size == 2 && (text[0] & 0xfeu) == 0xc2u) {
        plain = 'u'; /* U+0080 to U+00FF */
    }
    else {
        return;
    }
    scan->bytes[at] = (uint8_t)((scan->bytes[at] & FLAG_REF) | plain);
}

/* Consumes an object without its parts, which it pushes. */
static int
object(struct scan *scan)
{
    size_t at = scan->pos;
    uint32_t n;
    uint8_t byte;
    uint8_t type;

    if (skip(scan, 1) < 0) {
        return PEXCZ_E_CORRUPT;
    }
    byte = scan->bytes[at];
    type = (uint8_t)(byte & ~FLAG_REF);
    if (type != byte && type != 'r' && type != '0'
        && flag_seen(scan, at) < 0) {
        return scan->err != NULL ? scan->err->code : PEXCZ_E_NOMEM;
    }
    switch (type) {
    case 'N':
    case 'F':
    case 'T':
    case 'S':
    case '.':
        return PEXCZ_OK;
    case 'i':
        return skip(scan, 4);
    case 'g':
        return skip(scan, 8);
    case 'y':
        return skip(scan, 16);
    case 'l':
        if (read_u32(scan, &n) < 0) {
            return PEXCZ_E_CORRUPT;
        }
        /* Digits of 15 bits; the sign of the count is that of the number. */
        n = n > INT32_MAX ? UINT32_C(0) - n : n;
        return skip(scan, (uint64_t)n * 2);
    case 's':
    case 'u':
    case 't':
    case 'a':
    case 'A':
    case 'z':
    case 'Z':
        if (read_size(scan, type == 'z' || type == 'Z', &n) < 0
            || skip(scan, n) < 0) {
            return PEXCZ_E_CORRUPT;
        }
        unmark_character(scan, at, type, n);
        return PEXCZ_OK;
    case 'r':
        return type == byte ? reference(scan) : corrupt(scan, "bad type");
    case '(':
    case ')':
    case '[':
    case '<':
    case '>':
        if (read_size(scan, type == ')', &n) < 0) {
            return PEXCZ_E_CORRUPT;
        }
        return push(scan, type, n);
    case ':': /* slice, since 3.14 */
        return push(scan, type, 3);
    case '{':
        return push(scan, type, 0);
    case 'c':
        if (skip(scan, CODE_HEAD_SIZE) < 0) {
            return PEXCZ_E_CORRUPT;
        }
        return push(scan, type, CODE_OBJECTS);
    default:
        scan->pos = at;
        return corrupt(scan, "unknown type");
    }
}

/* The next object inside `top`, which is left when it is complete. */
static int
step(struct scan *scan, struct frame *top)
{
    if (top->type == '{') {
        if (!top->is_value && scan->pos < scan->size
            && scan->bytes[scan->pos] == '0') {
            scan->pos++;
            scan->depth--;
            return PEXCZ_OK;
        }
        top->is_value = !top->is_value;
        return object(scan);
    }
    if (top->left == 0) {
        scan->depth--;
        return PEXCZ_OK;
    }
    if (top->type == 'c' && top->left == CODE_OBJECTS_AFTER_LINE
        && skip(scan, 4) < 0) {
        return PEXCZ_E_CORRUPT;
    }
    top->left--;
    return object(scan);
}

static int
pass(struct scan *scan)
{
    int rc;

    scan->pos = 0;
    scan->depth = 0;
    rc = object(scan);
    while (rc == 0 && scan->depth != 0) {
        rc = step(scan, &scan->stack[scan->depth - 1]);
    }
    if (rc == 0 && scan->pos != scan->size) {
        rc = corrupt(scan, "bytes after the end");
    }
    return rc;
}

int
pexcz_marshal_normalise(uint8_t *bytes, size_t size, struct pexcz_error *err)
{
    struct scan *scan = calloc(1, sizeof(*scan));
    struct pexcz_error own = {0};
    int rc;

    if (scan == NULL) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    scan->bytes = bytes;
    scan->size = size;
    scan->err = err != NULL ? err : &own;
    rc = pass(scan);
    if (rc == 0) {
        /* The first pass checked every byte: the second cannot fail. */
        scan->rewrite = true;
        rc = pass(scan);
    }
    free(scan->refs);
    free(scan);
    return rc;
}
