# SPDX-License-Identifier: Apache-2.0

.PHONY: demo
demo: deps ## pack a real application and run it without Python
	@$(MAKE) --no-print-directory all venv
	@$(VENV_PYTHON) samples/demo.py $(abspath $(BUILD)) $(PYTHON)
