/* SPDX-License-Identifier: Apache-2.0 */
#include "x86_length.h"

#define MAX_LENGTH 15

enum {
    NONE = 0,
    MODRM = 1,
    BYTE = 2,     /* an immediate operand of 1 byte */
    WORD = 4,     /* of 2 */
    OPERAND = 8,  /* of 4, or 2 */
    WHOLE = 16,   /* of 8, 4 or 2 */
    ADDRESS = 32, /* of 8, or 4 */
    LONG = 64,    /* of 4 */
    BAD = 128,
};

struct decoder {
    struct pexcz_slice code;
    size_t at;
    bool operand_prefix; /* 66 */
    bool address_prefix; /* 67 */
    bool repeat_prefix;  /* F2 */
    bool wide;           /* REX.W */
};

/* What follows the opcode, of the ranges in order. */
struct range {
    uint8_t last;
    uint8_t follows;
};

static const struct range one_byte[] = {
    {0x5f, NONE},
    {0x62, BAD},
    {0x63, MODRM},
    {0x67, BAD},
    {0x68, OPERAND},
    {0x69, MODRM | OPERAND},
    {0x6a, BYTE},
    {0x6b, MODRM | BYTE},
    {0x6f, NONE},
    {0x7f, BYTE},
    {0x80, MODRM | BYTE},
    {0x81, MODRM | OPERAND},
    {0x82, BAD},
    {0x83, MODRM | BYTE},
    {0x8f, MODRM},
    {0x99, NONE},
    {0x9a, BAD},
    {0x9f, NONE},
    {0xa3, ADDRESS},
    {0xa7, NONE},
    {0xa8, BYTE},
    {0xa9, OPERAND},
    {0xaf, NONE},
    {0xb7, BYTE},
    {0xbf, WHOLE},
    {0xc1, MODRM | BYTE},
    {0xc2, WORD},
    {0xc3, NONE},
    {0xc5, BAD},
    {0xc6, MODRM | BYTE},
    {0xc7, MODRM | OPERAND},
    {0xc8, WORD | BYTE},
    {0xc9, NONE},
    {0xca, WORD},
    {0xcc, NONE},
    {0xcd, BYTE},
    {0xce, BAD},
    {0xcf, NONE},
    {0xd3, MODRM},
    {0xd6, BAD},
    {0xd7, NONE},
    {0xdf, MODRM},
    {0xe7, BYTE},
    {0xe9, LONG},
    {0xea, BAD},
    {0xeb, BYTE},
    {0xef, NONE},
    {0xf0, BAD},
    {0xf1, NONE},
    {0xf3, BAD},
    {0xf5, NONE},
    {0xf7, MODRM},
    {0xfd, NONE},
    {0xff, MODRM},
};

/* Behind 0F. */
static const struct range two_bytes[] = {
    {0x03, MODRM},        {0x04, BAD},          {0x09, NONE},
    {0x0a, BAD},          {0x0b, NONE},         {0x0c, BAD},
    {0x0d, MODRM},        {0x0e, NONE},         {0x0f, MODRM | BYTE},
    {0x23, MODRM},        {0x27, BAD},          {0x2f, MODRM},
    {0x35, NONE},         {0x36, BAD},          {0x37, NONE},
    {0x3f, BAD},          {0x6f, MODRM},        {0x73, MODRM | BYTE},
    {0x76, MODRM},        {0x77, NONE},         {0x7f, MODRM},
    {0x8f, LONG},         {0x9f, MODRM},        {0xa2, NONE},
    {0xa3, MODRM},        {0xa4, MODRM | BYTE}, {0xa7, MODRM},
    {0xaa, NONE},         {0xab, MODRM},        {0xac, MODRM | BYTE},
    {0xb9, MODRM},        {0xba, MODRM | BYTE}, {0xc1, MODRM},
    {0xc2, MODRM | BYTE}, {0xc3, MODRM},        {0xc6, MODRM | BYTE},
    {0xc7, MODRM},        {0xcf, NONE},         {0xff, MODRM},
};

static uint8_t
follows(const struct range *ranges, uint8_t opcode)
{
    while (ranges->last < opcode) {
        ranges++;
    }
    return ranges->follows;
}

static bool
next(struct decoder *d, uint8_t *ret)
{
    if (d->at >= d->code.len || d->at >= MAX_LENGTH) {
        return false;
    }
    *ret = d->code.ptr[d->at++];
    return true;
}

/* All prefixes but those that stand for a part of the opcode. */
static bool
skip_prefixes(struct decoder *d, uint8_t *ret_opcode)
{
    uint8_t byte = 0;

    while (next(d, &byte)) {
        switch (byte) {
        case 0x66:
            d->operand_prefix = true;
            break;
        case 0x67:
            d->address_prefix = true;
            break;
        case 0xf2:
            d->repeat_prefix = true;
            break;
        case 0x26:
        case 0x2e:
        case 0x36:
        case 0x3e:
        case 0x64:
        case 0x65:
        case 0xf0:
        case 0xf3:
            break;
        default:
            if ((byte & 0xf0) == 0x40) {
                d->wide = (byte & 8) != 0;
                if (!next(d, &byte)) {
                    return false;
                }
            }
            *ret_opcode = byte;
            return true;
        }
    }
    return false;
}

