# vfiotrace. `make demo` shows the main job, `make test` tests everything.
#   V=1       show commands          SAN=1     ASan + UBSan build (own directory)
#   OUTPUT=D  build elsewhere        DESTDIR, PREFIX   for install
#   LINK=dynamic  against the distribution's libraries; the default is one static binary
#   ARCH=arm64    for that architecture, from the distribution's packages for it: `DEPS=cross tests/deps.sh`
VERSION := $(shell packaging/version.sh)

SAN    ?= 0
PREFIX ?= /usr/local
Q      := $(if $(V),,@)
say     = $(if $(V),,@printf '  %-7s %s\n' $(1) $(2))

# As src/capture/arch/ and bpf_tracing.h name it; uname and the kernel's own Makefile have other words.
name_arch = $(patsubst x86,x86_64,$(patsubst aarch64,arm64,$(1)))
HOST   := $(call name_arch,$(shell uname -m))
ARCH   ?= $(HOST)
override ARCH := $(call name_arch,$(ARCH))
OUTPUT ?= build$(if $(filter $(HOST),$(ARCH)),,/$(ARCH))$(if $(filter 1,$(SAN)),/san)
ifneq ($(ARCH),$(HOST))
include packaging/cross.mk
endif
CC     ?= cc
PKG_CONFIG ?= pkg-config
CLANG  ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
CFLAGS ?= -O2 -g
# The same bytes wherever the tree and its output lie.
PREFIX_MAP := -ffile-prefix-map=$(abspath $(OUTPUT))=build -ffile-prefix-map=$(CURDIR)=.
override CFLAGS += $(PREFIX_MAP)
override CFLAGS += -std=gnu11 -Wall -Wextra -Wno-unused-parameter -Wshadow -Wstrict-prototypes -Wvla
CPPFLAGS += -Iinclude -Isrc -I$(OUTPUT)/gen -D_GNU_SOURCE -DVFIOTRACE_VERSION='"$(VERSION)"'
# One static binary: it must run in an initramfs that has no libraries. What libbpf and
# libelf need themselves differs from distribution to distribution; pkg-config knows.
LINK   ?= static
ifeq ($(LINK),static)
LDFLAGS_STATIC := -static
LIBEU  := $(OUTPUT)/libeu.a
endif
TRACE_LIBS := -ldeflate -lzstd -llzma -lz -lm
LIBBPF := $(or $(shell $(PKG_CONFIG) $(if $(LIBEU),--static) --libs libbpf libelf 2>/dev/null),-lbpf -lelf -lz)
# libdw alone, without libdwfl: nothing of what it links for that is needed, and nothing is loaded at run time.
LIBDW  := -ldw
LIBPB  := -lprotobuf-c
LIBS   := $(TRACE_LIBS) $(LIBPB) $(LIBDW) $(LIBBPF) $(LIBEU) -pthread
PURE_LIBS := $(TRACE_LIBS) $(LIBPB) $(LIBDW) -lelf
ifeq ($(SAN),1)
override CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LDFLAGS_STATIC :=
endif

