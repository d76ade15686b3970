# Benchmarks: ratios, measured in one run; never a timed pass or fail.
# Included by tests/tests.mk. Results go to $(OUTPUT)/bench.
.PHONY: bench bench-record bench-read
bench: bench-record bench-read

# What recording costs the machine that is recorded (in the lab's guest).
bench-record: $(BIN)

# What writing and reading a trace costs (on this machine).
bench-read: bench-trace
