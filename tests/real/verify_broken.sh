#!/bin/sh
# A wrong JIT is found, to the instruction.
. "$top_srcdir/tests/real/lib.sh"
if [ $fast != jit ]; then
    echo "1..0 # SKIP there is no JIT for this host"
    exit 0
fi

for op in add xor; do
    linux verify --break-op $op --until 20M --interval 1M
    why
    [ $status = 1 ]
    result $? "verify --break-op $op: status 1"
    said "$op: it says where" "different after instruction"
    grep -qE "^ *(c\.|)(add|addi|addiw|addw|xor|xori|ld|sd|lw|sw|lb|lbu|sb|mv|li|nop|[a-z.0-9]*)[ ]" \
        "$work/out"
    result $? "$op: the instruction has a text"
    said "$op: its IR" "$op."
    said "$op: its host code" "Host code"
done
linux verify --until 2M --interval 1M
why
[ $status = 0 ]
result $? "without it, they agree"
plan
