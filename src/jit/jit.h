/*
 * jit.h - translated code: blocks, where they are found, how they are linked,
 * when they go.
 *
 * A block is the host code of one unit.  It is found by pc, physical address and
 * context; it leaves through exits.  An exit to a pc on the block's own page is
 * patched to jump straight to its target: both lie in the same mapping.  Exits
 * to other pages and computed ones go through the jump cache of the current
 * context, which is emptied when an executable translation goes; so no mapping
 * can change under a link.
 *
 * Code memory is a ring of regions, each with an arena for what is known of its
 * blocks: when the next region is needed, the blocks in it are evicted.  A block is
 * killed when bytes that it was made from change; its memory waits for the region's
 * turn.  A block never goes while it runs: such stores are made by the interpreter.
 *
 * One struct jit serves all CPUs of a machine.  Machine thread only.
 */
#ifndef JIT_JIT_H
#define JIT_JIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/vec.h"
#include "cpu/debug.h"
#include "cpu/guest.h"
#include "jit/code.h"

struct jit_target;
struct jit_block;

/* Where a value is that a guest register ought to hold: what restores precise state. */
struct jit_dirty {
    uint16_t slot;
    uint8_t where;  /* enum jit_where */
    uint8_t reg;    /* GPR or vector register number */
    uint32_t index; /* spill slot, constant in jit_block.consts, or the slot whose memory has it */
};
enum jit_where { JIT_IN_GPR, JIT_IN_VEC, JIT_IN_SPILL, JIT_IN_CONST, JIT_IN_SLOT };

/* A load or store that has a slow path. */
struct jit_site {
    struct jit_block *block;
    uint64_t pc;            /* of its guest instruction */
    uint16_t index;         /* of that instruction in the unit, from 0 */
    uint16_t mo;            /* IR_MO_* */
    uint32_t dirty, ndirty; /* range of jit_block.dirty */
};

/* A floating-point operation that has a soft path. */
struct jit_soft {
    uint8_t op, type, from;
    uint16_t aux;
};

/* A way out to a known pc. */
struct jit_exit {
    struct jit_block *block; /* whose exit it is */
    uint64_t pc;
    uint8_t *jump;            /* code address of the jump's displacement; NULL: goes through the
                                 jump cache, as what is there can't be linked to */
    const uint8_t *unlinked;  /* where that jump leads while there is no target */
    struct jit_block *target; /* NULL: unlinked */
    struct jit_exit *next;    /* in target->incoming */
};

/* What a back end notes while it emits a unit; jit_block_new makes it the block's own. */
struct jit_side {
    struct {
        VEC(struct jit_exit);
    } exits;
    struct {
        VEC(struct jit_site);
    } sites;
    struct {
        VEC(struct jit_soft);
    } softs;
    struct {
        VEC(struct jit_dirty);
    } dirty;
    struct {
        VEC(uint64_t);
    } consts;
    bool too_complex; /* it can't be emitted, wherever there is room */
};

/* A place in the list of blocks made from a physical page. */
struct jit_page_link {
    struct jit_block *block;
    struct jit_page_link *next, **prev;
};

/* Exposed for inspection.  What a search in the hash looks at comes first. */
struct jit_block {
    uint64_t pc, paddr;
    struct jit_block *hash_next;
    const uint8_t *code;
    uint64_t paddr2; /* of the second page, when the last instruction crosses; else 0 */
    uint32_t context;
    uint8_t fp_rm;   /* the rounding mode that its code counts on: one for each context */
    bool entered;    /* in the hash and the page lists */
    uint32_t bytes;  /* of guest code */
    uint32_t ninsns; /* guest instructions */
    uint32_t code_size;
    struct jit_exit *exits;
    struct jit_site *sites;
    struct jit_soft *softs;
    struct jit_dirty *dirty;
    uint64_t *consts;
    uint32_t nexits, nsites, nsofts, ndirty, nconsts;
    struct jit_exit *incoming;
    struct jit_page_link pages[2];
    struct jit_block *region_next;
};

/* What generated code has to know of the CPU struct; the same for all CPUs of a machine. */
struct jit_layout {
    int32_t bias;          /* offset at which a register points into the struct: from there, most
                              slots are less than 128 bytes away */
    int32_t l1[TLB_MODES]; /* offset of each mode's L1 table from the struct */
    uint32_t l1_mask;
};

struct jit_counters {
    uint64_t translated, guest_insns, code_bytes, ir_insns;
    uint64_t linked, killed, evicted, regions_recycled;
    uint64_t lookups, hash_hits, jump_fills, jump_flushes;
    uint64_t translate_ns;
};

#define JIT_CONTEXTS 8 /* jump caches a CPU */

struct jit_context {
    uint64_t space;
    uint32_t context;
    uint64_t used;  /* for LRU; 0: empty */
    uint64_t epoch; /* tlb.exec_epoch at which the jumps were right */
    uint8_t fp_rm;  /* of the code there */
    struct cpu_jump *jumps;
};

/* What the cache keeps of each CPU. */
struct jit_cpu {
    struct jit_context contexts[JIT_CONTEXTS];
    struct jit_context *current; /* whose jumps the CPU uses; NULL: none yet */
    uint64_t clock;
};

struct jit_config {
    size_t code_size;   /* bytes; 0: the default */
    uint32_t max_insns; /* guest instructions of a unit; 0: the default */
    bool break_op_on;   /* a test breaks one lowering on purpose */
    uint8_t break_op;
};
#define JIT_CODE_DEFAULT (UINT64_C(64) << 20)
#define JIT_CODE_MAX     (UINT64_C(1) << 30)
#define JIT_CODE_MIN     (UINT64_C(256) << 10)
#define JIT_REGIONS      16

