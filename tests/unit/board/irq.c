/* Interrupt controllers on the board: what the device tree says of them, wires and messages from
 * devices to harts, and state. */
#include "board/virt.h"
#include "tree.h"

enum { APLIC_M = 0xc000000, APLIC_S = 0xd000000, IMSIC_M = 0x24000000, IMSIC_S = 0x28000000 };
enum { DOMAINCFG = 0, SOURCECFG = 0, SETIENUM = 0x1edc, TARGET = 0x3000, IDC = 0x4000, IE = 0x100 };
enum { LEVEL1 = 6, DELEGATED = 0x400, UART = 0x10000000, UART_IRQ = 10 };
enum { CSR_MIP = 0x344, SISELECT = 0x150, SIREG = 0x151, STOPEI = 0x15c, MTOPEI = 0x35c };
enum { MISELECT = 0x350, MIREG = 0x351, EIDELIVERY = 0x70, EIP0 = 0x80, EIE0 = 0xc0 };

static const char m_aplic[] = "/soc/interrupt-controller@c000000";
static const char s_aplic[] = "/soc/interrupt-controller@d000000";
static const char m_imsic[] = "/soc/interrupt-controller@24000000";
static const char s_imsic[] = "/soc/interrupt-controller@28000000";

static void build(struct rig *r, const char *interrupts)
{
    struct err e = {0};

    rig_init(r);
    r->config.interrupts = interrupts;
    r->config.ncpus = 3;
    ck_assert_msg(rig_build(r, NULL, &e) == 0, "%s", e.msg);
}

static void csr(struct rig *r, unsigned cpu, unsigned number, uint64_t v)
{
    ck_assert(rv_csr_poke(rv_of(r->cpu[cpu]), number, v));
}

/* Hart cpu takes all messages at M's or S's level. */
static void open_file(struct rig *r, unsigned cpu, unsigned iselect)
{
    csr(r, cpu, iselect, EIDELIVERY);
    csr(r, cpu, iselect + 1, 1);
    csr(r, cpu, iselect, EIE0);
    csr(r, cpu, iselect + 1, UINT64_MAX);
}

static void source(struct rig *r, uint64_t domain, uint32_t target)
{
    ck_assert(mem_write(r->mem, domain + SOURCECFG + 4 * UART_IRQ, 4, LEVEL1));
    ck_assert(mem_write(r->mem, domain + TARGET + 4 * UART_IRQ, 4, target));
    ck_assert(mem_write(r->mem, domain + SETIENUM, 4, UART_IRQ));
    ck_assert(mem_write(r->mem, domain + DOMAINCFG, 4, IE));
}

/* The UART asks for attention. */
static void key(struct rig *r)
{
    mem_write(r->mem, UART + 1, 1, 1);
    r->waiting = "k";
    board_poll(r->board);
}

static bool disabled(const void *fdt, const char *path)
{
    return has(fdt, path, "status") && !strcmp(path_of(fdt, path, "status"), "disabled");
}

