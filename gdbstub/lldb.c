/*
 * lldb.c - what LLDB asks in words of its own (LLDB, docs/lldb-gdb-remote.txt): about the host, the
 * process, registers, memory regions, and all threads at once.
 */
#include <errno.h>
#include <string.h>

#include "base/bits.h"
#include "cpu/guest.h"
#include "gdbstub/session.h"

/* ---- settings ---- */

/* Packets about registers say which thread they mean, from now on. */
void gdb_thread_suffix(struct gdb_session *s, struct gdb_args a)
{
    (void)a;
    s->thread_suffix = true;
    gdb_ok(s);
}

void gdb_list_threads(struct gdb_session *s, struct gdb_args a)
{
    (void)a;
    s->list_threads = true;
    gdb_ok(s);
}

void gdb_error_strings(struct gdb_session *s, struct gdb_args a)
{
    (void)a;
    s->error_strings = true;
    gdb_ok(s);
}

void gdb_version(struct gdb_session *s, struct gdb_args a)
{
    (void)a;
    buf_fmt(&s->reply, "name:%s;version:%s;", PACKAGE_NAME, PACKAGE_VERSION);
}

/* ---- the host, and its one process ---- */

static void put_triple(struct gdb_job *j, struct buf *out)
{
    struct buf triple = BUF_INIT;

    buf_fmt(&triple, "%s-unknown-unknown-elf", j->c->guest->name);
    buf_str(out, "triple:");
    gdb_put_text(out, triple.data);
    buf_str(out, ";endian:little;ptrsize:8;");
    buf_fini(&triple);
}

static void put_host(struct gdb_job *j)
{
    put_triple(j, &j->s->reply);
    buf_str(&j->s->reply, "watchpoint_exceptions_received:after;hostname:");
    gdb_put_text(&j->s->reply, machine_config(j->m)->board.machine);
    buf_ch(&j->s->reply, ';');
}

void gdb_host_info(struct gdb_session *s, struct gdb_args a)
{
    gdb_on_machine(s, put_host, a);
}

static void put_process(struct gdb_job *j)
{
    buf_str(&j->s->reply, "pid:1;parent-pid:0;ostype:unknown;");
    put_triple(j, &j->s->reply);
}

void gdb_process_info(struct gdb_session *s, struct gdb_args a)
{
    gdb_on_machine(s, put_process, a);
}

/* ---- registers ---- */

/* What a register is for, by its name in the ABI; NULL: nothing that LLDB has a word for. */
static const char *generic_of(const struct guest_reg *r)
{
    static const char *const names[][2] = {{"sp", "sp"},   {"fp", "fp"},   {"ra", "ra"},
                                           {"a0", "arg1"}, {"a1", "arg2"}, {"a2", "arg3"},
                                           {"a3", "arg4"}, {"a4", "arg5"}, {"a5", "arg6"},
                                           {"a6", "arg7"}, {"a7", "arg8"}};

    if (r->kind == REG_PC)
        return "pc";
    for (size_t i = 0; i < sizeof names / sizeof *names && r->alias; i++)
        if (!strcmp(r->alias, names[i][0]))
            return names[i][1];
    return NULL;
}

/* DWARF's number, or -1: integers from 0, floats from 32 on (RISC-V psABI, "DWARF Register
 * Numbers"). */
static int dwarf_of(const struct guest_reg *r)
{
    return r->kind == REG_INT ? (int)r->number : r->kind == REG_FLOAT ? (int)r->number + 32 : -1;
}

static const char *name_of(const struct guest_reg *r)
{
    return r->kind == REG_INT && r->alias ? r->alias : r->name;
}

static const char *other_name_of(const struct guest_reg *r)
{
    return r->kind == REG_INT ? r->name : r->alias;
}

void gdb_lldb_attributes(const struct guest_reg *r, struct buf *out)
{
    const char *generic = generic_of(r), *other = other_name_of(r);

    buf_fmt(out, "encoding=\"%s\" format=\"%s\" ", r->kind == REG_FLOAT ? "ieee754" : "uint",
            r->kind == REG_FLOAT ? "float" : "hex");
    if (other)
        buf_fmt(out, "altname=\"%s\" ", other);
    if (generic)
        buf_fmt(out, "generic=\"%s\" ", generic);
    if (dwarf_of(r) >= 0)
        buf_fmt(out, "dwarf_regnum=\"%d\" ehframe_regnum=\"%d\" ", dwarf_of(r), dwarf_of(r));
}

