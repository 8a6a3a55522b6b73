/* SPDX-License-Identifier: Apache-2.0 */
#include "callbacks.h"

#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

extern void *__real_ffi_closure_alloc(size_t size, void **code);
extern void __real_ffi_closure_free(void *closure);
void *__wrap_ffi_closure_alloc(size_t size, void **code);
void __wrap_ffi_closure_free(void *closure);

static struct {
    bool making;
    size_t alive;
} callbacks;

void
pexcz_callbacks_begin(void)
{
    callbacks.making = true;
}

size_t
pexcz_callbacks_alive(void)
{
    return callbacks.alive;
}

static void
nobody_calls(void)
{
    static const char text[]
        = "a callback of ctypes is called while modules are imported\n";

    (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
    _exit(1);
}

void *
__wrap_ffi_closure_alloc(size_t size, void **code)
{
    void *closure;

    if (!callbacks.making) {
        return __real_ffi_closure_alloc(size, code);
    }
    closure = calloc(1, size);
    if (closure != NULL) {
        void (*function)(void) = nobody_calls;

        callbacks.alive++;
        *code = (void *)function;
    }
    return closure;
}

void
__wrap_ffi_closure_free(void *closure)
{
    if (!callbacks.making) {
        __real_ffi_closure_free(closure);
        return;
    }
    callbacks.alive--;
    free(closure);
}
