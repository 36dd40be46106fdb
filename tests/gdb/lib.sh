# lib.sh - for the scripts of tests/gdb: a bare program in the machine, and a debugger on it, by
# default GDB: $debugger is the command that is needed, which may be "", as may $compiler.
[ -n "${number-}" ] || . "$top_srcdir/tests/cli/lib.sh"

: "${debugger=gdb-multiarch}" "${compiler=${RISCV64_CC:-missing}}"
gdb=$([ -z "$debugger" ] || command -v "$debugger" || :)
if [ "$compiler" = missing ]; then
    echo "1..0 # SKIP no RISC-V compiler"
    exit 0
elif [ -n "$debugger" ] && [ -z "$gdb" ]; then
    echo "1..0 # SKIP no $debugger"
    exit 0
fi
socket=$work/gdb
patience=1
[ "$SANITIZED" = no ] || patience=5

# compile NAME SOURCE OPTION...: $work/NAME
compile() {
    name=$1 source=$2
    shift 2
    $RISCV64_CC -O1 -g -ffreestanding -fno-pic -no-pie -mcmodel=medany -nostdlib -static \
        -Wl,--build-id=none,-Ttext=0x80000000,-N "$@" -o "$work/$name" "$source" 2>"$work/why"
}

# machine OPTION...: started with --wait and a server at $socket; $machine is its process
machine() {
    rm -f "$work/machine.err" # a former one's
    "$GLOVEBOX" run --gdb "unix:$socket" --wait "$@" >"$work/machine.out" 2>"$work/machine.err" \
        </dev/null &
    machine=$!
    await_server
}

await_server() {
    for _ in $(seq $((500 * patience))); do
        grep -qs 'target remote' "$work/machine.err" && return
        sleep 0.01
    done
}

end_machine() {
    rm -f "$work/machine.err" # a former one's
    kill "$machine" 2>/dev/null
    wait "$machine" 2>/dev/null
    rm -f "$socket"
}

# gdb_says [FILE]: runs GDB's commands from standard input, on FILE; what it prints is $work/said
gdb_says() {
    cat >"$work/commands"
    timeout -k 5 $((60 * patience)) "$gdb" -nx -q -batch -ex 'set pagination off' \
        -ex 'set confirm off' -ex 'set width 0' -ex 'set debuginfod enabled off' \
        -ex "target remote $socket" -x "$work/commands" ${1:+"$1"} >"$work/said" 2>&1
}

# has NAME PATTERN...: each pattern (extended) is in a line of what GDB said, in this order
has() {
    name=$1
    shift
    cp "$work/said" "$work/left"
    bad=0
    for pattern; do
        line=$(grep -nE -m 1 -- "$pattern" "$work/left" | cut -d: -f1)
        [ -n "$line" ] || { bad=1 missing=$pattern; break; }
        sed -i "1,${line}d" "$work/left"
    done
    [ $bad = 0 ] || { echo "not there: $missing"; tail -n 60 "$work/said"; } >"$work/why"
    result $bad "$name"
}

# gdb_hears FILE: as gdb_says, but GDB does not wait for one command to be done before it reads
# the next, and has not connected: a line "sleep N" waits for N tenths of a second
gdb_hears() {
    while IFS= read -r line; do
        case $line in
        "sleep "*) sleep "$(echo "${line#sleep }" | awk -v p=$patience '{ print $1 / 10 * p }')" ;;
        *) echo "$line"; sleep 0.1 ;;
        esac
    done | timeout -k 5 $((60 * patience)) "$gdb" -nx -q -ex 'set pagination off' \
        -ex 'set confirm off' -ex 'set width 0' -ex 'set debuginfod enabled off' "$1" \
        >"$work/said" 2>&1
}