static void put_register(const struct guest_reg *r, struct buf *out)
{
    const char *generic = generic_of(r), *other = other_name_of(r);

    buf_fmt(out, "name:%s;bitsize:%u;encoding:%s;format:%s;set:%s;", name_of(r), r->bits,
            r->kind == REG_FLOAT ? "ieee754" : "uint", r->kind == REG_FLOAT ? "float" : "hex",
            r->kind == REG_FLOAT ? "Floating Point Registers" : "General Purpose Registers");
    if (other)
        buf_fmt(out, "alt-name:%s;", other);
    if (generic)
        buf_fmt(out, "generic:%s;", generic);
    if (dwarf_of(r) >= 0)
        buf_fmt(out, "ehframe:%d;dwarf:%d;", dwarf_of(r), dwarf_of(r));
}

/* LLDB counts from 0 until there is none, and uses these numbers in p and P: those of g are told.
 */
static void describe_register(struct gdb_job *j)
{
    uint64_t n;
    int row = gdb_hex(&j->a.p, &n) && n < GDB_REGS ? gdb_row(j->s, n) : -1;

    if (row < 0)
        gdb_error(j->s, EINVAL, "qRegisterInfo: there is no such register");
    else
        put_register(&j->c->guest->regs[row], &j->s->reply);
}

void gdb_register_info(struct gdb_session *s, struct gdb_args a)
{
    gdb_on_machine(s, describe_register, a);
}

/* ---- memory regions ---- */

#define LOOKS_MAX 65536 /* pages and larger steps of one region */

/* The lowest address behind the gap in the middle, below which addresses are not canonical. */
static uint64_t high_half(struct gdb_job *j)
{
    struct guest_walk w;
    uint64_t at = BIT(63);

    for (unsigned bits = 63; bits > MEM_PAGE_BITS; bits--) {
        at = UINT64_MAX << bits;
        j->c->guest->walk(j->c, at, TLB_READ, j->c->guest->data_mode(j->c), GUEST_WALK_EXPLAIN, &w);
        if (w.ok || (w.nsteps && w.steps[0].entry_addr))
            break;
    }
    return at;
}

/* Where what a failed walk says ends: its last step was an entry of a table, or there was none. */
static uint64_t end_of_failure(struct gdb_job *j, uint64_t addr, const struct guest_walk *w)
{
    unsigned bits = MEM_PAGE_BITS;
    uint64_t end = 0;

    for (unsigned i = 0; i < w->nsteps; i++)
        if (w->steps[i].entry_addr)
            bits = MEM_PAGE_BITS + 9 * w->steps[i].level;
    if (w->nsteps && !w->steps[0].entry_addr)
        end = high_half(j);
    return end > addr ? end : (addr | bits_mask(bits)) + 1;
}

/* The end of what a physical page belongs to: at most that of its page where tables translate. */
static uint64_t end_of_page(struct gdb_job *j, uint64_t addr, const struct guest_walk *w)
{
    struct mem_region *const *r;
    size_t n = mem_regions(machine_mem(j->m), &r);
    uint64_t end = 0;

    if (w->nsteps && w->steps[0].entry_addr)
        return (addr | MEM_PAGE_MASK) + 1;
    for (size_t i = n; i--;) {
        if (r[i]->base > w->paddr)
            end = r[i]->base;
        else if (w->paddr - r[i]->base < r[i]->size)
            end = r[i]->base + r[i]->size;
    }
    return end;
}

/* What may be done at an address (bits 1 << enum tlb_access), and up to where that is said (0: the
 * end of all addresses). */
