/* emit.c - one IR unit to one block: the driver, calls, ends of blocks, cold code. */
#include <cpuid.h>
#include <stdlib.h>

#include "base/bits.h"
#include "jit/x86_64/emit.h"
#include "softfloat/softfloat.h"

/* ---- what the register allocator asks for ---- */

static struct asm_mem slot_mem(const struct emit *e, const struct ir_slot *s)
{
    return hx64_cpu(e->j, s->offset);
}

static struct asm_mem spill_mem(unsigned index)
{
    return asm_at(RSP, (int32_t)(offsetof(struct jit_frame, spill) + 8 * index));
}

static struct asm_mem stage_mem(unsigned index)
{
    return asm_at(RSP, (int32_t)(offsetof(struct jit_frame, vec) + 8 * index));
}

static void do_move(void *ctx, enum ra_bank bank, unsigned dst, unsigned src)
{
    struct emit *e = ctx;
    if (bank == RA_INT)
        asm_mov(&e->a, W, dst, src);
    else
        asm_rr(&e->a, M0F, 0x28, dst, src);
}

static void do_constant(void *ctx, enum ra_bank bank, unsigned dst, uint64_t value)
{
    struct emit *e = ctx;
    if (bank == RA_INT) {
        asm_imm(&e->a, dst, value);
    } else if (!value) {
        asm_rr(&e->a, M0F, 0x57, dst, dst);
    } else {
        asm_imm(&e->a, RAX, value);
        hx64_movq_to_vec(e, dst, RAX);
    }
}

static void vec_mem(struct emit *e, unsigned opcode, bool wide_value, unsigned reg,
                    struct asm_mem m)
{
    asm_rm(&e->a, (wide_value ? PF2 : PF3) | M0F, opcode, reg, m);
}

static void do_load_slot(void *ctx, unsigned reg, const struct ir_slot *s)
{
    struct emit *e = ctx;
    if (s->type == IR_F32 || s->type == IR_F64)
        vec_mem(e, 0x10, s->type == IR_F64, reg, slot_mem(e, s));
    else
        asm_rm(&e->a, s->type == IR_I64 ? W : 0, 0x8b, reg, slot_mem(e, s));
}

static void do_store_slot(void *ctx, unsigned reg, const struct ir_slot *s)
{
    struct emit *e = ctx;
    if (s->type == IR_F32 || s->type == IR_F64)
        vec_mem(e, 0x11, s->type == IR_F64, reg, slot_mem(e, s));
    else
        asm_rm(&e->a, s->type == IR_I64 ? W : 0, 0x89, reg, slot_mem(e, s));
}

static void store_imm(struct emit *e, struct asm_mem m, unsigned w, uint64_t value)
{
    if (!w || asm_fits32(value)) {
        asm_rm(&e->a, w, 0xc7, 0, m);
        asm_u32(&e->a, (uint32_t)value);
    } else {
        asm_imm(&e->a, RAX, value);
        asm_store64(&e->a, RAX, m);
    }
}

static void do_store_slot_const(void *ctx, uint64_t value, const struct ir_slot *s)
{
    struct emit *e = ctx;
    store_imm(e, slot_mem(e, s), s->type == IR_I64 || s->type == IR_F64 ? W : 0, value);
}

static void do_load_spill(void *ctx, enum ra_bank bank, unsigned reg, unsigned index)
{
    struct emit *e = ctx;
    if (bank == RA_INT)
        asm_load64(&e->a, reg, spill_mem(index));
    else
        vec_mem(e, 0x10, true, reg, spill_mem(index));
}

static void do_store_spill(void *ctx, enum ra_bank bank, unsigned reg, unsigned index)
{
    struct emit *e = ctx;
    if (bank == RA_INT)
        asm_store64(&e->a, reg, spill_mem(index));
    else
        vec_mem(e, 0x11, true, reg, spill_mem(index));
}

