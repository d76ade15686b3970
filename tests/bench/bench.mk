# Benchmarks: ratios, measured in one run; never a timed pass or fail.
# Included by tests/tests.mk. Results go to $(OUTPUT)/bench.
.PHONY: bench bench-record bench-arm64 bench-memory bench-systemd bench-jump bench-read bench-docs bench-test
bench: bench-record bench-read

# What recording costs the machine that is recorded (in the lab's guest).
bench-record: $(BIN)
	$(Q)DEPS=bench tests/deps.sh
	$(Q)tests/bench/record.sh $(BIN) $(OUTPUT)/bench/record

# The same on an emulated machine of another architecture, us alone.
bench-arm64: $(BIN)
	$(Q)DEPS=arm64 tests/deps.sh
	$(Q)$(MAKE) --no-print-directory ARCH=arm64 all
	$(Q)LAB_ARCH=arm64 tests/bench/record.sh build/arm64/vfiotrace $(OUTPUT)/bench/record-arm64

# The same where a VM's memory is preserved and retrieved. BENCH_MEMORY: MIB:FILES[:pieces|:holes|:huge]...
bench-memory: $(BIN)
	$(Q)DEPS=bench tests/deps.sh
	$(Q)tests/bench/memory.sh $(BIN) $(OUTPUT)/bench/memory $(BENCH_MEMORY)

# What it adds to an update that systemd drives. ROUNDS: updates of each kind.
bench-systemd: $(BIN)
	$(Q)tests/bench/systemd.sh $(BIN) $(OUTPUT)/bench/systemd

# What holds a jump where there may be many CPUs. ROUNDS: jumps of each kind; POSSIBLE: CPUs.
bench-jump: $(BIN)
	$(Q)tests/bench/jump.sh $(BIN) $(OUTPUT)/bench/jump

# The tables of docs/benchmarks.md, from the last run.
bench-docs:
	$(Q)python3 tests/bench/table.py --into docs/benchmarks.md record <$(OUTPUT)/bench/record/table.md
	$(Q)[ ! -e $(OUTPUT)/bench/record-arm64/table.md ] || python3 tests/bench/table.py --into docs/benchmarks.md arm64 <$(OUTPUT)/bench/record-arm64/table.md
	$(Q)python3 tests/bench/table.py --into docs/benchmarks.md read <$(OUTPUT)/bench/read.md
	$(Q)[ ! -s $(OUTPUT)/bench/systemd/systemd.md ] || python3 tests/bench/table.py --into docs/benchmarks.md systemd <$(OUTPUT)/bench/systemd/systemd.md
	$(Q)[ ! -s $(OUTPUT)/bench/jump/jump.md ] || python3 tests/bench/table.py --into docs/benchmarks.md jump <$(OUTPUT)/bench/jump/jump.md

# The tables, from canned results: needs no guest.
bench-test:
	$(Q)tests/bench/test.sh

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
