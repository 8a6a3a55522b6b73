# SPDX-License-Identifier: Apache-2.0
# pexcz itself, for others: a wheel, a Debian package, a tarball.  All three are
# made of one staged installation; the same input gives the same bytes.

RELEASES := $(BUILD)/release
STAGE := $(RELEASES)/stage
# As a base, the program is linked against an older glibc than this machine's.
PROGRAM_GLIBC = $(shell $(HOST_PYTHON) -c 'import sys; \
    sys.path.insert(0, "stdlib-blob"); import versions; print(versions.GLIBC_FLOOR)')
RELEASE := $(HOST_PYTHON) release/release.py --version $(VERSION) \
    --stage $(STAGE) --out $(RELEASES)

.PHONY: wheel deb tarball release-stage
release-stage: all
	$(Q)rm -rf $(STAGE)
	$(Q)$(MAKE) --no-print-directory -o all install FOREIGN_BASES= PREFIX=/usr \
	    DESTDIR=$(abspath $(STAGE)) > $(RELEASES).log
	$(Q)$(HOST_PYTHON) release/portable.py $(PROGRAM_GLIBC) $(CC) \
	    $(RELEASES)/link $(STAGE)/usr/bin/pexcz $(OBJ)/packer/main.o \
	    $(OBJ)/packer.a $(OBJ)/cache.a $(OBJ)/blob.a
	$(Q)$(HOST_PYTHON) release/documents.py $(VERSION) $(STAGE)/usr \
	    $(BUILD)/dist $(PYTHONS)

wheel: release-stage ## pexcz as a platform wheel, in build/release
	@$(RELEASE) wheel --glibc $(PROGRAM_GLIBC)

deb: release-stage ## pexcz as a Debian package
	@$(RELEASE) deb --glibc $(PROGRAM_GLIBC)

tarball: release-stage ## pexcz as an archive to unpack anywhere
	@$(RELEASE) tarball