static const struct ra_ops x64_ra_ops = {
    .allocatable = {INT_REGS, VEC_REGS},
    .clobbered = {INT_CLOBBERED, VEC_REGS},
    .scratch = {RAX, 0},
    .move = do_move,
    .constant = do_constant,
    .load_slot = do_load_slot,
    .store_slot = do_store_slot,
    .store_slot_const = do_store_slot_const,
    .load_spill = do_load_spill,
    .store_spill = do_store_spill,
};

/* ---- helpers ---- */

/* What ra_memory said. */
static struct asm_mem place_mem(const struct emit *e, enum ra_place place, unsigned index)
{
    return place == RA_SLOT ? slot_mem(e, &e->u->names->slots[index]) : spill_mem(index);
}

int hx64_source_load(struct emit *e, ir_ref v)
{
    unsigned index;

    if (ra_dies(&e->ra, v) && ra_memory(&e->ra, v, &index) != RA_NOWHERE)
        return -1;
    return (int)ra_load(&e->ra, v);
}

/* It is still there: registers are not given up to a slot that is a value's home. */
void hx64_op_memory(struct emit *e, unsigned flags, unsigned opcode, unsigned reg, ir_ref v)
{
    unsigned index;
    enum ra_place place = ra_memory(&e->ra, v, &index);

    asm_rm(&e->a, flags, opcode, reg, place_mem(e, place, index));
}

/* Puts an operand's bits into a scratch or argument register; no other register changes. */
static void argument(struct emit *e, unsigned reg, ir_ref v)
{
    unsigned index;
    uint64_t c;
    enum ir_type t;
    enum ra_place place;

    if (v == IR_NONE)
        return;
    t = ir_type_of(e->u, v);
    place = ra_memory(&e->ra, v, &index);
    if (ra_const(&e->ra, v, &c))
        asm_imm(&e->a, reg, c);
    else if (place != RA_NOWHERE)
        asm_rm(&e->a, wide(t), 0x8b, reg, place_mem(e, place, index));
    else if (t == IR_F32 || t == IR_F64)
        hx64_movq_from_vec(e, reg, ra_use(&e->ra, v));
    else
        asm_mov(&e->a, W, reg, ra_use(&e->ra, v));
}

static void call_fn(struct emit *e, const void *fn)
{
    asm_imm(&e->a, RAX, (uintptr_t)fn);
    asm_call_reg(&e->a, RAX);
}

/* Instructions of the unit that come behind this place. */
static uint32_t not_begun(const struct emit *e)
{
    return e->u->guest_insns - (e->insn + 1);
}

static void lower_call(struct emit *e, ir_ref i, const struct ir_insn *in)
{
    const struct ir_helper *h = &e->u->names->helpers[in->imm];
    bool sees = h->effects & (IR_HELPER_READS | IR_HELPER_WRITES | IR_HELPER_LEAVES);
    uint32_t ahead = not_begun(e);

    if (h->effects & IR_HELPER_FP)
        asm_call_to(&e->a, e->j->stubs[STUB_FP_SYNC]);
    if (sees) {
        ra_write_back(&e->ra);
        ra_evict_home(&e->ra, e->u->names->pc_slot);
    }
    if (h->effects & (IR_HELPER_WRITES | IR_HELPER_LEAVES))
        ra_forget_homes(&e->ra);
    ra_before_call(&e->ra);
    argument(e, RDX, in->arg[1]);
    argument(e, RCX, in->arg[2]);
    if (sees) { /* the pc slot, the exact count */
        store_imm(e, CPU_AT(e->j, pc), W, e->insn_pc);
        asm_store64(&e->a, REG_BUDGET, CPU_AT(e->j, budget));
        asm_rm(&e->a, 0, 0xc7, 0, CPU_AT(e->j, ahead));
        asm_u32(&e->a, ahead);
    }
    argument(e, RSI, in->arg[0]);
    asm_lea(&e->a, W, RDI, hx64_cpu(e->j, 0));
    call_fn(e, (const void *)(uintptr_t)h->fn);
    ra_after_call(&e->ra);
    if (sees)
        asm_load64(&e->a, REG_BUDGET, CPU_AT(e->j, budget));
    if (h->effects & IR_HELPER_LEAVES) {
        asm_rm(&e->a, 0, 0x80, ALU_CMP, CPU_AT(e->j, leave)); /* cmp byte */
        asm_u8(&e->a, 0);
        struct cold *c = hx64_cold(e, COLD_LEAVE, asm_jcc(&e->a, CC_NE));
        c->index = ahead;
    }
    if (h->result && e->ra.lives[i].uses)
        asm_mov(&e->a, W, ra_def(&e->ra, i), RAX);
}

