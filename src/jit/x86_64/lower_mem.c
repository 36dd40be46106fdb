/* lower_mem.c - guest loads and stores: the L1 TLB looked up in line. */
#include "jit/x86_64/emit.h"

/* Where the access is made, behind look_up. */
static struct asm_mem host_mem(void)
{
    return asm_at2(RCX, RAX, 0);
}

/* Makes the address ready for `address`, which needs no register then. */
static void use_address(struct emit *e, const struct ir_insn *in)
{
    uint64_t constant;

    if (!ra_const(&e->ra, in->arg[0], &constant))
        hx64_source(e, in->arg[0]);
}

/* The address into rcx. */
static void address(struct emit *e, const struct ir_insn *in)
{
    uint64_t constant;
    int base;

    if (ra_const(&e->ra, in->arg[0], &constant)) {
        asm_imm(&e->a, RCX, constant + in->imm);
        return;
    }
    base = hx64_source(e, in->arg[0]);
    if (in->imm && base >= 0 && asm_fits32(in->imm)) {
        asm_lea(&e->a, W, RCX, asm_at((unsigned)base, (int32_t)in->imm));
        return;
    }
    hx64_op(e, W, 0x8b, RCX, in->arg[0], base);
    if (!asm_fits32(in->imm)) {
        asm_imm(&e->a, RAX, in->imm);
        asm_alu(&e->a, W, ALU_ADD, RCX, RAX);
    } else if (in->imm) {
        asm_alu_imm(&e->a, W, ALU_ADD, RCX, (int32_t)in->imm);
    }
}

/*
 * Has the address in rcx, the offset of the L1 entry in rax and the page in rdx, and jumps to
 * the cold path unless the tag matches; else, rax is what leads from the address to the host's.
 * A misaligned access within a page matches; one that crosses does not, because the tag is
 * compared with the page of its last byte.
 */
static struct cold *look_up(struct emit *e, const struct ir_insn *in)
{
    unsigned mo = in->aux, bytes = IR_MO_BYTES(mo), shift = 12 - 5;
    enum tlb_access access = in->op == IR_store || (mo & IR_MO_RMW) ? TLB_WRITE : TLB_READ;
    int32_t l1 = e->j->layout.l1[IR_MO_MODE(mo)] - e->j->layout.bias;
    int32_t tag = l1 + (int32_t)(offsetof(struct tlb_entry, tag) + 8u * access);
    uint8_t *misaligned = NULL;

    address(e, in);
    if (bytes > 1 && mo & IR_MO_ALIGN) { /* not by the tag: its low bits have a meaning */
        asm_rr(&e->a, 0, 0xf6, 0, RCX);  /* test cl */
        asm_u8(&e->a, bytes - 1);
        misaligned = asm_jcc(&e->a, CC_NE);
    }
    asm_mov(&e->a, 0, RAX, RCX);
    if (bytes > 1 && !(mo & IR_MO_ALIGN))
        asm_lea(&e->a, W, RDX, asm_at(RCX, (int32_t)bytes - 1));
    else
        asm_mov(&e->a, W, RDX, RCX);
    asm_shift_imm(&e->a, 0, SH_SHR, RAX, shift);
    asm_alu_imm(&e->a, W, ALU_AND, RDX, -4096);
    asm_alu_imm(&e->a, 0, ALU_AND, RAX, (int32_t)(e->j->layout.l1_mask << 5));
    asm_rm(&e->a, W, ALU_CMP << 3 | 3, RDX, asm_at2(REG_CPU, RAX, tag));
    if (misaligned) /* to the jump, which it takes too */
        asm_patch_here(&e->a, misaligned);
    struct cold *c = hx64_cold(e, in->op == IR_store ? COLD_STORE : COLD_LOAD,
                               asm_jcc(&e->a, CC_NE));
    c->tag = misaligned ? 0 : tag;
    c->found = e->a.p;
    asm_load64(&e->a, RAX,
               asm_at2(REG_CPU, RAX, l1 + (int32_t)offsetof(struct tlb_entry, addend)));
    return c;
}

