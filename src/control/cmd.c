/* cmd.c - the table, and from a line to a command.  See cmd.h. */
#include "control/cmd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem_alloc.h"
#include "control/cmd_impl.h"

/* clang-format off */
const struct cmd cmd_table[] = {
    {"awatch", NULL, "ADDR[,LENGTH] [if EXPR]", "Stop behind each access to LENGTH bytes (8, or a symbol's) at ADDR, or to u32[ADDR]; phys:ADDR is physical.", CMD_WORDS_ADDRESSES, CMD_ARGS_MAX, CMD_POINTS, cmd_awatch},
    {"backtrace", "bt", "[N]", "The functions that called each other, N (30) at most.", CMD_WORDS_NONE, 1, 0, cmd_backtrace},
    {"break", "b", "WHERE [if EXPR]", "Stop before the code at WHERE: a function, FILE:LINE, an address, *ADDR, phys:ADDR.", CMD_WORDS_ADDRESSES, CMD_ARGS_MAX, CMD_POINTS, cmd_break},
    {"catch", NULL, "EVENT [FIRST[-LAST]|NAME] [if EXPR]", "Stop at a trap, interrupt, mode, space, reg-read, reg-write, device-read, device-write, halt or syscall; exec: before code first runs, once; translate [made] [evicted] [invalidated]: as the engine's own code comes or goes, which is not the same on each.", CMD_WORDS_EVENTS, CMD_ARGS_MAX, CMD_POINTS, cmd_catch},
    {"condition", NULL, "N [EXPR]", "Let N stop only where EXPR is not 0, or always.", CMD_WORDS_NONE, CMD_ARGS_MAX, CMD_POINTS, cmd_condition},
    {"continue", "c", "", "Let the machine run until something stops it.", CMD_WORDS_NONE, 0, CMD_RUNS, cmd_continue},
    {"cpu", NULL, "[N]", "Look at CPU N from now on, or say which one it is.", CMD_WORDS_NONE, 1, 0, cmd_cpu},
    {"delete", "d", "N|all", "Remove breakpoint, watchpoint or catchpoint N.", CMD_WORDS_NONE, 1, CMD_POINTS, cmd_delete},
    {"disable", NULL, "N|all", "Let N stop nothing until it is enabled.", CMD_WORDS_NONE, 1, CMD_POINTS, cmd_disable},
    {"disas", NULL, "[ADDR] [N]", "Disassemble N instructions (10) from ADDR (the pc, then onward).", CMD_WORDS_ADDRESSES, 2, 0, cmd_disas},
    {"dump", NULL, "WHAT[,...]", "Explain the translated code that there is of a symbol, an ADDR, or from START-END up to END.", CMD_WORDS_SYMBOLS, 1, 0, cmd_dump},
    {"enable", NULL, "N|all", "Let N, which was disabled, stop the machine again.", CMD_WORDS_NONE, 1, CMD_POINTS, cmd_enable},
    {"explain", NULL, "[ADDR]", "The unit of code at ADDR (the pc): guest code, IR, host code.", CMD_WORDS_ADDRESSES, 1, 0, cmd_explain},
    {"finish", "out", "", "Run until the function that the CPU is in has returned to its caller.", CMD_WORDS_NONE, 0, CMD_RUNS, cmd_finish},
    {"hash", NULL, "", "The count and a hash of all of the machine's state.", CMD_WORDS_NONE, 0, 0, cmd_hash},
    {"help", "h", "[COMMAND]", "The commands, or what one of them does.", CMD_WORDS_COMMANDS, 1, 0, cmd_help},
    {"hold", NULL, "", "Keep the machine at rest, from its next stop on, when another one (GDB, the console) asks for a run; your own are carried out.", CMD_WORDS_NONE, 0, 0, cmd_hold},
    {"ignore", NULL, "N COUNT", "Let the next COUNT hits of N pass.", CMD_WORDS_NONE, 2, CMD_POINTS, cmd_ignore},
    {"info", "i", "WHAT [PREFIX]", "Show breaks (and what they cost), clients (who is here, and holds), cpus, map, time, and counters or devices (whose name begins with PREFIX).", CMD_WORDS_INFO, 2, 0, cmd_info},
    {"line", NULL, "[WHERE]", "The source line of an address (the pc), or the addresses of FILE:LINE.", CMD_WORDS_ADDRESSES, 1, 0, cmd_line},
    {"list", "l", "[WHERE]", "The source text around a line, or around what is at an address (the pc).", CMD_WORDS_ADDRESSES, 1, 0, cmd_list},
    {"next", "n", "[N]", "Carry out N instructions (1) of this CPU, a call of a function or of the system being one.", CMD_WORDS_NONE, 1, CMD_RUNS, cmd_next},
    {"nexti", "ni", "[N]", "The same as next.", CMD_WORDS_NONE, 1, CMD_RUNS, cmd_next},
    {"nextline", "nl", "[N]", "Go on to another source line, over calls, N times (1).", CMD_WORDS_NONE, 1, CMD_RUNS, cmd_nextline},
    {"print", "p", "[/FMT] EXPR", "What EXPR comes to; FMT is one of xduotca.", CMD_WORDS_ADDRESSES, CMD_ARGS_MAX, 0, cmd_print},
    {"quit", "q", "", "End the machine and the program.", CMD_WORDS_NONE, 0, 0, cmd_quit},
    {"regs", "r", "[NAME...|all|float|system]", "Show registers with their fields.", CMD_WORDS_REGS, CMD_ARGS_MAX, 0, cmd_regs},
    {"release", NULL, "", "Hold no more: the machine runs if it was asked to.", CMD_WORDS_NONE, 0, 0, cmd_release},
    {"reset", NULL, "", "Put the machine back to power-on; breakpoints stay.", CMD_WORDS_NONE, 0, CMD_REGS | CMD_MEMORY, cmd_reset},
    {"run", NULL, "", "The same as continue.", CMD_WORDS_NONE, 0, CMD_RUNS, cmd_continue},
    {"rwatch", NULL, "ADDR[,LENGTH] [if EXPR]", "The same as awatch, for reads.", CMD_WORDS_ADDRESSES, CMD_ARGS_MAX, CMD_POINTS, cmd_rwatch},
    {"set", NULL, "REG VALUE", "Give a register a value.", CMD_WORDS_REGS, 2, CMD_REGS, cmd_set},
    {"step", "s", "[N]", "Carry out N instructions (1), of whichever CPU has its turn.", CMD_WORDS_NONE, 1, CMD_RUNS, cmd_step},
    {"stepi", "si", "[N]", "The same as step.", CMD_WORDS_NONE, 1, CMD_RUNS, cmd_step},
    {"stepline", "sl", "[N]", "The same as nextline, but into functions whose lines are known.", CMD_WORDS_NONE, 1, CMD_RUNS, cmd_stepline},
    {"symbol", NULL, "ADDR|NAME", "What is at an address, or where a name is.", CMD_WORDS_ADDRESSES, CMD_ARGS_MAX, 0, cmd_symbol},
    {"symbols", NULL, "[FILE[@OFFSET]]", "Add an ELF file's names, lines and frames, OFFSET added to each address; or the running kernel's names.", CMD_WORDS_NONE, 1, 0, cmd_symbols},
    {"tbreak", "tb", "WHERE [if EXPR]", "The same as break, once.", CMD_WORDS_ADDRESSES, CMD_ARGS_MAX, CMD_POINTS, cmd_tbreak},
    {"until", "u", "COUNT|WHERE", "Run until COUNT instructions were carried out since reset, or this CPU is WHERE (as for break).", CMD_WORDS_ADDRESSES, CMD_ARGS_MAX, CMD_RUNS, cmd_until},
    {"walk", "w", "ADDR [r|w|x]", "Explain how ADDR is translated, for a read (r), write or fetch.", CMD_WORDS_ADDRESSES, 2, 0, cmd_walk},
    {"watch", NULL, "ADDR[,LENGTH] [if EXPR]", "The same as awatch, for writes that change something.", CMD_WORDS_ADDRESSES, CMD_ARGS_MAX, CMD_POINTS, cmd_watch},
    {"x", NULL, "[/FMT] ADDR [N]", "Show memory at a virtual address; FMT is count, format (xduotcsi) and size (bhwg).", CMD_WORDS_ADDRESSES, 3, 0, cmd_x},
    {"xp", NULL, "[/FMT] ADDR [N]", "The same as x, at a physical address; not format i.", CMD_WORDS_ADDRESSES, 3, 0, cmd_xp},
    {NULL, NULL, NULL, NULL, CMD_WORDS_NONE, 0, 0, NULL},
};
/* clang-format on */

