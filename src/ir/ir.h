/*
 * ir.h - the intermediate representation: typed SSA over a control-flow graph
 * with block parameters.
 *
 * A unit is what is compiled at once.  Its instructions lie in one array, block
 * after block; a value is named by the index of the instruction that makes it.
 * Block 0 is the entry and has no parameters.  A block starts with its `param`
 * instructions and ends with its only END instruction.  A value is used behind
 * its definition in the array, and where that dominates.  A unit's memory is an
 * arena's: it lives until the owner resets that.
 *
 * Guest registers are slots (get, put): a put is a promise about what the slot
 * holds wherever anyone can look, and anyone can look at every FAULT and END
 * instruction and at calls that say so; nobody can look in between.  At a FAULT
 * instruction the slots must read as they did at the last `insn`: puts of one
 * guest instruction come after its last FAULT (the verifier checks this).
 */
#ifndef IR_IR_H
#define IR_IR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum ir_type { IR_VOID, IR_I32, IR_I64, IR_F32, IR_F64, IR_TYPE_COUNT };

enum ir_op {
#define IR_OP(name, result, args, effects) IR_##name,
#include "ir/ops.def"
#undef IR_OP
    IR_OP_COUNT
};

enum ir_effect {
    IR_FX_FLAGS = 1,
    IR_FX_FAULT = 2,
    IR_FX_READ = 4,
    IR_FX_WRITE = 8,
    IR_FX_SLOT = 16,
    IR_FX_CALL = 32,
    IR_FX_END = 64,
};

/* Properties of an operation, from ops.def. */
struct ir_op_info {
    const char *name;
    const char *args;  /* one letter an operand, see ops.def */
    uint8_t nargs;
    uint8_t effects;   /* enum ir_effect */
    int8_t result;     /* enum ir_type, or -1 for the instruction's own type */
};
extern const struct ir_op_info ir_ops[IR_OP_COUNT];

/* aux of load and store. */
enum {
    IR_MO_8 = 0, /* log2 of the size in bytes: bits 1:0 */
    IR_MO_16 = 1,
    IR_MO_32 = 2,
    IR_MO_64 = 3,
    IR_MO_SIZE = 3,
    IR_MO_SIGN = 4,       /* sign-extend */
    IR_MO_ALIGN = 8,      /* a misaligned address faults */
    IR_MO_RMW = 16,       /* a load that a store to the same place follows: needs, and
                             faults as, write access */
    IR_MO_MODE_SHIFT = 8, /* bits 10:8: the MMU mode, an index below TLB_MODES */
};
#define IR_MO_BYTES(mo) (1u << ((mo) & IR_MO_SIZE))
#define IR_MO_MODE(mo) (((mo) >> IR_MO_MODE_SHIFT) & 7)

/* aux of floating-point operations. */
enum {
    IR_RM = 7, /* bits 2:0, softfloat's numbering: RNE RTZ RDN RUP RMM */
    IR_FP_UNSIGNED = 8,
    IR_FP_NEG_MUL = 16, /* negate the product */
    IR_FP_NEG_ADD = 32, /* negate the addend */
    IR_FP_NAN = 64,     /* fmin, fmax: a NaN operand gives the default NaN */
    IR_FP_QUIET = 128,
    IR_FP_EXACT = 256,
};

/* aux of exit_ind: hints for prediction; no meaning. */
enum { IR_IND_JUMP, IR_IND_CALL, IR_IND_RET };

typedef uint32_t ir_ref; /* an index into ir_unit.insns; hot and ubiquitous, hence a typedef */
#define IR_NONE UINT32_MAX

/* Exposed: passes and back ends walk arrays of these. */
struct ir_insn {
    uint8_t op;   /* enum ir_op */
    uint8_t type; /* enum ir_type; for comparisons, that of the operands */
    uint16_t aux;
    ir_ref arg[3]; /* IR_NONE where there is none; edges for br, brif */
    uint64_t imm;
};

struct ir_block {
    ir_ref first, end; /* [first, end) of insns */
};

#define IR_EDGE_ARGS_MAX 256

struct ir_edge {
    uint32_t block;
    uint32_t nargs; /* at most IR_EDGE_ARGS_MAX */
    ir_ref *args;   /* one value for each parameter of the block */
};

/* A guest register as the IR sees it. */
struct ir_slot {
    const char *name;
    int32_t offset; /* bytes from the CPU pointer */
    uint8_t type;   /* enum ir_type: its width and bank */
};

/* What a helper does besides computing its result.  Whenever a helper with READS,
 * WRITES or LEAVES is called, the pc slot holds the pc of the current guest
 * instruction (the last `insn`): every engine stores it before the call.  So a put
 * of the pc comes after the last such call of its guest instruction (the verifier
 * checks this), and at other times the pc slot is not kept. */