/* The access's row in the side table. */
static uint32_t new_site(struct emit *e, unsigned mo)
{
    struct jit_side *side = &e->j->side;
    struct jit_site s = {.pc = e->insn_pc, .index = (uint16_t)e->insn, .mo = (uint16_t)mo};

    ra_snapshot(&e->ra, side, &s.dirty, &s.ndirty);
    vec_push(&side->sites, s);
    return (uint32_t)side->sites.len - 1;
}

static void load_value(struct emit *e, unsigned dst, const struct ir_insn *in)
{
    static const struct {
        uint16_t flags, opcode;
    } rows[2][4] = {
        {{M0F, 0xb6}, {M0F, 0xb7}, {0, 0x8b}, {W, 0x8b}},
        {{W | M0F, 0xbe}, {W | M0F, 0xbf}, {W, 0x63}, {W, 0x8b}},
    };
    unsigned s = in->aux & IR_MO_SIGN ? 1 : 0, size = in->aux & IR_MO_SIZE;

    if (in->type == IR_F64)
        asm_rm(&e->a, PF2 | M0F, 0x10, dst, host_mem()); /* movsd */
    else if (in->type == IR_F32)
        asm_rm(&e->a, PF3 | M0F, 0x10, dst, host_mem()); /* movss */
    else
        asm_rm(&e->a, rows[s][size].flags, rows[s][size].opcode, dst, host_mem());
}

void hx64_lower_load(struct emit *e, ir_ref i, const struct ir_insn *in)
{
    /* Everything is in its register before the paths part. */
    use_address(e, in);
    unsigned dst = ra_def(&e->ra, i);
    struct cold *c = look_up(e, in);
    c->index = new_site(e, in->aux);
    c->reg = (int)dst;
    c->vec = in->type == IR_F32 || in->type == IR_F64;
    load_value(e, dst, in);
    c->back = e->a.p;
}

static void store_value(struct emit *e, const struct ir_insn *in, int reg, int32_t imm)
{
    static const uint16_t flags[4] = {BYTE, P66, 0, W};
    unsigned size = in->aux & IR_MO_SIZE;
    enum ir_type t = ir_type_of(e->u, in->arg[1]);

    if (reg < 0) {
        asm_rm(&e->a, flags[size] & ~(unsigned)BYTE, size ? 0xc7 : 0xc6, 0, host_mem());
        for (unsigned k = 0; k < (size < 2 ? 1u << size : 4u); k++)
            asm_u8(&e->a, (uint8_t)((uint32_t)imm >> 8 * k));
    } else if (t == IR_F64) {
        asm_rm(&e->a, PF2 | M0F, 0x11, (unsigned)reg, host_mem());
    } else if (t == IR_F32) {
        asm_rm(&e->a, PF3 | M0F, 0x11, (unsigned)reg, host_mem());
    } else {
        asm_rm(&e->a, flags[size], size ? 0x89 : 0x88, (unsigned)reg, host_mem());
    }
}

void hx64_lower_store(struct emit *e, ir_ref i, const struct ir_insn *in)
{
    (void)i;
    enum ir_type t = ir_type_of(e->u, in->arg[1]);
    int reg = -1;
    int32_t imm = 0;
    bool is_int = t == IR_I32 || t == IR_I64;

    if (!is_int || !hx64_imm32(e, in->arg[1], in->aux & IR_MO_SIZE ? W : 0, &imm))
        reg = (int)ra_use(&e->ra, in->arg[1]);
    use_address(e, in);
    struct cold *c = look_up(e, in);
    c->index = new_site(e, in->aux);
    c->reg = reg;
    c->vec = !is_int;
    c->imm = (uint64_t)(int64_t)imm;
    store_value(e, in, reg, imm);
    c->back = e->a.p;
}