START_TEST(tree_with_aplic)
{
    struct rig r;
    size_t len;
    const void *fdt;

    build(&r, "aplic");
    fdt = board_dtb(r.board, &len);
    ck_assert_int_eq(fdt_check_full(fdt, len), 0);
    ck_assert_int_lt(fdt_path_offset(fdt, "/soc/plic@c000000"), 0);
    ck_assert_int_lt(fdt_path_offset(fdt, s_imsic), 0);
    ck_assert_int_ge(
        fdt_stringlist_search(fdt, fdt_path_offset(fdt, s_aplic), "compatible", "riscv,aplic"), 0);
    ck_assert(disabled(fdt, m_aplic) && !has(fdt, s_aplic, "status"));
    ck_assert_uint_eq(cell(fdt, s_aplic, "riscv,num-sources", 0), 96);
    ck_assert_uint_eq(cells(fdt, s_aplic, "reg"), APLIC_S);
    ck_assert_uint_eq(cell(fdt, s_aplic, "#interrupt-cells", 0), 2);
    ck_assert(!has(fdt, s_aplic, "msi-parent") && !has(fdt, s_aplic, "riscv,children"));
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(cell(fdt, m_aplic, "interrupts-extended", 2 * i + 1), 11);
        ck_assert_uint_eq(cell(fdt, s_aplic, "interrupts-extended", 2 * i + 1), 9);
    }
    uint32_t s = cell(fdt, s_aplic, "phandle", 0);
    ck_assert_uint_eq(cell(fdt, m_aplic, "riscv,children", 0), s);
    ck_assert_uint_eq(cell(fdt, m_aplic, "riscv,delegation", 0), s);
    ck_assert_uint_eq(cell(fdt, m_aplic, "riscv,delegation", 1), 1);
    ck_assert_uint_eq(cell(fdt, m_aplic, "riscv,delegation", 2), 96);
    ck_assert_uint_eq(cell(fdt, "/soc/serial@10000000", "interrupt-parent", 0), s);
    ck_assert_uint_eq(cell(fdt, "/soc/serial@10000000", "interrupts", 0), UART_IRQ);
    ck_assert_uint_eq(cell(fdt, "/soc/serial@10000000", "interrupts", 1), 4); /* a high level */
    ck_assert(strstr(path_of(fdt, "/cpus/cpu@1", "riscv,isa"), "_smaia_ssaia_"));
    rig_fini(&r);
}
END_TEST

START_TEST(tree_with_imsic)
{
    static const uint8_t image[64] = {0x13};
    struct rig r;
    size_t len;
    const void *fdt;
    uint32_t m, s;

    rig_init(&r);
    r.config.interrupts = "imsic";
    r.config.firmware = rig_file("firmware", image, sizeof image);
    ck_assert_int_eq(rig_build(&r, NULL, NULL), 0);
    unlink(r.config.firmware);
    fdt = board_dtb(r.board, &len);
    ck_assert_int_eq(fdt_check_full(fdt, len), 0);
    m = cell(fdt, m_imsic, "phandle", 0);
    s = cell(fdt, s_imsic, "phandle", 0);
    ck_assert_uint_eq(cell(fdt, m_aplic, "msi-parent", 0), m);
    ck_assert_uint_eq(cell(fdt, s_aplic, "msi-parent", 0), s);
    ck_assert(!has(fdt, m_aplic, "interrupts-extended"));
    ck_assert(!has(fdt, s_aplic, "interrupts-extended"));
    ck_assert_uint_eq(cell(fdt, m_imsic, "interrupts-extended", 1), 11);
    ck_assert_uint_eq(cell(fdt, s_imsic, "interrupts-extended", 3), 9);
    ck_assert_uint_eq(cell(fdt, s_imsic, "riscv,num-ids", 0), 255);
    ck_assert_uint_eq(cells(fdt, s_imsic, "reg"), IMSIC_S);
    ck_assert_uint_eq(cell(fdt, s_imsic, "reg", 3), 0x2000); /* a page for each of two harts */
    ck_assert(has(fdt, s_imsic, "msi-controller") && has(fdt, s_imsic, "interrupt-controller"));
    ck_assert_uint_eq(cell(fdt, s_imsic, "#msi-cells", 0), 0);
    ck_assert(!disabled(fdt, m_imsic) && !disabled(fdt, m_aplic)); /* the firmware's to use */
    rig_fini(&r);
    build(&r, "imsic");
    fdt = board_dtb(r.board, &len);
    ck_assert(disabled(fdt, m_imsic) && disabled(fdt, m_aplic) && !disabled(fdt, s_imsic));
    rig_fini(&r);
}
END_TEST

