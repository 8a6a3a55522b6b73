/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Python inside a C or C++ program: libpexcz_runtime.a.
 *
 *     struct pexcz_runtime_error err;
 *     struct pexcz_runtime *rt;
 *
 *     if (pexcz_runtime_open_file(&rt, "./app", NULL, &err) < 0
 *         || pexcz_runtime_run_string(rt, "print(1 + 1)", NULL, &err) < 0) {
 *         fprintf(stderr, "%s\n", err.message);
 *     }
 *     pexcz_runtime_close(rt, NULL);
 *
 * A packed file (`pexcz pack app.pex -o app`) carries the application and the
 * standard library; a base (lib/pexcz/base-X.Y) the standard library alone.
 * The file is only read: the Python that runs is the one in the library, so
 * both must be of the same version.
 *
 * What the library does not do: call exit(), print, install signal handlers or
 * change the locale or the environment, unless an option asks for it.  What
 * the Python code does is its own affair: os._exit() ends the process.
 *
 * One runtime at a time.  A process has one Python; it can be opened again
 * after it was closed.  Where another libpython is loaded, or Python was
 * initialised behind this library's back, opening fails with CONFLICT.
 *
 * Threads.  All functions but open and close may be called from any thread,
 * at the same time; they take Python's lock (the GIL) themselves, so a caller
 * must not hold a lock of its own that Python code waits for.  After open the
 * lock is free.  close() belongs to the thread that opened, to Python its main
 * thread, and waits for Python's own threads; no other call may be running or
 * come later.  A caller of the CPython API brackets it with
 * PyGILState_Ensure() and PyGILState_Release().  After fork() a child that
 * does not exec must not use the runtime.
 *
 * Ownership.  Strings and bytes that go in are borrowed for the call (those of
 * the options until close).  What comes out says whose it is.
 *
 * Errors.  0, or a negative enum pexcz_runtime_code and *err filled; `err` may
 * be NULL.  Outputs are written on success only.
 *
 * CPython's API (its headers are in ${includedir}/pexcz/pythonX.Y) is there
 * as well.  Extension modules in wheels find it if the program exports it,
 * which the flags of `pkg-config --libs pexcz_runtime` ask for.  They reach
 * the packed files through Python's own functions, not through libc.
 */
#ifndef PEXCZ_RUNTIME_H
#define PEXCZ_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PEXCZ_RUNTIME_API __attribute__((visibility("default")))

enum pexcz_runtime_code {
    PEXCZ_RUNTIME_OK = 0,
    PEXCZ_RUNTIME_E_NOMEM = -1,
    PEXCZ_RUNTIME_E_IO = -2,          /* sys_errno says why */
    PEXCZ_RUNTIME_E_USAGE = -3,       /* a rule of this header was broken */
    PEXCZ_RUNTIME_E_NOT_FOUND = -4,   /* entry point, function, resource */
    PEXCZ_RUNTIME_E_CORRUPT = -5,     /* the packed file is damaged */
    PEXCZ_RUNTIME_E_UNSUPPORTED = -6, /* the file is for another Python */
    PEXCZ_RUNTIME_E_TOO_BIG = -7,
    PEXCZ_RUNTIME_E_CONFLICT = -8, /* another Python is in this process */
    PEXCZ_RUNTIME_E_INTERNAL = -9,
    PEXCZ_RUNTIME_E_EXCEPTION = -10, /* Python code raised */
    PEXCZ_RUNTIME_E_VALUE = -11,     /* a result that is no C value */
    PEXCZ_RUNTIME_E_START = -12,     /* Python could not be initialised */
};

/* Texts are UTF-8, NUL-terminated and cut where they are too long. */
struct pexcz_runtime_error {
    int code;
    int sys_errno;        /* 0 when no system call is to blame */
    char type[256];       /* EXCEPTION: "json.decoder.JSONDecodeError" */
    char message[2048];   /* EXCEPTION: str(exception) */
    char traceback[8192]; /* EXCEPTION: as Python prints it; else empty */
};

struct pexcz_runtime;

/* All zero is the default. */
struct pexcz_runtime_options {
    /* sys.argv; without it [""]. */
    int argc;
    char *const *argv;
    /* sys.executable, with which programs such as multiprocessing start a
     * Python.  NULL: the packed file if it has a path and may be executed,
     * else empty. */
    const char *executable;
    /* PYTHONHASHSEED, PYTHONWARNINGS and the like count. */
    int use_environment;
    /* Variables that the PEX injects or binds are set in this process. */
    int set_environment;
    /* Python's handler of SIGINT (KeyboardInterrupt in the thread that
     * opened), SIGPIPE and SIGXFSZ ignored. */
    int signal_handlers;
    void *reserved[8]; /* NULL */
};

