/* slow.c - what generated code calls when its own way does not do. */
#include "jit/target.h"

#include "base/bits.h"

static uint64_t value_of(const struct cpu *c, const struct jit_block *b, const struct jit_dirty *d,
                         const struct jit_frame *f)
{
    switch (d->where) {
    case JIT_IN_GPR:
        return f->gpr[d->reg];
    case JIT_IN_VEC:
        return f->vec[d->reg];
    case JIT_IN_SPILL:
        return f->spill[d->index];
    case JIT_IN_CONST:
        return b->consts[d->index];
    default: /* JIT_IN_SLOT */
        return bits_load_le((const uint8_t *)c + c->guest->names.slots[d->index].offset, 8);
    }
}

static unsigned slot_bytes(const struct ir_slot *s)
{
    return s->type == IR_I32 || s->type == IR_F32 ? 4 : 8;
}

/* Brings the guest registers up to date at a site: all are read before one is written, since a
 * value may be found in another register's memory. */
static void restore_slots(struct cpu *c, const struct jit_site *s, const struct jit_frame *f)
{
    const struct jit_block *b = s->block;
    uint64_t values[64];

    for (uint32_t i = 0; i < s->ndirty; i++)
        values[i] = value_of(c, b, &b->dirty[s->dirty + i], f);
    for (uint32_t i = 0; i < s->ndirty; i++) {
        const struct ir_slot *slot = &c->guest->names.slots[b->dirty[s->dirty + i].slot];
        bits_store_le((uint8_t *)c + slot->offset, slot_bytes(slot), values[i]);
    }
}

/* The access was refused: precise state, with what was charged too much given back. */
static int leave_at(struct cpu *c, enum cpu_access why, const struct jit_site *s,
                    const struct jit_frame *f)
{
    restore_slots(c, s, f);
    c->access = (uint8_t)why;
    c->pc = s->pc;
    c->budget += s->block->ninsns - s->index - 1;
    return 1;
}

int jit_slow_load(struct cpu *c, const struct jit_site *s, uint64_t vaddr, uint64_t *value,
                  const struct jit_frame *f)
{
    enum cpu_access a = cpu_load(c, vaddr, s->mo, value);
    return a == CPU_OK ? 0 : leave_at(c, a, s, f);
}

int jit_slow_store(struct cpu *c, const struct jit_site *s, uint64_t vaddr, uint64_t value,
                   const struct jit_frame *f)
{
    enum cpu_access a = cpu_store(c, vaddr, s->mo, value);
    return a == CPU_OK ? 0 : leave_at(c, a, s, f);
}

static uint64_t narrow(unsigned type, uint64_t v)
{
    return type == IR_I32 || type == IR_F32 ? (uint32_t)v : v;
}

uint64_t jit_soft_fp(struct cpu *c, const struct jit_soft *s, uint64_t a, uint64_t b, uint64_t d)
{
    return ir_eval_fp(s->op, s->type, s->from, s->aux, narrow(s->from, a), narrow(s->from, b),
                      narrow(s->from, d), &c->fp_flags);
}
