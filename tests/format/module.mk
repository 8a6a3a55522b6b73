# SPDX-License-Identifier: Apache-2.0
# The format of blobs: C code against a reader written from the man page.

BLOB_DRIVER := $(BUILD)/tests/$(MODE)/blob_driver

$(BLOB_DRIVER): tests/format/blob_driver.c $(OBJ)/blob.a
	@mkdir -p $(@D)
	@echo "  LD  $@"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $< $(OBJ)/blob.a -lzstd -o $@

.PHONY: check-format
check-format: $(BLOB_DRIVER) all samples | venv ## blobs against the reference reader
	PEXCZ_BLOB_DRIVER=$(BLOB_DRIVER) \
	    PEXCZ_EXECUTABLES="$(wildcard $(BUILD)/lib/pexcz/base-*) \
	        $(BUILD)/samples/flask-service" \
	    $(PYTEST) tests/format
