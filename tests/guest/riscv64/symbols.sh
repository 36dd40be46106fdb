#!/bin/sh
# Names, lines, expressions and backtraces of programs that gcc made, in the console.
. "$top_srcdir/tests/guest/riscv64/bare.sh"

source='int counter;
unsigned char bytes[3] = {1, 2, 0xfe};

static inline __attribute__((always_inline)) int twice(int x)
{
    return x + x;
}

__attribute__((noinline)) int leaf(int x)
{
    return x * 3;
}

__attribute__((noinline)) int inner(int x)
{
    counter += x;
    return leaf(x) + twice(counter);
}

__attribute__((noinline)) int outer(int n)
{
    int sum = 0;

    for (int i = 0; i < n; i++)
        sum += inner(i);
    return sum;
}

int main(void)
{
    return outer(5);
}

__attribute__((naked, section(".text.start"))) void _start(void)
{
    __asm__("la sp, stack_top; call main; 1: j 1b");
}
char stack[4096] __attribute__((aligned(16)));
__asm__(".globl stack_top; .set stack_top, stack + 4096");
'

# console STATUS PROGRAM LINES: a script for the debugger; $work/out, $work/err
console() {
    want=$1
    printf "$3" | timeout -k 5 "$SECONDS_MAX" "$GLOVEBOX" debug "$work/$2" --bare --engine $engine \
        >"$work/out" 2>"$work/err"
    status=$?
    why
    [ $status = "$want" ]
}

# line N: a line of the source, by what is on it
line() { grep -nF "$1" "$work/full.c" | head -n 1 | cut -d: -f1; }

echo "$source" | program full c -g
at_counter=$(line "counter += x") at_loop=$(line "sum += inner")

for engine in $engines; do
    console 0 full "b leaf\nb *leaf\nb full.c:$at_counter\nline full.c:$at_loop\ni b\nl inner\ndisas outer 20\n"
    result $? "places by name and line ($engine)"
    said "a function, behind its prologue" "breakpoint 1 at 0x80000004 leaf+0x4 at"
    said "exactly its start" "breakpoint 2 at 0x80000000 leaf at"
    said "a line" "inner+0x6 at $work/full.c:$at_counter"
    said "a line in a loop: once" "full.c:$at_loop"
    [ "$(grep -c "full.c:$at_loop" "$work/out")" = 1 ]
    result $? "and not more often"
    said "where jumps lead" " <outer+0x"
    said "the source" "=>    $at_counter      counter += x;"

    console 0 full "tb leaf if a0 == 3\nc\nbt\np counter\np/x u32[counter]\np/d s8[bytes+2]\np/a ra\nsymbol counter\nx/1i pc\ni b\n"
    result $? "a breakpoint with a condition ($engine)"
    said "where it came to" "leaf+0x4 at $work/full.c"
    said "the third call: 0 + 1 + 2 + 3" "0x6"
    said "a signed byte" "-2"
    said "an address, as one" "<inner+0x1c>"
    said "a variable's size" "data counter, 4 bytes"
    grep -o "#.*" "$work/out" | sed 's/.* \([a-z_]*\)+.*/\1/' | tr '\n' ' ' >"$work/why"
    [ "$(cat "$work/why")" = "leaf inner outer main _start " ]
    result $? "its callers"
    said "a temporary one is gone" "no breakpoints"

    console 0 full "watch counter if a0 == 2\nrwatch bytes\nawatch u16[stack]\nc\ncondition 1 a0==4\nc\ni b\ncondition 1\nignore 1 3\ndisable 2\n i b\n"
    result $? "watchpoints ($engine)"
    said "of a variable's size" "watchpoint 1 of 4 bytes at"
    said "of an array's" "watchpoint 2 of 3 bytes at"
    said "of sized memory" "watchpoint 3 of 2 bytes at"
    said "behind the access" "watchpoint 1: a write of 4 bytes at"
    said "what was there before" "which held 0x1,"
    said "another condition" "which held 0x6,"
    said "hits, and looks" "hit 2 times, looked at 5 times  counter if a0==4"
    said "hits to be ignored" "3 more ignored  counter"
    said "a disabled one" "disabled"

    console 0 full "catch exec leaf if a0 == 3\ncatch exec inner\nc\nc\ni b\nenable 2\nc\nbt 2\n"
    result $? "the first time that a function runs ($engine)"
    said "where it is" "catchpoint 2 in 0x8"
    said "its first instruction" "catchpoint 2: code in 0x8"
    said "the first one for which the condition holds" "catchpoint 1: code in 0x8"
    said "each is spent then" " disabled conditional  hit 1 time"
    said "until it is enabled" "#0   0x0000000080000024 inner+0x1c"

    console 1 full "b nosuch\nb leag\np 1 +\np a0 == (3\nb full.c:9999\nb other.c:1\ncondition 9 1\nwatch\ncatch what\nb leaf if\np/q 1\nline 0x10\nlist 0x10\nsymbol 0x10\nwatch 0,0\n"
    result $? "a script with mistakes ($engine)"
    [ "$(wc -l <"$work/err")" = 15 ]
    result $? "a line for each"
    said "a name that is not there" "nosuch: neither a register nor a symbol"
    said "one that is near" "near it: leaf"
    said "the column" "column 4: a value is missing"
    said "a bracket" "column 9: ) is missing"
    said "a line without code" "full.c:9999: no code"
