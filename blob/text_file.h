/* SPDX-License-Identifier: Apache-2.0 */
/* A file of the source tree as a NUL-terminated text of the program. */
#ifndef PEXCZ_TEXT_FILE_H
#define PEXCZ_TEXT_FILE_H

/* Defines `const char symbol[]`, which the caller declares.  The assembler
 * looks for the file in its -I paths (-Wa,-Ifolder). */
#define PEXCZ_TEXT_FILE(symbol, file) PEXCZ_TEXT_OF(symbol, file, "")

/* The texts of several, one behind the other; `more` is PEXCZ_TEXT_AND("file")
 * for each but the first. */
#define PEXCZ_TEXT_FILES(symbol, file, more) PEXCZ_TEXT_OF(symbol, file, more)
#define PEXCZ_TEXT_AND(file) ".incbin \"" file "\"\n"

#define PEXCZ_TEXT_OF(symbol, file, more)                                     \
    __asm__(".section .rodata\n"                                              \
            ".global " #symbol "\n"                                           \
            ".type " #symbol ", @object\n" #symbol ":\n"                      \
            ".incbin \"" file "\"\n" more ".byte 0\n"                         \
            ".size " #symbol ", . - " #symbol "\n"                            \
            ".previous\n")

#endif