/* ---- ends ---- */

static void jump_to_block(struct emit *e, uint8_t *disp, uint32_t block)
{
    e->fixups[e->nfixups++] = (struct fixup){disp, block};
}

/*
 * An edge's values reach the parameters' spill slots in two steps, because an
 * argument may be a parameter of the same block: all are read into the part of the
 * frame that only stubs use otherwise, from `base` on; then all are written.
 */
static void stage_args(struct emit *e, const struct ir_edge *edge, unsigned base)
{
    if (base + edge->nargs > ARRAY_LEN(((struct jit_frame *)0)->vec)) {
        e->ra.failed = true;
        return;
    }
    for (uint32_t k = 0; k < edge->nargs; k++) {
        argument(e, RAX, edge->args[k]);
        asm_store64(&e->a, RAX, stage_mem(base + k));
    }
}

static void unstage_args(struct emit *e, const struct ir_edge *edge, unsigned base)
{
    ir_ref param = e->u->blocks[edge->block].first;

    for (uint32_t k = 0; k < edge->nargs; k++) {
        asm_load64(&e->a, RAX, stage_mem(base + k));
        asm_store64(&e->a, RAX, spill_mem(ra_param(&e->ra, param + k)));
    }
}

static bool same_page(const struct emit *e, uint64_t pc)
{
    return !((pc ^ e->u->pc) & ~MEM_PAGE_MASK);
}

static bool has_one_edge(const struct ir_unit *u, uint32_t block)
{
    unsigned n = 0;

    for (uint32_t i = 0; i < u->nedges; i++)
        n += u->edges[i].block == block;
    return n == 1;
}

/* If the jump at disp alone leads to a block further on which does nothing but leave, to the same
 * page, it is that exit's own jump, to be patched like any. */
static void jump_to_exit(struct emit *e, uint8_t *disp, uint32_t block)
{
    const struct ir_block *b = &e->u->blocks[block];
    const struct ir_insn *in = &e->u->insns[b->first];

    if (in->op == IR_exit_pc && same_page(e, in->imm) && !e->labels[block] &&
        has_one_edge(e->u, block))
        e->direct[block] = disp;
    else
        jump_to_block(e, disp, block);
}

static void go(struct emit *e, ir_ref i, const struct ir_edge *edge)
{
    if (i + 1 != e->u->blocks[edge->block].first)
        jump_to_block(e, asm_jmp(&e->a), edge->block);
}

static void lower_br(struct emit *e, ir_ref i, const struct ir_insn *in)
{
    const struct ir_edge *edge = &e->u->edges[in->arg[0]];

    stage_args(e, edge, 0);
    ra_end_block(&e->ra);
    unstage_args(e, edge, 0);
    go(e, i, edge);
}

static void charge(struct emit *e)
{
    asm_alu_imm(&e->a, W, ALU_SUB, REG_BUDGET, (int32_t)e->u->guest_insns);
}

/* The end of a round.  When the budget does not do for another, the way is that of the loop's end,
 * which writes registers back. */
static void lower_round(struct emit *e, const struct ir_insn *in)
{
    bool again = e->u->edges[in->arg[1]].block == e->loop.again;

    hx64_use_condition(e, in->arg[0]);
    loop_write_back(&e->loop, &e->ra);
    unsigned cc = hx64_test_condition(e, in->arg[0]);
    jump_to_block(e, asm_jcc(&e->a, again ? cc ^ 1 : cc), e->loop.out);
    charge(e);
    jump_to_block(e, asm_jcc(&e->a, CC_S), e->loop.out);
    loop_again(&e->loop, &e->ra);
    asm_patch(asm_jmp(&e->a), e->head);
}

