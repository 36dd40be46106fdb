#!/bin/sh
# A wrong JIT is found, to the instruction.
. "$top_srcdir/tests/real/lib.sh"
[ $fast = jit ] || no_tests "there is no JIT for this host"

for op in add sub; do
    linux verify --break-op $op --until 20M --interval 1M
    why
    [ $status = 1 ]
    result $? "verify --break-op $op: status 1"
    said "$op: it says where" "different after instruction"
    head -n 1 "$work/out" |
        grep -qE "^different after instruction [0-9]+ at 0x[0-9a-f]{16}: (c\.)?$op[a-z]* "
    result $? "$op: it names the instruction"
    said "$op: its IR" "= $op "
    said "$op: its host code" "Host code"
done
linux verify --until 2M --interval 1M
why
[ $status = 0 ]
result $? "without it, they agree"
plan
