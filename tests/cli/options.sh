#!/bin/sh
# Options and commands that cannot be, and what --help and the like say.
. "$top_srcdir/tests/cli/lib.sh"
cd "$work" || exit 1
words 0000006f >loop

# bad TEXT OPTION...: refused, with a program that could run
bad() {
    text=$1
    shift
    refuses "$text" run loop --load-addr 0x80200000 "$@"
}

refuses "what is to be done" 2>/dev/null
refuses frobnicate frobnicate
refuses --frobnicate --frobnicate
refuses "nothing to run" run
refuses "nothing to run" debug
refuses "nothing to run" verify
refuses "" run --kernel
bad --frobnicate --frobnicate
bad "kernel already" other
for n in 0 9 -1 x 1x 99999999999999999999 ""; do bad --cpus --cpus="$n"; done
for n in x 12Q 1MM -1 "" 99999999999T 18446744073709551616 0x; do bad --memory --memory="$n"; done
for n in 0 1 4K 8388609; do bad memory --memory="$n"; done
bad --memory --memory 15T
for n in l1 l1=x l1=16,l3=2 l2=4 l2=4x l2=4x4x4 policy=best , "" l1=3 l1=1 l1=8192 l2=3x1 l2=4x99; do
    bad "--tlb" --tlb="$n"
done
for n in x 0 4G 99999999999T ""; do bad --code-cache --code-cache="$n"; done
for n in x 0 1x "" 99999999999T; do
    bad --rate --rate="$n"
    bad --slice --slice="$n"
done
for n in x -1 tomorrow 99999999999999; do bad --epoch --epoch="$n"; done
for n in x 0xx ""; do refuses --load-addr run loop --load-addr="$n"; done
for n in x -5 ""; do bad --stop-at --stop-at="$n"; done
bad --marker --marker=
bad --marker --marker="$(head -c 300 /dev/zero | tr '\0' x)"
for n in "" tap user,x tap=,x users user,hostfwd=tcp::0-:1 user,hostfwd=tcp::1-:65536 \
    user,hostfwd=tcp:1-:2 user,hostfwd=ip::1-:2 user,hostfwd=tcp:1.2.3:1-:2 user,hostfwd=tcp::1-2 \
    user,hostfwd=tcp::x-:2 user,mac=1 user,mac=01:00:00:00:00:00 user,mac=00:00:00:00:00:00x \
    tap=t,restrict tap=a-name-that-is-too-long; do
    bad --net --net="$n"
done
for n in "" x 65536 99999 ::1 127.0.0.1: 1.2.3:1 unix: unix:nowhere/x; do bad --gdb --gdb="$n"; done
mkdir folder
head -c 512 /dev/zero >disk
head -c 513 /dev/zero >odd
for n in "" folder folder,ro folder,tag= ,tag=x folder,tag=x,rw nowhere,tag=x loop,tag=x \
    "folder,tag=$(head -c 32 /dev/zero | tr '\0' x)"; do bad --share --share="$n"; done
bad "two with the tag" --share folder,tag=x --share folder,tag=x,ro
for n in "" x x= =x unix:x x=unix: x=nowhere/x "$(head -c 32 /dev/zero | tr '\0' x)=x"; do
    bad --port --port="$n"
