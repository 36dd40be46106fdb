/*
 * passes.c - the pipelines.
 */
#include <stddef.h>

#include "ir/ir.h"

const struct ir_pass ir_tier1_passes[] = {
    {"forward", ir_opt_forward},
    {"dead", ir_opt_dead},
    {NULL, NULL},
};

const struct ir_pass ir_exact_passes[] = {
    {"forward", ir_opt_forward},
    {"dead_exact", ir_opt_dead_exact},
    {"compact", ir_opt_compact},
    {NULL, NULL},
};

void ir_run_passes(struct ir_unit *u, const struct ir_pass *passes)
{
    for (const struct ir_pass *p = passes; p->name; p++)
        p->run(u);
}
