# The decoder: its tables are made from riscv64.decode.

libglovebox_a_SOURCES += src/guest/riscv64/decode.c src/guest/riscv64/decode.h
nodist_libglovebox_a_SOURCES += $(rv_decode_made)
BUILT_SOURCES += $(rv_decode_made)
CLEANFILES += $(rv_decode_made)
EXTRA_DIST += $(rv_decode_from) docs/isa/riscv64.md

rv_decode_made = src/guest/riscv64/decode_ops.h src/guest/riscv64/decode_tables.inc
rv_decode_from = scripts/decodegen.lua src/guest/riscv64/riscv64.decode
rv_decodegen = $(MKDIR_P) $(@D) && $(LUA) $(srcdir)/scripts/decodegen.lua
rv_decode_table = $(srcdir)/src/guest/riscv64/riscv64.decode

src/guest/riscv64/decode_ops.h: $(rv_decode_from)
	$(AM_V_GEN)$(rv_decodegen) --ops $(rv_decode_table) $@.tmp && mv -f $@.tmp $@

src/guest/riscv64/decode_tables.inc: $(rv_decode_from)
	$(AM_V_GEN)$(rv_decodegen) --tables $(rv_decode_table) $@.tmp && mv -f $@.tmp $@

# Writes the reference page anew, into the sources; a test says when that is due.
.PHONY: isa-docs
isa-docs:
	$(LUA) $(srcdir)/scripts/decodegen.lua --docs $(rv_decode_table) $(srcdir)/docs/isa/riscv64.md
