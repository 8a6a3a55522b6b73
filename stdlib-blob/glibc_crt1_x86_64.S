/* SPDX-License-Identifier: Apache-2.0 */
/* The start of a program as glibc before 2.34 wants it: it passes the code
 * that runs the executable's constructors (psABI x86-64, section 3.4). */
    .globl _start
    .type _start, @function
_start:
    xor %ebp, %ebp
    mov %rdx, %r9
    pop %rsi
    mov %rsp, %rdx
    and $-16, %rsp
    push %rax
    push %rsp
    mov $__libc_csu_fini, %r8
    mov $__libc_csu_init, %rcx
    mov $main, %rdi
    call __libc_start_main
    hlt

    .section .rodata
    .globl _IO_stdin_used
    .type _IO_stdin_used, @object
    .size _IO_stdin_used, 4
_IO_stdin_used:
    .long 0x20001

    .data
    .globl __data_start
    .weak data_start
    data_start = __data_start
__data_start:
    .long 0
    .section .note.GNU-stack,"",@progbits
