/* accel.c - the table of engines, and what they share. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "accel/engine.h"
#include "base/bits.h"

static const struct accel_engine *const engines[] = {
    &accel_jit,
    &accel_interp,
};

struct accel *accel_new(const char *name, const struct accel_config *config, struct err *e)
{
    struct buf names = BUF_INIT;

    for (size_t i = 0; i < ARRAY_LEN(engines); i++) {
        if (!strcmp(engines[i]->name, name)) {
            buf_fini(&names);
            return engines[i]->make(config, e);
        }
        buf_fmt(&names, "%s%s", i ? ", " : "", engines[i]->name);
    }
    err_set(e, EINVAL, "%.40s: there is no such engine; there is: %s", name, names.data);
    buf_fini(&names);
    return NULL;
}

void accel_free(struct accel *a)
{
    if (a)
        a->ops->free(a);
}

void accel_watch(struct accel *a, struct accel_watcher *w)
{
    w->next = a->watchers;
    a->watchers = w;
}

void accel_unwatch(struct accel *a, struct accel_watcher *w)
{
    struct accel_watcher **at = &a->watchers;

    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
}

void accel_tell(const struct accel *a, struct cpu *c, enum cpu_unit_event what,
                const struct accel_unit *k)
{
    for (const struct accel_watcher *w = a->watchers; w; w = w->next)
        w->told(w->opaque, c, what, k);
}

void accel_list(struct buf *out)
{
    for (size_t i = 0; i < ARRAY_LEN(engines); i++)
        buf_fmt(out, "%s  %s\n", engines[i]->name, engines[i]->doc);
}

/* No run reaches beyond the alarm: whoever called the engine sees to it. */
static void clip_to_alarm(struct cpu *c)
{
    uint64_t end = (uint64_t)c->count_end, now = cpu_count(c);
    uint64_t over = c->alarm >= end ? 0 : c->alarm <= now ? end - now : end - c->alarm;

    c->count_end -= (int64_t)over;
    c->budget -= (int64_t)over;
}

bool accel_look(struct cpu *c, enum accel_stop *stop)
{
    if (c->quit) {
        *stop = ACCEL_QUIT;
        return false;
    }
    clip_to_alarm(c);
    if (c->budget <= 0) {
        *stop = ACCEL_BUDGET;
        return false;
    }
    while (c->pending) {
        c->pending = 0;
        if ((!c->hold || c->halted) && c->guest->interrupt(c))
            c->stop_passed = 0; /* pc is elsewhere */
        if (c->quit) { /* a debugger wants to see that */
            c->pending = 1;
            *stop = ACCEL_QUIT;
            return false;
        }
    }
    *stop = ACCEL_HALT;
    return !c->halted;
}

/* ---- for people ---- */

/* Host memory of the code at vaddr, to the end of its page; NULL: none. */
static const uint8_t *code_at(struct cpu *c, uint64_t vaddr, uint32_t *len, uint64_t *paddr)
{
    *paddr = cpu_debug_paddr(c, vaddr);
    *len = (uint32_t)(MEM_PAGE_SIZE - (vaddr & MEM_PAGE_MASK));
    return *paddr == CPU_NO_PADDR ? NULL : mem_host(c->mem, *paddr, *len, false);
}

bool accel_translate(struct cpu *c, uint64_t pc, uint32_t max_insns, struct ir_unit *u,
                     uint32_t *bytes)
{
    struct guest_fetch f = {.pc = pc, .max_insns = max_insns};
    uint32_t next_len;
    uint64_t next_paddr;

    f.host = code_at(c, pc, &f.len, &f.paddr);
    if (!f.host)
        return false;
    if (c->guest->translate(c, u, &f, bytes) == GUEST_UNIT)
        return true;
    f.next = code_at(c, pc + f.len, &next_len, &next_paddr);
    return f.next && c->guest->translate(c, u, &f, bytes) == GUEST_UNIT;
}

/* A line for the instruction at pc; its length, 0 if there is none in len. */
static uint32_t disassemble_one(struct cpu *c, uint64_t pc, const uint8_t *code, size_t len,
                                struct buf *out)
{
    buf_fmt(out, "  %016" PRIx64 "  ", pc);
    uint32_t n = c->guest->disassemble(pc, code, len, out);
    buf_ch(out, '\n');
    return n;
}

static void heading(uint32_t bytes, uint32_t n, struct buf *out)
{
    buf_fmt(out, "Guest code, %u instructions in %u bytes:\n", n, bytes);
}

void accel_disassemble(struct cpu *c, uint64_t pc, uint32_t bytes, uint32_t n, struct buf *out)
{
    uint8_t code[16];
    uint32_t at = 0, len;

    heading(bytes, n, out);
    while (at < bytes) {
        uint64_t got = cpu_peek(c, pc + at, code, sizeof code);
        len = disassemble_one(c, pc + at, code, got, out);
        if (!len)
            break;
        at += len;
    }
}

/* The code of a unit lies where it was found: a change would have ended the unit. */
static const uint8_t *first_page(struct cpu *c, const struct accel_unit *k, uint32_t *len)
{
    *len = (uint32_t)(MEM_PAGE_SIZE - (k->paddr & MEM_PAGE_MASK));
    return mem_host(c->mem, k->paddr, *len, false);
}

static const uint8_t *second_page(struct cpu *c, const struct accel_unit *k)
{
    return k->paddr2 ? mem_host(c->mem, k->paddr2, MEM_PAGE_SIZE, false) : NULL;
}

void accel_lift(struct cpu *c, const struct accel_unit *k, struct ir_unit *u)
{
    struct guest_fetch f = {.pc = k->pc, .paddr = k->paddr, .max_insns = k->ninsns};
    uint32_t bytes, context = c->context;

    f.host = first_page(c, k, &f.len);
    f.next = second_page(c, k);
    c->context = k->context;
    c->guest->translate(c, u, &f, &bytes);
    c->context = context;
}

void accel_list_code(struct cpu *c, const struct accel_unit *k, struct buf *out)
{
    struct buf code = BUF_INIT;
    uint32_t room, at = 0, len = 1;
    const uint8_t *first = first_page(c, k, &room);

    heading(k->bytes, k->ninsns, out);
    buf_add(&code, first, k->bytes < room ? k->bytes : room);
    if (k->bytes > room)
        buf_add(&code, second_page(c, k), k->bytes - room);
    for (; at < k->bytes && len; at += len)
        len = disassemble_one(c, k->pc + at, (const uint8_t *)code.data + at, k->bytes - at, out);
    buf_fini(&code);
}
