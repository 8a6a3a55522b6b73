# SPDX-License-Identifier: Apache-2.0

PYTHON_INCLUDE = $(STDLIB_DIST)/python/install/include/python$(PYTHON)

.PHONY: lint check-lint check-clang
lint: check-lint check-clang ## rules of the tree; clang's warnings

check-lint: ## dependencies, lengths, licences, man pages, formatting
	$(HOST_PYTHON) tests/lint/lint.py

check-clang: ## compile everything with clang, warnings being errors
	$(HOST_PYTHON) tests/lint/check_clang.py \
	    "$(CPPFLAGS) $(CFLAGS)" $(PYTHON_INCLUDE)
