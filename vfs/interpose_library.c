/* SPDX-License-Identifier: Apache-2.0 */
#include "interpose.h"

#include <stddef.h>

/*
 * dlopen(path, mode): ours for a packed library, else a jump to libc's, which
 * then sees the caller's return address.  A C function need not end in one.
 */
__asm__(".text\n"
        ".globl dlopen\n"
        ".type dlopen, @function\n"
        "dlopen:\n"
        "    endbr64\n"
        "    pushq %rdi\n"
        "    pushq %rsi\n"
        "    subq $8, %rsp\n"
        "    movq 24(%rsp), %rsi\n"
        "    call pexcz_vfs_is_library\n"
        "    testb %al, %al\n"
        "    jne 1f\n"
        "    call pexcz_vfs_next_dlopen\n"
        "    addq $8, %rsp\n"
        "    popq %rsi\n"
        "    popq %rdi\n"
        "    jmp *%rax\n"
        "1:  addq $8, %rsp\n"
        "    popq %rsi\n"
        "    popq %rdi\n"
        "    jmp pexcz_vfs_dlopen\n"
        ".size dlopen, . - dlopen\n"
        /* dlmopen(list, path, mode): as above. */
        ".globl dlmopen\n"
        ".type dlmopen, @function\n"
        "dlmopen:\n"
        "    endbr64\n"
        "    pushq %rdi\n"
        "    pushq %rsi\n"
        "    pushq %rdx\n"
        "    movq %rsi, %rdi\n"
        "    movq 24(%rsp), %rsi\n"
        "    call pexcz_vfs_is_library\n"
        "    testb %al, %al\n"
        "    jne 1f\n"
        "    call pexcz_vfs_next_dlmopen\n"
        "    popq %rdx\n"
        "    popq %rsi\n"
        "    popq %rdi\n"
        "    jmp *%rax\n"
        "1:  popq %rdx\n"
        "    popq %rsi\n"
        "    popq %rdi\n"
        "    jmp pexcz_vfs_dlmopen\n"
        ".size dlmopen, . - dlmopen\n");