/* The built-in firmware has delegated all sources; S's domain raises SEI. */
START_TEST(wires_to_supervisors)
{
    struct rig r;
    uint64_t v = 0;

    build(&r, "aplic");
    ck_assert(mem_read(r.mem, APLIC_M + SOURCECFG + 4 * 96, 4, &v) && v == DELEGATED);
    source(&r, APLIC_S, 2 << 18 | 1);
    ck_assert(mem_write(r.mem, APLIC_S + IDC + 2 * 32, 4, 1));
    key(&r);
    ck_assert_uint_eq(rig_csr(&r, 2, CSR_MIP), BIT(RV_IRQ_SEI));
    ck_assert_uint_eq(rig_csr(&r, 0, CSR_MIP), 0);
    ck_assert(mem_read(r.mem, APLIC_S + IDC + 2 * 32 + 0x1c, 4, &v) && v == (UART_IRQ << 16 | 1));
    mem_read(r.mem, UART, 1, &v);
    ck_assert_uint_eq(rig_csr(&r, 2, CSR_MIP), 0);
    key(&r);
    ck_assert_int_eq(board_reset(r.board, NULL), 0);
    ck_assert_uint_eq(rig_csr(&r, 2, CSR_MIP), 0);
    ck_assert(mem_read(r.mem, APLIC_S + SOURCECFG + 4 * UART_IRQ, 4, &v) && v == 0);
    ck_assert(mem_read(r.mem, APLIC_M + SOURCECFG + 4 * UART_IRQ, 4, &v) && v == DELEGATED);
    rig_fini(&r);
}
END_TEST

/* A machine without firmware finds nothing delegated, and M's domain its own. */
START_TEST(wires_to_machine_mode)
{
    static const uint8_t image[64] = {0x13};
    struct rig r;

    rig_init(&r);
    r.config.interrupts = "aplic";
    r.config.kernel = rig_file("bare", image, sizeof image);
    r.config.load_addr = RAM;
    r.config.bare = true;
    ck_assert_int_eq(rig_build(&r, NULL, NULL), 0);
    unlink(r.config.kernel);
    source(&r, APLIC_M, 1 << 18 | 1);
    ck_assert(mem_write(r.mem, APLIC_M + IDC + 32, 4, 1));
    key(&r);
    ck_assert_uint_eq(rig_csr(&r, 1, CSR_MIP), BIT(RV_IRQ_MEI));
    rig_fini(&r);
}
END_TEST

/* From the wire through both domains' addresses to the CSR at which a hart claims. */
START_TEST(wires_to_messages)
{
    struct rig r;
    uint64_t v;

    build(&r, "imsic");
    source(&r, APLIC_S, 1 << 18 | 200);
    open_file(&r, 1, SISELECT);
    csr(&r, 1, SISELECT, EIE0 + 6);
    csr(&r, 1, SIREG, UINT64_MAX);
    ck_assert_uint_eq(rig_csr(&r, 1, CSR_MIP), 0);
    key(&r);
    ck_assert_uint_eq(rig_csr(&r, 1, CSR_MIP), BIT(RV_IRQ_SEI));
    ck_assert_uint_eq(rig_csr(&r, 1, STOPEI), 200 << 16 | 200);
    ck_assert_uint_eq(rig_csr(&r, 1, MTOPEI), 0);
    ck_assert_int_eq(rv_csr_access(rv_of(r.cpu[1]), STOPEI, RV_CSR_RW, true, 0, &v), 0);
    ck_assert_uint_eq(v, 200 << 16 | 200);
    ck_assert_uint_eq(rig_csr(&r, 1, CSR_MIP), 0);
    ck_assert_uint_eq(rig_csr(&r, 0, CSR_MIP) | rig_csr(&r, 2, CSR_MIP), 0);
    rig_fini(&r);
}
END_TEST

/* Stores of harts: an interrupt from one to another, at either level. */
START_TEST(between_harts)
{
    struct rig r;

    build(&r, "imsic");
    open_file(&r, 2, SISELECT);
    open_file(&r, 0, MISELECT);
    r.changes = 0;
    ck_assert(mem_write(r.mem, IMSIC_S + 0x2000, 4, 1));
    ck_assert(mem_write(r.mem, IMSIC_M, 4, 3));
    ck_assert_uint_eq(rig_csr(&r, 2, CSR_MIP), BIT(RV_IRQ_SEI));
    ck_assert_uint_eq(rig_csr(&r, 0, CSR_MIP), BIT(RV_IRQ_MEI));
    ck_assert_uint_eq(r.changes, 2); /* the run loop was told of each */
    ck_assert_uint_eq(rig_csr(&r, 2, STOPEI), 1 << 16 | 1);
    ck_assert_uint_eq(rig_csr(&r, 0, MTOPEI), 3 << 16 | 3);
    ck_assert_int_eq(board_reset(r.board, NULL), 0);
    ck_assert_uint_eq(rig_csr(&r, 2, CSR_MIP) | rig_csr(&r, 2, STOPEI), 0);
    rig_fini(&r);
}
END_TEST

