# SPDX-License-Identifier: Apache-2.0
# vfs/ against a read-only mount of the same files: random calls, in one thread
# (with the working directory) and in several.

VFS_DIFF := $(BUILD)/tests/$(MODE)/vfs_diff
VFS_DIFF_SRCS := $(wildcard tests/vfs/*.c)
VFS_SEED ?= 1

$(VFS_DIFF): $(VFS_DIFF_SRCS) $(wildcard tests/vfs/*.h) $(OBJ)/vfs.a \
    $(OBJ)/blob.a
	@mkdir -p $(@D)
	@echo "  LD  $@"
	$(Q)$(CC) $(CPPFLAGS) -Ivfs -Itests/vfs $(CFLAGS) $(LDFLAGS) \
	    $(VFS_DIFF_SRCS) $(OBJ)/vfs.a $(OBJ)/blob.a -lzstd -o $@

.PHONY: check-vfs fuzz-vfs
check-vfs: $(VFS_DIFF) ## 100,000 random file system calls, packed against on disk
	$(HOST_PYTHON) tests/vfs/run_diff.py $(VFS_DIFF) --seed $(VFS_SEED)

fuzz-vfs: $(VFS_DIFF) ## the same with new seeds for FUZZ_TIME seconds
	$(HOST_PYTHON) tests/vfs/run_diff.py $(VFS_DIFF) --time $(or $(FUZZ_TIME),600)
