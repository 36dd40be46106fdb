/* The APLIC: source modes, delegation, direct delivery, messages. */
#include "dev/aplic.h"
#include "dev_test.h"

enum { DOMAINCFG = 0, SOURCECFG = 0, MSIADDR = 0x1bc0, SETIP = 0x1c00, SETIPNUM = 0x1cdc };
enum { CLRIP = 0x1d00, CLRIPNUM = 0x1ddc, SETIE = 0x1e00, SETIENUM = 0x1edc, CLRIE = 0x1f00 };
enum { CLRIENUM = 0x1fdc, SETIPNUM_LE = 0x2000, SETIPNUM_BE = 0x2004, GENMSI = 0x3000 };
enum { TARGET = 0x3000, IDC = 0x4000, IDELIVERY = 0, IFORCE = 4, ITHRESHOLD = 8, TOPI = 0x18 };
enum { CLAIMI = 0x1c, IE = 0x100 };
enum { DETACHED = 1, EDGE1 = 4, EDGE0, LEVEL1, LEVEL0, DELEGATED = 0x400 };
enum { HARTS = 3, CHILD = 0x100000 /* beside the root */, S = 8 /* wires of the child */ };

#define M_FILES UINT64_C(0x24000000)
#define S_FILES UINT64_C(0x28000000)

/* What was sent last, and how many. */
struct sent {
    uint64_t address;
    uint32_t data;
    unsigned n;
};

struct rig {
    struct bench b; /* the root is its device */
    struct aplic *root, *child;
    struct sent sent;
};

static void note(void *opaque, uint64_t address, uint32_t data)
{
    struct sent *s = opaque;

    *s = (struct sent){address, data, s->n + 1};
}

static void reset(struct rig *r)
{
    aplic_dev(r->root)->class->reset(aplic_dev(r->root));
    aplic_dev(r->child)->class->reset(aplic_dev(r->child));
}

static void setup(struct rig *r, bool messages)
{
    struct aplic_config c = {.nharts = HARTS, .files = M_FILES};
    struct bench *b = &r->b;

    *r = (struct rig){0};
    bench_init(b);
    c.out = bench_line(b, 0);
    if (messages)
        c.msi = (struct dev_msi){note, &r->sent};
    r->root = aplic_new("aplic_m", b->mem, &b->clock, NULL, &c);
    bench_plug(b, aplic_dev(r->root), APLIC_SIZE);
    c.parent = r->root;
    c.files = S_FILES;
    c.out = bench_line(b, S);
    r->child = aplic_new("aplic_s", b->mem, &b->clock, NULL, &c);
    ck_assert_int_eq(dev_map(aplic_dev(r->child), BENCH_DEV + CHILD, APLIC_SIZE, NULL), 0);
    reset(r);
}

static void fini(struct rig *r)
{
    struct dev *child = aplic_dev(r->child);

    bench_fini(&r->b);
    dev_free(child);
}

static void put(struct rig *r, uint64_t offset, uint32_t v)
{
    bench_write(&r->b, offset, 4, v);
}

static uint32_t get(struct rig *r, uint64_t offset)
{
    return (uint32_t)bench_read(&r->b, offset, 4);
}

static void wire(struct rig *r, unsigned n, bool level)
{
    struct dev_line l = aplic_source(r->root, n);

    dev_line_set(&l, level);
}

static bool pending(struct rig *r, uint64_t domain, unsigned n)
{
    return get(r, domain + SETIP + n / 32 * 4) >> (n % 32) & 1;
}

/* Source n in a mode, enabled, with a target register. */
static void source(struct rig *r, uint64_t domain, unsigned n, unsigned mode, uint32_t target)
{
    put(r, domain + SOURCECFG + 4 * n, mode);
    put(r, domain + TARGET + 4 * n, target);
    put(r, domain + SETIENUM, n);
}

static void open_domain(struct rig *r, uint64_t domain)
{
    put(r, domain + DOMAINCFG, IE);
    for (unsigned hart = 0; hart < HARTS; hart++)
        put(r, domain + IDC + 32 * hart + IDELIVERY, 1);
}

static uint32_t claim(struct rig *r, uint64_t domain, unsigned hart)
{
    return get(r, domain + IDC + 32 * hart + CLAIMI);
}

/* ---- direct delivery ---- */

