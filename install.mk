# SPDX-License-Identifier: Apache-2.0
# make install, make uninstall.  Everything below PREFIX finds the rest by its
# own place, so an installed tree may be moved, but for pexcz_runtime.pc.

PREFIX ?= /usr/local
DESTDIR ?=
# For other machines, if they were built (make aarch64); the packages of pexcz
# have none.
FOREIGN_BASES ?= $(wildcard $(addsuffix -*,$(BASE) $(OTHER_BASES)))
MAN_PAGES := $(wildcard docs/man/*.[1-9])
VERSION := $(shell sed -n 's/.*PEXCZ_VERSION "\(.*\)"/\1/p' blob/pexcz_version.h)
ROOT := $(DESTDIR)$(PREFIX)
FILL_IN := sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@PYTHON@|$(PYTHON)|' \
    -e 's|@VERSION@|$(VERSION)|'

.PHONY: install uninstall
install: all ## programs, bases, embedding library and man pages under PREFIX
	install -d $(ROOT)/bin $(ROOT)/lib/pexcz $(ROOT)/lib/pkgconfig \
	    $(ROOT)/lib/cmake/pexcz_runtime $(ROOT)/include/pexcz
	install $(BUILD)/bin/pexcz $(ROOT)/bin
	ln -sf pexcz $(ROOT)/bin/pexcz-pack
	install $(BASE) $(OTHER_BASES) $(FOREIGN_BASES) $(ROOT)/lib/pexcz
	install -m 644 $(EMBED_LIBRARY) $(ROOT)/lib
	install -m 644 $(EMBED_LIBRARY:.a=.exports) \
	    $(ROOT)/lib/pexcz/python$(PYTHON).exports
	install -m 644 runtime/include/pexcz_runtime.h $(ROOT)/include
	rm -rf $(ROOT)/include/pexcz/python$(PYTHON)
	cp -R $(PYTHON_INCLUDE) $(ROOT)/include/pexcz
	$(FILL_IN) runtime/package/pexcz_runtime.pc.in \
	    > $(ROOT)/lib/pkgconfig/pexcz_runtime.pc
	for file in pexcz_runtime-config pexcz_runtime-config-version; do \
	    $(FILL_IN) runtime/package/$$file.cmake.in \
	        > $(ROOT)/lib/cmake/pexcz_runtime/$$file.cmake || exit 1; done
	for page in $(MAN_PAGES); do \
	    dir=$(ROOT)/share/man/man$${page##*.}; \
	    install -d $$dir && install -m 644 $$page $$dir || exit 1; done

# Folders that others use as well go only when they are empty.
uninstall: ## removes what install puts there
	rm -rf $(ROOT)/lib/pexcz $(ROOT)/include/pexcz \
	    $(ROOT)/lib/cmake/pexcz_runtime
	rm -f $(ROOT)/bin/pexcz $(ROOT)/bin/pexcz-pack \
	    $(ROOT)/lib/libpexcz_runtime.a $(ROOT)/include/pexcz_runtime.h \
	    $(ROOT)/lib/pkgconfig/pexcz_runtime.pc
	for page in $(MAN_PAGES); do \
	    rm -f $(ROOT)/share/man/man$${page##*.}/$$(basename $$page); done
	-rmdir --ignore-fail-on-non-empty $(ROOT)/lib/cmake $(ROOT)/lib/pkgconfig
