# bare.sh - for scripts with programs that run on the bare machine: a compiler for them.
. "$top_srcdir/tests/cli/lib.sh"

cross=riscv64-linux-gnu-gcc
need $cross gcc-riscv64-linux-gnu
engines=interp
[ "$(uname -m)" != x86_64 ] || engines="interp jit"
one_engine="there is no JIT for this host"

# program NAME SUFFIX OPTION...: compiles standard input (S or c) into $work/NAME, at the start of
# RAM
program() {
    name=$1 suffix=$2
    shift 2
    cat >"$work/$name.$suffix"
    $cross -march=rv64gc -mabi=lp64d -mcmodel=medany -mno-relax -O1 -ffreestanding -fno-pie -fno-stack-protector \
        -fno-tree-loop-distribute-patterns -nostdlib -nostartfiles -static -no-pie \
        -Wl,--build-id=none -Wl,-Ttext=0x80000000 -Wl,-N "$@" "$work/$name.$suffix" \
        -o "$work/$name" 2>"$work/err" && return
    cat "$work/err" >&2
    exit 1
}

# both NAME STATUS OPTION...: runs $work/NAME on each engine with input from $work/in, which is empty
# unless somebody filled it; status, output, count and hash must be the same; $work/out, $status
both() {
    name=$1 want=$2
    shift 2
    [ -e "$work/in" ] || : >"$work/in"
    rm -f "$work/first"
    for engine in $engines; do
        timeout -k 5 "$SECONDS_MAX" "$GLOVEBOX" run "$work/$name" --engine $engine --hash "$@" \
            >"$work/out" 2>"$work/err" <"$work/in"
        status=$?
        why
        cat "$work/out" >"$work/this"
        grep '^count ' "$work/err" >>"$work/this"
        [ -e "$work/first" ] || cp "$work/this" "$work/first"
        [ $status = "$want" ] && cmp "$work/first" "$work/this" >>"$work/why" || return 1
    done
}

# counted N: the last program ended after exactly N instructions
counted() { grep -q "^count $1 " "$work/err"; }

# printed TEXT: the last program's output is exactly TEXT, and nothing else
printed() { printf "$1" | cmp - "$work/out" >>"$work/why" 2>&1; }
