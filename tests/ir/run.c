/*
 * run.c - runs the cases of *.ir in this folder; prints TAP.
 *
 * A case:
 *     === name
 *     a0 = 5            registers before; [0x10] = 7 is 8 bytes of memory
 *     budget = 3        100 if not given
 *     --- ir            the unit
 *     --- tier1         what ir_tier1_passes make of it (optional)
 *     --- forward, dead what that pass alone makes of it; nops are not listed (optional)
 *     --- out           how it ends: an exit, its pc if it has one, and what is then different
 *     goto 0x80
 *     a1 = 6
 *     budget = 1
 *
 * The unit is run as built, after ir_exact_passes and, if that leaves it any
 * budget, after ir_tier1_passes.
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/mem_alloc.h"
#include "tests/ir/ir_cpu.h"

enum { BUDGET = 100 };

static const char *const exit_names[] = {
    [IR_EXIT_GOTO] = "goto",   [IR_EXIT_LOOP] = "loop",     [IR_EXIT_STOP] = "stop",
    [IR_EXIT_FAULT] = "fault", [IR_EXIT_BUDGET] = "budget",
};

struct test {
    const char *file, *name;
    char *start, *ir, *tier1, *forward, *dead, *out; /* sections; NULL: not there */
    struct arena arena;
    struct ir_unit unit;
};

/* ---- reading ---- */

static char *read_file(const char *path)
{
    struct buf b = BUF_INIT;
    char piece[4096];
    size_t n;
    FILE *f = fopen(path, "r");
    if (!f)
        return NULL;
    while ((n = fread(piece, 1, sizeof piece, f)) > 0)
        buf_add(&b, piece, n);
    fclose(f);
    return buf_take(&b);
}

/* Cuts a case into its sections, in place; false for a section that has no meaning. */
static bool split(struct test *t, char *text)
{
    t->start = text;
    for (char *p = strstr(text, "--- "); p; p = strstr(p, "--- ")) {
        char *name = p + 4, *end = strchr(name, '\n');
        if (!end)
            return false;
        *p = *end = 0;
        p = end + 1;
        if (!strcmp(name, "ir"))
            t->ir = p;
        else if (!strcmp(name, "tier1"))
            t->tier1 = p;
        else if (!strcmp(name, "forward"))
            t->forward = p;
        else if (!strcmp(name, "dead"))
            t->dead = p;
        else if (!strcmp(name, "out"))
            t->out = p;
        else
            return false;
    }
    return t->ir && t->out;
}

/* "name = value" into c; false if that is nothing we know. */
static bool set_state(struct ir_cpu *c, const char *name, uint64_t value)
{
    unsigned at;
    if (!strcmp(name, "budget"))
        return c->budget = (int64_t)value, true;
    if (!strcmp(name, "flags"))
        return c->flags = (uint8_t)value, true;
    if (!strcmp(name, "leave"))
        return c->leave = (uint8_t)value, true;
    if (sscanf(name, "[%i]", (int *)&at) == 1 && at <= IR_CPU_MEM - 8)
        return bits_store_le(c->mem + at, 8, value), true;
    for (uint32_t s = 0; s < ir_cpu_names.nslots; s++) {
        const struct ir_slot *slot = &ir_cpu_names.slots[s];
        bool narrow = slot->type == IR_I32 || slot->type == IR_F32;
        if (!strcmp(name, slot->name))
            return bits_store_le((char *)c + slot->offset, narrow ? 4 : 8, value), true;
    }
    return false;
}

/* The lines of a section; a line without '=' goes to *exit if there is room for one. */
static bool read_state(struct ir_cpu *c, const char *text, char exit[64])
{
    while (*text) {
        char name[32], value[32];
        int n = (int)strcspn(text, "\n");
        const char *hash = memchr(text, '#', (size_t)n);
        char *line = strndup(text, hash ? (size_t)(hash - text) : (size_t)n), extra;
        bool ok = true;
        if (sscanf(line, " %31[^ =] = %31s %c", name, value, &extra) == 2)
            ok = set_state(c, name, strtoull(value, NULL, 0));
        else if (strspn(line, " \t") != strlen(line))
            ok = exit && !*exit && snprintf(exit, 64, "%s", line) < 64;
        if (!ok)
            printf("# cannot read '%s'\n", line);
        free(line);
        if (!ok)
            return false;
        text += n + (text[n] == '\n');
    }
    return true;
}