START_TEST(direct_level)
{
    struct rig r;

    setup(&r, false);
    open_domain(&r, 0);
    source(&r, 0, 40, LEVEL1, 1 << 18 | 7);
    wire(&r, 40, true);
    ck_assert(r.b.wire[1] && !r.b.wire[0] && !r.b.wire[S + 1]);
    ck_assert_uint_eq(get(&r, IDC + 32 + TOPI), 40 << 16 | 7);
    ck_assert_uint_eq(claim(&r, 0, 1), 40 << 16 | 7);
    ck_assert(r.b.wire[1]); /* a claim does not lower the level */
    put(&r, CLRIPNUM, 40);
    put(&r, CLRIP + 4, 1 << 8);
    ck_assert(r.b.wire[1] && pending(&r, 0, 40));
    wire(&r, 40, false);
    ck_assert(!r.b.wire[1]);
    put(&r, SETIPNUM, 40); /* nor can software raise it */
    put(&r, SETIP + 4, 1 << 8);
    ck_assert(!r.b.wire[1] && !pending(&r, 0, 40));
    put(&r, SOURCECFG + 4 * 40, LEVEL0);
    ck_assert(r.b.wire[1]);
    ck_assert_uint_eq(get(&r, CLRIP + 4), 1 << 8); /* rectified */
    wire(&r, 40, true);
    ck_assert(!r.b.wire[1]);
    ck_assert_uint_eq(get(&r, CLRIP + 4), 0);
    fini(&r);
}
END_TEST

START_TEST(direct_edge)
{
    struct rig r;

    setup(&r, false);
    open_domain(&r, 0);
    source(&r, 0, 3, EDGE1, 1);
    wire(&r, 3, true);
    ck_assert(r.b.wire[0]);
    wire(&r, 3, false); /* it is remembered */
    ck_assert(r.b.wire[0]);
    ck_assert_uint_eq(claim(&r, 0, 0), 3 << 16 | 1);
    ck_assert(!r.b.wire[0]);
    ck_assert_uint_eq(claim(&r, 0, 0), 0);
    put(&r, SOURCECFG + 4 * 3, EDGE0);
    ck_assert(!pending(&r, 0, 3));
    wire(&r, 3, true);
    ck_assert(!pending(&r, 0, 3));
    wire(&r, 3, false);
    ck_assert(pending(&r, 0, 3));
    put(&r, CLRIPNUM, 3);
    ck_assert(!pending(&r, 0, 3));
    put(&r, SETIPNUM_LE, 3);
    ck_assert(pending(&r, 0, 3));
    fini(&r);
}
END_TEST

/* A detached source has no wire; software makes it pending. */
START_TEST(detached)
{
    struct rig r;

    setup(&r, false);
    open_domain(&r, 0);
    source(&r, 0, 96, DETACHED, 2 << 18 | 1);
    wire(&r, 96, true);
    ck_assert(!r.b.wire[2]);
    ck_assert_uint_eq(get(&r, CLRIP + 12), 0);
    put(&r, SETIP + 12, 0xffffffff);
    ck_assert(r.b.wire[2]);
    ck_assert_uint_eq(get(&r, SETIP + 12), 1);
    put(&r, CLRIP + 12, 1);
    ck_assert(!r.b.wire[2]);
    put(&r, SETIPNUM, 96);
    ck_assert_uint_eq(claim(&r, 0, 2), 96 << 16 | 1);
    ck_assert(!r.b.wire[2]);
    fini(&r);
}
END_TEST

START_TEST(priorities)
{
    struct rig r;

    setup(&r, false);
    open_domain(&r, 0);
    source(&r, 0, 90, DETACHED, 2);
    source(&r, 0, 5, DETACHED, 3);
    source(&r, 0, 4, DETACHED, 3);
    source(&r, 0, 7, DETACHED, 0); /* 0 is taken as 1 */
    source(&r, 0, 8, DETACHED, 1 << 18 | 1);
    ck_assert_uint_eq(get(&r, TARGET + 4 * 7), 1);
    for (const unsigned *n = (const unsigned[]){4, 5, 7, 8, 90, 0}; *n; n++)
        put(&r, SETIPNUM, *n);
    put(&r, IDC + ITHRESHOLD, 1); /* below 1 there is none */
    ck_assert(!r.b.wire[0] && r.b.wire[1]);
    ck_assert_uint_eq(get(&r, IDC + TOPI), 0);
    put(&r, IDC + ITHRESHOLD, 3);
    ck_assert(r.b.wire[0]);
    ck_assert_uint_eq(claim(&r, 0, 0), 7 << 16 | 1);
    ck_assert_uint_eq(claim(&r, 0, 0), 90 << 16 | 2);
    ck_assert(!r.b.wire[0]);
    put(&r, IDC + ITHRESHOLD, 0);
    ck_assert_uint_eq(claim(&r, 0, 0), 4 << 16 | 3);
    ck_assert_uint_eq(claim(&r, 0, 0), 5 << 16 | 3);
    ck_assert(!r.b.wire[0]);
    fini(&r);
}
END_TEST

