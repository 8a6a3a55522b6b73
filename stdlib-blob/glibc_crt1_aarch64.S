/* SPDX-License-Identifier: Apache-2.0 */
/* The start of a program as glibc before 2.34 wants it: it passes the code
 * that runs the executable's constructors. */
    .text
    .globl _start
    .type _start, %function
_start:
    mov x29, #0
    mov x30, #0
    mov x5, x0
    ldr x1, [sp]
    add x2, sp, #8
    mov x6, sp
    adrp x0, main
    add x0, x0, :lo12:main
    adrp x3, __libc_csu_init
    add x3, x3, :lo12:__libc_csu_init
    adrp x4, __libc_csu_fini
    add x4, x4, :lo12:__libc_csu_fini
    bl __libc_start_main
    brk #1000

    .section .rodata
    .globl _IO_stdin_used
    .type _IO_stdin_used, %object
    .size _IO_stdin_used, 4
_IO_stdin_used:
    .long 0x20001

    .data
    .globl __data_start
    .weak data_start
    data_start = __data_start
__data_start:
    .long 0
    .section .note.GNU-stack,"",%progbits
