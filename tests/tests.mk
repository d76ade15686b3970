# Targets that test and show. Included by the top Makefile.
.PHONY: deps
deps:
	$(Q)tests/deps.sh

include tests/host.mk
