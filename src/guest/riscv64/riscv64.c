/*
 * riscv64.c - the guest as others see it: configuration, reset, state.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "guest/riscv64/csr_list.h"
#include "guest/riscv64/priv.h"
#include "snap/snap.h"

/* Where a hart starts unless its board says otherwise. */
#define RESET_PC 0x1000
#define NO_TIME  UINT64_MAX

/* ---- the ISA string: unpriv 37 ---- */

/* Names behind the single letters, in the order of the manual.  ext 0: always there. */
static const struct {
    const char *name;
    uint32_t ext;
} isa_names[] = {
    {"zicbom", RV_EXT(ZICBOM)},
    {"zicbop", RV_EXT(ZICBOP)},
    {"zicboz", RV_EXT(ZICBOZ)},
    {"zicntr", 0},
    {"zicond", RV_EXT(ZICOND)},
    {"zicsr", 0},
    {"zifencei", 0},
    {"zihintntl", 0},
    {"zihintpause", 0},
    {"zihpm", 0},
    {"zawrs", RV_EXT(ZAWRS)},
    {"zfa", RV_EXT(ZFA)},
    {"zca", RV_EXT(C)},
    {"zcb", RV_EXT(ZCB)},
    {"zcd", RV_EXT(C) | RV_EXT(D)},
    {"zba", RV_EXT(ZBA)},
    {"zbb", RV_EXT(ZBB)},
    {"zbc", RV_EXT(ZBC)},
    {"zbs", RV_EXT(ZBS)},
    {"smaia", RV_EXT(SMAIA)},
    {"ssaia", RV_EXT(SSAIA)},
    {"sscofpmf", RV_EXT(SSCOFPMF)},
    {"sstc", RV_EXT(SSTC)},
    {"svadu", RV_EXT(SVADU)},
    {"svinval", RV_EXT(SVINVAL)},
    {"svnapot", RV_EXT(SVNAPOT)},
    {"svpbmt", RV_EXT(SVPBMT)},
};

static const struct {
    char letter;
    uint32_t ext;
} isa_letters[] = {{'i', 0},         {'m', 0},         {'a', RV_EXT(A)},
                   {'f', RV_EXT(F)}, {'d', RV_EXT(D)}, {'c', RV_EXT(C)}};

void rv_isa_string(const struct cpu *c, struct buf *out)
{
    const struct rv_cpu *h = rv_of((struct cpu *)(uintptr_t)c);

    buf_str(out, "rv64");
    for (unsigned i = 0; i < ARRAY_LEN(isa_letters); i++) {
        if (rv_has(h, isa_letters[i].ext))
            buf_ch(out, isa_letters[i].letter);
    }
    for (unsigned i = 0; i < ARRAY_LEN(isa_names); i++) {
        if (rv_has(h, isa_names[i].ext))
            buf_fmt(out, "_%s", isa_names[i].name);
    }
}

/* The letters behind "rv64", up to the first underscore. */
static int parse_letters(const char *s, size_t n, uint32_t *ext, struct err *e)
{
    bool m = false;

    for (size_t k = 0; k < n; k++) {
        unsigned i = 0;
        while (i < ARRAY_LEN(isa_letters) && isa_letters[i].letter != (s[k] | 0x20))
            i++;
        if ((s[k] | 0x20) == 'g')
            *ext |= RV_EXT(A) | RV_EXT(F) | RV_EXT(D);
        else if (i < ARRAY_LEN(isa_letters))
            *ext |= isa_letters[i].ext;
        else
            return err_set(e, EINVAL, "isa: there is no extension '%c' (rv64 takes imafdc and g)",
                           s[k]);
        m |= (s[k] | 0x20) == 'm' || (s[k] | 0x20) == 'g';
    }
    if (!n || ((s[0] | 0x20) != 'i' && (s[0] | 0x20) != 'g') || !m)
        return err_set(e, EINVAL, "isa: rv64i and m are always there: begin with rv64im or rv64g");
    return 0;
}

static int parse_name(const char *s, size_t n, uint32_t *ext, struct err *e)
{
    for (unsigned i = 0; i < ARRAY_LEN(isa_names); i++) {
        if (strlen(isa_names[i].name) == n && !strncasecmp(isa_names[i].name, s, n)) {
            *ext |= isa_names[i].ext;
            return *ext & RV_EXT_AIA
                       ? err_set(e, EINVAL, "isa: %s comes with an APLIC only", isa_names[i].name)
                       : 0;
        }
    }
    return err_set(e, EINVAL, "isa: there is no extension \"%.*s\"", (int)(n < 40 ? n : 40), s);
}

static int need(uint32_t ext, uint32_t a, uint32_t b, const char *what, struct err *e)
{
    return ext & a && (ext & b) != b ? err_set(e, EINVAL, "isa: %s", what) : 0;
}

