/*
 * rig.h - machines that run small programs: what the tests of src/machine share.
 */
#ifndef TESTS_UNIT_MACHINE_RIG_H
#define TESTS_UNIT_MACHINE_RIG_H

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bits.h"
#include "machine/machine.h"
#include "snap/snap.h"
#include "tests/unit/accel/rvasm.h"
#include "tests/unit/unit.h"

#define RIG_RAM UINT64_C(0x80000000)

/* A program as a file, for the machine to load. */
struct rig_file {
    char path[64];
};

static inline void rig_write(struct rig_file *f, const struct rvasm *p)
{
    snprintf(f->path, sizeof f->path, "/tmp/glovebox-machine-XXXXXX");
    int fd = mkstemp(f->path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, p->code, p->n * 4), p->n * 4);
    close(fd);
}

static inline void rig_remove(const struct rig_file *f)
{
    unlink(f->path);
}

/* The program runs in M-mode on every hart, from the start of RAM, with a0 the hart's number. */
static inline struct machine_config rig_config(const struct rig_file *f, unsigned ncpus)
{
    return (struct machine_config){
        .board = {.machine = "virt",
                  .ncpus = ncpus,
                  .memory = UINT64_C(16) << 20,
                  .firmware = f ? f->path : NULL,
                  .load_addr = UINT64_MAX,
                  .timebase = 10000000},
        .guest = "riscv64",
        .engine = "interp",
        .accel = {.break_op = -1},
        .tlb = TLB_CONFIG_DEFAULT,
    };
}

static inline struct machine *rig_machine(const struct machine_config *config)
{
    struct err e = {0};
    struct machine *m = machine_new(config, &e);
    ck_assert_msg(m, "%s", e.msg);
    return m;
}

static inline uint64_t rig_x(const struct machine *m, unsigned cpu, unsigned n)
{
    char name[8];
    struct cpu *c = machine_cpu(m, cpu);
    snprintf(name, sizeof name, "x%u", n);
    return c->guest->reg_read(c, (uint32_t)guest_find_reg(c->guest, name));
}

/* Puts `to` in the state of `from`, of which the first MiB of RAM may be anything. */
static inline void rig_take_over(struct machine *to, struct machine *from)
{
    enum { SIZE = 1 << 20 };
    struct buf saved = BUF_INIT;
    uint8_t *ram = malloc(SIZE);
    struct err e = {0};
    struct snap s;

    snap_open_save(&s, &saved);
    machine_state(from, &s);
    ck_assert_int_eq(snap_close(&s, &e), 0);
    mem_peek(machine_mem(from), RIG_RAM, ram, SIZE);
    mem_poke(machine_mem(to), RIG_RAM, ram, SIZE);
    snap_open_load(&s, saved.data, saved.len);
    machine_state(to, &s);
    ck_assert_msg(snap_close(&s, &e) == 0, "%s", e.msg);
    buf_fini(&saved);
    free(ram);
}

enum {
    CSR_MSTATUS = 0x300,
    CSR_MIE = 0x304,
    CSR_MTVEC = 0x305,
    CSR_MCAUSE = 0x342,
    CSR_MCYCLE = 0xb00,
    CSR_MHARTID = 0xf14
};
#define CLINT          0x02000000u
#define MTIMECMP(hart) (CLINT + 0x4000 + 8 * (hart))
#define MTIME          (CLINT + 0xbff8)
#define FINISH         0x00100000u

/* pc + 4 * (index - here) for a handler that is at `at`. */
static inline void rig_set_mtvec(struct rvasm *p, unsigned at)
{
    rv_ram(p, T0, at * 4);
    rv_csr(p, RV_CSRW, ZERO, CSR_MTVEC, T0);
}

