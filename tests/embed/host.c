/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host CASE FILE [ARGUMENT…]: a program with Python inside, one case each
 * time, since a process has one Python.  Prints what test_embed.py expects;
 * exit code 0, or 1 with a line that says which check failed.
 */
#include <Python.h>

#include <pexcz_runtime.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIB                                                                   \
    "/proc/pexcz/lib/python" Py_STRINGIFY(PY_MAJOR_VERSION) "." Py_STRINGIFY( \
        PY_MINOR_VERSION)

static struct pexcz_runtime *rt;
static struct pexcz_runtime_error err;

#define EXPECT(condition)                                                     \
    do {                                                                      \
        if (!(condition)) {                                                   \
            fprintf(stderr, "%s:%d: %s\n  error %d: %s %s\n%s", __FILE__,     \
                    __LINE__, #condition, err.code, err.type, err.message,    \
                    err.traceback);                                           \
            exit(1);                                                          \
        }                                                                     \
    } while (0)

static void
open_file(const char *path)
{
    EXPECT(pexcz_runtime_open_file(&rt, path, NULL, &err) == 0);
}

static void
run_text(const char *text)
{
    EXPECT(pexcz_runtime_run_string(rt, text, NULL, &err) == 0);
}

static void
close_runtime(void)
{
    EXPECT(pexcz_runtime_close(rt, &err) == 0);
    rt = NULL;
}

static struct pexcz_runtime_value
text_value(const char *text)
{
    struct pexcz_runtime_value v = {.type = PEXCZ_RUNTIME_TEXT};

    v.as.bytes.data = text;
    v.as.bytes.size = strlen(text);
    return v;
}

static struct pexcz_runtime_value
call(const char *target, const struct pexcz_runtime_value *args, size_t n)
{
    struct pexcz_runtime_value result;

    EXPECT(pexcz_runtime_call(rt, target, args, n, &result, &err) == 0);
    return result;
}

/* --- cases ----------------------------------------------------------------
 */

static void
case_run(int argc, char **argv)
{
    struct pexcz_runtime_options options = {.argc = argc, .argv = argv};
    int code = -1;

    EXPECT(pexcz_runtime_open_file(&rt, argv[0], &options, &err) == 0);
    EXPECT(pexcz_runtime_run(rt, &code, &err) == 0);
    close_runtime();
    printf("exit code %d, message '%s'\n", code, err.message);
}

static void
case_repeat(int argc, char **argv)
{
    (void)argc;
    for (int i = 0; i < 5; i++) {
        char text[200];

        open_file(argv[0]);
        (void)snprintf(text, sizeof(text),
                       "import json, sys, decimal, prices\n"
                       "assert 'seen' not in globals()\n"
                       "seen = %d\n"
                       "print(seen, prices.price('apple', 2))",
                       i);
        run_text(text);
        close_runtime();
    }
}

/* Two different trees in one process: nothing of the first is left. */
static void
case_two_files(int argc, char **argv)
{
    (void)argc;
    open_file(argv[0]);
    run_text("import prices, os; print(os.path.exists(prices.__file__))");
    close_runtime();
    open_file(argv[1]);
    run_text("import importlib.util as u, os, sys\n"
             "print(u.find_spec('prices'), os.listdir('/proc/pexcz'),"
             " len(sys.path))");
    close_runtime();
    open_file(argv[0]);
    run_text("import prices; print(prices.price('pear', 1))");
    close_runtime();
}

static void
case_memory(int argc, char **argv)
{
    FILE *f = fopen(argv[0], "rb");
    struct stat st;
    char *bytes;

    (void)argc;
    EXPECT(f != NULL && fstat(fileno(f), &st) == 0);
    bytes = malloc((size_t)st.st_size);
    EXPECT(fread(bytes, 1, (size_t)st.st_size, f) == (size_t)st.st_size);
    fclose(f);
    EXPECT(
        pexcz_runtime_open_memory(&rt, bytes, (size_t)st.st_size, NULL, &err)
        == 0);
    run_text("import prices, sys; print(prices.price('pear', 2),"
             " repr(sys.executable))");
    close_runtime();
    free(bytes);
}

static void
case_fd(int argc, char **argv)
{
    int fd = open(argv[0], O_RDONLY);

    (void)argc;
    EXPECT(pexcz_runtime_open_fd(&rt, fd, NULL, &err) == 0);
    (void)close(fd);
    run_text("import prices; print(prices.price('pear', 3))");
    close_runtime();
    EXPECT(pexcz_runtime_open_fd(&rt, -1, NULL, &err)
           == PEXCZ_RUNTIME_E_USAGE);
    EXPECT(pexcz_runtime_open_fd(&rt, 0, NULL, &err) < 0);
    printf("%s\n", err.message);
}