/* ---- running ---- */

static bool check_exit(const char *want, enum ir_exit got, uint64_t pc)
{
    char text[64];
    if (got == IR_EXIT_LOOP || got == IR_EXIT_STOP)
        snprintf(text, sizeof text, "%s", exit_names[got]);
    else
        snprintf(text, sizeof text, "%s 0x%" PRIx64, exit_names[got], pc);
    size_t len = strlen(want);
    while (len && want[len - 1] == ' ')
        len--;
    if (len == strlen(text) && !memcmp(want, text, len))
        return true;
    printf("# exit '%s', not '%s'\n", text, want);
    return false;
}

static bool check_state(const struct ir_cpu *want, const struct ir_cpu *got)
{
    bool same = want->budget == got->budget && want->flags == got->flags &&
                want->leave == got->leave && !memcmp(want->mem, got->mem, IR_CPU_MEM);
    if (!same)
        printf("# budget %" PRId64 ", flags %u, leave %u, or memory differ\n", got->budget,
               got->flags, got->leave);
    for (uint32_t s = 0; s < ir_cpu_names.nslots; s++) {
        const struct ir_slot *slot = &ir_cpu_names.slots[s];
        unsigned size = slot->type == IR_I32 || slot->type == IR_F32 ? 4 : 8;
        uint64_t w = bits_load_le((const char *)want + slot->offset, size);
        uint64_t g = bits_load_le((const char *)got + slot->offset, size);
        if (w == g)
            continue;
        printf("# %s = 0x%" PRIx64 ", not 0x%" PRIx64 "\n", slot->name, g, w);
        same = false;
    }
    return same;
}

static bool run(struct test *t, const struct ir_unit *u, const char *what)
{
    struct ir_cpu c = {.budget = BUDGET}, want;
    char exit[64] = "";
    uint64_t pc;
    if (!read_state(&c, t->start, NULL))
        return false;
    want = c;
    if (!read_state(&want, t->out, exit))
        return false;
    enum ir_exit e = ir_cpu_run(u, &c, &pc);
    bool ok = check_exit(exit, e, pc);
    ok &= check_state(&want, &c);
    if (!ok)
        printf("# run %s\n", what);
    return ok;
}

/* ---- texts ---- */

/* The unit's text with values numbered anew, so that nops may be left out. */
static char *text_of(struct test *t, const struct ir_unit *u)
{
    struct buf b = BUF_INIT;
    struct ir_unit v;
    ir_unit_copy(&v, &t->arena, u);
    ir_opt_compact(&v);
    ir_print(&v, &b);
    return buf_take(&b);
}

static bool check_valid(const struct ir_unit *u, const char *what)
{
    struct err e = {0};
    if (!ir_verify(u, &e))
        return true;
    printf("# %s: %s\n", what, e.msg);
    return false;
}

static void print_lines(const char *label, const char *text)
{
    printf("# %s:\n", label);
    while (*text) {
        int n = (int)strcspn(text, "\n");
        printf("#   %.*s\n", n, text);
        text += n + (text[n] == '\n');
    }
}

static bool check_text(struct test *t, const struct ir_unit *u, const char *want, const char *what)
{
    struct ir_unit w;
    struct err e = {0};
    if (ir_parse(&w, &t->arena, &ir_cpu_names, want, &e)) {
        printf("# section %s: %s\n", what, e.msg);
        return false;
    }
    w.pc = u->pc;
    char *a = text_of(t, &w), *b = text_of(t, u);
    bool same = !strcmp(a, b);
    if (!same) {
        print_lines(what, b);
        print_lines("expected", a);
    }
    free(a);
    free(b);
    return same;
}

