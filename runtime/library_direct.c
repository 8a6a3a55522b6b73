/* SPDX-License-Identifier: Apache-2.0 */
#include "library_direct.h"

#include "exe_layout.h"
#include "library_absent.h"
#include "library_actions.h"
#include "library_construct.h"
#include "library_cpu.h"
#include "library_entropy.h"
#include "library_outside.h"
#include "library_processors.h"
#include "library_relocate.h"
#include "library_set.h"
#include "library_settle.h"
#include "library_state.h"
#include "library_stubs.h"
#include "library_tls.h"
#include "library_watch.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE_MASK ((uint64_t)PEXCZ_PAGE_SIZE - 1)
#define MAX_TRIED 1024

/* What was asked for, and what came of it. */
struct tried {
    uint32_t entry;
    const char *why; /* NULL: loaded */
};

static struct {
    const struct pexcz_located *located; /* NULL: nothing is made */
    uint64_t next;                       /* address of the next library */
    struct tried tried[MAX_TRIED];
    size_t tried_count;
} making;

struct pexcz_library_state pexcz_library_state;

void
pexcz_libraries_begin(const struct pexcz_located *located)
{
    making.located = located;
    pexcz_library_state.all = pexcz_library_state.made;
    pexcz_library_processors_begin();
    pexcz_library_actions_begin();
    pexcz_library_entropy_begin(located->app.id);
    making.next = PEXCZ_ADDR_LIBRARIES + PEXCZ_PAGE_SIZE;
}

/* --- loading ------------------------------------------------------------- */

/* Where the application's blob begins in the executable. */
static uint64_t
offset_of_application(void)
{
    const Elf64_Phdr *ph = (const Elf64_Phdr *)getauxval(AT_PHDR);
    unsigned long count = getauxval(AT_PHNUM);

    for (unsigned long i = 0; i < count; i++) {
        if (ph[i].p_type == PT_LOAD && ph[i].p_vaddr == PEXCZ_ADDR_APP) {
            return ph[i].p_offset;
        }
    }
    return 1; /* no whole page */
}

static void
describe(const struct pexcz_library_elf *file, uint64_t file_offset,
         struct pexcz_snapshot_library *ret)
{
    uint64_t base = making.next;

    ret->base = base;
    ret->size = file->span + pexcz_library_tls_span(file);
    ret->relro = base + file->relro.address;
    ret->relro_size = file->relro.size;
    ret->phdrs = base + file->phdrs.address;
    ret->phdr_count = file->phdrs.size;
    ret->symbols = base + file->symbols.address;
    ret->symbol_count = file->symbols.size / sizeof(Elf64_Sym);
    ret->strings = base + file->strings.address;
    ret->strings_size = file->strings.size;
    ret->tls_size = file->tls_size;
    ret->init = file->init != 0 ? base + file->init : 0;
    ret->init_array = base + file->init_array.address;
    ret->init_count = file->init_array.size / sizeof(uint64_t);
    ret->segment_count = file->segment_count;
    for (size_t i = 0; i < file->segment_count; i++) {
        const Elf64_Phdr *p = &file->segments[i];
        struct pexcz_snapshot_segment *s = &ret->segments[i];
        uint64_t end = (p->p_vaddr + p->p_memsz + PAGE_MASK) & ~PAGE_MASK;

        s->start = base + (p->p_vaddr & ~PAGE_MASK);
        s->size = base + end - s->start;
        s->offset = file_offset + (p->p_offset & ~PAGE_MASK);
        s->flags = p->p_flags & (PF_R | PF_W | PF_X);
    }
    if (pexcz_library_tls_is_own(file)) {
        ret->tls_block = base + file->span;
        ret->segments[ret->segment_count++] = (struct pexcz_snapshot_segment){
            .start = ret->tls_block,
            .size = pexcz_library_tls_span(file),
            .flags = PF_R | PF_W,
        };
    }
}

