/* state.c - reset, the supervisor's start, saving and loading. */
#include "hart.h"
#include "snap/snap.h"

START_TEST(reset)
{
    struct hart t;
    hart_init(&t);
    hart_priv(&t, RV_U);
    memset(t.h->x, 0x55, sizeof t.h->x);
    csr_set(&t, CSR_MIE, UINT64_MAX);
    t.h->reserve_addr = 8;
    t.c->halted = 1;
    guest_riscv64.reset(t.c);
    ck_assert_uint_eq(t.h->priv, RV_M);
    ck_assert_uint_eq(t.c->pc, 0x1000);
    ck_assert_uint_eq(csr_get(&t, CSR_MSTATUS), RV_MSTATUS_XL64);
    ck_assert_uint_eq(csr_get(&t, CSR_MIE), 0);
    ck_assert_uint_eq(csr_get(&t, CSR_STIMECMP), UINT64_MAX);
    ck_assert_uint_eq(t.h->reserve_addr, UINT64_MAX);
    ck_assert_uint_eq(t.h->x[1], 0);
    ck_assert_uint_eq(t.c->halted, 0);
    ck_assert_uint_eq(t.c->fetch_mode, RV_MODE_BARE);
    ck_assert_uint_eq(t.h->ext, bits_mask(RV_EXT_COUNT) & ~RV_EXT_AIA);
    hart_fini(&t);
}
END_TEST

START_TEST(supervisor)
{
    struct hart t;
    uint64_t v;
    hart_init(&t);
    t.now = 7;
    rv_enter_supervisor(t.c, RAM + 0x200, 3, RAM + 0x8000);
    ck_assert_uint_eq(t.h->priv, RV_S);
    ck_assert_uint_eq(t.c->pc, RAM + 0x200);
    ck_assert_uint_eq(rv_x(t.c, 10), 3);
    ck_assert_uint_eq(rv_x(t.c, 11), RAM + 0x8000);
    ck_assert_uint_eq(t.c->context & RV_CTX_PRIV, RV_S);
    ck_assert(t.c->context & RV_CTX_FS);
    ck_assert_int_eq(hart_store(&t, RAM, IR_MO_64, 1), CPU_OK);
    ck_assert(csr_try(&t, 0xc01, RV_CSR_RS, false, 0, &v));
    ck_assert_uint_eq(v, 7);
    ck_assert(csr_try(&t, CSR_STIMECMP, RV_CSR_RW, true, 20, &v));
    ck_assert_uint_eq(t.timer, 20);
    rv_helper_cbo(t.c, RV_OP_CBO_INVAL, RAM, 0);
    rv_helper_cbo_zero(t.c, RAM, 0, 0);
    ck_assert_uint_eq(t.c->count.traps, 0);
    ck_assert_uint_eq(csr_get(&t, CSR_MEDELEG), 0xb1ff); /* all but calls from S */
    rv_raise(t.h, RV_CAUSE_ILLEGAL, 0);
    ck_assert_uint_eq(t.h->priv, RV_S);
    csr_set(&t, CSR_SIE, UINT64_MAX);
    ck_assert_uint_eq(csr_get(&t, CSR_SIE), 0x2222);
    /* Lines outlive it; a timer set before does not. */
    rv_line(t.c, RV_IRQ_SEI, true);
    t.now = 100;
    guest_riscv64.timer_due(t.c);
    rv_enter_supervisor(t.c, RAM, 0, 0);
    ck_assert_uint_eq(csr_get(&t, CSR_SIP), RV_MIP_SEI);
    ck_assert_uint_eq(t.timer, UINT64_MAX);
    hart_fini(&t);
}
END_TEST

