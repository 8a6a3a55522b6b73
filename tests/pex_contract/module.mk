# SPDX-License-Identifier: Apache-2.0
# Files of Pex's own test-suite, run against packed files: needs an index of
# packages and root, takes many minutes.

.PHONY: pex-suite
pex-suite: all | venv ## black-box tests of Pex itself against packed files
	$(VENV_PYTHON) tests/pex_contract/suite.py $(abspath $(BUILD))
