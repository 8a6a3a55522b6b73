/* SPDX-License-Identifier: Apache-2.0 */
/* Last on the link line before libc: see mark_start.c. */
extern char pexcz_data_end[64];
extern char pexcz_bss_end[64];

char pexcz_data_end[64] __attribute__((aligned(64))) = {1};
char pexcz_bss_end[64] __attribute__((aligned(64)));
