/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the processor says of itself.  A library that asks while it is imported
 * keeps the answers, so its image is good for such a processor only.
 *
 * While a snapshot is made, its instructions that ask (CPUID, XGETBV) are
 * replaced by a trap: the signal tells that one was reached, and then it is
 * done.
 */
#ifndef PEXCZ_LIBRARY_CPU_H
#define PEXCZ_LIBRARY_CPU_H

#include "snapshot_format.h"

#include <stdbool.h>
#include <ucontext.h>

/* The same numbers on processors with the same instructions and model. */
void pexcz_cpu_facts(uint32_t ret[PEXCZ_SNAPSHOT_CPU_FACTS]);

/* From now on it is known whether the code of this library, which is mapped,
 * asks.  Where it cannot be told which bytes are instructions, it does. */
void pexcz_cpu_watch(const struct pexcz_snapshot_library *library);

/* In a handler of SIGTRAP: false when it was for something else. */
bool pexcz_cpu_answer(ucontext_t *context);

/* Whether one has asked, but for constructors that are tried: they run again,
 * for the image or in each process. */
bool pexcz_cpu_was_asked(void);
void pexcz_cpu_trial(bool trial);

#endif
