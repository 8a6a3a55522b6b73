# SPDX-License-Identifier: Apache-2.0
# One executable per tests/unit/test_MODULE.c; run_unit.py runs them.

UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/$(MODE)/%,\
    $(wildcard tests/unit/test_*.c))

$(BUILD)/tests/$(MODE)/%: tests/unit/%.c $(OBJ)/packer.a $(OBJ)/blob.a \
    $(wildcard tests/unit/*.h)
	@mkdir -p $(@D)
	@echo "  LD  $@"
	$(Q)$(CC) $(CPPFLAGS) -Ipacker -Itests/unit $(CFLAGS) $(LDFLAGS) $< \
	    $(OBJ)/packer.a $(OBJ)/blob.a -ljansson -lz -lzstd -o $@

.PHONY: unit-tests check-unit check-unit-asan check-valgrind
unit-tests: $(UNIT_TESTS)

check-unit: $(UNIT_TESTS) ## unit tests of this MODE
	$(HOST_PYTHON) tests/run_unit.py $(UNIT_TESTS)

check-unit-asan: ## unit tests with ASan and UBSan
	$(MAKE) MODE=debug check-unit

check-valgrind: $(UNIT_TESTS) ## unit tests under valgrind
	$(HOST_PYTHON) tests/run_unit.py --valgrind $(UNIT_TESTS)