enum ir_helper_effect {
    IR_HELPER_READS = 1,  /* looks at slots: they must be in the CPU before */
    IR_HELPER_WRITES = 2, /* changes slots: values got before are stale after */
    IR_HELPER_LEAVES = 4, /* may set the CPU's `leave`: the unit ends right after, with pc and
                             all slots as the helper left them (a trap, a changed context).
                             Implies READS and WRITES */
    IR_HELPER_FP = 8,     /* looks at or changes the sticky flags or the rounding mode */
};

/* Helpers get the CPU and up to three i64 operands. */
struct ir_helper {
    const char *name;
    uint64_t (*fn)(void *cpu, uint64_t a, uint64_t b, uint64_t c);
    uint8_t nargs;
    uint8_t effects; /* enum ir_helper_effect; 0: a pure function of its operands */
    bool result;
};

/* The names that a unit's slot and helper numbers stand for: one for each guest. */
struct ir_names {
    const struct ir_slot *slots;
    uint32_t nslots;
    uint32_t pc_slot; /* the slot of the program counter */
    const struct ir_helper *helpers;
    uint32_t nhelpers;
};

/* How a value is used. */
struct ir_life {
    uint32_t last; /* the last instruction that does, if any */
    uint8_t uses;  /* 0, 1 or IR_USES_MANY */
    uint8_t dies;  /* of the instruction at this index: bit n: operand n is used last here */
};
enum { IR_USES_MANY = 2 };

struct ir_fold;

struct ir_unit {
    struct arena *arena; /* everything below lives here */
    const struct ir_names *names;
    struct ir_fold *fold; /* NULL: instructions are appended as they are emitted */
    struct ir_insn *insns;
    uint32_t ninsns, insns_cap;
    struct ir_block *blocks;
    uint32_t nblocks, blocks_cap;
    struct ir_edge *edges;
    uint32_t nedges, edges_cap;
    struct ir_life *lives; /* by value; NULL: not known, see ir_find_lives */
    uint32_t guest_insns; /* `insn` markers */
    uint8_t fp_rm;        /* the rounding mode that most of the unit's operations use */
    uint64_t pc;          /* of the first guest instruction */
};

/* ---- building: build.c ---- */

void ir_unit_init(struct ir_unit *u, struct arena *a, const struct ir_names *names);

/* What folding remembers while a unit is built; for any number of units, one at a time. */
struct ir_fold *ir_fold_new(const struct ir_names *names);
void ir_fold_free(struct ir_fold *f);
/* What is emitted into u, which is empty, goes through ir_opt_forward's rules from now on: ir_emit may
 * return a value that was made before, append another instruction than it is given, or none.
 * The edges of a brif must be complete then. */
void ir_unit_fold(struct ir_unit *u, struct ir_fold *f);

/* Opens a new block behind the last one (which must be closed by an END) and returns its index. */
uint32_t ir_block_begin(struct ir_unit *u);

/* Blocks must lie in order, but an edge may name a block that is yet to be begun. */
uint32_t ir_edge_new(struct ir_unit *u, uint32_t block, const ir_ref *args, uint32_t nargs);

/* Appends to the open block.  Missing operands are IR_NONE. */
ir_ref ir_emit(struct ir_unit *u, enum ir_op op, enum ir_type type, ir_ref a, ir_ref b, ir_ref c,
               uint64_t imm, unsigned aux);

ir_ref ir_const(struct ir_unit *u, enum ir_type type, uint64_t value);
ir_ref ir_param(struct ir_unit *u, enum ir_type type);
ir_ref ir_get(struct ir_unit *u, uint32_t slot);
void ir_put(struct ir_unit *u, uint32_t slot, ir_ref value);
ir_ref ir_un(struct ir_unit *u, enum ir_op op, enum ir_type type, ir_ref a);
ir_ref ir_bin(struct ir_unit *u, enum ir_op op, enum ir_type type, ir_ref a, ir_ref b);
ir_ref ir_select(struct ir_unit *u, enum ir_type type, ir_ref cond, ir_ref a, ir_ref b);
ir_ref ir_load(struct ir_unit *u, enum ir_type type, ir_ref addr, int64_t offset, unsigned mo);
void ir_store(struct ir_unit *u, ir_ref addr, int64_t offset, ir_ref value, unsigned mo);
/* The type is IR_VOID if the helper has no result. */
ir_ref ir_call(struct ir_unit *u, uint32_t helper, ir_ref a, ir_ref b, ir_ref c);
void ir_insn_mark(struct ir_unit *u, uint64_t pc, unsigned len);
void ir_br(struct ir_unit *u, uint32_t edge);
void ir_brif(struct ir_unit *u, ir_ref cond, uint32_t then_edge, uint32_t else_edge);
void ir_exit_pc(struct ir_unit *u, uint64_t pc);
void ir_exit_ind(struct ir_unit *u, ir_ref pc, unsigned hint);
void ir_exit_loop(struct ir_unit *u);
void ir_exit_stop(struct ir_unit *u);

/* The type of a value. */
static inline enum ir_type ir_type_of(const struct ir_unit *u, ir_ref v)
{
    const struct ir_insn *i = &u->insns[v];
    int result = ir_ops[i->op].result;
    return result < 0 ? (enum ir_type)i->type : (enum ir_type)result;
}

