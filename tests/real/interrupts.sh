#!/bin/sh
# Debian on the advanced interrupt architecture: its APLIC alone, and with IMSICs.
. "$top_srcdir/tests/real/lib.sh"

need_full
head -c 3145728 "$guest/Image" >"$work/disk"
sum=$(head -c 1048576 "$work/disk" | sha256sum | cut -c1-16)

# What the kernel says of each, and OpenSBI of its interrupts between harts.
aplic_says="96 interrupts directly connected to 4 CPUs" aplic_ipi=aclint-mswi
imsic_says="96 interrupts forwarded to MSI base 0x0000000028000000" imsic_ipi=aia-imsic

for kind in aplic imsic; do
    eval "says=\$${kind}_says ipi=\$${kind}_ipi"
    for firmware in "" fw_jump fw_dynamic; do
        if [ "$firmware" ] && [ ! -r "$guest/$firmware.bin" ]; then
            missing "$kind, $firmware" "no $guest/$firmware.bin"
            continue
        fi
        name="$kind, ${firmware:-built-in SBI}"
        gb run "$guest/Image" --initrd "$full" --engine $fast --interrupts $kind --cpus 4 \
            --append "console=ttyS0 guest=probe" ${firmware:+--firmware "$guest/$firmware.bin"} \
            --disk "$work/disk,ro" --net user
        why
        [ $status = 0 ] && grep -qF "$says" "$work/out" &&
            grep -q "GUEST-DISK vda 6144 $sum" "$work/out" &&
            grep -q "GUEST-NET 52:54:00:12:34:56 10.0.2.2 answers" "$work/out"
        result $? "$name: a disk and a network, 4 harts"
        [ -z "$firmware" ] || said "$name: interrupts between harts" "Platform IPI Device         : $ipi"
    done
    linux run --engine $fast --interrupts $kind --append "console=ttyS0 guest=off"
    why
    [ $status = 0 ] && grep -q "GUEST-READY riscv64" "$work/out"
    result $? "$kind: boot and power off, 1 hart"
done

# At the shell: the UART's interrupts, and those that each hart got from the other.
counts() {
    play "$1: the UART's interrupts, and the harts'" run --engine $fast --interrupts $1 --cpus 2 <<END
expect @120 ~ #
send stty -echo\r
expect @10 ~ #
send tr -s " " </proc/interrupts | grep -cE "^ ?[0-9]+: [1-9].* $2.* ttyS0|IPI1: [1-9][0-9]* [1-9]"\r
expect @10 2\r
expect @10 ~ #
send poweroff -f\r
exit 0 30
END
}
counts aplic APLIC-DIRECT
counts imsic APLIC-MSI

# The same whatever runs it.
for tlb in l1=1024 l1=16,l2=0; do
    linux run --engine $fast --interrupts imsic --cpus 2 --marker GUEST-READY --hash --tlb $tlb
    grep -h '^count ' "$work/err" >"$work/hash.$tlb"
done
why
[ -s "$work/hash.l1=1024" ] && cmp "$work/hash.l1=1024" "$work/hash.l1=16,l2=0" >>"$work/why"
result $? "imsic: the same with another TLB"
if [ "$engines" = "interp jit" ]; then
    for kind in aplic imsic; do
        linux verify --interrupts $kind --cpus 2 --until 50M --interval 5M
        why
        [ $status = 0 ] && grep -q "^same at" "$work/out"
        result $? "$kind: interpreter and JIT agree"
    done
else
    skip "interpreter and JIT agree" "$one_engine"
fi
plan
