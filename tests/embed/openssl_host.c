/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openssl_host FILE: a program with an OpenSSL of its own, a shared library,
 * beside the one that Python's ssl module has in the runtime.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pexcz_runtime.h>

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static int
digest(void)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned int size = 0;

    return EVP_Digest("abc", 3, sum, &size, EVP_sha256(), NULL) == 1
           && size == 32 && sum[0] == 0xba;
}

int
main(int argc, char **argv)
{
    struct pexcz_runtime_error err;
    struct pexcz_runtime *rt;
    Dl_info info;
    void *own = dlsym(RTLD_DEFAULT, "EVP_sha256");

    if (argc != 2 || !digest()
        || pexcz_runtime_open_file(&rt, argv[1], NULL, &err) < 0) {
        return 1;
    }
    if (pexcz_runtime_run_string(
            rt,
            "import hashlib, ssl\n"
            "print(hashlib.new('sha256', b'abc').hexdigest()[:8])\n"
            "ssl.create_default_context()",
            NULL, &err)
            < 0
        || pexcz_runtime_close(rt, &err) < 0 || !digest()) {
        fprintf(stderr, "%s\n", err.traceback);
        return 1;
    }
    if (dladdr(own, &info) == 0
        || strstr(info.dli_fname, "libcrypto") == NULL) {
        return 1;
    }
    puts("both");
    return 0;
}
