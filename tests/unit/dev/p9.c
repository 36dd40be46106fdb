/* The 9P device: every request, on a folder of the test's own; ways out of it; hostile messages. */
#include "dev/virtio/p9.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/host_share.h"
#include "vio_test.h"

enum { STATFS = 8, LOPEN = 12, LCREATE = 14, SYMLINK = 16, MKNOD = 18, RENAME = 20 };
enum { READLINK = 22, GETATTR = 24, SETATTR = 26, XATTRWALK = 30, READDIR = 40, FSYNC = 50 };
enum { LOCK = 52, GETLOCK = 54, LINK = 70, MKDIR = 72, RENAMEAT = 74, UNLINKAT = 76 };
enum { P9_VERSION = 100, AUTH = 102, ATTACH = 104, FLUSH = 108, WALK = 110, READ = 116 };
enum { WRITE = 118, CLUNK = 120, REMOVE = 122 };

#define REQUEST VT_DATA
#define REPLY   (VT_DATA + 0x10000)
#define ROOT    1u /* the fid of the folder */
#define ROOM    0x4000u

struct rig {
    struct bench b;
    char dir[64];
    struct host_share *share;
    uint8_t msg[0x8000]; /* the request, put together; then the reply */
    size_t len, at;
};

static void put(struct rig *r, unsigned size, uint64_t v)
{
    bits_store_le(r->msg + r->len, size, v);
    r->len += size;
}

static void put_str(struct rig *r, const char *s)
{
    put(r, 2, strlen(s));
    memcpy(r->msg + r->len, s, strlen(s));
    r->len += strlen(s);
}

static void begin(struct rig *r, unsigned type)
{
    r->len = 0;
    put(r, 4, 0);
    put(r, 1, type);
    put(r, 2, 0x1234);
}

static uint64_t get(struct rig *r, unsigned size)
{
    uint64_t v = bits_load_le(r->msg + r->at, size);
    r->at += size;
    return v;
}

/* Sends the message with `room` for the reply; the error number, or 0. */
static int ask_room(struct rig *r, uint32_t room)
{
    unsigned type = r->msg[4], got;
    uint32_t len;

    bits_store_le(r->msg, 4, r->len);
    mem_poke(r->b.mem, REQUEST, r->msg, r->len);
    const struct vt_seg segs[] = {{REQUEST, (uint32_t)r->len, false}, {REPLY, room, true}};
    len = vt_do(&r->b, 0, segs, 2);
    ck_assert_uint_le(len, room);
    mem_peek(r->b.mem, REPLY, r->msg, len);
    r->len = len;
    r->at = 0;
    ck_assert_uint_eq(get(r, 4), len);
    got = (unsigned)get(r, 1);
    ck_assert_uint_eq(get(r, 2), 0x1234);
    if (got == 7) {
        ck_assert_uint_eq(len, 11);
        return (int)get(r, 4);
    }
    ck_assert_uint_eq(got, type + 1);
    return 0;
}

static int ask(struct rig *r)
{
    return ask_room(r, ROOM);
}

static int version(struct rig *r, uint32_t msize, const char *name)
{
    begin(r, P9_VERSION);
    put(r, 4, msize);
    put_str(r, name);
    return ask(r);
}

static int attach(struct rig *r, uint32_t fid)
{
    begin(r, ATTACH);
    put(r, 4, fid);
    put(r, 4, UINT32_MAX);
    put_str(r, "root");
    put_str(r, "");
    put(r, 4, 0);
    return ask(r);
}

/* The path's names, with '/' between, from the fid to a new one. */
static int walk(struct rig *r, uint32_t fid, uint32_t newfid, const char *path)
{
    char copy[512], *rest = copy, *name;
    size_t count_at;
    unsigned n = 0;

    snprintf(copy, sizeof copy, "%s", path);
    begin(r, WALK);
    put(r, 4, fid);
    put(r, 4, newfid);
    count_at = r->len;
    put(r, 2, 0);
    while (*path && (name = strsep(&rest, "/"))) {
        put_str(r, name);
        n++;
    }
    bits_store_le(r->msg + count_at, 2, n);
    int rc = ask(r);
    return rc ? rc : get(r, 2) == n ? 0 : -1;
}

static int lopen(struct rig *r, uint32_t fid, unsigned flags)
{
    begin(r, LOPEN);
    put(r, 4, fid);
    put(r, 4, flags);
    return ask(r);
}