static void lower_brif(struct emit *e, ir_ref i, const struct ir_insn *in)
{
    const struct ir_edge *yes = &e->u->edges[in->arg[1]], *no = &e->u->edges[in->arg[2]];

    if (e->loop.slots) {
        lower_round(e, in);
        return;
    }
    /* First: after the comparison only moves follow, which leave flags alone. */
    hx64_use_condition(e, in->arg[0]);
    stage_args(e, yes, 0);
    stage_args(e, no, yes->nargs);
    ra_write_back(&e->ra);
    unsigned cc = hx64_test_condition(e, in->arg[0]);
    ra_end_block(&e->ra);
    if (!yes->nargs && !no->nargs && i + 1 == e->u->blocks[yes->block].first) {
        jump_to_exit(e, asm_jcc(&e->a, cc ^ 1), no->block);
        return;
    }
    uint8_t *taken = asm_jcc(&e->a, cc);
    unstage_args(e, no, yes->nargs);
    if (!yes->nargs) {
        jump_to_block(e, taken, yes->block);
        go(e, i, no);
        return;
    }
    jump_to_block(e, asm_jmp(&e->a), no->block);
    asm_patch_here(&e->a, taken);
    unstage_args(e, yes, 0);
    go(e, i, yes);
}

/* To a known pc: a jump to be patched on the same page, else by the jump cache. */
static void lower_exit_pc(struct emit *e, ir_ref i, const struct ir_insn *in)
{
    struct jit_side *side = &e->j->side;
    struct jit_exit x = {.pc = in->imm};
    uint8_t *miss;

    (void)i;
    ra_write_back(&e->ra);
    if (e->loop.slots) {
        asm_rr(&e->a, W, 0x85, REG_BUDGET, REG_BUDGET);
        e->over[1] = asm_jcc(&e->a, CC_S);
    }
    if (same_page(e, in->imm)) {
        miss = e->direct[e->block] ? e->direct[e->block] : asm_jmp(&e->a);
        x.jump = miss + e->a.delta;
    } else {
        int32_t at = (int32_t)(cpu_jump_index(in->imm) * sizeof(struct cpu_jump));
        asm_load64(&e->a, RCX, CPU_AT(e->j, jumps));
        if (asm_fits32(in->imm)) {
            asm_alu_imm_mem(&e->a, W, ALU_CMP, asm_at(RCX, at), (int32_t)in->imm);
        } else {
            asm_imm(&e->a, RAX, in->imm);
            asm_rm(&e->a, W, ALU_CMP << 3 | 3, RAX, asm_at(RCX, at));
        }
        miss = asm_jcc(&e->a, CC_NE);
        asm_rm(&e->a, 0, 0xff, 4, asm_at(RCX, at + (int32_t)offsetof(struct cpu_jump, code)));
    }
    hx64_cold(e, COLD_EXIT, miss)->index = (uint32_t)side->exits.len;
    vec_push(&side->exits, x);
    ra_end_block(&e->ra);
}

static void lower_exit_ind(struct emit *e, ir_ref i, const struct ir_insn *in)
{
    uint32_t mask = (CPU_JUMPS - 1) << 1;

    (void)i;
    ra_write_back(&e->ra);
    argument(e, RAX, in->arg[0]);
    asm_load64(&e->a, RCX, CPU_AT(e->j, jumps));
    asm_mov(&e->a, 0, RDX, RAX);
    asm_alu_imm(&e->a, 0, ALU_AND, RDX, (int32_t)mask);
    asm_shift_imm(&e->a, 0, SH_SHL, RDX, 3); /* an entry is 16 bytes for every 2 of pc */
    asm_rm(&e->a, W, ALU_CMP << 3 | 3, RAX, asm_at2(RCX, RDX, 0));
    uint8_t *miss = asm_jcc(&e->a, CC_NE);
    asm_rm(&e->a, 0, 0xff, 4, asm_at2(RCX, RDX, (int32_t)offsetof(struct cpu_jump, code)));
    asm_patch_here(&e->a, miss);
    asm_store64(&e->a, RAX, CPU_AT(e->j, pc));
    asm_alu(&e->a, 0, ALU_XOR, RDX, RDX);
    asm_jmp_to(&e->a, e->j->stubs[STUB_LEFT_GOTO]);
    ra_end_block(&e->ra);
}

