# SPDX-License-Identifier: Apache-2.0
# `make check` runs every part, even after a failure, and adds up their
# "N passed, N failed, N skipped" lines.

include tests/venv.mk

# Two that keep one processor busy each, and build nothing that the other one
# builds too, run at the same time.
CHECK_PARTS := check-unit check-unit-asan+check-valgrind check-vfs check-format \
    check-fuzz-corpus check-lint check-e2e check-importer+check-embed \
    check-conformance check-release+check-dist check-faults+check-cpython \
    check-clang

.PHONY: check deps
deps: ## install the system packages that are missing
	@.ci/install-packages

# Unless told otherwise, with two Pythons; the second one is tested in part.
CHECK_PYTHONS := $(if $(filter undefined file,$(PYTHONS_ORIGIN)),3.11 3.13,$(PYTHONS))
check: export PYTHONS := $(CHECK_PYTHONS)
check: export QUICK := 1
check: CHECK_PARTS += $(if $(word 2,$(CHECK_PYTHONS)),check-e2e-others)
check: deps ## all tests
	@$(HOST_PYTHON) tests/check.py $(CHECK_PARTS)
