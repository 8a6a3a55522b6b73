/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Detached signatures of packed files, made and checked by OpenSSH's
 * ssh-keygen(1), whose format (SSHSIG) and keys they have.  They cover the
 * whole file; the namespace is "pexcz".
 */
#ifndef PEXCZ_SIGNATURE_H
#define PEXCZ_SIGNATURE_H

#include "error.h"

/* Writes FILE.sig with the private key in `key`, or the public one of a key
 * that an agent holds; ssh-keygen may ask for a passphrase. */
PEXCZ_MUST_USE int pexcz_signature_make(const char *file, const char *key,
                                        struct pexcz_error *err);

/*
 * Whether `signature` (NULL: FILE.sig) is one of `file` by a key that the
 * file `signers` (ssh-keygen's ALLOWED SIGNERS) gives to `signer`; CORRUPT
 * when it is not.
 */
PEXCZ_MUST_USE int pexcz_signature_check(const char *file,
                                         const char *signature,
                                         const char *signers,
                                         const char *signer,
                                         struct pexcz_error *err);

#endif
