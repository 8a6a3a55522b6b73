/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tgetent() for libedit, behind the module readline.
 *
 * Where the terminal's type is unknown, libedit writes two lines to stderr
 * as soon as readline is imported, and then edits as on a dumb terminal.  GNU
 * readline, which most Pythons have, does that silently; so does libedit when
 * it is told that the entry was found, but is empty.
 */
int __real_tgetent(char *buffer, const char *name) __attribute__((weak));
int __wrap_tgetent(char *buffer, const char *name);

int
__wrap_tgetent(char *buffer, const char *name)
{
    int rc = __real_tgetent(buffer, name);

    return rc > 0 ? rc : 1;
}
