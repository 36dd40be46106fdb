/* host_qcow2.c - see host_qcow2.h. */
#include "host/host_qcow2.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/buf.h"
#include "base/mem_alloc.h"
#include "host/host_nbd.h"
#include "host/host_server.h"

/* The header, big-endian. */
enum {
    H_VERSION = 4,
    H_BACKING = 8,
    H_INCOMPATIBLE = 72,
    H_LEN = 80
};                      /* from H_BACKING on 64 bits wide */
enum { DATA_FILE = 2 }; /* incompatible feature: the data are in a file of their own */
static const uint8_t magic[4] = {'Q', 'F', 'I', 0xfb};

/* The first bytes of a file or block device, what is not there as 0. */
static int read_header(const char *path, uint8_t header[H_LEN], bool *block, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc;

    memset(header, 0, H_LEN);
    if (fd < 0)
        return err_sys(e, errno, "%s", path);
    rc = host_disk_check_file(path, fd, block, e);
    if (!rc && pread(fd, header, H_LEN, 0) < 0)
        rc = err_sys(e, errno, "%s: cannot read", path);
    close(fd);
    return rc;
}

bool host_qcow2_is(const char *path)
{
    uint8_t header[H_LEN];
    bool block;

    return !read_header(path, header, &block, NULL) && !memcmp(header, magic, sizeof magic);
}

static int check_header(const char *path, const uint8_t *header, bool backing, struct err *e)
{
    bool names = bits_load_be32(header + H_BACKING) || bits_load_be32(header + H_BACKING + 4);
    bool apart = bits_load_be32(header + H_VERSION) > 2 &&
                 bits_load_be32(header + H_INCOMPATIBLE + 4) & BIT(DATA_FILE);

    if (memcmp(header, magic, sizeof magic))
        return err_set(e, EINVAL, "%s: is no qcow2 image", path);
    if (!backing && names)
        return err_set(e, EPERM,
                       "%s: builds on another image, which it names: append ,backing to allow that",
                       path);
    if (!backing && apart)
        return err_set(e, EPERM,
                       "%s: has its data in another file, which it names: append ,backing to "
                       "allow that",
                       path);
    return 0;
}

/* What qemu-nbd opens: this file, whatever its name looks like.  A comma is written twice. */
static char *image_options(const char *path, bool block)
{
    struct buf b = BUF_INIT;

    buf_fmt(&b, "driver=qcow2,file.driver=%s,file.filename=", block ? "host_device" : "file");
    for (; *path; path++) {
        buf_ch(&b, *path);
        if (*path == ',')
            buf_ch(&b, ',');
    }
    return buf_take(&b);
}

/* It ends by itself when its one client has gone. */
static struct host_server *start(const char *path, bool block, bool read_only, int *fd,
                                 struct err *e)
{
    static char program[] = "qemu-nbd", image_opts[] = "--image-opts", one[] = "--shared=1",
                cache[] = "--cache=writeback", discard[] = "--discard=unmap", ro[] = "--read-only";
    char *image = image_options(path, block);
    char *argv[] = {program, image_opts, one, cache, read_only ? ro : discard, image, NULL};
    struct host_server *s = host_server_start(argv, "qemu-utils", fd, e);

    free(image);
    return s;
}

struct host_disk *host_qcow2_open(const char *path, bool read_only, bool backing, struct err *e)
{
    struct host_server *server;
    uint8_t header[H_LEN];
    bool block;
    int fd;

    if (read_header(path, header, &block, e) || check_header(path, header, backing, e))
        return NULL;
    server = start(path, block, read_only, &fd, e);
    return server ? host_nbd_serve(path, server, fd, read_only, e) : NULL;
}