/* print, parse, print gives the same text. */
static bool check_round_trip(struct test *t)
{
    struct buf a = BUF_INIT, b = BUF_INIT;
    struct ir_unit v;
    struct err e = {0};
    ir_print(&t->unit, &a);
    bool ok = !ir_parse(&v, &t->arena, &ir_cpu_names, a.data, &e);
    if (ok)
        ir_print(&v, &b);
    ok = ok && !strcmp(a.data, b.data);
    if (!ok)
        printf("# the text does not come back: %s\n", e.msg);
    buf_fini(&a);
    buf_fini(&b);
    return ok;
}

static bool check_pass(struct test *t, const struct ir_pass *passes, const char *want,
                       const char *what)
{
    struct ir_unit v;
    if (!want)
        return true;
    ir_unit_copy(&v, &t->arena, &t->unit);
    ir_run_passes(&v, passes);
    return check_valid(&v, what) && check_text(t, &v, want, what);
}

static bool run_passes_and(struct test *t, const struct ir_pass *passes, const char *what)
{
    struct ir_unit v;
    ir_unit_copy(&v, &t->arena, &t->unit);
    ir_run_passes(&v, passes);
    return check_valid(&v, what) && run(t, &v, what);
}

static bool run_test(struct test *t)
{
    static const struct ir_pass forward[] = {{"forward", ir_opt_forward}, {NULL, NULL}};
    static const struct ir_pass dead[] = {{"dead", ir_opt_dead}, {NULL, NULL}};
    struct err e = {0};
    if (ir_parse(&t->unit, &t->arena, &ir_cpu_names, t->ir, &e)) {
        printf("# %s\n", e.msg);
        return false;
    }
    bool ok = check_valid(&t->unit, "as built") && check_round_trip(t);
    ok = ok && run(t, &t->unit, "as built");
    ok = ok && run_passes_and(t, ir_exact_passes, "after the exact passes");
    if (ok && strncmp(t->out, "budget", 6))
        ok = run_passes_and(t, ir_tier1_passes, "after tier 1's passes");
    ok &= check_pass(t, forward, t->forward, "forward");
    ok &= check_pass(t, dead, t->dead, "dead");
    ok &= check_pass(t, ir_tier1_passes, t->tier1, "tier1");
    return ok;
}

/* All cases of a file; returns how many there are, numbered from `number` on. */
static unsigned run_file(const char *dir, const char *file, unsigned number, bool *all_ok)
{
    char *path = xasprintf("%s/%s", dir, file), *text = read_file(path);
    unsigned count = 0;
    char *next = text ? strstr(text, "=== ") : NULL;
    while (next) {
        struct test t = {.file = file, .name = next + 4};
        char *end = strchr(next, '\n');
        next = end ? strstr(end, "=== ") : NULL;
        if (next)
            next[-1] = 0;
        if (end)
            *end = 0;
        arena_init(&t.arena);
        bool ok = end && split(&t, end + 1) && run_test(&t);
        arena_fini(&t.arena);
        printf("%sok %u - %s: %s\n", ok ? "" : "not ", number + count++, t.file, t.name);
        *all_ok &= ok;
    }
    if (!count) {
        printf("not ok %u - %s: no cases\n", number + count++, file);
        *all_ok = false;
    }
    free(text);
    free(path);
    return count;
}

static int is_ir(const struct dirent *d)
{
    size_t len = strlen(d->d_name);
    return len > 3 && !strcmp(d->d_name + len - 3, ".ir");
}

int main(void)
{
    const char *top = getenv("top_srcdir");
    char *dir = xasprintf("%s/tests/ir", top ? top : ".");
    struct dirent **files;
    unsigned count = 0;
    bool ok = true;
    int n = scandir(dir, &files, is_ir, alphasort);
    if (n <= 0) {
        printf("Bail out! no *.ir in %s\n", dir);
        return 1;
    }
    for (int i = 0; i < n; i++) {
        unsigned made = run_file(dir, files[i]->d_name, count + 1, &ok);

        if (!made) {
            made = 1;
            ok = false;
            printf("not ok %u - %s: no tests\n", count + 1, files[i]->d_name);
        }
        count += made;
        free(files[i]);
    }
    free(files);
    free(dir);
    printf("1..%u\n", count);
    return ok ? 0 : 1;
}
