# SPDX-License-Identifier: Apache-2.0
# The private venv of the tests.  A part that runs pytest:
#
#   check-NAME: venv | what it needs
#           $(PYTEST) tests/NAME

VENV := $(BUILD)/venv
VENV_PYTHON := $(VENV)/bin/python
PYTEST = PYTHONPYCACHEPREFIX=$(BUILD)/pycache $(VENV_PYTHON) tests/run_pytest.py

.PHONY: venv
venv: ## the Python packages that the tests use, in $(BUILD)/venv
	@$(HOST_PYTHON) tests/make_venv.py $(VENV) tests/requirements.txt
