# Tests that need no kernel: unit, fuzz, bench, and the tools they use.
# Included by tests/tests.mk.
TRACE_OBJ := $(call OBJ,$(sort $(wildcard src/base/*.c src/trace/*.c)))

MKTRACE := $(OUTPUT)/tools/mktrace
.PHONY: mktrace
mktrace: $(MKTRACE)

$(MKTRACE): $(call OBJ,tests/tools/mktrace.c) $(TRACE_OBJ)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(TRACE_LIBS)

HOSTILE := $(OUTPUT)/tools/hostile
$(HOSTILE): $(call OBJ,tests/tools/hostile.c) $(filter-out %/writer.o,$(TRACE_OBJ))
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(TRACE_LIBS)

BENCH_TRACE := $(OUTPUT)/bench/bench_trace
.PHONY: bench-trace
bench-trace: $(BENCH_TRACE)
	$(Q)$(BENCH_TRACE)

$(BENCH_TRACE): $(call OBJ,tests/bench/bench_trace.c) $(TRACE_OBJ)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(TRACE_LIBS)

# Unit tests: one binary per tests/unit/test_*.c, always with sanitizers.
# Those of a layer link that layer alone, so that each can be tested while others change.
UNIT_SRC := $(sort $(wildcard tests/unit/test_*.c))
UNIT_SAN ?= 1
UNIT_BIN := $(patsubst tests/unit/%.c,$(OUTPUT)/unit/%,$(UNIT_SRC))
.PHONY: unit unit-run
unit:
	$(Q)$(MAKE) --no-print-directory SAN=$(UNIT_SAN) OUTPUT=$(OUTPUT)/san unit-run
unit-run: $(UNIT_BIN) $(call runs,$(UNIT_BIN))
	$(Q)tests/unit/run.sh $(call runs,$(UNIT_BIN))

$(OUTPUT)/unit/test_trace%: $(OUTPUT)/tests/unit/test_trace%.o $(OUTPUT)/tests/unit/trace_util.o $(TRACE_OBJ)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(TRACE_LIBS) -lcmocka

# The plan on a kernel that the test tells. Registers and names are of x86-64, on any machine.
$(OUTPUT)/unit/test_plan: $(OUTPUT)/tests/unit/test_plan.o $(call OBJ,$(addprefix src/capture/,plan/plan.c kernel/shape.c kernel/nametab.c kernel/slurp.c kernel/tracefs.c object/prologue.c arch/x86_64.c) src/trace/vocab.c)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lbpf -lelf -lz -lcmocka

# Each architecture, on any.
$(OUTPUT)/unit/test_arm64: $(OUTPUT)/tests/unit/test_arm64.o $(call OBJ,src/capture/kernel/calls.c src/capture/arch/arm64.c)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka

$(OUTPUT)/unit/test_calls: $(OUTPUT)/tests/unit/test_calls.o $(call OBJ,src/capture/kernel/calls.c src/capture/arch/x86_64.c)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka

$(OUTPUT)/unit/test_symbols: $(OUTPUT)/tests/unit/test_symbols.o $(call OBJ,$(addprefix src/capture/kernel/,symbols.c ksym_text.c nametab.c))
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka

$(OUTPUT)/unit/test_table: $(OUTPUT)/tests/unit/test_table.o $(call OBJ,$(addprefix src/capture/kernel/,table.c nametab.c))
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka

$(OUTPUT)/unit/test_notes: $(OUTPUT)/tests/unit/test_notes.o $(call OBJ,$(addprefix src/capture/kernel/,build_id.c clock.c))
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka

$(OUTPUT)/unit/test_origin: $(OUTPUT)/tests/unit/test_origin.o $(call OBJ,src/capture/kernel/origin.c src/capture/kernel/klog.c)
$(OUTPUT)/unit/test_preempt: $(OUTPUT)/tests/unit/test_preempt.o $(call OBJ,src/capture/kernel/preempt.c)
$(OUTPUT)/unit/test_klog: $(OUTPUT)/tests/unit/test_klog.o $(call OBJ,src/capture/kernel/klog.c)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka

$(OUTPUT)/unit/test_memory: $(OUTPUT)/tests/unit/test_memory.o $(call OBJ,src/capture/kernel/memory.c)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -Wl,--wrap=sysconf,--wrap=pread,--wrap=vmsplice -o $@ $^ -lcmocka

$(OUTPUT)/unit/test_structfile: $(OUTPUT)/tests/unit/test_structfile.o $(call OBJ,src/capture/record/structfile.c) $(TRACE_OBJ)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(TRACE_LIBS) -lbpf -lelf -lz -lcmocka

$(OUTPUT)/unit/test_result_place: $(OUTPUT)/tests/unit/test_result_place.o $(call OBJ,src/capture/arch/x86_64.c)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka

$(OUTPUT)/unit/test_sections: $(OUTPUT)/tests/unit/test_sections.o $(call OBJ,$(addprefix src/capture/kernel/,sections.c slurp.c))
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka

$(OUTPUT)/unit/test_cpus: $(OUTPUT)/tests/unit/test_cpus.o $(call OBJ,src/capture/record/cpus.c)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka

$(OUTPUT)/unit/test_cpuhog: $(OUTPUT)/tests/unit/test_cpuhog.o $(call OBJ,$(addprefix src/capture/record/,cpuhog.c urgent.c) src/capture/kernel/clock.c)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka

$(OUTPUT)/unit/test_keeper: $(OUTPUT)/tests/unit/test_keeper.o $(call OBJ,src/capture/record/keeper.c)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka

$(OUTPUT)/unit/test_notify: $(OUTPUT)/tests/unit/test_notify.o $(call OBJ,src/capture/record/notify.c)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka

$(OUTPUT)/unit/test_privilege: $(OUTPUT)/tests/unit/test_privilege.o $(call OBJ,src/capture/record/privilege.c)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -Wl,--wrap=syscall,--wrap=prctl -o $@ $^ -lcmocka

$(OUTPUT)/unit/test_carry: $(OUTPUT)/tests/unit/test_carry.o $(call OBJ,src/capture/record/carry.c) $(TRACE_OBJ)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -Wl,--wrap=open,--wrap=ioctl -o $@ $^ $(TRACE_LIBS) -lcmocka

$(OUTPUT)/unit/test_command_line: $(OUTPUT)/tests/unit/test_command_line.o $(call OBJ,src/cmd/command_line.c)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka

$(OUTPUT)/unit/test_domains: $(OUTPUT)/tests/unit/test_domains.o $(call OBJ,$(addprefix src/capture/,domain/list.c domain/handlers.c plan/plan.c kernel/shape.c) src/trace/vocab.c)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -Wl,--wrap=usleep -o $@ $^ -lbpf -lelf -lz -lcmocka

$(OUTPUT)/unit/test_object: $(OUTPUT)/tests/unit/test_object.o $(call OBJ,$(addprefix src/capture/object/,object.c control.c complaint.c template.c))
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -Wl,--wrap=libbpf_register_prog_handler,--wrap=bpf_object__load,--wrap=bpf_map__fd,--wrap=bpf_program__fd -o $@ $^ -lbpf -lelf -lz -lcmocka

# BPF programs as functions of the host, from copies: without what only BPF's compiler knows, and with kernel structs
# whose first member is not their beginning. Registers are those of x86-64, on any machine.
HOST_BPF := $(OUTPUT)/gen/programs
HOST_BPF_SRC := $(wildcard bpf/*.bpf.c bpf/lib/*.h vmlinux/vmlinux.h)
$(HOST_BPF)/vmlinux.h: $(HOST_BPF_SRC) tests/host.mk
	$(Q)rm -rf $(@D) && mkdir -p $(@D) && cp -r bpf/. vmlinux/vmlinux.h $(@D)/
	$(Q)sed -i 's/asm volatile("%0 = %1" : "=w"(low) : "w"((u32)addr))/low = addr/' $(@D)/lib/load.bpf.h
	$(Q)sed -i -e '/^#pragma clang/d' -e 's/^struct [a-z_]* {$$/&\n\tunsigned long elsewhere;/' $@

$(OUTPUT)/unit/test_programs: tests/unit/test_programs.c $(HOST_BPF)/vmlinux.h $(wildcard tests/unit/programs/bpf/*.h include/vfiotrace/*.h include/vfiotrace/hooks/*.def)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D) && $(CC) -I$(HOST_BPF) -Itests/unit/programs $(CPPFLAGS) -D__TARGET_ARCH_x86 $(CFLAGS) -Wno-type-limits -Wno-unknown-pragmas -O1 $(LDFLAGS) -o $@ $< -lcmocka

# Trace and model once more, with the table of events turned round and one more at its end:
# nothing may rest on the order.
TURNED := $(OUTPUT)/gen/turned
TURNED_SRC := $(sort $(wildcard src/base/*.c src/trace/*.c src/model/*.c)) tests/unit/trace_util.c
$(TURNED)/vfiotrace/vocab.h: $(wildcard include/vfiotrace/*.h) tests/host.mk
	$(Q)mkdir -p $(@D) && cp include/vfiotrace/*.h $(@D)/
	$(Q)awk '/^\t*X\(REC_STOP/ { sub(/$$/, " \\"); row[++n] = $$0; in_table = 0; \
			while (n) print row[n--]; print "\tX(APPENDED, \"appended\", VFIO, 0, \"one more\")"; next } \
		/^#define VT_EVENTS/ { in_table = 1; print; next } in_table { row[++n] = $$0; next } { print }' \
		include/vfiotrace/vocab.h > $@.tmp && mv $@.tmp $@

$(OUTPUT)/unit/test_order: tests/unit/test_order.c $(TURNED_SRC) $(TURNED)/vfiotrace/vocab.h $(wildcard src/trace/*.h src/model/*.h tests/unit/*.h)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D) && $(CC) -I$(TURNED) $(CPPFLAGS) $(CFLAGS) -O0 $(LDFLAGS) -o $@ $< $(TURNED_SRC) $(TRACE_LIBS) -lcmocka

$(OUTPUT)/unit/test_%: $(OUTPUT)/tests/unit/test_%.o $(PURE_LIB)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PURE_LIBS) -lcmocka
.SECONDARY: $(call OBJ,$(wildcard tests/unit/*.c))

.PHONY: golden-trace
golden-trace: $(call runs,$(BIN) $(MKTRACE))
	$(Q)tests/golden/trace-run.sh $^

# Fuzzing: a fixed, bounded walk; `make fuzz FUZZ_SECONDS=600` for a random one. One binary checks
# checksums, the other is built without them to get behind them.
FUZZ_SECONDS ?= test
FUZZ_CFLAGS  := -std=gnu11 -O1 -g -Wall -Wextra -Wno-unused-parameter -Wshadow \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
FUZZ_SRC     := tests/fuzz/fuzz_reader.c $(sort $(wildcard src/base/*.c src/trace/*.c))
FUZZ_BIN     := $(OUTPUT)/fuzz/fuzz_reader $(OUTPUT)/fuzz/fuzz_reader_nocrc
.PHONY: fuzz
fuzz: $(FUZZ_BIN)
	$(Q)tests/fuzz/run.sh $(FUZZ_SECONDS) $(OUTPUT)/fuzz $(FUZZ_BIN)

$(OUTPUT)/fuzz/fuzz_reader_nocrc: FUZZ_CFLAGS += -DVTF_FUZZ_NO_CRC
$(FUZZ_BIN): $(FUZZ_SRC) $(wildcard src/base/*.h src/trace/*.h) include/vfiotrace/trace.h include/vfiotrace/vocab.h
	$(call say,FUZZCC,$@)
	$(Q)mkdir -p $(@D) && $(CLANG) $(CPPFLAGS) $(FUZZ_CFLAGS) -o $@ $(FUZZ_SRC) $(TRACE_LIBS)
