/* SPDX-License-Identifier: Apache-2.0 */
#include "image.h"

#include "exe_writer.h"
#include "file_map.h"

static int
write_blob(const struct pexcz_image *image, uint64_t offset,
           uint64_t *ret_size, struct pexcz_error *err)
{
    struct pexcz_buf dict = {0};
    struct pexcz_blob_writer *writer = NULL;
    int rc = pexcz_tree_store_dictionary(image->store, &dict, err);

    if (rc == PEXCZ_OK) {
        struct pexcz_blob_options options = {
            .machine = pexcz_elf_own_machine(),
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
        rc = pexcz_blob_writer_finish(writer, image->python->suffixes,
                                      ret_size, err);
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
        rc = write_blob(image, offset, &sizes.blob, err);
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