/* MODRM and what belongs to it; *ret is the byte itself. */
static bool
skip_operand(struct decoder *d, uint8_t *ret)
{
    uint8_t sib = 0;
    unsigned int mode;
    unsigned int base;

    if (!next(d, ret)) {
        return false;
    }
    mode = *ret >> 6;
    base = *ret & 7;
    if (mode == 3) {
        return true;
    }
    if (base == 4) {
        if (!next(d, &sib)) {
            return false;
        }
        base = sib & 7;
    }
    if (mode == 1) {
        d->at += 1;
    }
    else if (mode == 2 || base == 5) {
        d->at += 4;
    }
    return true;
}

static size_t
immediate_size(const struct decoder *d, uint8_t what)
{
    size_t operand = d->operand_prefix && !d->wide ? 2 : 4;

    return ((what & BYTE) != 0 ? 1U : 0U) + ((what & WORD) != 0 ? 2U : 0U)
           + ((what & OPERAND) != 0 ? operand : 0U)
           + ((what & WHOLE) != 0 ? (d->wide ? 8U : operand) : 0U)
           + ((what & ADDRESS) != 0 ? (d->address_prefix ? 4U : 8U) : 0U)
           + ((what & LONG) != 0 ? 4U : 0U);
}

static bool
skip_rest(struct decoder *d, uint8_t what)
{
    uint8_t byte;

    if ((what & BAD) != 0
        || ((what & MODRM) != 0 && !skip_operand(d, &byte))) {
        return false;
    }
    d->at += immediate_size(d, what);
    return true;
}

/* Of an instruction with VEX or EVEX: whose map is 1, 2 or 3, as 0F, 0F 38 and
 * 0F 3A are; EVEX has two more. */
static bool
skip_vector(struct decoder *d, unsigned int map, unsigned int last_map)
{
    uint8_t opcode;

    if (map == 0 || map == 4 || map > last_map || !next(d, &opcode)) {
        return false;
    }
    return skip_rest(d, map == 3   ? MODRM | BYTE
                        : map == 1 ? follows(two_bytes, opcode)
                                   : MODRM);
}

static bool
skip_two_bytes(struct decoder *d)
{
    uint8_t opcode;

    if (!next(d, &opcode)) {
        return false;
    }
    if (opcode == 0x38 || opcode == 0x3a) {
        uint8_t last;

        return next(d, &last)
               && skip_rest(d, opcode == 0x38 ? MODRM : MODRM | BYTE);
    }
    /* AMD's EXTRQ and INSERTQ. */
    return !(opcode == 0x78 && (d->operand_prefix || d->repeat_prefix))
           && skip_rest(d, follows(two_bytes, opcode));
}

/* F6 and F7 have an immediate operand for TEST only. */
static bool
skip_group(struct decoder *d, uint8_t opcode)
{
    uint8_t byte;

    if (!skip_operand(d, &byte)) {
        return false;
    }
    if ((byte & 0x30) == 0) {
        d->at += immediate_size(d, opcode == 0xf6 ? BYTE : OPERAND);
    }
    return true;
}

/* Below 40 they are alike, eight by eight: four forms with operands, two with
 * an immediate one, and what 64-bit code has not. */
static bool
skip_arithmetic(struct decoder *d, uint8_t opcode)
{
    static const uint8_t forms[]
        = {MODRM, MODRM, MODRM, MODRM, BYTE, OPERAND, BAD, BAD};

    return skip_rest(d, forms[opcode & 7]);
}

static bool
skip_instruction(struct decoder *d, uint8_t opcode)
{
    uint8_t payload[3];

    if (opcode == 0x0f) {
        return skip_two_bytes(d);
    }
    if (opcode < 0x40) {
        return skip_arithmetic(d, opcode);
    }
    if (opcode == 0xc5) {
        return next(d, payload) && skip_vector(d, 1, 3);
    }
    if (opcode == 0xc4) {
        return next(d, payload) && next(d, payload + 1)
               && skip_vector(d, payload[0] & 0x1f, 3);
    }
    if (opcode == 0x62) {
        return next(d, payload) && next(d, payload + 1) && next(d, payload + 2)
               && (payload[0] & 8) == 0 && (payload[1] & 4) != 0
               && skip_vector(d, payload[0] & 7, 6);
    }
    if (opcode == 0xf6 || opcode == 0xf7) {
        return skip_group(d, opcode);
    }
    /* AMD's XOP. */
    if (opcode == 0x8f
        && (d->at >= d->code.len || (d->code.ptr[d->at] & 0x38) != 0)) {
        return false;
    }
    return skip_rest(d, follows(one_byte, opcode));
}

size_t
pexcz_x86_length(struct pexcz_slice code, size_t *ret_opcode)
{
    struct decoder d = {.code = code};
    uint8_t opcode = 0;

    if (!skip_prefixes(&d, &opcode)) {
        return 0;
    }
    *ret_opcode = d.at - 1;
    return skip_instruction(&d, opcode) && d.at <= code.len
                   && d.at <= MAX_LENGTH
               ? d.at
               : 0;
}
