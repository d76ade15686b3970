# Tests that need no kernel: unit, fuzz, bench, and the tools they use.
# Included by tests/tests.mk.
TRACE_OBJ := $(call OBJ,$(sort $(wildcard src/trace/*.c)))

MKTRACE := $(OUTPUT)/tools/mktrace
.PHONY: mktrace
mktrace: $(MKTRACE)

$(MKTRACE): $(call OBJ,tests/tools/mktrace.c) $(TRACE_OBJ)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lz

BENCH_TRACE := $(OUTPUT)/bench/bench_trace
.PHONY: bench-trace
bench-trace: $(BENCH_TRACE)
	$(Q)$(BENCH_TRACE)

$(BENCH_TRACE): $(call OBJ,tests/bench/bench_trace.c) $(TRACE_OBJ)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lz
