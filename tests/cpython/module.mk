# SPDX-License-Identifier: Apache-2.0
# CPython's own regression suite, on disk and packed.  CONFORMANCE="test_os
# test_io" runs these files only, CONFORMANCE=--again forgets kept outcomes.

CONFORMANCE ?=

.PHONY: check-cpython conformance conformance-snapshot
check-cpython: all | venv ## files of CPython's suite that are about imports
	PEXCZ_BUILD=$(abspath $(BUILD)) $(PYTEST) tests/cpython

conformance: all | venv ## CPython's whole suite, packed and on disk (an hour)
	$(VENV_PYTHON) tests/cpython/run.py $(BUILD) $(PYTHON) $(CONFORMANCE)

conformance-snapshot: all | venv ## CPython's whole suite, restored and booted (an hour)
	$(VENV_PYTHON) tests/cpython/run.py $(BUILD) $(PYTHON) --snapshot $(CONFORMANCE)
