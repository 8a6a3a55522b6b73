/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's certificates in an ssl.SSLContext.
 *
 * OpenSSL parses the whole file of them for each context, which takes 20 ms,
 * though many contexts never see a certificate.  Here the file is read when
 * OpenSSL would do it, so that its content is that of this moment, and parsed
 * when one of its certificates is looked for, or the list of all.  Linked with
 * --wrap into the base, whose OpenSSL is the ssl module's only.
 */
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is used of OpenSSL, 3.0 and newer; its headers are those of the Python
 * that is linked, which this machine need not have. */
typedef struct bio_st BIO;
typedef struct x509_st X509;
typedef struct X509_crl_st X509_CRL;
typedef struct X509_name_st X509_NAME;
typedef struct x509_lookup_st X509_LOOKUP;
typedef struct x509_lookup_method_st X509_LOOKUP_METHOD;
typedef struct x509_object_st X509_OBJECT;
typedef struct x509_store_st X509_STORE;
typedef struct stack_st STACK;

struct x509_info { /* its head */
    X509 *x509;
    X509_CRL *crl;
};

enum lookup_type { LOOKUP_NONE, LOOKUP_X509, LOOKUP_CRL };

#define INDEX_OF_STORES 4
#define LOAD_FILE 1
#define DEFAULT_FILE 3

typedef int (*find_fn)(X509_LOOKUP *, enum lookup_type, const X509_NAME *,
                       X509_OBJECT *);

extern BIO *BIO_new_mem_buf(const void *data, int size);
extern int BIO_free(BIO *bio);
extern int ERR_set_mark(void);
extern int ERR_pop_to_mark(void);
extern int OPENSSL_sk_num(const STACK *stack);
extern void *OPENSSL_sk_value(const STACK *stack, int i);
extern void OPENSSL_sk_pop_free(STACK *stack, void (*free_item)(void *));
extern STACK *PEM_X509_INFO_read_bio(BIO *bio, STACK *stack, void *callback,
                                     void *argument);
extern void X509_INFO_free(void *info);
extern void X509_free(X509 *x509);
extern void X509_CRL_free(X509_CRL *crl);
extern const char *X509_get_default_cert_file(void);
extern const char *X509_get_default_cert_file_env(void);
extern X509_LOOKUP_METHOD *X509_LOOKUP_meth_new(const char *name);
extern int X509_LOOKUP_meth_set_free(X509_LOOKUP_METHOD *method,
                                     void (*free_data)(X509_LOOKUP *));
extern int X509_LOOKUP_meth_set_get_by_subject(X509_LOOKUP_METHOD *method,
                                               find_fn find);
extern int X509_LOOKUP_set_method_data(X509_LOOKUP *lookup, void *data);
extern void *X509_LOOKUP_get_method_data(const X509_LOOKUP *lookup);
extern X509_STORE *X509_LOOKUP_get_store(const X509_LOOKUP *lookup);
extern int CRYPTO_get_ex_new_index(int kind, long number, void *argument,
                                   void *make, void *copy, void *end);
extern int X509_STORE_set_ex_data(X509_STORE *store, int index, void *data);
extern void *X509_STORE_get_ex_data(const X509_STORE *store, int index);
extern X509_LOOKUP *X509_STORE_add_lookup(X509_STORE *store,
                                          X509_LOOKUP_METHOD *method);
extern int X509_STORE_add_cert(X509_STORE *store, X509 *x509);
extern int X509_STORE_add_crl(X509_STORE *store, X509_CRL *crl);
extern int X509_STORE_unlock(X509_STORE *store);
extern X509_OBJECT *X509_OBJECT_retrieve_by_subject(STACK *objects,
                                                    enum lookup_type type,
                                                    const X509_NAME *name);
extern X509 *X509_OBJECT_get0_X509(const X509_OBJECT *object);
extern int X509_OBJECT_set1_X509(X509_OBJECT *object, X509 *x509);
extern X509_CRL *X509_OBJECT_get0_X509_CRL(const X509_OBJECT *object);
extern int X509_OBJECT_set1_X509_CRL(X509_OBJECT *object, X509_CRL *crl);

