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
    struct guest_fetch f = {.pc = pc, .max_insns = max_insns, .pass_stop = true};
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

void accel_disassemble(struct cpu *c, uint64_t pc, uint32_t bytes, struct buf *out)
{
    uint8_t code[16];
    uint32_t at = 0, len;

    while (at < bytes) {
        uint64_t got = cpu_peek(c, pc + at, code, sizeof code);
        buf_fmt(out, "  %016" PRIx64 "  ", pc + at);
        len = c->guest->disassemble(pc + at, code, got, out);
        buf_ch(out, '\n');
        if (!len)
            break;
        at += len;
    }
}