/* Its code from the executable, its data as a copy. */
static const char *
map(const struct pexcz_library_elf *file,
    const struct pexcz_snapshot_library *library)
{
    void *want = (void *)(uintptr_t)library->base;
    int fd;
    const char *why = NULL;

    if (mmap(want, library->size, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE,
             -1, 0)
        != want) {
        return "has no address that is free";
    }
    fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || !pexcz_library_map_code(library, fd)) {
        why = "cannot be mapped from the executable";
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    for (size_t i = 0; i < file->segment_count && why == NULL; i++) {
        const Elf64_Phdr *p = &file->segments[i];

        if ((p->p_flags & PF_W) != 0 && p->p_filesz != 0) {
            memcpy((void *)(uintptr_t)(library->base + p->p_vaddr),
                   file->bytes.ptr + p->p_offset, (size_t)p->p_filesz);
        }
    }
    return why;
}

/* Libraries with functions that print for nobody but who debugs them. */
static bool
prints_to_debug(const struct pexcz_library_elf *file)
{
    static const char *const marks[] = {
        "CPyArg_ParseStackAndKeywords", /* mypyc's support */
        "PyInit__multiarray_umath",     /* NumPy */
    };
    Elf64_Sym symbol;

    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (pexcz_library_definition(file, marks[i], NULL, &symbol)) {
            return true;
        }
    }
    return false;
}

/* What its code and its imports say about it. */
static void
judge(const struct pexcz_library_elf *file,
      struct pexcz_snapshot_library *library)
{
    bool has_objects = false;
    bool prints = false;

    pexcz_cpu_watch(library);
    for (uint64_t i = 1; i < file->symbols.size / sizeof(Elf64_Sym); i++) {
        Elf64_Sym symbol;
        const char *name;

        if (!pexcz_library_symbol(file, i, &symbol)
            || symbol.st_shndx != SHN_UNDEF) {
            continue;
        }
        name = pexcz_library_string(file, symbol.st_name);
        if (name != NULL && pexcz_library_is_output(name)) {
            library->noticeable = 1;
        }
        prints = prints || (name != NULL && pexcz_library_is_print(name));
        has_objects
            = has_objects || (name != NULL && strncmp(name, "Py", 2) == 0);
    }
    library->prints = prints && has_objects && !prints_to_debug(file);
}

/* The content of an object of the tree, as it lies in the application's blob;
 * NULL, or why not. */
static const char *
find_content(const char *inner, struct pexcz_slice *ret)
{
    struct pexcz_payload payload;
    struct pexcz_node node;
    struct pexcz_error err;

    if (!pexcz_tree_find(&making.located->tree, pexcz_slice_str(inner), &node)
        || node.entry.kind != PEXCZ_KIND_FILE) {
        return "is not there";
    }
    if (node.blob != &making.located->app
        || pexcz_blob_payload(node.blob, node.entry.payload, &payload, &err)
               < 0
        || payload.storage != PEXCZ_STORAGE_RAW
        || payload.offset % PEXCZ_PAGE_SIZE != 0) {
        return "is stored compressed";
    }
    *ret = payload.stored;
    return NULL;
}

/* In place, but not relocated. */
static const char *
load(const char *inner, size_t root)
{
    struct pexcz_library_state *s = &pexcz_library_state;
    struct pexcz_snapshot_library *library = &s->made[s->count];
    struct pexcz_library_elf *file = &s->files[s->count];
    struct pexcz_slice content = {0};
    const char *why = find_content(inner, &content);
    int n;

    if (why == NULL && s->count == PEXCZ_LIBRARIES) {
        why = "is one too many";
    }
    if (why == NULL) {
        why = pexcz_library_elf_read(file, content);
    }
    if (why != NULL) {
        return why;
    }
    memset(library, 0, sizeof(*library));
    n = snprintf(library->path, sizeof(library->path), "%s/%s", PEXCZ_PREFIX,
                 inner);
    if (n < 0 || (size_t)n >= sizeof(library->path)) {
        return "has too long a path";
    }
    describe(file,
             offset_of_application()
                 + (uint64_t)(content.ptr - making.located->app.bytes.ptr),
             library);
    library->root = root;
    if (library->size > PEXCZ_ADDR_LIBRARIES_END - making.next) {
        return "is too large";
    }
    why = map(file, library);
    if (why != NULL) {
        return why;
    }
    judge(file, library);
    making.next += library->size + PEXCZ_PAGE_SIZE;
    s->count++;
    return pexcz_library_tls_take(file, library)
               ? NULL
               : "has too much thread-local data";
}

