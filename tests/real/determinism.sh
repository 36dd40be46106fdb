#!/bin/sh
# The same machine does the same: whatever runs it, whatever its sizes, however it is
# stopped in between.
. "$top_srcdir/tests/real/lib.sh"

# hash NAME OPTION...: boots to the marker; the count and hash are $work/first's
hash() {
    name=$1
    shift
    linux run --marker GUEST-READY --hash "$@"
    why
    [ $status = 0 ] && grep -h '^count ' "$work/err" >"$work/hash"
    ok=$?
    [ -e "$work/first" ] || cp "$work/hash" "$work/first"
    [ $ok = 0 ] && diff "$work/first" "$work/hash" >>"$work/why"
    result $? "$name"
}
hash "$fast: boots to the marker" --engine $fast
hash "$fast: once more" --engine $fast
hash "$fast: a small TLB" --engine $fast --tlb l1=16,l2=0
hash "$fast: a strange TLB" --engine $fast --tlb l1=4096,l2=1x16,policy=random
[ $fast != jit ] || hash "jit: a small code cache" --engine jit --code-cache 1M
case $engines in
*interp*) hash "interp: boots to the marker" --engine interp ;;
*) skip "interp: boots to the marker" "$one_engine" ;;
esac

# In pieces: stops at counts that have nothing to do with windows.
count=$(sed 's/count \([0-9]*\) .*/\1/' "$work/first")
{
    echo "until 1"
    echo "until 7777777"
    echo "step 3"
    echo "until $((count / 3))"
    echo "until $((count / 2))"
    echo "step"
    echo "until $((count - 1))"
    echo "until $count"
    echo hash
} >"$work/pieces"
timeout -k 5 $SECONDS_MAX "$GLOVEBOX" debug "$guest/Image" --initrd "$guest/initramfs.cpio.gz" \
    --engine $fast <"$work/pieces" >"$work/out" 2>"$work/err"
grep '^count ' "$work/out" >"$work/pieces.hash"
# The first run ended where a window does; this one ends at the count, within the next.
linux run --engine $fast --stop-at "$count" --hash
grep '^count ' "$work/err" >"$work/whole"
[ -s "$work/whole" ] && diff "$work/whole" "$work/pieces.hash" >"$work/why"
result $? "in pieces: the same count and hash"

# Likewise, with points that come and go at random, steps, and going on from each stop.
awk -v count="$count" 'BEGIN {
    n = split("break pc;break pc if a0 & 1;tbreak ra;break ra if sp & 32;watch sp;awatch sp,64;" \
        "rwatch a1,8 if a0;awatch phys:0x80200000,0x1000;catch trap;catch interrupt;" \
        "catch reg-write if a5;catch mode;catch space;catch device-write;catch halt", point, ";")
    srand(5)
    for (piece = 1; piece < 80; piece++) {
        to = int(count * (piece + rand() / 2) / 80)
        for (i = 0; i < 4; i++) {
            print point[1 + int(rand() * n)]
            print "until " to
        }
        print "step " 1 + int(rand() * 20)
        if (rand() < 0.7)
            print "delete all"
    }
    print "delete all\nuntil " count "\nhash"
}' >"$work/pieces"
timeout -k 5 $SECONDS_MAX "$GLOVEBOX" debug "$guest/Image" --initrd "$guest/initramfs.cpio.gz" \
    --engine $fast <"$work/pieces" >"$work/out" 2>"$work/err"
grep '^count ' "$work/out" >"$work/pieces.hash"
diff "$work/whole" "$work/pieces.hash" >"$work/why" &&
    [ "$(grep -cE '^(break|watch|catch)point .*, CPU 0, count ' "$work/out")" -gt 30 ]
result $? "in pieces, with points and steps: the same count and hash"

linux run --engine $fast --cpus 2 --marker GUEST-READY --hash
grep -h '^count ' "$work/err" >"$work/two"
linux run --engine $fast --cpus 2 --marker GUEST-READY --hash --tlb l1=32
why
[ -s "$work/two" ] && grep -qxF "$(cat "$work/two")" "$work/err"
result $? "two CPUs"

if [ $fast = jit ]; then
    n=300M
    [ "$SANITIZED" = no ] || n=20M
    linux verify --until $n --interval 10M
    why
    [ $status = 0 ] && grep -q "^same at" "$work/out"
    result $? "verify: interpreter and JIT agree for $n instructions"
    linux verify --until 2M --interval 1000 --cpus 2
    why
    [ $status = 0 ]
    result $? "verify: at short intervals, two CPUs"
else
    skip "verify: interpreter and JIT agree" "$one_engine"
fi
plan
