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

/* What container engines refuse unless told otherwise, as their
 * documentation lists it. */
static const uint32_t container[] = {
    SYS_acct,
    SYS_add_key,
    SYS_bpf,
    SYS_clock_adjtime,
    SYS_clock_settime,
    SYS_delete_module,
    SYS_finit_module,
    SYS_get_mempolicy,
    SYS_init_module,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_io_uring_setup,
    SYS_ioperm,
    SYS_iopl,
    SYS_kcmp,
    SYS_kexec_file_load,
    SYS_kexec_load,
    SYS_keyctl,
    SYS_mbind,
    SYS_mount,
    SYS_move_pages,
    SYS_name_to_handle_at,
    SYS_open_by_handle_at,
    SYS_perf_event_open,
    SYS_personality,
    SYS_pivot_root,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_ptrace,
    SYS_quotactl,
    SYS_reboot,
    SYS_request_key,
    SYS_set_mempolicy,
    SYS_setns,
    SYS_settimeofday,
    SYS_swapoff,
    SYS_swapon,
    SYS_sysfs,
    SYS_umount2,
    SYS_unshare,
    SYS_userfaultfd,
    SYS_ustat,
};

#define MAX_CODE 256

/* Appends: this call fails with the error. */
static unsigned short
deny(struct sock_filter *code, unsigned short n, uint32_t number,
     uint32_t error)
{
    code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number,
                                             0, 1);
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
                                             SECCOMP_RET_ERRNO | error);
    return n;
}

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
    struct sock_filter code[MAX_CODE] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    };
    struct sock_fprog program = {.filter = code};
    unsigned short n = 1;
    int i = 1;

    for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
        size_t all = sizeof(container) / sizeof(container[0]);

        if (strcmp(argv[i], "container") != 0) {
            /* clone3 is answered as an old kernel does, else nobody forks. */
            n = deny(code, n, number_of(argv[i]),
                     strcmp(argv[i], "clone3") == 0 ? ENOSYS : EPERM);
            continue;
        }
        for (size_t k = 0; k < all; k++) {
            n = deny(code, n, container[k], EPERM);
        }
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
