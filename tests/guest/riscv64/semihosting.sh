#!/bin/sh
# Semihosting: a program in M-mode and one in S-mode call the host, and get no further than
# they may.
. "$top_srcdir/tests/guest/riscv64/bare.sh"

# The program does what its command line says.  It exits by HTIF with 42 if a breakpoint traps.
cat >"$work/guest.c" <<'END'
typedef unsigned long word;
typedef unsigned char byte;

#ifdef SUPERVISOR
#define TVEC "stvec"
__asm__(".globl _start; _start: la sp, stack_end; la t0, trap; csrw stvec, t0; call run; j .\n"
        ".balign 4; trap: li a7, 8; ecall; j trap\n"
        ".balign 16; .space 8192; stack_end:");
#else
__asm__(".globl _start; _start: la sp, stack_end; la t0, trap; csrw mtvec, t0; call run; j .\n"
        ".balign 4; trap: li a0, 42 << 1 | 1; la t0, tohost; sd a0, (t0); j .\n"
        ".balign 16; .space 8192; stack_end:\n"
        ".balign 8; .globl tohost; tohost: .dword 0");
#endif

word call(word number, const void *block);
__asm__(".option push; .option norvc; .balign 16\n"
        "call: slli x0, x0, 0x1f; ebreak; srai x0, x0, 7; ret; .option pop");

enum { OPEN = 1, CLOSE, WRITEC, WRITE0, WRITE, READ, READC, ISERROR, ISTTY, SEEK, FLEN = 12,
       TMPNAM, REMOVE, RENAME, CLOCK, TIME, SYSTEM, ERRNO, CMDLINE = 21, HEAPINFO, EXIT = 24,
       EXIT_EXTENDED = 32, ELAPSED = 48, TICKFREQ };

static word call1(word n, word a) { word b[] = {a}; return call(n, b); }
static word call2(word n, word a, word c) { word b[] = {a, c}; return call(n, b); }
static word call3(word n, word a, word c, word d) { word b[] = {a, c, d}; return call(n, b); }

static word length(const char *s) { word n = 0; while (s[n]) n++; return n; }
static int same(const char *a, const char *b) { while (*a && *a == *b) a++, b++; return *a == *b; }
static void print(const char *s) { call(WRITE0, s); }
static void finish(word code) { call2(EXIT, 0x20026, code); }
#define CHECK(x) do { if (!(x)) { print(#x "\n"); finish(1); } } while (0)

static word open(const char *name, word mode) { return call3(OPEN, (word)name, mode, length(name)); }
static word remove(const char *name) { return call2(REMOVE, (word)name, length(name)); }
static char line[64], buffer[256];

static void files(void)
{
    word f = open("/sub/./one", 6), g; /* w+ */
    CHECK(f + 1 && f);
    CHECK(!call3(WRITE, f, (word)"hello, file", 11));
    CHECK(call1(FLEN, f) == 11 && !call1(ISTTY, f));
    CHECK(!call2(SEEK, f, 7) && call3(READ, f, (word)buffer, 100) == 96 && same(buffer, "file"));
    CHECK(call3(READ, f, (word)buffer, 9) == 9);
    CHECK(!call1(CLOSE, f) && call1(CLOSE, f) == -1ul && call1(ERRNO, 0) == 9);
    g = open("sub/one", 8); /* a */
    CHECK(!call3(WRITE, g, (word)"...", 3) && call3(READ, g, (word)buffer, 1) == 1);
    CHECK(!call1(CLOSE, g));
    g = open("sub/one", 0);
    CHECK(call3(WRITE, g, (word)"x", 1) == 1);
    CHECK(call3(READ, g, (word)buffer, 14) == 0 && buffer[13] == '.');
    CHECK(call3(READ, g, 0, 1) == 1);
    CHECK(open("none", 0) == -1ul && call1(ERRNO, 0) == 2);
    CHECK(open("sub", 0) == -1ul && open("sub", 4) == -1ul && open("", 0) == -1ul);
    CHECK(open("../secret", 0) == -1ul && open("sub/../../secret", 0) == -1ul);
    CHECK(open("link", 0) == -1ul && open("out/secret", 0) == -1ul && open("out/made", 4) == -1ul);
    CHECK(remove("link/../secret") == -1ul && remove("../secret") == -1ul && remove("sub") == -1ul);
    word move[] = {(word)"sub/one", 7, (word)"two", 3}, up[] = {(word)"two", 3, (word)"../two", 6};
    CHECK(!call(RENAME, move) && call(RENAME, up) == -1ul);
    CHECK(call1(FLEN, g) == 14); /* open as it was, under another name */
    CHECK(open("sub/one", 0) == -1ul && !remove("two") && remove("two") == -1ul);
    CHECK(open("kept", 4) != -1ul);
}

