/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the processor says of itself: a library that asks while it is imported
 * keeps the answers, so its image is good for such a processor only.
 */
#ifndef PEXCZ_LIBRARY_CPU_H
#define PEXCZ_LIBRARY_CPU_H

#include "slice.h"
#include "snapshot_format.h"

/* The same numbers on processors with the same instructions and model. */
void pexcz_cpu_facts(uint32_t ret[PEXCZ_SNAPSHOT_CPU_FACTS]);

/* Whether the code has an instruction that asks: CPUID or XGETBV.  The bytes
 * are looked for; that they are part of something else does no harm. */
bool pexcz_cpu_is_asked(struct pexcz_slice code);

#endif
