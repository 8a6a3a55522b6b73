/* SPDX-License-Identifier: Apache-2.0 */
#include "near_name.h"

#include <stdint.h>
#include <string.h>

/* Longer names are not compared. */
#define MAX_LEN 100

static size_t
smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t
pexcz_name_distance(const char *a, const char *b)
{
    size_t rows[3][MAX_LEN + 1]; /* of the last two letters of a, and this */
    size_t len_a = strlen(a);
    size_t len_b = strlen(b);
    size_t limit = ((len_a > len_b ? len_a : len_b) + 2) / 3;

    if (len_a > MAX_LEN || len_b > MAX_LEN) {
        return SIZE_MAX;
    }
    for (size_t k = 0; k <= len_b; k++) {
        rows[0][k] = k;
    }
    for (size_t i = 1; i <= len_a; i++) {
        size_t *row = rows[i % 3];
        const size_t *last = rows[(i - 1) % 3];

        row[0] = i;
        for (size_t k = 1; k <= len_b; k++) {
            size_t same = a[i - 1] == b[k - 1] ? 0 : 1;

            row[k] = smaller(smaller(last[k], row[k - 1]) + 1,
                             last[k - 1] + same);
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2]
                && a[i - 2] == b[k - 1]) {
                row[k] = smaller(row[k], rows[(i - 2) % 3][k - 2] + 1);
            }
        }
    }
    return rows[len_a % 3][len_b] <= limit ? rows[len_a % 3][len_b] : SIZE_MAX;
}