/* The last is of OpenSSL 3.3. */
extern int __real_X509_LOOKUP_ctrl_ex(X509_LOOKUP *lookup, int command,
                                      const char *path, long kind, char **ret,
                                      void *context, const char *properties);
extern int __real_X509_STORE_lock(X509_STORE *store);
extern STACK *__real_X509_STORE_get0_objects(const X509_STORE *store);
extern STACK *__real_X509_STORE_get1_objects(X509_STORE *store)
    __attribute__((weak));
int __wrap_X509_LOOKUP_ctrl_ex(X509_LOOKUP *lookup, int command,
                               const char *path, long kind, char **ret,
                               void *context, const char *properties);
int __wrap_X509_STORE_lock(X509_STORE *store);
STACK *__wrap_X509_STORE_get0_objects(X509_STORE *store);
STACK *__wrap_X509_STORE_get1_objects(X509_STORE *store);

/* Of a store of certificates. */
struct unparsed {
    pthread_mutex_t lock;
    char *content; /* owned; NULL: there is none, or it is in the store */
    int size;
};

static X509_LOOKUP_METHOD *method;
static int index_of_lookup = -1; /* in a store's additional data */
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* As X509_load_cert_crl_file() does it: all, or up to what cannot be added. */
static void
add_all(X509_STORE *store, const char *content, int size)
{
    BIO *bio = BIO_new_mem_buf(content, size);
    static char no_password[1];
    STACK *infos = bio != NULL
                       ? PEM_X509_INFO_read_bio(bio, NULL, NULL, no_password)
                       : NULL;
    bool good = true;

    for (int i = 0; infos != NULL && i < OPENSSL_sk_num(infos) && good; i++) {
        const struct x509_info *info = OPENSSL_sk_value(infos, i);

        if (info->x509 != NULL) {
            good = X509_STORE_add_cert(store, info->x509) != 0;
        }
        if (good && info->crl != NULL) {
            good = X509_STORE_add_crl(store, info->crl) != 0;
        }
    }
    if (infos != NULL) {
        OPENSSL_sk_pop_free(infos, X509_INFO_free);
    }
    (void)BIO_free(bio);
}

static void
parse(const X509_LOOKUP *lookup)
{
    struct unparsed *u = X509_LOOKUP_get_method_data(lookup);

    if (u == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&u->lock);
    if (u->content != NULL) {
        (void)ERR_set_mark();
        add_all(X509_LOOKUP_get_store(lookup), u->content, u->size);
        (void)ERR_pop_to_mark();
        free(u->content);
        u->content = NULL;
    }
    (void)pthread_mutex_unlock(&u->lock);
}

/* OpenSSL asks when the store has none of this name.  The caller takes a
 * reference of its own: what is returned is the store's. */
static int
find(X509_LOOKUP *lookup, enum lookup_type type, const X509_NAME *name,
     X509_OBJECT *ret)
{
    X509_STORE *store = X509_LOOKUP_get_store(lookup);
    const X509_OBJECT *object;
    int found = 0;

    parse(lookup);
    (void)__real_X509_STORE_lock(store);
    object = X509_OBJECT_retrieve_by_subject(
        __real_X509_STORE_get0_objects(store), type, name);
    if (object != NULL && type == LOOKUP_X509) {
        X509 *x509 = X509_OBJECT_get0_X509(object);

        found = X509_OBJECT_set1_X509(ret, x509);
        if (found != 0) {
            X509_free(x509);
        }
    }
    else if (object != NULL && type == LOOKUP_CRL) {
        X509_CRL *crl = X509_OBJECT_get0_X509_CRL(object);

        found = X509_OBJECT_set1_X509_CRL(ret, crl);
        if (found != 0) {
            X509_CRL_free(crl);
        }
    }
    (void)X509_STORE_unlock(store);
    return found;
}

