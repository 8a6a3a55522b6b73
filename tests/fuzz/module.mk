# SPDX-License-Identifier: Apache-2.0
# Fuzz targets fuzz_NAME.c with seeds in corpus/NAME/.  `make fuzz` runs each
# with libFuzzer for FUZZ_SECONDS; `make check` replays the seeds.  Whatever
# crashes one becomes a seed, named after the defect, with its fix.

FUZZ_SECONDS ?= 300
FUZZ_NAMES := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_LIBS := -ljansson -lz -lzstd
FUZZ_INCLUDES := -Ipacker -Itests/unit -Itests/fuzz

FUZZERS := $(addprefix $(BUILD)/tests/$(MODE)/fuzz_,$(FUZZ_NAMES))
REPLAYS := $(addprefix $(BUILD)/tests/$(MODE)/replay_,$(FUZZ_NAMES))

$(FUZZERS): $(BUILD)/tests/$(MODE)/fuzz_%: tests/fuzz/fuzz_%.c \
    $(OBJ)/packer.a $(OBJ)/blob.a $(wildcard tests/fuzz/*.h)
	@mkdir -p $(@D)
	@echo "  LD  $@"
	$(Q)$(CC) $(CPPFLAGS) $(FUZZ_INCLUDES) $(CFLAGS) $(LDFLAGS) \
	    -fsanitize=fuzzer $< $(OBJ)/packer.a $(OBJ)/blob.a $(FUZZ_LIBS) \
	    -o $@

$(REPLAYS): $(BUILD)/tests/$(MODE)/replay_%: tests/fuzz/fuzz_%.c \
    tests/fuzz/replay.c $(OBJ)/packer.a $(OBJ)/blob.a \
    $(wildcard tests/fuzz/*.h)
	@mkdir -p $(@D)
	@echo "  LD  $@"
	$(Q)$(CC) $(CPPFLAGS) $(FUZZ_INCLUDES) $(CFLAGS) $(LDFLAGS) \
	    -DCORPUS='"tests/fuzz/corpus/$*"' tests/fuzz/replay.c $< \
	    $(OBJ)/packer.a $(OBJ)/blob.a $(FUZZ_LIBS) -o $@

.PHONY: fuzz run-fuzzers check-fuzz-corpus run-replays
fuzz: ## each fuzz target for FUZZ_SECONDS (needs clang)
	$(MAKE) MODE=fuzz CC=clang run-fuzzers

run-fuzzers: $(FUZZERS)
	@set -e; for name in $(FUZZ_NAMES); do \
	    mkdir -p $(BUILD)/fuzz/$$name; \
	    $(BUILD)/tests/$(MODE)/fuzz_$$name -timeout=20 -print_final_stats=1 \
	        -max_total_time=$(FUZZ_SECONDS) -verbosity=0 \
	        -artifact_prefix=$(BUILD)/fuzz/ $(BUILD)/fuzz/$$name \
	        tests/fuzz/corpus/$$name; \
	done

check-fuzz-corpus: ## the fuzz targets' seeds with ASan and UBSan
	$(MAKE) MODE=debug run-replays

run-replays: $(REPLAYS)
	$(HOST_PYTHON) tests/run_unit.py $(REPLAYS)