struct cmd_session *cmd_session_new(struct ctl *c, struct ctl_client *client)
{
    struct cmd_session *s = xcalloc(1, sizeof *s);

    s->ctl = c;
    s->client = client;
    return s;
}

void cmd_session_free(struct cmd_session *s)
{
    if (!s)
        return;
    if (s->dump)
        cmd_on_machine(s, cmd_dump_end, 0, NULL, NULL, NULL, NULL);
    dbg_disas_free(s->disas);
    free(s);
}

void cmd_session_on_wait(struct cmd_session *s, cmd_wait_fn *wait, void *opaque)
{
    s->wait = wait;
    s->wait_opaque = opaque;
}

bool cmd_last_stop(const struct cmd_session *s, struct ctl_stop *stop)
{
    if (s->stopped)
        *stop = s->last_stop;
    return s->stopped;
}

/* ---- work on the machine's thread ---- */

struct job_call {
    struct cmd_job job;
    int (*fn)(struct cmd_job *j);
    int rc;
};

static void run_job(struct machine *m, void *arg)
{
    struct job_call *k = arg;
    struct cmd_session *s = k->job.s;

    k->job.m = m;
    k->job.c = machine_cpu(m, s->cpu);
    if (!s->disas)
        s->disas = dbg_disas_new(machine_guest(m), ctl_symbols(s->ctl));
    k->rc = k->fn(&k->job);
}

