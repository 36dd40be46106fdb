#!/bin/sh
# Compares the decoder with binutils' disassembler: all 16-bit words, and COUNT
# 32-bit ones (3 million if not given) from SEED.
#
#   tests/decode/compare.sh [COUNT [SEED]]
#
# From the top of the build directory, once decode_compare is built.  Which
# differences are right is said in compare.c.  OBJDUMP, OBJCOPY and AS name the
# tools.
count=${1:-3000000}
seed=${2:-1}
: "${OBJDUMP:=riscv64-linux-gnu-objdump}" "${OBJCOPY:=riscv64-linux-gnu-objcopy}"
: "${AS:=riscv64-linux-gnu-as}"
program=${top_builddir:-.}/tests/decode/decode_compare

: "${top_srcdir:=$(dirname "$0")/../..}"
. "$top_srcdir/tests/cli/lib.sh"

for tool in "$OBJDUMP" "$OBJCOPY" "$AS"; do
    need "$tool" binutils-riscv64-linux-gnu
done
if ! "$program" write16 /dev/null; then
    echo "Bail out! $program does not run: build it first, from here"
    exit 1
fi
dir=$work

# An object file whose attributes name the extensions to disassemble; those
# that this binutils does not know go to $unknown.
arch=rv64imafdc_zicsr_zifencei_zicbom_zicbop_zicboz_zihintpause_zba_zbb_zbs_zbc_zawrs_svinval
make_object() {
    printf '.attribute arch, "%s"\n.text\nnop\n' "$1" |
        "$AS" -march=rv64gc -o "$dir/empty.o" - 2>"$dir/as.txt"
}
unknown=
for ext in Zfa Zcb Zicond Zihintntl; do
    lower=$(echo $ext | tr A-Z a-z)
    if make_object "rv64gc_$lower"; then
        arch=${arch}_$lower
    else
        unknown="$unknown $ext"
    fi
done

# compare NUMBER WHAT: $dir/words against their disassembly
compare() {
    if "$OBJCOPY" --strip-all --update-section .text="$dir/words" "$dir/empty.o" "$dir/words.o" &&
        "$OBJDUMP" -d -z -j .text -M no-aliases "$dir/words.o" |
            "$program" check "$dir/words" $unknown
    then
        echo "ok $1 - $2"
    else
        echo "not ok $1 - $2"
    fi
}

echo 1..2
if ! make_object $arch; then
    sed 's/^/# /' "$dir/as.txt"
    echo "Bail out! $AS does not take $arch"
    exit 1
fi
"$program" write16 "$dir/words" && compare 1 "all 16-bit words"
"$program" write32 "$dir/words" "$count" "$seed" && compare 2 "$count 32-bit words"