static const struct pexcz_snapshot_library *
find(const char *inner)
{
    size_t skip = strlen(PEXCZ_PREFIX) + 1;

    for (size_t i = 0; i < pexcz_library_state.count; i++) {
        if (strcmp(pexcz_library_state.all[i].path + skip, inner) == 0) {
            return &pexcz_library_state.all[i];
        }
    }
    return NULL;
}

/* The libraries of the tree that ld.so would map with it: by a name that one
 * of them knows already, that one. */
static const char *
load_needed(const struct pexcz_library_set *set, size_t root,
            const char **ret_name)
{
    const char *why = NULL;

    for (size_t i = 1; i < set->count && why == NULL; i++) {
        size_t number;

        *ret_name = basename(set->items[i].path);
        if (set->items[i].name.len != 0) {
            why = "has another name than it is asked for by";
        }
        else if (find(set->items[i].path) == NULL
                 && !pexcz_library_named(*ret_name, &number)) {
            why = load(set->items[i].path, root);
        }
    }
    return why;
}

struct order {
    size_t count;
    size_t numbers[PEXCZ_LIBRARIES];
    bool seen[PEXCZ_LIBRARIES];
};

/* Those from `first` on, each behind what it needs. */
static void
put_in_order(size_t number, size_t first, struct order *order)
{
    const struct pexcz_snapshot_library *l = &pexcz_library_state.made[number];

    if (number < first || order->seen[number]) {
        return;
    }
    order->seen[number] = true;
    for (size_t i = 0; i < l->needed_count; i++) {
        put_in_order(l->needed[i], first, order);
    }
    order->numbers[order->count++] = number;
}

static const char *
relocate_and_construct(size_t root)
{
    static struct pexcz_library_scope scope;
    static struct order order;
    const char *why = pexcz_library_scope_make(root, &scope);

    for (size_t i = pexcz_library_state.count; i > root && why == NULL; i--) {
        why = pexcz_library_relocate(i - 1, &scope);
    }
    for (size_t i = pexcz_library_state.count; i > root && why == NULL; i--) {
        why = pexcz_library_tls_fill(&pexcz_library_state.made[i - 1])
                  ? NULL
                  : "has thread-local data that refers to other libraries";
    }
    if (why != NULL) {
        return why;
    }
    memset(&order, 0, sizeof(order));
    put_in_order(root, root, &order);
    for (size_t i = 0; i < order.count && why == NULL; i++) {
        why = pexcz_library_construct(order.numbers[i]);
    }
    return why;
}

/* As if nothing had been loaded since. */
static void
unload(size_t count, size_t words, uint64_t tls)
{
    struct pexcz_library_state *s = &pexcz_library_state;

    while (s->count > count) {
        const struct pexcz_snapshot_library *l = &s->made[--s->count];

        (void)munmap((void *)(uintptr_t)l->base, (size_t)l->size);
    }
    s->word_count = words;
    pexcz_library_tls_give_back(tls);
}

static const char *
say(const char *name, const char *why)
{
    char text[512];

    (void)snprintf(text, sizeof(text), "needs %s, which %s", name, why);
    return strdup(text); /* kept as long as the process */
}

static const char *
try(const char *inner)
{
    struct pexcz_library_state *s = &pexcz_library_state;
    size_t root = s->count;
    size_t words = s->word_count;
    size_t actions = pexcz_library_action_count();
    uint64_t tls = pexcz_library_tls_taken();
    struct pexcz_library_set set = {0};
    struct pexcz_error err;
    const char *name = NULL;
    const char *why = load(inner, root);

    if (why == NULL
        && pexcz_library_set_make(&making.located->tree, inner, &set, &err)
               < 0) {
        why = "is no shared object";
    }
    if (why == NULL) {
        why = load_needed(&set, root, &name);
        if (why != NULL) {
            why = say(name, why);
        }
    }
    if (why == NULL) {
        why = relocate_and_construct(root);
    }
    pexcz_library_set_done(&set);
    if (why != NULL) {
        unload(root, words, tls);
        pexcz_library_actions_cut(actions);
    }
    return why;
}

/* What is known of the object of that entry; NULL: nothing, and there is no
 * room for more. */
