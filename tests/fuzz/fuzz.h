/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fuzz target: fuzz_NAME.c defines this function, libFuzzer or replay.c
 * calls it.  It returns 0; what must never happen ends in __builtin_trap() or
 * in a report of a sanitizer.
 */
#ifndef PEXCZ_FUZZ_H
#define PEXCZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

__attribute__((visibility("default"))) int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
