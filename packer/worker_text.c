/* SPDX-License-Identifier: Apache-2.0 */
#include "worker_text.h"

/* The files are found through the compiler's -I paths. */
#define TEXT(symbol, file)                                                    \
    __asm__(".section .rodata\n"                                              \
            ".global " #symbol "\n"                                           \
            ".type " #symbol ", @object\n" #symbol ":\n"                      \
            ".incbin \"" file "\"\n"                                          \
            ".byte 0\n"                                                       \
            ".size " #symbol ", . - " #symbol "\n"                            \
            ".previous\n")

TEXT(pexcz_worker_text, "compile_worker.py");
TEXT(pexcz_snapshot_trace_text, "snapshot_trace.py");
TEXT(pexcz_snapshot_import_text, "snapshot_import.py");
