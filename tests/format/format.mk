# The tree against .clang-format and .editorconfig. Included by tests/tests.mk.
.PHONY: format format-check
format-check:
	$(Q)tests/format/format.py check
format:
	$(Q)tests/format/format.py apply
