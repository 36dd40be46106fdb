/*
 * cpu.c - the life of a CPU, and small questions about it.
 */
#include "cpu/cpu.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bits.h"
#include "cpu/guest.h"

const char *const cpu_halt_names[CPU_HALTS] = {
    [CPU_RUNS] = "runs", [CPU_WAITS] = "waits for an interrupt", [CPU_OFF] = "off"};

/* Generated code and the TLB like whole cache lines. */
#define CPU_ALIGN 64

/* One block: the L1 tables, and right above them the guest's struct.  Both zeroed. */
static struct cpu *cpu_alloc(const struct cpu_config *config)
{
    size_t l1 = tlb_l1_bytes(&config->tlb), size = l1 + config->guest->cpu_size;
    char *block = aligned_alloc(CPU_ALIGN, bits_align_up(size, CPU_ALIGN));

    if (!block)
        return NULL;
    memset(block, 0, size);
    return (struct cpu *)(block + l1);
}

static void cpu_dealloc(struct cpu *c, const struct tlb_config *tlb)
{
    free((char *)c - tlb_l1_bytes(tlb));
}

struct cpu *cpu_new(const struct cpu_config *config, struct err *e)
{
    if (tlb_config_check(&config->tlb, e))
        return NULL;
    struct cpu *c = cpu_alloc(config);
    if (!c) {
        err_set(e, ENOMEM, "CPU %u: no memory", config->index);
        return NULL;
    }
    c->guest = config->guest;
    c->mem = config->mem;
    c->index = config->index;
    c->alarm = UINT64_MAX;
    tlb_init(&c->tlb, &config->tlb, c->mem, (char *)c - tlb_l1_bytes(&config->tlb));
    if (c->guest->init(c, config, e)) {
        tlb_fini(&c->tlb);
        cpu_dealloc(c, &config->tlb);
        return NULL;
    }
    c->guest->reset(c);
    return c;
}

void cpu_free(struct cpu *c)
{
    if (!c)
        return;
    struct tlb_config tlb = c->tlb.config;
    c->guest->fini(c);
    tlb_fini(&c->tlb);
    cpu_dealloc(c, &tlb);
}

int guest_find_reg(const struct guest *g, const char *name)
{
    for (uint32_t i = 0; i < g->nregs; i++) {
        const struct guest_reg *r = &g->regs[i];
        if (!strcasecmp(r->name, name) || (r->alias && !strcasecmp(r->alias, name)))
            return (int)i;
    }
    return -1;
}
