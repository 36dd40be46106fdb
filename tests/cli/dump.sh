#!/bin/sh
# Translated code explained: --dump, --dump-out and --symbols, and the console's dump and symbols.
. "$top_srcdir/tests/cli/lib.sh"
cd "$work" || exit 1

# A program with two functions at 0x80200000: outer { a0 = 0; inner: a0 += 1; loop while a0 != a1;
# a0 = 0; goto outer }, where a1 is 9.
code() { words 00900593 00000513 00150513 feb51ee3 ff5ff06f; }
# symbol NAME-OFFSET ADDRESS SIZE: of a function in section 1
symbol() { words "$1" 00010012 "$2" 00000000 "$3" 00000000; }
# section TYPE FLAGS ADDRESS OFFSET SIZE LINK ENTRY-SIZE
section() {
    words 00000000 "$1" "$2" 00000000 "$3" 00000000 "$4" 00000000 "$5" 00000000 "$6" 00000000 \
        00000001 00000000 "$7" 00000000
}
# program ADDRESS: ELF with symbols; header, program header, code at 0x78, three symbols at 0x90,
# strings at 0xd8, four sections at 0x100
program() {
    printf '\177ELF\002\001\001\000\000\000\000\000\000\000\000\000'
    printf '\002\000\363\000\001\000\000\000'
    words 80200000 00000000 00000040 00000000 00000100 00000000
    words 00000000 00380040 00400001 00000004
    words 00000001 00000007 00000078 00000000 80200000 00000000 80200000 00000000 \
        00000014 00000000 00000014 00000000 00001000 00000000
    code
    words 00000000
    words 00000000 00000000 00000000 00000000 00000000 00000000
    symbol 00000001 80200000 00000008
    symbol 00000007 80200008 0000000c
    printf '\000outer\000inner\000'
    words 00000000 00000000 00000000 00000000 00000000 00000000
    head -c 3 /dev/zero
    section 00000000 00000000 00000000 00000000 00000000 00000000 00000000
    section 00000001 00000006 80200000 00000078 00000014 00000000 00000000
    section 00000002 00000000 00000000 00000090 00000048 00000003 00000018
    section 00000003 00000000 00000000 000000d8 0000000d 00000000 00000000
}
program >prog.elf
code >raw
at="--load-addr 0x80200000"

# blocks: how many the last program told of on standard error
blocks() { grep -c "^==== .* made for CPU" "$work/err"; }

for engine in interp jit; do
    if [ $engine = jit ] && [ "$(uname -m)" != x86_64 ]; then
        skip "with the JIT" "it has no back end for this host"
        continue
    fi
    e="--engine $engine --stop-at 1000"
    ends 0 "$engine: --dump of a symbol of the kernel's own" run prog.elf $e --dump inner
    said "$engine: it is named" "==== 0x0000000080200008 <inner>: physical 0x80200008, made for CPU 0"
    said "$engine: guest code" "addi a0,a0,1"
    said "$engine: IR" "insn 0x80200008 4"
    said "$engine: in the end it is there" "<inner>: physical 0x80200008, 2 instructions"
    n=$(blocks)
    ends 0 "$engine: a range that holds it" run prog.elf $e --dump 0x80200000-0x80200014
    [ "$(blocks)" = "$n" ]
    result $? "$engine: has the same, for outer goes on into it"
    ends 0 "$engine: an address in a block's middle" run prog.elf $e --dump 0x8020000c
    said "$engine: shows that block" "==== 0x0000000080200008 <inner>"
    [ "$(blocks)" -lt "$n" ]
    result $? "$engine: and not the one behind"
    ends 0 "$engine: several" run prog.elf $e --dump 0x80200010,0x8020000c --dump outer
    [ "$(blocks)" = "$n" ]
    result $? "$engine: are all shown, and once"
    ends 0 "$engine: code that does not run" run prog.elf $e --dump 0x80200014-0x80210000
    [ ! -s "$work/err" ]
    result $? "$engine: says nothing"
    ends 0 "$engine: --symbols beside a raw kernel" run raw $at $e --symbols prog.elf --dump inner
    said "$engine: names it" "<inner>"
    ends 0 "$engine: at an offset" run raw $at $e --symbols prog.elf@0x1000 --dump inner,0x80200008
    [ "$(blocks)" -ge 1 ] && ! grep -q "<inner" "$work/err"
    result $? "$engine: names something else"

    ends 0 "$engine: a run's hash" run prog.elf $e --hash
    cp "$work/err" hash
    ends 0 "$engine: --dump-out" run prog.elf $e --hash --dump inner,outer --dump-out text
    diff hash "$work/err" >"$work/why"
    result $? "$engine: the guest does the same"
    grep -q "^==== " text
    result $? "$engine: the text is in the file"
    cp text again
    gb run prog.elf $e --dump inner,outer --dump-out text
    diff text again >"$work/why"
    result $? "$engine: the same in each run"
    [ $engine = interp ] || grep -q "^Host code, " text
    result $? "$engine: host code where there is some"

    printf 'until 500\ndump inner\nexplain inner\nbreak outer\nx/1i inner+4\nd all\n' |
        timeout -k 5 "$SECONDS_MAX" "$GLOVEBOX" debug prog.elf --engine $engine >"$work/out" 2>"$work/err"
    status=$?
    why
    [ $status = 0 ]
    result $? "$engine: the console knows symbols"
    said "$engine: dump" "<inner>: physical 0x80200008, 2 instructions"
    said "$engine: break" "breakpoint 1 at 0x80200000"
    said "$engine: x" "bne"
    [ $engine = interp ] || grep -q "^  [0-9a-f]*  j.* <block 0x80200010>" "$work/out"
    result $? "$engine: with the links of that moment"
done

printf 'symbols prog.elf\ndump inner\nsymbols prog.elf@9z\ndump innr\ndump\n' |
    timeout -k 5 "$SECONDS_MAX" "$GLOVEBOX" debug raw $at >"$work/out" 2>"$work/err"
status=$?
why
[ $status = 1 ] && [ "$(wc -l <"$work/err")" = 3 ]
result $? "the console takes files of symbols"
said "what is not translated is said" "no code of inner is translated now"
said "an offset that is none" "symbols: 9z: not a number"
said "a symbol that is none" "dump: there is no symbol innr; near it: inner"

play "symbols are completed" debug prog.elf <<'END'
expect 20 (glovebox)
send explain inn\t\r
expect 30 Guest code
send dump ou\t\r
expect 30 no code of outer is
send x/1i inn\t\r
expect 30 addi
send quit\r
exit 0 30
END

# ---- what cannot be ----
for what in innr 0x80200000x 0x80200008-0x80200008 0x80200008-0x80200000 0x1-inner inner, "" -; do
    refuses "--dump: " run prog.elf --dump "$what"
done
refuses "near it: inner" run prog.elf --dump ixner
refuses "no symbol inner" run raw $at --dump inner
refuses "prog.els" run prog.elf --symbols prog.els --dump inner
refuses "not an ELF file" run prog.elf --symbols raw --dump inner
refuses "--symbols: 0x: not a number" run prog.elf --symbols prog.elf@0x --dump inner
refuses "nowhere/text" run prog.elf --dump inner --dump-out nowhere/text
refuses "--dump-out" run prog.elf --dump-out text
cp prog.elf prog@elf
ends 0 "a name with an @ in it" run raw $at --stop-at 100 --symbols prog@elf --dump inner
ends 0 "a full disk is no end" run prog.elf --stop-at 100 --dump inner --dump-out /dev/full
said "but is said" "/dev/full: No space left"
plan
