# SPDX-License-Identifier: Apache-2.0
# base.elf: runtime, importer, vfs and libpython; base-X.Y: with the standard
# library's blob behind it.  Always of the release mode: the sanitizers define
# the libc names that vfs/ defines.

# What makes and restores heap snapshots, of x86_64 only.
SNAPSHOT_SRCS := $(wildcard runtime/snapshot_*.c runtime/heap*.c) \
    $(filter-out $(addprefix runtime/library_,files.c memory.c pure.c set.c),\
    $(wildcard runtime/library_*.c)) $(patsubst %,runtime/%.c,callbacks \
    main_thread openssl_cpu owned_data page_runs process_facts type_lookups \
    x86_length)
RUNTIME_SRCS := $(filter-out runtime/embed_%.c \
    $(if $(filter x86_64,$(ARCH)),runtime/no_snapshot.c,$(SNAPSHOT_SRCS)),\
    $(wildcard runtime/*.c))
PYTHON_JSON := $(STDLIB_DIST)/python/PYTHON.json
PYTHON_INCLUDE := $(STDLIB_DIST)/python/install/include/python$(PYTHON)
# Of this machine: it compiles the standard library.
BUILD_PYTHON := $(BUILD)/dist/$(PYTHON)/python/install/bin/python$(PYTHON)
BASE_SRCS := $(RUNTIME_SRCS) $(IMPORTER_SRCS)
# What includes Python.h has objects for each version.
PYOBJ := $(OBJ)/python$(PYTHON)
PIC := $(OBJ)/pic-$(PYTHON)
BASE_OBJS := $(patsubst %.c,$(PYOBJ)/%.o,$(BASE_SRCS))
# What belongs to the process, not to Python: a snapshot has nothing of its data.
PROCESS_OBJS := $(patsubst %.c,$(PYOBJ)/%.o,$(RUNTIME_SRCS)) $(VFS_OBJS) $(OBJ)/cache.a $(OBJ)/blob.a
PYTHON_OBJS := $(patsubst %.c,$(PYOBJ)/%.o,$(IMPORTER_SRCS))
# The runtime mends libpython, libedit and OpenSSL: thread_exit.c,
# terminal_entry.c, readline_keys.c, readline_files.c, lazy_certificates.c, openssl_cpu.c;
# and for snapshots it looks on: process_facts.c, snapshot_environment.c, callbacks.c,
# snapshot_import.c.
WRAPPED := pthread_exit tgetent rl_parse_and_bind read_history write_history \
    append_history history_truncate_file X509_LOOKUP_ctrl_ex \
    X509_STORE_lock X509_STORE_get0_objects X509_STORE_get1_objects
ifeq ($(ARCH),x86_64)
WRAPPED += pthread_key_create pthread_key_delete pthread_atfork pthread_self \
    getenv secure_getenv ffi_closure_alloc ffi_closure_free OPENSSL_cpuid_setup \
    PyInit__hashlib PyInit__ssl PyImport_ImportModuleLevelObject
endif
BASE_ELF := $(OBJ)/base-$(PYTHON).elf
# `make install` puts those of all Pythons into one folder.
BASE := $(PYTHON_BUILD)/lib/pexcz/base-$(PYTHON)$(CROSS:%=-%)
OTHER_BASES := $(foreach v,$(OTHER_PYTHONS),$(BUILD)/others/$(v)/lib/pexcz/base-$(v))
LIBZSTD = $(if $(CROSS),$(SYSROOT_LIB)/libzstd.a,\
    $(shell $(CC) -print-file-name=libzstd.a))

$(PYOBJ)/%.o: %.c $(FLAGS)
	@mkdir -p $(@D)
	@echo "  CC  $< (Python $(PYTHON))"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(BASE_OBJS): private CPPFLAGS += -isystem $(PYTHON_INCLUDE) -Iimporter -Ivfs -Icache
$(BASE_OBJS): | $(PYTHON_JSON)
# The assembler puts the Python code in with .incbin.
$(PYOBJ)/runtime/pex_helper.o $(PIC)/runtime/pex_helper.o: private CFLAGS += -Wa,-Iruntime
$(PYOBJ)/runtime/pex_helper.o $(PIC)/runtime/pex_helper.o: $(wildcard runtime/*.py)
# It is malloc: the compiler must not know what malloc does.
$(PYOBJ)/runtime/heap.o: private CFLAGS += -fno-builtin

$(BASE_ELF): $(BASE_OBJS) $(VFS_OBJS) $(OBJ)/cache.a $(OBJ)/blob.a vfs/exports.list \
    runtime/exports.list stdlib-blob/link_base.py stdlib-blob/linker_script.py \
    stdlib-blob/weak_symbols.py \
    stdlib-blob/hot_data.list stdlib-blob/hot_text.list $(PYTHON_JSON)
	@echo "  LD  $@"
	$(Q)$(HOST_PYTHON) stdlib-blob/link_base.py --cc $(CC) --module _pexcz \
	    --module pexcz_snapshot --exports vfs/exports.list \
	    --exports runtime/exports.list $(WRAPPED:%=--wrap %) \
	    $(patsubst %,--process %,$(PROCESS_OBJS) $(LIBZSTD)) \
	    $(STDLIB_DIST)/python $(OBJ)/link-$(PYTHON) $@ $(PYTHON_OBJS)

# The base of another machine is seldom linked: what it would lack shows here.
ifeq ($(ARCH),x86_64)
NO_SNAPSHOT := $(PYOBJ)/runtime/no_snapshot.o
SNAPSHOT_OBJS := $(patsubst %.c,$(PYOBJ)/%.o,$(SNAPSHOT_SRCS))
$(NO_SNAPSHOT): private CPPFLAGS += -isystem $(PYTHON_INCLUDE) -Iimporter -Ivfs -Icache
$(NO_SNAPSHOT): | $(PYTHON_JSON)

$(OBJ)/no_snapshot-$(PYTHON).checked: $(BASE_OBJS) $(NO_SNAPSHOT) runtime/exports.list
	$(Q)$(HOST_PYTHON) tests/lint/no_snapshot.py runtime/exports.list $(NO_SNAPSHOT) \
	    --kept $(filter-out $(SNAPSHOT_OBJS),$(BASE_OBJS)) --left-out $(SNAPSHOT_OBJS)
	$(Q)touch $@

$(BASE_ELF): | $(OBJ)/no_snapshot-$(PYTHON).checked
endif

# Bill of materials and licences, which every packed executable carries.
DOCUMENTS := $(OBJ)/documents-$(PYTHON)

$(DOCUMENTS)/components.json: stdlib-blob/components.py $(PYTHON_JSON)
	$(Q)$(HOST_PYTHON) stdlib-blob/components.py $(STDLIB_DIST)/python $(@D) \
	    $(SYSROOT)

$(BASE): $(BASE_ELF) $(BUILD)/bin/pexcz stdlib-blob/hot_modules.list \
    $(DOCUMENTS)/components.json
	@mkdir -p $(@D)
	@echo "  BASE $@"
	$(Q)$(BUILD)/bin/pexcz base $(BASE_ELF) $(STDLIB_DIST)/python/install \
	    $(DOCUMENTS) $(BUILD_PYTHON) stdlib-blob/hot_modules.list $@

.PHONY: base
base: $(BASE)

ifeq ($(MODE),release)
ALL_TARGETS += $(BASE)
ifneq ($(CROSS),)
else ifeq ($(PYTHON),$(FIRST_PYTHON))
ALL_TARGETS += $(OTHER_PYTHONS:%=base-%)
else
ALL_TARGETS += $(PYTHON_BUILD)/bin/pexcz-pack
endif
endif

.PHONY: $(OTHER_PYTHONS:%=base-%)
$(OTHER_PYTHONS:%=base-%): base-%: $(PROGRAMS)/pexcz
	$(Q)$(MAKE) --no-print-directory PYTHON=$* PYTHONS="$(PYTHONS)" all

# A program finds bases by its own place: no symbolic link.
$(BUILD)/others/%/bin/pexcz-pack: $(PROGRAMS)/pexcz
	@mkdir -p $(@D)
	$(Q)ln -f $< $(@D)/pexcz
	$(Q)ln -sf pexcz $@

-include $(BASE_OBJS:.o=.d)

# --- the embedding library ---------------------------------------------------
# Position-independent, without what only an executable can have: its own
# malloc, blobs at fixed addresses, snapshots, the end of the process.

EMBED_RUNTIME := $(wildcard runtime/embed_*.c) $(patsubst %,runtime/%.c,\
    app_environment app_site config_in_use entry_point import lazy_site library_files \
    library_memory library_set memory_file no_snapshot pex_helper pex_path_list pex_rc \
    pex_variables preconfig pyconfig run_module process_maps shared_objects stub_library \
    sys_flags thread_exit tree_site verify_first)
EMBED_SRCS := $(EMBED_RUNTIME) $(IMPORTER_SRCS) $(VFS_SRCS) \
    $(VFS_INTERPOSE_SRCS) $(CACHE_SRCS) $(BLOB_SRCS)
EMBED_OBJS := $(patsubst %.c,$(PIC)/%.o,$(EMBED_SRCS))
EMBED_LIBRARY := $(BUILD)/lib/libpexcz_runtime.a

$(PIC)/%.o: %.c $(FLAGS) | $(PYTHON_JSON)
	@mkdir -p $(@D)
	@echo "  CC  $< (PIC)"
	$(Q)$(CC) $(CPPFLAGS) -DPEXCZ_LIBRARY -isystem $(PYTHON_INCLUDE) -Iimporter \
	    -Ivfs -Icache $(filter-out -fno-pie,$(CFLAGS)) -fPIC -MMD -MP -c $< -o $@

$(EMBED_LIBRARY): $(EMBED_OBJS) stdlib-blob/link_library.py \
    stdlib-blob/link_base.py stdlib-blob/libc_variables.c $(PYTHON_JSON)
	@mkdir -p $(@D)
	@echo "  AR  $@"
	$(Q)$(HOST_PYTHON) stdlib-blob/link_library.py --cc $(CC) --module _pexcz \
	    --module pexcz_snapshot $(STDLIB_DIST)/python \
	    $(OBJ)/library-$(PYTHON) $@ $(EMBED_OBJS) $(LIBZSTD)

ifeq ($(MODE) $(PYTHON) $(CROSS),release $(FIRST_PYTHON) )
ALL_TARGETS += $(EMBED_LIBRARY)
endif

-include $(EMBED_OBJS:.o=.d)
