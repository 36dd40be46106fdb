# The tests of tests/bench: the benchmark's tools, with emulators that are none.

bench_tests = tests/bench/harness.sh tests/bench/tools.lua
TESTS += $(bench_tests)
EXTRA_DIST += $(bench_tests)
