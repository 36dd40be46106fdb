#include "tests/guest/riscv64/engine.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/mem_alloc.h"
#include "guest/riscv64/priv.h"
#include "jit/jit.h"

/* ---- engines ---- */

struct interp {
    struct world *w;
    const struct ir_unit *unit;
    bool optimise;
    struct arena arena;
    struct ir_unit copy; /* what the passes made of the unit */
    uint64_t *scratch;
    uint32_t scratch_len;
};

static struct interp *interp_new(struct world *w, bool optimise)
{
    struct interp *p = xcalloc(1, sizeof *p);
    p->w = w;
    p->optimise = optimise;
    arena_init(&p->arena);
    return p;
}

static void *interp_open(struct world *w)
{
    return interp_new(w, false);
}

static void *passes_open(struct world *w)
{
    return interp_new(w, true);
}

static void interp_close(void *self)
{
    struct interp *p = self;
    arena_fini(&p->arena);
    free(p->scratch);
    free(p);
}

static void interp_load(void *self, const struct ir_unit *u)
{
    struct interp *p = self;
    p->unit = u;
    if (p->optimise) {
        arena_reset(&p->arena);
        ir_unit_copy(&p->copy, &p->arena, u);
        ir_run_passes(&p->copy, ir_tier1_passes);
        p->unit = &p->copy;
    }
    if (p->scratch_len < p->unit->ninsns) {
        p->scratch_len = p->unit->ninsns;
        p->scratch = xrealloc(p->scratch, p->scratch_len * sizeof *p->scratch);
    }
}

static enum ir_exit interp_run(void *self)
{
    struct interp *p = self;
    struct cpu *c = p->w->cpu;
    uint64_t pc = c->pc;
    enum ir_exit exit = ir_interp(p->unit, c, &cpu_ir_host, p->scratch, &pc);
    if (exit != IR_EXIT_LOOP && exit != IR_EXIT_STOP)
        c->pc = pc;
    return exit;
}

static const struct engine interp_engine = {
    "interpreter", interp_open, interp_close, interp_load, interp_run,
};
static const struct engine passes_engine = {
    "interpreter after the passes", passes_open, interp_close, interp_load, interp_run,
};

static void must(bool ok, const struct err *e)
{
    if (!ok) {
        printf("Bail out! %s\n", e->msg);
        exit(EXIT_FAILURE);
    }
}

/* Translated code, of the host. */
struct jit_engine {
    struct world *w;
    struct jit *jit;
    const struct jit_block *block;
    struct arena arena;
};

static void *jit_open(struct world *w)
{
    struct err e = {0};
    struct jit *jit =
        jit_new(&guest_riscv64, w->mem, 1, &(struct jit_config){.code_size = 4 << 20}, &e);

    must(jit, &e);
    jit_attach(jit, w->cpu);
    struct jit_engine *p = xcalloc(1, sizeof *p);
    p->w = w;
    p->jit = jit;
    arena_init(&p->arena);
    return p;
}

static void jit_close(void *self)
{
    struct jit_engine *p = self;
    jit_free(p->jit);
    p->w->cpu->jumps = NULL;
    arena_fini(&p->arena);
    free(p);
}

static void jit_load(void *self, const struct ir_unit *u)
{
    struct jit_engine *p = self;
    struct ir_unit copy;
    arena_reset(&p->arena);
    ir_unit_copy(&copy, &p->arena, u);
    ir_run_passes(&copy, ir_tier1_passes);
    p->block = jit_compile(p->jit, &copy);
    assert(p->block);
}

static enum ir_exit jit_engine_run(void *self)
{
    static const enum ir_exit exits[] = {
        [JIT_LEFT_GOTO] = IR_EXIT_GOTO,    [JIT_LEFT_LOOP] = IR_EXIT_LOOP,
        [JIT_LEFT_STOP] = IR_EXIT_STOP,    [JIT_LEFT_BUDGET] = IR_EXIT_BUDGET,
        [JIT_LEFT_ACCESS] = IR_EXIT_FAULT,
    };
    struct jit_engine *p = self;
    struct cpu *c = p->w->cpu;
    if (jit_moved(p->jit, c))
        jit_select(p->jit, c);
    jit_fp_enter(p->jit, p->block->fp_rm);
    enum jit_left left = jit_run(p->jit, c, p->block->code);
    jit_fp_leave(p->jit, c);
    return exits[left];
}

