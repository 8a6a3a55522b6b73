# SPDX-License-Identifier: Apache-2.0
# Machines that are full, read-only, hostile or killed: does ./app still run?
# `make check` tries a part of the points, `make faults` all of them.

FAULT_INJECTOR := $(BUILD)/tests/fault_injector.so

$(FAULT_INJECTOR): tests/faults/injector.c
	@mkdir -p $(@D)
	@echo "  LD  $@"
	$(Q)$(CC) -D_GNU_SOURCE -std=c17 -O2 -fPIC -shared $(WARNINGS) $< -o $@ -ldl

FAULTS = PEXCZ_BUILD=$(abspath $(BUILD)) $(PYTEST) -s tests/faults

.PHONY: check-faults
check-faults: $(FAULT_INJECTOR) all | venv ## machines that misbehave, some points
	$(FAULTS)

.PHONY: faults
faults: $(FAULT_INJECTOR) all | venv ## machines that misbehave, all points
	PEXCZ_FAULTS=all $(FAULTS)
