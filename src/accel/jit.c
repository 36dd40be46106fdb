/*
 * jit.c - the JIT as an engine: the run loop around translated code.
 *
 * Generated code only ever does what needs no exact count.  Devices, stores to
 * translated code, the tail of a budget and code that may not be remembered run in the
 * interpreter, one instruction at a time, which gives both engines one
 * behaviour.
 */
#include "jit/jit.h"

#include <stdlib.h>

#include "accel/engine.h"
#include "base/mem_alloc.h"
#include "host/host_clock.h"

struct jit_accel {
    struct accel accel; /* first */
    struct accel_config config;
    struct jit *jit;
    struct interp *interp;
    bool attached; /* the layout is known */
    unsigned rm;   /* the rounding mode in the host's registers */
    uint64_t precise, tails;
};

static struct jit_accel *jit_accel_of(struct accel *a)
{
    return (struct jit_accel *)a;
}

/* At most n instructions by the interpreter, which keeps sticky flags in the CPU.  False: a probe
 * says stop. */
static bool interpret(struct jit_accel *ja, struct cpu *c, int64_t n)
{
    ja->jit->linking = NULL;
    jit_fp_sync(ja->jit, c);
    return interp_step(ja->interp, c, n) != ACCEL_BREAK;
}

/* Translated code was left because of an access. */
static void refused(struct jit_accel *ja, struct cpu *c)
{
    if (c->access == CPU_FAULT) {
        c->guest->raise(c);
        return;
    }
    c->budget++; /* it is charged again */
    ja->precise++;
    interpret(ja, c, 1);
}

/* False: a probe says stop. */
static bool run_code(struct jit_accel *ja, struct cpu *c, const void *code)
{
    unsigned rm = jit_rm(ja->jit, c);

    if (rm != ja->rm) {
        jit_fp_sync(ja->jit, c);
        jit_fp_enter(ja->jit, rm);
        ja->rm = rm;
    }
    c->leave = 0;
    c->access = CPU_OK;
    enum jit_left left = jit_run(ja->jit, c, code);
    if (c->access != CPU_OK) {
        refused(ja, c);
    } else if (left == JIT_LEFT_BUDGET && !c->pending) {
        ja->tails++;
        /* A single instruction is carried out whatever probe is at it. */
        if (c->budget == 1 && interp_probe_stops(ja->interp, c))
            return false;
        return interpret(ja, c, c->budget);
    }
    return left != JIT_LEFT_STOP;
}

/* The code at the CPU's pc; NULL: the interpreter's turn, or c->quit is set, as somebody wants to see what
 * became of blocks for it. */
static const void *find(struct jit_accel *ja, struct cpu *c)
{
    if (jit_moved(ja->jit, c))
        jit_select(ja->jit, c);
    const void *code = ja->jit->linking ? NULL : jit_known(c);
    if (code)
        return code;
    struct jit_block *b = jit_find(ja->jit, c);
    if (!b || c->quit)
        return NULL;
    jit_link(ja->jit, b);
    return b->code;
}

/* One round.  False: the run ends with *stop. */
static bool run_once(struct jit_accel *ja, struct cpu *c, enum accel_stop *stop)
{
    if ((c->pending || c->halted) && !accel_look(c, stop))
        return false;
    *stop = ACCEL_BUDGET;
    if (c->budget <= 0)
        return false;
    *stop = ACCEL_BREAK;
    if (c->stop_passed)
        return interpret(ja, c, 1);
    const void *code = find(ja, c);
    if (code)
        return run_code(ja, c, code);
    if (c->quit)
        return true;
    if (interp_probe_stops(ja->interp, c))
        return false;
    interpret(ja, c, 1);
    return true;
}

static void attach(struct jit_accel *ja, const struct cpu *c)
{
    if (!ja->attached)
        jit_attach(ja->jit, c);
    ja->attached = true;
}

static enum accel_stop engine_run(struct accel *a, struct cpu *c)
{
    struct jit_accel *ja = jit_accel_of(a);
    enum accel_stop stop;

    attach(ja, c);
    jit_fp_enter(ja->jit, ja->rm);
    while (run_once(ja, c, &stop))
        ;
    ja->jit->linking = NULL;
    jit_fp_leave(ja->jit, c);
    return stop;
}

static void engine_flush(struct accel *a)
{
    struct jit_accel *ja = jit_accel_of(a);
    jit_flush(ja->jit);
    interp_flush(ja->interp);
}

static void engine_watches(struct accel *a)
{
    jit_watch(jit_accel_of(a)->jit);
}

static void engine_probes_changed(struct accel *a, struct cpu_pcs virtual, struct cpu_pcs physical)
{
    jit_probes_changed(jit_accel_of(a)->jit, virtual, physical);
    interp_probes_changed(jit_accel_of(a)->interp, virtual, physical);
}

static void engine_explain(struct accel *a, struct cpu *c, uint64_t pc, struct buf *out)
{
    struct jit_accel *ja = jit_accel_of(a);
    struct arena arena;
    struct ir_unit u;
    uint32_t bytes;

    attach(ja, c);
    arena_init(&arena);
    ir_unit_init(&u, &arena, &ja->config.guest->names);
    if (accel_translate(c, pc, ja->config.max_insns ? ja->config.max_insns : UINT32_MAX, &u,
                        &bytes)) {
        accel_disassemble(c, pc, bytes, u.guest_insns, out);
        jit_explain(ja->jit, &u, out);
    } else {
        buf_fmt(out, "%016llx: there is no memory\n", (unsigned long long)pc);
    }
    arena_fini(&arena);
}

/* ---- units, for people ---- */

