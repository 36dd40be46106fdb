/* Semihosting: what is open is state, and what a saved state says is not believed.  The calls
 * themselves: tests/guest/riscv64/semihosting.sh. */
#include <sys/stat.h>

#include "board/semihost.h"
#include "board_test.h"
#include "host/host_share.h"

enum { OPEN = 1, CLOSE = 2, WRITE = 5, READ = 6, READC = 7, SEEK = 0xa };
enum { A0 = 10, A1 = 11 };

#define BLOCK RAM
#define TEXT  (RAM + 0x100)

static char folder[128];

static void setup(struct rig *r)
{
    struct err e = {0};
    const char *dir = getenv("TMPDIR");

    snprintf(folder, sizeof folder, "%s/glovebox-%d-folder", dir ? dir : "/tmp", (int)getpid());
    mkdir(folder, 0700);
    rig_init(r);
    r->config.semihosting = true;
    r->config.semihosting_files = host_share_open(folder, false, &e);
    ck_assert_msg(r->config.semihosting_files, "%s", e.msg);
    ck_assert_msg(rig_build(r, NULL, &e) == 0, "%s", e.msg);
}

static void fini(struct rig *r)
{
    struct host_share *files = r->config.semihosting_files;

    rig_fini(r);
    host_share_close(files);
}

static uint64_t call(struct rig *r, uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
    const struct cpu_env *env = board_env(r->board);
    const uint64_t block[3] = {a, b, c};

    mem_poke(r->mem, BLOCK, block, sizeof block);
    rv_set_x(r->cpu[0], A0, number);
    rv_set_x(r->cpu[0], A1, BLOCK);
    ck_assert(env->semihosting(env->opaque, r->cpu[0]));
    return rv_x(r->cpu[0], A0);
}

static uint64_t open_file(struct rig *r, const char *name, unsigned mode)
{
    mem_poke(r->mem, TEXT, name, strlen(name) + 1);
    return call(r, OPEN, TEXT, mode, strlen(name));
}

static void save(struct rig *r, struct buf *out)
{
    struct snap s;

    snap_open_save(&s, out);
    semihost_state(r->board->semihost, &s);
    ck_assert_int_eq(snap_close(&s, NULL), 0);
}

static int load(struct rig *r, const struct buf *in, struct err *e)
{
    struct snap s;

    snap_open_load(&s, in->data, in->len);
    semihost_state(r->board->semihost, &s);
    return snap_close(&s, e);
}

/* A file that was open for writing goes on where it was, and is not emptied. */
START_TEST(state)
{
    struct rig r;
    struct buf saved = BUF_INIT;
    struct err e = {0};
    uint64_t f, text = 0;

    setup(&r);
    f = open_file(&r, "a", 6);
    mem_poke(r.mem, TEXT, "abcdef", 6);
    ck_assert_uint_eq(call(&r, WRITE, f, TEXT, 6), 0);
    ck_assert_uint_eq(call(&r, SEEK, f, 2, 0), 0);
    save(&r, &saved);
    ck_assert_uint_eq(call(&r, SEEK, f, 5, 0), 0);
    ck_assert_uint_eq(call(&r, CLOSE, f, 0, 0), 0);
    ck_assert_msg(load(&r, &saved, &e) == 0, "%s", e.msg);
    ck_assert_uint_eq(call(&r, READ, f, TEXT, 8), 4);
    mem_peek(r.mem, TEXT, &text, 4);
    ck_assert_mem_eq(&text, "cdef", 4);

    /* Gone meanwhile. */
    char path[160];
    snprintf(path, sizeof path, "%s/a", folder);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_ne(load(&r, &saved, &e), 0);
    ck_assert_msg(strstr(e.msg, "semihosting") && strstr(e.msg, "path"), "%s", e.msg);
    ck_assert_uint_eq(call(&r, CLOSE, f, 0, 0), UINT64_MAX);
    buf_fini(&saved);
    fini(&r);
    rmdir(folder);
}
END_TEST