static int lcreate(struct rig *r, uint32_t fid, const char *name, unsigned flags, unsigned mode)
{
    begin(r, LCREATE);
    put(r, 4, fid);
    put_str(r, name);
    put(r, 4, flags);
    put(r, 4, mode);
    put(r, 4, 0);
    return ask(r);
}

static int read_at(struct rig *r, uint32_t fid, uint64_t offset, uint32_t count)
{
    begin(r, READ);
    put(r, 4, fid);
    put(r, 8, offset);
    put(r, 4, count);
    return ask(r);
}

static int write_at(struct rig *r, uint32_t fid, uint64_t offset, const char *text)
{
    begin(r, WRITE);
    put(r, 4, fid);
    put(r, 8, offset);
    put(r, 4, strlen(text));
    memcpy(r->msg + r->len, text, strlen(text));
    r->len += strlen(text);
    return ask(r);
}

/* A request of a fid alone. */
static int simple(struct rig *r, unsigned type, uint32_t fid)
{
    begin(r, type);
    put(r, 4, fid);
    if (type == GETATTR)
        put(r, 8, UINT64_MAX);
    if (type == FSYNC)
        put(r, 4, 0);
    return ask(r);
}

static int named(struct rig *r, unsigned type, uint32_t fid, const char *name, unsigned extra)
{
    begin(r, type);
    put(r, 4, fid);
    put_str(r, name);
    put(r, 4, extra);
    if (type == MKNOD) {
        put(r, 4, 1);
        put(r, 4, 3);
    }
    if (type != UNLINKAT)
        put(r, 4, 0); /* the group */
    return ask(r);
}

static int symlink_at(struct rig *r, uint32_t fid, const char *name, const char *target)
{
    begin(r, SYMLINK);
    put(r, 4, fid);
    put_str(r, name);
    put_str(r, target);
    put(r, 4, 0);
    return ask(r);
}

static int setattr(struct rig *r, uint32_t fid, unsigned what, unsigned mode, uint64_t size,
                   uint64_t seconds, uint64_t nanos)
{
    begin(r, SETATTR);
    put(r, 4, fid);
    put(r, 4, what);
    put(r, 4, mode);
    put(r, 8, 0);
    put(r, 8, size);
    for (unsigned i = 0; i < 2; i++) {
        put(r, 8, seconds);
        put(r, 8, nanos);
    }
    return ask(r);
}

static int renameat_at(struct rig *r, uint32_t a, const char *from, uint32_t c, const char *to)
{
    begin(r, RENAMEAT);
    put(r, 4, a);
    put_str(r, from);
    put(r, 4, c);
    put_str(r, to);
    return ask(r);
}

static const char *path_of(struct rig *r, const char *name)
{
    static char path[2][256];
    static unsigned n;
    char *p = path[n++ % 2];

    snprintf(p, sizeof path[0], "%s/%s", r->dir, name);
    return p;
}

