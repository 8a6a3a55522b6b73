/* SPDX-License-Identifier: Apache-2.0 */
/*
 * readline.parse_and_bind() in the syntax of GNU readline.
 *
 * Programs, and the standard library's cmd and pdb, write "tab: complete".
 * libedit reads "bind ^I rl_complete" and would ignore that.  What people
 * write in programs is put into libedit's words; all that is no line of GNU
 * readline's goes on as it is.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define MAX_KEYS 64

int __real_rl_parse_and_bind(const char *line) __attribute__((weak));
int __wrap_rl_parse_and_bind(const char *line);

struct word {
    const char *gnu;
    const char *libedit;
};

static const struct word functions[] = {
    {"complete", "rl_complete"},
    {"menu-complete", "rl_complete"},
    {"possible-completions", "rl_complete"},
    {"self-insert", "ed-insert"},
    {"tab-insert", "ed-insert"},
    {"reverse-search-history", "em-inc-search-prev"},
    {"forward-search-history", "em-inc-search-next"},
    {"history-search-backward", "ed-search-prev-history"},
    {"history-search-forward", "ed-search-next-history"},
    {"previous-history", "ed-prev-history"},
    {"next-history", "ed-next-history"},
    {"beginning-of-line", "ed-move-to-beg"},
    {"end-of-line", "ed-move-to-end"},
    {"forward-char", "ed-next-char"},
    {"backward-char", "ed-prev-char"},
    {"forward-word", "em-next-word"},
    {"backward-word", "ed-prev-word"},
    {"delete-char", "ed-delete-next-char"},
    {"backward-delete-char", "ed-delete-prev-char"},
    {"kill-line", "ed-kill-line"},
    {"backward-kill-word", "ed-delete-prev-word"},
    {"kill-word", "em-delete-next-word"},
    {"unix-line-discard", "em-kill-line"},
    {"yank", "em-yank"},
    {"clear-screen", "ed-clear-screen"},
};

static const struct word keys[] = {
    {"tab", "\\t"}, {"esc", "\\e"},    {"escape", "\\e"}, {"space", " "},
    {"spc", " "},   {"return", "\\r"}, {"ret", "\\r"},    {"newline", "\\n"},
    {"lfd", "\\n"}, {"rubout", "^?"},  {"del", "^?"},
};

static const char *
find(const struct word *words, size_t count, const char *name, size_t len)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(words[i].gnu) == len
            && strncasecmp(words[i].gnu, name, len) == 0) {
            return words[i].libedit;
        }
    }
    return NULL;
}

/* `"\C-x\e[A"` without its quotes, as libedit spells it. */
static bool
quoted_keys(const char *s, size_t len, char ret[MAX_KEYS])
{
    size_t at = 0;

    for (size_t i = 0; i < len; i++) {
        bool prefix = len - i > 3 && s[i] == '\\' && s[i + 2] == '-';

        if (at + 4 > MAX_KEYS || s[i] == '\'' || s[i] == '^') {
            return false;
        }
        if (prefix && s[i + 1] == 'C') {
            ret[at++] = '^';
            ret[at++] = (char)toupper((unsigned char)s[i + 3]);
            i += 3;
        }
        else if (prefix && s[i + 1] == 'M') {
            ret[at++] = '\\';
            ret[at++] = 'e';
            i += 2;
        }
        else {
            ret[at++] = s[i];
            if (s[i] == '\\' && i + 1 < len) {
                ret[at++] = s[++i];
            }
        }
    }
    ret[at] = '\0';
    return at != 0;
}

/* `Control-x`, `M-tab`, `x`. */
static bool
named_key(const char *s, size_t len, char ret[MAX_KEYS])
{
    static const struct word prefixes[] = {
        {"control-", "^"}, {"ctrl-", "^"}, {"c-", "^"},
        {"meta-", "\\e"},  {"m-", "\\e"},
    };
    const char *before = "";
    const char *key;

    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        size_t n = strlen(prefixes[i].gnu);

        if (len > n && strncasecmp(s, prefixes[i].gnu, n) == 0) {
            before = prefixes[i].libedit;
            s += n;
            len -= n;
            break;
        }
    }
    key = find(keys, sizeof(keys) / sizeof(keys[0]), s, len);
    if (key != NULL) {
        (void)snprintf(ret, MAX_KEYS, "%s%s", before, key);
        return true;
    }
    if (len != 1 || s[0] == '\'' || s[0] == '^') {
        return false;
    }
    (void)snprintf(ret, MAX_KEYS, "%s%c", before,
                   before[0] == '^' ? toupper((unsigned char)s[0]) : s[0]);
    return true;
}

/* Splits `KEY: FUNCTION`; false when it is something else. */
static bool
is_binding(const char *line, char ret_keys[MAX_KEYS],
           const char **ret_function)
{
    const char *end = line;
    bool known;

    if (*line == '"') {
        for (end = line + 1; *end != '\0' && *end != '"'; end++) {
            end += *end == '\\' && end[1] != '\0' ? 1 : 0;
        }
        if (*end != '"') {
            return false;
        }
        known = quoted_keys(line + 1, (size_t)(end - line) - 1, ret_keys);
        end++;
    }
    else {
        end += strcspn(line, ": \t");
        known = named_key(line, (size_t)(end - line), ret_keys);
    }
    end += strspn(end, " \t");
    if (!known || *end != ':') {
        return false;
    }
    end++;
    *ret_function = end + strspn(end, " \t");
    return true;
}

/* `set VARIABLE VALUE`: the one that libedit can follow; the others would be
 * no command of its. */
static int
set_variable(const char *line)
{
    char name[32];
    char value[32];

    if (sscanf(line, "set %31s %31s", name, value) != 2
        || strcasecmp(name, "editing-mode") != 0) {
        return 0;
    }
    (void)__real_rl_parse_and_bind(strcasecmp(value, "vi") == 0 ? "bind -v"
                                                                : "bind -e");
    return __real_rl_parse_and_bind("bind ^I rl_complete");
}

int
__wrap_rl_parse_and_bind(const char *line)
{
    char binding[MAX_KEYS];
    char command[MAX_KEYS + 64];
    const char *name;
    const char *function;

    line += strspn(line, " \t");
    if (strncmp(line, "set ", 4) == 0) {
        return set_variable(line);
    }
    if (!is_binding(line, binding, &name)) {
        return __real_rl_parse_and_bind(line);
    }
    function = find(functions, sizeof(functions) / sizeof(functions[0]), name,
                    strcspn(name, " \t\r\n"));
    if (function == NULL) {
        return 0; /* as GNU readline does with a function it does not have */
    }
    (void)snprintf(command, sizeof(command), "bind '%s' %s", binding,
                   function);
    return __real_rl_parse_and_bind(command);
}
