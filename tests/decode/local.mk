# The tests of tests/decode: the decoder and its generator.

if HAVE_CHECK
check_PROGRAMS += tests/decode/test_decode
TESTS += tests/decode/test_decode
endif
tests_decode_test_decode_SOURCES = tests/decode/test_decode.c
tests_decode_test_decode_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)

check_PROGRAMS += tests/decode/decode_compare
tests_decode_decode_compare_SOURCES = tests/decode/compare.c
tests_decode_decode_compare_LDADD = libglovebox.a

TESTS += tests/decode/compare.sh tests/decode/generator.sh
EXTRA_DIST += tests/decode/compare.sh tests/decode/generator.sh tests/decode/riscv64.txt
