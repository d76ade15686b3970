# Tests that need no kernel: unit, fuzz, bench, and the tools they use.
# Included by tests/tests.mk.
TRACE_OBJ := $(call OBJ,$(sort $(wildcard src/trace/*.c)))

MKTRACE := $(OUTPUT)/tools/mktrace
.PHONY: mktrace
mktrace: $(MKTRACE)

$(MKTRACE): $(call OBJ,tests/tools/mktrace.c) $(TRACE_OBJ)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lz
