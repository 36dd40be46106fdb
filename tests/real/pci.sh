#!/bin/sh
# PCI: the Debian guest and a boot loader find the bridge and virtio devices on it.
. "$top_srcdir/tests/real/lib.sh"

uboot=/usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin
need_full

probe() {
    gb run "$guest/Image" --initrd "$full" --engine $fast --append "console=ttyS0 guest=probe" \
        --virtio pci "$@"
}

mkdir "$work/share"
echo "from the host" >"$work/share/hello"
head -c 3145728 "$guest/Image" >"$work/disk"
sum=$(head -c 1048576 "$work/disk" | sha256sum | cut -c1-16)

# With the same devices in the same order, QEMU's guest prints the same lines.
probe --disk "$work/disk" --net user --port log="$work/log" --share "$work/share,tag=host" \
    --balloon 0
cat >"$work/want" <<'END'
GUEST-PCI 0000:00:00.0 0x1b36:0x0008 -
GUEST-PCI 0000:00:01.0 0x1af4:0x1042 virtio-pci
GUEST-PCI 0000:00:02.0 0x1af4:0x1041 virtio-pci
GUEST-PCI 0000:00:03.0 0x1af4:0x1044 virtio-pci
GUEST-PCI 0000:00:04.0 0x1af4:0x1043 virtio-pci
GUEST-PCI 0000:00:05.0 0x1af4:0x1049 virtio-pci
GUEST-PCI 0000:00:06.0 0x1af4:0x1045 virtio-pci
GUEST-VIRTIO virtio0 type 0x0002 virtio_blk under 0000:00:01.0
GUEST-VIRTIO virtio1 type 0x0001 virtio_net under 0000:00:02.0
GUEST-VIRTIO virtio2 type 0x0004 virtio_rng under 0000:00:03.0
GUEST-VIRTIO virtio3 type 0x0003 virtio_console under 0000:00:04.0
GUEST-VIRTIO virtio4 type 0x0009 9pnet_virtio under 0000:00:05.0
GUEST-VIRTIO virtio5 type 0x0005 virtio_balloon under 0000:00:06.0
END
why
tr -d '\r' <"$work/out" | grep -E "^GUEST-(PCI|VIRTIO)" | diff "$work/want" - >>"$work/why"
result $? "all devices, in QEMU's order"
found "a disk" "^GUEST-DISK vda 6144 $sum"
found "a network that answers" "^GUEST-NET 52:54:00:12:34:56 10.0.2.2 answers"
found "entropy" "^GUEST-RNG virtio_rng.0 [0-9a-f]{16}"
found "a BAR above 4 GiB" "0000:00:06.0: BAR 4 \[mem 0x400014000-0x400017fff 64bit pref\]: assigned"
found "INTA of slots 1 and 5" " SiFive PLIC +33 .* virtio0, virtio4"
found "INTA of slots 2 and 6" " SiFive PLIC +34 .* virtio1, virtio5"
found "INTA of slot 3" " SiFive PLIC +35 .* virtio2"
found "INTA of slot 4" " SiFive PLIC +32 .* virtio3"

# With an IMSIC, messages.
probe --disk "$work/disk,ro" --interrupts imsic --cpus 2
found "MSI-X: a disk" "^GUEST-DISK vda 6144 $sum"
found "MSI-X: a vector for its queue" "[1-9][0-9]* +.*PCI-MSIX-0000:00:01.0 +1 Edge +virtio0-req.0"

# Without outside events every run is the same.
probe --disk "$work/disk,ro" --hash
hash=$(tail -n 1 "$work/err")
probe --disk "$work/disk,ro" --hash --tlb l1=32,l2=0
why
[ "$hash" ] && [ "$(tail -n 1 "$work/err")" = "$hash" ]
result $? "the same run twice"

if [ -r "$guest/fw_dynamic.bin" ]; then
    probe --disk "$work/disk,ro" --firmware "$guest/fw_dynamic.bin" --cpus 4
    found "with OpenSBI, 4 harts: the bridge" "^GUEST-PCI 0000:00:00.0 0x1b36:0x0008"
    found "with OpenSBI, 4 harts: a disk" "^GUEST-DISK vda 6144 $sum"
else
    missing "with OpenSBI" "no $guest/fw_dynamic.bin"
fi

play "folder, ports and a driver that leaves and comes back" run --engine $fast --initrd "$full" \
    --virtio pci --share "$work/share,tag=host" --port log="$work/log" \
    --port console="$work/hvc" <<'END'
expect @120 ~ #
send stty -echo cols 200\r
expect @10 ~ #
send mount -t 9p -o trans=virtio,version=9p2000.L host /mnt && cat /mnt/hello\r
expect @20 from the host
expect @10 ~ #
send echo through a port >/dev/vport1p0; echo on a console >/dev/hvc0; echo $?,written\r
expect @10 0,written
send cd /sys/bus/pci/drivers/virtio-pci; echo 0000:00:01.0 >unbind; echo 0000:00:01.0 >bind; cd\r
expect @10 ~ #
send echo $(head -c 8 /dev/hwrng | wc -c) bytes\r
expect @10 8 bytes\r
send poweroff -f\r
exit 0 30
END
grep -qx "through a port" "$work/log" && tr -d "\r" <"$work/hvc" | grep -qx "on a console"
result $? "bytes came through the ports"

if [ ! -r $uboot ]; then
    missing "verify: U-Boot" "the package u-boot-qemu is not there"
elif [ $fast = jit ]; then
    gb verify --kernel $uboot --load-addr 0x80200000 --disk "$work/disk,ro" --virtio pci \
        --until 100M --interval 5M
    why
    [ $status = 0 ] && grep -q "^same at" "$work/out"
    result $? "verify: interpreter and JIT agree while U-Boot looks for devices"
else
    skip "verify: interpreter and JIT agree while U-Boot looks for devices" "$one_engine"
fi
plan
