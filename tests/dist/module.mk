# SPDX-License-Identifier: Apache-2.0

.PHONY: check-dist
check-dist: all dist | venv ## the Python archive, and a base built from it alone
	PEXCZ_BUILD=$(abspath $(BUILD)) $(PYTEST) tests/dist
