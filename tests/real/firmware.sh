#!/bin/sh
# Firmware and boot loaders of others, as Debian ships them.
. "$top_srcdir/tests/real/lib.sh"
uboot=/usr/lib/u-boot

# ---- OpenSBI ----
for firmware in fw_jump fw_dynamic; do
    if [ ! -r "$guest/$firmware.bin" ]; then
        missing "OpenSBI, $firmware" "no $guest/$firmware.bin"
        continue
    fi
    for cpus in 1 4; do
        linux run --engine $fast --cpus $cpus --firmware "$guest/$firmware.bin" \
            --append "console=ttyS0 guest=off" --hash
        why
        [ $status = 0 ] && grep -q "^OpenSBI v" "$work/out" &&
            grep -q "HART Count *: $cpus" "$work/out" && grep -q "GUEST-READY" "$work/out"
        result $? "OpenSBI, $firmware, $cpus harts: boot and power off"
    done
done
if [ -r "$guest/fw_dynamic.bin" ] && [ "$engines" = "interp jit" ]; then
    for engine in $engines; do
        linux run --engine $engine --cpus 4 --firmware "$guest/fw_dynamic.bin" --hash \
            --marker "Boot HART MEDELEG"
        grep '^count ' "$work/err" >"$work/$engine"
    done
    why
    [ -s "$work/jit" ] && cmp "$work/interp" "$work/jit" >>"$work/why"
    result $? "OpenSBI, 4 harts: the same on both engines"
else
    skip "OpenSBI, 4 harts: the same on both engines" "$one_engine"
fi

# ---- U-Boot ----
if [ ! -r $uboot/qemu-riscv64/u-boot.bin ] || [ ! -r $uboot/qemu-riscv64_smode/u-boot.bin ]; then
    missing "U-Boot" "the package u-boot-qemu is not there"
    plan
    exit
fi
smode="--kernel $uboot/qemu-riscv64_smode/u-boot.bin --load-addr 0x80200000"

cat >"$work/steps" <<'END'
expect 60 Hit any key
send \r
expect 30 =>\x20
raw
send echo $arch $((6*7))\r
expect 30 \nriscv
send poweroff\r
exit 0 30
END
TERM=xterm timeout -k 5 $SECONDS_MAX "$ptyrun" "$work/steps" "$GLOVEBOX" run --engine $fast --no-paced \
    --firmware $uboot/qemu-riscv64/u-boot.bin >"$work/why" 2>&1
result $? "U-Boot in M-mode: a prompt, a command, power off"

# A disk with one partition, in which there is what U-Boot's extlinux.conf names.
files=$work/files disk=$work/disk
mkdir -p "$files/extlinux"
ln "$guest/Image" "$guest/initramfs.cpio.gz" "$files" 2>/dev/null ||
    cp "$guest/Image" "$guest/initramfs.cpio.gz" "$files"
cat >"$files/extlinux/extlinux.conf" <<'END'
default linux
label linux
    kernel /Image
    initrd /initramfs.cpio.gz
    append console=ttyS0 guest=off
END
head -c 69206016 /dev/zero >"$disk"
{ # type 0x83, bootable, 64 MiB from 1 MiB on
    printf '\200\0\0\0\203\0\0\0\0\10\0\0\0\0\2\0' | dd of="$disk" bs=1 seek=446 conv=notrunc
    printf '\125\252' | dd of="$disk" bs=1 seek=510 conv=notrunc
} 2>/dev/null
PATH=$PATH:/usr/sbin:/sbin
if ! command -v mke2fs >/dev/null; then
    missing "U-Boot from a disk" "no mke2fs (Debian package e2fsprogs)"
else
    mke2fs -q -t ext4 -d "$files" -E offset=1048576 "$disk" 64M 2>"$work/why"
    result $? "a disk for U-Boot"
    gb run --engine $fast $smode --disk "$disk" --no-paced
    why
    [ $status = 0 ] && grep -q "Retrieving file: /Image" "$work/out" &&
        grep -q "GUEST-READY riscv64" "$work/out"
    result $? "U-Boot in S-mode boots Debian from a disk"
    gb run --engine $fast $smode --disk "$disk,ro" --virtio pci --no-paced
    why
    [ $status = 0 ] && grep -q "Retrieving file: /Image" "$work/out" &&
        grep -q "GUEST-READY riscv64" "$work/out"
    result $? "the same from a disk on PCI"
    gb run --engine $fast $smode --firmware "$guest/fw_dynamic.bin" --cpus 4 --disk "$disk,ro"
    why
    [ $status = 0 ] && grep -q "^OpenSBI v" "$work/out" && grep -q "U-Boot 20" "$work/out" &&
        grep -q "Brought up 1 node, 4 CPUs" "$work/out" && grep -q "GUEST-READY" "$work/out"
    result $? "OpenSBI starts U-Boot, which boots Debian with 4 harts"
fi
plan
