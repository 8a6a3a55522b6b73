# SPDX-License-Identifier: Apache-2.0

IMPORTER_SRCS := $(wildcard importer/*.c)
