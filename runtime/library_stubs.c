/* SPDX-License-Identifier: Apache-2.0 */
#include "library_stubs.h"

#include "library_outside.h"
#include "library_settle.h"
#include "library_watch.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

/* What a shell and ld.so say when a function is missing. */
#define EXIT_NO_FUNCTION 127

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

/*
 * Each stub is 16 bytes: a jump through its slot, which at first leads to the
 * instruction behind it.  That pushes the stub's number and goes to a common
 * part, which saves the registers that hold arguments.
 */
__asm__(".text\n"
        ".balign 16\n"
        "pexcz_library_stub_text:\n"
        ".set pexcz_i, 0\n"
        ".rept " TEXT(
            PEXCZ_LIBRARY_STUBS) "\n"
                                 "    .balign 16\n"
                                 "    jmp *pexcz_library_slots + 8 * "
                                 "pexcz_i(%rip)\n"
                                 "    pushq $pexcz_i\n"
                                 "    jmp pexcz_library_stub_bind\n"
                                 "    .set pexcz_i, pexcz_i + 1\n"
                                 ".endr\n"
                                 ".balign 16\n"
                                 "pexcz_library_stub_bind:\n"
                                 "    pushq %rax\n"
                                 "    pushq %rcx\n"
                                 "    pushq %rdx\n"
                                 "    pushq %rsi\n"
                                 "    pushq %rdi\n"
                                 "    pushq %r8\n"
                                 "    pushq %r9\n"
                                 "    pushq %r10\n"
                                 "    subq $128, %rsp\n"
                                 "    movaps %xmm0, (%rsp)\n"
                                 "    movaps %xmm1, 16(%rsp)\n"
                                 "    movaps %xmm2, 32(%rsp)\n"
                                 "    movaps %xmm3, 48(%rsp)\n"
                                 "    movaps %xmm4, 64(%rsp)\n"
                                 "    movaps %xmm5, 80(%rsp)\n"
                                 "    movaps %xmm6, 96(%rsp)\n"
                                 "    movaps %xmm7, 112(%rsp)\n"
                                 "    movl 192(%rsp), %edi\n"
                                 "    call pexcz_library_bind\n"
                                 "    movq %rax, %r11\n"
                                 "    movaps (%rsp), %xmm0\n"
                                 "    movaps 16(%rsp), %xmm1\n"
                                 "    movaps 32(%rsp), %xmm2\n"
                                 "    movaps 48(%rsp), %xmm3\n"
                                 "    movaps 64(%rsp), %xmm4\n"
                                 "    movaps 80(%rsp), %xmm5\n"
                                 "    movaps 96(%rsp), %xmm6\n"
                                 "    movaps 112(%rsp), %xmm7\n"
                                 "    addq $128, %rsp\n"
                                 "    popq %r10\n"
                                 "    popq %r9\n"
                                 "    popq %r8\n"
                                 "    popq %rdi\n"
                                 "    popq %rsi\n"
                                 "    popq %rdx\n"
                                 "    popq %rcx\n"
                                 "    popq %rax\n"
                                 "    addq $8, %rsp\n"
                                 "    jmp *%r11\n"
                                 ".data\n"
                                 ".balign 8\n"
                                 "pexcz_library_slots:\n"
                                 ".set pexcz_i, 0\n"
                                 ".rept " TEXT(
                                     PEXCZ_LIBRARY_STUBS) "\n"
                                                          "    .quad "
                                                          "pexcz_library_stub_"
                                                          "text + 16 * "
                                                          "pexcz_i + 6\n"
                                                          "    .set pexcz_i, "
                                                          "pexcz_i + 1\n"
                                                          ".endr\n"
                                                          ".text\n");

extern const char pexcz_library_stub_text[];
extern _Atomic(void *) pexcz_library_slots[PEXCZ_LIBRARY_STUBS];
void *pexcz_library_bind(unsigned int number);

struct import {
    const char *name;
    const char *version; /* NULL: any */
    const char *library; /* NULL: of those that every process has */
};

static struct {
    struct import imports[PEXCZ_LIBRARY_STUBS];
    bool watched[PEXCZ_LIBRARY_STUBS];
    int count;
    struct pexcz_slice adopted; /* the table, instead of the above */
} stubs;

