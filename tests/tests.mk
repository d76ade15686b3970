# Targets that test and show. Included by the top Makefile.
.PHONY: deps lab-kernels lab-test lab-pairs test-lint demo-run
deps:
	$(Q)tests/deps.sh

include tests/host.mk
-include tests/judge.mk
include tests/format/format.mk
include tests/layers/layers.mk
include tests/hooks/hooks.mk
include tests/bench/bench.mk
include tests/monotone/monotone.mk
include tests/mutants/mutants.mk

# Verdicts within a minute, from committed traces; and one of them in the README.
.PHONY: try readme
try:
	$(Q)DEPS=build tests/deps.sh
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) $(BIN)
	$(Q)tests/try.sh $(BIN) $(OUTPUT)/try
readme: $(BIN)
	$(Q)mkdir -p $(OUTPUT)/try && tests/ship/readme.sh $(BIN) $(OUTPUT)/try > $(OUTPUT)/README.md && cp $(OUTPUT)/README.md README.md

# The main job, on a fresh machine.
demo:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory $(BIN)
	$(Q)tests/lab/lab kernels $(or $(LAB_KERNEL),newest)
	$(Q)tests/demo.sh

# Everything. PARTS picks.
# On x86-64 arm64 as well, emulated, at the end: where time is short it is what is left out.
PARTS ?= format-check cli-test man-test completion-test recipes-test distros-ci layers hooks-test unit golden-trace judge-test bench-test fuzz fuzz-judge monotone-test reproducible lab-test lab-pairs \
	$(if $(filter x86_64,$(HOST)),arm64-host lab-arm64) matrix-check
test:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory all
	$(Q)tests/run.sh $(PARTS)

# Every scenario, on real kernels; then the same update over pairs of versions.
lab-test: $(BIN)
	$(Q)tests/lab/lab test -j2
lab-pairs: $(BIN)
	$(Q)tests/lab/pairs.sh

# The other architecture, on emulated machines: the healthy update, df freed by kvfree, one bug
# per family of rules, kprobes for fentry, one CPU, modules that come late, the jump with records on their way.
# Of its host tests all but judge-test, which takes five CPU minutes by qemu-user: same-reports judges what it judges in the lab's pairs.
.PHONY: lab-arm64 arm64-host
# It takes five minutes, which may be more than is left.
arm64-host:
	$(Q)if tests/lab/lab out-of-time 300; then \
		echo "skip arm64-host: out of time"; echo "0 passed, 0 failed, 1 skipped"; exit 0; fi; \
	$(MAKE) --no-print-directory ARCH=arm64 HOST_TESTS="cli-test unit golden-trace same-reports" host-test
LAB_ARM64 ?= healthy seeded-df-kvfree seeded-kref-leak seeded-session-lost seeded-file-ref-leak seeded-module-leak \
	seeded-finish-no-restore-free kprobe-fallback one-cpu late-modules agent-leaves
lab-arm64: $(BIN)
	$(Q)DEPS=arm64 tests/deps.sh
	$(Q)nice $(MAKE) --no-print-directory -j$(shell nproc) ARCH=arm64 all
	$(Q)LAB_ARCH=arm64 LAB_TIMEOUT_SCALE=$${LAB_TIMEOUT_SCALE:-3} tests/lab/lab test -j2 $(LAB_ARM64)

# What is too long for CI: tests/lab/README.md says what runs where.
.PHONY: lab-all lab-long lab-flavours
lab-all:
	$(Q)DEPS=flavours tests/deps.sh
	$(Q)$(MAKE) --no-print-directory all
	$(Q)tests/run.sh lab-long lab-pairs lab-flavours dracut-test soak matrix-check
lab-long: $(BIN)
	$(Q)LAB_TIER=long tests/lab/lab test -j2
lab-flavours: $(BIN)
	$(Q)tests/lab/pairs.sh --flavours

# What the distribution's own dracut makes of our module.
.PHONY: dracut-test
dracut-test: $(BIN)
	$(Q)tests/lab/dracut.sh $(BIN)

# What fired where: from the runs into the committed matrix, and the runs against it.
.PHONY: matrix matrix-check soak
matrix:
	$(Q)tests/lab/matrix.py make
matrix-check:
	$(Q)tests/lab/matrix.py check

# N live updates with random agents over pairs of kernels, CHAIN in a row in each guest, SEED the first of the seeds.
N ?= 20
CHAIN ?= 5
soak: $(BIN)
	$(Q)tests/lab/soak.py run $(N) -j2 --chain $(CHAIN) $(if $(SEED),--seed $(SEED))

# The tree in clean installations of Debian: DISTROS picks. CI takes of the two releases the one that the machine is not.
.PHONY: distros distros-ci
DISTROS ?= bookworm trixie sid
distros:
	$(Q)DEPS=ship tests/deps.sh
	$(Q)ARCH=$(ARCH) tests/distros.sh $(DISTROS)
distros-ci:
	$(Q)DISTRO_TESTS="unit cli-test golden-trace" tests/distros.sh $$(. /etc/os-release; [ "$$VERSION_CODENAME" = trixie ] && echo bookworm || echo trixie)

# What is shipped beside the binary.
.PHONY: man-test completion-test reproducible
reproducible:
	$(Q)tests/ship/reproducible.sh
man-test: $(RUN_BIN) $(MAN)
	$(Q)tests/ship/man.sh $(RUN_BIN) $(OUTPUT)/man
completion-test: $(RUN_BIN)
	$(Q)tests/ship/completion.sh $(RUN_BIN)

# docs/recipes: without a kernel; and the kernel's own selftests, on the lab's newest.
.PHONY: recipes-test recipes-vm
recipes-test: $(BIN)
	$(Q)tests/ship/recipes.sh $(BIN)
recipes-vm: $(BIN)
	$(Q)tests/ship/recipes-vm.sh $(BIN) $(OUTPUT)/recipes

.PHONY: cli-test
cli-test: $(RUN_BIN)
	$(Q)tests/cli.sh $(RUN_BIN)
	$(Q)tests/live-update.sh $(RUN_BIN)