/* Something in every field. */
static void scramble(struct hart *t, uint64_t seed)
{
    for (unsigned csr = 0; csr < 4096; csr++) {
        if (csr != CSR_SATP && csr != CSR_MSTATUS)
            rv_csr_poke(t->h, csr, bits_mix(seed + csr));
    }
    csr_set(t, CSR_SATP, UINT64_C(8) << 60 | (bits_mix(seed) & 0xffff));
    for (uint32_t i = 1; i < RV_SLOT_COUNT; i++)
        rv_reg_write(t->c, i, bits_mix(seed * 3 + i));
    csr_set(t, CSR_MSTATUS, bits_mix(seed) | RV_MSTATUS_FS);
    csr_set(t, 3, bits_mix(seed) >> 3);
    rv_line(t->c, RV_IRQ_MEI, seed & 1);
    t->c->pc = bits_mix(seed) & ~UINT64_C(1);
    t->c->halted = seed & 1;
    hart_priv(t, seed & 1 ? RV_S : RV_U);
    t->c->budget = 500;
    t->c->count_end = 1000 + (int64_t)seed;
}

static uint64_t hash(struct hart *t)
{
    struct snap s;
    snap_open_hash(&s, 1);
    guest_riscv64.state(t->c, &s);
    ck_assert_int_eq(snap_close(&s, NULL), 0);
    return s.hash;
}

static void save(struct hart *t, struct buf *b)
{
    struct snap s;
    snap_open_save(&s, b);
    guest_riscv64.state(t->c, &s);
    ck_assert_int_eq(snap_close(&s, NULL), 0);
}

static int load(struct hart *t, const struct buf *b, struct err *e)
{
    struct snap s;
    snap_open_load(&s, b->data, b->len);
    guest_riscv64.state(t->c, &s);
    return snap_close(&s, e);
}

START_TEST(saved_and_loaded)
{
    for (uint64_t seed = 1; seed < 20; seed++) {
        struct hart a, b;
        struct buf first = BUF_INIT, second = BUF_INIT;
        struct err e = {0};
        hart_init(&a);
        hart_init(&b);
        scramble(&a, seed);
        b.c->budget = 12345;
        b.c->ahead = 5;
        save(&a, &first);
        ck_assert_msg(load(&b, &first, &e) == 0, "%s", e.msg);
        save(&b, &second);
        ck_assert_uint_eq(first.len, second.len);
        ck_assert_mem_eq(first.data, second.data, first.len);
        ck_assert_uint_eq(hash(&a), hash(&b));
        /* What is not saved follows from what is. */
        ck_assert_uint_eq(cpu_count(b.c), cpu_count(a.c));
        ck_assert_uint_eq(b.c->context, a.c->context);
        ck_assert_uint_eq(b.c->fetch_mode, a.c->fetch_mode);
        ck_assert_uint_eq(b.c->tlb.space, a.c->tlb.space);
        ck_assert_uint_eq(b.c->alarm, a.c->alarm);
        ck_assert_uint_eq(b.c->pending, 1);
        ck_assert_uint_eq(b.timer, a.timer);
        ck_assert_uint_eq(b.h->hpm_on, a.h->hpm_on);
        ck_assert_mem_eq(b.h->pmp_last, a.h->pmp_last, sizeof a.h->pmp_last);
        for (uint32_t i = 0; i < guest_riscv64.nregs; i++)
            ck_assert_msg(rv_reg_read(a.c, i) == rv_reg_read(b.c, i), "%s",
                          guest_riscv64.regs[i].name);
        buf_fini(&first);
        buf_fini(&second);
        hart_fini(&a);
        hart_fini(&b);
    }
}
END_TEST

/* Every register is part of the hash. */
START_TEST(hash_covers_registers)
{
    struct hart t;
    hart_init(&t);
    csr_set(&t, CSR_MSTATUS, RV_MSTATUS_FS);
    for (uint32_t i = 0; i < guest_riscv64.nregs; i++) {
        uint64_t before = hash(&t), old = rv_reg_read(t.c, i);
        if (!rv_reg_write(t.c, i, old ^ 2) || rv_reg_read(t.c, i) == old)
            continue;
        ck_assert_msg(hash(&t) != before, "%s", guest_riscv64.regs[i].name);
    }
    hart_fini(&t);
}
END_TEST

