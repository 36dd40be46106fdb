/* isa.c - glovebox isa: what a guest's decoder knows, and one instruction explained. */
#include <argp.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "guest/riscv64/decode.h"

#define WIDTH  78
#define INDENT 4

struct isa {
    struct log *log;
    bool named;       /* the guest */
    char digits[64];  /* of the instruction's bytes, in memory order */
    const char *word; /* or 0x... */
};

/* ---- the table ---- */

/* A word of a paragraph. */
static void put_word(struct buf *out, size_t *column, const char *word)
{
    size_t len = strlen(word);

    if (*column + 1 + len > WIDTH) {
        buf_ch(out, '\n');
        *column = 0;
    }
    if (!*column) {
        buf_fmt(out, "%*s", INDENT - 1, "");
        *column = INDENT - 1;
    }
    buf_fmt(out, " %s", word);
    *column += 1 + len;
}

/* The rows from `first` on that belong to one extension; those that come later count too. */
static void extension(unsigned first, struct buf *out)
{
    const char *name = rv_row(first)->extension;
    unsigned n = 0;
    size_t column = 0;

    for (unsigned i = first; i < RV_ROW_COUNT; i++)
        n += !strcmp(rv_row(i)->extension, name);
    buf_fmt(out, "%s (%u)\n", name, n);
    for (unsigned i = first; i < RV_ROW_COUNT; i++)
        if (!strcmp(rv_row(i)->extension, name))
            put_word(out, &column, rv_row(i)->name);
    buf_ch(out, '\n');
}

static bool seen_before(unsigned row)
{
    for (unsigned i = 0; i < row; i++)
        if (!strcmp(rv_row(i)->extension, rv_row(row)->extension))
            return true;
    return false;
}

static void coverage(struct buf *out)
{
    buf_fmt(out, "riscv64: %d instructions, by extension:\n", RV_ROW_COUNT);
    for (unsigned i = 0; i < RV_ROW_COUNT; i++)
        if (!seen_before(i))
            extension(i, out);
    buf_str(out,
            "Not there: vectors (V), half-precision and quad-precision floating point (Zfh, Q),\n"
            "cryptography (Zk*), compare-and-swap (Zacas), the hypervisor extension (H).\n");
}

/* ---- one instruction ---- */

static int parse_bytes(const char *digits, uint32_t *raw, unsigned *len)
{
    size_t n = strlen(digits);

    *raw = 0;
    *len = (unsigned)n / 2;
    if (n != 4 && n != 8)
        return -EINVAL;
    for (size_t i = 0; i < n; i++) {
        unsigned digit = (unsigned)(isdigit((unsigned char)digits[i])
                                        ? digits[i] - '0'
                                        : tolower((unsigned char)digits[i]) - 'a' + 10);
        *raw |= digit << (i / 2 * 8 + (i % 2 ? 0 : 4));
    }
    return 0;
}

static int parse_word(const char *word, uint32_t *raw, unsigned *len)
{
    char *end;
    unsigned long v;

    errno = 0;
    v = strtoul(word, &end, 16);
    if (*end || end == word + 2 || errno || v > UINT32_MAX)
        return -EINVAL;
    *raw = (uint32_t)v;
    *len = (v & 3) == 3 || v > UINT16_MAX ? 4 : 2;
    return 0;
}

static int explain(const struct isa *a, struct buf *out, struct err *e)
{
    const char *text = a->word ? a->word : a->digits;
    const struct rv_row_info *row;
    struct rv_insn in;
    uint32_t raw = 0;
    unsigned len = 0;

    if (a->word ? parse_word(a->word, &raw, &len) : parse_bytes(a->digits, &raw, &len))
        return err_set(e, EINVAL,
                       "%s: give 2 or 4 bytes as they lie in memory, or one word with 0x", text);
    if (((raw & 3) == 3 ? 4u : 2u) != len)
        return err_set(e, EINVAL, "%s: by its lowest bits this instruction has %u bytes, not %u",
                       text, (raw & 3) == 3 ? 4u : 2u, len);
    if (!rv_decode(raw, &in))
        return err_set(e, EINVAL, "%s: no instruction of this guest (illegal)", text);
    row = rv_row(in.row);
    rv_format(&in, 0, out);
    buf_fmt(out, "\n%s, extension %s: %s\n", row->name, row->extension, row->doc);
    if (strcmp(row->name, rv_op_name(in.op)))
        buf_fmt(out, "carried out as %s\n", rv_op_name(in.op));
    rv_explain(&in, out);
    buf_ch(out, '\n');
    return 0;
}

/* ---- options ---- */

static error_t bad(const struct isa *a, const char *what, const char *arg)
{
    log_error(a->log, "%.60s: %s", arg, what);
    return EINVAL;
}

/* The bytes may come in one argument or in several. */
static error_t operand(struct isa *a, const char *arg)
{
    if (!a->named) {
        a->named = true;
        return strcmp(arg, "riscv64") ? bad(a, "there is no such guest; there is: riscv64", arg)
                                      : 0;
    }
    if (a->word)
        return bad(a, "one instruction at a time", arg);
    if (!strncasecmp(arg, "0x", 2)) {
        a->word = arg;
        return *a->digits ? bad(a, "one instruction at a time", arg) : 0;
    }
    if (arg[strspn(arg, "0123456789abcdefABCDEF")] ||
        strlen(arg) + strlen(a->digits) >= sizeof a->digits)
        return bad(a, "not bytes in hexadecimal", arg);
    strcat(a->digits, arg);
    return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct isa *a = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->err_stream = NULL;
        return 0;
    case ARGP_KEY_ARG:
        return operand(a, arg);
    case ARGP_KEY_END:
        return a->named ? 0 : bad(a, "which guest? there is: riscv64", "isa");
    }
    return ARGP_ERR_UNKNOWN;
}

static const char doc[] =
    "Without an instruction, list what the guest's decoder knows, by extension.  With one, given "
    "as "
    "bytes in memory order (13 05 05 00) or as a word (0x00050513), explain it."
    "\vExit status: 0; 2 if there is no such guest or instruction.";

int cli_isa(struct log *log, int argc, char **argv)
{
    const struct argp argp = {NULL, parse, "GUEST [BYTES|0xWORD]", doc, NULL, NULL, NULL};
    struct isa a = {.log = log};
    struct buf out = BUF_INIT;
    struct err e;
    int status = cli_parse(&argp, argc, argv, &a);

    if (!status && !a.word && !*a.digits) {
        coverage(&out);
    } else if (!status && explain(&a, &out, &e)) {
        log_error(log, "%s", e.msg);
        status = CLI_ERROR;
    }
    fwrite(out.data, 1, out.len, stdout);
    buf_fini(&out);
    return status;
}
