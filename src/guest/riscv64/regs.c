/*
 * regs.c - the register table: IR slots first, then x0, the privilege and the CSRs
 * of csr.def.
 */
#include "guest/riscv64/csr_list.h"
#include "guest/riscv64/priv.h"

/* clang-format off */

/* X(n, alias, doc) */
#define EACH_X(X)                                                                                  \
    X(1, "ra", "Return address") X(2, "sp", "Stack pointer") X(3, "gp", "Global pointer")          \
    X(4, "tp", "Thread pointer") X(5, "t0", "Temporary") X(6, "t1", "Temporary")                   \
    X(7, "t2", "Temporary") X(8, "fp", "Saved register s0, frame pointer")                         \
    X(9, "s1", "Saved register") X(10, "a0", "Argument, result") X(11, "a1", "Argument, result")   \
    X(12, "a2", "Argument") X(13, "a3", "Argument") X(14, "a4", "Argument")                        \
    X(15, "a5", "Argument") X(16, "a6", "Argument") X(17, "a7", "Argument, system call number")    \
    X(18, "s2", "Saved register") X(19, "s3", "Saved register") X(20, "s4", "Saved register")      \
    X(21, "s5", "Saved register") X(22, "s6", "Saved register") X(23, "s7", "Saved register")      \
    X(24, "s8", "Saved register") X(25, "s9", "Saved register") X(26, "s10", "Saved register")     \
    X(27, "s11", "Saved register") X(28, "t3", "Temporary") X(29, "t4", "Temporary")               \
    X(30, "t5", "Temporary") X(31, "t6", "Temporary")

#define EACH_F(X)                                                                                  \
    X(0, "ft0", "Temporary") X(1, "ft1", "Temporary") X(2, "ft2", "Temporary")                     \
    X(3, "ft3", "Temporary") X(4, "ft4", "Temporary") X(5, "ft5", "Temporary")                     \
    X(6, "ft6", "Temporary") X(7, "ft7", "Temporary") X(8, "fs0", "Saved register")                \
    X(9, "fs1", "Saved register") X(10, "fa0", "Argument, result") X(11, "fa1", "Argument, result")\
    X(12, "fa2", "Argument") X(13, "fa3", "Argument") X(14, "fa4", "Argument")                     \
    X(15, "fa5", "Argument") X(16, "fa6", "Argument") X(17, "fa7", "Argument")                     \
    X(18, "fs2", "Saved register") X(19, "fs3", "Saved register") X(20, "fs4", "Saved register")   \
    X(21, "fs5", "Saved register") X(22, "fs6", "Saved register") X(23, "fs7", "Saved register")   \
    X(24, "fs8", "Saved register") X(25, "fs9", "Saved register") X(26, "fs10", "Saved register")  \
    X(27, "fs11", "Saved register") X(28, "ft8", "Temporary") X(29, "ft9", "Temporary")            \
    X(30, "ft10", "Temporary") X(31, "ft11", "Temporary")

/* ---- bit fields ---- */

#define F(name, lo, width) {name, lo, width, NULL}
#define FV(name, lo, width, values) {name, lo, width, values}
#define END_FIELDS {NULL, 0, 0, NULL}

static const char *const v_off[] = {"off", "initial", "clean", "dirty", NULL};
static const char *const v_priv[] = {"U", "S", "reserved", "M", NULL};
static const char *const v_spp[] = {"U", "S", NULL};
static const char *const v_xl[] = {"reserved", "32", "64", "128", NULL};
static const char *const v_tvec[] = {"direct", "vectored", NULL};
static const char *const v_rm[] = {"rne", "rtz", "rdn", "rup", "rmm", "reserved", "reserved",
                                   "dyn", NULL};
static const char *const v_satp[] = {"bare", "reserved", "reserved", "reserved", "reserved",
                                     "reserved", "reserved", "reserved", "sv39", "sv48", "sv57",
                                     NULL};
static const char *const v_cbie[] = {"illegal", "flush", "reserved", "invalidate", NULL};
static const char *const v_event[] = {"none", "cycles", "instructions", NULL};

#define FFLAGS F("NX", 0, 1), F("UF", 1, 1), F("OF", 2, 1), F("DZ", 3, 1), F("NV", 4, 1)
#define SSTATUS_LOW F("SIE", 1, 1), F("SPIE", 5, 1), FV("SPP", 8, 1, v_spp), FV("FS", 13, 2, v_off), \
    F("SUM", 18, 1), F("MXR", 19, 1), FV("UXL", 32, 2, v_xl), F("SD", 63, 1)

