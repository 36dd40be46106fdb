/* options.c - see options.h. */
#include "cli/options.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/mem_alloc.h"
#include "cli/cli.h"
#include "cli/number.h"
#include "cli/parts.h"
#include "dev/pflash.h"
#include "host/host_clock.h"
#include "host/host_file.h"

#define DEFAULT_MEMORY (UINT64_C(512) << 20)
#define DEFAULT_APPEND "console=ttyS0"
#define DEFAULT_EPOCH  UINT64_C(1735689600) /* 2025-01-01 00:00 UTC */
#define NS             UINT64_C(1000000000)
#define MEMORY_PER_HOST                                                                            \
    4 /* the guest's memory may be this many times the host's: it comes lazily */

/* What this host can do best. */
#ifdef __x86_64__
#define DEFAULT_ENGINE "jit"
#else
#define DEFAULT_ENGINE "interp"
#endif

enum {
    OPT_MACHINE = 0x100,
    OPT_CPUS,
    OPT_MEMORY,
    OPT_ISA,
    OPT_KERNEL,
    OPT_INITRD,
    OPT_APPEND,
    OPT_FIRMWARE,
    OPT_LOAD_ADDR,
    OPT_DISK,
    OPT_FLASH,
    OPT_FW_CFG,
    OPT_ENGINE,
    OPT_TLB,
    OPT_CODE_CACHE,
    OPT_RATE,
    OPT_SLICE,
    OPT_REALTIME,
    OPT_EPOCH,
    OPT_DTB_OUT,
    OPT_NET,
    OPT_SHARE,
    OPT_PORT,
    OPT_BALLOON,
    OPT_VIRTIO,
    OPT_RNG_SEED,
    OPT_BARE,
    OPT_SEMIHOSTING,
    OPT_INTERRUPTS,
};