static int check_isa(uint32_t ext, struct err *e)
{
    int r = need(ext, RV_EXT(D), RV_EXT(F), "d needs f", e);
    r = r ? r : need(ext, RV_EXT(ZFA), RV_EXT(F), "zfa needs f", e);
    return r ? r : need(ext, RV_EXT(ZCB), RV_EXT(C), "zcb needs c", e);
}

/* "rv64imac_zba_zbb"; NULL: everything. */
static int parse_isa(const char *isa, uint32_t *ext, struct err *e)
{
    *ext = (uint32_t)bits_mask(RV_EXT_COUNT) & ~RV_EXT_AIA;
    if (!isa)
        return 0;
    if (strncasecmp(isa, "rv64", 4))
        return err_set(e, EINVAL, "isa: \"%.40s\" does not begin with rv64", isa);
    *ext = 0;
    isa += 4;
    size_t n = strcspn(isa, "_");
    int r = parse_letters(isa, n, ext, e);
    for (isa += n; !r && *isa; isa += n) {
        isa++;
        n = strcspn(isa, "_");
        r = parse_name(isa, n, ext, e);
    }
    return r ? r : check_isa(*ext, e);
}

/* ---- life ---- */

static uint64_t misa_of(uint32_t ext)
{
    uint64_t misa =
        UINT64_C(2) << 62 | BIT('i' - 'a') | BIT('m' - 'a') | BIT('s' - 'a') | BIT('u' - 'a');
    for (unsigned i = 0; i < ARRAY_LEN(isa_letters); i++) {
        if (isa_letters[i].ext & ext)
            misa |= BIT(isa_letters[i].letter - 'a');
    }
    return misa;
}

static int init(struct cpu *c, const struct cpu_config *config, struct err *e)
{
    struct rv_cpu *h = rv_of(c);
    int r = parse_isa(config->isa, &h->ext, e);

    h->misa = misa_of(h->ext);
    return r;
}

static void fini(struct cpu *c)
{
    (void)c;
}

/* What has to follow when the state was set as a whole. */
static void state_changed(struct rv_cpu *h)
{
    h->cpu.pending = 1;
    rv_pmp_update(h); /* empties the TLB too */
    tlb_switch(&h->cpu.tlb, h->satp);
    rv_counters_rearm(h);
    rv_timer_update(h);
    rv_update_context(h);
}

/* priv 3.4; what is not defined there is 0. */
static void reset(struct cpu *c)
{
    struct rv_cpu *h = rv_of(c);
    struct rv_cpu clean = {.ext = h->ext, .misa = h->misa, .imsic = h->imsic};

    clean.cpu = h->cpu;
    *h = clean;
    c->pc = RESET_PC;
    c->fp_flags = 0;
    c->halted = CPU_RUNS;
    c->stop_passed = 0;
    c->context = UINT32_MAX; /* none: to be computed */
    h->reserve_addr = UINT64_MAX;
    h->priv = RV_M;
    h->mstatus = RV_MSTATUS_XL64;
    h->stimecmp = NO_TIME;
    rv_counters_fold(h);
    state_changed(h);
}

void rv_set_aia(struct cpu *c, const struct rv_imsic *imsic)
{
    rv_of(c)->ext |= RV_EXT_AIA;
    rv_of(c)->imsic = imsic;
}

void rv_enter_supervisor(struct cpu *c, uint64_t pc, uint64_t a0, uint64_t a1)
{
    struct rv_cpu *h = rv_of(c);
    uint64_t lines = h->mip_lines;

    reset(c);
    h->mip_lines = lines; /* they are the machine's, which goes on */
    h->priv = RV_S;
    h->medeleg = RV_MEDELEG_MASK & ~BIT(RV_CAUSE_ECALL_S);
    h->mideleg = RV_MIP_SSI | RV_MIP_STI | RV_MIP_SEI;
    if (rv_has(h, RV_EXT(SSCOFPMF)))
        h->mideleg |= RV_MIP_LCOFI;
    h->mcounteren = 0xffffffff;
    if (rv_has(h, RV_EXT(F)))
        h->mstatus |= (uint64_t)RV_FS_INITIAL << RV_FS_LO;
    h->pmp_addr[0] = bits_mask(54);
    h->pmp_cfg[0] = RV_PMP_NAPOT << RV_PMP_A_LO | RV_PMP_R | RV_PMP_W | RV_PMP_X;
    c->pc = pc;
    h->x[10] = a0;
    h->x[11] = a1;
    state_changed(h);
    /* Everything that there is, with cbo.inval as a flush. */
    rv_csr_poke(h, 0x30a,
                UINT64_C(1) << RV_CBIE_LO | RV_ENVCFG_CBCFE | RV_ENVCFG_CBZE | RV_ENVCFG_ADUE |
                    RV_ENVCFG_PBMTE | RV_ENVCFG_STCE);
}

