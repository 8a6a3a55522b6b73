/* SPDX-License-Identifier: Apache-2.0 */
#include "near_name.h"

#include "check.h"

#include <stdint.h>
#include <string.h>

static void
test_distance(void)
{
    CHECK_EQ(pexcz_name_distance("cowsay", "cowsay"), 0);
    CHECK_EQ(pexcz_name_distance("cowsya", "cowsay"), 1);
    CHECK_EQ(pexcz_name_distance("cowsay", "cowsays"), 1);
    CHECK_EQ(pexcz_name_distance("owsay", "cowsay"), 1);
    CHECK_EQ(pexcz_name_distance("cowsax", "cowsay"), 1);
    CHECK_EQ(pexcz_name_distance("django-admn", "django-admin"), 1);
    CHECK_EQ(pexcz_name_distance("kitten", "sitting"), 3);
    CHECK_EQ(pexcz_name_distance("", ""), 0);
}

static void
test_far(void)
{
    char longer[200];

    CHECK_EQ(pexcz_name_distance("black", "cowsay"), SIZE_MAX);
    CHECK_EQ(pexcz_name_distance("", "cowsay"), SIZE_MAX);
    memset(longer, 'a', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    CHECK_EQ(pexcz_name_distance(longer, longer), SIZE_MAX);
}

int
main(void)
{
    test_distance();
    test_far();
    CHECK_DONE();
}
