# SPDX-License-Identifier: Apache-2.0

CACHE_SRCS := $(wildcard cache/*.c)
CACHE_OBJS := $(patsubst %.c,$(OBJ)/%.o,$(CACHE_SRCS))

$(OBJ)/cache.a: $(CACHE_OBJS)
	$(Q)rm -f $@ && $(AR) rcsD $@ $^

-include $(CACHE_OBJS:.o=.d)
