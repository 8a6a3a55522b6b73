# SPDX-License-Identifier: Apache-2.0
# The embedding library and `make install`: everything here is built from an
# installed prefix alone.

INSTALLED := $(BUILD)/tests/installed

.PHONY: check-embed
check-embed: all samples | venv ## the embedding library, from an installed prefix
	rm -rf $(INSTALLED)
	$(MAKE) --no-print-directory install PREFIX=$(abspath $(INSTALLED)) \
	    DESTDIR= > $(BUILD)/tests/install.log
	PEXCZ_BUILD=$(abspath $(BUILD)) PEXCZ_INSTALLED=$(abspath $(INSTALLED)) \
	    PEXCZ_PYTHON_DIST=$(abspath $(STDLIB_DIST))/python $(PYTEST) tests/embed
