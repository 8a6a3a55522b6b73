# SPDX-License-Identifier: Apache-2.0

PACKER_SRCS := $(filter-out packer/main.c,$(wildcard packer/*.c))

$(OBJ)/packer.a: $(patsubst %.c,$(OBJ)/%.o,$(PACKER_SRCS))
	$(Q)rm -f $@ && $(AR) rcsD $@ $^

-include $(patsubst %.c,$(OBJ)/%.d,$(PACKER_SRCS))

$(patsubst %.c,$(OBJ)/%.o,$(PACKER_SRCS)) $(OBJ)/packer/main.o: private CPPFLAGS += -Icache

# The assembler puts the worker's text in with .incbin.
$(OBJ)/packer/worker_text.o: private CFLAGS += -Wa,-Ipacker
$(OBJ)/packer/worker_text.o: $(wildcard packer/*.py)

PROGRAMS := $(BUILD)/$(if $(filter release,$(MODE)),,$(MODE)/)bin
ifeq ($(CROSS),)
ALL_TARGETS += $(PROGRAMS)/pexcz $(PROGRAMS)/pexcz-pack

$(PROGRAMS)/pexcz: $(OBJ)/packer/main.o $(OBJ)/packer.a $(OBJ)/cache.a $(OBJ)/blob.a
	@mkdir -p $(@D)
	@echo "  LD  $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ -ljansson -lz -lzstd -o $@

$(PROGRAMS)/pexcz-pack: $(PROGRAMS)/pexcz
	$(Q)ln -sf pexcz $@

-include $(OBJ)/packer/main.d
endif