/* clang-format off */
static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "The machine:", 10},
    {"machine", OPT_MACHINE, "NAME", 0, "Kind of machine (virt; see glovebox machine)", 10},
    {"cpus", OPT_CPUS, "N", 0, "Number of CPUs, 1 to 8 (1)", 10},
    {"memory", OPT_MEMORY, "SIZE", 0, "RAM, with K, M, G or T for powers of 1024 (512M)", 10},
    {"isa", OPT_ISA, "STRING", 0, "Extensions of the CPUs, as rv64imafdc_zba (all there are)", 10},
    {"interrupts", OPT_INTERRUPTS, "plic|aplic|imsic", 0, "Interrupt controllers: a PLIC, the advanced interrupt architecture's APLIC, or its APLIC with an IMSIC for each CPU, which takes messages (plic)", 10},
    {"disk", OPT_DISK, "FILE|URI[,ro]", 0, "A disk image of whole 512-byte sectors, raw (,format=raw if it looks like qcow2), or with ,format=qcow2 that, which may build on others if ,backing is said too; or an NBD server's disk, as nbd://HOST/EXPORT or nbd+unix:///EXPORT?socket=PATH; read only with ,ro; may be repeated", 10},
    {"flash", OPT_FLASH, "FILE[,ro]", 0, "What the first bank of flash holds, and where it is kept: at most 32 MiB, whole 512-byte sectors; may be repeated for the second one; a bank without a file is erased.  With --firmware, the first bank is started in S-mode and finds the kernel in fw_cfg; with neither firmware nor kernel, it is started in M-mode by all CPUs", 10},
    {"fw-cfg", OPT_FW_CFG, "NAME=FILE|string:TEXT", 0, "A file that the guest finds in fw_cfg, by a name like opt/org.example/thing; may be repeated", 10},
    {"net", OPT_NET, "user|tap=IF", 0, "A network: the program's own, with ,hostfwd=tcp:[ADDR]:PORT-:PORT (or udp; 127.0.0.1 without ADDR) from a port of the host's to one of the guest's, and ,restrict to allow nothing else; or an interface of the host's; ,mac=... for either; may be repeated", 10},
    {"share", OPT_SHARE, "DIR,tag=NAME[,ro]", 0, "A folder of the host's: mount -t 9p -o trans=virtio NAME ... in the guest; may be repeated", 10},
    {"port", OPT_PORT, "NAME=FILE|unix:PATH|pty", 0, "A port of a virtio console: /dev/virtio-ports/NAME, or with console as NAME /dev/hvc0; may be repeated", 10},
    {"balloon", OPT_BALLOON, "SIZE", 0, "A memory balloon, which gives free memory back to the host; the guest is asked to give up SIZE, which may be 0", 10},
    {"rng-seed", OPT_RNG_SEED, "N|host", 0, "What the entropy device's bytes are made from (0); with host, runs are not alike", 10},
    {"virtio", OPT_VIRTIO, "mmio|pci", 0, "How disks and other virtio devices are attached (mmio)", 10},
    {"dtb-out", OPT_DTB_OUT, "FILE", 0, "Write the device tree to FILE", 10},
    {NULL, 0, NULL, 0, "What it starts with:", 20},
    {"kernel", OPT_KERNEL, "FILE", 0, "The same as KERNEL: an ELF program, a Linux Image, either with gzip, or raw bytes", 20},
    {"initrd", OPT_INITRD, "FILE", 0, "Initial RAM disk", 20},
    {"append", OPT_APPEND, "TEXT", 0, "Kernel command line (" DEFAULT_APPEND "; none with --bare, --semihosting or no kernel)", 20},
    {"firmware", OPT_FIRMWARE, "FILE", 0, "M-mode firmware; without it, SBI is built in", 20},
    {"bare", OPT_BARE, NULL, 0, "All CPUs start in M-mode at the kernel's entry, without SBI, as they always do for an ELF program with a symbol tohost, which gets HTIF", 20},
    {"semihosting", OPT_SEMIHOSTING, "DIR[,ro]", OPTION_ARG_OPTIONAL, "Programs may call the host (RISC-V semihosting) for the console, virtual time and their exit status, and with DIR for files beneath that folder", 20},
    {"load-addr", OPT_LOAD_ADDR, "ADDR", 0, "Where a kernel of raw bytes goes, and starts", 20},
    {NULL, 0, NULL, 0, "How it is run (engine, tlb and code-cache change nothing but speed):", 30},
    {"engine", OPT_ENGINE, "NAME", 0, "jit or interp (" DEFAULT_ENGINE " on this host)", 30},
    {"tlb", OPT_TLB, "SPEC", 0, "Software TLB: l1=1024,l2=4096x4,policy=lru (that is the default); l2=0: none; policies lru, fifo, random", 30},
    {"code-cache", OPT_CODE_CACHE, "SIZE", 0, "Memory for translated code (64M)", 30},
    {"rate", OPT_RATE, "N", 0, "Instructions in a second of virtual time, with K, M or G for powers of 1000 (1G)", 30},
    {"slice", OPT_SLICE, "N", 0, "Instructions that a CPU runs before it is another one's turn, at most 1G (1M; 50K with several CPUs or --realtime)", 30},
    {"epoch", OPT_EPOCH, "SECONDS|now", 0, "Unix time at power-on (2025-01-01); with now, runs are not alike", 30},
    {"realtime", OPT_REALTIME, NULL, 0, "Virtual time is the host's: runs are not alike", 30},
    {0},
};
/* clang-format on */

void cli_options_init(struct cli_options *o, struct log *log)
{
    struct tlb_config tlb = TLB_CONFIG_DEFAULT;

    memset(o, 0, sizeof *o);
    o->log = log;
    o->config = (struct machine_config){
        .board = {.machine = "virt",
                  .ncpus = 1,
                  .memory = DEFAULT_MEMORY,
                  .load_addr = UINT64_MAX,
                  .timebase = 10000000,
                  .epoch_ns = DEFAULT_EPOCH * NS,
                  .log = log},
        .guest = "riscv64",
        .engine = DEFAULT_ENGINE,
        .accel = {.break_op = -1},
        .tlb = tlb,
        .rate = NS,
    };
}

static int close_disks(struct cli_options *o)
{
    int status = CLI_OK;

    for (unsigned i = 0; i < CLI_DISKS; i++)
        if (cli_disk_close(&o->open[i]))
            status = CLI_ERROR;
    return status;
}

int cli_options_fini(struct cli_options *o)
{
    int status = close_disks(o);

    cli_doors_fini(&o->doors);
    cli_folder_fini(&o->semihosting);
    for (unsigned i = 0; i < o->ndisks; i++)
        free(o->disk[i].path);
    for (unsigned i = 0; i < o->nflash; i++)
        free(o->flash[i].path);
    return status;
}

