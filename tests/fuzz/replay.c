/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds every file of the folder CORPUS to a fuzz target: for `make check`,
 * without libFuzzer. */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

static int
replay(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *bytes;
    long size;
    int rc = -1;

    if (f == NULL || fseek(f, 0, SEEK_END) != 0) {
        perror(path);
        return -1;
    }
    size = ftell(f);
    rewind(f);
    bytes = malloc((size_t)size); /* exact, so that ASan sees an overrun */
    if (bytes != NULL && fread(bytes, 1, (size_t)size, f) == (size_t)size) {
        rc = LLVMFuzzerTestOneInput(bytes, (size_t)size);
    }
    free(bytes);
    (void)fclose(f);
    return rc;
}

int
main(void)
{
    struct dirent **names;
    int count = scandir(CORPUS, &names, NULL, alphasort);
    int done = 0;

    for (int i = 0; i < count; i++) {
        char path[4096];

        if (names[i]->d_name[0] != '.') {
            (void)snprintf(path, sizeof(path), "%s/%s", CORPUS,
                           names[i]->d_name);
            (void)fprintf(stderr, "%s\n", path);
            if (replay(path) != 0) {
                return 1;
            }
            done++;
        }
        free(names[i]);
    }
    if (count >= 0) {
        free(names);
    }
    return done != 0 ? 0 : 1;
}
