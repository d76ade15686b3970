# Benchmarks: ratios, measured in one run; never a timed pass or fail.
# Included by tests/tests.mk. Results go to $(OUTPUT)/bench.
.PHONY: bench bench-record bench-read
bench: bench-record bench-read

# What recording costs the machine that is recorded (in the lab's guest).
bench-record: $(BIN)

# What writing and reading a trace costs (on this machine).
BENCH_TOOLS := $(OUTPUT)/bench/grow $(OUTPUT)/bench/peers
bench-read: $(BIN) $(BENCH_TOOLS) bench-trace
	$(Q)tests/bench/read.sh $(BIN) $(OUTPUT)/bench $(OUTPUT)/bench

$(OUTPUT)/bench/grow: $(call OBJ,tests/bench/grow.c) $(TRACE_OBJ)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(TRACE_LIBS)
$(OUTPUT)/bench/peers: $(call OBJ,tests/bench/peers.c)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^
