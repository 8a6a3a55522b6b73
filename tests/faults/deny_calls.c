/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deny_calls NAME... -- COMMAND...: a seccomp profile like a container's,
 * under which the named system calls fail with EPERM.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
    const char *name;
    uint32_t number;
} known[] = {
    {"memfd_create", SYS_memfd_create},
    {"flock", SYS_flock},
    {"fsync", SYS_fsync},
    {"statx", SYS_statx},
    {"renameat2", SYS_renameat2},
    {"clone3", SYS_clone3},
    {"utimensat", SYS_utimensat},
    {"sched_getaffinity", SYS_sched_getaffinity},
    {"fchmodat", SYS_fchmodat},
    {"unshare", SYS_unshare},
};

static uint32_t
number_of(const char *name)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(known[i].name, name) == 0) {
            return known[i].number;
        }
    }
    (void)fprintf(stderr, "deny_calls: %s is not known\n", name);
    _exit(125);
}

int
main(int argc, char **argv)
{
    struct sock_filter code[64] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    };
    struct sock_fprog program = {.filter = code};
    unsigned short n = 1;
    int i = 1;

    for (; i < argc && strcmp(argv[i], "--") != 0 && n < 60; i++) {
        /* clone3 is answered as an old kernel does, else nobody forks. */
        uint32_t error = strcmp(argv[i], "clone3") == 0 ? ENOSYS : EPERM;

        code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
                                                 number_of(argv[i]), 0, 1);
        code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
                                                 SECCOMP_RET_ERRNO | error);
    }
    code[n++]
        = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    program.len = n;
    if (i + 1 >= argc || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
        || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        (void)fprintf(stderr, "deny_calls: no filter\n");
        return 125;
    }
    (void)execv(argv[i + 1], argv + i + 1);
    return 127;
}
