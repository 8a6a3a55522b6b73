/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds small PEX files on disk for tests.
 */
#ifndef PEXCZ_PEX_BUILD_H
#define PEXCZ_PEX_BUILD_H

#include "check.h"
#include "zip_build.h"

#include <stdarg.h>
#include <unistd.h>

struct pex_build {
    struct zip_build zip;
    char path[64];
};

static inline char *pex_format(const char *fmt, va_list ap)
    __attribute__((format(printf, 1, 0)));

static inline char *
pex_format(const char *fmt, va_list ap)
{
    char *text = NULL;

    zip_must(vasprintf(&text, fmt, ap));
    return text;
}

static inline void pex_add(struct zip_build *z, const char *text,
                           const char *name_fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* A member with this text. */
static inline void
pex_add(struct zip_build *z, const char *text, const char *name_fmt, ...)
{
    va_list ap;
    char *name;

    va_start(ap, name_fmt);
    name = pex_format(name_fmt, ap);
    va_end(ap);
    zip_add_text(z, name, text);
    free(name);
}

/*
 * The .dist-info of NAME VERSION under `prefix` ("" or a directory with its
 * slash); `metadata` is further header lines, each with its line end.
 */
static inline void
pex_add_info(struct zip_build *z, const char *prefix, const char *name,
             const char *version, const char *metadata, const char *record)
{
    char text[2048];

    (void)snprintf(text, sizeof(text),
                   "Metadata-Version: 2.1\nName: %s\nVersion: %s\n%s\nbody\n",
                   name, version, metadata);
    pex_add(z, text, "%s%s-%s.dist-info/METADATA", prefix, name, version);
    pex_add(z, "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n",
            "%s%s-%s.dist-info/WHEEL", prefix, name, version);
    if (record != NULL) {
        pex_add(z, record, "%s%s-%s.dist-info/RECORD", prefix, name, version);
    }
}

/* A pre-installed wheel with one module, NAME.py. */
static inline void
pex_add_dist(struct pex_build *p, const char *name, const char *version,
             const char *tags, const char *metadata)
{
    char prefix[256];
    char record[512];
    char layout[512];

    (void)snprintf(prefix, sizeof(prefix), ".deps/%s-%s-%s.whl/", name,
                   version, tags);
    (void)snprintf(record, sizeof(record),
                   "%s.py,,\n%s-%s.dist-info/METADATA,,\n"
                   "%s-%s.dist-info/RECORD,,\n",
                   name, name, version, name, version);
    (void)snprintf(layout, sizeof(layout),
                   "{\"stash_dir\": \".prefix\", \"record_relpath\": "
                   "\"%s-%s.dist-info/RECORD\", \"root_is_purelib\": true, "
                   "\"sys_path_entries\": [\".\"]}",
                   name, version);
    pex_add(&p->zip, layout, "%s.layout.json", prefix);
    pex_add(&p->zip, "x = 1\n", "%s%s.py", prefix, name);
    pex_add_info(&p->zip, prefix, name, version, metadata, record);
}

/* Writes the PEX with this PEX-INFO and gives its path. */
static inline const char *
pex_write(struct pex_build *p, const char *info)
{
    static const struct zip_end end = {0};
    int fd;

    zip_add_text(&p->zip, "PEX-INFO", info);
    zip_add_text(&p->zip, "__main__.py", "");
    zip_finish(&p->zip, &end);
    (void)snprintf(p->path, sizeof(p->path), "/tmp/pexcz-test-XXXXXX");
    fd = mkstemp(p->path);
    zip_must(fd);
    CHECK(write(fd, p->zip.out.ptr, p->zip.out.len)
          == (ssize_t)p->zip.out.len);
    (void)close(fd);
    return p->path;
}

static inline void
pex_build_done(struct pex_build *p)
{
    (void)unlink(p->path);
    zip_build_done(&p->zip);
}

#endif