static void none(void)
{
    CHECK(open("kept", 0) == -1ul && open("made", 4) == -1ul && remove("kept") == -1ul);
}

static void read_only(void)
{
    word f = open("kept", 0);
    CHECK(f + 1 && !call1(FLEN, f));
    CHECK(open("made", 4) == -1ul && open("kept", 2) == -1ul && remove("kept") == -1ul);
}

static void handles(void)
{
    word f = open(":semihosting-features", 0), n = 0;
    CHECK(call1(FLEN, f) == 5 && call3(READ, f, (word)buffer, 9) == 4);
    CHECK(buffer[0] == 'S' && buffer[1] == 'H' && buffer[2] == 'F' && buffer[3] == 'B');
    CHECK(buffer[4] == 3 && open(":semihosting-features", 4) == -1ul);
    while (open(":tt", 4) != -1ul) n++;
    CHECK(n > 8 && n < 1000 && call1(CLOSE, -1ul) == -1ul);
    CHECK(call1(ISTTY, 0) == 1 && call1(ISTTY, 2) == 1 && !call3(WRITE, 1, (word)" 1", 2));
    CHECK(!call3(WRITE, 2, (word)" 2", 2) && call3(WRITE, 0, (word)"x", 1) == 1);
    CHECK(!call1(CLOSE, 0) && call1(CLOSE, 0) == -1ul);
    CHECK(open(":tt", 99) == -1ul && call3(OPEN, (word)":tt", 0, 1 << 20) == -1ul);
    CHECK(call3(OPEN, 0x10, 0, 3) == -1ul && call(OPEN, (void *)0x10) == -1ul);
    CHECK(call3(WRITE, f, 0, -1ul) == -1ul && call(WRITE, (void *)8) && call(0x99, 0) == -1ul);
    CHECK(call(TMPNAM, 0) == -1ul && call2(SYSTEM, (word)"true", 4) == -1ul);
    CHECK(call1(ISERROR, -5ul) && !call1(ISERROR, 5));
}

static void times(void)
{
    word ticks, later;
    CHECK(call(TICKFREQ, 0) == 1000000000 && call(TIME, 0) == 1000);
    CHECK(!call(ELAPSED, &ticks));
    for (volatile int i = 0; i < 6000000; i++) { }
    CHECK(!call(ELAPSED, &later) && later - ticks > 20000000 && later - ticks < 200000000);
    CHECK(call(CLOCK, 0) == later / 10000000);
    word h[4];
    extern char _end[];
    CHECK(!call1(HEAPINFO, (word)h) && h[0] >= (word)_end && !(h[0] & 4095) && h[1] > h[0]);
    CHECK(h[2] == h[1] && h[3] == h[0]);
    *(volatile long *)h[0] = 1;
    *(volatile long *)(h[2] - 8) = 1;
}

static void keys(void)
{
    word in = open(":tt", 0), out = open(":tt", 4), n;
    CHECK(call1(ISTTY, in) == 1 && call1(ISTTY, out) == 1 && call1(FLEN, in) == 0);
    while ((n = call(READC, 0)) != '.')
        call(WRITEC, &n);
    do {
        n = 64 - call3(READ, in, (word)buffer, 64);
        CHECK(n > 0 && n <= 64 && !call3(WRITE, out, (word)buffer, n));
    } while (buffer[n - 1] != '!');
}

static void lone(void)
{
    __asm__ volatile(".option push; .option norvc; nop; ebreak; srai x0, x0, 7; .option pop");
}

static void user(void)
{
    __asm__ volatile("li t0, 0x1800; csrc mstatus, t0; li t0, -1; csrw pmpaddr0, t0;"
                     "li t0, 31; csrw pmpcfg0, t0; la t0, 1f; csrw mepc, t0; mret\n 1:" ::: "t0");
    print("from U-mode");
}