struct jit {
    const struct jit_target *target;
    const struct guest *guest;
    struct mem *mem;
    struct jit_code code;
    struct jit_config config;
    struct jit_layout layout;
    size_t stubs_size; /* at the start of the code memory */
    size_t region_size;
    unsigned region; /* the one being filled */
    size_t at;       /* offset of the next block */
    struct jit_block *region_blocks[JIT_REGIONS]; /* dead ones too */
    struct arena region_arena[JIT_REGIONS];       /* blocks and all that they point to */
    bool watching; /* see jit_watch */
    unsigned hash_bits;
    struct jit_block **hash; /* by pc; 1 << hash_bits of them */
    uint32_t longest;        /* bytes of the longest block there was */
    size_t nblocks;
    struct jit_page_link **pages; /* by physical page */
    struct jit_exit *linking;     /* the exit that waits for its target; cleared if its block goes */
    struct arena arena;           /* a unit's translation */
    struct ir_fold *fold;         /* likewise */
    struct jit_side side;         /* likewise */
    struct jit_cpu *cpus;
    unsigned ncpus;
    struct jit_counters count;
    uint64_t clock_cost; /* ns that are no part of a translation that is timed */
    const void *stubs[16];      /* by the target's own numbering */
    const char *stub_names[16]; /* for people */
    /* Told of each block right after it was made for c, at its pc, and of one that is about to go (accel.h
     * has more on it); NULL: nobody is. */
    void (*told)(void *opaque, struct cpu *c, enum cpu_unit_event what, const struct jit_block *b);
    void *told_opaque;
};

/* NULL with a message if the host has no back end or no executable memory. */
struct jit *jit_new(const struct guest *g, struct mem *m, unsigned ncpus,
                    const struct jit_config *config, struct err *e);
void jit_free(struct jit *j);
/* Takes the layout from any one CPU of the machine; before anything is compiled. */
void jit_attach(struct jit *j, const struct cpu *c);

/* Makes c->jumps the jump cache for the CPU's present context and space, emptied as needed.
 * Called before code runs whenever either may have changed, and after tlb.exec_epoch advanced. */
void jit_select(struct jit *j, struct cpu *c);
/* Whether it has to be called again. */
static inline bool jit_moved(const struct jit *j, const struct cpu *c)
{
    const struct jit_context *x = j->cpus[c->index].current;
    return !x || x->context != c->context || x->space != c->tlb.space ||
           x->epoch != c->tlb.exec_epoch;
}

/* The code at the CPU's pc if its jump cache has it, else NULL. */
static inline const void *jit_known(const struct cpu *c)
{
    const struct cpu_jump *slot = &c->jumps[cpu_jump_index(c->pc)];
    return slot->pc == c->pc ? slot->code : NULL;
}
/* The rounding mode that code of the CPU's present context counts on. */
static inline unsigned jit_rm(const struct jit *j, const struct cpu *c)
{
    return j->cpus[c->index].current->fp_rm;
}

/* The block at the CPU's pc in its present context, found or translated, entered in the jump cache.
 * NULL: none can be had; the CPU's next instruction is the interpreter's (a fetch fault, an
 * exact page). */
struct jit_block *jit_find(struct jit *j, struct cpu *c);

/* Links the exit by which the last run left (jit->linking) to b, if that is allowed. */
void jit_link(struct jit *j, struct jit_block *b);

/* Why generated code came back. */
enum jit_left {
    JIT_LEFT_GOTO,   /* pc is set; look it up (j->linking may be set) */
    JIT_LEFT_LOOP,   /* pc and context are set by the code or a helper */
    JIT_LEFT_STOP,   /* a debugger's stop at pc */
    JIT_LEFT_BUDGET, /* the block at pc is longer than the budget that is left */
    JIT_LEFT_ACCESS, /* a load or store said no (c->access); state is precise at pc, and the
                        instruction is charged */
};
/* Runs a block's code, and on until something wants the run loop. */
enum jit_left jit_run(struct jit *j, struct cpu *c, const void *code);

/* Rounding mode and sticky flags move into the host's registers, and back into c->fp_flags. */
void jit_fp_enter(struct jit *j, unsigned rm);
void jit_fp_leave(struct jit *j, struct cpu *c);
/* Sticky flags alone move into c->fp_flags. */
void jit_fp_sync(struct jit *j, struct cpu *c);

/* Kills everything: memory or what probes come to was replaced. */
void jit_flush(struct jit *j);
/* From now on, code looks in line whether an access to a watched page may touch what is watched. */
void jit_watch(struct jit *j);
/* Kills the blocks that hold one of these pcs. */
void jit_probes_changed(struct jit *j, struct cpu_pcs virtual, struct cpu_pcs physical);

/* Compiles u into a new block that no table knows (also for tests).  The block goes with the ring.
 * NULL: too complex (try fewer guest instructions). */
struct jit_block *jit_compile(struct jit *j, struct ir_unit *u);

/* Text for people: the unit's IR as it is and after each pass, and the host code made of it.  u is
 * changed by the passes.  Jumps within the block lead to offsets; what is elsewhere has names, so that
 * the text is the same in each run. */
void jit_explain(struct jit *j, struct ir_unit *u, struct buf *out);
/* The same of a block that was made of u, with its links as they are now. */
void jit_explain_block(struct jit *j, struct ir_unit *u, const struct jit_block *b,
                       struct buf *out);

#endif