static bool
is_same(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

int
pexcz_library_stub_take(const char *name, const char *version,
                        const char *library, bool watched)
{
    for (int i = 0; i < stubs.count; i++) {
        if (is_same(stubs.imports[i].name, name)
            && is_same(stubs.imports[i].version, version)
            && is_same(stubs.imports[i].library, library)) {
            return i;
        }
    }
    if (stubs.count == PEXCZ_LIBRARY_STUBS) {
        return -1;
    }
    stubs.imports[stubs.count] = (struct import){name, version, library};
    stubs.watched[stubs.count] = watched;
    return stubs.count++;
}

uint64_t
pexcz_library_stub_address(int number)
{
    return (uintptr_t)pexcz_library_stub_text + (uint64_t)number * 16;
}

int
pexcz_library_stub_number(uint64_t address)
{
    uint64_t offset = address - (uintptr_t)pexcz_library_stub_text;

    return offset < (uint64_t)PEXCZ_LIBRARY_STUBS * 16 ? (int)(offset / 16)
                                                       : -1;
}

static bool
is_same_object(const void *a, const void *b)
{
    Dl_info one;
    Dl_info other;

    return dladdr(a, &one) != 0 && dladdr(b, &other) != 0
           && one.dli_fbase == other.dli_fbase;
}

/* As ld.so binds a reference with a version: by the first object that has the
 * name and, if it has versions at all, that one.  dlvsym() passes over the
 * executable and preloaded libraries, which have none. */
void *
pexcz_library_look_up(const char *name, const char *version)
{
    void *first = dlsym(RTLD_DEFAULT, name);
    void *exact = version != NULL ? dlvsym(RTLD_DEFAULT, name, version) : NULL;

    if (exact != NULL && (first == NULL || is_same_object(first, exact))) {
        return exact;
    }
    /* What unwinds the stack is needed for errors only, and loaded then. */
    if (first == NULL && strncmp(name, "_Unwind_", 8) == 0) {
        void *unwinder = dlopen("libgcc_s.so.1", RTLD_LAZY);

        first = unwinder != NULL ? dlsym(unwinder, name) : NULL;
    }
    return first;
}

static struct import
import_of(unsigned int number)
{
    const struct pexcz_snapshot_import *table
        = (const void *)stubs.adopted.ptr;

    if (stubs.adopted.len == 0) {
        return stubs.imports[number];
    }
    if (number >= stubs.adopted.len / sizeof(*table)) {
        return (struct import){0};
    }
    return (struct import){
        .name = (const char *)(uintptr_t)table[number].name,
        .version = (const char *)(uintptr_t)table[number].version,
        .library = (const char *)(uintptr_t)table[number].library,
    };
}

void *
pexcz_library_import(unsigned int number)
{
    struct import import = import_of(number);

    if (import.name == NULL) {
        return NULL;
    }
    return import.library != NULL
               ? pexcz_library_outside_find(import.library, import.name,
                                            import.version)
               : pexcz_library_look_up(import.name, import.version);
}

bool
pexcz_library_import_tls(unsigned int number, uint64_t *ret_module,
                         uint64_t *ret_offset)
{
    struct import import = import_of(number);

    return import.name != NULL && import.library != NULL
           && pexcz_library_outside_tls(import.library, import.name,
                                        import.version, ret_module,
                                        ret_offset);
}

/* The function that a stub stands for; as ld.so, it ends the process when
 * there is none. */
void *
pexcz_library_bind(unsigned int number)
{
    int saved = errno;
    struct import import = import_of(number);
    void *found = pexcz_library_import(number);

    if (found == NULL) {
        (void)dprintf(STDERR_FILENO, "pexcz: symbol lookup error: %s\n",
                      import.name != NULL ? import.name : "?");
        _exit(EXIT_NO_FUNCTION);
    }
    if (stubs.watched[number]) {
        pexcz_library_watched(import.name);
    }
    else {
        atomic_store_explicit(&pexcz_library_slots[number], found,
                              memory_order_release);
    }
    pexcz_library_settle_stack();
    errno = saved;
    return found;
}

static const void *
unbound(unsigned int number)
{
    return pexcz_library_stub_text + (size_t)number * 16 + 6;
}

static bool
is_bound(unsigned int number)
{
    return atomic_load_explicit(&pexcz_library_slots[number],
                                memory_order_relaxed)
           != unbound(number);
}

bool
pexcz_library_stubs_called(bool (*is_one)(const char *name))
{
    size_t count = stubs.adopted.len / sizeof(struct pexcz_snapshot_import);

    for (unsigned int i = 0; i < count; i++) {
        if (is_bound(i) && is_one(import_of(i).name)) {
            return true;
        }
    }
    return false;
}

/* The next call binds it once more. */
void
pexcz_library_stubs_forget(bool (*is_one)(const char *name))
{
    size_t count = stubs.adopted.len / sizeof(struct pexcz_snapshot_import);

    for (unsigned int i = 0; i < count; i++) {
        if (is_bound(i) && is_one(import_of(i).name)) {
            atomic_store_explicit(&pexcz_library_slots[i],
                                  (void *)(uintptr_t)unbound(i),
                                  memory_order_relaxed);
        }
    }
}

int
pexcz_library_stubs_write(struct pexcz_buf *out, struct pexcz_error *err)
{
    int rc = PEXCZ_OK;

    for (int i = 0; i < stubs.count && rc == PEXCZ_OK; i++) {
        struct pexcz_snapshot_import import = {
            .name = (uintptr_t)stubs.imports[i].name,
            .version = (uintptr_t)stubs.imports[i].version,
            .library = (uintptr_t)stubs.imports[i].library,
        };

        rc = pexcz_buf_append(out, &import, sizeof(import), err);
    }
    return rc;
}

void
pexcz_library_stubs_adopt(struct pexcz_slice table)
{
    stubs.adopted = table;
}