static void
free_data(X509_LOOKUP *lookup)
{
    struct unparsed *u = X509_LOOKUP_get_method_data(lookup);

    if (u != NULL) {
        (void)pthread_mutex_destroy(&u->lock);
        free(u->content);
        free(u);
    }
}

static void
make_method(void)
{
    index_of_lookup
        = CRYPTO_get_ex_new_index(INDEX_OF_STORES, 0, NULL, NULL, NULL, NULL);
    if (index_of_lookup >= 0) {
        method = X509_LOOKUP_meth_new("the machine's certificates");
    }
    if (method != NULL) {
        (void)X509_LOOKUP_meth_set_free(method, free_data);
        (void)X509_LOOKUP_meth_set_get_by_subject(method, find);
    }
}

/* NULL for what is no file of a usual size. */
static char *
read_file(const char *path, int *ret_size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    char *content = NULL;
    size_t size = 0;
    ssize_t n = -1;

    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0
        && st.st_size < INT_MAX) {
        content = malloc((size_t)st.st_size);
    }
    while (content != NULL && size < (size_t)st.st_size
           && (n = read(fd, content + size, (size_t)st.st_size - size)) > 0) {
        size += (size_t)n;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    if (content != NULL && size != (size_t)st.st_size) {
        free(content);
        content = NULL;
    }
    *ret_size = (int)size;
    return content;
}

/* Whether the content is now the lookup's. */
static bool
keep(X509_LOOKUP *lookup, char *content, int size)
{
    struct unparsed *u = X509_LOOKUP_get_method_data(lookup);

    if (u == NULL) {
        u = calloc(1, sizeof(*u));
        if (u == NULL
            || X509_STORE_set_ex_data(X509_LOOKUP_get_store(lookup),
                                      index_of_lookup, lookup)
                   == 0
            || X509_LOOKUP_set_method_data(lookup, u) == 0) {
            free(u);
            return false;
        }
        (void)pthread_mutex_init(&u->lock, NULL);
    }
    parse(lookup); /* of an earlier time */
    (void)pthread_mutex_lock(&u->lock);
    u->content = content;
    u->size = size;
    (void)pthread_mutex_unlock(&u->lock);
    return true;
}

int
__wrap_X509_LOOKUP_ctrl_ex(X509_LOOKUP *lookup, int command, const char *path,
                           long kind, char **ret, void *context,
                           const char *properties)
{
    X509_LOOKUP *lazy = NULL;
    char *content = NULL;
    int size = 0;

    if (command == LOAD_FILE && path == NULL && kind == DEFAULT_FILE) {
        const char *file = secure_getenv(X509_get_default_cert_file_env());

        content = read_file(file != NULL ? file : X509_get_default_cert_file(),
                            &size);
    }
    if (content != NULL) {
        (void)pthread_once(&once, make_method);
        lazy = method != NULL ? X509_STORE_add_lookup(
                   X509_LOOKUP_get_store(lookup), method)
                              : NULL;
    }
    if (lazy != NULL && keep(lazy, content, size)) {
        return 1;
    }
    free(content);
    return __real_X509_LOOKUP_ctrl_ex(lookup, command, path, kind, ret,
                                      context, properties);
}

static void
parse_all_of(X509_STORE *store)
{
    X509_LOOKUP *lookup = index_of_lookup >= 0
                              ? X509_STORE_get_ex_data(store, index_of_lookup)
                              : NULL;

    if (lookup != NULL) {
        parse(lookup);
    }
}

/* Who lists the certificates locks the store first, in newer versions of the
 * ssl module. */
int
__wrap_X509_STORE_lock(X509_STORE *store)
{
    parse_all_of(store);
    return __real_X509_STORE_lock(store);
}

STACK *
__wrap_X509_STORE_get0_objects(X509_STORE *store)
{
    parse_all_of(store);
    return __real_X509_STORE_get0_objects(store);
}

STACK *
__wrap_X509_STORE_get1_objects(X509_STORE *store)
{
    parse_all_of(store);
    return __real_X509_STORE_get1_objects(store);
}
