# SPDX-License-Identifier: Apache-2.0

# PGO=0 builds CPython without profile-guided optimisation: quicker, slower.
PGO ?= 1
# QUICK=1: for the Pythons behind the first of PYTHONS any finished distribution
# will do, or else the one that is made quickest.
QUICK ?=
STDLIB_DIST := $(BUILD)/dist/$(PYTHON)$(CROSS:%=-%)
# PYTHON_DIST=ARCHIVE takes a python-build-standalone full archive instead.
PYTHON_DIST ?=

# A finished distribution is kept by the hash of its inputs, so this is quick
# when nothing changed, and leaves PYTHON.json's time alone.
.PHONY: python-dist FORCE
python-dist: $(STDLIB_DIST)/python/PYTHON.json ## CPython, built static, once

$(STDLIB_DIST)/python/PYTHON.json: FORCE
ifeq ($(PYTHON_DIST),)
	$(Q)$(HOST_PYTHON) stdlib-blob/build_dist.py $(BUILD) $(PYTHON) \
	    --cc $(CC) $(SYSROOT:%=--sysroot %) $(if $(filter 0,$(PGO)),--no-pgo) \
	    $(if $(QUICK),$(if $(filter-out $(FIRST_PYTHON),$(PYTHON)),--quick))
else
	$(Q)$(HOST_PYTHON) stdlib-blob/archive/read.py $(PYTHON_DIST) $(BUILD) \
	    $(notdir $(STDLIB_DIST))
endif

.PHONY: dist
dist: python-dist ## the static CPython as a python-build-standalone archive
	@$(HOST_PYTHON) stdlib-blob/archive/write.py $(STDLIB_DIST) $(BUILD)/archives

FORCE:

# A cross build starts with that for this machine, whose Python runs what has to
# be run and whose program puts the base together.
ifneq ($(CROSS),)
$(STDLIB_DIST)/python/PYTHON.json: $(SYSROOT)/var/lib/dpkg/status | $(BUILD)/bin/pexcz

$(SYSROOT)/var/lib/dpkg/status: stdlib-blob/sysroot.py
	@echo "  ROOT $(SYSROOT)"
	$(Q)$(HOST_PYTHON) stdlib-blob/sysroot.py $(SYSROOT) $(CC)

$(BUILD)/bin/pexcz: FORCE
	$(Q)$(MAKE) --no-print-directory ARCH=$(OWN_ARCH) PYTHON_DIST= all
endif