/* To the run loop, which finds pc and context in the CPU.  A stop may come before the last instruction:
 * what was charged for the rest is given back. */
static void lower_exit_loop(struct emit *e, ir_ref i, const struct ir_insn *in)
{
    (void)i;
    ra_write_back(&e->ra);
    if (in->op == IR_exit_stop && not_begun(e))
        asm_alu_imm(&e->a, W, ALU_ADD, REG_BUDGET, (int32_t)not_begun(e));
    asm_jmp_to(&e->a, e->j->stubs[in->op == IR_exit_stop ? STUB_LEFT_STOP : STUB_LEFT_LOOP]);
    ra_end_block(&e->ra);
}

/* ---- cold code ---- */

struct cold *hx64_cold(struct emit *e, enum cold_kind kind, uint8_t *from)
{
    struct cold *c = &e->cold[e->ncold++];
    *c = (struct cold){.kind = kind, .from = from, .reg = -1, .vec_live = e->ra.used[RA_VEC] != 0};
    return c;
}

static void jump_back(struct emit *e, const struct cold *c)
{
    asm_patch(asm_jmp(&e->a), c->back);
}

static void cold_exit(struct emit *e, const struct cold *c)
{
    struct jit_exit *x = &e->b->exits[c->index];

    x->unlinked = e->a.p + e->a.delta;
    asm_imm(&e->a, RDX, (uintptr_t)x);
    asm_jmp_to(&e->a, e->j->stubs[STUB_LEFT_GOTO]);
}

/* The page is known but some of it is watched: goes on if the access lies outside of that. */
static void cold_watch(struct emit *e, const struct cold *c)
{
    if (!e->j->watching || !c->tag)
        return;
    asm_alu_imm(&e->a, W, ALU_ADD, RDX, TLB_WATCHED);
    asm_rm(&e->a, W, ALU_CMP << 3 | 3, RDX, asm_at2(REG_CPU, RAX, c->tag));
    uint8_t *slow = asm_jcc(&e->a, CC_NE);
    asm_mov(&e->a, W, RDX, RCX);
    asm_rm(&e->a, W, ALU_SUB << 3 | 3, RDX, CPU_AT(e->j, watch_from));
    asm_rm(&e->a, W, ALU_CMP << 3 | 3, RDX, CPU_AT(e->j, watch_span));
    asm_patch(asm_jcc(&e->a, CC_A), c->found);
    asm_patch_here(&e->a, slow);
}

static void cold_load(struct emit *e, const struct cold *c)
{
    cold_watch(e, c);
    asm_imm(&e->a, RDX, (uintptr_t)&e->b->sites[c->index]);
    asm_call_to(&e->a, e->j->stubs[c->vec_live ? STUB_LOAD_VEC : STUB_LOAD]);
    if (c->vec)
        hx64_movq_to_vec(e, (unsigned)c->reg, RAX);
    else
        asm_mov(&e->a, W, (unsigned)c->reg, RAX);
    jump_back(e, c);
}

static void cold_store(struct emit *e, const struct cold *c)
{
    cold_watch(e, c);
    if (c->reg < 0)
        asm_imm(&e->a, RAX, c->imm);
    else if (c->vec)
        hx64_movq_from_vec(e, RAX, (unsigned)c->reg);
    else
        asm_mov(&e->a, W, RAX, (unsigned)c->reg);
    asm_imm(&e->a, RDX, (uintptr_t)&e->b->sites[c->index]);
    asm_call_to(&e->a, e->j->stubs[c->vec_live ? STUB_STORE_VEC : STUB_STORE]);
    jump_back(e, c);
}

