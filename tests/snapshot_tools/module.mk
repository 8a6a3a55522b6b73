# SPDX-License-Identifier: Apache-2.0
# The largest pure-Python command-line tools of PyPI, restored and booted.
# TOOLS="poetry conan" tries these only.

TOOLS ?=

.PHONY: snapshot-tools
snapshot-tools: all | venv ## PyPI's large command-line tools with a snapshot (network, an hour)
	PEXCZ_BUILD=$(abspath $(BUILD)) $(VENV_PYTHON) tests/snapshot_tools/run.py $(TOOLS)
