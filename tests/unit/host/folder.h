/*
 * folder.h - a directory of its own for a test, whose files are known by name alone.
 *
 * enter, then files f, g and "a,b:c" and a folder d as they are wanted, then leave.
 */
#ifndef FOLDER_H
#define FOLDER_H

#include <fcntl.h>
#include <unistd.h>

#include "../unit.h"

static inline void enter(void)
{
    char path[] = "/tmp/glovebox-test.XXXXXX";

    ck_assert_ptr_nonnull(mkdtemp(path));
    ck_assert_int_eq(chdir(path), 0);
}

static inline void leave(void)
{
    char *path = getcwd(NULL, 0);

    unlink("f");
    unlink("g");
    unlink("a,b:c");
    rmdir("d");
    ck_assert_int_eq(rmdir(path), 0);
    free(path);
}

static inline void make(const char *path, const void *data, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, data, len), (ssize_t)len);
    close(fd);
}

#endif
