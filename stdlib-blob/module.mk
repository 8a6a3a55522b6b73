# SPDX-License-Identifier: Apache-2.0

# PGO=0 builds CPython without profile-guided optimisation: quicker, slower.
PGO ?= 1
STDLIB_DIST := $(BUILD)/dist/$(PYTHON)

# A finished distribution is kept by the hash of its inputs, so this is quick
# when nothing changed, and leaves PYTHON.json's time alone.
.PHONY: python-dist FORCE
python-dist: $(STDLIB_DIST)/python/PYTHON.json ## CPython, built static, once

$(STDLIB_DIST)/python/PYTHON.json: FORCE
	$(Q)$(HOST_PYTHON) stdlib-blob/build_dist.py $(BUILD) $(PYTHON) \
	    --cc $(CC) $(if $(filter 0,$(PGO)),--no-pgo)

FORCE:
