/* SPDX-License-Identifier: Apache-2.0 */
#include "library_actions.h"

#include "library_construct.h"
#include "library_direct.h"
#include "library_stubs.h"
#include "library_watch.h"

#include <stdlib.h>
#include <string.h>

#define MAX_ACTIONS 16384

static struct {
    bool making;
    size_t count;
    struct pexcz_snapshot_action items[MAX_ACTIONS];
    int streams; /* number of the import that initialises them */
} actions;

typedef int atexit_fn(void (*)(void *), void *, void *);
typedef int atfork_fn(void (*)(void), void (*)(void), void (*)(void), void *);
typedef void init_fn(void *);

void
pexcz_library_actions_begin(void)
{
    actions.making = true;
}

bool
pexcz_library_action_add(const struct pexcz_snapshot_action *action)
{
    if (actions.count == MAX_ACTIONS) {
        return false;
    }
    actions.items[actions.count++] = *action;
    return true;
}

size_t
pexcz_library_action_count(void)
{
    return actions.count;
}

void
pexcz_library_actions_cut(size_t count)
{
    actions.count = count;
}

int
pexcz_library_actions_write(struct pexcz_buf *out, struct pexcz_error *err)
{
    return pexcz_buf_append(out, actions.items,
                            actions.count * sizeof(actions.items[0]), err);
}

/* --- in the place of libc's ---------------------------------------------- */

/* Of constructors that run in each process nothing is noted: they ask again.
 */
static int
note(const struct pexcz_snapshot_action *action, const char *name)
{
    if (!pexcz_library_is_constructing()
        && !pexcz_library_action_add(action)) {
        pexcz_library_watched(name);
    }
    return 0;
}

int
pexcz_library_cxa_atexit(void (*function)(void *), void *argument,
                         void *object)
{
    struct pexcz_snapshot_action action = {
        .kind = PEXCZ_ACTION_EXIT,
        .function = (uintptr_t)function,
        .argument = (uintptr_t)argument,
        .object = (uintptr_t)object,
    };
    atexit_fn *real;
    void *found;

    if (actions.making) {
        return note(&action, "__cxa_atexit");
    }
    found = pexcz_library_look_up("__cxa_atexit", NULL);
    memcpy(&real, &found, sizeof(found));
    return real != NULL ? real(function, argument, object) : -1;
}

int
pexcz_library_register_atfork(void (*prepare)(void), void (*parent)(void),
                              void (*child)(void), void *object)
{
    struct pexcz_snapshot_action action = {
        .kind = PEXCZ_ACTION_FORK,
        .function = (uintptr_t)prepare,
        .argument = (uintptr_t)parent,
        .child = (uintptr_t)child,
        .object = (uintptr_t)object,
    };
    atfork_fn *real;
    void *found;

    if (actions.making) {
        pexcz_library_constructor_acts();
        return note(&action, "__register_atfork");
    }
    found = pexcz_library_look_up("__register_atfork", NULL);
    memcpy(&real, &found, sizeof(found));
    return real != NULL ? real(prepare, parent, child, object) : -1;
}

bool
pexcz_library_streams_are(int number)
{
    struct pexcz_snapshot_action action = {
        .kind = PEXCZ_ACTION_STREAMS,
        .function = (uint64_t)number,
    };

    actions.streams = number;
    return pexcz_library_action_add(&action);
}

void
pexcz_library_init_streams(void *object)
{
    struct pexcz_snapshot_action action = {
        .kind = PEXCZ_ACTION_INIT_STREAMS,
        .argument = (uintptr_t)object,
    };
    void *found;
    init_fn *real;

    if (actions.making) {
        (void)note(&action, "std::ios_base::Init::Init");
    }
    found = pexcz_library_import((unsigned int)actions.streams);
    memcpy(&real, &found, sizeof(found));
    if (real != NULL) {
        real(object);
    }
}

/* --- variables that imports set for a while ------------------------------ */

#define MAX_VALUE (2 * sizeof(uint64_t))

bool
pexcz_library_action_setenv(const char *name, const char *value)
{
    struct pexcz_snapshot_action action = {
        .kind = PEXCZ_ACTION_SETENV,
        .function = (uintptr_t)pexcz_library_in_blob(name),
    };
    char text[MAX_VALUE] = "";

    if (action.function == 0 || strlen(value) >= sizeof(text)) {
        return false;
    }
    memcpy(text, value, strlen(value));
    memcpy(&action.argument, text, sizeof(action.argument));
    memcpy(&action.child, text + sizeof(action.argument),
           sizeof(action.child));
    return pexcz_library_action_add(&action);
}

bool
pexcz_library_action_unsetenv(const char *name)
{
    struct pexcz_snapshot_action action = {
        .kind = PEXCZ_ACTION_UNSETENV,
        .function = (uintptr_t)pexcz_library_in_blob(name),
    };

    return action.function != 0 && pexcz_library_action_add(&action);
}

static const char *
value_of(const struct pexcz_snapshot_action *action, char text[MAX_VALUE + 1])
{
    memcpy(text, &action->argument, sizeof(action->argument));
    memcpy(text + sizeof(action->argument), &action->child,
           sizeof(action->child));
    text[MAX_VALUE] = '\0';
    return text;
}

/* --- again --------------------------------------------------------------- */

void
pexcz_library_actions_do(struct pexcz_slice table, int argc, char *const *argv)
{
    const struct pexcz_snapshot_action *a = (const void *)table.ptr;

    for (size_t i = 0; i < table.len / sizeof(*a); i++) {
        char text[MAX_VALUE + 1];

        switch (a[i].kind) {
        case PEXCZ_ACTION_CONSTRUCT:
            pexcz_library_construct_again((size_t)a[i].function, argc, argv);
            break;
        case PEXCZ_ACTION_EXIT:
            (void)pexcz_library_cxa_atexit(
                (void (*)(void *))(uintptr_t)a[i].function,
                (void *)(uintptr_t)a[i].argument,
                (void *)(uintptr_t)a[i].object);
            break;
        case PEXCZ_ACTION_FORK:
            (void)pexcz_library_register_atfork(
                (void (*)(void))(uintptr_t)a[i].function,
                (void (*)(void))(uintptr_t)a[i].argument,
                (void (*)(void))(uintptr_t)a[i].child,
                (void *)(uintptr_t)a[i].object);
            break;
        case PEXCZ_ACTION_INIT_STREAMS:
            pexcz_library_init_streams((void *)(uintptr_t)a[i].argument);
            break;
        case PEXCZ_ACTION_STREAMS:
            actions.streams = (int)a[i].function;
            break;
        case PEXCZ_ACTION_SETENV:
            (void)setenv((const char *)(uintptr_t)a[i].function,
                         value_of(&a[i], text), 1);
            break;
        case PEXCZ_ACTION_UNSETENV:
            (void)unsetenv((const char *)(uintptr_t)a[i].function);
            break;
        default:
            break;
        }
    }
}