static void cold_soft(struct emit *e, const struct cold *c)
{
    asm_imm(&e->a, RDX, (uintptr_t)&e->b->softs[c->index]);
    asm_call_to(&e->a, e->j->stubs[STUB_SOFT]);
    if (c->vec)
        hx64_movq_to_vec(e, (unsigned)c->reg, RAX);
    else
        asm_mov(&e->a, W, (unsigned)c->reg, RAX);
    jump_back(e, c);
}

static void cold_leave(struct emit *e, const struct cold *c)
{
    if (c->index)
        asm_alu_imm(&e->a, W, ALU_ADD, REG_BUDGET, (int32_t)c->index);
    asm_jmp_to(&e->a, e->j->stubs[STUB_LEFT_LOOP]);
}

static void cold_nan(struct emit *e, const struct cold *c)
{
    asm_imm(&e->a, RAX, c->type == IR_F64 ? SF_NAN64 : SF_NAN32);
    hx64_movq_to_vec(e, (unsigned)c->reg, RAX);
    jump_back(e, c);
}

void hx64_emit_cold(struct emit *e)
{
    static void (*const kinds[])(struct emit *, const struct cold *) = {
        [COLD_EXIT] = cold_exit, [COLD_LOAD] = cold_load,   [COLD_STORE] = cold_store,
        [COLD_SOFT] = cold_soft, [COLD_LEAVE] = cold_leave, [COLD_NAN] = cold_nan,
    };

    for (uint32_t i = 0; i < e->ncold && asm_room(&e->a); i++) {
        const struct cold *c = &e->cold[i];
        asm_patch_here(&e->a, c->from);
        kinds[c->kind](e, c);
    }
}

/* ---- the driver ---- */

static void lower_param(struct emit *e, ir_ref i, const struct ir_insn *in)
{
    (void)in;
    ra_param(&e->ra, i);
}

static void lower_get(struct emit *e, ir_ref i, const struct ir_insn *in)
{
    ra_get(&e->ra, i, (uint32_t)in->imm);
}

static void lower_put(struct emit *e, ir_ref i, const struct ir_insn *in)
{
    (void)i;
    ra_put(&e->ra, (uint32_t)in->imm, in->arg[0]);
}

static void lower_insn(struct emit *e, ir_ref i, const struct ir_insn *in)
{
    (void)i;
    e->insn++;
    e->insn_pc = in->imm;
}

/* clang-format off */
static lower_fn *const lowerings[IR_OP_COUNT] = {
    /* nothing to do: nop, const */
    [IR_param] = lower_param, [IR_copy] = hx64_lower_copy,
    [IR_get] = lower_get, [IR_put] = lower_put, [IR_insn] = lower_insn,
    [IR_add] = hx64_lower_alu, [IR_sub] = hx64_lower_alu, [IR_and] = hx64_lower_alu,
    [IR_or] = hx64_lower_alu, [IR_xor] = hx64_lower_alu,
    [IR_mul] = hx64_lower_mul, [IR_mulhu] = hx64_lower_mulh, [IR_mulhs] = hx64_lower_mulh,
    [IR_divu] = hx64_lower_div, [IR_divs] = hx64_lower_div,
    [IR_remu] = hx64_lower_div, [IR_rems] = hx64_lower_div,
    [IR_shl] = hx64_lower_shift, [IR_shr] = hx64_lower_shift, [IR_sar] = hx64_lower_shift,
    [IR_rotl] = hx64_lower_shift, [IR_rotr] = hx64_lower_shift,
    [IR_clz] = hx64_lower_unary, [IR_ctz] = hx64_lower_unary, [IR_popcnt] = hx64_lower_unary,
    [IR_bswap] = hx64_lower_bswap,
    [IR_sext8] = hx64_lower_unary, [IR_sext16] = hx64_lower_unary, [IR_sext32] = hx64_lower_unary,
    [IR_zext8] = hx64_lower_unary, [IR_zext16] = hx64_lower_unary, [IR_zext32] = hx64_lower_unary,
    [IR_eq] = hx64_lower_cmp, [IR_ne] = hx64_lower_cmp, [IR_lts] = hx64_lower_cmp,
    [IR_ges] = hx64_lower_cmp, [IR_ltu] = hx64_lower_cmp, [IR_geu] = hx64_lower_cmp,
    [IR_select] = hx64_lower_select,
    [IR_load] = hx64_lower_load, [IR_store] = hx64_lower_store,
    [IR_fadd] = hx64_lower_arith, [IR_fsub] = hx64_lower_arith, [IR_fmul] = hx64_lower_arith,
    [IR_fdiv] = hx64_lower_arith, [IR_fsqrt] = hx64_lower_arith, [IR_fma] = hx64_lower_fma,
    [IR_fmin] = hx64_lower_minmax, [IR_fmax] = hx64_lower_minmax,
    [IR_feq] = hx64_lower_fcmp, [IR_flt] = hx64_lower_fcmp, [IR_fle] = hx64_lower_fcmp,
    [IR_f2i] = hx64_lower_f2i, [IR_i2f] = hx64_lower_i2f, [IR_f2f] = hx64_lower_f2f,
    [IR_fround] = hx64_lower_soft, [IR_bits] = hx64_lower_bits,
    [IR_fbox] = hx64_lower_fbox, [IR_funbox] = hx64_lower_funbox,
    [IR_call] = lower_call,
    [IR_br] = lower_br, [IR_brif] = lower_brif, [IR_exit_pc] = lower_exit_pc,
    [IR_exit_ind] = lower_exit_ind, [IR_exit_loop] = lower_exit_loop,
    [IR_exit_stop] = lower_exit_loop,
};
/* clang-format on */

