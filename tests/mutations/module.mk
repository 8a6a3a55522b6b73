# SPDX-License-Identifier: Apache-2.0
# Rules taken away one by one: does a test see it?  RULES="entropy threads" tries
# these only.

RULES ?=

.PHONY: mutations
mutations: all | venv ## each rule of the snapshot is missed by a test (half an hour)
	$(VENV_PYTHON) tests/mutations/snapshot_rules.py $(BUILD) $(RULES)
