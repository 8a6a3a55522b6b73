# SPDX-License-Identifier: Apache-2.0

.PHONY: check-release
check-release: all samples | venv ## wheel, Debian package and tarball of pexcz itself
	PEXCZ_BUILD=$(abspath $(BUILD)) $(PYTEST) tests/release
