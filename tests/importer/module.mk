# SPDX-License-Identifier: Apache-2.0
# The importer against importlib on a copy of the same tree on disk.

.PHONY: check-importer
check-importer: all | venv ## packed modules against the same ones on disk
	PEXCZ_BUILD=$(abspath $(BUILD)) $(PYTEST) tests/importer
