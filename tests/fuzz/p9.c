/*
 * p9.c - the virtio 9P device, on a folder that is filled anew for each program.
 *
 * Requests are made by the list of fields of their type; names and fids are few, so that
 * programs meet what they made.  What the host's file system says differs from run to
 * run, so programs run once.
 */
#include "dev/virtio/p9.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/host_share.h"
#include "tests/fuzz/driver.h"

struct own {
    struct driver driver; /* first */
    struct host_share *share;
};

/* ---- the folder ---- */

/* Empties the folder that fd is, and closes fd. */
static void empty(int fd)
{
    DIR *dir = fdopendir(fd);
    struct dirent *d;

    FUZZ_CHECK(dir, "no folder");
    while ((d = readdir(dir)) != NULL) {
        if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
            continue;
        if (!unlinkat(fd, d->d_name, 0))
            continue;
        fchmodat(fd, d->d_name, 0700, 0);
        empty(openat(fd, d->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
        unlinkat(fd, d->d_name, AT_REMOVEDIR);
    }
    closedir(dir);
}

static char folder[] = "/tmp/glovebox-fuzz-XXXXXX";

static void empty_folder(void)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY);

    if (fd >= 0)
        empty(fd);
}

static void remove_folder(void)
{
    empty_folder();
    rmdir(folder);
}

/* A folder with a file, a folder with a file in it, and links that lead in, out and nowhere. */
static const char *fresh_folder(void)
{
    static bool made;
    int fd;

    if (!made && mkdtemp(folder))
        atexit(remove_folder);
    made = true;
    empty_folder();
    fd = open(folder, O_RDONLY | O_DIRECTORY);
    FUZZ_CHECK(fd >= 0, "%s", folder);
    close(openat(fd, "f", O_WRONLY | O_CREAT, 0644));
    mkdirat(fd, "d", 0755);
    close(openat(fd, "d/f", O_WRONLY | O_CREAT, 0644));
    symlinkat("d", fd, "in");
    symlinkat("/", fd, "out");
    close(fd);
    return folder;
}

/* ---- requests ---- */

/* Fields: a digit is a number of so many bytes; f a fid, s a name, w names with their count,
 * d data with their length, v the version. */
static const struct {
    uint8_t type;
    const char *fields;
} types[] = {
    {8, "f"},     {12, "f4"},      {14, "fs444"},      {16, "fss4"},   {18, "fs4444"}, {20, "ffs"},
    {22, "f"},    {24, "f8"},      {26, "f444488888"}, {30, "ffs"},    {32, "fs84"},   {40, "f84"},
    {50, "f4"},   {52, "f14884s"}, {54, "f1884s"},     {70, "ffs"},    {72, "fs44"},   {74, "fsfs"},
    {76, "fs4"},  {100, "4v"},     {102, "fss4"},      {104, "ffss4"}, {108, "2"},     {110, "ffw"},
    {116, "f84"}, {118, "f8d"},    {120, "f"},         {122, "f"},     {110, "ffw"},   {12, "f4"},
};

struct message {
    uint8_t *bytes;
    size_t len;
};

static void put(struct message *m, unsigned size, uint64_t v)
{
    if (m->len + size > DRIVER_REQUEST)
        return;
    bits_store_le(m->bytes + m->len, size, v);
    m->len += size;
}

static void put_bytes(struct message *m, const void *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        put(m, 1, ((const uint8_t *)data)[i]);
}

static void put_text(struct message *m, const char *text)
{
    put(m, 2, strlen(text));
    put_bytes(m, text, strlen(text));
}

/* Long enough that a few of them do not fit into a path. */
#define LONG                                                                                       \
    "long......long......long......long......long......long......long......long......"             \
    "long......long......long......long......long......long......long......long......"             \
    "long......long......long......long......long......long......long......long......"

static void put_name(struct rig *r, struct message *m)
{
    static const char *const names[] = {"f", "d",  "in", "out", "a", "b",   LONG,
                                        "",  "..", ".",  "d/f", "/", "/..", "\xff\n"};

    put_text(m, names[fuzz_below(&r->in, ARRAY_LEN(names))]);
}

static void put_fid(struct rig *r, struct message *m)
{
    put(m, 4, fuzz_rarely(&r->in, 32) ? fuzz_value(&r->in) : fuzz_below(&r->in, 4));
}

static void put_field(struct rig *r, struct message *m, char field)
{
    uint64_t n;

    switch (field) {
    case 'f':
        put_fid(r, m);
        break;
    case 's':
        put_name(r, m);
        break;
    case 'v':
        put_text(m, fuzz_rarely(&r->in, 4) ? "9P2000" : "9P2000.L");
        break;
    case 'w':
        n = fuzz_below(&r->in, 4);
        for (put(m, 2, n); n; n--)
            put_name(r, m);
        break;
    case 'd':
        n = fuzz_below(&r->in, 64);
        put(m, 4, n);
        for (; n; n--)
            put(m, 1, n);
        break;
    default:
        put(m, (unsigned)(field - '0'), fuzz_value(&r->in));
    }
}

static size_t request(struct rig *r, unsigned queue, uint8_t *out, size_t *reply)
{
    size_t i = fuzz_below(&r->in, ARRAY_LEN(types));
    struct message m = {out, 7};

    (void)queue;
    for (const char *f = types[i].fields; *f; f++)
        put_field(r, &m, *f);
    out[4] = fuzz_rarely(&r->in, 32) ? (uint8_t)fuzz_int(&r->in, 1) : types[i].type;
    bits_store_le(out, 4, fuzz_rarely(&r->in, 32) ? fuzz_value(&r->in) : m.len);
    *reply = fuzz_rarely(&r->in, 8) ? driver_reply(r) : 4096;
    return m.len;
}

/* ---- the device ---- */

static void make(struct rig *r)
{
    struct own *own = r->own;
    bool read_only = fuzz_rarely(&r->in, 8);

    own->share = host_share_open(fresh_folder(), read_only, NULL);
    FUZZ_CHECK(own->share, "%s", folder);
    const struct dev_share share = {"tag", own->share};
    driver_plug(r, vio_p9_new(&share), 1, request);
}

static void fini(struct rig *r)
{
    host_share_close(((struct own *)r->own)->share);
}

/* A session is begun: a version is agreed on, and fid 0 is the root. */
static void op_session(struct rig *r)
{
    static const uint8_t version[] = "\x15\0\0\0\x64\xff\xff\0\x20\0\0\x08\0"
                                     "9P2000.L",
                         attach[] = "\x17\0\0\0\x68\1\0\0\0\0\0\xff\xff\xff\xff\0\0\0\0\0\0\0";

    driver_op_start(r);
    driver_send(r, 0, version, sizeof version - 1, 4096);
    driver_send(r, 0, attach, sizeof attach, 4096);
}

const struct rig_kind rig_target = {
    .make = make,
    .fini = fini,
    .own = sizeof(struct own),
    .begin = op_session,
    .outside = true,
    .ops = {DRIVER_OPS, driver_op_offer, driver_op_offer, op_session},
};