static void
case_values(int argc, char **argv)
{
    struct pexcz_runtime_value args[6] = {
        {.type = PEXCZ_RUNTIME_NONE},
        {.type = PEXCZ_RUNTIME_BOOL, .as.boolean = 1},
        {.type = PEXCZ_RUNTIME_INT, .as.integer = INT64_MIN},
        {.type = PEXCZ_RUNTIME_FLOAT, .as.number = 0.5},
        text_value("h\303\251"),
        {.type = PEXCZ_RUNTIME_BYTES},
    };
    struct pexcz_runtime_value v;

    (void)argc;
    args[5].as.bytes.data = "a\0b";
    args[5].as.bytes.size = 3;
    open_file(argv[0]);
    run_text("def show(*a): return repr(a)\n"
             "def same(a): return a\n"
             "def big(): return 1 << 64\n"
             "def other(): return []\n"
             "def surrogate(): return '\\ud800'\n"
             "class box:\n"
             "    class inner:\n"
             "        @staticmethod\n"
             "        def f(): return bytearray(b'xyz')\n");
    v = call("__main__:show", args, 6);
    EXPECT(v.type == PEXCZ_RUNTIME_TEXT);
    printf("%s\n", (const char *)v.as.bytes.data);
    pexcz_runtime_value_done(&v);
    for (int i = 0; i < 6; i++) {
        v = call("__main__:same", &args[i], 1);
        EXPECT(v.type == args[i].type);
        if (v.type >= PEXCZ_RUNTIME_TEXT) {
            EXPECT(v.as.bytes.size == args[i].as.bytes.size
                   && memcmp(v.as.bytes.data, args[i].as.bytes.data,
                             v.as.bytes.size)
                          == 0);
        }
        else if (v.type == PEXCZ_RUNTIME_INT) {
            EXPECT(v.as.integer == INT64_MIN);
        }
        pexcz_runtime_value_done(&v);
    }
    v = call("__main__:box.inner.f", NULL, 0);
    EXPECT(v.type == PEXCZ_RUNTIME_BYTES && v.as.bytes.size == 3);
    pexcz_runtime_value_done(&v);
    EXPECT(pexcz_runtime_call(rt, "__main__:big", NULL, 0, &v, &err)
           == PEXCZ_RUNTIME_E_VALUE);
    printf("%s\n", err.message);
    EXPECT(pexcz_runtime_call(rt, "__main__:other", NULL, 0, &v, &err)
           == PEXCZ_RUNTIME_E_VALUE);
    printf("%s\n", err.message);
    EXPECT(pexcz_runtime_call(rt, "__main__:surrogate", NULL, 0, &v, &err)
           == PEXCZ_RUNTIME_E_EXCEPTION);
    printf("%s\n", err.type);
    EXPECT(pexcz_runtime_call(rt, "nowhere:f", NULL, 0, NULL, &err)
           == PEXCZ_RUNTIME_E_EXCEPTION);
    printf("%s: %s\n", err.type, err.message);
    EXPECT(pexcz_runtime_call(rt, "json", NULL, 0, NULL, &err)
           == PEXCZ_RUNTIME_E_NOT_FOUND);
    printf("%s\n", err.message);
    close_runtime();
}

static void
case_errors(int argc, char **argv)
{
    struct pexcz_runtime *other = NULL;
    struct pexcz_runtime_options bad = {.argc = 1};

    EXPECT(argc == 4);
    EXPECT(pexcz_runtime_open_file(&rt, argv[0], &bad, &err)
           == PEXCZ_RUNTIME_E_USAGE);
    printf("%s\n", err.message);
    EXPECT(pexcz_runtime_open_file(&rt, "/nowhere", NULL, &err)
               == PEXCZ_RUNTIME_E_IO
           && err.sys_errno == ENOENT);
    printf("%s\n", err.message);
    for (int i = 1; i < argc; i++) {
        EXPECT(pexcz_runtime_open_file(&rt, argv[i], NULL, &err) < 0);
        printf("%d %s\n", err.code, strrchr(err.message, '/'));
    }
    EXPECT(pexcz_runtime_open_memory(&rt, "junk", 4, NULL, &err) < 0);
    printf("%s\n", err.message);
    /* After all that it still works. */
    open_file(argv[0]);
    EXPECT(pexcz_runtime_open_file(&other, argv[0], NULL, &err)
               == PEXCZ_RUNTIME_E_USAGE
           && other == NULL);
    printf("%s\n", err.message);
    EXPECT(pexcz_runtime_run_string(rt, "1 +", "file.x", NULL)
           == PEXCZ_RUNTIME_E_EXCEPTION);
    EXPECT(pexcz_runtime_run_string(rt, "import json\njson.loads('{')",
                                    "file.x", &err)
           == PEXCZ_RUNTIME_E_EXCEPTION);
    printf("%s: %s\n%s", err.type, err.message, err.traceback);
    close_runtime();
    EXPECT(pexcz_runtime_close(NULL, NULL) == 0);
}

