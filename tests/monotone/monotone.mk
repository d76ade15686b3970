# Taking evidence away may move a verdict only towards unknown. Included by tests/tests.mk.
#   make monotone                  the fixed walk, all of it: twelve minutes of one CPU, twenty on a busy machine
#   make monotone-test             one step in five of it, the same ones each time: two minutes
#   make monotone N=100000 SEED=1  that many steps at random (without SEED: another one each time; it is printed)
#   make monotone ONLY=healthy KIND=late-half
MONOTONE	:= $(OUTPUT)/monotone/monotone
MONOTONE_SRC	:= $(sort $(wildcard tests/monotone/*.c))
MONOTONE_TRACES := $(OUTPUT)/monotone/traces
.PHONY: monotone
monotone: $(MONOTONE) $(MONOTONE_TRACES)
	$(Q)$(MONOTONE) $(if $(filter command line,$(origin N)),-n $(N)) $(if $(SEED),-s $(SEED)) $(if $(KIND),-k $(KIND)) $(if $(ONLY),-o $(ONLY)) \
		$(MONOTONE_TRACES)

# A part of make test.
.PHONY: monotone-test
monotone-test: $(MONOTONE) $(MONOTONE_TRACES)
	$(Q)$(MONOTONE) -t 5 $(MONOTONE_TRACES)

$(MONOTONE): $(call OBJ,$(MONOTONE_SRC)) $(PURE_LIB)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PURE_LIBS) -pthread

# The golden cases and the lab's recordings, a file for each side.
$(MONOTONE_TRACES): $(wildcard tests/golden/judge/cases/*.case tests/golden/judge/base/* tests/golden/judge/lab/*.xz) tests/golden/judge/run.sh | $(MKTRACE)
	$(call say,TRACES,$@)
	$(Q)rm -rf $@ $@.part && mkdir -p $@.part/lab && ONLY= SEEDS= PAIRS=$(abspath $@.part)/golden tests/golden/judge/run.sh - $(MKTRACE)
	$(Q)for f in tests/golden/judge/lab/*.vft.xz; do n=$${f##*/}; xz -dkc "$$f" >"$@.part/lab/$${n%.vft.xz}" || exit 1; done
	$(Q)mv $@.part $@
