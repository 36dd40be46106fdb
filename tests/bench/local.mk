# The tests of tests/bench: the benchmark's tools, with emulators that are none, and the loops that
# measure single operations.

check_PROGRAMS += bench/micro bench/stub
bench_tests = tests/bench/harness.sh tests/bench/micro.sh tests/bench/stub.sh tests/bench/tools.lua
TESTS += $(bench_tests)
EXTRA_DIST += $(bench_tests)