static struct accel_unit describe(const struct jit_block *b)
{
    struct accel_unit k = {
        .pc = b->pc,
        .paddr = b->paddr,
        .paddr2 = b->paddr2,
        .context = b->context,
        .bytes = b->bytes,
        .ninsns = b->ninsns,
        .host_bytes = b->code_size,
        .exits = b->nexits,
        .made = b,
    };

    for (const struct jit_exit *x = b->incoming; x; x = x->next)
        k.links_in++;
    for (uint32_t i = 0; i < b->nexits; i++)
        k.links_out += b->exits[i].target != NULL;
    return k;
}

static void told(void *opaque, struct cpu *c, enum cpu_unit_event what, const struct jit_block *b)
{
    const struct jit_accel *ja = opaque;

    if (!ja->accel.watchers)
        return;
    struct accel_unit k = describe(b);
    accel_tell(&ja->accel, c, what, &k);
}

static void engine_units(struct accel *a, accel_unit_fn *fn, void *opaque)
{
    const struct jit *j = jit_accel_of(a)->jit;

    for (size_t i = 0; i >> j->hash_bits == 0; i++) {
        for (const struct jit_block *b = j->hash[i]; b; b = b->hash_next) {
            struct accel_unit k = describe(b);
            fn(opaque, NULL, &k);
        }
    }
}

static void engine_show(struct accel *a, struct cpu *c, const struct accel_unit *k,
                        struct buf *out)
{
    struct jit_accel *ja = jit_accel_of(a);
    struct arena arena;
    struct ir_unit u;

    arena_init(&arena);
    ir_unit_init(&u, &arena, &ja->config.guest->names);
    accel_lift(c, k, &u);
    accel_list_code(c, k, out);
    jit_explain_block(ja->jit, &u, k->made, out);
    arena_fini(&arena);
}

static uint64_t engine_time(struct accel *a, struct cpu *c, struct ir_unit *u, unsigned runs)
{
    struct jit_accel *ja = jit_accel_of(a);
    const struct jit_block *b;
    uint64_t start;

    attach(ja, c);
    ir_run_passes(u, ir_tier1_passes);
    b = jit_compile(ja->jit, u);
    if (!b)
        return UINT64_MAX;
    c->leave = 0;
    jit_fp_enter(ja->jit, ja->rm);
    start = host_monotonic_ns();
    while (runs--)
        jit_run(ja->jit, c, b->code);
    start = host_monotonic_ns() - start;
    jit_fp_leave(ja->jit, c);
    return start;
}

static void engine_counters(struct accel *a,
                            void (*row)(void *opaque, const char *name, uint64_t value,
                                        const char *unit, const char *doc),
                            void *opaque)
{
    const struct jit_accel *ja = jit_accel_of(a);
    const struct jit_counters *n = &ja->jit->count;

    row(opaque, "jit.blocks", ja->jit->nblocks, "blocks", "translated and present");
    row(opaque, "jit.translated", n->translated, "blocks", "translated since the start");
    row(opaque, "jit.guest_insns", n->guest_insns, "instructions", "in these");
    row(opaque, "jit.ir_insns", n->ir_insns, "operations", "of IR in these, after the passes");
    row(opaque, "jit.code", n->code_bytes, "bytes", "of host code emitted");
    row(opaque, "jit.translate_time", n->translate_ns, "ns",
        "of CPU time spent translating (one in 16 is timed)");
    row(opaque, "jit.linked", n->linked, "exits", "patched to jump to their target");
    row(opaque, "jit.killed", n->killed, "blocks", "dropped as their guest code was changed");
    row(opaque, "jit.evicted", n->evicted, "blocks", "dropped as code memory was needed");
    row(opaque, "jit.recycled", n->regions_recycled, "regions", "of code memory used again");
    row(opaque, "jit.lookups", n->lookups, "lookups",
        "by the run loop, where jump caches did not do");
    row(opaque, "jit.hits", n->hash_hits, "lookups", "that found a block");
    row(opaque, "jit.jump_fills", n->jump_fills, "entries", "put into jump caches");
    row(opaque, "jit.jump_flushes", n->jump_flushes, "flushes", "of a jump cache");
    row(opaque, "jit.precise", ja->precise, "instructions", "run alone by the interpreter");
    row(opaque, "jit.tails", ja->tails, "runs", "ended by the interpreter");
}

static void engine_free(struct accel *a)
{
    struct jit_accel *ja = jit_accel_of(a);
    jit_free(ja->jit);
    interp_free(ja->interp);
    free(ja);
}

static const struct accel_ops ops = {
    .name = "jit",
    .doc = "translates to host code",
    .run = engine_run,
    .flush = engine_flush,
    .probes_changed = engine_probes_changed,
    .watches = engine_watches,
    .explain = engine_explain,
    .units = engine_units,
    .show = engine_show,
    .time = engine_time,
    .counters = engine_counters,
    .free = engine_free,
};

static struct accel *make(const struct accel_config *config, struct err *e)
{
    struct jit_accel *ja = xcalloc(1, sizeof *ja);
    struct jit_config jc = {.code_size = config->code_size,
                            .max_insns = config->max_insns,
                            .break_op_on = config->break_op >= 0,
                            .break_op = (uint8_t)config->break_op};

    ja->accel.ops = &ops;
    ja->config = *config;
    ja->jit = jit_new(config->guest, config->mem, config->ncpus, &jc, e);
    if (!ja->jit) {
        free(ja);
        return NULL;
    }
    ja->jit->told = told;
    ja->jit->told_opaque = ja;
    ja->interp = interp_new(config);
    return &ja->accel;
}

const struct accel_engine accel_jit = {
    "jit",
    "translates blocks to host code",
    make,
};