error_t cli_refuse(const struct cli_options *o, const struct err *e)
{
    log_error(o->log, "%s", e->msg);
    return EINVAL;
}

int cli_parse(const struct argp *argp, int argc, char **argv, void *input)
{
    return argp_parse(argp, argc, argv, 0, NULL, input) ? CLI_ERROR : 0;
}

error_t cli_kernel(struct cli_options *o, const char *path)
{
    struct err e;

    if (o->config.board.kernel) {
        err_set(&e, EINVAL, "%.100s: there is a kernel already: %.100s", path,
                o->config.board.kernel);
        return cli_refuse(o, &e);
    }
    o->config.board.kernel = path;
    return 0;
}

/* ---- single options ---- */

static int memory(struct cli_options *o, const char *text, struct err *e)
{
    uint64_t *v = &o->config.board.memory;
    uint64_t host = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    int rc = cli_size("--memory", text, v, e);

    if (!rc && *v / MEMORY_PER_HOST > host)
        rc = err_set(e, EINVAL, "--memory: %s is too much for this host, which has %" PRIu64 " MiB",
                     text, host >> 20);
    return rc;
}

static int disk(struct cli_options *o, const char *text, struct err *e)
{
    if (o->ndisks == BOARD_DISKS)
        return err_set(e, EINVAL, "--disk: %.100s is one too many; %d fit", text, BOARD_DISKS);
    return cli_disk(&o->disk[o->ndisks++], text, e);
}

static int flash(struct cli_options *o, const char *text, struct err *e)
{
    struct cli_disk_option *f = &o->flash[o->nflash];

    if (o->nflash == BOARD_FLASH)
        return err_set(e, EINVAL, "--flash: %.100s is one too many; %d fit", text, BOARD_FLASH);
    if (!*text)
        return err_set(e, EINVAL, "--flash: which file?");
    f->format = "raw";
    f->path = xstrdup(text);
    f->read_only = cli_cut_ro(f->path);
    o->nflash++;
    return 0;
}

static int tlb_policy(const char *name, enum tlb_policy *policy)
{
    static const char *const names[] = {
        [TLB_LRU] = "lru", [TLB_FIFO] = "fifo", [TLB_RANDOM] = "random"};

    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        if (!strcmp(names[i], name)) {
            *policy = (enum tlb_policy)i;
            return 0;
        }
    }
    return -EINVAL;
}

/* "512x4": sets of so many ways; "0": none */
static int tlb_l2(const char *value, struct tlb_config *t)
{
    int end = 0;

    if (!strcmp(value, "0")) {
        t->l2_sets = 0;
        return 0;
    }
    if (sscanf(value, "%9" SCNu32 "x%9" SCNu32 "%n", &t->l2_sets, &t->l2_ways, &end) != 2 ||
        value[end])
        return -EINVAL;
    return 0;
}

static int tlb_part(char *part, struct tlb_config *t)
{
    int end = 0;

    if (!strncmp(part, "l1=", 3))
        return sscanf(part + 3, "%9" SCNu32 "%n", &t->l1_entries, &end) == 1 && !part[3 + end]
                   ? 0
                   : -EINVAL;
    if (!strncmp(part, "l2=", 3))
        return tlb_l2(part + 3, t);
    if (!strncmp(part, "policy=", 7))
        return tlb_policy(part + 7, &t->policy);
    return -EINVAL;
}

static int tlb(struct cli_options *o, const char *text, struct err *e)
{
    char *copy = xstrdup(text), *save = NULL;
    int rc = strspn(text, ",") == strlen(text) ? -EINVAL : 0;

    for (char *p = strtok_r(copy, ",", &save); p && !rc; p = strtok_r(NULL, ",", &save))
        rc = tlb_part(p, &o->config.tlb);
    free(copy);
    if (rc)
        return err_set(e, EINVAL, "--tlb: \"%.60s\" is not like l1=1024,l2=4096x4,policy=lru",
                       text);
    return tlb_config_check(&o->config.tlb, e) ? err_prefix(e, "--tlb") : 0;
}

