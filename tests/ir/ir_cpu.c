/* ir_cpu.c - see ir_cpu.h. */
#include "tests/ir/ir_cpu.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/mem_alloc.h"

#define SLOT(name, field, type)                                                                    \
    {                                                                                              \
        name, offsetof(struct ir_cpu, field), type                                                 \
    }

static const struct ir_slot slots[] = {
    SLOT("a0", a[0], IR_I64), SLOT("a1", a[1], IR_I64), SLOT("a2", a[2], IR_I64),
    SLOT("a3", a[3], IR_I64), SLOT("a4", a[4], IR_I64), SLOT("a5", a[5], IR_I64),
    SLOT("a6", a[6], IR_I64), SLOT("a7", a[7], IR_I64), SLOT("w0", w[0], IR_I32),
    SLOT("w1", w[1], IR_I32), SLOT("w2", w[2], IR_I32), SLOT("w3", w[3], IR_I32),
    SLOT("d0", d[0], IR_F64), SLOT("d1", d[1], IR_F64), SLOT("d2", d[2], IR_F64),
    SLOT("d3", d[3], IR_F64), SLOT("s0", s[0], IR_F32), SLOT("s1", s[1], IR_F32),
    SLOT("s2", s[2], IR_F32), SLOT("s3", s[3], IR_F32), SLOT("pc", pc, IR_I64),
};

static uint64_t mix(void *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    (void)cpu;
    return bits_mix(a) + 3 * b - c;
}

static uint64_t look(void *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    const struct ir_cpu *p = cpu;
    uint64_t sum = a + b + c + 31 * p->pc;
    for (unsigned i = 0; i < 8; i++)
        sum += (i + 1) * p->a[i];
    return sum;
}

static uint64_t change(void *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    struct ir_cpu *p = cpu;
    p->a[1] += a + b + c;
    p->a[2] = 7;
    return 0;
}

static uint64_t trap(void *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    struct ir_cpu *p = cpu;
    (void)c;
    if (a) {
        p->a[7] = p->pc;
        p->pc = a;
        p->a[0]++;
        p->leave = 1;
    }
    return b + 1;
}

static const struct ir_helper helpers[] = {
    {"mix", mix, 3, 0, true},
    {"look", look, 1, IR_HELPER_READS, true},
    {"change", change, 1, IR_HELPER_WRITES, false},
    {"trap", trap, 1, IR_HELPER_READS | IR_HELPER_WRITES | IR_HELPER_LEAVES, false},
    {"trap_get", trap, 2, IR_HELPER_READS | IR_HELPER_WRITES | IR_HELPER_LEAVES, true},
};

const struct ir_names ir_cpu_names = {
    .slots = slots,
    .nslots = ARRAY_LEN(slots),
    .pc_slot = ARRAY_LEN(slots) - 1,
    .helpers = helpers,
    .nhelpers = ARRAY_LEN(helpers),
};

/* The bytes at addr, or NULL for a fault. */
static uint8_t *access_mem(struct ir_cpu *c, uint64_t addr, unsigned mo)
{
    unsigned size = IR_MO_BYTES(mo);
    uint64_t at = addr - IR_CPU_BASE;
    if (at > IR_CPU_MEM - size || ((mo & IR_MO_ALIGN) && (addr & (size - 1))))
        return NULL;
    return c->mem + at;
}

static bool load(void *cpu, uint64_t addr, unsigned mo, uint64_t *value)
{
    const uint8_t *p = access_mem(cpu, addr, mo);
    if (!p)
        return false;
    *value = bits_load_le(p, IR_MO_BYTES(mo));
    if (mo & IR_MO_SIGN)
        *value = (uint64_t)bits_sext(*value, 8 * IR_MO_BYTES(mo));
    return true;
}

static bool store(void *cpu, uint64_t addr, unsigned mo, uint64_t value)
{
    uint8_t *p = access_mem(cpu, addr, mo);
    if (p)
        bits_store_le(p, IR_MO_BYTES(mo), value);
    return p;
}

const struct ir_host ir_cpu_host = {
    .load = load,
    .store = store,
    .leave_offset = offsetof(struct ir_cpu, leave),
    .flags_offset = offsetof(struct ir_cpu, flags),
    .budget_offset = offsetof(struct ir_cpu, budget),
};

void ir_cpu_random(struct ir_cpu *c, uint64_t seed)
{
    struct ir_cpu fresh = {.budget = c->budget};
    uint64_t words[(sizeof fresh.a + sizeof fresh.d) / 8];
    for (unsigned i = 0; i < ARRAY_LEN(words); i++) {
        uint64_t r = bits_mix(seed + i);
        words[i] = r >> (r & 7) * 8; /* small ones too */
    }
    memcpy(fresh.a, words, sizeof fresh.a);
    memcpy(fresh.d, words + 8, sizeof fresh.d);
    for (unsigned i = 0; i < 4; i++) {
        fresh.w[i] = (uint32_t)bits_mix(seed + 100 + i);
        fresh.s[i] = (uint32_t)bits_mix(seed + 200 + i);
    }
    for (unsigned i = 0; i < IR_CPU_MEM; i++)
        fresh.mem[i] = (uint8_t)bits_mix(seed + 300 + i);
    *c = fresh;
}

enum ir_exit ir_cpu_run(const struct ir_unit *u, struct ir_cpu *c, uint64_t *pc)
{
    uint64_t *scratch = xcalloc(u->ninsns, sizeof *scratch);
    c->leave = 0;
    *pc = 0;
    enum ir_exit e = ir_interp(u, c, &ir_cpu_host, scratch, pc);
    free(scratch);
    return e;
}
