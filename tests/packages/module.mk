# SPDX-License-Identifier: Apache-2.0

.PHONY: conformance-packages
conformance-packages: all | venv ## suites of importlib's users, packed and in a venv
	PEXCZ_BUILD=$(abspath $(BUILD)) $(PYTEST) tests/packages
