/* SPDX-License-Identifier: Apache-2.0 */
/* First on the link line: where the base's own .data and .bss begin.  The
 * heap snapshot dumps what lies between these marks and those of mark_end.c
 * and leaves libc's data alone. */
extern char pexcz_data_start[64];
extern char pexcz_bss_start[64];

char pexcz_data_start[64] __attribute__((aligned(4096))) = {1};
char pexcz_bss_start[64] __attribute__((aligned(64)));
