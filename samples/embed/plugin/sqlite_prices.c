/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An extension of SQLite: price(ITEM, COUNT) in SQL, by the rules in the
 * packed application that the variable PRICE_RULES names.
 *
 *   cc -shared -fPIC sqlite_prices.c \
 *       $(pkg-config --cflags --libs pexcz_runtime) -o sqlite_prices.so
 *   sqlite3 :memory: '.load ./sqlite_prices' "select price('pear', 12)"
 */
#include <pexcz_runtime.h>
#include <sqlite3ext.h>
#include <stdlib.h>

SQLITE_EXTENSION_INIT1

static void
price(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    struct pexcz_runtime *rt = sqlite3_user_data(context);
    struct pexcz_runtime_value args[2];
    struct pexcz_runtime_value result;
    struct pexcz_runtime_error err;

    (void)argc;
    args[0].type = PEXCZ_RUNTIME_TEXT;
    args[0].as.bytes.data = sqlite3_value_text(argv[0]);
    args[0].as.bytes.size = (size_t)sqlite3_value_bytes(argv[0]);
    args[1].type = PEXCZ_RUNTIME_INT;
    args[1].as.integer = sqlite3_value_int64(argv[1]);
    if (pexcz_runtime_call(rt, "prices:price", args, 2, &result, &err) < 0) {
        sqlite3_result_error(context, err.message, -1);
        return;
    }
    sqlite3_result_double(context, result.as.number);
    pexcz_runtime_value_done(&result);
}

static void
close_runtime(void *rt)
{
    (void)pexcz_runtime_close(rt, NULL);
}

/* The name that SQLite derives from that of the file. */
__attribute__((visibility("default"))) int
sqlite3_sqliteprices_init(sqlite3 *db, char **message,
                          const sqlite3_api_routines *api);

int
sqlite3_sqliteprices_init(sqlite3 *db, char **message,
                          const sqlite3_api_routines *api)
{
    const char *rules = getenv("PRICE_RULES");
    struct pexcz_runtime_error err;
    struct pexcz_runtime *rt;

    SQLITE_EXTENSION_INIT2(api);
    if (rules == NULL) {
        *message = sqlite3_mprintf("PRICE_RULES is not set");
        return SQLITE_ERROR;
    }
    if (pexcz_runtime_open_file(&rt, rules, NULL, &err) < 0) {
        *message = sqlite3_mprintf("%s", err.message);
        return SQLITE_ERROR;
    }
    return sqlite3_create_function_v2(db, "price", 2, SQLITE_UTF8, rt, price,
                                      NULL, NULL, close_runtime);
}
