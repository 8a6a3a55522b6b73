# SPDX-License-Identifier: Apache-2.0
# The only build file to run; each folder adds its part in FOLDER/module.mk.
#   make            build everything          make help   list of targets

BUILD ?= build
# All Pythons to build bases for; the first one is also the embedding library's.
PYTHONS_ORIGIN := $(origin PYTHONS)
PYTHONS ?= $(or $(PYTHON),3.11)
FIRST_PYTHON := $(firstword $(PYTHONS))
OTHER_PYTHONS := $(filter-out $(FIRST_PYTHON),$(PYTHONS))
# The one that a target is about: make PYTHONS="3.11 3.13" PYTHON=3.13 check-e2e
PYTHON ?= $(FIRST_PYTHON)
MODE ?= release
# The machine that bases are built for: make ARCH=aarch64 base.
OWN_ARCH := $(shell uname -m)
ARCH ?= $(OWN_ARCH)
CROSS := $(filter-out $(OWN_ARCH),$(ARCH))
CROSS_PREFIX := $(if $(CROSS),$(ARCH)-linux-gnu-)
ifneq ($(CROSS)$(filter default,$(origin CC)),)
CC := $(CROSS_PREFIX)gcc
endif
ifneq ($(CROSS),)
AR := $(CROSS_PREFIX)ar
NM := $(CROSS_PREFIX)nm
else
NM := nm
endif
HOST_PYTHON ?= python3
# V=1 shows the command lines.
Q := $(if $(V),,@)

OBJ := $(BUILD)/obj/$(MODE)$(CROSS:%=-%)
# Base, samples and test environment of PYTHON, and programs beside the base;
# the first one's are those of the build folder, which find no other base.
PYTHON_BUILD := $(BUILD)$(if $(filter-out $(FIRST_PYTHON),$(PYTHON)),/others/$(PYTHON))
# Objects depend on it: it is new whenever the flags are others than before.
FLAGS := $(OBJ)/flags

WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes \
    -Wmissing-prototypes -Wvla -Wswitch-enum -Wformat=2 -Wcast-qual -Wundef \
    -Werror
PEDANTIC := -Wpedantic

ifeq ($(MODE),debug)
OPT := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined \
    -fno-omit-frame-pointer
LINK_OPT := -fsanitize=address,undefined
else ifeq ($(MODE),fuzz)
OPT := -O1 -g -fsanitize=fuzzer-no-link,address,undefined \
    -fno-sanitize-recover=undefined -fno-omit-frame-pointer
LINK_OPT := -fsanitize=address,undefined
else
OPT := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong
LINK_OPT :=
endif

CPPFLAGS := -D_GNU_SOURCE -Iblob
ifneq ($(CROSS),)
# Libraries of the other machine, from Debian's packages for it.
SYSROOT := $(BUILD)/sysroot-$(ARCH)
SYSROOT_LIB := $(SYSROOT)/usr/lib/$(ARCH)-linux-gnu
CPPFLAGS += -isystem $(SYSROOT)/usr/include \
    -isystem $(SYSROOT)/usr/include/$(ARCH)-linux-gnu
endif
# Debugging information, and so the build ID, names no folder of this machine.
OPT += -ffile-prefix-map=$(CURDIR)=. -ffile-prefix-map=$(abspath $(BUILD))=build
# However the usual folder is spelled, its flags are the same.
ifneq ($(abspath $(BUILD)),$(CURDIR)/build)
OPT += -ffile-prefix-map=$(BUILD)=build
endif
CFLAGS := -std=c17 $(OPT) -fno-pie -fdata-sections -ffunction-sections -pthread -fvisibility=hidden $(WARNINGS)
LDFLAGS := -no-pie -pthread $(LINK_OPT)

ifneq ($(file <$(FLAGS)),$(CC) $(CPPFLAGS) $(CFLAGS))
$(shell mkdir -p $(OBJ))
$(file >$(FLAGS),$(CC) $(CPPFLAGS) $(CFLAGS))
endif

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:

BLOB_SRCS := $(wildcard blob/*.c)
ALL_TARGETS :=

include stdlib-blob/module.mk cache/module.mk packer/module.mk importer/module.mk \
    vfs/module.mk runtime/module.mk
ifeq ($(CROSS),)
include $(wildcard samples/module.mk bench/module.mk) tests/module.mk \
    $(wildcard tests/*/module.mk) install.mk release/module.mk
endif

objects = $(patsubst %.c,$(OBJ)/%.o,$(1))

$(OBJ)/blob/%.o $(OBJ)/cache/%.o $(OBJ)/packer/%.o: private CFLAGS += $(PEDANTIC)

$(OBJ)/%.o: %.c $(FLAGS)
	@mkdir -p $(@D)
	@echo "  CC  $<"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(OBJ)/blob.a: $(call objects,$(BLOB_SRCS))
	$(Q)rm -f $@ && $(AR) rcsD $@ $^

-include $(patsubst %.o,%.d,$(call objects,$(BLOB_SRCS)))

.PHONY: all help clean format compile_commands
all: $(ALL_TARGETS) ## build everything

help: ## this list
	@sed -n 's/^\([a-z_-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | sort | \
	    awk -F'\t' '{printf "  make %-18s %s\n", $$1, $$2}'

debug: ## unit tests and programs with ASan and UBSan
	$(MAKE) MODE=debug all check-unit

format: ## clang-format all C files in place, but those that CPython is built with
	clang-format -i $$(git ls-files '*.c' '*.h' ':!stdlib-blob')

compile_commands.json: ## for editors and clang tools
	$(HOST_PYTHON) tests/compile_commands.py "$(CPPFLAGS) $(CFLAGS)" \
	    $(PYTHON_INCLUDE) > $@

clean: ## remove objects and programs, keep the built Python
	rm -rf $(BUILD)/obj $(BUILD)/bin $(BUILD)/tests
