# The tests of tests/unit/softfloat.
if HAVE_CHECK
softfloat_tests = \
    tests/unit/softfloat/edges \
    tests/unit/softfloat/host_fpu \
    tests/unit/softfloat/mpfr
check_PROGRAMS += $(softfloat_tests)
TESTS += $(softfloat_tests)
tests_unit_softfloat_edges_SOURCES = tests/unit/softfloat/edges.c
tests_unit_softfloat_host_fpu_SOURCES = \
    tests/unit/softfloat/host_fpu.c \
    tests/unit/softfloat/operands.h
tests_unit_softfloat_mpfr_SOURCES = \
    tests/unit/softfloat/mpfr.c \
    tests/unit/softfloat/operands.h

# GNU MPFR is the judge where it is installed; without it this test is skipped.
# (Automake takes an option without quotes for a linker flag.)
tests_unit_softfloat_mpfr_CPPFLAGS = $(AM_CPPFLAGS) \
    $(shell $(PKG_CONFIG) --exists mpfr && echo -DHAVE_MPFR `$(PKG_CONFIG) --cflags mpfr`)
tests_unit_softfloat_mpfr_LDADD = $(LDADD) $(shell $(PKG_CONFIG) '--libs' mpfr 2>/dev/null)
endif