static int epoch(struct cli_options *o, const char *text, struct err *e)
{
    uint64_t seconds;
    int rc;

    if (!strcmp(text, "now")) {
        o->config.board.epoch_ns = (uint64_t)host_realtime_ns();
        return 0;
    }
    rc = cli_count("--epoch", text, &seconds, e);
    if (!rc && seconds > UINT32_MAX * UINT64_C(2))
        rc = err_set(e, ERANGE, "--epoch: %.60s is too far in the future", text);
    if (!rc)
        o->config.board.epoch_ns = seconds * NS;
    return rc;
}

/* A count from 1 to max. */
static int positive(const char *option, const char *text, uint64_t max, uint64_t *v, struct err *e)
{
    int rc = cli_count(option, text, v, e);

    if (!rc && (!*v || *v > max))
        rc = err_set(e, ERANGE, "%s: 1 to %" PRIu64 ", not %.60s", option, max, text);
    return rc;
}

static int cpus(struct cli_options *o, const char *text, struct err *e)
{
    uint64_t n;
    int rc = positive("--cpus", text, BOARD_CPUS, &n, e);

    if (!rc)
        o->config.board.ncpus = (unsigned)n;
    return rc;
}

static int code_cache(struct cli_options *o, const char *text, struct err *e)
{
    uint64_t n = 0;
    int rc = cli_size("--code-cache", text, &n, e);

    if (!rc && (!n || n > UINT64_C(1) << 31))
        rc = err_set(e, ERANGE, "--code-cache: %.60s: more than 0, and at most 2G", text);
    o->config.accel.code_size = (size_t)n;
    return rc;
}

static int balloon(struct cli_options *o, const char *text, struct err *e)
{
    o->config.board.balloon = true;
    return cli_size("--balloon", text, &o->config.board.balloon_bytes, e);
}

static int virtio(struct cli_options *o, const char *text, struct err *e)
{
    bool pci = !strcmp(text, "pci");

    if (!pci && strcmp(text, "mmio"))
        return err_set(e, EINVAL, "--virtio: mmio or pci, not \"%.60s\"", text);
    o->config.board.virtio = pci ? BOARD_VIRTIO_PCI : BOARD_VIRTIO_MMIO;
    return 0;
}

static int semihosting(struct cli_options *o, const char *text, struct err *e)
{
    o->config.board.semihosting = true;
    return text ? cli_folder("--semihosting", &o->semihosting, text, e) : 0;
}

/* Those whose value needs reading. */
static int parse_value(struct cli_options *o, int key, const char *arg, struct err *e)
{
    struct machine_config *c = &o->config;

    switch (key) {
    case OPT_CPUS:
        return cpus(o, arg, e);
    case OPT_MEMORY:
        return memory(o, arg, e);
    case OPT_DISK:
        return disk(o, arg, e);
    case OPT_FLASH:
        return flash(o, arg, e);
    case OPT_FW_CFG:
        return cli_fw_cfg(&o->doors, arg, e);
    case OPT_NET:
        return cli_net(&o->doors, arg, e);
    case OPT_SHARE:
        return cli_share(&o->doors, arg, e);
    case OPT_PORT:
        return cli_port(&o->doors, arg, e);
    case OPT_BALLOON:
        return balloon(o, arg, e);
    case OPT_VIRTIO:
        return virtio(o, arg, e);
    case OPT_RNG_SEED:
        return cli_rng_seed(&o->doors, &c->board, arg, e);
    case OPT_SEMIHOSTING:
        return semihosting(o, arg, e);
    case OPT_LOAD_ADDR:
        return cli_size("--load-addr", arg, &c->board.load_addr, e);
    case OPT_TLB:
        return tlb(o, arg, e);
    case OPT_CODE_CACHE:
        return code_cache(o, arg, e);
    case OPT_RATE:
        return positive("--rate", arg, 1000 * NS, &c->rate, e);
    case OPT_SLICE:
        return positive("--slice", arg, UINT64_C(1) << 32, &c->slice, e);
    default: /* OPT_EPOCH */
        return epoch(o, arg, e);
    }
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct cli_options *o = state->input;
    struct board_config *b = &o->config.board;
    struct err e;

    switch (key) {
    case ARGP_KEY_INIT:
        state->err_stream = NULL; /* one line a mistake, without "Try ..." */
        return 0;
    case OPT_MACHINE:
        b->machine = arg;
        return 0;
    case OPT_INTERRUPTS:
        b->interrupts = arg;
        return 0;
    case OPT_ISA:
        o->config.isa = arg;
        return 0;
    case OPT_KERNEL:
        return cli_kernel(o, arg);
    case OPT_INITRD:
        b->initrd = arg;
        return 0;
    case OPT_APPEND:
        b->append = arg;
        return 0;
    case OPT_FIRMWARE:
        b->firmware = arg;
        return 0;
    case OPT_ENGINE:
        o->config.engine = arg;
        return 0;
    case OPT_REALTIME:
        o->config.realtime = true;
        return 0;
    case OPT_BARE:
        b->bare = true;
        return 0;
    case OPT_DTB_OUT:
        o->dtb_out = arg;
        return 0;
    case OPT_CPUS:
    case OPT_MEMORY:
    case OPT_DISK:
    case OPT_FLASH:
    case OPT_FW_CFG:
    case OPT_LOAD_ADDR:
    case OPT_TLB:
    case OPT_CODE_CACHE:
    case OPT_RATE:
    case OPT_SLICE:
    case OPT_EPOCH:
    case OPT_NET:
    case OPT_SHARE:
    case OPT_PORT:
    case OPT_BALLOON:
    case OPT_VIRTIO:
    case OPT_RNG_SEED:
    case OPT_SEMIHOSTING:
        return parse_value(o, key, arg, &e) ? cli_refuse(o, &e) : 0;
    }
    return ARGP_ERR_UNKNOWN;
}

