# SPDX-License-Identifier: Apache-2.0
# Whole applications: PEXes of PyPI projects, packed and run without Python.

.PHONY: check-e2e
check-e2e: all samples | venv ## packed applications against python app.pex
	PEXCZ_BUILD=$(abspath $(BUILD)) $(PYTEST) -n 2 --dist loadgroup tests/e2e

# About packing, or without a snapshot anyway.
PACKING_TESTS := $(wildcard tests/e2e/test_bad_*.py) $(addprefix tests/e2e/test_,\
    command_line.py same_bytes.py damaged_executable.py prompt.py tools.py)

.PHONY: check-e2e-ordinary
check-e2e-ordinary: all samples | venv ## the same without heap snapshots
	PEXCZ_BUILD=$(abspath $(BUILD)) PEXCZ_TEST_ORDINARY_BOOT=1 \
	    $(PYTEST) -n 2 tests/e2e --ignore tests/e2e/test_snapshot.py \
	    $(addprefix --ignore ,$(PACKING_TESTS))

# Of the other Pythons all but what is about packing, PEXes for the first one,
# or parts that their bases lack.
OTHERS_TESTS := $(filter-out $(PACKING_TESTS) $(addprefix tests/e2e/test_,\
    bill.py files_option.py layouts.py old_releases.py samples.py \
    snapshot_standby.py verify.py),$(wildcard tests/e2e/test_*.py))

.PHONY: check-e2e-others $(OTHER_PYTHONS:%=check-e2e-%)
check-e2e-others: $(OTHER_PYTHONS:%=check-e2e-%) ## most of it for the other PYTHONS

$(OTHER_PYTHONS:%=check-e2e-%): check-e2e-%: all
	$(MAKE) --no-print-directory PYTHON=$* PYTHONS="$(PYTHONS)" check-e2e-part

.PHONY: check-e2e-part
check-e2e-part: all | venv
	PEXCZ_BUILD=$(abspath $(BUILD)) $(PYTEST) -n 2 --dist loadgroup $(OTHERS_TESTS)

# Packed applications in the root file systems of other releases of Debian.
ROOTS ?= bullseye bookworm trixie
ROOTS_TESTS := $(addprefix tests/e2e/test_,apps.py data_files.py process.py \
    runtime.py shared_objects.py web.py)

.PHONY: roots $(ROOTS:%=root-%)
roots: $(ROOTS:%=root-%) ## the suite in bullseye, bookworm and trixie: minutes

$(ROOTS:%=root-%): root-%: all | venv
	PEXCZ_BUILD=$(abspath $(BUILD)) PEXCZ_TEST_SYSTEM=$* \
	    $(PYTEST) -n 2 --dist loadgroup $(ROOTS_TESTS)

.PHONY: layouts
layouts: all | venv ## every layout, form and mode of PEX: minutes
	PEXCZ_BUILD=$(abspath $(BUILD)) PEXCZ_TEST_ALL_LAYOUTS=1 \
	    $(PYTEST) -n 2 tests/e2e/test_layouts.py
