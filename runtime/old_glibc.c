/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What glibc before 2.34 has in librt and libutil only.  Defined here, the
 * executable needs neither: each library costs a start 35 us.  Of others
 * see old_glibc_threads.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#define SHM_FOLDER "/dev/shm/"

/* --- POSIX shared memory ------------------------------------------------- */

static int
shm_path(const char *name, char *dst, size_t cap)
{
    while (*name == '/') {
        name++;
    }
    if (*name == '\0' || strchr(name, '/') != NULL) {
        errno = EINVAL;
        return -1;
    }
    if ((size_t)snprintf(dst, cap, SHM_FOLDER "%s", name) >= cap) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return 0;
}

int
shm_open(const char *name, int flags, mode_t mode)
{
    char path[sizeof(SHM_FOLDER) + NAME_MAX];
    int fd = -1;

    if (shm_path(name, path, sizeof(path)) == 0) {
        fd = open(path, flags | O_NOFOLLOW | O_CLOEXEC, mode);
        if (fd < 0 && errno == EISDIR) {
            errno = EINVAL;
        }
    }
    return fd;
}

int
shm_unlink(const char *name)
{
    char path[sizeof(SHM_FOLDER) + NAME_MAX];
    int rc = shm_path(name, path, sizeof(path)) == 0 ? unlink(path) : -1;

    if (rc < 0 && errno == EPERM) {
        errno = EACCES;
    }
    return rc;
}

/* --- terminals ----------------------------------------------------------- */

int
login_tty(int fd)
{
    (void)setsid();
    if (ioctl(fd, TIOCSCTTY, NULL) < 0) {
        return -1;
    }
    for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++) {
        while (dup2(fd, i) < 0 && errno == EBUSY) {
        }
    }
    if (fd > STDERR_FILENO) {
        (void)close(fd);
    }
    return 0;
}

/* The slave side; its path goes to `name` unless that is NULL. */
static int
open_slave(int master, char *name)
{
    char path[PATH_MAX];
    int rc;

    if (grantpt(master) < 0 || unlockpt(master) < 0) {
        return -1;
    }
    rc = ptsname_r(master, path, sizeof(path));
    if (rc != 0) {
        errno = rc;
        return -1;
    }
    if (name != NULL) {
        strcpy(name, path); /* the caller's buffer has no size: openpty(3) */
    }
    return open(path, O_RDWR | O_NOCTTY);
}

int
openpty(int *ret_master, int *ret_slave, char *name,
        const struct termios *settings, const struct winsize *size)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    int slave = master >= 0 ? open_slave(master, name) : -1;

    if (slave < 0) {
        int saved = errno;

        if (master >= 0) {
            (void)close(master);
        }
        errno = saved;
        return -1;
    }
    if (settings != NULL) {
        (void)tcsetattr(slave, TCSAFLUSH, settings);
    }
    if (size != NULL) {
        (void)ioctl(slave, TIOCSWINSZ, size);
    }
    *ret_master = master;
    *ret_slave = slave;
    return 0;
}

pid_t
forkpty(int *ret_master, char *name, const struct termios *settings,
        const struct winsize *size)
{
    int master;
    int slave;
    pid_t pid;

    if (openpty(&master, &slave, name, settings, size) < 0) {
        return -1;
    }
    pid = fork();
    if (pid == 0) {
        (void)close(master);
        if (login_tty(slave) < 0) {
            _exit(1);
        }
        return 0;
    }
    (void)close(slave);
    if (pid < 0) {
        (void)close(master);
        return -1;
    }
    *ret_master = master;
    return pid;
}