/* Looking changes nothing: reads and hashes at any time. */
START_TEST(looking_is_free)
{
    struct hart a, b;
    hart_init(&a);
    hart_init(&b);
    struct hart *both[] = {&a, &b};
    for (unsigned i = 0; i < 2; i++) {
        both[i]->c->budget = both[i]->c->count_end = 1000;
        csr_set(both[i], 0x323, 1);
        csr_set(both[i], 0xb03, (uint64_t)-300);
    }
    for (unsigned n = 0; n < 200; n++) {
        a.c->budget--;
        b.c->budget--;
        hash(&a);
        if (n == 100)
            rv_alarm_due(b.c); /* early: how the value is kept does not show */
        for (uint32_t i = 0; i < guest_riscv64.nregs; i++)
            rv_reg_read(a.c, i);
    }
    ck_assert_uint_eq(hash(&a), hash(&b));
    ck_assert_uint_eq(a.c->alarm, b.c->alarm);
    hart_fini(&a);
    hart_fini(&b);
}
END_TEST

START_TEST(refused_states)
{
    struct hart t, other;
    struct buf b = BUF_INIT;
    struct err e = {0};
    hart_init(&t);
    hart_init_isa(&other, "rv64gc");
    save(&other, &b);
    ck_assert_int_ne(load(&t, &b, &e), 0);
    ck_assert_msg(strstr(e.msg, "ext"), "%s", e.msg);
    buf_reset(&b);
    other.h->ext = t.h->ext;
    other.h->priv = 2;
    save(&other, &b);
    ck_assert_int_ne(load(&t, &b, &e), 0);
    ck_assert_msg(strstr(e.msg, "priv"), "%s", e.msg);
    ck_assert_uint_eq(t.h->priv, RV_M); /* as after reset */
    buf_reset(&b);
    other.h->priv = 3;
    other.h->satp = BIT(60);
    save(&other, &b);
    ck_assert_int_ne(load(&t, &b, &e), 0);
    buf_reset(&b);
    other.h->satp = 0;
    save(&other, &b);
    for (size_t n = 0; n < b.len; n += 37) { /* cut short */
        struct buf cut = {b.data, n, n};
        ck_assert_int_ne(load(&t, &cut, &e), 0);
    }
    ck_assert_int_eq(load(&t, &b, &e), 0);
    buf_fini(&b);
    hart_fini(&t);
    hart_fini(&other);
}
END_TEST

/* Bytes of a state that went bad are refused or make a hart that can be used. */
START_TEST(damaged_states)
{
    struct hart t;
    struct buf b = BUF_INIT;
    hart_init(&t);
    scramble(&t, 5);
    save(&t, &b);
    for (size_t i = 0; i < b.len; i++) {
        uint64_t v;
        b.data[i] ^= 0xff;
        load(&t, &b, NULL);
        hart_load(&t, RAM, IR_MO_64, &v);
        rv_interrupt(t.c);
        rv_helper_sret(t.c, 0, 0, 0);
        for (uint32_t r = 0; r < guest_riscv64.nregs; r++)
            rv_reg_read(t.c, r);
        b.data[i] ^= 0xff;
    }
    ck_assert_int_eq(load(&t, &b, NULL), 0);
    buf_fini(&b);
    hart_fini(&t);
}
END_TEST

START_TEST(another_hart_ran)
{
    struct hart t;
    hart_init(&t);
    t.h->reserve_addr = RAM;
    guest_riscv64.switched(t.c);
    ck_assert_uint_eq(t.h->reserve_addr, UINT64_MAX);
    hart_fini(&t);
}
END_TEST

UNIT_MAIN("riscv64/state", reset, supervisor, saved_and_loaded, hash_covers_registers,
          looking_is_free, refused_states, damaged_states, another_hart_ran)