const struct argp cli_machine_argp = {options, parse, NULL, NULL, NULL, NULL, NULL};

int cli_options_check(struct cli_options *o, struct err *e)
{
    struct board_config *b = &o->config.board;

    if (!b->kernel && !b->firmware && !o->nflash)
        return err_set(e, EINVAL, "there is nothing to run: name a kernel, --firmware or --flash");
    if (b->bare && b->firmware)
        return err_set(e, EINVAL, "--bare: there is no kernel in M-mode beside --firmware %.200s",
                       b->firmware);
    if (!b->append && b->kernel && !b->bare && !b->semihosting)
        b->append = DEFAULT_APPEND;
    return 0;
}

/* ---- what is opened ---- */

static int flash_open(struct cli_options *o, unsigned i, struct err *e)
{
    struct dev_disk *door = &o->config.board.flash[i];
    int rc = cli_disk_open(&o->flash[i], o->keep_disks, &o->open[BOARD_DISKS + i], door, o->log, e);

    rc = rc ? rc : pflash_check(door, o->flash[i].path, e);
    return rc ? err_prefix(e, "--flash") : 0;
}

static int open_disks(struct cli_options *o, struct err *e)
{
    struct board_config *b = &o->config.board;
    int rc = 0;

    for (unsigned i = 0; i < o->ndisks && !rc; i++)
        if (cli_disk_open(&o->disk[i], o->keep_disks, &o->open[i], &b->disks[i], o->log, e))
            rc = err_prefix(e, "--disk");
    for (unsigned i = 0; i < o->nflash && !rc; i++)
        rc = flash_open(o, i, e);
    b->ndisks = o->ndisks;
    b->nflash = o->nflash;
    return rc;
}

static int open_semihosting(struct cli_options *o, struct err *e)
{
    int rc = cli_folder_open("--semihosting", &o->semihosting, e);

    o->config.board.semihosting_files = o->semihosting.share;
    return rc;
}

int cli_options_open(struct cli_options *o, struct err *e)
{
    int rc = open_disks(o, e);

    rc = rc ? rc : open_semihosting(o, e);
    return rc ? rc : cli_doors_open(&o->doors, &o->config.board, o->log, e);
}

/* ---- the device tree ---- */

int cli_write_dtb(const struct cli_options *o, struct machine *m, struct err *e)
{
    size_t len;
    const void *dtb = board_dtb(machine_board(m), &len);
    int fd, rc;

    if (!o->dtb_out)
        return 0;
    fd = open(o->dtb_out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return err_sys(e, errno, "--dtb-out: %s", o->dtb_out);
    rc = host_fd_write(fd, dtb, len);
    if (close(fd) < 0 && !rc)
        rc = -errno;
    return rc ? err_sys(e, -rc, "--dtb-out: %s", o->dtb_out) : 0;
}
