# SPDX-License-Identifier: Apache-2.0

# PGO=0 builds CPython without profile-guided optimisation: quicker, slower.
PGO ?= 1
STDLIB_DIST := $(BUILD)/dist/$(PYTHON)

.PHONY: python-dist
python-dist: ## build CPython as a static distribution, once
	$(HOST_PYTHON) stdlib-blob/build_dist.py $(BUILD) $(PYTHON) \
	    --cc $(CC) $(if $(filter 0,$(PGO)),--no-pgo)
