# SPDX-License-Identifier: Apache-2.0
# Many starts from a snapshot at once, disturbed by signals.

STRESS_STARTS ?= 10000
CHECK_PARTS += check-stress

.PHONY: stress
stress: all | venv ## 10,000 starts under load, with signals and kills: minutes
	PEXCZ_BUILD=$(abspath $(BUILD)) $(BUILD)/venv/bin/python tests/stress/stress.py \
	    --starts $(STRESS_STARTS)

.PHONY: check-stress
check-stress: all | venv ## some hundred of them
	PEXCZ_BUILD=$(abspath $(BUILD)) $(BUILD)/venv/bin/python tests/stress/stress.py \
	    --starts 400

STRESS_LIBRARY_STARTS ?= 5000
CHECK_PARTS += check-stress-libraries

.PHONY: stress-libraries
stress-libraries: all | venv ## 5,000 starts of each of six programs with libraries in the snapshot
	PEXCZ_BUILD=$(abspath $(BUILD)) $(BUILD)/venv/bin/python tests/stress/libraries.py \
	    --starts $(STRESS_LIBRARY_STARTS)

.PHONY: check-stress-libraries
check-stress-libraries: all | venv ## 200 of the first
	PEXCZ_BUILD=$(abspath $(BUILD)) $(BUILD)/venv/bin/python tests/stress/libraries.py \
	    --starts 200 four