static struct tried *
find_tried(uint32_t entry, bool *ret_new)
{
    size_t i = 0;

    while (i < making.tried_count && making.tried[i].entry != entry) {
        i++;
    }
    *ret_new = i == making.tried_count;
    if (i == MAX_TRIED) {
        return NULL;
    }
    making.tried_count += *ret_new;
    making.tried[i].entry = entry;
    return &making.tried[i];
}

void
pexcz_library_refuse(const char *inner)
{
    struct pexcz_node node;
    struct tried *tried;
    bool is_new;

    if (making.located != NULL && find(inner) == NULL
        && pexcz_tree_find(&making.located->tree, pexcz_slice_str(inner),
                           &node)) {
        tried = find_tried(node.entry.index, &is_new);
        if (tried != NULL && is_new) {
            tried->why = "is left out";
        }
    }
}

const struct pexcz_snapshot_library *
pexcz_library_open(const char *inner, const char **ret_why)
{
    const struct pexcz_snapshot_library *library = find(inner);
    struct pexcz_node node;
    struct tried *tried;
    bool is_new;

    *ret_why = NULL;
    if (library != NULL || making.located == NULL) {
        return library;
    }
    if (!pexcz_tree_find(&making.located->tree, pexcz_slice_str(inner), &node)
        || node.entry.kind != PEXCZ_KIND_FILE) {
        *ret_why = "is not there";
        return NULL;
    }
    tried = find_tried(node.entry.index, &is_new);
    if (tried == NULL) {
        *ret_why = "is one too many";
        return NULL;
    }
    if (is_new) {
        tried->why = try(inner);
        pexcz_library_settle_stack();
    }
    *ret_why = tried->why;
    return tried->why == NULL ? find(inner) : NULL;
}

void *
pexcz_library_handle(const char *inner, int mode)
{
    const struct pexcz_snapshot_library *library;
    const char *why;

    if ((mode & RTLD_GLOBAL) != 0) {
        return NULL; /* others would look for its symbols */
    }
    library = pexcz_library_open(inner, &why);
    return library != NULL ? (void *)(uintptr_t)library->base : NULL;
}

/* --- the snapshot -------------------------------------------------------- */

const struct pexcz_snapshot_library *
pexcz_libraries(size_t *ret_count)
{
    *ret_count = pexcz_library_state.count;
    return pexcz_library_state.all;
}

const struct pexcz_snapshot_library *
pexcz_library_of(const void *address)
{
    uint64_t a = (uintptr_t)address;

    if (a - PEXCZ_ADDR_LIBRARIES
        >= PEXCZ_ADDR_LIBRARIES_END - PEXCZ_ADDR_LIBRARIES) {
        return NULL;
    }
    for (size_t i = 0; i < pexcz_library_state.count; i++) {
        const struct pexcz_snapshot_library *l = &pexcz_library_state.all[i];

        if (a - l->base < l->size) {
            return l;
        }
    }
    return NULL;
}

bool
pexcz_library_has_any(const void *address, const char *const *names,
                      size_t count)
{
    const struct pexcz_snapshot_library *l = pexcz_library_of(address);

    for (size_t i = 0; l != NULL && i < count; i++) {
        if (dlsym((void *)(uintptr_t)l->base, names[i]) != NULL) {
            return true;
        }
    }
    return false;
}

const char *
pexcz_library_in_blob(const char *text)
{
    const struct pexcz_snapshot_library *l = pexcz_library_of(text);
    uint64_t address = (uintptr_t)text;

    for (size_t i = 0; l != NULL && i < l->segment_count; i++) {
        const struct pexcz_snapshot_segment *s = &l->segments[i];

        if ((s->flags & PF_W) == 0 && address - s->start < s->size) {
            return (const char *)making.located->app.bytes.ptr
                   + (s->offset - offset_of_application())
                   + (address - s->start);
        }
    }
    return NULL;
}

/* What lies in the snapshot has touched nothing outside of the process, and
 * what constructors do is undone by nobody but exit().  So only objects can
 * matter that came later, and they got hold of something. */
