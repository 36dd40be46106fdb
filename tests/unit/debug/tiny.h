/* tiny.h - a machine with a few instructions at 0x80200000, for tests. */
#ifndef TINY_H
#define TINY_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "machine/machine.h"

#define TINY_BASE UINT64_C(0x80200000)

static inline struct machine *tiny_machine_on(const char *engine, const uint32_t *code, size_t len,
                                              struct dev_chars console)
{
    char path[] = "/tmp/glovebox-tiny-XXXXXX";
    int fd = mkstemp(path);
    struct tlb_config tlb = TLB_CONFIG_DEFAULT;
    struct machine_config c = {
        .board = {.machine = "virt",
                  .ncpus = 1,
                  .memory = 16 << 20,
                  .kernel = path,
                  .load_addr = TINY_BASE,
                  .timebase = 10000000,
                  .console = console},
        .guest = "riscv64",
        .engine = engine,
        .accel = {.break_op = -1},
        .tlb = tlb,
        .rate = 1000000000,
    };
    struct machine *m;
    struct err e = {0};

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, code, len), (ssize_t)len);
    close(fd);
    m = machine_new(&c, &e);
    unlink(path);
    ck_assert_msg(m, "%s", e.msg);
    return m;
}

static inline struct machine *tiny_machine(const uint32_t *code, size_t len,
                                           struct dev_chars console)
{
    return tiny_machine_on("interp", code, len, console);
}

#endif