/* IE and idelivery concern the wires alone; iforce makes an interrupt that is none. */
START_TEST(delivery)
{
    struct rig r;

    setup(&r, false);
    source(&r, 0, 9, DETACHED, 1);
    put(&r, SETIPNUM, 9);
    ck_assert_uint_eq(get(&r, IDC + TOPI), 9 << 16 | 1);
    ck_assert(!r.b.wire[0]);
    put(&r, DOMAINCFG, IE);
    ck_assert(!r.b.wire[0]);
    put(&r, IDC + IDELIVERY, 1);
    ck_assert(r.b.wire[0]);
    put(&r, DOMAINCFG, 0);
    ck_assert(!r.b.wire[0]);
    put(&r, DOMAINCFG, IE);
    put(&r, CLRIENUM, 9);
    ck_assert(!r.b.wire[0]);
    put(&r, IDC + IFORCE, 1);
    ck_assert(r.b.wire[0]);
    ck_assert_uint_eq(claim(&r, 0, 0), 0);
    ck_assert(!r.b.wire[0]);
    ck_assert_uint_eq(get(&r, IDC + IFORCE), 0);
    put(&r, SETIE, 1 << 9);
    ck_assert(r.b.wire[0]);
    ck_assert_uint_eq(bench_peek(&r.b, IDC + CLAIMI, 4), 9 << 16 | 1);
    ck_assert(r.b.wire[0]); /* peeking claims nothing */
    put(&r, CLRIE, 1 << 9);
    ck_assert(!r.b.wire[0]);
    fini(&r);
}
END_TEST

/* ---- delegation ---- */

START_TEST(delegation)
{
    struct rig r;

    setup(&r, false);
    open_domain(&r, 0);
    open_domain(&r, CHILD);
    source(&r, CHILD, 10, LEVEL1, 1); /* not its own yet */
    ck_assert_uint_eq(get(&r, CHILD + SOURCECFG + 40), 0);
    ck_assert_uint_eq(get(&r, CHILD + TARGET + 40), 0);
    wire(&r, 10, true);
    source(&r, 0, 10, LEVEL1, 1);
    ck_assert(r.b.wire[0]);
    put(&r, SOURCECFG + 40, DELEGATED | 5); /* there is one child */
    ck_assert_uint_eq(get(&r, SOURCECFG + 40), DELEGATED);
    ck_assert(!r.b.wire[0]);
    ck_assert(!pending(&r, 0, 10) && !get(&r, SETIE) && !get(&r, TARGET + 40));
    ck_assert_uint_eq(get(&r, CLRIP), 0);
    put(&r, SETIENUM, 10);
    put(&r, TARGET + 40, 1);
    ck_assert(!get(&r, SETIE) && !get(&r, TARGET + 40));
    ck_assert_uint_eq(get(&r, CHILD + SOURCECFG + 40), 0);
    source(&r, CHILD, 10, LEVEL1, 2 << 18 | 9);
    ck_assert(r.b.wire[S + 2] && !r.b.wire[2]);
    ck_assert_uint_eq(claim(&r, CHILD, 2), 10 << 16 | 9);
    put(&r, SOURCECFG + 40, DELEGATED); /* once more: the child's remains */
    ck_assert_uint_eq(get(&r, CHILD + SOURCECFG + 40), LEVEL1);
    wire(&r, 10, false);
    ck_assert(!r.b.wire[S + 2]);
    wire(&r, 10, true);
    ck_assert(r.b.wire[S + 2]);
    put(&r, SOURCECFG + 40, 0); /* taken back */
    ck_assert(!r.b.wire[S + 2]);
    ck_assert(!get(&r, CHILD + SOURCECFG + 40) && !get(&r, CHILD + SETIE));
    put(&r, SOURCECFG + 40, DELEGATED);
    ck_assert(!get(&r, CHILD + SOURCECFG + 40));
    fini(&r);
}
END_TEST