uint64_t rv_x(const struct cpu *c, unsigned n)
{
    return ((const struct rv_cpu *)c)->x[n & 31];
}

void rv_set_x(struct cpu *c, unsigned n, uint64_t value)
{
    if (n & 31)
        rv_of(c)->x[n & 31] = value;
}

static void switched(struct cpu *c)
{
    rv_of(c)->reserve_addr = UINT64_MAX;
}

/* ---- state ---- */

/* The CSRs, by name. */
/* clang-format off */
#define STATE_CSRS(X)                                                                              \
    X(mstatus) X(medeleg) X(mideleg) X(mie) X(mip) X(mip_lines) X(mtvec) X(mcounteren)             \
    X(mcountinhibit) X(mscratch) X(mepc) X(mcause) X(mtval) X(menvcfg) X(mseccfg) X(stvec)         \
    X(scounteren) X(sscratch) X(sepc) X(scause) X(stval) X(satp) X(senvcfg) X(stimecmp)            \
    X(miselect) X(siselect) X(cycle_offset) X(instret_offset) X(not_retired) X(hpm_cycle)          \
    X(hpm_instret)
/* clang-format on */

static void state_csrs(struct rv_cpu *h, struct snap *s)
{
#define X(name) snap_u64(s, #name, &h->name);
    STATE_CSRS(X)
#undef X
    snap_u64s(s, "hpm_counter", h->hpm_counter, ARRAY_LEN(h->hpm_counter));
    snap_u64s(s, "hpm_event", h->hpm_event, ARRAY_LEN(h->hpm_event));
    snap_bytes(s, "pmp_cfg", h->pmp_cfg, sizeof h->pmp_cfg);
    snap_u64s(s, "pmp_addr", h->pmp_addr, ARRAY_LEN(h->pmp_addr));
}

/* The instructions charged: on loading, the budget is used up. */
static void state_count(struct cpu *c, struct snap *s)
{
    uint64_t count = cpu_count(c);

    snap_u64(s, "count", &count);
    if (!snap_loading(s))
        return;
    c->budget = 0;
    c->ahead = 0;
    c->count_end = (int64_t)count;
}

/* What later code relies on; the rest of a loaded state may be anything. */
static void check_loaded(struct rv_cpu *h, struct snap *s)
{
    unsigned mode = (unsigned)(h->satp >> RV_SATP_MODE_LO);

    if (h->priv != RV_U && h->priv != RV_S && h->priv != RV_M)
        snap_bad(s, "priv", "no such privilege");
    else if (h->frm > 7)
        snap_bad(s, "frm", "more than 3 bits");
    else if (mode != RV_SATP_BARE && (mode < RV_SATP_SV39 || mode > RV_SATP_SV57))
        snap_bad(s, "satp", "no such mode");
    else if (h->cpu.pc & ~rv_pc_mask(h))
        snap_bad(s, "pc", "misaligned");
}

/* A state that was refused must not run: the hart is as after reset. */
static void loaded(struct rv_cpu *h, struct snap *s)
{
    if (snap_loading(s))
        check_loaded(h, s);
    if (!snap_loading(s)) {
        reset(&h->cpu);
        return;
    }
    h->cpu.fp_flags &= 31;
    if (h->cpu.halted >= CPU_HALTS)
        h->cpu.halted = CPU_WAITS;
    h->cpu.context = UINT32_MAX;
    state_changed(h);
}

static void state(struct cpu *c, struct snap *s)
{
    struct rv_cpu *h = rv_of(c);
    uint32_t ext = h->ext;
    bool load = snap_loading(s);

    if (!load)
        rv_counters_fold(h);
    snap_section(s, "riscv64", 2);
    snap_u32(s, "ext", &ext);
    if (snap_loading(s) && ext != h->ext)
        snap_bad(s, "ext", "it was saved from a hart with other extensions");
    state_count(c, s);
    snap_u64(s, "pc", &c->pc);
    snap_u8(s, "priv", &h->priv);
    snap_u8(s, "halted", &c->halted);
    snap_u8(s, "fflags", &c->fp_flags);
    snap_u8(s, "frm", &h->frm);
    snap_u64s(s, "x", h->x + 1, 31);
    snap_u64s(s, "f", h->f, 32);
    snap_u64(s, "reserve_addr", &h->reserve_addr);
    state_csrs(h, s);
    if (load)
        loaded(h, s);
}

/* ---- words ---- */

static unsigned disassemble(uint64_t pc, const uint8_t *bytes, size_t len, struct buf *out)
{
    struct rv_insn in;

    if (len < 2)
        return 0;
    uint32_t raw = (uint32_t)bits_load_le(bytes, 2);
    if ((raw & 3) == 3) {
        if (len < 4)
            return 0;
        raw = (uint32_t)bits_load_le(bytes, 4);
    }
    if (rv_decode(raw, &in))
        rv_format(&in, pc, out);
    else if (in.len == 2)
        buf_fmt(out, ".2byte 0x%04x", raw);
    else
        buf_fmt(out, ".4byte 0x%08x", raw);
    return in.len;
}