# Evidence flows one way: capture -> trace -> model -> rules -> report; gate stands
# beside report. All but capture and its commands is pure: it builds and is tested without BPF.
PURE_SRC := $(sort $(wildcard src/base/*.c src/trace/*.c src/model/*.c src/rules/*.c src/gate/*.c src/source/*.c src/report/*.c)) \
	    $(filter-out src/cmd/main.c src/cmd/record.c src/cmd/probes.c src/cmd/sweep.c src/cmd/fetch.c,$(sort $(wildcard src/cmd/*.c)))
BPF_SRC  := $(filter-out bpf/multi.bpf.c,$(sort $(wildcard bpf/*.bpf.c))) bpf/multi.bpf.c
CAPTURE_SRC := $(sort $(filter-out src/capture/arch/%,$(wildcard src/capture/*/*.c))) src/capture/arch/$(ARCH).c
LIVE_SRC := $(CAPTURE_SRC) src/cmd/record.c src/cmd/probes.c src/cmd/sweep.c src/cmd/fetch.c src/cmd/main.c
OBJ       = $(patsubst %.c,$(OUTPUT)/%.o,$(1))
PURE_LIB := $(OUTPUT)/libvfiotrace-pure.a
BIN      := $(OUTPUT)/vfiotrace
# How this machine runs a program.
runs     ?= $(1)
RUN_BIN   = $(call runs,$(BIN))
MAN      := $(patsubst docs/man/%,$(OUTPUT)/man/%,$(sort $(wildcard docs/man/*.[158])))

.PHONY: all pure clean install demo test
all: $(BIN)
pure: $(PURE_LIB)

include tests/tests.mk

# Perfetto's messages, as far as they are written, as C.
PROTO_C := $(OUTPUT)/gen/track_event.pb-c.c
PROTOC_C ?= protoc-c
$(PROTO_C:.c=.h): $(PROTO_C)
$(PROTO_C): src/cmd/track_event.proto
	$(call say,PROTO,$@)
	$(Q)mkdir -p $(@D) && $(PROTOC_C) --proto_path=src/cmd --c_out=$(@D) $<
$(PROTO_C:.c=.o): $(PROTO_C)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<
$(call OBJ,src/cmd/show_trackevent.c): $(PROTO_C)

$(PURE_LIB): $(call OBJ,$(PURE_SRC)) $(PROTO_C:.c=.o)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcsD $@ $^

$(OUTPUT)/libeu.a: $(call OBJ,packaging/static/libeu.c)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcsD $@ $^

# Whoever prints the version is compiled again when it changes.
$(OUTPUT)/gen/version: FORCE
	$(Q)mkdir -p $(@D) && { [ "$$(cat $@ 2>/dev/null)" = "$(VERSION)" ] || echo "$(VERSION)" > $@; }
$(call OBJ,$(shell grep -rl VFIOTRACE_VERSION --include='*.c' src)): $(OUTPUT)/gen/version
.PHONY: FORCE

$(BIN): $(call OBJ,$(LIVE_SRC)) $(PURE_LIB) $(LIBEU)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(LDFLAGS_STATIC) -o $@ $(call OBJ,$(LIVE_SRC)) $(PURE_LIB) $(LIBS)

$(OUTPUT)/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# BPF: all domains in one unit, embedded as a skeleton. Not linked from objects:
# libbpf's linker (1.1) cannot join two that call the same kernel function.
# The errors are what a hook's table and its body can disagree in (include/vfiotrace/hooks.h).
BPF_CFLAGS := -g -O2 $(PREFIX_MAP) -target bpf -D__TARGET_ARCH_$(patsubst x86_64,x86,$(ARCH)) -mcpu=v3 -Iinclude -Ibpf -Ivmlinux -Wall -Wno-missing-declarations \
	      -Werror=undefined-internal -Werror=visibility -Werror=incompatible-pointer-types -Werror=int-conversion
$(OUTPUT)/gen/domains.bpf.c: $(BPF_SRC) Makefile
	$(Q)mkdir -p $(@D) && printf '#include "%s"\n' $(notdir $(BPF_SRC)) > $@
$(OUTPUT)/bpf/programs.bpf.o: $(OUTPUT)/gen/domains.bpf.c
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D) && $(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(@:.o=.d) -MT $@ -c -o $@ $<

$(OUTPUT)/gen/programs.skel.h: $(OUTPUT)/bpf/programs.bpf.o
	$(call say,SKEL,$@)
	$(Q)mkdir -p $(@D) && $(BPFTOOL) gen object $(OUTPUT)/bpf/programs.linked.o $^ && \
		$(BPFTOOL) gen skeleton $(OUTPUT)/bpf/programs.linked.o name programs_bpf > $@.tmp && mv $@.tmp $@

$(call OBJ,$(LIVE_SRC)): $(OUTPUT)/gen/programs.skel.h

# Man pages take what the program knows from the program.
.PHONY: man
man: $(MAN)
$(OUTPUT)/man/%: docs/man/% docs/man/make.sh include/vfiotrace/exit.h $(BIN) | $(RUN_BIN)
	$(call say,MAN,$@)
	$(Q)mkdir -p $(@D) && docs/man/make.sh $(RUN_BIN) $< > $@.tmp && mv $@.tmp $@

# What everybody gets; packages add theirs.
DOCS := README.md CHANGELOG.md docs/*.md docs/rules docs/findings docs/recipes
install: $(BIN) $(MAN)
	install -D -m 755 $(BIN) $(DESTDIR)$(PREFIX)/bin/vfiotrace
	$(Q)for m in $(filter-out %.8,$(MAN)); do install -D -m 644 "$$m" "$(DESTDIR)$(PREFIX)/share/man/man$${m##*.}/$${m##*/}" || exit 1; done
	$(Q)for s in docs/*.schema.json; do install -D -m 644 "$$s" "$(DESTDIR)$(PREFIX)/share/vfiotrace/$${s##*/}" || exit 1; done
	$(Q)install -D -m 644 packaging/completion/vfiotrace.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/vfiotrace
	$(Q)install -D -m 644 packaging/completion/_vfiotrace $(DESTDIR)$(PREFIX)/share/zsh/vendor-completions/_vfiotrace
	$(Q)mkdir -p $(DESTDIR)$(PREFIX)/share/doc/vfiotrace && cp -R --no-preserve=mode,ownership $(DOCS) $(DESTDIR)$(PREFIX)/share/doc/vfiotrace/

# Packages of Debian, from the sources as they are, below $(OUTPUT).
.PHONY: deb
deb:
	$(Q)DEPS=ship tests/deps.sh
	$(Q)$(if $(filter $(HOST),$(ARCH)),,DEPS=cross tests/deps.sh)
	$(Q)packaging/deb.sh $(OUTPUT)/deb $(patsubst x86_64,amd64,$(ARCH))

# What records and judges the updates that systemd drives: docs/systemd.md.
.PHONY: install-systemd
SYSTEMD_FILES := packaging/systemd
install-systemd:
	install -D -m 755 $(SYSTEMD_FILES)/vfiotrace-live-update $(DESTDIR)$(PREFIX)/sbin/vfiotrace-live-update
	install -D -m 755 $(SYSTEMD_FILES)/vfiotrace-generator $(DESTDIR)$(PREFIX)/lib/systemd/system-generators/vfiotrace-generator
	install -D -m 644 docs/man/vfiotrace-live-update.8 $(DESTDIR)$(PREFIX)/share/man/man8/vfiotrace-live-update.8
	install -D -m 755 $(SYSTEMD_FILES)/dracut/module-setup.sh $(DESTDIR)$(PREFIX)/lib/dracut/modules.d/90vfiotrace/module-setup.sh
	$(Q)for u in $(SYSTEMD_FILES)/*.service; do install -D -m 644 "$$u" "$(DESTDIR)$(PREFIX)/lib/systemd/system/$${u##*/}"; done
	$(Q)[ -e $(DESTDIR)/etc/vfiotrace/live-update.conf ] || install -D -m 644 $(SYSTEMD_FILES)/live-update.conf $(DESTDIR)/etc/vfiotrace/live-update.conf

clean:
	rm -rf $(OUTPUT)

# A run of the lab that was killed leaves file systems there.
-include $(shell find $(OUTPUT) -name lab -prune -o -type f -name '*.d' -print 2>/dev/null)
