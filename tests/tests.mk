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
PARTS ?= format-check cli-test man-test completion-test recipes-test layers hooks-test unit golden-trace judge-test bench-test fuzz fuzz-judge reproducible lab-test lab-pairs matrix-check
test:
	$(Q)$(MAKE) --no-print-directory deps
	$(Q)$(MAKE) --no-print-directory all
	$(Q)tests/run.sh $(PARTS)

# Every scenario, on real kernels; then the same update over pairs of versions.
lab-test: $(BIN)
	$(Q)tests/lab/lab test -j2
lab-pairs: $(BIN)
	$(Q)tests/lab/pairs.sh

# What is too long for CI: tests/lab/README.md says what runs where.
.PHONY: lab-all lab-long lab-flavours
lab-all:
	$(Q)DEPS=flavours tests/deps.sh
	$(Q)$(MAKE) --no-print-directory all
	$(Q)tests/run.sh lab-long lab-pairs lab-flavours soak matrix-check
lab-long: $(BIN)
	$(Q)LAB_TIER=long tests/lab/lab test -j2
lab-flavours: $(BIN)
	$(Q)tests/lab/pairs.sh --flavours

# What fired where: from the runs into the committed matrix, and the runs against it.
.PHONY: matrix matrix-check soak
matrix:
	$(Q)tests/lab/matrix.py make
matrix-check:
	$(Q)tests/lab/matrix.py check

# N live updates with random agents over four pairs of kernels, SEED the first of their seeds.
N ?= 20
soak: $(BIN)
	$(Q)tests/lab/soak.py run $(N) -j2 $(if $(SEED),--seed $(SEED))

# The tree in clean installations of Debian: DISTROS picks. CI takes the current release.
.PHONY: distros distros-ci
DISTROS ?= bookworm trixie sid
distros:
	$(Q)DEPS=ship tests/deps.sh
	$(Q)tests/distros.sh $(DISTROS)
distros-ci:
	$(Q)DISTRO_TESTS="unit cli-test golden-trace" tests/distros.sh trixie

# What is shipped beside the binary.
.PHONY: man-test completion-test reproducible
reproducible:
	$(Q)tests/ship/reproducible.sh
man-test: $(BIN) $(MAN)
	$(Q)tests/ship/man.sh $(BIN) $(OUTPUT)/man
completion-test: $(BIN)
	$(Q)tests/ship/completion.sh $(BIN)

# docs/recipes: without a kernel; and the kernel's own selftests, on the lab's newest.
.PHONY: recipes-test recipes-vm
recipes-test: $(BIN)
	$(Q)tests/ship/recipes.sh $(BIN)
recipes-vm: $(BIN)
	$(Q)tests/ship/recipes-vm.sh $(BIN) $(OUTPUT)/recipes

.PHONY: cli-test
cli-test: $(BIN)
	$(Q)tests/cli.sh $(BIN)
	$(Q)tests/live-update.sh $(BIN)
