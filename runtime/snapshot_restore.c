/* SPDX-License-Identifier: Apache-2.0 */
#include "exe_layout.h"
#include "heap.h"
#include "library_absent.h"
#include "library_restore.h"
#include "live_objects.h"
#include "main_thread.h"
#include "openssl_cpu.h"
#include "owned_data.h"
#include "page_runs.h"
#include "preconfig.h"
#include "process_facts.h"
#include "snapshot.h"
#include "snapshot_environment.h"
#include "snapshot_header.h"
#include "snapshot_home_texts.h"
#include "snapshot_hooks.h"
#include "snapshot_kernel.h"
#include "snapshot_objects.h"
#include "snapshot_refresh.h"
#include "standby.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The standard streams are there, and stdin is no directory, of which Python
 * complains. */
static bool
streams_are_usual(void)
{
    struct stat st;

    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0) {
            return false;
        }
    }
    return fstat(STDIN_FILENO, &st) == 0 && !S_ISDIR(st.st_mode);
}

static bool
has_cwd(void)
{
    char path[PATH_MAX];

    return getcwd(path, sizeof(path)) != NULL;
}

/* Always 0; says why to whoever asks for it. */
static int
boot_ordinarily(const char *why)
{
    const char *value = getenv("PEXCZ_SNAPSHOT");

    if (value != NULL && strcmp(value, "explain") == 0) {
        (void)dprintf(STDERR_FILENO, "pexcz: ordinary boot: %s\n", why);
    }
    return 0;
}

static bool
is_wanted(void)
{
    const char *value = getenv("PEXCZ_SNAPSHOT");

    return value == NULL || strcmp(value, "0") != 0;
}

/* From here on there is no way back to an ordinary boot.  1, or -1 with an
 * exception: that of a callback, or KeyboardInterrupt. */
static int
resume(const struct pexcz_snapshot_header *header,
       const struct pexcz_python_options *options, const char *argv0,
       const PyPreConfig *preconfig)
{
    PyThreadState *state = (PyThreadState *)(uintptr_t)header->thread_state;

    pexcz_heap_adopt(header->heap_end);
    pexcz_page_runs_put(pexcz_snapshot_table(header, &header->pages), header,
                        PEXCZ_ADDR_STDLIB);
    if (pexcz_snapshot_objects.has_openssl != 0) {
        pexcz_openssl_cpu_ask();
    }
    pexcz_libraries_act(header);
    pexcz_process_make_atfork(pexcz_snapshot_table(header, &header->atfork));
    pexcz_main_thread_adopt(state);
    if (pexcz_preconfig_put(preconfig) < 0
        || pexcz_snapshot_home_put(header) < 0
        || pexcz_refresh_arguments(options, argv0) < 0
        || pexcz_main_thread_rekey() < 0) {
        return -1;
    }
    PyOS_AfterFork_Child();
    if (pexcz_refresh_process(pexcz_preconfig_stdio_errors(preconfig)) < 0) {
        return -1;
    }
    pexcz_live_objects_trust_frozen();
    if (pexcz_snapshot_hooks_after_restore() < 0) {
        return -1;
    }
    pexcz_standby_resume();
    return 1;
}

int
pexcz_snapshot_restore(const struct pexcz_located *located,
                       const struct pexcz_python_options *options,
                       const char *argv0)
{
    const struct pexcz_snapshot_header *header;
    PyPreConfig preconfig;
    const char *why;

    if (located->snapshot.len == 0 || !options->environment || !is_wanted()) {
        return boot_ordinarily("there is no snapshot, or it is switched off");
    }
    if (!streams_are_usual()) {
        return boot_ordinarily("a standard stream is closed");
    }
    header = pexcz_snapshot_check(located, located->snapshot);
    if (header == NULL) {
        return boot_ordinarily("the snapshot is damaged, or another file's");
    }
    why = pexcz_libraries_check(located, header);
    if (why != NULL) {
        return boot_ordinarily(why);
    }
    if (header->kernel_is_read != 0 && !pexcz_snapshot_kernel_is_usual()) {
        return boot_ordinarily("imports depend on the kernel's version");
    }
    if (!pexcz_snapshot_environment_matches(
            pexcz_snapshot_table(header, &header->env),
            pexcz_snapshot_hash_seed(header->app_id))) {
        return boot_ordinarily("an environment variable that was read while "
                               "the snapshot was made has another value");
    }
    if (!pexcz_snapshot_home_check(header)) {
        return boot_ordinarily("imports depend on $HOME, which is not a usual "
                               "path");
    }
    if (header->needs_cwd != 0 && !has_cwd()) {
        return boot_ordinarily("there is no working directory");
    }
    if (!pexcz_library_absent_matches(
            pexcz_snapshot_table(header, &header->absent))) {
        return boot_ordinarily("a file is there that was looked for in vain");
    }
    if (!pexcz_owned_check(pexcz_snapshot_table(header, &header->pages))
        || !pexcz_page_runs_check(pexcz_snapshot_table(header, &header->pages),
                                  PEXCZ_PAGE_SIZE, header->tables)
        || PyStatus_Exception(pexcz_python_preconfigure(options))) {
        return boot_ordinarily("Python cannot be preinitialised");
    }
    pexcz_preconfig_get(&preconfig);
    if (!pexcz_preconfig_is_utf8(&preconfig)) {
        return boot_ordinarily("the locale's encoding is not UTF-8");
    }
    if (header->encoding_is_read != 0 && !pexcz_preconfig_has_utf8_locale()) {
        return boot_ordinarily("imports depend on the locale's encoding, and "
                               "it is none of UTF-8");
    }
    if (!pexcz_process_make_keys(
            pexcz_snapshot_table(header, &header->keys))) {
        return boot_ordinarily("another library took a pthread key");
    }
    if (!pexcz_libraries_place(header)) {
        return boot_ordinarily("the addresses of the libraries are taken");
    }
    if (!pexcz_libraries_resume(header, options->process_argc,
                                options->process_argv)) {
        pexcz_libraries_remove(header);
        return boot_ordinarily("a shared object needs what libc lacks");
    }
    return resume(header, options, argv0, &preconfig);
}
