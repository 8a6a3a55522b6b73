/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quote RULES ITEM=COUNT…: prices by the rules in a packed application.
 *
 *   cc quote.c $(pkg-config --cflags --libs pexcz_runtime) -o quote
 */
#include <pexcz_runtime.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
fail(const struct pexcz_runtime_error *err)
{
    fprintf(stderr, "quote: %s%s%s\n", err->type,
            err->type[0] != '\0' ? ": " : "", err->message);
    return 1;
}

static int
quote(struct pexcz_runtime *rt, const char *order,
      struct pexcz_runtime_error *err)
{
    const char *equals = strchr(order, '=');
    struct pexcz_runtime_value args[2];
    struct pexcz_runtime_value result;
    int rc;

    if (equals == NULL) {
        fprintf(stderr, "quote: %s is not ITEM=COUNT\n", order);
        return 2;
    }
    args[0].type = PEXCZ_RUNTIME_TEXT;
    args[0].as.bytes.data = order;
    args[0].as.bytes.size = (size_t)(equals - order);
    args[1].type = PEXCZ_RUNTIME_INT;
    args[1].as.integer = atoi(equals + 1);
    rc = pexcz_runtime_call(rt, "prices:price", args, 2, &result, err);
    if (rc < 0) {
        return fail(err);
    }
    printf("%s: %.2f\n", order, result.as.number);
    pexcz_runtime_value_done(&result);
    return 0;
}

int
main(int argc, char **argv)
{
    struct pexcz_runtime_error err;
    struct pexcz_runtime *rt;
    const void *rates;
    size_t size;
    int failed = 0;

    if (argc < 2) {
        fprintf(stderr, "usage: quote RULES ITEM=COUNT...\n");
        return 2;
    }
    if (pexcz_runtime_open_file(&rt, argv[1], NULL, &err) < 0) {
        return fail(&err);
    }
    if (pexcz_runtime_resource(rt, "price_list/rates.json", &rates, &size,
                               &err)
        < 0) {
        failed = fail(&err);
    }
    else {
        printf("rates: %.*s", (int)size, (const char *)rates);
    }
    for (int i = 2; i < argc; i++) {
        failed |= quote(rt, argv[i], &err);
    }
    if (pexcz_runtime_close(rt, &err) < 0) {
        failed = fail(&err);
    }
    return failed;
}