/* Devices' messages reach interrupt files, and nothing else that is on the bus. */
START_TEST(messages_of_devices)
{
    static const uint64_t elsewhere[] = {RAM,         UART,        0x100000,         0x2000000,
                                         IMSIC_S + 2, IMSIC_S + 4, IMSIC_S + 0x8000, IMSIC_M - 4,
                                         APLIC_S,     0x1000,      UINT64_MAX,       UINT64_MAX - 3,
                                         0,           APLIC_M + 4, IMSIC_S + 0x3000, IMSIC_S + 1};
    struct rig r;
    struct buf before, after;
    const struct dev_msi *msi;

    build(&r, "imsic");
    msi = &r.board->msi;
    ck_assert(msi->send);
    open_file(&r, 1, SISELECT);
    before = rig_save(&r);
    for (unsigned i = 0; i < ARRAY_LEN(elsewhere); i++)
        msi->send(msi->opaque, elsewhere[i], 0x5555);
    for (unsigned i = 0; i < ARRAY_LEN(elsewhere); i++)
        msi->send(msi->opaque, elsewhere[i], 7);
    after = rig_save(&r);
    ck_assert_uint_eq(before.len, after.len);
    ck_assert_mem_eq(before.data, after.data, before.len);
    ck_assert_uint_eq(rig_peek(&r, RAM, 4), 0);
    ck_assert_uint_eq(r.ends, 0);
    msi->send(msi->opaque, IMSIC_S + 0x1000, 7);
    ck_assert_uint_eq(rig_csr(&r, 1, STOPEI), 7 << 16 | 7);
    msi->send(msi->opaque, IMSIC_M + 0x1000, 8);
    csr(&r, 1, MISELECT, EIP0);
    ck_assert_uint_eq(rig_csr(&r, 1, MIREG), 1 << 8);
    buf_fini(&before);
    buf_fini(&after);
    rig_fini(&r);
    build(&r, "aplic");
    ck_assert(!r.board->msi.send);
    rig_fini(&r);
}
END_TEST

/* What waits in a file, and what the domains are set to, is saved. */
START_TEST(saved)
{
    struct rig r, q;

    build(&r, "imsic");
    source(&r, APLIC_S, 1 << 18 | 20);
    open_file(&r, 1, SISELECT);
    key(&r);
    build(&q, "imsic");
    rig_copy_state(&r, &q);
    ck_assert_uint_eq(rig_csr(&q, 1, STOPEI), 20 << 16 | 20);
    rig_fini(&q);
    rig_fini(&r);
}
END_TEST

START_TEST(kinds)
{
    struct rig r;
    struct err e = {0};
    uint64_t v;

    rig_init(&r);
    r.config.interrupts = "pic";
    ck_assert_ptr_null(board_new(&r.config, &e));
    ck_assert_msg(strstr(e.msg, "no pic; there is: plic, aplic, imsic"), "%s", e.msg);
    rig_fini(&r);
    build(&r, "plic");
    ck_assert(!rv_csr_peek(rv_of(r.cpu[0]), STOPEI, &v));
    ck_assert(!mem_read(r.mem, IMSIC_S, 4, &v));
    rig_fini(&r);
    build(&r, "aplic"); /* no IMSIC: its CSR is not there for programs */
    ck_assert_int_ne(rv_csr_access(rv_of(r.cpu[0]), STOPEI, RV_CSR_RS, false, 0, &v), 0);
    ck_assert(!mem_read(r.mem, IMSIC_S, 4, &v));
    rig_fini(&r);
}
END_TEST

UNIT_MAIN("board/irq", tree_with_aplic, tree_with_imsic, wires_to_supervisors,
          wires_to_machine_mode, wires_to_messages, between_harts, messages_of_devices, saved,
          kinds)
