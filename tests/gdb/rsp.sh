#!/bin/sh
# The GDB server, by raw packets: what it knows, what is wrong, clients that come and go.
debugger=
. "$top_srcdir/tests/gdb/lib.sh"

compile rsp "$top_srcdir/tests/gdb/rsp.S"
result $? "the program compiles"
mkdir "$work/files"
printf hello >"$work/files/note"
printf secret >"$work/out"
ln -s ../out "$work/files/link"

# group NAME: rsp's tests of that name, counted on
group() {
    timeout -k 5 $((180 * patience)) "$top_builddir/tests/gdb/rsp" "$socket" "$1" >"$work/said" ||
        { echo "not ok 0 - it ends"; sed 's/^/# /' "$work/machine.err"; } >>"$work/said"
    while IFS= read -r line; do
        case $line in
        ok* | "not ok"*)
            number=$((number + 1))
            echo "$line" | sed "s/ok [0-9]* - /ok $number - $1: /"
            ;;
        *) echo "$line" ;;
        esac
    done <"$work/said"
}

# console_machine OPTION...: with a console that takes what is written to 3
console_machine() {
    rm -f "$socket" "$work/said" "$work/lines" "$work/machine.err"
    mkfifo "$work/lines"
    exec 3<>"$work/lines"
    begin "$GLOVEBOX" debug --gdb "unix:$socket" "$work/rsp" "$@" <"$work/lines" >"$work/console" \
        2>"$work/machine.err" 3<&-
    machine=$pid
    exec 3>"$work/lines"
    await_server
}

end_console() {
    echo quit >&3
    exec 3>&-
    join "$machine"
}

machine "$work/rsp" --cpus 2 --gdb-files "$work/files"
for name in known processes attaching running lldb files hostile framing runs greedy limits tracing clients \
    two votes votes-non-stop; do
    group $name
done
cp "$work/machine.out" "$work/why"
[ ! -s "$work/machine.out" ]
result $? "what is said to people is not in the guest's output"
cp "$work/machine.err" "$work/why"
! gone "$machine"
result $? "the machine is still there"
end_machine

# Two clients and the console at once.
console_machine --cpus 2
: >"$work/go"
while [ -e "$work/go" ]; do
    printf 'regs pc\ninfo breaks\nx/4i $pc\nhash\n' >&3
    sleep 0.01
done &
feeder=$!
group two
rm "$work/go"
wait "$feeder"
end_console
{ echo "status $status"; head -n 20 "$work/console"; cat "$work/machine.err"; } >"$work/why"
[ $status = 0 ] && [ "$(grep -c '^pc ' "$work/console")" -gt 0 ]
result $? "the console answers meanwhile, and ends"

# A machine's end that is not its debugger's.
console_machine --cpus 2
group ending
end_console

# Each keeps the other from running the machine.
console_machine
echo hold >&3
both_hold() { grep -qs both "$work/said"; }
{ await 60 both_hold; echo until 100000 >&3; } &
feeder=$!
group console
wait "$feeder"
end_console
{ echo "status $status"; cat "$work/console" "$work/machine.err"; } >"$work/why"
[ $status = 0 ] && grep -q '^\[held by GDB 1: ' "$work/console" && grep -q '^stopped, .* count 100000$' "$work/console"
result $? "the console says why it waits, and gets there"
rm -f "$socket"
plan
