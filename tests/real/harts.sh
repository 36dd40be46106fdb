#!/bin/sh
# Several harts: Debian sees them all, and what they do is the same on each engine and however the
# run is cut up.
. "$top_srcdir/tests/real/lib.sh"

# same NAME COMMAND...: runs it for $work/NAME.1, .2, ..., which must be equal
same() {
    what=$1
    shift
    "$@"
    why
    ok=$status
    n=$((n + 1))
    grep -h '^count ' "$work/err" >"$work/$what.$n" || ok=1
    [ $n = 1 ] || cmp "$work/$what.1" "$work/$what.$n" >>"$work/why" || ok=1
    result $ok "$what, run $n"
}

for cpus in 4 8; do
    linux run --engine $fast --cpus $cpus --append "console=ttyS0 guest=off" --hash
    why
    [ $status = 0 ] && grep -q "Brought up 1 node, $cpus CPUs" "$work/out" &&
        grep -q "GUEST-READY riscv64" "$work/out"
    result $? "$cpus harts: boot and power off"
done

n=0
for engine in $engines; do
    same "4 harts to the marker" linux run --engine $engine --cpus 4 --hash \
        --marker "Brought up 1 node, 4 CPUs"
done
same "4 harts to the marker" linux run --engine $fast --cpus 4 --hash --tlb l1=16,l2=0 \
    --marker "Brought up 1 node, 4 CPUs"

# In pieces: within windows, within turns.
in_pieces() {
    {
        for at in 1 10000001 40000003 200000007 333333333; do
            echo "until $at"
            echo "step 2"
        done
        echo "until 500000000"
        echo hash
    } >"$work/pieces"
    timeout -k 5 "$SECONDS_MAX" "$GLOVEBOX" debug "$guest/Image" --initrd \
        "$guest/initramfs.cpio.gz" --engine $fast "$@" <"$work/pieces" >"$work/out" 2>"$work/err"
    status=$?
    grep '^count ' "$work/out" >"$work/err"
}
for slice in 100 5003; do
    n=0
    same "slice $slice" linux run --engine $fast --cpus 4 --slice $slice --stop-at 500000000 --hash
    same "slice $slice" in_pieces --cpus 4 --slice $slice
done
plan
