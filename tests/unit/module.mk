# SPDX-License-Identifier: Apache-2.0
# One executable per tests/unit/test_MODULE.c; run_unit.py runs them.

# test_vfs_libc goes through libc's names, which the sanitizers define, too.
UNIT_TEST_SRCS := $(filter-out $(if $(filter debug,$(MODE)),\
    tests/unit/test_vfs_libc.c),$(wildcard tests/unit/test_*.c))
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/$(MODE)/%,\
    $(UNIT_TEST_SRCS))

$(BUILD)/tests/$(MODE)/%: tests/unit/%.c $(OBJ)/packer.a $(OBJ)/blob.a \
    $(wildcard tests/unit/*.h)
	@mkdir -p $(@D)
	@echo "  LD  $@"
	$(Q)$(CC) $(CPPFLAGS) -Ipacker -Itests/unit $(CFLAGS) $(LDFLAGS) $< \
	    $(OBJ)/packer.a $(OBJ)/blob.a -ljansson -lz -lzstd -o $@

$(BUILD)/tests/$(MODE)/test_vfs%: tests/unit/test_vfs%.c $(OBJ)/vfs.a \
    $(OBJ)/blob.a $(wildcard tests/unit/*.h)
	@mkdir -p $(@D)
	@echo "  LD  $@"
	$(Q)$(CC) $(CPPFLAGS) -Ivfs -Itests/unit $(CFLAGS) $(LDFLAGS) $< \
	    $(OBJ)/vfs.a $(OBJ)/blob.a -lzstd -o $@

$(BUILD)/tests/$(MODE)/test_x86_length: tests/unit/test_x86_length.c \
    runtime/x86_length.c $(wildcard tests/unit/*.h runtime/x86_length.h)
	@mkdir -p $(@D)
	@echo "  LD  $@"
	$(Q)$(CC) $(CPPFLAGS) -Iruntime -Itests/unit $(CFLAGS) $(LDFLAGS) \
	    $(filter %.c,$^) -o $@

.PHONY: unit-tests check-unit check-unit-asan check-valgrind
unit-tests: $(UNIT_TESTS)

check-unit: $(UNIT_TESTS) ## unit tests of this MODE
	$(HOST_PYTHON) tests/run_unit.py $(UNIT_TESTS)

check-unit-asan: ## unit tests with ASan and UBSan
	$(MAKE) MODE=debug check-unit

# Its vfork() shares no memory: posix_spawn() cannot tell why the child ended.
check-valgrind: $(UNIT_TESTS) ## unit tests under valgrind
	$(HOST_PYTHON) tests/run_unit.py --valgrind \
	    $(filter-out %/test_vfs_spawn,$(UNIT_TESTS))
