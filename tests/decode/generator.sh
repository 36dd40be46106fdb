#!/bin/sh
# The generator of decoders: bad tables are refused with their line, the
# reference page is what the table says, and another guest's table works.
: "${LUA:=lua5.4}" "${top_srcdir:=.}"
. "$top_srcdir/tests/cli/lib.sh"
generator=$top_srcdir/scripts/decodegen.lua
dir=$work

# refused LINE MESSAGE: the table on standard input, behind a good beginning of 6 lines
refused() {
    {
        cat <<'END'
isa test A test
field rd [4:0] x rd
field rn [4:0] x rs1
field imm.a [11:5] [4:0] dec imm signed
extension A Rows
add | 0000000 00000 rn 000 rd 0000001 | rd,rn | | Adds.
END
        cat
    } >"$dir/table"
    "$LUA" "$generator" --tables "$dir/table" "$dir/out" 2>"$dir/why"
    [ $? = 1 ] && grep -qxF "$dir/table:$1: $2" "$dir/why"
    result $? "refused: $2"
}

refused 7 "'add' is there twice" <<'END'
add | 1000000 00000 rn 000 rd 0000001 | rd,rn | | Adds.
END
refused 7 "the pattern of sub has 31 bits" <<'END'
sub | 100000 00000 rn 000 rd 0000001 | rd,rn | | Subtracts.
END
refused 7 "'rm' is no field and no bits" <<'END'
sub | 1000000 rm rn 000 rd 0000001 | rd,rn | | Subtracts.
END
refused 7 "addi lacks a part of 'imm.a'" <<'END'
addi | imm.a 00000 rn 000 rd 0000001 | rd,rn,imm | | Adds.
END
refused 7 "'rd' is named too often" <<'END'
sub | 1000000 rd rn 000 rd 0000001 | rd,rn | | Subtracts.
END
refused 7 "sub has no field 'imm'" <<'END'
sub | 1000000 00000 rn 000 rd 0000001 | rd,rn | imm!=0 | Subtracts.
END
refused 7 "sub has no documentation" <<'END'
sub | 1000000 00000 rn 000 rd 0000001 | rd,rn | |
END
refused 7 "mv: there is no row 'addi'" <<'END'
mv | 1000000 00000 rn 000 rd 0000001 | rd,rn | = addi | Copies.
END
refused 8 "b and a overlap, and neither is inside the other" <<'END'
a | 1000000 00000 rn 000 rd 0000001 | rd,rn | | One.
b | 1000000 rn 00000 000 rd 0000001 | rd,rn | | Other.
END
refused 7 "'feild' is not understood" <<'END'
feild rx [4:0] x rd
END
refused 7 "field 'rd' is declared twice" <<'END'
field rd [4:0] x rd
END

"$LUA" "$generator" --docs "$top_srcdir/src/guest/riscv64/riscv64.decode" "$dir/page" &&
    diff -u "$top_srcdir/docs/isa/riscv64.md" "$dir/page" >"$dir/why"
result $? "docs/isa/riscv64.md is what the table says (if not: make isa-docs)"

# The same generator on a few lines in the style of AArch64.
cat >"$dir/table" <<'END'
isa aarch64 AArch64
field sf [0] width sf
field Rd [4:0] r rd
field Rn [4:0] r rn
field imm12 [11:0] dec imm
field imm19 [20:2] target imm signed
field cond [3:0] cond cond
extension Base The base set
add.i | sf 0 0 100010 0 imm12 Rn Rd | Rd,Rn,imm12 | | Add an immediate.
b.c   | 01010100 imm19 0 cond | imm | cond<14 | Branch on a condition.
END
"$LUA" "$generator" --prefix a64 --tables "$dir/table" "$dir/out" &&
    grep -qF 'static bool a64_match(uint32_t raw, struct a64_insn *in)' "$dir/out" &&
    grep -qF 'in->imm = bits_sext(((raw >> 5) & 0x7ffff) << 2, 21);' "$dir/out" &&
    grep -qF '((raw & 0xf)) < 14' "$dir/out"
result $? "a table for another guest"
"$LUA" "$generator" --prefix a64 --ops "$dir/table" "$dir/out" && grep -q A64_OP_ADD_I "$dir/out"
result $? "its operations"
plan
