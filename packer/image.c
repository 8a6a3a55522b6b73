/* SPDX-License-Identifier: Apache-2.0 */
#include "image.h"

#include "exe_writer.h"
#include "file_map.h"

#include <stdio.h>

/* Suffixes of extension modules for the machine of the executable: those of
 * the Python that compiles may name this one. */
struct suffixes {
    char text[PEXCZ_MAX_SUFFIXES][64];
    const char *list[PEXCZ_MAX_SUFFIXES + 1];
};

static void
make_suffixes(const struct pexcz_python *python, uint16_t machine,
              struct suffixes *ret)
{
    const char *own = pexcz_elf_machine_name(pexcz_elf_own_machine());

    *ret = (struct suffixes){0};
    for (size_t i = 0; python->suffixes[i] != NULL; i++) {
        const char *text = python->suffixes[i];
        const char *name = strstr(text, own);

        if (name == NULL) {
            (void)snprintf(ret->text[i], sizeof(ret->text[i]), "%s", text);
        }
        else {
            (void)snprintf(ret->text[i], sizeof(ret->text[i]), "%.*s%s%s",
                           (int)(name - text), text,
                           pexcz_elf_machine_name(machine),
                           name + strlen(own));
        }
        ret->list[i] = ret->text[i];
    }
}

static int
write_blob(const struct pexcz_image *image, uint16_t machine, uint64_t offset,
           uint64_t *ret_size, struct pexcz_error *err)
{
    struct suffixes suffixes;
    struct pexcz_buf dict = {0};
    struct pexcz_blob_writer *writer = NULL;
    int rc = pexcz_tree_store_dictionary(image->store, &dict, err);

    if (rc == PEXCZ_OK) {
        struct pexcz_blob_options options = {
            .machine = machine,
            .python_major = (uint16_t)image->python->major,
            .python_minor = (uint16_t)image->python->minor,
            .python_magic = image->python->magic,
            .dict = pexcz_buf_slice(&dict),
            .name = image->out->shown,
        };

        writer = pexcz_blob_writer_new(image->out->fd, offset, &options, err);
        rc = writer == NULL ? PEXCZ_E_NOMEM : PEXCZ_OK;
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_tree_store_write(image->store, pexcz_buf_slice(&dict),
                                    writer, err);
    }
    if (rc == PEXCZ_OK) {
        rc = image->extra(image->context, writer, err);
    }
    if (rc == PEXCZ_OK) {
        make_suffixes(image->python, machine, &suffixes);
        rc = pexcz_blob_writer_finish(writer, suffixes.list, ret_size, err);
    }
    pexcz_blob_writer_free(writer);
    pexcz_buf_done(&dict);
    return rc;
}

int
pexcz_image_write(const struct pexcz_image *image,
                  struct pexcz_image_sizes *ret, struct pexcz_error *err)
{
    struct pexcz_slice base = {0};
    struct pexcz_exe exe = {0};
    struct pexcz_image_sizes sizes;
    uint64_t offset;
    int rc = pexcz_file_map(image->elf, &base, err);

    if (rc < 0) {
        return rc;
    }
    rc = pexcz_exe_open(&exe, base, image->elf, image->address, image->section,
                        err);
    if (rc == PEXCZ_OK) {
        rc = pexcz_exe_begin(&exe, image->out, &offset, err);
    }
    if (rc == PEXCZ_OK) {
        sizes.base = offset;
        rc = write_blob(image, exe.elf.header.e_machine, offset, &sizes.blob,
                        err);
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_exe_finish(&exe, image->out, sizes.blob, &sizes.total, err);
    }
    pexcz_exe_close(&exe);
    pexcz_file_unmap(&base);
    if (rc == PEXCZ_OK) {
        *ret = sizes;
    }
    return rc;
}