/*
 * Opens a packed file or a base and starts Python; the application's `.pth`
 * lines and sitecustomize run, its entry point does not.
 *
 *   file     by its path
 *   fd       a descriptor open for reading, of a regular file or memfd; it may
 *            be closed afterwards
 *   memory   `size` bytes at `data`, which stay as they are until close
 *
 * `options` may be NULL.  *ret is to be given to pexcz_runtime_close().
 *
 * Errors: IO, CORRUPT, UNSUPPORTED; NOT_FOUND without a standard library in
 * the file; CONFLICT; USAGE while a runtime is open; START, after which Python
 * cannot be started any more in this process; EXCEPTION in code that runs at
 * start.
 */
PEXCZ_RUNTIME_API int
pexcz_runtime_open_file(struct pexcz_runtime **ret, const char *path,
                        const struct pexcz_runtime_options *options,
                        struct pexcz_runtime_error *err);
PEXCZ_RUNTIME_API int
pexcz_runtime_open_fd(struct pexcz_runtime **ret, int fd,
                      const struct pexcz_runtime_options *options,
                      struct pexcz_runtime_error *err);
PEXCZ_RUNTIME_API int
pexcz_runtime_open_memory(struct pexcz_runtime **ret, const void *data,
                          size_t size,
                          const struct pexcz_runtime_options *options,
                          struct pexcz_runtime_error *err);

/*
 * Ends Python: waits for its threads, runs atexit callbacks, flushes and
 * frees. NULL is accepted.  EXCEPTION: sys.stdout could not be flushed; USAGE:
 * another thread than the one that opened, and nothing was done.  In any other
 * case `rt` is gone.
 */
PEXCZ_RUNTIME_API int pexcz_runtime_close(struct pexcz_runtime *rt,
                                          struct pexcz_runtime_error *err);

/*
 * Runs the application's entry point to its end and flushes sys.stdout and
 * sys.stderr.  *ret_exit_code: what the process would have ended with; with
 * sys.exit("text") it is 1, and err->message is the text.  An exception other
 * than SystemExit is an error, so is an entry point that is no Python program
 * (NotImplementedError).  NOT_FOUND: there is no entry point.
 */
PEXCZ_RUNTIME_API int pexcz_runtime_run(struct pexcz_runtime *rt,
                                        int *ret_exit_code,
                                        struct pexcz_runtime_error *err);

/*
 * Runs Python statements in the module __main__, whose names stay from one
 * call to the next, and flushes sys.stdout and sys.stderr.  `name` is the
 * file's name in tracebacks; NULL: "<string>".
 */
PEXCZ_RUNTIME_API int
pexcz_runtime_run_string(struct pexcz_runtime *rt, const char *code,
                         const char *name, struct pexcz_runtime_error *err);

enum pexcz_runtime_type {
    PEXCZ_RUNTIME_NONE = 0,
    PEXCZ_RUNTIME_BOOL = 1,
    PEXCZ_RUNTIME_INT = 2,
    PEXCZ_RUNTIME_FLOAT = 3,
    PEXCZ_RUNTIME_TEXT = 4,  /* str: UTF-8, NUL-terminated when it comes out */
    PEXCZ_RUNTIME_BYTES = 5, /* bytes; any object with a buffer comes out so */
};

struct pexcz_runtime_value {
    enum pexcz_runtime_type type;
    union {
        int boolean;
        int64_t integer;
        double number;
        struct {
            const void *data;
            size_t size; /* bytes, without the NUL */
        } bytes;         /* TEXT and BYTES */
    } as;
};

/*
 * Calls `target`, "module:function" or "module:object.method", with `count`
 * positional arguments.  *ret_value, if it is not NULL, belongs to the caller,
 * who gives it to pexcz_runtime_value_done(), after close if need be.
 *
 * NOT_FOUND: `target` is not of that form.  EXCEPTION: also for a module or
 * function that is not there.  VALUE: the result is of another type, or an int
 * beyond 64 bits; the call was made.
 */
PEXCZ_RUNTIME_API int
pexcz_runtime_call(struct pexcz_runtime *rt, const char *target,
                   const struct pexcz_runtime_value *args, size_t count,
                   struct pexcz_runtime_value *ret_value,
                   struct pexcz_runtime_error *err);

/* Frees what a result holds; an all-zero value is accepted. */
PEXCZ_RUNTIME_API void
pexcz_runtime_value_done(struct pexcz_runtime_value *value);

/*
 * The content of a packed file, valid until close.  `name` is relative to the
 * application's sys.path entries ("package/data.txt"), or a whole path
 * ("/proc/pexcz/lib/..."), as __file__ is.  What is stored uncompressed is not
 * copied.  Takes no Python lock.
 */
PEXCZ_RUNTIME_API int pexcz_runtime_resource(struct pexcz_runtime *rt,
                                             const char *name,
                                             const void **ret_data,
                                             size_t *ret_size,
                                             struct pexcz_runtime_error *err);

/* "3.11.2": the Python in this library.  Static; any thread, any time. */
PEXCZ_RUNTIME_API const char *pexcz_runtime_python_version(void);

#ifdef __cplusplus
}
#endif

#endif
