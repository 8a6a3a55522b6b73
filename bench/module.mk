# SPDX-License-Identifier: Apache-2.0
# How fast packed executables start, against Python itself: docs/benchmarks.md.

BENCH_RUNS ?= 30

.PHONY: bench
bench: all | venv ## start-up and packing times against python; CHECK=1 fails on a missed bound
	PEXCZ_BUILD=$(abspath $(BUILD)) $(BUILD)/venv/bin/python bench/bench.py \
	    --python $(BUILD_PYTHON) --runs $(BENCH_RUNS) $(if $(CHECK),--check)
