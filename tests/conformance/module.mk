# SPDX-License-Identifier: Apache-2.0
# The packer's front against the tools that it must agree with: `packaging`
# and `pex`.

CONFORMANCE_DRIVERS := $(BUILD)/tests/$(MODE)/packaging_driver \
    $(BUILD)/tests/$(MODE)/plan_driver $(BUILD)/tests/$(MODE)/resolve_driver

CONFORMANCE_ENV = \
    PEXCZ_PACKAGING_DRIVER=$(abspath $(word 1,$(CONFORMANCE_DRIVERS))) \
    PEXCZ_PLAN_DRIVER=$(abspath $(word 2,$(CONFORMANCE_DRIVERS))) \
    PEXCZ_RESOLVE_DRIVER=$(abspath $(word 3,$(CONFORMANCE_DRIVERS)))

.PHONY: check-conformance
check-conformance: $(CONFORMANCE_DRIVERS) | venv ## answers of packaging and pex
	$(CONFORMANCE_ENV) $(PYTEST) -n 2 tests/conformance

# The generated questions again, with another seed each time.
.PHONY: fuzz-conformance
fuzz-conformance: $(CONFORMANCE_DRIVERS) | venv ## answers of packaging and pex, fresh seed
	seed=$$(od -An -N4 -tu4 /dev/urandom | tr -d ' '); echo "PEXCZ_SEED=$$seed"; \
	$(CONFORMANCE_ENV) PEXCZ_SEED=$$seed PEXCZ_RESOLVE_CASES=2000 \
	    $(PYTEST) tests/conformance/test_packaging_diff.py tests/conformance/test_resolve_diff.py

fuzz: fuzz-conformance
