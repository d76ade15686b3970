# The judge: rule pages in the binary, and its tests.
RULE_PAGES := $(sort $(wildcard docs/rules/*.md))

# One C string per page: id from the file name, line by line.
$(OUTPUT)/gen/rule_pages.h: $(RULE_PAGES) tests/judge.mk
	$(call say,GEN,$@)
	$(Q)mkdir -p $(@D) && LC_ALL=C awk ' \
		FNR == 1 { if (NR > 1) print "},"; id = FILENAME; sub(/.*\//, "", id); sub(/\.md$$/, "", id); \
			   printf "{ \"%s\",\n", id } \
		{ gsub(/\\/, "\\\\"); gsub(/"/, "\\\""); printf "\"%s\\n\"\n", $$0 } \
		END { if (NR) print "}," }' $(RULE_PAGES) /dev/null > $@.tmp && mv $@.tmp $@

$(OUTPUT)/src/rules/pages.o: $(OUTPUT)/gen/rule_pages.h

.PHONY: judge-test
judge-test: $(call runs,$(BIN) $(MKTRACE) $(HOSTILE))
	$(Q)tests/golden/judge/run.sh $(call runs,$(BIN) $(MKTRACE))

# Fuzzing what stands behind the reader, bounded as there (FUZZ_SECONDS).
JUDGE_FUZZ_SRC := $(sort $(wildcard src/base/*.c src/trace/*.c src/model/*.c src/rules/*.c src/gate/*.c src/source/*.c src/report/*.c))
JUDGE_FUZZ_BIN := $(OUTPUT)/fuzz/fuzz_policy $(OUTPUT)/fuzz/fuzz_judge
.PHONY: fuzz-judge
fuzz-judge: $(JUDGE_FUZZ_BIN) $(OUTPUT)/fuzz/judge.seeds
	$(Q)tests/fuzz/run.sh $(FUZZ_SECONDS) $(OUTPUT)/fuzz $(JUDGE_FUZZ_BIN)

# The golden cases as pairs in one file.
$(OUTPUT)/fuzz/judge.seeds: $(wildcard tests/golden/judge/cases/*.case tests/golden/judge/base/*) | $(BIN) $(MKTRACE)
	$(Q)rm -rf $@ && SEEDS=$(abspath $@) tests/golden/judge/run.sh $(BIN) $(MKTRACE)

$(JUDGE_FUZZ_BIN): $(OUTPUT)/fuzz/%: tests/fuzz/%.c $(JUDGE_FUZZ_SRC) $(OUTPUT)/gen/rule_pages.h $(wildcard src/*/*.h include/vfiotrace/*.h)
	$(call say,FUZZCC,$@)
	$(Q)mkdir -p $(@D) && $(CLANG) $(CPPFLAGS) -DVTF_FUZZ_NO_CRC $(FUZZ_CFLAGS) -o $@ $< $(JUDGE_FUZZ_SRC) $(PURE_LIBS)

# What the fuzzers reach: the corpus and what runs found, on builds that count. A table per target.
FUZZ_ALL := fuzz_reader fuzz_reader_nocrc fuzz_policy fuzz_judge
COVER_CFLAGS := -std=gnu11 -O1 -g -fsanitize=fuzzer -fprofile-instr-generate -fcoverage-mapping
.PHONY: fuzz-coverage
fuzz-coverage: $(FUZZ_ALL:%=$(OUTPUT)/fuzz/cover/%) $(OUTPUT)/fuzz/judge.seeds
	$(Q)tests/fuzz/coverage.sh $(OUTPUT)/fuzz $(FUZZ_ALL:%=$(OUTPUT)/fuzz/cover/%)

$(OUTPUT)/fuzz/cover/%: $(wildcard tests/fuzz/*.c) $(JUDGE_FUZZ_SRC) $(OUTPUT)/gen/rule_pages.h $(wildcard src/*/*.h include/vfiotrace/*.h)
	$(call say,COVER,$@)
	$(Q)mkdir -p $(@D) && $(CLANG) $(CPPFLAGS) $(if $(filter fuzz_reader,$*),,-DVTF_FUZZ_NO_CRC) $(COVER_CFLAGS) -o $@ \
		tests/fuzz/$(*:_nocrc=).c $(JUDGE_FUZZ_SRC) $(PURE_LIBS)