__attribute__((unused)) static const struct engine jit_engine = {
    "translated code", jit_open, jit_close, jit_load, jit_engine_run,
};

const struct engine *const engines[] = {
    &interp_engine,
    &passes_engine,
#ifdef __x86_64__
    &jit_engine,
#endif
    NULL,
};

/* ---- the machine ---- */

void world_init(struct world *w)
{
    struct err e = {0};
    uint64_t page = VEC_MEMORY & ~MEM_PAGE_MASK;
    w->mem = mem_new();
    must(!mem_add_ram(w->mem, "code", VEC_SLOT, MEM_PAGE_SIZE, &e), &e);
    must(!mem_add_ram(w->mem, "window", page, MEM_PAGE_SIZE, &e), &e);
    struct cpu_config config = {
        .guest = &guest_riscv64,
        .count = 1,
        .mem = w->mem,
        .tlb = TLB_CONFIG_DEFAULT,
    };
    w->cpu = cpu_new(&config, &e);
    must(w->cpu, &e);
    struct rv_cpu *h = rv_of(w->cpu);
    h->mstatus |= RV_MSTATUS_FS;
    rv_update_context(h);
    w->window = mem_host(w->mem, VEC_MEMORY, VEC_WORDS * 8, true);
    arena_init(&w->arena);
    w->fold = NULL;
}

void world_fini(struct world *w)
{
    arena_fini(&w->arena);
    cpu_free(w->cpu);
    mem_free(w->mem);
}

void world_translate(struct world *w, const void *code, uint32_t len, uint64_t pc, uint32_t max)
{
    struct guest_fetch f = {.pc = pc, .host = code, .len = len, .max_insns = max};
    uint32_t bytes;
    arena_reset(&w->arena);
    ir_unit_init(&w->unit, &w->arena, &w->cpu->guest->names);
    if (w->fold)
        ir_unit_fold(&w->unit, w->fold);
    enum guest_translated t = w->cpu->guest->translate(w->cpu, &w->unit, &f, &bytes);
    assert(t == GUEST_UNIT);
    (void)t;
}

static void set_state(struct world *w, const struct vec_state *s)
{
    struct cpu *c = w->cpu;
    struct rv_cpu *h = rv_of(c);
    memcpy(h->x, s->x, sizeof h->x);
    memcpy(h->f, s->f, sizeof h->f);
    memcpy(w->window, s->mem, sizeof s->mem);
    c->fp_flags = s->fcsr & 31;
    h->frm = s->fcsr >> 5 & 7;
    h->reserve_addr = UINT64_MAX;
    h->mcause = 0;
    c->leave = 0;
    c->pending = 0;
    c->pc = VEC_SLOT;
    c->budget = 1000;
}

static void get_state(const struct world *w, struct vec_state *s)
{
    const struct rv_cpu *h = rv_of(w->cpu);
    memcpy(s->x, h->x, sizeof h->x);
    memcpy(s->f, h->f, sizeof h->f);
    memcpy(s->mem, w->window, sizeof s->mem);
    s->fcsr = (uint64_t)h->frm << 5 | w->cpu->fp_flags;
}

bool world_run(struct world *w, const struct engine *e, void *self, const struct vec_group *g,
               struct vec_state *s)
{
    struct cpu *c = w->cpu;
    uint32_t context = c->context;
    set_state(w, s);
    enum ir_exit exit = e->run(self);
    get_state(w, s);
    c->context = context;
    s->trap = rv_of(c)->mcause == RV_CAUSE_ILLEGAL;
    s->jumped = g->target && c->pc == g->target;
    bool next = c->pc == VEC_SLOT + g->code_len;
    return (exit == IR_EXIT_GOTO || exit == IR_EXIT_LOOP) && (next || s->jumped || s->trap);
}
