# SPDX-License-Identifier: Apache-2.0
# base.elf: runtime, importer, vfs and libpython; base-X.Y: with the standard
# library's blob behind it.  Always of the release mode: the sanitizers define
# the libc names that vfs/ defines.

RUNTIME_SRCS := $(filter-out runtime/mark_%.c,$(wildcard runtime/*.c))
PYTHON_JSON := $(STDLIB_DIST)/python/PYTHON.json
PYTHON_INCLUDE := $(STDLIB_DIST)/python/install/include/python$(PYTHON)
BUILD_PYTHON := $(STDLIB_DIST)/python/install/bin/python$(PYTHON)
BASE_SRCS := $(RUNTIME_SRCS) $(IMPORTER_SRCS)
BASE_OBJS := $(patsubst %.c,$(OBJ)/%.o,$(BASE_SRCS))
# Outside of the marks: what belongs to the process, not to Python.
PROCESS_OBJS := $(patsubst %.c,$(OBJ)/%.o,$(RUNTIME_SRCS)) $(VFS_OBJS) $(OBJ)/cache.a $(OBJ)/blob.a
PYTHON_OBJS := $(patsubst %.c,$(OBJ)/%.o,$(IMPORTER_SRCS))
# The runtime looks on: process_facts.c, snapshot_environment.c, thread_exit.c,
# and mends libedit: terminal_entry.c, readline_keys.c, readline_files.c.
WRAPPED := pthread_exit pthread_key_create pthread_key_delete pthread_atfork \
    pthread_self getenv secure_getenv \
    tgetent rl_parse_and_bind read_history write_history append_history \
    history_truncate_file
MARKS := $(OBJ)/runtime/mark_start.o $(OBJ)/runtime/mark_end.o
BASE_ELF := $(OBJ)/base-$(PYTHON).elf
BASE := $(BUILD)/lib/pexcz/base-$(PYTHON)
LIBZSTD = $(shell $(CC) -print-file-name=libzstd.a)

$(BASE_OBJS): private CPPFLAGS += -isystem $(PYTHON_INCLUDE) -Iimporter -Ivfs -Icache
$(BASE_OBJS): | $(PYTHON_JSON)
# The assembler puts the Python code in with .incbin.
$(OBJ)/runtime/pex_helper.o: private CFLAGS += -Wa,-Iruntime
$(OBJ)/runtime/pex_helper.o: $(wildcard runtime/*.py)
# It is malloc: the compiler must not know what malloc does.
$(OBJ)/runtime/heap.o: private CFLAGS += -fno-builtin

$(BASE_ELF): $(BASE_OBJS) $(MARKS) $(VFS_OBJS) $(OBJ)/cache.a $(OBJ)/blob.a vfs/exports.list \
    runtime/exports.list stdlib-blob/link_base.py $(PYTHON_JSON)
	@echo "  LD  $@"
	$(Q)$(HOST_PYTHON) stdlib-blob/link_base.py --module _pexcz \
	    --module pexcz_snapshot --exports vfs/exports.list \
	    --exports runtime/exports.list $(WRAPPED:%=--wrap %) --last $(OBJ)/runtime/mark_end.o \
	    $(STDLIB_DIST)/python $(OBJ)/link-$(PYTHON) $@ \
	    $(PROCESS_OBJS) $(LIBZSTD) $(OBJ)/runtime/mark_start.o $(PYTHON_OBJS)

$(BASE): $(BASE_ELF) $(BUILD)/bin/pexcz stdlib-blob/hot_modules.list
	@mkdir -p $(@D)
	@echo "  BASE $@"
	$(Q)$(BUILD)/bin/pexcz base $(BASE_ELF) $(STDLIB_DIST)/python/install \
	    $(BUILD_PYTHON) stdlib-blob/hot_modules.list $@

ifeq ($(MODE),release)
ALL_TARGETS += $(BASE)
endif

-include $(BASE_OBJS:.o=.d)
