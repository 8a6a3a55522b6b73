# SPDX-License-Identifier: Apache-2.0

PACKER_SRCS := $(filter-out packer/main.c,$(wildcard packer/*.c))

$(OBJ)/packer.a: $(patsubst %.c,$(OBJ)/%.o,$(PACKER_SRCS))
	$(Q)rm -f $@ && ar rcsD $@ $^

-include $(patsubst %.c,$(OBJ)/%.d,$(PACKER_SRCS))

# The assembler puts the worker's text in with .incbin.
$(OBJ)/packer/worker_text.o: private CFLAGS += -Wa,-Ipacker
$(OBJ)/packer/worker_text.o: packer/compile_worker.py
