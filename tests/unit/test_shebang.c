/* SPDX-License-Identifier: Apache-2.0 */
#include "shebang.h"

#include "check.h"

#include <string.h>

/* Version and options of `line`, joined with "|"; static storage. */
static const char *
options_of(const char *line)
{
    static char text[300];
    struct pexcz_arena arena = {0};
    struct pexcz_shebang found;
    struct pexcz_error err;

    text[0] = '\0';
    CHECK_EQ(pexcz_shebang_parse(pexcz_slice_str(line), &arena, &found, &err),
             0);
    (void)strncat(text, found.version != NULL ? found.version : "", 100);
    (void)strncat(text, "|", 2);
    for (size_t i = 0; i < found.options.count; i++) {
        (void)strncat(text, found.options.items[i], 100);
        (void)strncat(text, "|", 2);
    }
    pexcz_arena_done(&arena);
    return text;
}

static void
test_options(void)
{
    static const char *const cases[][2] = {
        {"", "|"},
        {"#!", "|"},
        {"#!\n", "|"},
        {"PK\3\4", "|"},
        {"#!/usr/bin/env python3.11\n", "3.11|"},
        {"#!/usr/bin/env python3\n", "|"},
        {"#!/opt/python3.13\n", "3.13|"},
        {"#!/usr/bin/python3.11.2\n", "|"},
        {"#!/usr/bin/python3.13t\n", "|"},
        {"#!/usr/bin/pypy3.10\n", "|"},
        {"#!/usr/bin/env -S python3.11 -u -Wignore\n", "3.11|-u|-Wignore|"},
        {"#!/usr/bin/env -S bash -u\n", "|"},
        {"#!/usr/bin/env python3 -u\n", "|"}, /* env looks for "python3 -u" */
        {"#! /usr/bin/python3 -sE \r\n", "|-sE|"},
        {"#!/usr/bin/python3 -W ignore\nPK", "|-W ignore|"},
        {"#!/usr/bin/python3 script -u\n", "|"},
        {"#!/usr/bin/python3 -u", "|"}, /* no end */
        {"#!/bin/sh -u\n", "|"},
        {"#!python -u\n", "|-u|"},
        {"#!/usr/bin/env -S python3.11 -W ignore -X dev x -u\n",
         "3.11|-W|ignore|-X|dev|"},
        {"#!/bin/sh\nDEFAULT_PYTHON=\"/opt/python3.12\"\nPYTHON_ARGS=\"-O -W "
         "ignore\"\n",
         "3.12|-O|-W|ignore|"},
        {"#!/bin/sh\nDEFAULT_PYTHON=\"\"\nPYTHON_ARGS=\"-u\"\n    for python "
         "in "
         "\\\n\"python3.13\" \\\n\"python3.9\"",
         "3.13|-u|"},
        {"#!/bin/sh\nPYTHON_ARGS=\"-u\"\n", "|"},
        {"#!/bin/sh\nDEFAULT_PYTHON=\"$X/python3.12\"\n", "|"},
        {"#!/bin/sh\nDEFAULT_PYTHON=\"/opt/python3.12\"\nPYTHON_ARGS=\"-u",
         "3.12|"},
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
