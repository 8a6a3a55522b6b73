/* SPDX-License-Identifier: Apache-2.0 */
/* packer/extract: the tree is written as it is, or nothing is. */
#include "extract.h"
#include "interrupt.h"
#include "packed_build.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define END_OF_LIST                                                           \
    {                                                                         \
        NULL, PEXCZ_KIND_FILE, 0, NULL, NULL                                  \
    }

static const struct packed_item stdlib[] = {
    {"bin/python", PEXCZ_KIND_SELF, 0755, NULL, NULL},
    {"bin/python3", PEXCZ_KIND_SELF, 0755, NULL, NULL},
    {"lib/os.py", PEXCZ_KIND_FILE, 0644, "import sys\n", "code"},
    END_OF_LIST,
};

static const struct packed_item app[] = {
    {"closed", PEXCZ_KIND_DIR, 0555, NULL, NULL},
    {"closed/file", PEXCZ_KIND_FILE, 0600, "secret\n", NULL},
    {"lib/app.py", PEXCZ_KIND_FILE, 0664, "x = 1\n", "code"},
    {"lib/empty", PEXCZ_KIND_FILE, 0644, "", NULL},
    {"lib/link", PEXCZ_KIND_SYMLINK, 0777, "../closed/file", NULL},
    {"lib/set-id", PEXCZ_KIND_FILE, 06755, "#!\n", NULL},
    END_OF_LIST,
};

static int
extract(const char *file, const char *directory, bool all,
        struct pexcz_error *err)
{
    return pexcz_extract(
        &(struct pexcz_file_options){
            .file = file,
            .directory = directory,
            .all = all,
            .verbosity = -1,
        },
        err);
}

/* Names in the current folder that begin with a dot: temporary ones. */
static int
left_over(void)
{
    DIR *d = opendir(".");
    const struct dirent *item;
    int count = 0;

    CHECK(d != NULL);
    while ((item = readdir(d)) != NULL) {
        count += item->d_name[0] == '.' && strcmp(item->d_name, ".") != 0
                         && strcmp(item->d_name, "..") != 0
                     ? 1
                     : 0;
    }
    (void)closedir(d);
    return count;
}

static bool
exists(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

static void
clear(const char *directory)
{
    char command[128];

    (void)snprintf(command, sizeof(command), "chmod -R u+w %s; rm -r %s",
                   directory, directory);
    CHECK_EQ(system(command), 0);
}

static void
check_mode(const char *path, unsigned int mode)
{
    struct stat st = {0};

    CHECK_EQ(lstat(path, &st), 0);
    CHECK_EQ(st.st_mode & 07777u, mode);
    CHECK_EQ(st.st_mtim.tv_sec, PACKED_MTIME);
    CHECK_EQ(st.st_mtim.tv_nsec, 500);
}

static void
check_content(const char *path, const char *want)
{
    char got[64] = "";
    FILE *f = fopen(path, "r");

    CHECK(f != NULL);
    if (f != NULL) {
        got[fread(got, 1, sizeof(got) - 1, f)] = '\0';
        (void)fclose(f);
    }
    CHECK_STR(got, want);
}

static void
test_application(void)
{
    char target[32] = "";
    struct pexcz_error err;

    (void)umask(022);
    CHECK_EQ(extract("packed", "out", false, &err), 0);
    check_mode("out/closed", 0555);
    check_mode("out/closed/file", 0600);
    check_mode("out/lib/app.py", 0644);
    check_mode("out/lib/set-id", 0755);
    check_content("out/closed/file", "secret\n");
    check_content("out/lib/app.py", "x = 1\n");
    check_content("out/lib/empty", "");
    CHECK_EQ(readlink("out/lib/link", target, sizeof(target) - 1), 14);
    CHECK_STR(target, "../closed/file");
    CHECK(!exists("out/bin") && !exists("out/lib/os.py"));
    CHECK_EQ(left_over(), 0);
    clear("out");

    (void)umask(077);
    CHECK_EQ(extract("packed", "out", false, &err), 0);
    check_mode("out/lib/app.py", 0600);
    check_mode("out/closed", 0500);
    (void)umask(022);
    clear("out");
}

static void
test_all(void)
{
    struct stat file = {0};
    struct stat self = {0};
    struct stat again = {0};
    struct pexcz_error err;

    CHECK_EQ(extract("packed", "out", true, &err), 0);
    check_content("out/lib/os.py", "import sys\n");
    check_content("out/lib/app.py", "x = 1\n");
    CHECK_EQ(stat("packed", &file), 0);
    CHECK_EQ(stat("out/bin/python", &self), 0);
    CHECK_EQ(stat("out/bin/python3", &again), 0);
    CHECK_EQ(self.st_size, file.st_size);
    CHECK_EQ(self.st_ino, again.st_ino);
    CHECK_EQ(system("cmp packed out/bin/python"), 0);
    check_mode("out/bin/python", 0755);
    clear("out");
}

static void
test_targets(void)
{
    static const struct {
        const char *directory;
        const char *message;
    } refused[] = {
        {"full", "full: exists and is not empty"},
        {"full/", "full: exists and is not empty"},
        {"packed", "packed: exists and is not a directory"},
        {"to-empty", "to-empty: exists and is not a directory"},
        {".", "'.' cannot be replaced: name a new directory"},
        {"empty/..", "'empty/..' cannot be replaced: name a new directory"},
        {"", "'' cannot be replaced: name a new directory"},
        {"/", "'/' cannot be replaced: name a new directory"},
        {"missing/out", "missing/out: cannot write to its parent directory: "
                        "No such file or directory"},
    };
    struct pexcz_error err;

    CHECK_EQ(mkdir("empty", 0755), 0);
    CHECK_EQ(mkdir("full", 0755), 0);
    CHECK_EQ(mkdir("full/of", 0755), 0);
    CHECK_EQ(symlink("empty", "to-empty"), 0);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        err.msg[0] = '\0';
        CHECK(extract("packed", refused[i].directory, false, &err) < 0);
        CHECK_STR(err.msg, refused[i].message);
    }
    CHECK(exists("full/of"));
    CHECK_EQ(extract("packed", "empty//", false, &err), 0);
    check_content("empty/lib/app.py", "x = 1\n");
    CHECK_EQ(left_over(), 0);
    CHECK_EQ(unlink("to-empty"), 0);
    clear("empty");
    clear("full");
}

