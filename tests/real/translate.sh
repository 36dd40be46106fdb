#!/bin/sh
# Stops where translated code of the Debian kernel comes and goes, and where code first runs.
. "$top_srcdir/tests/real/lib.sh"

# console ENGINE LINES: a script for the debugger, with as little memory for code as there may be
console() {
    printf "$2" | timeout -k 5 "$SECONDS_MAX" "$GLOVEBOX" debug "$guest/Image" \
        --initrd "$guest/initramfs.cpio.gz" --engine "$1" --code-cache 256K >"$work/out" 2>"$work/err"
    status=$?
    why
    [ $status = 0 ] && [ ! -s "$work/err" ]
}

# matches NAME PATTERN: a line of the last script's output
matches() {
    why
    grep -qE -- "$2" "$work/out"
    result $? "$1"
}

console "$fast" 'until 100000000\nhash\n'
want=$(grep '^count' "$work/out")
for engine in $engines; do
    console $engine 'symbols\ncatch exec start_kernel\ncatch translate made start_kernel\nc\nc\nd all\n'"\
"'catch translate invalidated\nc\nc\nd all\ni b\nuntil 100000000\nhash\n'
    result $? "$engine: stops on the way to the count"
    matches "$engine: a function's first block" 'code made: 0x.*, to run now, CPU 0'
    matches "$engine: its first instruction" ': code in 0x.* is about to run, CPU 0'
    matches "$engine: there both are" '^start_kernel$'
    matches "$engine: the kernel patches itself" 'code invalidated: 0x.*, written by 0x.*, CPU 0'
    [ "$want" ] && [ "$(grep '^count' "$work/out")" = "$want" ]
    result $? "$engine: and none of it changes anything: $want"
done

if [ "$fast" = jit ]; then
    console jit 'catch translate evicted\nignore 1 30000\nc\nc\nc\ni b\nd all\nuntil 100000000\nhash\n'
    result $? "no more room for code"
    matches "so that a region is emptied" \
        'code evicted: 0x[0-9a-f]*-0x[0-9a-f]*, [0-9]* bytes, .*, as its memory is needed; and [0-9]+ more'
    matches "of many blocks" 'catch  translate evicted  hit 30[0-9]{3} times'
    [ "$want" ] && [ "$(grep '^count' "$work/out")" = "$want" ]
    result $? "and the guest cannot tell"
fi
plan
