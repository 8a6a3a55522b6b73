/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long instructions of x86-64 are: where one begins can be told only by
 * going through all of them from the start of a function.
 */
#ifndef PEXCZ_X86_LENGTH_H
#define PEXCZ_X86_LENGTH_H

#include "slice.h"

/* Of the instruction that `code` begins with; 0: there is none that compilers
 * make, or the end of the code comes before it.  *ret_opcode is how many bytes
 * of prefixes, REX included, come before its opcode. */
size_t pexcz_x86_length(struct pexcz_slice code, size_t *ret_opcode);

#endif