static void lower(struct emit *e, ir_ref i)
{
    const struct ir_insn *in = &e->u->insns[i];
    lower_fn *fn = lowerings[in->op];

    if (!fn)
        return;
    ra_next(&e->ra, i);
    fn(e, i, in);
}

/*
 * The head of a loop lies in the second half of 32 bytes, whatever is before it in the code memory.
 * On Zen 5, a round of a dozen instructions takes up to twice as long if the head begins 64 bytes.
 */
enum { LOOP_ALIGN = 32 };

/* Where a loop starts; returns what is left of room. */
static size_t place_loop(struct jit *j, size_t room)
{
    size_t skipped = bits_align_up(j->at, LOOP_ALIGN) - j->at;

    skipped = skipped < room ? skipped : room;
    j->at += skipped;
    return room - skipped;
}

static void begin_loop(struct emit *e)
{
    loop_enter(&e->loop, &e->ra);
    size_t in = (uintptr_t)e->a.p % LOOP_ALIGN;
    if (in < LOOP_ALIGN / 2)
        asm_nops(&e->a, LOOP_ALIGN / 2 - in);
    e->head = e->a.p;
}

/* Takes the block's instructions from the budget, or leaves to the run loop. */
static void emit_entry(struct emit *e)
{
    if (!e->u->guest_insns)
        return;
    charge(e);
    e->over[0] = asm_jcc(&e->a, CC_S);
    if (e->loop.slots)
        begin_loop(e);
}

static void emit_out_of_budget(struct emit *e)
{
    if (!e->u->guest_insns)
        return;
    for (unsigned k = 0; k < ARRAY_LEN(e->over); k++) {
        if (e->over[k])
            asm_patch_here(&e->a, e->over[k]);
    }
    asm_imm(&e->a, RDX, (uintptr_t)e->b);
    asm_jmp_to(&e->a, e->j->stubs[STUB_LEFT_BUDGET]);
}

static void finish_labels(struct emit *e)
{
    for (uint32_t i = 0; i < e->nfixups; i++)
        asm_patch(e->fixups[i].disp, e->labels[e->fixups[i].block]);
}

static void emit_blocks(struct emit *e)
{
    const struct ir_unit *u = e->u;

    for (uint32_t k = 0; k < u->nblocks; k++) {
        if (e->loop.slots && k == e->loop.again)
            continue;
        e->labels[k] = e->a.p;
        e->block = k;
        for (ir_ref i = u->blocks[k].first; i < u->blocks[k].end; i++) {
            if (!asm_room(&e->a) || e->ra.failed)
                return;
            lower(e, i);
        }
    }
}