int cmd_on_machine(struct cmd_session *s, int (*fn)(struct cmd_job *j), int argc, char **argv,
                   struct buf *out, struct err *e, uint64_t *value)
{
    struct job_call k = {.job = {.s = s, .argc = argc, .argv = argv, .out = out, .e = e}, .fn = fn};

    ctl_call(s->ctl, run_job, &k);
    if (value)
        *value = k.job.value;
    return k.rc;
}

/* ---- numbers ---- */

const char *cmd_number_start(const char *text, uint64_t *v)
{
    char *end;
    int base = !strncmp(text, "0b", 2) ? 2 : 0;

    if (*text < '0' || *text > '9')
        return NULL;
    errno = 0;
    *v = strtoull(text + base, &end, base);
    return errno || end == text + base ? NULL : end;
}

int cmd_number(const char *text, uint64_t *v, struct err *e)
{
    const char *end = cmd_number_start(text, v);

    if (!end || *end)
        return err_set(e, EINVAL, "%.60s: not a number", text);
    return 0;
}

/* ---- lines ---- */

/* The command of this name or shorthand, or the only one with this prefix; or one whose name all others
 * with it begin with, as "next" for "ne". */
static const struct cmd *find(const char *name, struct err *e)
{
    const struct cmd *found = NULL;
    unsigned n = 0;
    char names[120] = "";

    for (const struct cmd *c = cmd_table; c->name; c++) {
        if (!strcmp(c->name, name) || (c->shorthand && !strcmp(c->shorthand, name)))
            return c;
        if (strncmp(c->name, name, strlen(name)))
            continue;
        if (found && !strncmp(c->name, found->name, strlen(found->name)))
            continue; /* in the table's order it comes behind */
        found = c;
        if (n++)
            strncat(names, ", ", sizeof names - strlen(names) - 1);
        strncat(names, c->name, sizeof names - strlen(names) - 1);
    }
    if (n == 1)
        return found;
    if (n)
        err_set(e, EINVAL, "%.40s: could be %s", name, names);
    else
        err_set(e, EINVAL, "%.40s: no such command (help lists them)", name);
    return NULL;
}

#define BLANKS " \t\r\n"

/* Cuts the line at blanks; "x/8i" is "x" and "/8i".  The number of words, or CMD_ARGS_MAX + 1. */
static int split(char *line, char **argv, char *slash_word, size_t slash_size)
{
    int argc = 0;
    char *save = NULL;

    for (char *w = strtok_r(line, BLANKS, &save); w; w = strtok_r(NULL, BLANKS, &save)) {
        char *slash = argc ? NULL : strchr(w, '/');

        if (argc >= CMD_ARGS_MAX)
            return CMD_ARGS_MAX + 1;
        argv[argc++] = w;
        if (slash && slash != w && strlen(slash) < slash_size) {
            strcpy(slash_word, slash);
            *slash = 0;
            argv[argc++] = slash_word;
        }
    }
    return argc;
}

static int run_words(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    const struct cmd *c = find(argv[0], e);

    if (!c)
        return -EINVAL;
    if ((unsigned)argc - 1 > c->max_args)
        return err_set(e, EINVAL, "%s: too much: %s %s", c->name, c->name, c->args);
    if (argc == 1 && *c->args && *c->args != '[')
        return err_set(e, EINVAL, "%s: what? %s %s", c->name, c->name, c->args);
    if (c->run(s, argc, argv, out, e))
        return err_prefix(e, "%s", c->name);
    return 0;
}

int cmd_run(struct cmd_session *s, const char *line, struct buf *out, enum cmd_next *next,
            struct err *e)
{
    char *copy = xstrdup(line), *argv[CMD_ARGS_MAX + 2], slash[32];
    int argc = split(copy, argv, slash, sizeof slash), rc = 0;

    s->next = CMD_GO_ON;
    if (argc > CMD_ARGS_MAX)
        rc = err_set(e, EINVAL, "a line has at most %d words", CMD_ARGS_MAX);
    else if (argc && *argv[0] != '#')
        rc = run_words(s, argc, argv, out, e);
    *next = s->next;
    free(copy);
    return rc;
}

