/*
 * verify.c - the rules that every unit keeps.
 *
 * In this order, as each step relies on those before: the arrays make blocks,
 * every instruction is well formed, values are used where their definition
 * dominates, puts lie where they may.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/bits.h"
#include "base/mem_alloc.h"
#include "ir/text.h"

/* A set of puts done since the last `insn`, on some path. */
enum { PUT_ANY = 1, PUT_PC = 2 };

struct verifier {
    const struct ir_unit *u;
    struct err *e;
    uint32_t *block_of; /* by instruction */
    uint32_t *params;   /* by block: how many it has */
    uint32_t *order;    /* reachable blocks in reverse postorder */
    uint32_t *place;    /* a block's index there; IR_NONE: not reachable */
    uint32_t *idom;     /* by place: the place of the immediate dominator */
    uint32_t *stack;    /* scratch */
    uint8_t *visited;   /* scratch: successors of a block on the stack that are done */
    uint8_t *puts;      /* by block: PUT_* where it begins */
    uint32_t nordered;
};

static int fail_block(struct verifier *v, uint32_t block, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static int fail_insn(struct verifier *v, ir_ref at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static int fail_block(struct verifier *v, uint32_t block, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    err_vset(v->e, EINVAL, fmt, ap);
    va_end(ap);
    err_prefix(v->e, "block %u", block);
    return -EINVAL;
}

static int fail_insn(struct verifier *v, ir_ref at, const char *fmt, ...)
{
    unsigned op = v->u->insns[at].op;
    va_list ap;
    va_start(ap, fmt);
    err_vset(v->e, EINVAL, fmt, ap);
    va_end(ap);
    err_prefix(v->e, "v%u (%s)", at, op < IR_OP_COUNT ? ir_ops[op].name : "?");
    return -EINVAL;
}

static bool is_end(const struct ir_insn *i)
{
    return ir_ops[i->op].effects & IR_FX_END;
}

static bool is_int(unsigned type)
{
    return type == IR_I32 || type == IR_I64;
}

static bool is_float(unsigned type)
{
    return type == IR_F32 || type == IR_F64;
}

static unsigned type_bytes(unsigned type)
{
    return type == IR_I32 || type == IR_F32 ? 4 : 8;
}

/* ---- blocks ---- */

static int check_block_insns(struct verifier *v, uint32_t b)
{
    const struct ir_block *block = &v->u->blocks[b];
    for (ir_ref at = block->first; at < block->end; at++) {
        const struct ir_insn *i = &v->u->insns[at];
        if (i->op >= IR_OP_COUNT || i->type >= IR_TYPE_COUNT)
            return fail_insn(v, at, "no such operation or type");
        if (is_end(i) != (at == block->end - 1))
            return fail_insn(v, at,
                             is_end(i) ? "ends block %u before its last instruction"
                                       : "block %u does not end here",
                             b);
        v->block_of[at] = b;
        if (i->op != IR_param)
            continue;
        if (b == 0)
            return fail_insn(v, at, "the entry block has no parameters");
        if (at != block->first + v->params[b])
            return fail_insn(v, at, "parameters come first in a block");
        if (i->imm != v->params[b])
            return fail_insn(v, at, "parameter %u has the index %llu", v->params[b],
                             (unsigned long long)i->imm);
        v->params[b]++;
    }
    return 0;
}

static int check_blocks(struct verifier *v)
{
    const struct ir_unit *u = v->u;
    uint32_t at = 0;
    for (uint32_t b = 0; b < u->nblocks; b++) {
        if (u->blocks[b].first != at || u->blocks[b].end <= at || u->blocks[b].end > u->ninsns)
            return fail_block(v, b, "[%u, %u) is empty or leaves a gap behind %u",
                              u->blocks[b].first, u->blocks[b].end, at);
        int r = check_block_insns(v, b);
        if (r)
            return r;
        at = u->blocks[b].end;
    }
    if (at != u->ninsns)
        return fail_insn(v, at, "lies in no block");
    return 0;
}

/* ---- instructions ---- */

/* What types an instruction may have. */
static bool type_allowed(const struct ir_insn *i)
{
    const struct ir_op_info *info = &ir_ops[i->op];
    if (info->result == IR_VOID)
        return i->type == IR_VOID;
    switch (i->op) {
    case IR_const:
    case IR_param:
    case IR_copy:
    case IR_get:
    case IR_select:
    case IR_load:
    case IR_bits:
        return i->type != IR_VOID;
    case IR_call:
        return true; /* by the helper */
    case IR_mulhu:
    case IR_mulhs:
    case IR_sext32:
    case IR_zext32:
        return i->type == IR_I64;
    case IR_fbox:
        return i->type == IR_F64;
    case IR_funbox:
        return i->type == IR_F32;
    case IR_f2i:
        return is_int(i->type);
    default:
        return info->effects & IR_FX_FLAGS ? is_float(i->type) : is_int(i->type);
    }
}

/* Whether a value of type t may be the operand that the letter stands for. */
static bool operand_allowed(const struct ir_insn *i, char letter, unsigned t)
{
    switch (letter) {
    case 't':
        return t == i->type || (i->type == IR_I32 && t == IR_I64);
    case 'i':
    case '.':
        return t == IR_I64;
    case 'n':
        return is_int(t);
    case 'f':
        return is_float(t);
    default:
        return t != IR_VOID;
    }
}

static int check_edge(struct verifier *v, ir_ref at, uint32_t edge)
{
    const struct ir_unit *u = v->u;
    if (edge >= u->nedges)
        return fail_insn(v, at, "there is no edge %u", edge);
    const struct ir_edge *e = &u->edges[edge];
    if (e->block >= u->nblocks)
        return fail_insn(v, at, "there is no block %u", e->block);
    if (e->nargs != v->params[e->block])
        return fail_insn(v, at, "%u arguments for the %u parameters of block %u", e->nargs,
                         v->params[e->block], e->block);
    for (uint32_t n = 0; n < e->nargs; n++) {
        if (e->args[n] >= u->ninsns)
            return fail_insn(v, at, "argument %u: there is no v%u", n, e->args[n]);
        enum ir_type have = ir_type_of(u, e->args[n]);
        enum ir_type want = u->insns[u->blocks[e->block].first + n].type;
        if (have != want)
            return fail_insn(v, at, "argument %u for block %u is %s, not %s", n, e->block,
                             ir_type_names[have], ir_type_names[want]);
    }
    return 0;
}

static int check_operand(struct verifier *v, ir_ref at, unsigned n)
{
    const struct ir_insn *i = &v->u->insns[at];
    const struct ir_op_info *info = &ir_ops[i->op];
    char letter = n < info->nargs ? info->args[n] : 0;
    if (!letter || (letter == '.' && i->arg[n] == IR_NONE))
        return i->arg[n] == IR_NONE ? 0 : fail_insn(v, at, "operand %u is one too many", n);
    if (letter == 'e')
        return check_edge(v, at, i->arg[n]);
    if (i->arg[n] >= v->u->ninsns)
        return fail_insn(v, at, "operand %u: there is no v%u", n, i->arg[n]);
    enum ir_type t = ir_type_of(v->u, i->arg[n]);
    if (!operand_allowed(i, letter, t))
        return fail_insn(v, at, "operand %u, v%u, is of the wrong type: %s", n, i->arg[n],
                         ir_type_names[t]);
    return 0;
}

static int check_slot(struct verifier *v, ir_ref at, enum ir_type type)
{
    const struct ir_names *names = v->u->names;
    uint64_t slot = v->u->insns[at].imm;
    if (!names || slot >= names->nslots)
        return fail_insn(v, at, "there is no slot %llu", (unsigned long long)slot);
    if (names->slots[slot].type != type)
        return fail_insn(v, at, "%s is %s, not %s", names->slots[slot].name,
                         ir_type_names[names->slots[slot].type], ir_type_names[type]);
    return 0;
}

static int check_call(struct verifier *v, ir_ref at)
{
    const struct ir_names *names = v->u->names;
    const struct ir_insn *i = &v->u->insns[at];
    if (!names || i->imm >= names->nhelpers)
        return fail_insn(v, at, "there is no helper %llu", (unsigned long long)i->imm);
    const struct ir_helper *h = &names->helpers[i->imm];
    for (unsigned n = 0; n < 3; n++)
        if ((i->arg[n] != IR_NONE) != (n < h->nargs))
            return fail_insn(v, at, "%s takes %u operands", h->name, h->nargs);
    if (i->type != (h->result ? IR_I64 : IR_VOID))
        return fail_insn(v, at, "%s has %s result", h->name, h->result ? "a" : "no");
    return 0;
}

/* Loads and stores: whether `type` can hold, or give, what aux says. */
static int check_memory(struct verifier *v, ir_ref at, enum ir_type type)
{
    unsigned mo = v->u->insns[at].aux;
    unsigned bytes = IR_MO_BYTES(mo);
    if (is_int(type) ? bytes > type_bytes(type) : bytes != type_bytes(type) || (mo & IR_MO_SIGN))
        return fail_insn(v, at, "%s does not go with %s%u bits", ir_type_names[type],
                         mo & IR_MO_SIGN ? "signed " : "", bytes * 8);
    return 0;
}

static int check_aux(struct verifier *v, ir_ref at)
{
    const struct ir_insn *i = &v->u->insns[at];
    unsigned kinds = ir_mod_kinds(i->op);
    unsigned bad = i->aux & ~ir_aux_mask(i->op);
    if (bad)
        return fail_insn(v, at, "aux has the bits 0x%x, which mean nothing here", bad);
    if ((kinds & IR_MOD_RM) && (i->aux & IR_RM) > 4)
        return fail_insn(v, at, "there is no rounding mode %u", i->aux & IR_RM);
    if ((kinds & IR_MOD_IND) && i->aux > IR_IND_RET)
        return fail_insn(v, at, "there is no hint %u", i->aux);
    return 0;
}

/* What concerns single operations. */
static int check_special(struct verifier *v, ir_ref at)
{
    const struct ir_unit *u = v->u;
    const struct ir_insn *i = &u->insns[at];
    switch (i->op) {
    case IR_const:
        if (type_bytes(i->type) == 4 && i->imm > UINT32_MAX)
            return fail_insn(v, at, "bits above the type's");
        return 0;
    case IR_get:
        return check_slot(v, at, i->type);
    case IR_put:
        return check_slot(v, at, ir_type_of(u, i->arg[0]));
    case IR_call:
        return check_call(v, at);
    case IR_load:
        return check_memory(v, at, i->type);
    case IR_store:
        return check_memory(v, at, ir_type_of(u, i->arg[1]));
    case IR_bits:
        if (type_bytes(i->type) != type_bytes(ir_type_of(u, i->arg[0])))
            return fail_insn(v, at, "the types differ in size");
        return 0;
    case IR_f2f:
    case IR_fbox:
    case IR_funbox:
        if (i->type == ir_type_of(u, i->arg[0]))
            return fail_insn(v, at, "operand and result are both %s", ir_type_names[i->type]);
        return 0;
    default:
        return 0;
    }
}

static int check_insn(struct verifier *v, ir_ref at)
{
    const struct ir_insn *i = &v->u->insns[at];
    if (!type_allowed(i))
        return fail_insn(v, at, "cannot be of type %s", ir_type_names[i->type]);
    for (unsigned n = 0; n < 3; n++) {
        int r = check_operand(v, at, n);
        if (r)
            return r;
    }
    int r = check_aux(v, at);
    return r ? r : check_special(v, at);
}

/* ---- dominance ---- */

/* The edges that leave a block: indices in out[2]. */
static unsigned successors(const struct ir_unit *u, uint32_t b, uint32_t out[2])
{
    const struct ir_insn *i = &u->insns[u->blocks[b].end - 1];
    if (i->op == IR_br) {
        out[0] = u->edges[i->arg[0]].block;
        return 1;
    }
    if (i->op != IR_brif)
        return 0;
    out[0] = u->edges[i->arg[1]].block;
    out[1] = u->edges[i->arg[2]].block;
    return 2;
}

/* Fills order (reverse postorder from the entry) and place. */
static void order_blocks(struct verifier *v)
{
    uint32_t n = v->u->nblocks, depth = 0, next = n, succ[2];
    for (uint32_t b = 0; b < n; b++)
        v->place[b] = IR_NONE;
    v->stack[depth++] = 0;
    v->place[0] = 0; /* seen */
    while (depth) {
        uint32_t b = v->stack[depth - 1];
        unsigned count = successors(v->u, b, succ);
        if (v->visited[b] < count) {
            uint32_t to = succ[v->visited[b]++];
            if (v->place[to] == IR_NONE) {
                v->place[to] = 0;
                v->stack[depth++] = to;
            }
        } else {
            v->order[--next] = b;
            depth--;
        }
    }
    v->nordered = n - next;
    for (uint32_t i = 0; i < v->nordered; i++) {
        v->order[i] = v->order[next + i];
        v->place[v->order[i]] = i;
    }
}

/* The closest common ancestor of two places in the tree so far. */
static uint32_t meet(const struct verifier *v, uint32_t a, uint32_t b)
{
    while (a != b) {
        while (a > b)
            a = v->idom[a];
        while (b > a)
            b = v->idom[b];
    }
    return a;
}

/* Cooper, Harvey, Kennedy: "A Simple, Fast Dominance Algorithm", pushing to
 * successors instead of pulling from predecessors. */
static void find_dominators(struct verifier *v)
{
    bool changed = true;
    uint32_t succ[2];
    for (uint32_t i = 0; i < v->nordered; i++)
        v->idom[i] = IR_NONE;
    v->idom[0] = 0;
    while (changed) {
        changed = false;
        for (uint32_t i = 0; i < v->nordered; i++) {
            unsigned count = successors(v->u, v->order[i], succ);
            for (unsigned s = 0; s < count; s++) {
                uint32_t to = v->place[succ[s]];
                uint32_t d = v->idom[to] == IR_NONE ? i : meet(v, v->idom[to], i);
                changed |= d != v->idom[to];
                v->idom[to] = d;
            }
        }
    }
}

static bool dominates(const struct verifier *v, uint32_t a, uint32_t b)
{
    uint32_t pa = v->place[a], pb = v->place[b];
    while (pb > pa)
        pb = v->idom[pb];
    return pa == pb;
}

/* Whether v lies before `user`, and is defined whenever that runs; never mind the latter in blocks
 * that nothing reaches. */
static int check_use(struct verifier *v, ir_ref user, ir_ref value)
{
    uint32_t ub = v->block_of[user], vb = v->block_of[value];
    if (value >= user)
        return fail_insn(v, user, "v%u lies behind it", value);
    if (v->place[ub] == IR_NONE || ub == vb)
        return 0;
    if (v->place[vb] != IR_NONE && dominates(v, vb, ub))
        return 0;
    return fail_insn(v, user, "v%u is not defined on every way to here", value);
}

static int check_uses(struct verifier *v, ir_ref at)
{
    const struct ir_insn *i = &v->u->insns[at];
    const struct ir_op_info *info = &ir_ops[i->op];
    int r = 0;
    for (unsigned n = 0; !r && n < info->nargs && i->arg[n] != IR_NONE; n++) {
        if (info->args[n] != 'e') {
            r = check_use(v, at, i->arg[n]);
            continue;
        }
        const struct ir_edge *e = &v->u->edges[i->arg[n]];
        for (uint32_t a = 0; !r && a < e->nargs; a++)
            r = check_use(v, at, e->args[a]);
    }
    return r;
}

/* ---- puts ---- */

/* The set behind an instruction. */
static unsigned puts_after(const struct ir_unit *u, const struct ir_insn *i, unsigned puts)
{
    if (i->op == IR_insn)
        return 0;
    if (i->op == IR_put)
        return puts | PUT_ANY | (i->imm == u->names->pc_slot ? PUT_PC : 0);
    return puts;
}

/* One instruction against the puts before it. */
static int check_put_rules(struct verifier *v, ir_ref at, unsigned puts)
{
    const struct ir_insn *i = &v->u->insns[at];
    unsigned helper = i->op == IR_call ? v->u->names->helpers[i->imm].effects : 0;
    bool leaves = ir_ops[i->op].effects & (IR_FX_READ | IR_FX_WRITE) || helper & IR_HELPER_LEAVES;
    if (leaves && (puts & PUT_ANY))
        return fail_insn(v, at, "may leave the unit behind a put of the same guest instruction");
    if ((helper & (IR_HELPER_READS | IR_HELPER_WRITES)) && (puts & PUT_PC))
        return fail_insn(v, at, "needs the pc of its guest instruction, which was put before");
    return 0;
}

/* Spreads what is put at the beginning of block b; true if a block changed that
 * lies before it in `order`. */
static bool spread_puts(struct verifier *v, uint32_t b)
{
    const struct ir_block *block = &v->u->blocks[b];
    unsigned puts = v->puts[b];
    uint32_t succ[2];
    bool again = false;
    for (ir_ref at = block->first; at < block->end; at++)
        puts = puts_after(v->u, &v->u->insns[at], puts);
    unsigned count = successors(v->u, b, succ);
    for (unsigned s = 0; s < count; s++) {
        again |= (puts & ~v->puts[succ[s]]) && v->place[succ[s]] <= v->place[b];
        v->puts[succ[s]] |= (uint8_t)puts;
    }
    return again;
}

static int check_puts(struct verifier *v)
{
    bool again = true;
    while (again) {
        again = false;
        for (uint32_t i = 0; i < v->nordered; i++)
            again |= spread_puts(v, v->order[i]);
    }
    for (uint32_t i = 0; i < v->nordered; i++) {
        const struct ir_block *b = &v->u->blocks[v->order[i]];
        unsigned puts = v->puts[v->order[i]];
        for (ir_ref at = b->first; at < b->end; at++) {
            int r = check_put_rules(v, at, puts);
            if (r)
                return r;
            puts = puts_after(v->u, &v->u->insns[at], puts);
        }
    }
    return 0;
}

/* ---- the whole ---- */

static int check_unit(struct verifier *v)
{
    const struct ir_unit *u = v->u;
    uint32_t marks = 0;
    int r = 0;
    if (!u->nblocks)
        return err_set(v->e, EINVAL, "the unit has no blocks");
    if (u->fp_rm > 4)
        return err_set(v->e, EINVAL, "the unit's rounding mode is %u", u->fp_rm);
    if ((r = check_blocks(v)))
        return r;
    for (ir_ref at = 0; !r && at < u->ninsns; at++) {
        marks += u->insns[at].op == IR_insn;
        r = check_insn(v, at);
    }
    if (r)
        return r;
    if (marks != u->guest_insns)
        return err_set(v->e, EINVAL, "the unit has %u insn marks but says %u", marks,
                       u->guest_insns);
    order_blocks(v);
    find_dominators(v);
    for (ir_ref at = 0; !r && at < u->ninsns; at++)
        r = check_uses(v, at);
    return r ? r : check_puts(v);
}

int ir_verify(const struct ir_unit *u, struct err *e)
{
    struct verifier v = {.u = u, .e = e};
    size_t nb = (size_t)u->nblocks + 1;
    uint32_t *words = xcalloc(u->ninsns + 5 * nb, sizeof *words);
    uint8_t *bytes = xcalloc(2 * nb, 1);
    v.block_of = words;
    v.params = words + u->ninsns;
    v.order = v.params + nb;
    v.place = v.order + nb;
    v.idom = v.place + nb;
    v.stack = v.idom + nb;
    v.visited = bytes;
    v.puts = bytes + nb;
    int r = check_unit(&v);
    free(bytes);
    free(words);
    return r;
}
