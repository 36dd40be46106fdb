/* host_entropy.c - see host_entropy.h. */
#include "host/host_entropy.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/types.h>

int host_entropy(void *data, size_t len, struct err *e)
{
    for (char *p = data; len;) {
        ssize_t n = getrandom(p, len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_sys(e, errno, "the host gives no random bytes");
        p += n;
        len -= (size_t)n;
    }
    return 0;
}
