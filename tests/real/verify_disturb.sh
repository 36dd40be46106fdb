#!/bin/sh
# A debugger that sets points, steps, pauses and looks at everything changes nothing that the
# guest can see.
. "$top_srcdir/tests/real/lib.sh"

# disturbed NAME SEED OPTION...: it is the same, and there were hundreds of points and of stops
disturbed() {
    name=$1 seed=$2
    shift 2
    linux verify --disturb "$seed" "$@"
    why
    [ $status = 0 ] && grep -q "^same at" "$work/out" &&
        grep -qE "^disturbed by seed $seed: points [0-9]{3,} .* stops [0-9]{3,} " "$work/out"
    result $? "$name"
}

n=80M shared=40M interp=10M
if [ "$SANITIZED" != no ]; then
    n=10M shared=8M
fi
disturbed "$fast: one CPU, $n instructions" 1 --engines $fast,$fast --until $n --interval 7777777
disturbed "$fast: four CPUs, $shared instructions" 2 --engines $fast,$fast --until $shared --cpus 4
case $engines in
"interp jit")
    disturbed "interp: $interp instructions, beside the JIT" 3 --engines jit,interp --until $interp
    ;;
esac
# The comparisons cut the runs into pieces, of turns and blocks too.
disturbed "$fast: in small pieces, two CPUs" 4 --engines $fast,$fast --until 4M --interval 3331 \
    --cpus 2 --slice 1000

# By its seed alone: the same again, cut in another way.
linux verify --disturb 4 --engines $fast,$fast --until 4M --interval 1M --cpus 2 --slice 1000
why
grep "^disturbed" "$work/out" >"$work/second"
[ -s "$work/second" ] && linux verify --disturb 4 --engines $fast,$fast --until 4M \
    --interval 100003 --cpus 2 --slice 1000 && grep -qxF "$(cat "$work/second")" "$work/out"
result $? "the same points and stops, wherever it is compared"
plan