#define fields_none NULL
static const struct reg_field fields_fflags[] = {FFLAGS, END_FIELDS};
static const struct reg_field fields_frm[] = {FV("RM", 0, 3, v_rm), END_FIELDS};
static const struct reg_field fields_fcsr[] = {FFLAGS, FV("RM", 5, 3, v_rm), END_FIELDS};
static const struct reg_field fields_sstatus[] = {SSTATUS_LOW, END_FIELDS};
static const struct reg_field fields_mstatus[] = {
    SSTATUS_LOW, F("MIE", 3, 1), F("MPIE", 7, 1), FV("MPP", 11, 2, v_priv), F("MPRV", 17, 1),
    F("TVM", 20, 1), F("TW", 21, 1), F("TSR", 22, 1), FV("SXL", 34, 2, v_xl), END_FIELDS};
static const struct reg_field fields_irq[] = {
    F("SSI", 1, 1), F("MSI", 3, 1), F("STI", 5, 1), F("MTI", 7, 1), F("SEI", 9, 1),
    F("MEI", 11, 1), F("LCOFI", 13, 1), END_FIELDS};
static const struct reg_field fields_topei[] = {F("priority", 0, 11), F("identity", 16, 11),
                                                END_FIELDS};
static const struct reg_field fields_topi[] = {F("IPRIO", 0, 8), F("IID", 16, 12), END_FIELDS};
static const struct reg_field fields_tvec[] = {FV("MODE", 0, 2, v_tvec), F("BASE", 2, 62),
                                               END_FIELDS};
static const struct reg_field fields_counteren[] = {
    F("CY", 0, 1), F("TM", 1, 1), F("IR", 2, 1), F("HPM", 3, 29), END_FIELDS};
static const struct reg_field fields_countinhibit[] = {
    F("CY", 0, 1), F("IR", 2, 1), F("HPM", 3, 29), END_FIELDS};
static const struct reg_field fields_senvcfg[] = {
    F("FIOM", 0, 1), FV("CBIE", 4, 2, v_cbie), F("CBCFE", 6, 1), F("CBZE", 7, 1), END_FIELDS};
static const struct reg_field fields_menvcfg[] = {
    F("FIOM", 0, 1), FV("CBIE", 4, 2, v_cbie), F("CBCFE", 6, 1), F("CBZE", 7, 1),
    F("ADUE", 61, 1), F("PBMTE", 62, 1), F("STCE", 63, 1), END_FIELDS};
static const struct reg_field fields_cause[] = {F("code", 0, 63), F("interrupt", 63, 1),
                                                END_FIELDS};
static const struct reg_field fields_causes[] = {
    F("fetch_misaligned", 0, 1), F("fetch_access", 1, 1), F("illegal", 2, 1),
    F("breakpoint", 3, 1), F("load_misaligned", 4, 1), F("load_access", 5, 1),
    F("store_misaligned", 6, 1), F("store_access", 7, 1), F("ecall_u", 8, 1),
    F("ecall_s", 9, 1), F("fetch_page", 12, 1), F("load_page", 13, 1), F("store_page", 15, 1),
    END_FIELDS};
static const struct reg_field fields_satp[] = {F("PPN", 0, 44), F("ASID", 44, 16),
                                               FV("MODE", 60, 4, v_satp), END_FIELDS};
static const struct reg_field fields_misa[] = {
    F("A", 0, 1), F("C", 2, 1), F("D", 3, 1), F("F", 5, 1), F("I", 8, 1), F("M", 12, 1),
    F("S", 18, 1), F("U", 20, 1), FV("MXL", 62, 2, v_xl), END_FIELDS};
static const struct reg_field fields_pmpcfg0[] = {
    F("0", 0, 8), F("1", 8, 8), F("2", 16, 8), F("3", 24, 8), F("4", 32, 8), F("5", 40, 8),
    F("6", 48, 8), F("7", 56, 8), END_FIELDS};
static const struct reg_field fields_pmpcfg2[] = {
    F("8", 0, 8), F("9", 8, 8), F("10", 16, 8), F("11", 24, 8), F("12", 32, 8), F("13", 40, 8),
    F("14", 48, 8), F("15", 56, 8), END_FIELDS};
static const struct reg_field fields_hpmevent[] = {
    FV("event", 0, 32, v_event), F("UINH", 60, 1), F("SINH", 61, 1), F("MINH", 62, 1),
    F("OF", 63, 1), END_FIELDS};
static const struct reg_field fields_priv[] = {FV("priv", 0, 2, v_priv), END_FIELDS};

/* ---- the table ---- */