/* A section with one handle, as semihost_state writes it. */
static void forge(uint8_t kind, uint8_t mode, const char *name, struct buf *out)
{
    struct snap s;
    uint32_t zero = 0;
    uint64_t at = 0;
    uint16_t len = (uint16_t)strlen(name), none = 0;
    char path[512];

    snprintf(path, sizeof path, "%s", name);
    snap_open_save(&s, out);
    snap_section(&s, "semihosting", 2);
    snap_u32(&s, "error", &zero);
    snap_u32(&s, "waiting", &zero);
    for (unsigned i = 0; i < 32; i++) {
        snap_u8(&s, "kind", &kind);
        snap_u8(&s, "mode", &mode);
        snap_u64(&s, "at", &at);
        snap_u16(&s, "path_len", i ? &none : &len);
        snap_bytes(&s, "path", path, i ? 0 : len);
        kind = mode = 0;
    }
    ck_assert_int_eq(snap_close(&s, NULL), 0);
}

/* Names in a saved state lead out of the folder no more than the guest's. */
START_TEST(forged_state)
{
    enum { HOST_FILE = 4 };
    char deep[512];
    const struct {
        uint8_t kind, mode;
        const char *name;
        bool good;
    } rows[] = {
        {HOST_FILE, 0, "file", true},
        {HOST_FILE, 0, "../file", false},
        {HOST_FILE, 0, "x/../file", false},
        {HOST_FILE, 0, "/", false},
        {HOST_FILE, 0, "", false},
        {HOST_FILE, 0, "link", false},
        {HOST_FILE, 4, "new", false},
        {HOST_FILE, 12, "file", false},
        {HOST_FILE + 1, 0, "file", false},
        {HOST_FILE, 0, deep, false},
        {0, 0, "", true},
        {0, 0, "file", false},
    };
    struct rig r;
    char path[160];
    struct err e;

    memset(deep, 'a', sizeof deep - 1);
    deep[sizeof deep - 1] = 0;
    setup(&r);
    ck_assert_uint_eq(open_file(&r, "file", 4), 3);
    snprintf(path, sizeof path, "%s/link", folder);
    ck_assert_int_eq(symlink("/etc/passwd", path), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf saved = BUF_INIT;

        forge(rows[i].kind, rows[i].mode, rows[i].name, &saved);
        ck_assert_msg((load(&r, &saved, &e) == 0) == rows[i].good, "row %zu", i);
        buf_fini(&saved);
    }
    ck_assert_uint_eq(open_file(&r, "file", 0), 3);
    ck_assert_int_eq(board_reset(r.board, NULL), 0);
    ck_assert_uint_eq(call(&r, CLOSE, 3, 0, 0), UINT64_MAX);
    fini(&r);
    unlink(path);
    snprintf(path, sizeof path, "%s/new", folder);
    ck_assert_int_ne(access(path, F_OK), 0);
    snprintf(path, sizeof path, "%s/file", folder);
    unlink(path);
    rmdir(folder);
}
END_TEST

/* An interrupt takes a hart away from its wait for a key, which is then nothing to it. */
START_TEST(off_meanwhile)
{
    struct rig r;

    setup(&r);
    call(&r, READC, 0, 0, 0);
    ck_assert_uint_eq(r.cpu[0]->halted, CPU_WAITS);
    r.cpu[0]->halted = CPU_OFF;
    r.waiting = "x";
    board_poll(r.board);
    ck_assert_uint_eq(r.cpu[0]->halted, CPU_OFF);
    r.cpu[0]->halted = CPU_RUNS;
    ck_assert_uint_eq(call(&r, READC, 0, 0, 0), 'x');

    call(&r, READC, 0, 0, 0);
    r.waiting = "y";
    board_poll(r.board);
    ck_assert_uint_eq(r.cpu[0]->halted, CPU_RUNS);
    fini(&r);
    rmdir(folder);
}
END_TEST

UNIT_MAIN("board/semihost", state, forged_state, off_meanwhile)
