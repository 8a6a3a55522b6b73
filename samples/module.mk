# SPDX-License-Identifier: Apache-2.0
# Each folder with a pex.args is a sample: the arguments of pex, one per line.

SAMPLES := $(patsubst samples/%/pex.args,%,$(wildcard samples/*/pex.args))
SAMPLE_EXES := $(SAMPLES:%=$(PYTHON_BUILD)/samples/%)

.PHONY: demo samples
demo: deps ## pack a real application and run it without Python
	@$(MAKE) --no-print-directory all venv
	@$(VENV_PYTHON) samples/demo.py $(abspath $(BUILD)) $(PYTHON)

samples: $(SAMPLE_EXES) ## pack the applications of samples/ into build/samples

$(PYTHON_BUILD)/samples/%.pex: samples/%/pex.args | venv
	@mkdir -p $(@D)
	@echo "  PEX $@"
	$(Q)cd samples/$* && xargs $(abspath $(VENV_PYTHON)) -m pex \
	    -o $(abspath $@) < pex.args

$(SAMPLE_EXES): $(PYTHON_BUILD)/samples/%: $(PYTHON_BUILD)/samples/%.pex | all
	$(Q)$(PYTHON_BUILD)/bin/pexcz-pack $< -o $@

# All that is in a sample's folder goes into its PEX.
$(foreach s,$(SAMPLES),$(eval $(PYTHON_BUILD)/samples/$(s).pex: \
    $(shell find samples/$(s) -type f)))
.SECONDARY: $(SAMPLES:%=$(PYTHON_BUILD)/samples/%.pex)