static unsigned look(struct gdb_job *j, uint64_t addr, uint64_t *end)
{
    const struct guest *g = j->c->guest;
    unsigned allow = 0;
    struct guest_walk w, last = {0};

    for (unsigned access = TLB_READ; access <= TLB_EXEC; access++) {
        g->walk(j->c, addr, (enum tlb_access)access,
                access == TLB_EXEC ? j->c->fetch_mode : g->data_mode(j->c), GUEST_WALK_EXPLAIN, &w);
        if (!w.ok)
            continue;
        last = w;
        if (mem_find(machine_mem(j->m), w.paddr))
            allow |= 1u << access;
    }
    *end = last.ok ? end_of_page(j, addr, &last) : end_of_failure(j, addr, &w);
    return allow;
}

static void describe_region(struct gdb_job *j)
{
    uint64_t addr, end, next;
    unsigned allow;

    if (!gdb_hex(&j->a.p, &addr)) {
        gdb_error(j->s, EINVAL, "qMemoryRegionInfo: not an address");
        return;
    }
    addr &= ~MEM_PAGE_MASK;
    allow = look(j, addr, &end);
    for (unsigned n = 0; n < LOOKS_MAX && end && look(j, end, &next) == allow; n++)
        end = next;
    buf_fmt(&j->s->reply, "start:%llx;size:%llx;", (unsigned long long)addr,
            (unsigned long long)(end - addr));
    if (allow)
        buf_fmt(&j->s->reply, "permissions:%s%s%s;", allow & 1 << TLB_READ ? "r" : "",
                allow & 1 << TLB_WRITE ? "w" : "", allow & 1 << TLB_EXEC ? "x" : "");
}

/* From the address's page on: memory as the CPU may use it now, or what is not there in one piece.
 */
void gdb_region(struct gdb_session *s, struct gdb_args a)
{
    gdb_on_machine(s, describe_region, a);
}

/* ---- threads ---- */

static const char *reason_of(const struct gdb_session *s, unsigned cpu)
{
    if (cpu != s->stop.cpu)
        return "none";
    switch (s->stop.why) {
    case MACHINE_BREAK:
        return s->stop.hit.touch.size ? "watchpoint" : "breakpoint";
    case MACHINE_COUNT:
        return "trace";
    case MACHINE_INTERRUPTED:
        return "signal";
    default:
        return "none";
    }
}

static void put_thread(struct gdb_job *j, unsigned cpu, struct buf *out)
{
    const char *reason = reason_of(j->s, cpu);

    j->c = machine_cpu(j->m, cpu);
    buf_fmt(out, "{\"tid\":%u,\"name\":\"CPU %u\",\"reason\":\"%s\"", cpu + 1, cpu, reason);
    if (!strcmp(reason, "signal"))
        buf_str(out, ",\"signal\":2");
    buf_str(out, ",\"registers\":{");
    for (unsigned n = 0, some = 0; n < GDB_REGS && gdb_row(j->s, n) >= 0; n++) {
        uint32_t row = (uint32_t)gdb_row(j->s, n);

        if (j->c->guest->regs[row].kind == REG_FLOAT)
            continue;
        buf_fmt(out, some++ ? ",\"%u\":\"" : "\"%u\":\"", n);
        gdb_put_reg(j->c, row, out);
        buf_ch(out, '"');
    }
    buf_str(out, "}}");
}

static void put_all_threads(struct gdb_job *j)
{
    buf_ch(&j->s->reply, '[');
    for (unsigned i = 0; i < j->s->ncpus; i++) {
        if (i)
            buf_ch(&j->s->reply, ',');
        put_thread(j, i, &j->s->reply);
    }
    buf_ch(&j->s->reply, ']');
}

void gdb_threads_info(struct gdb_session *s, struct gdb_args a)
{
    gdb_on_machine(s, put_all_threads, a);
}

/* The stop reply of a thread: the others have nothing to tell. */
void gdb_thread_stop(struct gdb_session *s, struct gdb_args a)
{
    struct ctl_stop stop = s->stop;
    bool its_own;
    int cpu;

    if (!gdb_thread(s, &a.p, &cpu) || cpu == GDB_ALL) {
        gdb_error(s, ESRCH, "qThreadStopInfo: there is no such thread");
        return;
    }
    its_own = stop.cpu == (unsigned)cpu;
    if (!its_own)
        stop = (struct ctl_stop){.why = MACHINE_IDLE, .cpu = (unsigned)cpu};
    gdb_describe(s, &stop, gdb_signal(&stop), &s->reply);
}
