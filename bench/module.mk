# SPDX-License-Identifier: Apache-2.0
# How fast packed executables start, against Python itself: docs/benchmarks.md.

BENCH_RUNS ?= 30

.PHONY: bench
bench: all | venv ## start-up and packing times against python; CHECK=1 fails on a missed bound
	PEXCZ_BUILD=$(abspath $(BUILD)) $(BUILD)/venv/bin/python bench/bench.py \
	    --python $(BUILD_PYTHON) --runs $(BENCH_RUNS) $(if $(CHECK),--check)

.PHONY: bench-first
bench-first: all | venv ## the first start of NumPy against a later one; CHECK=1 as above
	PEXCZ_BUILD=$(abspath $(BUILD)) $(BUILD)/venv/bin/python bench/first_start.py \
	    --python $(BUILD_PYTHON) --runs $(BENCH_RUNS) $(if $(CHECK),--check)

# Linked with the objects: from the archive, libc's names would not be taken.
VFS_BENCH := $(BUILD)/tests/$(MODE)/vfs_bench
$(VFS_BENCH): bench/vfs_calls.c $(VFS_OBJS) $(OBJ)/blob.a
	@mkdir -p $(@D)
	@echo "  LD  $@"
	$(Q)$(CC) $(CPPFLAGS) -Ivfs $(CFLAGS) $(LDFLAGS) $< $(VFS_OBJS) \
	    $(OBJ)/blob.a -lzstd -o $@

.PHONY: bench-vfs
bench-vfs: $(VFS_BENCH) $(BASE) ## calls on packed files, in ns; CHECK=1 as above
	$(VFS_BENCH) $(BASE) $(if $(CHECK),--check)

# PyInstaller wants a shared libpython, which Debian's Python has.
OTHERS_PYTHON ?= /usr/bin/python3

.PHONY: bench-others
bench-others: all | venv ## the same programs packed by pex, shiv, PyInstaller and pexcz
	PEXCZ_BUILD=$(abspath $(BUILD)) $(BUILD)/venv/bin/python bench/others.py \
	    --python $(OTHERS_PYTHON)

COPIES ?= 100

.PHONY: bench-memory
bench-memory: all | venv ## memory of 100 copies of a web application at once
	PEXCZ_BUILD=$(abspath $(BUILD)) $(BUILD)/venv/bin/python bench/memory.py \
	    --python $(BUILD_PYTHON) --copies $(COPIES)

MERCURIAL_TESTS ?= 260

.PHONY: bench-mercurial
bench-mercurial: all | venv ## Mercurial's own tests with a packed hg; CHECK=1 as above
	PEXCZ_BUILD=$(abspath $(BUILD)) $(BUILD)/venv/bin/python bench/mercurial.py \
	    --python $(BUILD_PYTHON) --tests $(MERCURIAL_TESTS) $(if $(CHECK),--check)