/* Whether the operands end with edges (br: one, brif: two). */
static inline bool ir_has_edges(unsigned op)
{
    return op == IR_br || op == IR_brif;
}

/* The operands that are values: they come first. */
static inline unsigned ir_value_args(const struct ir_insn *i)
{
    if (ir_has_edges(i->op))
        return i->op == IR_brif;
    return (i->arg[0] != IR_NONE) + (i->arg[1] != IR_NONE) + (i->arg[2] != IR_NONE);
}


/* Replaces dst by a copy of src in another arena (an engine keeps the unit that it runs). */
void ir_unit_copy(struct ir_unit *dst, struct arena *a, const struct ir_unit *src);

/* ---- text: print.c, parse.c ---- */

/* One instruction a line; parses back to the same unit. */
void ir_print(const struct ir_unit *u, struct buf *out);

/* 0, or -EINVAL with the line and what is wrong with it.  Text is untrusted. */
int ir_parse(struct ir_unit *u, struct arena *a, const struct ir_names *names, const char *text,
             struct err *e);

/* ---- checking: verify.c ---- */

/* 0, or -EINVAL naming the instruction and the rule that it breaks. */
int ir_verify(const struct ir_unit *u, struct err *e);

/* ---- passes: opt_*.c ---- */

/* Each keeps the meaning and the verifier happy; dead instructions become nop.
 * Names serve `--dump` and tests; the pipeline is a list of these. */
struct ir_pass {
    const char *name;
    void (*run)(struct ir_unit *u);
};
void ir_opt_forward(struct ir_unit *u); /* constants, algebra, common values, get after put or get;
                                           nothing if u was folded as it was built */
void ir_opt_dead(struct ir_unit *u);    /* values that nobody uses, puts that nobody can see */
void ir_opt_compact(struct ir_unit *u); /* drops nops: values are renumbered */

/* Fills in u->lives, unless ir_opt_dead has just done that. */
void ir_find_lives(struct ir_unit *u);

/* Lists end with a NULL name.  After ir_opt_dead a put may be missing that a later guest
 * instruction overwrites, so a unit must not be left at an `insn` in its middle: give it a
 * budget of at least guest_insns (of a unit without loops), or use ir_exact_passes, which
 * keep the slots right at every `insn` and serve units that ir_interp may leave anywhere. */
void ir_opt_dead_exact(struct ir_unit *u); /* as ir_opt_dead, but puts can be seen at `insn` */
extern const struct ir_pass ir_tier1_passes[];
extern const struct ir_pass ir_exact_passes[];
void ir_run_passes(struct ir_unit *u, const struct ir_pass *passes);

/* Evaluates a pure operation on constants: what the interpreter, the folding pass and the
 * tests of back ends all call.  Floats are bits.  False if op is not pure. */
bool ir_eval(enum ir_op op, enum ir_type type, unsigned aux, const uint64_t *args, uint64_t *out);

/* The same for FLAGS operations: sticky flags are or-ed into *flags.  `from` is the type of
 * operand 0, which conversions need. */
uint64_t ir_eval_fp(enum ir_op op, enum ir_type type, enum ir_type from, unsigned aux, uint64_t a,
                    uint64_t b, uint64_t c, uint8_t *flags);

/* ---- running: interp.c ---- */

/* What a unit needs of the machine that runs it. */
struct ir_host {
    /* False: the access faults or needs the run loop; nothing was done, and the unit is left
     * before this instruction.  mo is the aux of the load or store. */
    bool (*load)(void *cpu, uint64_t addr, unsigned mo, uint64_t *value);
    bool (*store)(void *cpu, uint64_t addr, unsigned mo, uint64_t value);
    int32_t leave_offset;  /* uint8_t in the CPU: set by a helper that wants to leave */
    int32_t flags_offset;  /* uint8_t in the CPU: sticky floating-point flags */
    int32_t budget_offset; /* int64_t in the CPU: guest instructions that may yet run */
};

enum ir_exit {
    IR_EXIT_GOTO,   /* go on at *pc */
    IR_EXIT_LOOP,   /* state is in the CPU, pc too */
    IR_EXIT_STOP,   /* likewise, and a debugger's stop was reached */
    IR_EXIT_FAULT,  /* a load, store said no at the instruction at *pc, which was charged */
    IR_EXIT_BUDGET, /* nothing is left of the budget; *pc is the next instruction */
};

/*
 * Runs a unit that ir_verify accepts, as it was built or after ir_exact_passes
 * (after others if the budget suffices, see above).  Each `insn` takes 1 from
 * the budget first; where none is left the unit is left before it.  *pc is
 * written for GOTO, FAULT and BUDGET.  Values live in `scratch`, at least
 * u->ninsns words, which need no clearing.
 */
enum ir_exit ir_interp(const struct ir_unit *u, void *cpu, const struct ir_host *host,
                       uint64_t *scratch, uint64_t *pc);

#endif
