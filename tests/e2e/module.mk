# SPDX-License-Identifier: Apache-2.0
# Whole applications: PEXes of PyPI projects, packed and run without Python.

.PHONY: check-e2e
check-e2e: all samples | venv ## packed applications against python app.pex
	PEXCZ_BUILD=$(abspath $(BUILD)) $(PYTEST) -n 2 --dist loadfile tests/e2e

# Of the other Pythons all but what is about packing, PEXes for the first one,
# or parts that their bases lack.
OTHERS_TESTS := $(filter-out $(wildcard tests/e2e/test_bad_*.py) \
    $(addprefix tests/e2e/test_,bill.py command_line.py damaged_executable.py \
    files_option.py layouts.py old_releases.py prompt.py same_bytes.py samples.py \
    snapshot_late.py snapshot_standby.py tools.py verify.py),$(wildcard tests/e2e/test_*.py))

.PHONY: check-e2e-others $(OTHER_PYTHONS:%=check-e2e-%)
check-e2e-others: $(OTHER_PYTHONS:%=check-e2e-%) ## most of it for the other PYTHONS

$(OTHER_PYTHONS:%=check-e2e-%): check-e2e-%: all
	$(MAKE) --no-print-directory PYTHON=$* PYTHONS="$(PYTHONS)" check-e2e-part

# `make check` leaves out what hardly depends on the version, and runs a test in
# one of the two modes only.
QUICK_OTHERS_TESTS := $(filter-out $(addprefix tests/e2e/test_,data_files.py \
    four_libraries.py native_programs.py pex_tools.py pex_variables.py platform.py \
    systems.py web.py),$(OTHERS_TESTS))

.PHONY: check-e2e-part
check-e2e-part: all | venv
	PEXCZ_BUILD=$(abspath $(BUILD)) PEXCZ_TEST_ONE_MODE=$(QUICK) \
	    $(PYTEST) -n 2 --dist loadfile $(if $(QUICK),$(QUICK_OTHERS_TESTS),$(OTHERS_TESTS))

# Packed applications in the root file systems of other releases of Debian.
ROOTS ?= bullseye bookworm trixie
ROOTS_TESTS := $(addprefix tests/e2e/test_,apps.py data_files.py four_libraries.py \
    process.py runtime.py shared_objects.py web.py)

.PHONY: roots $(ROOTS:%=root-%)
roots: $(ROOTS:%=root-%) ## the suite in bullseye, bookworm and trixie: minutes

$(ROOTS:%=root-%): root-%: all | venv
	PEXCZ_BUILD=$(abspath $(BUILD)) PEXCZ_TEST_SYSTEM=$* \
	    $(PYTEST) -n 2 --dist loadfile $(ROOTS_TESTS)
	PEXCZ_BUILD=$(abspath $(BUILD)) PEXCZ_TEST_SYSTEM=$* $(PYTEST) tests/cpython

.PHONY: layouts
layouts: all | venv ## every layout, form and mode of PEX: minutes
	PEXCZ_BUILD=$(abspath $(BUILD)) PEXCZ_TEST_ALL_LAYOUTS=1 \
	    $(PYTEST) -n 2 tests/e2e/test_layouts.py

# Packed applications of another machine, which qemu's emulator runs.
AARCH64_TESTS := $(addprefix tests/e2e/test_,boundaries.py injection.py platform.py \
    process.py runtime.py) $(addprefix tests/e2e/test_apps.py::test_,cowsay black \
    httpie_offline rich)
# The emulator has a word of its own about a fatal signal and system calls of its
# own, and stat("/proc/self/exe") is it, not the program.  It is slow enough for an
# interrupt to come between a print and the sleep behind it.
NOT_EMULATED := $(addprefix --deselect tests/e2e/test_,boundaries.py::test_nothing_but_the_executable_is_touched \
    injection.py::test_orig_argv process.py::test_program[booted-fatal] \
    runtime.py::test_interrupt_exit runtime.py::test_own_file_is_the_application_again \
    runtime.py::test_under_the_name_of_python)

.PHONY: aarch64 check-aarch64
aarch64: all ## the base for aarch64, with Debian's cross compiler
	@.ci/install-packages packages-aarch64.apt
	$(Q)$(MAKE) --no-print-directory ARCH=aarch64 base

check-aarch64: aarch64 | venv ## packed applications of aarch64, emulated
	PEXCZ_BUILD=$(abspath $(BUILD)) PEXCZ_TEST_MACHINE=aarch64 \
	    $(HOST_PYTHON) tests/e2e/foreign_machine.py aarch64 \
	    env $(PYTEST) -n 2 --dist loadfile $(AARCH64_TESTS) $(NOT_EMULATED)
