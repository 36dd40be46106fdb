/*
 * regress.c - a fuzz target as a test: without libFuzzer, this is its main.
 *
 *     TARGET            runs the inputs of tests/fuzz/regress/TARGET, of which there is at least
 *                       one, then some random ones; prints TAP.  A file *.hex holds bytes as hexadecimal digits, with comments
 *                       from '#' to the end of a line; others are taken as they are
 *     TARGET FILE...    runs these files as they are
 *
 * An input that is a bug ends the program.  RANDOM_INPUTS and RANDOM_SEED in the environment choose
 * other random ones.
 */
#include <ctype.h>
#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem_alloc.h"
#include "host/host_file.h"
#include "tests/fuzz/fuzz.h"
#include "tests/tap.h"

enum { INPUT_MAX = 1 << 20, RANDOM_INPUTS = 60, RANDOM_MAX = 1500, SECONDS_MAX = 100 };

/* Copied, so that a read beyond its end is seen.  One that takes for ever ends the program. */
static void run(const void *data, size_t len)
{
    uint8_t *copy = xmalloc(len);

    if (len)
        memcpy(copy, data, len);
    alarm(SECONDS_MAX);
    LLVMFuzzerTestOneInput(copy, len);
    free(copy);
}

/* The bytes that the digits stand for. */
static void add_hex(struct buf *out, const char *text)
{
    char digits[3] = "";
    unsigned n = 0;

    for (; *text; text++) {
        if (*text == '#')
            text += strcspn(text, "\n");
        if (!isxdigit((unsigned char)*text))
            continue;
        digits[n++ % 2] = *text;
        if (n % 2 == 0)
            buf_ch(out, (char)strtoul(digits, NULL, 16));
    }
}

static bool run_file(const char *path, bool may_be_hex)
{
    const char *dot = strrchr(path, '.');
    struct buf bytes = BUF_INIT;
    struct err e = {0};
    void *data;
    size_t len;

    if (host_file_read(path, INPUT_MAX, &data, &len, &e)) {
        printf("# %s\n", e.msg);
        return false;
    }
    if (may_be_hex && dot && !strcmp(dot, ".hex"))
        add_hex(&bytes, data);
    else
        buf_add(&bytes, data, len);
    run(bytes.data, bytes.len);
    buf_fini(&bytes);
    free(data);
    return true;
}

static int is_input(const struct dirent *d)
{
    return d->d_name[0] != '.';
}

/* How many lines of TAP that made. */
static unsigned run_folder(const char *target, bool *all_ok)
{
    const char *top = getenv("top_srcdir");
    char *folder = xasprintf("%s/tests/fuzz/regress/%s", top ? top : ".", target);
    struct dirent **files = NULL;
    int n = scandir(folder, &files, is_input, alphasort);

    for (int i = 0; i < n; i++) {
        char *path = xasprintf("%s/%s", folder, files[i]->d_name);
        bool ok;

        printf("# %s\n", files[i]->d_name);
        fflush(stdout);
        ok = run_file(path, true);
        printf("%sok %d - %s\n", ok ? "" : "not ", i + 1, files[i]->d_name);
        *all_ok &= ok;
        free(path);
        free(files[i]);
    }
    if (n <= 0) {
        n = 1;
        *all_ok = false;
        printf("not ok 1 - there are no inputs in %s\n", folder);
    }
    free(files);
    free(folder);
    return (unsigned)n;
}

/* The same ones everywhere.  How many. */
static uint64_t run_random(void)
{
    uint64_t count = tap_number("RANDOM_INPUTS", RANDOM_INPUTS), seed = tap_number("RANDOM_SEED", 1);
    uint8_t data[RANDOM_MAX];

    for (uint64_t n = 0; n < count; n++) {
        uint64_t r = bits_mix(bits_mix(seed) + n);
        size_t len = r % (sizeof data + 1);

        for (size_t i = 0; i < len; i++)
            data[i] = (uint8_t)bits_mix(r + i);
        run(data, len);
    }
    return count;
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    bool ok = true;
    uint64_t count;
    unsigned n;

    for (int i = 1; i < argc; i++)
        ok &= run_file(argv[i], false);
    if (argc > 1)
        return !ok;
    n = run_folder(slash ? slash + 1 : argv[0], &ok) + 1;
    count = run_random();
    printf("ok %u - %" PRIu64 " random inputs\n1..%u\n", n, count, n);
    return !ok;
}