START_TEST(a_leaf_delegates_nothing)
{
    struct rig r;

    setup(&r, false);
    aplic_delegate(r.root);
    for (unsigned n = 1; n <= 96; n++)
        ck_assert_uint_eq(get(&r, SOURCECFG + 4 * n), DELEGATED);
    put(&r, CHILD + SOURCECFG + 4 * 96, LEVEL1);
    ck_assert_uint_eq(get(&r, CHILD + SOURCECFG + 4 * 96), LEVEL1);
    put(&r, CHILD + SOURCECFG + 4 * 96, DELEGATED | LEVEL1);
    ck_assert_uint_eq(get(&r, CHILD + SOURCECFG + 4 * 96), 0);
    fini(&r);
}
END_TEST

/* ---- messages ---- */

START_TEST(messages)
{
    struct rig r;

    setup(&r, true);
    aplic_delegate(r.root);
    put(&r, CHILD + DOMAINCFG, IE);
    ck_assert_uint_eq(get(&r, CHILD + DOMAINCFG), 0x80000104);
    source(&r, CHILD, 33, LEVEL1, 2u << 18 | 0x3f << 12 | 1 << 11 | 77);
    ck_assert_uint_eq(get(&r, CHILD + TARGET + 4 * 33), 2 << 18 | 77); /* no guests */
    wire(&r, 33, true);
    ck_assert_uint_eq(r.sent.n, 1);
    ck_assert_uint_eq(r.sent.address, S_FILES + 0x2000);
    ck_assert_uint_eq(r.sent.data, 77);
    ck_assert(!pending(&r, CHILD, 33));
    put(&r, CHILD + SETIPNUM_LE, 33); /* still high: once more.  4.9.2 */
    ck_assert_uint_eq(r.sent.n, 2);
    wire(&r, 33, false);
    put(&r, CHILD + SETIPNUM, 33);
    put(&r, CHILD + SETIP + 4, 2);
    ck_assert_uint_eq(r.sent.n, 2);
    put(&r, CHILD + CLRIENUM, 33);
    wire(&r, 33, true);
    ck_assert(pending(&r, CHILD, 33));
    put(&r, CHILD + CLRIPNUM, 33); /* can be cleared here */
    ck_assert(!pending(&r, CHILD, 33));
    put(&r, CHILD + SETIP + 4, 2);
    ck_assert(pending(&r, CHILD, 33));
    wire(&r, 33, false);
    ck_assert(!pending(&r, CHILD, 33));
    ck_assert_uint_eq(r.sent.n, 2);
    ck_assert_uint_eq(r.b.sets, 0); /* no wire to a hart has any part in it */
    fini(&r);
}
END_TEST

/* With IE off they wait; edges and detached sources are sent once each. */
START_TEST(messages_wait)
{
    struct rig r;

    setup(&r, true);
    source(&r, 0, 1, EDGE1, 5);
    source(&r, 0, 64, DETACHED, 1 << 18 | 6);
    wire(&r, 1, true);
    put(&r, SETIPNUM, 64);
    ck_assert_uint_eq(r.sent.n, 0);
    put(&r, DOMAINCFG, IE);
    ck_assert_uint_eq(r.sent.n, 2);
    ck_assert_uint_eq(r.sent.address, M_FILES + 0x1000);
    ck_assert_uint_eq(r.sent.data, 6);
    wire(&r, 1, false);
    wire(&r, 1, true);
    ck_assert_uint_eq(r.sent.n, 3);
    ck_assert_uint_eq(r.sent.address, M_FILES);
    fini(&r);
}
END_TEST

START_TEST(genmsi)
{
    struct rig r;

    setup(&r, true);
    put(&r, CHILD + GENMSI, 1 << 18 | 1 << 12 | 0x7ff); /* even without IE */
    ck_assert_uint_eq(r.sent.n, 1);
    ck_assert_uint_eq(r.sent.address, S_FILES + 0x1000);
    ck_assert_uint_eq(r.sent.data, 0x7ff);
    ck_assert_uint_eq(get(&r, CHILD + GENMSI), 1 << 18 | 0x7ff); /* not busy */
    put(&r, GENMSI, 2 << 18 | 3);
    ck_assert_uint_eq(r.sent.address, M_FILES + 0x2000);
    fini(&r);
    setup(&r, false);
    put(&r, GENMSI, 1 << 18 | 3);
    ck_assert_uint_eq(get(&r, GENMSI), 0);
    fini(&r);
}
END_TEST

