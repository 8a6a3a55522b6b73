/* SPDX-License-Identifier: Apache-2.0 */
#include "worker_text.h"

/* Found through the compiler's -I paths. */
__asm__(".section .rodata\n"
        ".global pexcz_worker_text\n"
        ".type pexcz_worker_text, @object\n"
        "pexcz_worker_text:\n"
        ".incbin \"compile_worker.py\"\n"
        ".byte 0\n"
        ".size pexcz_worker_text, . - pexcz_worker_text\n"
        ".previous\n");