static void make(struct rig *r, const char *name, const char *text)
{
    FILE *f = fopen(path_of(r, name), "w");

    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

static void setup(struct rig *r, bool read_only)
{
    struct dev_share share = {.tag = "host"};
    char shared[96];

    memset(r, 0, sizeof *r);
    strcpy(r->dir, "/tmp/glovebox-p9-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(r->dir));
    ck_assert_int_eq(mkdir(path_of(r, "in"), 0755), 0);
    ck_assert_int_eq(mkdir(path_of(r, "in/sub"), 0755), 0);
    make(r, "in/file", "hello, guest");
    make(r, "in/sub/deep", "deep");
    make(r, "secret", "not for guests");
    ck_assert_int_eq(symlink("../secret", path_of(r, "in/out")), 0);
    ck_assert_int_eq(symlink("..", path_of(r, "in/up")), 0);
    ck_assert_int_eq(symlink("sub", path_of(r, "in/down")), 0);
    snprintf(shared, sizeof shared, "%s/in", r->dir);
    r->share = host_share_open(shared, read_only, NULL);
    ck_assert_ptr_nonnull(r->share);
    share.share = r->share;
    vt_plug(&r->b, vio_p9_new(&share));
    vt_start(&r->b, 1, 1);
    ck_assert_int_eq(version(r, 8192, "9P2000.L"), 0);
    ck_assert_uint_eq(get(r, 4), 8192);
    ck_assert_int_eq(attach(r, ROOT), 0);
    ck_assert_uint_eq(get(r, 1), 0x80);
}

static void teardown(struct rig *r)
{
    char command[128];

    bench_fini(&r->b);
    host_share_close(r->share);
    snprintf(command, sizeof command, "rm -rf %s", r->dir);
    ck_assert_int_eq(system(command), 0);
}

static bool host_has(struct rig *r, const char *name, const char *text)
{
    char got[256] = "";
    FILE *f = fopen(path_of(r, name), "r");

    if (!f)
        return false;
    got[fread(got, 1, sizeof got - 1, f)] = 0;
    fclose(f);
    return !strcmp(got, text);
}

START_TEST(session)
{
    struct rig r;

    setup(&r, false);
    ck_assert_uint_eq(vt_id(&r.b), 9);
    ck_assert_uint_eq(vt_config(&r.b, 0, 2), 4);
    ck_assert_uint_eq(vt_config(&r.b, 2, 2), 'h' | 'o' << 8);
    ck_assert_int_eq(attach(&r, ROOT), EBADF); /* it is taken */
    ck_assert_int_eq(attach(&r, UINT32_MAX), EBADF);
    ck_assert_int_eq(simple(&r, AUTH, 5), EOPNOTSUPP);
    ck_assert_int_eq(simple(&r, 200, 5), EOPNOTSUPP);
    begin(&r, FLUSH);
    put(&r, 2, 1);
    ck_assert_int_eq(ask(&r), 0);
    ck_assert_int_eq(simple(&r, CLUNK, ROOT), 0);
    ck_assert_int_eq(simple(&r, CLUNK, ROOT), EBADF);
    ck_assert_int_eq(version(&r, UINT32_MAX, "9P2000.L"), 0);
    ck_assert_uint_eq(get(&r, 4), 512 << 10);
    ck_assert_int_eq(version(&r, 8192, "9P2000.u"), 0);
    get(&r, 4);
    ck_assert_uint_eq(get(&r, 2), 7);
    ck_assert_mem_eq(r.msg + r.at, "unknown", 7);
    ck_assert_int_eq(version(&r, 100, "9P2000.L"), EINVAL);
    attach(&r, ROOT);
    version(&r, 8192, "9P2000.L"); /* which forgets all fids */
    ck_assert_int_eq(simple(&r, CLUNK, ROOT), EBADF);
    vt_start(&r.b, 1, 1);
    ck_assert_int_eq(attach(&r, ROOT), EPROTO); /* no version yet */
    teardown(&r);
}
END_TEST

START_TEST(walks)
{
    struct rig r;

    setup(&r, false);
    ck_assert_int_eq(walk(&r, ROOT, 2, ""), 0);
    ck_assert_int_eq(walk(&r, ROOT, 2, "file"), EBADF); /* taken */
    ck_assert_int_eq(walk(&r, 9, 3, "file"), EBADF);
    ck_assert_int_eq(walk(&r, 2, 2, "sub"), 0); /* in place */
    ck_assert_int_eq(walk(&r, 2, 3, "deep"), 0);
    ck_assert_int_eq(walk(&r, ROOT, 4, "nothing"), ENOENT);
    ck_assert_int_eq(walk(&r, ROOT, 4, "sub/nothing"), -1); /* one step of two */
    ck_assert_int_eq(simple(&r, CLUNK, 4), EBADF);
    ck_assert_int_eq(walk(&r, ROOT, 4, "file/x"), -1);
    ck_assert_int_eq(walk(&r, ROOT, 4, "a//b"), ENOENT);
    ck_assert_int_eq(walk(&r, ROOT, 4, "1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7"), EINVAL);
    bench_round_trip(&r.b);
    ck_assert_int_eq(walk(&r, 3, 5, ".."), 0);
    ck_assert_int_eq(walk(&r, 5, 6, "deep"), 0);
    teardown(&r);
}
END_TEST

/* No way out of the folder. */
START_TEST(escapes)
{
    static const char *const names[] = {"..", ".", "", "a/b", "/", "../secret", "/etc/passwd"};
    struct rig r;
    char outside[128];

    setup(&r, false);
    ck_assert_int_eq(walk(&r, ROOT, 2, "../../.."), 0);
    ck_assert_int_eq(simple(&r, GETATTR, 2), 0); /* it is the folder itself */
    struct stat st;
    stat(path_of(&r, "in"), &st);
    r.at += 8 + 5;
    ck_assert_uint_eq(get(&r, 8), st.st_ino);
    ck_assert_int_eq(walk(&r, ROOT, 3, "../secret"), -1);
    ck_assert_int_eq(walk(&r, ROOT, 3, "out"), 0); /* the link itself */
    ck_assert_uint_eq(get(&r, 1), 2);
    ck_assert_int_eq(lopen(&r, 3, 0), ELOOP);
    ck_assert_int_eq(lopen(&r, 3, 1), ELOOP);
    ck_assert_int_eq(lopen(&r, 3, 01001), ELOOP);
    ck_assert_int_eq(setattr(&r, 3, 8, 0, 0, 0, 0), ELOOP);
    ck_assert_int_ne(setattr(&r, 3, 1, 0777, 0, 0, 0), 0);
    ck_assert_int_eq(walk(&r, ROOT, 4, "up/secret"), -1);
    ck_assert_int_eq(walk(&r, ROOT, 4, "up"), 0);
    ck_assert_int_eq(lopen(&r, 4, 0), ELOOP);
    ck_assert_int_eq(lcreate(&r, 4, "new", 1, 0644), ENOTDIR);
    ck_assert_int_eq(named(&r, MKDIR, 4, "new", 0755), ENOTDIR);
    ck_assert_int_eq(named(&r, UNLINKAT, 4, "secret", 0), ENOTDIR);
    ck_assert_int_eq(renameat_at(&r, 4, "secret", ROOT, "mine"), ENOTDIR);
    ck_assert_int_eq(renameat_at(&r, ROOT, "file", 4, "theirs"), ENOTDIR);
    ck_assert_int_eq(walk(&r, ROOT, 5, "down/deep"), -1); /* not even one that stays inside */
    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        ck_assert_int_eq(walk(&r, ROOT, 6, ""), 0);
        ck_assert_int_eq(lcreate(&r, 6, names[i], 1, 0644), EINVAL);
        ck_assert_int_eq(simple(&r, CLUNK, 6), 0);
        ck_assert_int_eq(named(&r, MKDIR, ROOT, names[i], 0755), EINVAL);
        ck_assert_int_eq(named(&r, MKNOD, ROOT, names[i], S_IFREG | 0644), EINVAL);
        ck_assert_int_eq(named(&r, UNLINKAT, ROOT, names[i], 0), EINVAL);
        ck_assert_int_eq(named(&r, UNLINKAT, ROOT, names[i], 0x200), EINVAL);
        ck_assert_int_eq(symlink_at(&r, ROOT, names[i], "x"), EINVAL);
        ck_assert_int_eq(renameat_at(&r, ROOT, "file", ROOT, names[i]), EINVAL);
        ck_assert_int_eq(renameat_at(&r, ROOT, names[i], ROOT, "file"), EINVAL);
    }
    /* a folder that becomes a link under a fid */
    ck_assert_int_eq(walk(&r, ROOT, 7, "sub"), 0);
    ck_assert_int_eq(walk(&r, ROOT, 8, "sub/deep"), 0);
    snprintf(outside, sizeof outside, "%s", r.dir);
    ck_assert_int_eq(rename(path_of(&r, "in/sub"), path_of(&r, "in/moved")), 0);
    ck_assert_int_eq(symlink(outside, path_of(&r, "in/sub")), 0);
    make(&r, "deep", "outside");
    ck_assert_int_eq(lopen(&r, 8, 0), ENOTDIR);
    ck_assert_int_eq(walk(&r, 7, 9, "secret"), ENOTDIR);
    ck_assert_int_eq(lcreate(&r, 7, "new", 1, 0644), ENOTDIR);
    ck_assert(host_has(&r, "secret", "not for guests") && host_has(&r, "deep", "outside"));
    ck_assert_int_ne(access(path_of(&r, "new"), F_OK), 0);
    teardown(&r);
}
END_TEST

START_TEST(reads_and_writes)
{
    struct rig r;

    setup(&r, false);
    ck_assert_int_eq(walk(&r, ROOT, 2, "file"), 0);
    ck_assert_int_eq(read_at(&r, 2, 0, 5), EBADF); /* not open */
    ck_assert_int_eq(lopen(&r, 2, 3), EINVAL);
    ck_assert_int_eq(lopen(&r, 2, 0), 0);
    ck_assert_int_eq(lopen(&r, 2, 0), EBADF);
    ck_assert_int_eq(read_at(&r, 2, 7, 100), 0);
    ck_assert_uint_eq(get(&r, 4), 5);
    ck_assert_mem_eq(r.msg + r.at, "guest", 5);
    ck_assert_int_eq(read_at(&r, 2, 12, 100), 0);
    ck_assert_uint_eq(get(&r, 4), 0);
    ck_assert_int_eq(read_at(&r, 2, UINT64_MAX, 100), EINVAL);
    ck_assert_int_eq(read_at(&r, 2, 0, UINT32_MAX), 0);
    ck_assert_uint_eq(get(&r, 4), 12);
    ck_assert_int_eq(write_at(&r, 2, 0, "x"), EBADF);
    ck_assert_int_eq(simple(&r, FSYNC, 2), 0);
    bench_round_trip(&r.b); /* it is open again afterwards */
    ck_assert_int_eq(read_at(&r, 2, 0, 5), 0);
    ck_assert_uint_eq(get(&r, 4), 5);
    ck_assert_int_eq(walk(&r, ROOT, 3, ""), 0);
    ck_assert_int_eq(lcreate(&r, 3, "new", 1 | 0200, 04755), 0);
    ck_assert_int_eq(read_at(&r, 3, 0, 5), EBADF); /* for writing only */
    ck_assert_int_eq(write_at(&r, 3, 3, "abc"), 0);
    ck_assert_uint_eq(get(&r, 4), 3);
    ck_assert_int_eq(write_at(&r, 3, UINT64_MAX, "x"), EINVAL);
    ck_assert_int_eq(walk(&r, ROOT, 4, ""), 0);
    ck_assert_int_eq(lcreate(&r, 4, "new", 1 | 0200, 0644), EEXIST);
    ck_assert_int_eq(lcreate(&r, 4, "new", 1 | 01000, 0644), 0);
    struct stat st;
    ck_assert_int_eq(stat(path_of(&r, "in/new"), &st), 0);
    ck_assert_uint_eq(st.st_size, 0); /* truncated */
    ck_assert_uint_eq(st.st_mode & 07000, 0);
    ck_assert_int_eq(write_at(&r, 3, 0, "again"), 0);
    ck_assert_int_eq(named(&r, UNLINKAT, ROOT, "new", 0), 0);
    ck_assert_int_eq(write_at(&r, 3, 0, "still"), 0); /* open, with no name */
    ck_assert_int_eq(simple(&r, GETATTR, 3), 0);
    /* gone when a snapshot is loaded */
    struct buf state = bench_save(&r.b);
    ck_assert_int_eq(bench_load(&r.b, &state), 0);
    ck_assert_int_eq(write_at(&r, 3, 0, "x"), ESTALE);
    buf_fini(&state);
    teardown(&r);
}
END_TEST

START_TEST(reads_fit)
{
    struct rig r;

    setup(&r, false);
    walk(&r, ROOT, 2, "file");
    lopen(&r, 2, 0);
    begin(&r, READ);
    put(&r, 4, 2);
    put(&r, 8, 0);
    put(&r, 4, 100);
    ck_assert_int_eq(ask_room(&r, 15), 0); /* room for four bytes of data */
    ck_assert_uint_eq(get(&r, 4), 4);
    ck_assert_mem_eq(r.msg + r.at, "hell", 4);
    begin(&r, GETATTR);
    put(&r, 4, 2);
    put(&r, 8, 1);
    ck_assert_int_eq(ask_room(&r, 40), EMSGSIZE);
    teardown(&r);
}
END_TEST

START_TEST(folders)
{
    static const char *const names[] = {".", "..", "down", "file", "out", "sub", "up"};
    uint64_t next = 0;
    struct rig r;
    unsigned n = 0;

    setup(&r, false);
    walk(&r, ROOT, 2, "");
    begin(&r, READDIR);
    put(&r, 4, 2);
    put(&r, 8, 0);
    put(&r, 4, 100);
    ck_assert_int_eq(ask(&r), EBADF);
    ck_assert_int_eq(lopen(&r, 2, 1), EISDIR);
    ck_assert_int_eq(lopen(&r, 2, 0200000), 0);
    ck_assert_int_eq(read_at(&r, 2, 0, 10), EISDIR);
    for (;;) { /* in pieces of three entries or so, sorted */
        begin(&r, READDIR);
        put(&r, 4, 2);
        put(&r, 8, next);
        put(&r, 4, 90);
        ck_assert_int_eq(ask(&r), 0);
        size_t end = get(&r, 4) + r.at;
        ck_assert_uint_le(end - r.at, 90);
        if (r.at == end)
            break;
        while (r.at < end) {
            unsigned type = (unsigned)get(&r, 1);
            get(&r, 4);
            ck_assert_uint_ne(get(&r, 8), 0);
            next = get(&r, 8);
            get(&r, 1);
            size_t len = get(&r, 2);
            ck_assert_uint_lt(n, ARRAY_LEN(names));
            ck_assert_uint_eq(len, strlen(names[n]));
            ck_assert_mem_eq(r.msg + r.at, names[n], len);
            ck_assert_uint_eq(type, n < 2 || n == 5 ? 0x80 : n == 3 ? 0 : 2);
            r.at += len;
            n++;
        }
        bench_round_trip(&r.b);
    }
    ck_assert_uint_eq(n, ARRAY_LEN(names));
    begin(&r, READDIR); /* not even one */
    put(&r, 4, 2);
    put(&r, 8, 0);
    put(&r, 4, 10);
    ck_assert_int_eq(ask(&r), EINVAL);
    begin(&r, READDIR); /* beyond the end */
    put(&r, 4, 2);
    put(&r, 8, UINT64_MAX);
    put(&r, 4, 100);
    ck_assert_int_eq(ask(&r), 0);
    ck_assert_uint_eq(get(&r, 4), 0);
    teardown(&r);
}
END_TEST

START_TEST(names_change)
{
    struct rig r;
    struct stat st;
    char text[64];

    setup(&r, false);
    ck_assert_int_eq(named(&r, MKDIR, ROOT, "dir", 0700), 0);
    ck_assert_uint_eq(get(&r, 1), 0x80);
    ck_assert_int_eq(named(&r, MKDIR, ROOT, "dir", 0700), EEXIST);
    ck_assert_int_eq(named(&r, MKNOD, ROOT, "node", S_IFREG | 0600), 0);
    ck_assert_int_eq(named(&r, MKNOD, ROOT, "fifo", S_IFIFO | 0600), 0);
    ck_assert_int_eq(named(&r, MKNOD, ROOT, "dev", S_IFCHR | 0600), EPERM);
    ck_assert_int_eq(walk(&r, ROOT, 2, "fifo"), 0);
    ck_assert_int_eq(lopen(&r, 2, 0), ENXIO);
    ck_assert_int_eq(symlink_at(&r, ROOT, "link", "/etc/passwd"), 0);
    ck_assert_int_eq(walk(&r, ROOT, 3, "link"), 0);
    ck_assert_int_eq(simple(&r, READLINK, 3), 0);
    ck_assert_uint_eq(get(&r, 2), 11);
    ck_assert_mem_eq(r.msg + r.at, "/etc/passwd", 11);
    ck_assert_int_eq(simple(&r, READLINK, ROOT), EINVAL);
    /* open and other handles follow a folder that is renamed */
    ck_assert_int_eq(walk(&r, ROOT, 4, "sub"), 0);
    ck_assert_int_eq(walk(&r, ROOT, 5, "sub/deep"), 0);
    ck_assert_int_eq(renameat_at(&r, ROOT, "sub", ROOT, "elsewhere"), 0);
    ck_assert_int_eq(lopen(&r, 5, 0), 0);
    begin(&r, RENAME);
    put(&r, 4, 4);
    put(&r, 4, ROOT);
    put_str(&r, "sub");
    ck_assert_int_eq(ask(&r), 0);
    ck_assert_int_eq(walk(&r, 4, 6, "deep"), 0);
    ck_assert(host_has(&r, "in/sub/deep", "deep"));
    begin(&r, LINK);
    put(&r, 4, ROOT);
    put(&r, 4, 6);
    put_str(&r, "second");
    ck_assert_int_eq(ask(&r), 0);
    ck_assert_int_eq(lstat(path_of(&r, "in/second"), &st), 0);
    ck_assert_uint_eq(st.st_nlink, 2);
    ck_assert_int_eq(named(&r, UNLINKAT, ROOT, "sub", 0), EISDIR);
    ck_assert_int_eq(named(&r, UNLINKAT, ROOT, "sub", 0x200), ENOTEMPTY);
    ck_assert_int_eq(named(&r, UNLINKAT, ROOT, "dir", 0x200), 0);
    ck_assert_int_eq(named(&r, UNLINKAT, ROOT, "node", 1), EINVAL);
    ck_assert_int_eq(simple(&r, REMOVE, 3), 0); /* the link, not what it names */
    ck_assert_int_eq(simple(&r, REMOVE, 3), EBADF);
    ck_assert_int_lt(readlink(path_of(&r, "in/link"), text, sizeof text), 0);
    ck_assert_int_eq(simple(&r, REMOVE, ROOT), EBUSY);
    ck_assert_int_eq(simple(&r, CLUNK, ROOT), EBADF);
    teardown(&r);
}
END_TEST

START_TEST(attributes)
{
    struct rig r;
    struct stat st;

    setup(&r, false);
    ck_assert_int_eq(walk(&r, ROOT, 2, "file"), 0);
    ck_assert_int_eq(setattr(&r, 2, 1 | 8, 06640, 5, 0, 0), 0);
    ck_assert_int_eq(stat(path_of(&r, "in/file"), &st), 0);
    ck_assert_uint_eq(st.st_mode, S_IFREG | 0640); /* without set-user-id */
    ck_assert_uint_eq(st.st_size, 5);
    ck_assert_int_eq(setattr(&r, 2, 0x10 | 0x80 | 0x20 | 0x100, 0, 0, 1000, 7), 0);
    ck_assert_int_eq(setattr(&r, 2, 2 | 4, 0, 0, 0, 0), 0); /* owners: taken and forgotten */
    ck_assert_int_eq(setattr(&r, 2, 0x10 | 0x80, 0, 0, 0, 1000000000), EINVAL);
    ck_assert_int_eq(setattr(&r, 2, 0x10 | 0x80, 0, 0, 0, UINT64_MAX), EINVAL);
    ck_assert_int_eq(setattr(&r, 2, 8, 0, UINT64_MAX, 0, 0), EFBIG);
    ck_assert_int_eq(setattr(&r, ROOT, 8, 0, 0, 0, 0), EBUSY);
    ck_assert_int_eq(simple(&r, GETATTR, 2), 0);
    ck_assert_uint_eq(get(&r, 8), 0x7ff);
    ck_assert_uint_eq(get(&r, 1), 0);
    get(&r, 4);
    ck_assert_uint_eq(get(&r, 8), st.st_ino);
    ck_assert_uint_eq(get(&r, 4), S_IFREG | 0640);
    ck_assert_uint_eq(get(&r, 4), st.st_uid);
    ck_assert_uint_eq(get(&r, 4), st.st_gid);
    ck_assert_uint_eq(get(&r, 8), 1);
    get(&r, 8);
    ck_assert_uint_eq(get(&r, 8), 5);
    r.at += 16;
    ck_assert_uint_eq(get(&r, 8), 1000);
    ck_assert_uint_eq(get(&r, 8), 7);
    ck_assert_uint_eq(get(&r, 8), 1000);
    ck_assert_uint_eq(r.len, 7 + 153);
    ck_assert_int_eq(simple(&r, STATFS, ROOT), 0);
    ck_assert_uint_eq(get(&r, 4), 0x01021997);
    ck_assert_int_eq(simple(&r, XATTRWALK, 2), EOPNOTSUPP);
    begin(&r, LOCK);
    put(&r, 4, 2);
    ck_assert_int_eq(ask(&r), 0);
    ck_assert_uint_eq(get(&r, 1), 0);
    begin(&r, GETLOCK);
    put(&r, 4, 2);
    put(&r, 1, 1);
    put(&r, 8, 10);
    put(&r, 8, 20);
    put(&r, 4, 30);
    put_str(&r, "me");
    ck_assert_int_eq(ask(&r), 0);
    ck_assert_uint_eq(get(&r, 1), 2);
    ck_assert_uint_eq(get(&r, 8), 10);
    teardown(&r);
}
END_TEST

START_TEST(read_only)
{
    struct rig r;

    setup(&r, true);
    ck_assert_int_eq(walk(&r, ROOT, 2, "file"), 0);
    ck_assert_int_eq(lopen(&r, 2, 1), EROFS);
    ck_assert_int_eq(lopen(&r, 2, 2), EROFS);
    ck_assert_int_eq(lopen(&r, 2, 01000), EROFS);
    ck_assert_int_eq(setattr(&r, 2, 1, 0777, 0, 0, 0), EROFS);
    ck_assert_int_eq(setattr(&r, 2, 8, 0, 0, 0, 0), EROFS);
    ck_assert_int_eq(setattr(&r, 2, 0x20, 0, 0, 0, 0), EROFS);
    ck_assert_int_eq(named(&r, MKDIR, ROOT, "dir", 0755), EROFS);
    ck_assert_int_eq(named(&r, MKNOD, ROOT, "node", S_IFREG | 0644), EROFS);
    ck_assert_int_eq(symlink_at(&r, ROOT, "link", "x"), EROFS);
    ck_assert_int_eq(named(&r, UNLINKAT, ROOT, "file", 0), EROFS);
    ck_assert_int_eq(renameat_at(&r, ROOT, "file", ROOT, "other"), EROFS);
    begin(&r, LINK);
    put(&r, 4, ROOT);
    put(&r, 4, 2);
    put_str(&r, "second");
    ck_assert_int_eq(ask(&r), EROFS);
    ck_assert_int_eq(lopen(&r, 2, 0), 0);
    ck_assert_int_eq(write_at(&r, 2, 0, "x"), EBADF);
    ck_assert_int_eq(simple(&r, REMOVE, 2), EROFS);
    walk(&r, ROOT, 3, "");
    ck_assert_int_eq(lcreate(&r, 3, "new", 1, 0644), EROFS);
    ck_assert(host_has(&r, "in/file", "hello, guest"));
    teardown(&r);
}
END_TEST

START_TEST(limits)
{
    struct rig r;
    uint32_t fid;

    setup(&r, false);
    for (fid = 100; walk(&r, ROOT, fid, "file") == 0; fid++)
        ck_assert_uint_lt(fid, 10000);
    ck_assert_uint_eq(fid, 100 + 4095);
    ck_assert_int_eq(walk(&r, ROOT, fid, "file"), ENFILE);
    for (fid = 100; lopen(&r, fid, 0) == 0; fid++)
        ck_assert_uint_lt(fid, 10000);
    ck_assert_uint_eq(fid, 100 + 512);
    ck_assert_int_eq(lopen(&r, fid, 0), EMFILE);
    ck_assert_int_eq(simple(&r, CLUNK, 100), 0);
    ck_assert_int_eq(lopen(&r, fid, 0), 0);
    teardown(&r);
}
END_TEST

START_TEST(hostile)
{
    struct vt_seg segs[] = {{REQUEST, 7, false}, {REPLY, 11, true}};
    struct rig r;

    setup(&r, false);
    for (unsigned type = 0; type < 130; type++) { /* nothing behind the header */
        begin(&r, type);
        ck_assert_int_ne(ask(&r), type == LOCK ? -1 : 0);
    }
    ck_assert_int_eq(version(&r, 8192, "9P2000.L"), 0);
    attach(&r, ROOT);
    vt_poke(&r.b, REQUEST, 8, 7 | (uint64_t)CLUNK << 32);
    segs[0].len = 6;
    vt_breaks(&r.b, 1, 1, 0, segs, 2);
    segs[0].len = 7;
    segs[1].len = 10;
    vt_breaks(&r.b, 1, 1, 0, segs, 2);
    segs[1].len = 11;
    vt_poke(&r.b, REQUEST, 4, 8); /* longer than its buffer */
    vt_breaks(&r.b, 1, 1, 0, segs, 2);
    vt_poke(&r.b, REQUEST, 4, 6);
    vt_breaks(&r.b, 1, 1, 0, segs, 2);
    vt_poke(&r.b, REQUEST, 4, UINT32_MAX);
    vt_breaks(&r.b, 1, 1, 0, segs, 2);
    ck_assert_int_eq(version(&r, 4096, "9P2000.L"), 0);
    segs[0].len = 5000; /* longer than was agreed on */
    vt_poke(&r.b, REQUEST, 4, 5000);
    vt_breaks(&r.b, 1, 1, 0, segs, 2);
    teardown(&r);
}
END_TEST

/* Messages of good types with random fields. */
static void random_message(struct bench *b, uint64_t addr)
{
    static const uint8_t types[] = {8,   12,  14,  16,  18,  20,  22,  24,  26,  30,
                                    32,  40,  50,  52,  54,  70,  72,  74,  76,  100,
                                    104, 108, 110, 116, 118, 120, 122, 110, 110, 104};
    uint8_t m[64];

    for (unsigned i = 0; i < sizeof m; i++)
        m[i] = (uint8_t)(vt_random(3) ? vt_random(4) : vt_random(256));
    bits_store_le(m, 4, vt_random(4) ? 7 + vt_random(50) : vt_random(UINT32_MAX));
    m[4] = types[vt_random(sizeof types)];
    if (m[4] == 100)
        memcpy(m + 7,
               "\0\x20\0\0\x08\0"
               "9P2000.L",
               14);
    if (m[4] == 110 && vt_random(2))
        memcpy(m + 7, "\x01\0\0\0\x02\0\0\0\x01\0\x04\0file", 16);
    if (m[4] == 104 && vt_random(2))
        memcpy(m + 7, "\x01\0\0\0\xff\xff\xff\xff\0\0\0\0\0\0\0\0", 16);
    mem_poke(b->mem, addr, m, sizeof m);
}

START_TEST(storm)
{
    struct rig r;

    setup(&r, false);
    ck_assert_uint_gt(vt_storm(&r.b, 1, 1, 20000, random_message), 500);
    bench_round_trip(&r.b);
    ck_assert(host_has(&r, "secret", "not for guests"));
    teardown(&r);
}
END_TEST

VT_MAIN("dev/p9", session, walks, escapes, reads_and_writes, reads_fit, folders, names_change,
        attributes, read_only, limits, hostile, storm)
