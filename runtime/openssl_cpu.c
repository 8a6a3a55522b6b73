/* SPDX-License-Identifier: Apache-2.0 */
#include "openssl_cpu.h"

#include "snapshot_objects.h"

#include <stdbool.h>

/* Wrapped when the base is linked: nothing else in it calls OpenSSL, but what
 * works for these modules. */
PyObject *__wrap_PyInit__hashlib(void);
PyObject *__wrap_PyInit__ssl(void);
void __wrap_OPENSSL_cpuid_setup(void);

extern PyObject *__real_PyInit__hashlib(void);
extern PyObject *__real_PyInit__ssl(void);
extern void __real_OPENSSL_cpuid_setup(void);

static bool wanted;

/* Called by the constructor, and when OpenSSL initialises itself; the second
 * time and later it does nothing. */
void
__wrap_OPENSSL_cpuid_setup(void)
{
    if (wanted) {
        __real_OPENSSL_cpuid_setup();
    }
}

void
pexcz_openssl_cpu_ask(void)
{
    wanted = true;
    __real_OPENSSL_cpuid_setup();
}

PyObject *
__wrap_PyInit__hashlib(void)
{
    pexcz_snapshot_objects.has_openssl = 1;
    pexcz_openssl_cpu_ask();
    return __real_PyInit__hashlib();
}

PyObject *
__wrap_PyInit__ssl(void)
{
    pexcz_snapshot_objects.has_openssl = 1;
    pexcz_openssl_cpu_ask();
    return __real_PyInit__ssl();
}