static void
test_links(void)
{
    static const struct {
        const char *path;
        const char *target;
        bool inside;
    } cases[] = {
        {"a", "b", true},
        {"a", ".", true},
        {"a/b", "..", true},
        {"a/b", "../c", true},
        {"a/b/c", "../../d", true},
        {"a/b", "c/..d", true},
        {"a/b", "..c/d", true},
        {"a", "/etc/passwd", false},
        {"a", "..", false},
        {"a", "../b", false},
        {"a/b", "../..", false},
        {"a/b", "../../c", false},
        {"a/b", "c/../d", false},
        {"a/b", "c/..", false},
        {"a/b", "./../../c", false},
    };
    static const struct packed_item evil[] = {
        {"a", PEXCZ_KIND_FILE, 0644, "x", NULL},
        {"link", PEXCZ_KIND_SYMLINK, 0777, "../../etc/passwd", NULL},
        END_OF_LIST,
    };
    struct pexcz_error err;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK_EQ(pexcz_link_stays_inside(cases[i].path, cases[i].target),
                 cases[i].inside);
    }
    packed_write_base("evil");
    packed_add("evil", PEXCZ_ADDR_STDLIB, PACKED_MAGIC, evil, NULL);
    CHECK_EQ(extract("evil", "out", false, &err), PEXCZ_E_CORRUPT);
    CHECK_STR(err.msg, "out: link: the link leads out of the tree");
    CHECK(!exists("out"));
    CHECK_EQ(left_over(), 0);
    CHECK_EQ(unlink("evil"), 0);
}

static void
test_damaged(void)
{
    struct pexcz_error err;
    int fd;

    CHECK_EQ(system("cp packed damaged"), 0);
    fd = open("damaged", O_WRONLY);
    /* The first payload of the blob at file offset 8192. */
    CHECK_EQ(pwrite(fd, "?", 1, 8192 + 4096 + 1), 1);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(extract("damaged", "out", true, &err), PEXCZ_E_CORRUPT);
    CHECK(strncmp(err.msg, "damaged: standard library: ", 27) == 0);
    CHECK(!exists("out"));
    CHECK_EQ(left_over(), 0);
    CHECK_EQ(unlink("damaged"), 0);
}

/* In a child: limits and handlers are the process's. */
static int
in_child(void (*run)(void))
{
    pid_t pid = fork();
    int status = 0;

    if (pid == 0) {
        run();
        _exit(99);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void
run_out_of_space(void)
{
    struct rlimit limit = {.rlim_cur = 1000, .rlim_max = RLIM_INFINITY};
    struct pexcz_error err = {0};

    (void)signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) == 0
        && extract("packed", "out", true, &err) == PEXCZ_E_IO
        && strcmp(err.msg, "out: bin/python: cannot write: File too large")
               == 0) {
        _exit(0);
    }
    (void)fprintf(stderr, "%s\n", err.msg);
}

static void
run_interrupted(void)
{
    struct pexcz_error err;

    pexcz_interrupt_install();
    pexcz_interrupt_block();
    (void)raise(SIGTERM);
    /* It unblocks signals when it has cleaned up. */
    (void)!extract("packed", "out", true, &err);
}

static void
test_failures_leave_nothing(void)
{
    CHECK_EQ(in_child(run_out_of_space), 0);
    CHECK(!exists("out"));
    CHECK_EQ(left_over(), 0);
    CHECK_EQ(in_child(run_interrupted), 128 + SIGTERM);
    CHECK(!exists("out"));
    CHECK_EQ(left_over(), 0);
}

int
main(void)
{
    char folder[] = "/tmp/test_extract_XXXXXX";

    packed_enter_folder(folder);
    packed_write_base("packed");
    packed_add("packed", PEXCZ_ADDR_STDLIB, PACKED_MAGIC, stdlib, NULL);
    packed_add("packed", PEXCZ_ADDR_APP, PACKED_MAGIC, app, NULL);
    test_application();
    test_all();
    test_targets();
    test_links();
    test_damaged();
    test_failures_leave_nothing();
    CHECK_EQ(unlink("packed"), 0);
    CHECK_EQ(rmdir(folder), 0);
    CHECK_DONE();
}
