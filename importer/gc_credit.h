/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lets the cyclic collector wait while modules are imported.
 *
 * A module's body makes functions, classes and tuples that stay; looking
 * through them for garbage, every 700 objects anew, is a tenth of a start
 * (bench/, imports of the standard library).  So each import of a module of
 * the tree puts the next collection off by some thousand objects.  The
 * collector stays enabled, its thresholds are as they are, and what can be
 * put off is bounded: a program that loads modules for ever collects as ever.
 */
#ifndef PEXCZ_GC_CREDIT_H
#define PEXCZ_GC_CREDIT_H

/* What one interpreter may put off in all, in container objects. */
#define PEXCZ_GC_CREDIT_TOTAL 1000000

/* Puts the next collection off; *left starts as PEXCZ_GC_CREDIT_TOTAL. */
void pexcz_gc_credit(int *left);

#endif