bool
pexcz_libraries_are_noticeable(void)
{
    bool can_be = false;

    for (size_t i = 0; i < pexcz_library_state.count; i++) {
        can_be = can_be || pexcz_library_state.all[i].noticeable != 0;
    }
    return can_be
           && (pexcz_library_files_used()
               || pexcz_library_stubs_called(pexcz_library_is_output));
}

bool
pexcz_libraries_print(const void *address)
{
    const struct pexcz_snapshot_library *l;

    if (address != NULL) {
        l = pexcz_library_of(address);
        return l != NULL && l->prints != 0;
    }
    for (size_t i = 0; i < pexcz_library_state.count; i++) {
        if (pexcz_library_state.all[i].prints != 0) {
            return true;
        }
    }
    return false;
}

int
pexcz_libraries_pages(struct pexcz_page_runs *pages, uint64_t first,
                      struct pexcz_error *err)
{
    int rc = PEXCZ_OK;

    for (size_t i = 0; i < pexcz_library_state.count; i++) {
        const struct pexcz_snapshot_library *l = &pexcz_library_state.made[i];

        for (size_t k = 0; k < l->segment_count && rc == PEXCZ_OK; k++) {
            const struct pexcz_snapshot_segment *s = &l->segments[k];

            if ((s->flags & PF_W) != 0) {
                rc = pexcz_page_runs_add(pages, s->start, s->start + s->size,
                                         first, err);
            }
        }
    }
    /* What only the process knows is set again in each. */
    for (size_t i = 0; i < pexcz_library_state.word_count; i++) {
        pexcz_page_runs_clear_word(pages, first,
                                   pexcz_library_state.words[i].address);
    }
    return rc;
}

/* The table is what was written since *start; the next one begins here. */
static void
end_table(struct pexcz_snapshot_table *table, const struct pexcz_buf *out,
          uint64_t offset, size_t *start)
{
    table->offset = offset + *start;
    table->size = out->len - *start;
    *start = out->len;
}

int
pexcz_libraries_write(struct pexcz_snapshot_header *header, uint64_t offset,
                      struct pexcz_buf *out, struct pexcz_error *err)
{
    const struct pexcz_library_state *s = &pexcz_library_state;
    const char *seen = pexcz_library_unreported();
    size_t start = out->len;
    int rc;

    if (seen != NULL) {
        return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                          "a shared object calls %s() while it is imported",
                          seen);
    }
    rc = pexcz_buf_append(out, s->made, s->count * sizeof(s->made[0]), err);
    end_table(&header->libraries, out, offset, &start);
    if (rc == PEXCZ_OK) {
        rc = pexcz_library_stubs_write(out, err);
    }
    end_table(&header->imports, out, offset, &start);
    if (rc == PEXCZ_OK) {
        rc = pexcz_buf_append(out, s->words,
                              s->word_count * sizeof(s->words[0]), err);
    }
    end_table(&header->words, out, offset, &start);
    if (rc == PEXCZ_OK) {
        rc = pexcz_library_tls_write(out, err);
    }
    end_table(&header->tls, out, offset, &start);
    if (rc == PEXCZ_OK) {
        rc = pexcz_library_tls_inner_write(out, err);
    }
    end_table(&header->tls_inner, out, offset, &start);
    if (rc == PEXCZ_OK) {
        rc = pexcz_library_absent_write(out, err);
    }
    end_table(&header->absent, out, offset, &start);
    if (rc == PEXCZ_OK) {
        rc = pexcz_buf_align(out, 8, err);
    }
    start = out->len;
    if (rc == PEXCZ_OK) {
        rc = pexcz_library_outside_write(out, err);
    }
    end_table(&header->outside, out, offset, &start);
    if (rc == PEXCZ_OK) {
        rc = pexcz_library_actions_write(out, err);
    }
    end_table(&header->actions, out, offset, &start);
    if (rc == PEXCZ_OK) {
        rc = pexcz_library_changes_write(out, err);
    }
    end_table(&header->changes, out, offset, &start);
    header->libraries_end = making.next;
    header->glibc_minor = s->glibc_minor;
    if (pexcz_cpu_was_asked()) {
        header->cpu_count = PEXCZ_SNAPSHOT_CPU_FACTS;
        pexcz_cpu_facts(header->cpu);
    }
    return rc == PEXCZ_OK ? pexcz_buf_align(out, 8, err) : rc;
}
