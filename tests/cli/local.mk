# The tests of tests/cli: the program as a person's shell sees it, with tiny guests.

cli_tests = \
    tests/cli/console.sh \
    tests/cli/dump.sh \
    tests/cli/ends.sh \
    tests/cli/images.sh \
    tests/cli/options.sh
TESTS += $(cli_tests)
EXTRA_DIST += $(cli_tests) tests/cli/lib.sh