/* Part of a handler: when s4 is `rounds`, hart 0 ends the machine. */
static inline void rig_end_after(struct rvasm *p, unsigned rounds)
{
    rv_addi(p, A0, ZERO, (int)rounds);
    unsigned on = rv_branch(p, RV_BNE, S4, A0, 0);
    unsigned other = rv_branch(p, RV_BNE, S0, ZERO, 0);
    rv_li(p, A0, FINISH);
    rv_li(p, A1, 0x5555);
    rv_sw(p, A1, A0, 0);
    rv_to_here(p, on);
    rv_to_here(p, other);
}

/*
 * Timers, interrupts between harts, waiting, atomics and a lot of stores; hart 0 ends the
 * machine after `rounds` timer interrupts.
 */
static inline void rig_busy_program(struct rvasm *p, unsigned rounds)
{
    unsigned start = rv_branch(p, RV_BEQ, ZERO, ZERO, 0);

    /* The handler; a0 and a1 are its own. */
    unsigned handler = rv_here(p);
    rv_csr(p, RV_CSRS, A0, CSR_MCAUSE, ZERO);
    rv_andi(p, A0, A0, 15);
    rv_addi(p, A1, ZERO, 3);
    unsigned timer = rv_branch(p, RV_BNE, A0, A1, 0);
    rv_sw(p, ZERO, S10, 0); /* own software interrupt */
    rv_addi(p, S11, S11, 1);
    rv_mret(p);
    rv_to_here(p, timer);
    rv_ld(p, A0, S3, 0);
    rv_andi(p, A1, S5, 0x7f);
    rv_add(p, A0, A0, A1);
    rv_addi(p, A0, A0, 3);
    rv_sd(p, A0, S2, 0);
    rv_addi(p, S4, S4, 1);
    rv_addi(p, A1, ZERO, 1);
    rv_sw(p, A1, S9, 0); /* the other hart's */
    rig_end_after(p, rounds);
    rv_mret(p);

    rv_to_here(p, start);
    rv_csr(p, RV_CSRS, S0, CSR_MHARTID, ZERO);
    rv_li(p, S9, CLINT);
    rv_slli(p, T0, S0, 2);
    rv_add(p, S10, S9, T0);
    rv_xori(p, T0, S0, 1);
    rv_slli(p, T0, T0, 2);
    rv_add(p, S9, S9, T0);
    rv_li(p, S2, MTIMECMP(0));
    rv_slli(p, T0, S0, 3);
    rv_add(p, S2, S2, T0);
    rv_li(p, S3, MTIME);
    rv_addi(p, S5, S0, 17);
    rv_ram(p, S6, 0x20000);
    rv_ram(p, S7, 0x10000);
    rv_slli(p, T0, S0, 12);
    rv_add(p, S7, S7, T0);
    rv_li(p, S8, 0x41c64e6d);
    rig_set_mtvec(p, handler);
    rv_ld(p, T0, S3, 0);
    rv_addi(p, T0, T0, 37);
    rv_sd(p, T0, S2, 0);
    rv_addi(p, T0, ZERO, 0x88);
    rv_csr(p, RV_CSRW, ZERO, CSR_MIE, T0);
    rv_csr(p, RV_CSRSI, ZERO, CSR_MSTATUS, 8);
    unsigned loop = rv_here(p);
    rv_mul(p, S5, S5, S8);
    rv_addi(p, S5, S5, 1);
    rv_srli(p, T1, S5, 5);
    rv_andi(p, T1, T1, 0x7f8);
    rv_add(p, T1, T1, S7);
    rv_ld(p, T2, T1, 0);
    rv_add(p, T2, T2, S5);
    rv_sd(p, T2, T1, 0);
    rv_amoadd(p, T2, S5, S6);
    rv_addi(p, T3, S6, 8);
    rv_lr(p, T2, T3);
    rv_add(p, T2, T2, S5);
    rv_sc(p, T4, T2, T3);
    rv_add(p, T5, T5, T4);
    rv_srli(p, T1, S5, 9);
    rv_andi(p, T1, T1, 0x1ff);
    rv_branch(p, RV_BNE, T1, ZERO, loop);
    rv_wfi(p);
    rv_jump(p, loop);
}

#endif
