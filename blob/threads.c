/* SPDX-License-Identifier: Apache-2.0 */
#include "threads.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>

#define MAX_THREADS 16u
#define STACK_SIZE ((size_t)256 << 10)

_Thread_local bool pexcz_is_alone;

unsigned int
pexcz_processor_count(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof(set), &set) == 0
               ? (unsigned int)CPU_COUNT(&set)
               : 1;
}

struct job {
    void (*work)(void *context);
    void *context;
};

static void *
run(void *argument)
{
    const struct job *job = argument;

    job->work(job->context);
    return NULL;
}

void
pexcz_run_in_threads(unsigned int count, void (*work)(void *context),
                     void *context)
{
    struct job job = {work, context};
    pthread_t ids[MAX_THREADS];
    unsigned int started = 0;
    pthread_attr_t attr;
    sigset_t all;
    sigset_t before;

    if (count > 1 && !pexcz_is_alone && pthread_attr_init(&attr) == 0) {
        (void)pthread_attr_setstacksize(&attr, STACK_SIZE);
        (void)sigfillset(&all);
        (void)pthread_sigmask(SIG_SETMASK, &all, &before);
        while (started + 1 < count && started < MAX_THREADS
               && pthread_create(&ids[started], &attr, run, &job) == 0) {
            started++;
        }
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
        (void)pthread_attr_destroy(&attr);
    }
    work(context);
    while (started > 0) {
        (void)pthread_join(ids[--started], NULL);
    }
}
