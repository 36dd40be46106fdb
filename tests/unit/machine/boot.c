/*
 * boot.c - the first part of a kernel's boot, run in different ways that must
 * come to the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem_alloc.h"
#include "tests/unit/machine/rig.h"

/* Where scripts/fetch-guests puts it. */
static char *kernel_path(void)
{
    const char *guests = getenv("GLOVEBOX_GUESTS"), *home = getenv("HOME");

    if (guests)
        return xasprintf("%s/riscv64/Image", guests);
    return xasprintf("%s/.cache/glovebox/guests/riscv64/Image", home ? home : "");
}

/* Sanitizers take ten times as long. */
static uint64_t length(void)
{
    const char *sanitized = getenv("SANITIZED");
    return sanitized && !strcmp(sanitized, "yes") ? 5000000 : 50000000;
}

static struct machine *machine(unsigned ncpus, uint32_t max_insns)
{
    char *path = kernel_path();
    struct machine_config config = rig_config(NULL, ncpus);

    config.board.firmware = NULL;
    config.board.kernel = path;
    config.board.append = "console=ttyS0";
    config.board.memory = UINT64_C(256) << 20;
    config.accel.max_insns = max_insns;
    struct machine *m = rig_machine(&config);
    free(path);
    return m;
}

static void chop(unsigned ncpus)
{
    uint64_t end = length(), seed = ncpus, at;
    struct machine *m = machine(ncpus, 0);

    ck_assert_int_eq(machine_run(m, end), MACHINE_COUNT);
    uint64_t hash = machine_hash(m), time = machine_time(m);
    machine_free(m);
    m = machine(ncpus, 3);
    while ((at = machine_count(m)) < end) {
        seed = bits_mix(seed + 1);
        uint64_t to = at + 1 + (seed >> 32) % (UINT64_C(1) << seed % 23);
        to = to < end ? to : end;
        ck_assert_int_eq(machine_run(m, to), MACHINE_COUNT);
        ck_assert_uint_eq(machine_count(m), to);
    }
    ck_assert_uint_eq(machine_time(m), time);
    ck_assert_uint_eq(machine_hash(m), hash);
    machine_free(m);
}

START_TEST(test_one)
{
    chop(1);
}
END_TEST

START_TEST(test_three)
{
    chop(3);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {test_one, test_three};
    char *path = kernel_path();

    if (access(path, R_OK)) {
        free(path);
        return tap_none_missing("no Debian kernel (scripts/fetch-guests riscv64 brings it)");
    }
    free(path);
    return unit_run("machine/boot", tests, ARRAY_LEN(tests));
}
