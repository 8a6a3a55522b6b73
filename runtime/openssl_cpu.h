/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL's constructor asks for the processor's features: a dozen CPUID
 * instructions, each of which leaves a virtual machine for its hypervisor, 45
 * us of a start in all.  So it is put off until a module uses OpenSSL.
 */
#ifndef PEXCZ_OPENSSL_CPU_H
#define PEXCZ_OPENSSL_CPU_H

/* Before a snapshot's data is first copied, so that the features stay those of
 * the process; and in a restored process that has such a module. */
void pexcz_openssl_cpu_ask(void);

#endif