/* Firmware may say where the files are; all domains follow. */
START_TEST(message_addresses)
{
    struct rig r;

    setup(&r, true);
    ck_assert_uint_eq(get(&r, MSIADDR), 0x24000);
    ck_assert_uint_eq(get(&r, MSIADDR + 4), 0x3000);
    ck_assert_uint_eq(get(&r, MSIADDR + 8), 0x28000);
    ck_assert_uint_eq(get(&r, CHILD + MSIADDR), 0);
    put(&r, CHILD + MSIADDR, 1);
    ck_assert_uint_eq(get(&r, CHILD + MSIADDR), 0);
    put(&r, MSIADDR, 0x100);
    put(&r, MSIADDR + 4, 0x01020000 | 1 << 20 | 2 << 12 | 0xabc);
    put(&r, MSIADDR + 8, 0x200);
    put(&r, MSIADDR + 12, 0xffffffff);
    ck_assert_uint_eq(get(&r, MSIADDR + 12), 0x00700fff);
    put(&r, MSIADDR + 12, 2 << 20 | 0xdef);
    put(&r, GENMSI, 0x7u << 18 | 1); /* group 1, hart 3 */
    ck_assert_uint_eq(r.sent.address, (UINT64_C(0xabc00000100) | UINT64_C(1) << 13 | 3 << 1) << 12);
    put(&r, CHILD + GENMSI, 0x7u << 18 | 1);
    ck_assert_uint_eq(r.sent.address, (UINT64_C(0xdef00000200) | UINT64_C(1) << 13 | 3 << 2) << 12);
    put(&r, MSIADDR + 4, 0xffffffff);
    ck_assert_uint_eq(get(&r, MSIADDR + 4), 0x9f77ffff);
    put(&r, MSIADDR, 0); /* locked */
    put(&r, MSIADDR + 4, 0);
    put(&r, MSIADDR + 8, 0);
    put(&r, MSIADDR + 12, 0);
    ck_assert_uint_eq(get(&r, MSIADDR), 0x100);
    ck_assert_uint_eq(get(&r, MSIADDR + 4), 0x9f77ffff);
    ck_assert_uint_eq(get(&r, MSIADDR + 8), 0x200);
    put(&r, GENMSI, 0xffffffff);
    put(&r, CHILD + GENMSI, 0xffffffff);
    fini(&r);
    setup(&r, false);
    put(&r, MSIADDR, 0x100);
    ck_assert_uint_eq(get(&r, MSIADDR), 0);
    fini(&r);
}
END_TEST

/* ---- all ---- */

START_TEST(registers)
{
    struct rig r;
    uint64_t v;

    setup(&r, false);
    ck_assert_uint_eq(get(&r, DOMAINCFG), 0x80000000);
    put(&r, DOMAINCFG, 0xffffffff);
    ck_assert_uint_eq(get(&r, DOMAINCFG), 0x80000100);
    put(&r, SOURCECFG + 4, 2);
    ck_assert_uint_eq(get(&r, SOURCECFG + 4), 0);
    put(&r, SOURCECFG + 4, 0xfffffbff & ~7u);
    ck_assert_uint_eq(get(&r, SOURCECFG + 4), 0);
    put(&r, TARGET + 4, 1); /* inactive */
    put(&r, SETIENUM, 1);
    put(&r, SETIPNUM, 1);
    ck_assert(!get(&r, TARGET + 4) && !get(&r, SETIE) && !get(&r, SETIP));
    put(&r, SOURCECFG + 4, DETACHED);
    ck_assert_uint_eq(get(&r, TARGET + 4), 1);
    put(&r, TARGET + 4, 0xffffffff);
    ck_assert_uint_eq(get(&r, TARGET + 4), 0xfffc00ff);
    for (const unsigned *n = (const unsigned[]){97, 1023, 0x80000001, 0xffffffff, 0}; *n; n++) {
        put(&r, SETIENUM, *n);
        put(&r, SETIPNUM, *n);
    }
    put(&r, SETIENUM, 0);
    put(&r, SETIPNUM_BE, 0x01000000);
    ck_assert(!get(&r, SETIE) && !get(&r, SETIP));
    put(&r, SOURCECFG + 4 * 97, LEVEL1);
    put(&r, TARGET + 4 * 97, 1);
    ck_assert(!get(&r, SOURCECFG + 4 * 97) && !get(&r, TARGET + 4 * 97));
    put(&r, IDC + 32 * HARTS + IDELIVERY, 1); /* no such hart */
    ck_assert_uint_eq(get(&r, IDC + 32 * HARTS + IDELIVERY), 0);
    put(&r, IDC + ITHRESHOLD, 0xfff);
    ck_assert_uint_eq(get(&r, IDC + ITHRESHOLD), 0xff);
    ck_assert(!mem_write(r.b.mem, BENCH_DEV, 8, 0));
    ck_assert(!mem_write(r.b.mem, BENCH_DEV, 1, 0));
    ck_assert(!mem_read(r.b.mem, BENCH_DEV, 2, &v));
    fini(&r);
}
END_TEST