unsigned cmd_does(const char *line)
{
    char name[32];
    size_t start = strspn(line, BLANKS), n = strcspn(line + start, BLANKS "/");
    const struct cmd *c;

    if (!n || n >= sizeof name)
        return 0;
    memcpy(name, line + start, n);
    name[n] = 0;
    c = find(name, NULL);
    return c ? c->does : 0;
}

/* ---- completion ---- */

#define COMPLETIONS_MAX 200 /* symbols: a kernel has a hundred thousand */

struct finding {
    const char *prefix;
    unsigned n; /* of those that match, still to be passed over */
    char *found;
};

static void offer(struct finding *f, const char *word)
{
    if (!f->found && word && !strncmp(word, f->prefix, strlen(f->prefix)) && !f->n--)
        f->found = xstrdup(word);
}

static int offer_regs(struct cmd_job *j)
{
    struct finding *f = (struct finding *)(void *)j->argv;
    const struct guest *g = machine_guest(j->m);

    for (uint32_t i = 0; i < g->nregs; i++) {
        offer(f, g->regs[i].name);
        offer(f, g->regs[i].alias);
    }
    return 0;
}

static int offer_symbols(struct cmd_job *j)
{
    struct finding *f = (struct finding *)(void *)j->argv;
    const struct dbg_symbol *k = dbg_symbols_prefixed(ctl_symbols(j->s->ctl), f->prefix, f->n);

    if (!f->found && k && f->n < COMPLETIONS_MAX)
        f->found = xstrdup(k->name);
    return 0;
}

/* words: all that is behind "catch". */
static void offer_event_words(struct cmd_session *s, struct finding *f, const char *words)
{
    size_t start = strspn(words, " \t"), len = strcspn(words + start, " \t");
    char event[32] = "";

    if (f->prefix == words + start) {
        for (unsigned i = 0; cmd_event_name(i); i++)
            offer(f, cmd_event_name(i));
        return;
    }
    if (len < sizeof event)
        memcpy(event, words + start, len);
    for (unsigned i = 0; cmd_event_word(event, i); i++)
        offer(f, cmd_event_word(event, i));
    if (cmd_event_of_code(event))
        cmd_on_machine(s, offer_symbols, 1, (char **)(void *)f, NULL, NULL, NULL);
}

char *cmd_complete(struct cmd_session *s, const char *line, unsigned n)
{
    struct finding f = {.n = n};
    size_t start = strspn(line, " \t"), word = strcspn(line + start, " \t/");
    char name[32];
    const struct cmd *c = NULL;

    f.prefix = line + strlen(line);
    while (f.prefix > line && f.prefix[-1] != ' ' && f.prefix[-1] != '\t')
        f.prefix--;
    if (word < sizeof name) {
        memcpy(name, line + start, word);
        name[word] = 0;
        c = find(name, NULL);
    }
    if (f.prefix == line + start || (c && c->words == CMD_WORDS_COMMANDS)) {
        for (const struct cmd *k = cmd_table; k->name; k++)
            offer(&f, k->name);
    } else if (c && c->words == CMD_WORDS_INFO) {
        for (unsigned i = 0; cmd_info_topic(i); i++)
            offer(&f, cmd_info_topic(i));
    } else if (c && c->words == CMD_WORDS_EVENTS) {
        offer_event_words(s, &f, line + start + word);
    } else if (c) {
        if (c->words == CMD_WORDS_REGS || c->words == CMD_WORDS_ADDRESSES)
            cmd_on_machine(s, offer_regs, 1, (char **)(void *)&f, NULL, NULL, NULL);
        if (c->words == CMD_WORDS_SYMBOLS || c->words == CMD_WORDS_ADDRESSES)
            cmd_on_machine(s, offer_symbols, 1, (char **)(void *)&f, NULL, NULL, NULL);
    }
    return f.found;
}

/* ---- commands on commands ---- */

int cmd_help(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    const struct cmd *c;

    (void)s;
    if (argc > 1) {
        c = find(argv[1], e);
        if (!c)
            return -EINVAL;
        buf_fmt(out, "%s %s\n    %s\n", c->name, c->args, c->help);
        if (c->shorthand)
            buf_fmt(out, "    Short: %s\n", c->shorthand);
        return 0;
    }
    for (c = cmd_table; c->name; c++) {
        size_t column = out->len;

        buf_fmt(out, "%s %s", c->name, c->args);
        buf_fmt(out, "%*s%s\n", out->len - column < 26 ? (int)(28 - (out->len - column)) : 2, "",
                c->help);
    }
    buf_str(out, "Addresses are expressions, as for print: 0x80200000, pc, sp+16, main, u64[sp+8].\n");
    return 0;
}

int cmd_quit(struct cmd_session *s, int argc, char **argv, struct buf *out, struct err *e)
{
    (void)argc, (void)argv, (void)out, (void)e;
    s->next = CMD_QUIT;
    return 0;
}