static void emit_init(struct emit *e, struct jit *j, const struct ir_unit *u, size_t room)
{
    uint8_t *rw = j->code.rw + j->at;

    e->a = (struct asm_buf){.p = rw, .end = rw + room, .delta = j->code.rx - j->code.rw};
    e->j = j;
    e->u = u;
    e->b = NULL;
    e->insn = UINT32_MAX;
    e->insn_pc = u->pc;
    e->fma = __builtin_cpu_supports("fma");
    e->over[0] = e->over[1] = NULL;
    e->ncold = e->nfixups = 0;
    e->cold = arena_array_raw(u->arena, struct cold, COLD_MAX * u->ninsns);
    e->fixups = arena_array_raw(u->arena, struct fixup, 2 * u->nblocks);
    e->labels = arena_array(u->arena, uint8_t *, u->nblocks);
    e->direct = arena_array(u->arena, uint8_t *, u->nblocks);
    ra_init(&e->ra, u, &x64_ra_ops, e);
}

static struct jit_block *x64_emit(struct jit *j, const struct ir_unit *u, size_t room)
{
    struct emit e;

    loop_find(&e.loop, u);
    if (e.loop.slots)
        room = place_loop(j, room);
    emit_init(&e, j, u, room);
    if (!asm_room(&e.a))
        return NULL;
    emit_entry(&e);
    emit_blocks(&e);
    j->side.too_complex = e.ra.failed;
    if (!asm_room(&e.a) || e.ra.failed)
        return NULL;
    e.b = jit_block_new(j, u);
    emit_out_of_budget(&e);
    hx64_emit_cold(&e);
    if (!asm_room(&e.a))
        return NULL;
    finish_labels(&e);
    e.b->code = j->code.rx + j->at;
    e.b->code_size = (uint32_t)(e.a.p - (j->code.rw + j->at));
    return e.b;
}

static void x64_patch(struct jit *j, struct jit_exit *x, const uint8_t *to)
{
    int32_t d = (int32_t)(to - (x->jump + 4));
    __atomic_store_n((int32_t *)(void *)jit_code_rw(&j->code, x->jump), d, __ATOMIC_RELAXED);
}

/* What STUB_ENTER returns in rax and rdx. */
struct left {
    uint64_t why;
    void *where; /* JIT_LEFT_GOTO: the exit, NULL: pc is set; JIT_LEFT_BUDGET: the block */
};

static void left_by(struct jit *j, struct cpu *c, struct jit_exit *x)
{
    c->pc = x->pc;
    if (x->jump)
        j->linking = x;
}

static enum jit_left x64_enter(struct jit *j, struct cpu *c, const uint8_t *code)
{
    struct left (*enter)(struct cpu *, const uint8_t *);

    memcpy(&enter, &j->stubs[STUB_ENTER], sizeof enter);
    struct left l = enter(c, code);
    c->ahead = 0;
    j->linking = NULL;
    if (l.why == JIT_LEFT_GOTO && l.where) {
        left_by(j, c, l.where);
    } else if (l.why == JIT_LEFT_BUDGET) { /* it was taken on entry */
        const struct jit_block *b = l.where;
        c->pc = b->pc;
        c->budget += b->ninsns;
    }
    return (enum jit_left)l.why;
}

/* AMD APM volume 3, appendix E, function 8000_0001h: ABM is LZCNT. */
static bool has_lzcnt(void)
{
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx) && ecx & bit_LZCNT;
}

static bool x64_supported(void)
{
    return __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("popcnt") && has_lzcnt();
}

const struct jit_target jit_target_x86_64 = {
    .name = "x86-64",
    .needs = "BMI1, BMI2, LZCNT and POPCNT",
    .supported = x64_supported,
    .stubs = hx64_stubs,
    .emit = x64_emit,
    .patch = x64_patch,
    .enter = x64_enter,
    .fp_enter = hx64_fp_enter,
    .fp_flags = hx64_fp_flags,
    .fp_leave = hx64_fp_leave,
};