static void
case_resources(int argc, char **argv)
{
    const void *a;
    const void *b;
    size_t size;

    (void)argc;
    open_file(argv[0]);
    EXPECT(pexcz_runtime_resource(rt, "price_list/rates.json", &a, &size, &err)
           == 0);
    printf("%.*s", (int)size, (const char *)a);
    EXPECT(pexcz_runtime_resource(
               rt, LIB "/site-packages/price_list/rates.json", &b, &size, &err)
               == 0
           && a == b);
    EXPECT(pexcz_runtime_resource(rt, "price_list", &a, &size, &err)
           == PEXCZ_RUNTIME_E_NOT_FOUND);
    EXPECT(pexcz_runtime_resource(rt, "/etc/passwd", &a, &size, &err)
           == PEXCZ_RUNTIME_E_NOT_FOUND);
    EXPECT(pexcz_runtime_resource(rt, "../../os.py", &a, &size, &err)
           == PEXCZ_RUNTIME_E_NOT_FOUND);
    printf("%s\n", err.message);
    close_runtime();
}

/* --- the process stays the host's ------------------------------------------
 */

static void
handler(int number)
{
    (void)number;
}

static void
case_process(int argc, char **argv)
{
    struct pexcz_runtime_options options = {.signal_handlers = 1};
    struct sigaction before;
    struct sigaction after;
    char locale[100];

    (void)argc;
    (void)signal(SIGINT, handler);
    (void)sigaction(SIGINT, NULL, &before);
    (void)snprintf(locale, sizeof(locale), "%s", setlocale(LC_ALL, NULL));
    (void)setenv("PEX_VERBOSE", "1", 1);
    open_file(argv[0]);
    (void)sigaction(SIGINT, NULL, &after);
    EXPECT(before.sa_handler == after.sa_handler);
    (void)sigaction(SIGPIPE, NULL, &after);
    EXPECT(after.sa_handler == SIG_DFL);
    EXPECT(strcmp(locale, setlocale(LC_ALL, NULL)) == 0);
    EXPECT(getenv("PEX") == NULL && getenv("PEX_VERBOSE") != NULL);
    run_text("import sys; assert sys.flags.utf8_mode\n"
             "assert sys.getfilesystemencoding() == 'utf-8'");
    /* libc's calls of the host do not see the tree; Python's do. */
    EXPECT(access("/proc/pexcz", F_OK) != 0);
    run_text("import os; assert os.path.isdir('/proc/pexcz')");
    close_runtime();

    (void)signal(SIGINT, SIG_DFL);
    EXPECT(pexcz_runtime_open_file(&rt, argv[0], &options, &err) == 0);
    EXPECT(pexcz_runtime_run_string(
               rt, "import signal; signal.raise_signal(signal.SIGINT)", NULL,
               &err)
           == PEXCZ_RUNTIME_E_EXCEPTION);
    printf("%s\n", err.type);
    close_runtime();
    (void)sigaction(SIGINT, NULL, &after);
    EXPECT(after.sa_handler == SIG_DFL);
}

static void
case_environment(int argc, char **argv)
{
    struct pexcz_runtime_options options = {
        .use_environment = 1,
        .set_environment = 1,
        .executable = "/somewhere/python",
    };

    (void)argc;
    EXPECT(pexcz_runtime_open_file(&rt, argv[0], &options, &err) == 0);
    run_text(
        "import os, sys; print(sys.executable, sys.flags.hash_randomization,"
        " os.environ['PEX'])");
    close_runtime();
}

/* --- threads ---------------------------------------------------------------
 */

#define THREADS 8
#define CALLS 200

static void *
call_often(void *unused)
{
    (void)unused;
    for (int i = 0; i < CALLS; i++) {
        struct pexcz_runtime_value args[2] = {
            text_value("pear"),
            {.type = PEXCZ_RUNTIME_INT, .as.integer = i + 1},
        };
        struct pexcz_runtime_value v;
        const void *data;
        size_t size;

        if (pexcz_runtime_call(rt, "prices:price", args, 2, &v, NULL) < 0
            || v.type != PEXCZ_RUNTIME_FLOAT
            || pexcz_runtime_resource(rt, "price_list/rates.json", &data,
                                      &size, NULL)
                   < 0) {
            return NULL;
        }
    }
    return &err;
}

static void *
close_elsewhere(void *unused)
{
    (void)unused;
    return pexcz_runtime_close(rt, NULL) == PEXCZ_RUNTIME_E_USAGE ? &err
                                                                  : NULL;
}

