# SPDX-License-Identifier: Apache-2.0
# The private venv of the tests, of the version that they are about: $(PYTHON).
# A part that runs pytest:
#
#   check-NAME: venv | what it needs
#           $(PYTEST) tests/NAME

VENV := $(PYTHON_BUILD)/venv
VENV_PYTHON := $(VENV)/bin/python
# The tests' many Python processes share their byte code, also where the session
# says that Python shall not write any.
PYTEST = PYTHONDONTWRITEBYTECODE= PYTHONPYCACHEPREFIX=$(abspath $(BUILD))/pycache \
    $(VENV_PYTHON) tests/run_pytest.py

.PHONY: venv
venv: | $(PYTHON_JSON) ## the Python packages that the tests use, in $(BUILD)/venv
	@$(HOST_PYTHON) tests/make_venv.py $(VENV) tests/requirements.txt $(BUILD_PYTHON)
