# SPDX-License-Identifier: Apache-2.0
# Suites of libraries, in a packed executable and in a venv.
# SUITES="lxml or numpy" runs these of snapshot-suites only.

SUITES ?=

.PHONY: conformance-packages snapshot-suites
conformance-packages: all | venv ## suites of importlib's users, packed and in a venv
	PEXCZ_BUILD=$(abspath $(BUILD)) $(PYTEST) tests/packages/test_suites.py

snapshot-suites: all | venv ## suites of libraries with shared objects, restored and in a venv (network, an hour)
	PEXCZ_BUILD=$(abspath $(BUILD)) $(PYTEST) tests/packages/test_snapshot_suites.py \
	    $(if $(SUITES),-k '$(SUITES)')