#define GDB_CPU "org.gnu.gdb.riscv.cpu"
#define GDB_FPU "org.gnu.gdb.riscv.fpu"
#define GDB_CSR "org.gnu.gdb.riscv.csr"
#define GDB_VIRTUAL "org.gnu.gdb.riscv.virtual"
/* Numbers that GDB knows without being told. */
enum { GDB_PC = 32, GDB_F0 = 33, GDB_CSR0 = 65, GDB_PRIV = GDB_CSR0 + 4096 };
#define AT(member) ((int32_t)offsetof(struct rv_cpu, member))

/* CSRs 1 to 3 belong to GDB's floating-point feature. */
#define CSR_ROW(addr, name, fields, doc)                                                           \
    {#name, NULL, (addr) <= 3 ? 32 : 64, REG_SYSTEM, -1, addr, (addr) <= 3 ? GDB_FPU : GDB_CSR,     \
     GDB_CSR0 + (addr), fields_##fields, doc},

const struct guest_reg rv_regs[] = {
    {"pc", NULL, 64, REG_PC, AT(cpu.pc), 32, GDB_CPU, GDB_PC, NULL, "Program counter"},
#define X(n, alias, doc) {"x" #n, alias, 64, REG_INT, AT(x[n]), n, GDB_CPU, n, NULL, doc},
    EACH_X(X)
#undef X
#define X(n, alias, doc) {"f" #n, alias, 64, REG_FLOAT, AT(f[n]), n, GDB_FPU, GDB_F0 + (n), NULL, doc},
    EACH_F(X)
#undef X
    {"reservation", NULL, 64, REG_SYSTEM, AT(reserve_addr), 0, NULL, GUEST_NO_GDB, NULL,
     "Address that lr reserved; all ones: none"},
    {"x0", "zero", 64, REG_INT, -1, 0, GDB_CPU, 0, NULL, "Always 0"},
    {"priv", NULL, 64, REG_SYSTEM, -1, 0, GDB_VIRTUAL, GDB_PRIV, fields_priv, "Privilege mode"},
#define RV_CSR(addr, name, ext, need, get, set, ends, fields, doc) CSR_ROW(addr, name, fields, doc)
#define RV_CSR_PLAIN(addr, name, mask, fields, doc) CSR_ROW(addr, name, fields, doc)
#include "guest/riscv64/csr.def"
#undef RV_CSR
#undef RV_CSR_PLAIN
};

const struct ir_slot rv_slots[RV_SLOT_COUNT] = {
    [RV_SLOT_PC] = {"pc", AT(cpu.pc), IR_I64},
#define X(n, alias, doc) [RV_SLOT_X + n] = {"x" #n, AT(x[n]), IR_I64},
    EACH_X(X)
#undef X
#define X(n, alias, doc) [RV_SLOT_F + n] = {"f" #n, AT(f[n]), IR_F64},
    EACH_F(X)
#undef X
    [RV_SLOT_RESERVE] = {"reservation", AT(reserve_addr), IR_I64},
};
/* clang-format on */

static_assert(ARRAY_LEN(rv_regs) == RV_REG_COUNT, "rows: slots, x0, priv, CSRs");

static uint64_t *at(struct cpu *c, uint32_t row)
{
    return (uint64_t *)((char *)c + rv_regs[row].offset);
}

uint64_t rv_reg_read(struct cpu *c, uint32_t row)
{
    uint64_t value = 0;

    if (row < RV_SLOT_COUNT)
        return *at(c, row);
    if (row == RV_REG_PRIV)
        return rv_of(c)->priv;
    if (row >= RV_REG_CSR && row < RV_REG_COUNT)
        rv_csr_peek(rv_of(c), rv_regs[row].number, &value);
    return value;
}

static bool write_priv(struct rv_cpu *h, uint64_t value)
{
    if (value != RV_U && value != RV_S && value != RV_M)
        return false;
    rv_set_priv(h, (unsigned)value);
    rv_update_context(h);
    rv_check_interrupts(h);
    return true;
}

bool rv_reg_write(struct cpu *c, uint32_t row, uint64_t value)
{
    if (row == RV_SLOT_PC && value & ~rv_pc_mask(rv_of(c)))
        return false;
    if (row == RV_SLOT_PC && value != c->pc) {
        c->stop_passed = 0;
        if (c->halted == CPU_WAITS)
            c->halted = CPU_RUNS;
    }
    if (row < RV_SLOT_COUNT) {
        *at(c, row) = value;
        return true;
    }
    if (row == RV_REG_PRIV)
        return write_priv(rv_of(c), value);
    if (row >= RV_REG_CSR && row < RV_REG_COUNT)
        return rv_csr_poke(rv_of(c), rv_regs[row].number, value);
    return false;
}
