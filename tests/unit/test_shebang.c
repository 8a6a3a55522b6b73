/* SPDX-License-Identifier: Apache-2.0 */
#include "shebang.h"

#include "check.h"

#include <string.h>

/* The options of `line`, joined with "|"; static storage. */
static const char *
options_of(const char *line)
{
    static char text[300];
    struct pexcz_arena arena = {0};
    struct pexcz_strings found = {0};
    struct pexcz_error err;

    text[0] = '\0';
    CHECK_EQ(
        pexcz_shebang_options(pexcz_slice_str(line), &arena, &found, &err), 0);
    for (size_t i = 0; i < found.count; i++) {
        (void)strncat(text, found.items[i], 100);
        (void)strncat(text, "|", 2);
    }
    pexcz_arena_done(&arena);
    return text;
}

static void
test_options(void)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"#!", ""},
        {"#!\n", ""},
        {"PK\3\4", ""},
        {"#!/usr/bin/env python3.11\n", ""},
        {"#!/usr/bin/env -S python3.11 -u -Wignore\n", "-u|-Wignore|"},
        {"#!/usr/bin/env -S bash -u\n", ""},
        {"#! /usr/bin/python3 -sE \r\n", "-sE|"},
        {"#!/usr/bin/python3 -W ignore\nPK", "-W ignore|"},
        {"#!/usr/bin/python3 script -u\n", ""},
        {"#!/usr/bin/python3 -u", ""}, /* no end */
        {"#!/bin/sh -u\n", ""},
        {"#!python -u\n", "-u|"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK_STR(options_of(cases[i][0]), cases[i][1]);
    }
}

int
main(void)
{
    test_options();
    CHECK_DONE();
}