/* All ones and small numbers into every register, with every wire going up and down. */
START_TEST(hostile)
{
    static const uint32_t values[] = {0xffffffff, 0, 1, 6, 0x104, 0x400, 0x7fffffff, 96};
    struct rig r;

    for (unsigned msi = 0; msi < 2; msi++) {
        setup(&r, msi);
        for (unsigned i = 0; i < sizeof values / sizeof *values; i++) {
            for (uint64_t at = 0; at < APLIC_SIZE; at += 4) {
                put(&r, at, values[i]);
                put(&r, CHILD + at, values[i]);
            }
            for (unsigned n = 1; n <= 96; n++)
                wire(&r, n, i % 2);
            for (uint64_t at = 0; at < APLIC_SIZE; at += 4) {
                get(&r, at);
                get(&r, CHILD + at);
            }
            bench_round_trip(&r.b);
        }
        reset(&r);
        ck_assert_uint_eq(get(&r, DOMAINCFG), msi ? 0x80000004 : 0x80000000);
        ck_assert(!get(&r, SOURCECFG + 4) && !get(&r, SETIP) && !get(&r, SETIE));
        for (unsigned i = 0; i < BENCH_WIRES; i++)
            ck_assert(!r.b.wire[i]);
        fini(&r);
    }
}
END_TEST

/* Both domains, saved and loaded, go on as they were. */
START_TEST(saved_state)
{
    struct rig r;
    struct buf child;

    setup(&r, false);
    aplic_delegate(r.root);
    open_domain(&r, CHILD);
    source(&r, CHILD, 50, EDGE1, 1 << 18 | 4);
    wire(&r, 50, true);
    put(&r, CHILD + IDC + ITHRESHOLD, 9);
    r.b.dev = aplic_dev(r.child);
    child = bench_save(&r.b);
    r.b.dev = aplic_dev(r.root);
    bench_round_trip(&r.b);
    r.b.dev = aplic_dev(r.child);
    bench_round_trip(&r.b);
    ck_assert_uint_eq(get(&r, CHILD + IDC + ITHRESHOLD), 9);
    ck_assert_uint_eq(get(&r, CHILD + DOMAINCFG), 0x80000100);
    ck_assert_uint_eq(claim(&r, CHILD, 1), 50 << 16 | 4);
    ck_assert_int_eq(bench_load(&r.b, &child), 0);
    ck_assert_uint_eq(claim(&r, CHILD, 1), 50 << 16 | 4);
    buf_fini(&child);
    r.b.dev = aplic_dev(r.root);
    fini(&r);
}
END_TEST

/* A state in which a domain without a child delegates is refused. */
START_TEST(bad_state)
{
    struct rig r;
    struct bench b;
    struct buf saved;
    const struct aplic_config leaf = {.nharts = HARTS};

    setup(&r, false);
    aplic_delegate(r.root);
    saved = bench_save(&r.b);
    ck_assert_int_eq(bench_load(&r.b, &saved), 0);
    fini(&r);
    bench_init(&b);
    bench_plug(&b, aplic_dev(aplic_new("aplic_m", b.mem, &b.clock, NULL, &leaf)), APLIC_SIZE);
    ck_assert_int_ne(bench_load(&b, &saved), 0);
    ck_assert_uint_eq(bench_read(&b, SOURCECFG + 4, 4), 0);
    buf_fini(&saved);
    bench_fini(&b);
}
END_TEST

UNIT_MAIN("dev/aplic", direct_level, direct_edge, detached, priorities, delivery, delegation,
          a_leaf_delegates_nothing, messages, messages_wait, genmsi, message_addresses, registers,
          hostile, saved_state, bad_state)
