# SPDX-License-Identifier: Apache-2.0
# Whole applications: PEXes of PyPI projects, packed and run without Python.

.PHONY: check-e2e
check-e2e: all | venv ## packed applications against python app.pex
	PEXCZ_BUILD=$(abspath $(BUILD)) $(PYTEST) -n 2 tests/e2e
