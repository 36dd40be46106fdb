/* code.c - see code.h. */
#include "jit/code.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

int jit_code_init(struct jit_code *m, size_t size, struct err *e)
{
    int fd = memfd_create("glovebox-code", MFD_CLOEXEC);

    *m = (struct jit_code){.size = size};
    if (fd < 0)
        return err_sys(e, errno, "code cache: memfd_create");
    if (ftruncate(fd, (off_t)size)) {
        int err = errno;
        close(fd);
        return err_sys(e, err, "code cache of %zu bytes", size);
    }
    void *rw = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    void *rx = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    int err = errno;
    close(fd);
    if (rw != MAP_FAILED && rx != MAP_FAILED) {
        m->rw = rw;
        m->rx = rx;
        return 0;
    }
    if (rw != MAP_FAILED)
        munmap(rw, size);
    if (rx != MAP_FAILED)
        munmap(rx, size);
    return err_sys(e, err,
                   "code cache of %zu bytes: this host maps no executable memory twice "
                   "(try --engine interp)",
                   size);
}

void jit_code_fini(struct jit_code *m)
{
    if (m->rw)
        munmap(m->rw, m->size);
    if (m->rx)
        munmap(m->rx, m->size);
    *m = (struct jit_code){0};
}