const char *rv_cause_name(uint64_t cause)
{
    static const char *const exceptions[] = {
        [RV_CAUSE_FETCH_MISALIGNED] = "instruction address misaligned",
        [RV_CAUSE_FETCH_ACCESS] = "instruction access fault",
        [RV_CAUSE_ILLEGAL] = "illegal instruction",
        [RV_CAUSE_BREAKPOINT] = "breakpoint",
        [RV_CAUSE_LOAD_MISALIGNED] = "load address misaligned",
        [RV_CAUSE_LOAD_ACCESS] = "load access fault",
        [RV_CAUSE_STORE_MISALIGNED] = "store address misaligned",
        [RV_CAUSE_STORE_ACCESS] = "store access fault",
        [RV_CAUSE_ECALL_U] = "call from U-mode",
        [RV_CAUSE_ECALL_S] = "call from S-mode",
        [RV_CAUSE_ECALL_M] = "call from M-mode",
        [RV_CAUSE_FETCH_PAGE] = "instruction page fault",
        [RV_CAUSE_LOAD_PAGE] = "load page fault",
        [RV_CAUSE_STORE_PAGE] = "store page fault",
    };
    static const char *const interrupts[] = {
        [RV_IRQ_SSI] = "supervisor software interrupt", [RV_IRQ_MSI] = "machine software interrupt",
        [RV_IRQ_STI] = "supervisor timer interrupt",    [RV_IRQ_MTI] = "machine timer interrupt",
        [RV_IRQ_SEI] = "supervisor external interrupt", [RV_IRQ_MEI] = "machine external interrupt",
        [RV_IRQ_LCOFI] = "counter overflow interrupt",
    };
    bool irq = cause & RV_CAUSE_INTERRUPT;
    uint64_t n = cause & ~RV_CAUSE_INTERRUPT;
    const char *name = NULL;

    if (irq && n < ARRAY_LEN(interrupts))
        name = interrupts[n];
    else if (!irq && n < ARRAY_LEN(exceptions))
        name = exceptions[n];
    return name ? name : "unknown cause";
}

/* ---- struct guest ---- */

static void misaligned(struct cpu *c, uint64_t vaddr, enum tlb_access access)
{
    c->fault = (struct cpu_fault){rv_fault_cause(RV_FAULT_MISALIGNED, access), vaddr};
}

static void bus_fault(struct cpu *c, uint64_t vaddr, enum tlb_access access)
{
    c->fault = (struct cpu_fault){rv_fault_cause(RV_FAULT_ACCESS, access), vaddr};
}

static unsigned data_mode(const struct cpu *c)
{
    return rv_data_mode((const struct rv_cpu *)c);
}

static void raise_fault(struct cpu *c)
{
    rv_raise(rv_of(c), c->fault.cause, c->fault.addr);
}

static void timer_due(struct cpu *c)
{
    rv_timer_update(rv_of(c));
}

/* The trap was taken by S or, if it was not delegated, by M; ecall has 4 bytes. */
static uint64_t syscall_return(const struct cpu *c)
{
    const struct rv_cpu *h = (const struct rv_cpu *)c;
    return (h->priv == RV_M ? h->mepc : h->sepc) + 4;
}

const struct guest guest_riscv64 = {
    .name = "riscv64",
    .gdb_arch = "riscv:rv64",
    .cpu_size = sizeof(struct rv_cpu),
    .regs = rv_regs,
    .nregs = RV_REG_COUNT,
    .names = {.slots = rv_slots,
              .nslots = RV_SLOT_COUNT,
              .pc_slot = RV_SLOT_PC,
              .helpers = rv_helpers,
              .nhelpers = RV_HELPER_COUNT},
    .peek = RV_HELPER_peek,
    .decide = RV_HELPER_decide,
    .init = init,
    .fini = fini,
    .reset = reset,
    .translate = rv_translate,
    .walk = rv_walk,
    .exact = rv_exact,
    .misaligned = misaligned,
    .bus_fault = bus_fault,
    .data_mode = data_mode,
    .raise = raise_fault,
    .interrupt = rv_interrupt,
    .line = rv_line,
    .timer_due = timer_due,
    .alarm_due = rv_alarm_due,
    .switched = switched,
    .reg_read = rv_reg_read,
    .reg_write = rv_reg_write,
    .state = state,
    .disassemble = disassemble,
    .syscall_cause = RV_CAUSE_ECALL_U,
    .syscall_reg = RV_SLOT_X + 17,
    .syscall_return = syscall_return,
    .cause_name = rv_cause_name,
};
