# SPDX-License-Identifier: Apache-2.0
# The packer's front against the tools that it must agree with: `packaging`
# and `pex`.

CONFORMANCE_DRIVERS := $(BUILD)/tests/$(MODE)/packaging_driver \
    $(BUILD)/tests/$(MODE)/plan_driver

.PHONY: check-conformance
check-conformance: $(CONFORMANCE_DRIVERS) | venv ## answers of packaging and pex
	PEXCZ_PACKAGING_DRIVER=$(abspath $(word 1,$(CONFORMANCE_DRIVERS))) \
	    PEXCZ_PLAN_DRIVER=$(abspath $(word 2,$(CONFORMANCE_DRIVERS))) \
	    $(PYTEST) tests/conformance
