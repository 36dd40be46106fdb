#!/bin/sh
# The console's steps on a bare program with lines: over calls, out of them, by lines, to a place; and
# that they change nothing.
debugger=
. "$top_srcdir/tests/gdb/lib.sh"
source=$top_srcdir/tests/gdb/steps.c
engines=interp
[ "$(uname -m)" != x86_64 ] || engines="interp jit"

compile stepped "$source"
result $? "the program compiles"
compile ticking "$source" -DTICKING=1
result $? "so it does with interrupts"

# console PROGRAM OPTION...: commands from standard input on each engine, which say the same
console() {
    program=$1
    shift
    cat >"$work/commands"
    rm -f "$work/before"
    bad=0
    for engine in $engines; do
        timeout -k 5 "$SECONDS_MAX" "$GLOVEBOX" debug "$work/$program" --engine $engine "$@" \
            <"$work/commands" >"$work/said" 2>&1 || bad=1
        sed -i '/^ *cost: /d' "$work/said" # which is the host's
        [ ! -e "$work/before" ] || cmp "$work/before" "$work/said" >"$work/differ" 2>&1 || bad=1
        cp "$work/said" "$work/before"
    done
    { cat "$work/said"; cat "$work/differ" 2>/dev/null; } >"$work/why"
    return $bad
}

# at REMARK: what a stop at the line with this remark says
line() { grep -n "/\* $1 \*/" "$source" | cut -d: -f1; }
at() { echo "at .*steps.c:$(line "$1")\$"; }

console stepped <<'LINES'
until work
nextline
nextline
nextline
nextline
nextline
nextline
nl 2
nl
LINES
result $? "nextline is the same on each engine"
has "it goes over calls, and out of a function in the end" "$(at 'work 1')" "$(at 'work 2')" \
    "$(at 'work 3')" "$(at 'work 4')" "$(at 'work 5')" "$(at 'work 6')" '^main\+' '^main\+' "$(at 'main 1')"

console stepped <<'LINES'
until sum
print a0
stepline
stepline
stepline
print a0
stepline 3
print a0
backtrace
finish
print a0
backtrace
finish
print a0
nextline
nextline
backtrace
LINES
result $? "stepline and finish are the same on each engine"
has "they tell one activation of a function from another" "$(at 'sum 1')" '^5 = ' "$(at 'sum 3')" \
    "$(at 'sum 4')" "$(at 'sum 1')" '^4 = ' "$(at 'sum 1')" '^3 = ' '^#3 .*work' "$(at 'sum 4')" '^6 = ' \
    '^#2 .*work' "$(at 'sum 4')" '^10 = ' "$(at 'sum 5')" "$(at 'work 3')" '^#1 .*main'

console stepped <<LINES
until *sum
print a0
next 9
nexti
print a0
next 2
print a0
finish
symbol pc
until sum
until phys:sum
until steps.c:$(line 'sum 3')
until twice + 4
info breaks
next
finish
tbreak twice
LINES
result $? "next and until are the same on each engine"
has "a call is one instruction; a place is told by what says break" '^5 = ' '^sum\+0x20' '^sum\+0x22' '^5 = ' '^sum\+0x28' '^10 = ' \
    '^work\+0x16' '^work' '^sum\+0x8' "^sum at" "$(at 'sum 3')" '^twice\+0x4' 'no breakpoints' \
    '^twice\+0x8' '^fill\+' 'breakpoint 1 at'

console stepped <<'LINES'
break twice if a0 == 2
break *sum if a0 == 0
until work
nextline
nextline
info breaks
nextline
nextline
delete all
until *sum
watch total
finish
LINES
result $? "breakpoints on the way are the same on each engine"
has "they end it, and have numbers without gaps" 'stopped' 'stopped.*' 'breakpoint 2, CPU' \
    'break .*hit 0 times' 'break .*hit 1 time' 'stopped' 'watchpoint 3 of' 'watchpoint 3: a write'

# ---- interrupts, and other harts, that run through the same code ----

cat >"$work/walk" <<'LINES'
until work
nextline 7
nextline 8
nextline
until 200000
cpu 0
until work
nextline 9
stepline 10
finish
finish
until work
next 200
until sum
finish
until *sum
finish
nextline 4
print u64[ticks] > 100
hash
LINES
console ticking --cpus 3 <"$work/walk"
result $? "with interrupts and three harts it is the same on each engine"
sed '1,/^CPU 0/d' "$work/said" >"$work/after"
cp "$work/after" "$work/why"
! grep -q 'tick+\|CPU [12]' "$work/after" && grep -q '^1 = ' "$work/after"
result $? "no handler and no other hart is taken for it"
count=$(sed -n 's/^count \([0-9]*\) hash.*/\1/p' "$work/said")
grep '^count' "$work/said" >"$work/first"
console ticking --cpus 3 <<LINES
until ${count:-0}
hash
LINES
grep '^count' "$work/said" | cmp - "$work/first" >"$work/why" 2>&1
result $? "and it is as if nobody had stopped there: $count"

# ---- where it cannot be ----

printf 'nextline\nfinish\nuntil nosuch\nuntil -1\nuntil\nnext 0\nfinish 1\nstepline x\n' >"$work/commands"
timeout -k 5 "$SECONDS_MAX" "$GLOVEBOX" debug "$work/stepped" <"$work/commands" >"$work/said" 2>&1
has "errors say what is not known" 'nextline: no line is known' 'finish: nobody knows who called' \
    'nosuch' 'until: 0xf*: instructions have even' 'until: what' 'next: 0 times' 'too much' 'no line'

if [ -x "$top_builddir/tests/real/ptyrun" ]; then
    play "Ctrl-C ends it, and nothing is left of it" debug "$work/stepped" <<'STEPS'
expect 20 (glovebox)
send until work\r
expect 20 steps.c
expect 20 (glovebox)
send until *_start\r
expect 20 until *_start
sleep 2000
send \x03
expect 20 paused
expect 20 (glovebox)
send info breaks\r
expect 20 no breakpoints
expect 20 (glovebox)
send nextline 1000000000\r
expect 20 nextline 1000000000
sleep 2000
send \x03
expect 20 paused
expect 20 (glovebox)
send next\r
expect 20 stopped
expect 20 (glovebox)
send quit\r
exit 0 20
STEPS
fi
plan