done
truncate -s 33554944 large
for n in "" nowhere nowhere,ro folder large odd; do bad --flash --flash="$n"; done
bad "large: 33554944 bytes are more than the bank's 33554432" --flash large
bad "one too many" --flash disk,ro --flash disk,ro --flash disk,ro
for n in "" x x= =x =string:y x=nowhere/x x=folder; do bad --fw-cfg --fw-cfg="$n"; done
bad "printable ASCII" --fw-cfg "opt/a b=string:y"
bad "that name already" --fw-cfg opt/a=string:y --fw-cfg opt/a=string:z
bad "two with the name" --port x=out1 --port x=out2
for n in 1 2 3 4; do set -- "$@" --net user; done
bad "one too many" --net user "$@"
for n in "" x -1 host1; do bad --rng-seed --rng-seed="$n"; done
for n in "" isa PCI pci,mmio; do bad --virtio --virtio="$n"; done
for n in "" x -1; do bad --balloon --balloon="$n"; done
bad quick --engine quick
bad pc98 --machine pc98
for n in rv32i rv64 rv64imx rv64imac_zmagic rv64imd; do bad isa --isa "$n"; done
for n in x "" PLIC plic,imsic; do bad "plic, aplic, imsic" --interrupts="$n"; done
for n in smaia ssaia; do bad "with an APLIC only" --isa rv64imac_$n --interrupts aplic; done
bad nowhere --dtb-out nowhere/dtb

verify() { refuses "$@" loop --load-addr 0x80200000; }
for n in "" jit jit, ,jit jit,interp,jit; do verify --engines verify --engines="$n"; done
verify quick verify --engines interp,quick --until 10
for n in 0 x ""; do verify --interval verify --interval="$n"; done
verify --break-op verify --break-op frobnicate
for n in "" x -1; do verify --disturb verify --disturb="$n"; done
verify --until verify --until=x
verify --realtime verify --realtime
verify --dtb-out verify --dtb-out dtb
head -c 512 /dev/zero >disk
verify ",ro" verify --share folder,tag=x

refuses "which guest" isa
refuses z80 isa z80
for n in 12 123 12345678 0x1g 0x 0xffffffff "13 05" xx 1305050013050500; do
    refuses "$n" isa riscv64 "$n"
done
refuses 0x13 isa riscv64 0x13050500 0x13
refuses pc98 machine pc98
refuses more machine virt more

# ---- what is right ----
for c in run debug verify isa machine; do
    ends 0 "$c --help" $c --help
    said "$c --help names itself" "Usage: glovebox $c"
done
ends 0 "--help" --help
said "--help names the commands" "verify"
ends 0 "--version" --version
said "--version names the program" "Glovebox "
ends 0 "machine" machine
said "machine lists virt" virt
said "machine lists engines" interp
ends 0 "machine virt" machine virt --memory 1G --cpus 2 --dtb-out dtb
said "machine virt shows RAM" "RAM, 1048576 KiB"
[ "$(head -c 4 dtb | od -An -tx1 | tr -d ' ')" = d00dfeed ]
result $? "--dtb-out is a device tree"
ends 0 "machine virt --virtio pci" machine virt --virtio pci --disk disk,ro
said "it shows the host bridge" "PCI 00:00.0, 1b36:0008"
said "it shows the disk on PCI" "PCI 00:01.0, 1af4:1042     pci1      virtio-blk: disk"
ends 0 "machine virt with an IMSIC" machine virt --interrupts imsic --cpus 8
said "it has two of them" "000028000000-000028007fff  imsic_s   riscv-imsics"
ends 0 "isa riscv64" isa riscv64
said "isa riscv64 lists Zbb" "Zbb (24)"
said "isa riscv64 says that vectors are not there" "vectors (V)"
ends 0 "isa riscv64 0x00c58533" isa riscv64 0x00c58533
said "a word is explained" "add a0,a1,a2"
said "with its fields" "rs2 = 0x0c (a2)"
ends 0 "isa riscv64 33 85 c5 00" isa riscv64 33 85 c5 00
said "bytes are explained" "add a0,a1,a2"
ends 0 "isa riscv64 0x8082" isa riscv64 0x8082
said "a compressed instruction is explained" "carried out as jalr"
ends 0 "sizes and numbers take letters" run loop --load-addr 0x80200000 --memory 64M --stop-at 3K --hash
said "K is 1000 of a count" "count 3000 hash "
NO_COLOR=1 gb run loop
! grep -q "$(printf '\033')" "$work/err"
result $? "no colours in a file"
plan