void run(void)
{
    word n = call2(CMDLINE, (word)line, sizeof line);
    CHECK(!n && call2(CMDLINE, (word)line, 2) == -1ul);
    static const struct { const char *name; void (*run)(void); } jobs[] = {
        {"files", files}, {"none", none}, {"read_only", read_only}, {"handles", handles},
        {"times", times}, {"keys", keys},
#ifndef SUPERVISOR
        {"lone", lone}, {"user", user},
#endif
    };
    for (unsigned i = 0; i < sizeof jobs / sizeof *jobs; i++)
        if (same(line, jobs[i].name))
            jobs[i].run();
    if (same(line, "five"))
        finish(5);
    if (same(line, "other"))
        call2(EXIT_EXTENDED, 0x20023, 0);
    print(line);
    finish(0);
}
END
program m c <"$work/guest.c"
program s c -DSUPERVISOR -Wl,-Ttext=0x80200000 <"$work/guest.c"

both m 42 --append x && printed ''
result $? "M-mode: without the option, the breakpoint traps"
both s 0 --append x && printed ''
result $? "S-mode: likewise"
for mode in m s; do
    both $mode 0 --semihosting --append 'a text' && printed 'a text'
    result $? "$mode: command line, write, exit"
    both $mode 5 --semihosting --append five && both $mode 1 --semihosting --append other
    result $? "$mode: exit status"
    both $mode 0 --semihosting --append none && printed none
    result $? "$mode: no files without a folder"
    both $mode 0 --semihosting --append handles && printed ' 1 2handles'
    result $? "$mode: handles, and calls that make no sense"
    both $mode 0 --semihosting --epoch 1000 --append times && printed times
    result $? "$mode: virtual time, heap"

    mkdir -p "$work/top/folder/sub"
    echo secret >"$work/top/secret"
    ln -sf ../secret "$work/top/folder/link"
    ln -sfn .. "$work/top/folder/out"
    both $mode 0 --semihosting="$work/top/folder" --append files && printed files &&
        [ "$(ls "$work/top" | wc -l)" = 2 ] && [ -z "$(ls "$work/top/folder/sub")" ] &&
        [ -f "$work/top/folder/kept" ] &&
        [ "$(cat "$work/top/secret")" = secret ]
    result $? "$mode: files, beneath the folder only"
    both $mode 0 --semihosting="$work/top/folder,ro" --append read_only && printed read_only &&
        [ -f "$work/top/folder/kept" ] && [ ! -e "$work/top/folder/made" ]
    result $? "$mode: a read-only folder"
    rm -rf "$work/top"

    # Keys come at times that differ from run to run.
    for engine in $engines; do
        { sleep 0.2; printf 'ab'; sleep 0.2; printf 'c.line\n'; sleep 0.1; printf 'end!'; } |
            timeout -k 5 "$SECONDS_MAX" "$GLOVEBOX" run "$work/$mode" --engine $engine --semihosting \
                --append keys >"$work/out" 2>"$work/err"
        status=$?
        why
        [ $status = 0 ] && printed 'abcline\nend!keys'
        result $? "$mode, $engine: a hart waits for keys"
    done
done
both m 42 --semihosting --append lone
result $? "an ebreak alone is a breakpoint"
both m 42 --semihosting --append user
result $? "U-mode may not call"
refuses nothing run "$work/m" --semihosting="$work/nothing"
refuses ",ro" verify "$work/m" --semihosting="$work"
if [ "$engines" = "interp jit" ]; then
    mkdir "$work/folder"
    gb verify "$work/m" --semihosting="$work/folder,ro" --append times --epoch 1000 --interval 10K
    why
    [ $status = 0 ] && grep -q "^same at" "$work/out"
    result $? "verify"
else
    skip "verify" "$one_engine"
fi

# ---- --bare ----
program bare S <<'END'
    .globl _start
_start:
    csrr t0, mhartid
    bne t0, a0, 1f
    lwu t0, (a1)
    li t1, 0xedfe0dd0
    bne t0, t1, 1f
    li t2, 0x5555
1:  li t1, 0x100000
    sw t2, (t1)
    j .
END
both bare 0 --bare --memory 64M
result $? "--bare: M-mode, a0 hart, a1 device tree"
riscv64-linux-gnu-objcopy -O binary "$work/bare" "$work/raw"
both raw 0 --bare --load-addr 0x80000000 --cpus 3
result $? "--bare: raw bytes"
refuses --bare run "$work/bare" --bare --firmware "$work/bare"
plan
