# lib.sh - for the scripts of tests/gdb: a bare program in the machine, and a debugger on it, by
# default GDB: $debugger is the command that is needed, which may be "", as may $compiler.
[ -n "${number-}" ] || . "$top_srcdir/tests/cli/lib.sh"

: "${debugger=gdb-multiarch}" "${compiler=${RISCV64_CC:-missing}}"
[ "$compiler" != missing ] || none_missing "no C compiler for riscv64 (Debian package gcc-riscv64-linux-gnu)"
[ -z "$debugger" ] || need "$debugger" "$debugger"
socket=$work/gdb

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
    begin "$GLOVEBOX" run --gdb "unix:$socket" --wait "$@" >"$work/machine.out" \
        2>"$work/machine.err" </dev/null
    machine=$pid
    await_server
}

await_server() { await 60 is_served; }

is_served() { grep -qs 'target remote' "$work/machine.err" || gone "$machine"; }

end_machine() {
    stop "$machine"
    rm -f "$socket"
}

# machine_ends NAME: by itself
machine_ends() {
    await 60 gone "$machine"
    ended=$?
    all_said "the machine is still there"
    result $ended "$1"
}

gdb() {
    timeout -k 5 $((180 * patience)) gdb-multiarch -nx -q -ex 'set pagination off' -ex 'set confirm off' \
        -ex 'set width 0' -ex 'set debuginfod enabled off' "$@"
}

# gdb_says [FILE]: runs GDB's commands from standard input, on FILE; what it prints is $work/said
gdb_says() {
    cat >"$work/commands"
    gdb -batch -ex "target remote $socket" -x "$work/commands" ${1:+"$1"} >"$work/said" 2>&1
}

# gdb_hears FILE: as gdb_says, but GDB does not wait for one command to be done before it reads the next,
# and has not connected.  A line "await PATTERN" waits until GDB has said so, behind what was awaited
# before; "until PATTERN: COMMAND" gives the command again and again until then.
gdb_hears() {
    : >"$work/said"
    heard=0
    while IFS= read -r line; do
        pattern=${line#* } again=
        case $line in
        await\ *) ;;
        until\ *) again=${pattern#*: } pattern=${pattern%%: *} ;;
        *) echo "$line"; continue ;;
        esac
        await 60 is_heard || { echo "never: $pattern" >>"$work/said"; break; }
    done | gdb "$1" >>"$work/said" 2>&1
}

is_heard() {
    if [ "$again" ]; then
        echo "$again"
        sleep 0.1
    fi
    line=$(tail -n +$((heard + 1)) "$work/said" | grep -nE -m 1 -- "$pattern" | cut -d: -f1)
    heard=$((heard + ${line:-0}))
    [ "$line" ]
}

# all_said WHAT: is what $work/why says, and what the debugger and the emulator said
all_said() {
    {
        echo "$1"
        echo "the debugger:"
        cat "$work/said"
        echo "the emulator:"
        cat "$work/machine.err"
    } >"$work/why" 2>/dev/null
}

# has NAME PATTERN...: each pattern (extended) is in a line of what the debugger said, in this order
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
    [ $bad = 0 ] || all_said "not there: $missing"
    result $bad "$name"
}