done

# ---- frames ----

# frames PROGRAM: the addresses of all frames at each of the first 200 instructions
frames() {
    script=
    for n in 1 2 3 4 5 6 7 8 9 10; do script="$script"'s\nbt\n'; done
    script="$script$script$script$script"
    console 0 "$1" "u 3\n$script$script$script$script$script" &&
        sed -n 's/^#\([0-9]*\) *\(0x[0-9a-f]*\).*/\1 \2/p' "$work/out"
}

engine=interp
frames full >"$work/by-frame"
result $? "frames at every instruction, by .debug_frame"
$cross-strip -g "$work/full" -o "$work/bare" 2>/dev/null ||
    riscv64-linux-gnu-strip -g "$work/full" -o "$work/bare"
frames bare >"$work/by-prologue"
[ "$(wc -l <"$work/by-frame")" -gt 600 ] && cmp "$work/by-frame" "$work/by-prologue" >"$work/why"
result $? "the same by prologues alone"
echo "$source" | program tables c -fasynchronous-unwind-tables -Wl,-s
frames tables >"$work/by-table"
cmp "$work/by-frame" "$work/by-table" >"$work/why"
result $? "the same by .eh_frame alone, without names"

# Without names or tables only frame pointers are left: right where a function has set its own.
echo "$source" | program pointers c -fno-omit-frame-pointer -g
riscv64-linux-gnu-strip "$work/pointers" -o "$work/nothing"
console 0 pointers 'b leaf\nc\nbt\nsymbol leaf\n'
grep -o "#.*" "$work/out" | cut -d' ' -f4 | sed 's/0*x/x/' >"$work/want"
at=$(sed -n 's/^breakpoint 1 at \(0x[0-9a-f]*\).*/\1/p' "$work/out")
console 0 nothing "b $at\nc\nbt\n"
grep -o "#.*" "$work/out" | cut -d' ' -f4 | sed 's/0*x/x/' >"$work/have"
cat "$work/want" "$work/have" >"$work/why"
[ "$(wc -l <"$work/want")" -ge 4 ] && cmp "$work/want" "$work/have" >>"$work/why"
result $? "by frame pointers"

# A stack that leads in a circle, or nowhere, ends.
console 0 nothing "b $at\nc\nset sp 0x80000000\nset fp 0x80000000\nbt\nset fp sp+16\nset sp 8\nbt\nset pc 0\nset ra 0\nbt 1000\n"
result $? "nonsense in registers"
plan
