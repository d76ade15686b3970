# Wrong programs that the judge's tests must notice: tests/mutants/README.md. Included by tests/tests.mk.
#   make mutants              all of the table: twenty minutes of one CPU
#   make mutants WORD=kho.c   those whose file or text has it
.PHONY: mutants
mutants: $(BIN) $(MONOTONE_TRACES)
	$(Q)nice tests/mutants/run.py . $(MONOTONE_TRACES) $(WORD)
