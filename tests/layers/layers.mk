# Who calls whom among the objects, against tests/layers/rooms. Included by tests/tests.mk.
.PHONY: layers
layers: $(BIN)
	$(Q)tests/layers/test.sh $(call OBJ,$(PURE_SRC) $(LIVE_SRC))
