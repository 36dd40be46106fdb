/*
 * board_test.h - a board with its CPUs, which do not run: the test calls the
 * firmware and touches the bus in their place.
 */
#ifndef BOARD_TEST_H
#define BOARD_TEST_H

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bits.h"
#include "board/board.h"
#include "cpu/guest.h"
#include "guest/riscv64/riscv64.h"
#include "snap/snap.h"
#include "../unit.h"

#define RAM UINT64_C(0x80000000)
#define MIB (UINT64_C(1) << 20)

struct rig {
    struct mem *mem;
    uint64_t now;
    struct clock clock;
    struct board *board;
    struct cpu *cpu[BOARD_CPUS];
    unsigned ncpus;
    struct board_config config;
    enum board_end end;
    unsigned code, ends, changes;
    char sent[256];
    size_t nsent;
    const char *waiting;
};

static uint64_t rig_now(void *opaque)
{
    return ((struct rig *)opaque)->now;
}

static void rig_sooner(void *opaque)
{
    (void)opaque;
}

static void rig_ended(void *opaque, enum board_end how, unsigned code)
{
    struct rig *r = opaque;

    r->end = how;
    r->code = code;
    r->ends++;
}

static void rig_changed(void *opaque, struct cpu *c)
{
    (void)c;
    ((struct rig *)opaque)->changes++;
}

static void rig_take(void *opaque, const uint8_t *data, size_t len)
{
    struct rig *r = opaque;
    size_t room = sizeof r->sent - r->nsent;

    memcpy(r->sent + r->nsent, data, len < room ? len : room);
    r->nsent += len < room ? len : room;
}

static size_t rig_give(void *opaque, uint8_t *data, size_t len)
{
    struct rig *r = opaque;
    size_t n = strlen(r->waiting) < len ? strlen(r->waiting) : len;

    memcpy(data, r->waiting, n);
    r->waiting += n;
    return n;
}

/* The configuration of a small machine, to be changed before rig_build. */
static inline void rig_init(struct rig *r)
{
    *r = (struct rig){.mem = mem_new(), .waiting = ""};
    clock_init(&r->clock, rig_now, rig_sooner, r);
    r->config = (struct board_config){
        .machine = "virt",
        .ncpus = 2,
        .memory = 64 * MIB,
        .load_addr = UINT64_MAX,
        .timebase = 10000000,
        .epoch_ns = 1000,
        .console = {.write = rig_take, .read = rig_give, .opaque = r},
        .mem = r->mem,
        .clock = &r->clock,
        .ended = rig_ended,
        .changed = rig_changed,
        .opaque = r,
    };
}

static inline int rig_build(struct rig *r, const char *isa, struct err *e)
{
    r->board = board_new(&r->config, e);
    if (!r->board)
        return -1;
    for (r->ncpus = 0; r->ncpus < r->config.ncpus; r->ncpus++) {
        const struct cpu_config config = {
            .guest = &guest_riscv64,
            .index = r->ncpus,
            .count = r->config.ncpus,
            .mem = r->mem,
            .tlb = TLB_CONFIG_DEFAULT,
            .isa = isa,
        };
        r->cpu[r->ncpus] = cpu_new(&config, e);
        ck_assert_ptr_nonnull(r->cpu[r->ncpus]);
        board_attach(r->board, r->cpu[r->ncpus]);
    }
    return board_reset(r->board, e);
}

static inline void rig_fini(struct rig *r)
{
    for (unsigned i = 0; i < r->ncpus; i++)
        cpu_free(r->cpu[i]);
    board_free(r->board);
    ck_assert_uint_eq(r->clock.len, 0);
    clock_fini(&r->clock);
    mem_free(r->mem);
}

static inline void rig_until(struct rig *r, uint64_t now)
{
    for (uint64_t next; (next = clock_next(&r->clock)) <= now;) {
        r->now = next > r->now ? next : r->now;
        clock_run(&r->clock, r->now);
    }
    r->now = now;
}

static inline uint64_t rig_csr(struct rig *r, unsigned cpu, unsigned csr)
{
    uint64_t v = 0;

    ck_assert(rv_csr_peek(rv_of(r->cpu[cpu]), csr, &v));
    return v;
}

static inline uint64_t rig_peek(struct rig *r, uint64_t addr, unsigned size)
{
    uint64_t v = 0;

    ck_assert_uint_eq(mem_peek(r->mem, addr, &v, size), size);
    return v;
}

/* The board's saved state; the caller's to end. */
static inline struct buf rig_save(struct rig *r)
{
    struct buf out = BUF_INIT;
    struct snap s;

    snap_open_save(&s, &out);
    board_state(r->board, &s);
    ck_assert_int_eq(snap_close(&s, NULL), 0);
    return out;
}

/* Loads what `from` is into `to`, which then is the same. */
static inline void rig_copy_state(struct rig *from, struct rig *to)
{
    struct buf first = rig_save(from), second;
    struct snap s;

    snap_open_load(&s, first.data, first.len);
    board_state(to->board, &s);
    ck_assert_int_eq(snap_close(&s, NULL), 0);
    second = rig_save(to);
    ck_assert_uint_eq(first.len, second.len);
    ck_assert_mem_eq(first.data, second.data, first.len);
    buf_fini(&first);
    buf_fini(&second);
}

/* A file of a test's own, removed by the caller. */
static inline const char *rig_file(const char *name, const void *data, size_t len)
{
    static char path[4][128];
    static unsigned n;
    char *p = path[n++ % 4];
    const char *dir = getenv("TMPDIR");
    FILE *f;

    snprintf(p, sizeof *path, "%s/glovebox-%d-%s", dir ? dir : "/tmp", (int)getpid(), name);
    f = fopen(p, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(data, 1, len, f), len);
    fclose(f);
    return p;
}

#endif
