# Where a hook's table and its body disagree nothing is built. Included by tests/tests.mk.
.PHONY: hooks-test
hooks-test: $(OUTPUT)/gen/domains.bpf.c
	$(Q)tests/hooks/test.sh $(CLANG) $(BPF_CFLAGS) -fsyntax-only $<
