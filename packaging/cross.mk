# For another architecture than the machine's: Debian's compiler for it, and its libraries beside ours.
# Included by the top Makefile. What is built runs by QEMU's emulation of the user's half of a machine.
CROSS_CPU := $(patsubst arm64,aarch64,$(ARCH))
TRIPLET   := $(CROSS_CPU)-linux-gnu
ifeq ($(origin CC),default)
CC := $(TRIPLET)-gcc
endif
PKG_CONFIG ?= env PKG_CONFIG_LIBDIR=/usr/lib/$(TRIPLET)/pkgconfig:/usr/share/pkgconfig pkg-config
EMULATOR   ?= $(or $(shell command -v qemu-$(CROSS_CPU)-static),qemu-$(CROSS_CPU))
# Sanitizers and the emulator both want the addresses.
UNIT_SAN := 0

# By way of a script of the same name.
runs = $(patsubst $(OUTPUT)/%,$(OUTPUT)/run/%,$(1))
$(OUTPUT)/run/%: $(OUTPUT)/%
	$(Q)mkdir -p $(@D) && printf '#!/bin/sh\nexec %s "%s" "$$@"\n' '$(EMULATOR)' '$(abspath $<)' > $@ && chmod +x $@

# What is asked of a build that was made for another machine: `make ARCH=arm64 host-test`.
HOST_TESTS ?= cli-test unit golden-trace judge-test same-reports
.PHONY: host-test same-reports
host-test:
	$(Q)DEPS=cross tests/deps.sh
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) all
	$(Q)TEST_LOGS=build/test-logs/$(ARCH) tests/run.sh $(HOST_TESTS)
# What it says of recorded pairs is what the machine's own build says.
same-reports: $(OUTPUT)/run/vfiotrace
	$(Q)$(MAKE) --no-print-directory ARCH=$(HOST) OUTPUT=build all
	$(Q)tests/golden/same.sh build/vfiotrace $(RUN_BIN)