static void
case_threads(int argc, char **argv)
{
    pthread_t threads[THREADS];
    pthread_t closer;
    void *result;

    (void)argc;
    open_file(argv[0]);
    for (int i = 0; i < THREADS; i++) {
        EXPECT(pthread_create(&threads[i], NULL, call_often, NULL) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        EXPECT(pthread_join(threads[i], &result) == 0 && result != NULL);
    }
    EXPECT(pthread_create(&closer, NULL, close_elsewhere, NULL) == 0);
    EXPECT(pthread_join(closer, &result) == 0 && result != NULL);
    /* close() waits for a thread of Python's, and runs atexit callbacks. */
    run_text("import atexit, threading, time\n"
             "def late(): time.sleep(0.2); print('thread done', flush=True)\n"
             "threading.Thread(target=late).start()\n"
             "threading.Thread(target=lambda: time.sleep(100),"
             " daemon=True).start()\n"
             "atexit.register(print, 'atexit')\n");
    close_runtime();
}

static void
case_subinterpreter(int argc, char **argv)
{
    PyGILState_STATE gil;
    PyThreadState *main_state;
    PyThreadState *sub;

    (void)argc;
    open_file(argv[0]);
    gil = PyGILState_Ensure();
    main_state = PyThreadState_Get();
    for (int i = 0; i < 3; i++) {
        sub = Py_NewInterpreter();
        EXPECT(sub != NULL);
        EXPECT(PyRun_SimpleString(
                   "import json, colorsys; print(colorsys.__file__)")
               == 0);
        Py_EndInterpreter(sub);
        (void)PyThreadState_Swap(main_state);
    }
    PyGILState_Release(gil);
    close_runtime();
}

/* argv[1]: a Python of its own on disk, with which this program starts the
 * interpreter by the CPython API alone. */
static void
case_initialised(int argc, char **argv)
{
    PyConfig config;

    EXPECT(argc == 2);
    PyConfig_InitIsolatedConfig(&config);
    EXPECT(!PyStatus_Exception(
        PyConfig_SetBytesString(&config, &config.home, argv[1])));
    EXPECT(!PyStatus_Exception(Py_InitializeFromConfig(&config)));
    PyConfig_Clear(&config);
    EXPECT(pexcz_runtime_open_file(&rt, argv[0], NULL, &err)
           == PEXCZ_RUNTIME_E_CONFLICT);
    printf("%s\n", err.message);
    EXPECT(Py_FinalizeEx() == 0);
    open_file(argv[0]);
    run_text("import prices; print(prices.price('pear', 3))");
    close_runtime();
}

/* argv[1]: a library that is, or looks like, another Python. */
static void
case_other_python(int argc, char **argv)
{
    EXPECT(argc == 2);
    EXPECT(dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL) != NULL);
    EXPECT(pexcz_runtime_open_file(&rt, argv[0], NULL, &err)
           == PEXCZ_RUNTIME_E_CONFLICT);
    printf("%s\n", err.message);
}

/* A standard library without what Python needs to start. */
static void
case_no_encodings(int argc, char **argv)
{
    (void)argc;
    EXPECT(pexcz_runtime_open_file(&rt, argv[0], NULL, &err)
           == PEXCZ_RUNTIME_E_START);
    printf("%s\n", err.message);
    EXPECT(pexcz_runtime_open_file(&rt, argv[0], NULL, &err)
           == PEXCZ_RUNTIME_E_START);
    printf("%s\n", err.message);
}

static void
case_extensions(int argc, char **argv)
{
    (void)argc;
    open_file(argv[0]);
    run_text("import markupsafe, markupsafe._speedups as s\n"
             "print(markupsafe.escape('<a>'), s.__spec__.loader is not None,"
             " s.__file__.startswith('/proc/pexcz/'))");
    close_runtime();
}

static const struct {
    const char *name;
    void (*run)(int argc, char **argv);
} cases[] = {
    {"run", case_run},
    {"repeat", case_repeat},
    {"two_files", case_two_files},
    {"memory", case_memory},
    {"fd", case_fd},
    {"values", case_values},
    {"errors", case_errors},
    {"resources", case_resources},
    {"process", case_process},
    {"environment", case_environment},
    {"threads", case_threads},
    {"subinterpreter", case_subinterpreter},
    {"initialised", case_initialised},
    {"other_python", case_other_python},
    {"no_encodings", case_no_encodings},
    {"extensions", case_extensions},
};

int
main(int argc, char **argv)
{
    for (size_t i = 0; argc > 2 && i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (strcmp(argv[1], cases[i].name) == 0) {
            cases[i].run(argc - 2, argv + 2);
            return 0;
        }
    }
    fprintf(stderr, "usage: host CASE FILE [ARGUMENT...]\n");
    return 2;
}
