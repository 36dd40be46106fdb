#!/bin/sh
# Boots the Debian guest on a terminal, works at its shell, and leaves.
. "$top_srcdir/tests/real/lib.sh"

for engine in $engines; do
    play "$engine: boot, shell, power off" run --engine "$engine" <<'END'
expect @120 Linux version 6
expect @120 GUEST-READY riscv64
expect @20 ~ #
raw
send echo $((6*7))\r
expect @10 \n42\r
send cat /proc/cpuinfo\r
expect @10 rv64imafdc
send poweroff -f\r
expect @10 Power down
exit 0 30
END
done
play "C-a x quits, C-a C-a is the guest's" run --engine $fast <<'END'
expect @120 ~ #
send cat -v\r\x01\x01\r
expect @10 ^A
send \x03
expect @10 ~ #
send \x01x
exit 130 10
END
play "two CPUs, and a reboot" run --engine $fast --cpus 2 --append "console=ttyS0 quiet" <<'END'
expect @120 ~ #
send nproc\r
expect @10 \n2\r
send reboot -f\r
expect @10 the guest reboots
expect @120 ~ #
send poweroff -f\r
exit 0 30
END

# Without a terminal, bytes pass as they are.  The kernel drops what comes before there is a shell.
mkfifo "$work/keys"
exec 3<>"$work/keys"
begin "$GLOVEBOX" run "$guest/Image" --initrd "$guest/initramfs.cpio.gz" \
    --engine $fast --paced <"$work/keys" >"$work/out" 2>"$work/err" 3<&-
exec 3>"$work/keys"
await 180 grep -q '~ #' "$work/out"
echo 'echo $((6*7)); poweroff -f' >&3
exec 3>&-
join $pid
why
[ $status = 0 ] && tr -d '\r' <"$work/out" | grep -qx 42
result $? "a shell script on standard input, which then ends"

# Disks: their sizes and first bytes as the guest sees them.
if [ -r "$guest/initramfs-full.cpio.gz" ]; then
    head -c 3145728 "$guest/Image" >"$work/disk"
    cp "$work/disk" "$work/disk.ro"
    sum=$(head -c 1048576 "$work/disk" | sha256sum | cut -c1-16)
    gb run "$guest/Image" --initrd "$guest/initramfs-full.cpio.gz" --engine $fast \
        --append "console=ttyS0 guest=probe" --disk "$work/disk" --disk "$work/disk.ro,ro"
    why
    [ $status = 0 ] && [ "$(grep -c "GUEST-DISK vd[ab] 6144 $sum" "$work/out")" = 2 ]
    result $? "two disks"
else
    missing "two disks" "no $guest/initramfs-full.cpio.gz"
fi

# The firmware of others.
if [ -r "$guest/fw_dynamic.bin" ]; then
    linux run --engine $fast --firmware "$guest/fw_dynamic.bin" --append "console=ttyS0 guest=off"
    why
    [ $status = 0 ] && grep -q OpenSBI "$work/out" && grep -q "GUEST-READY" "$work/out"
    result $? "OpenSBI as firmware"
else
    missing "OpenSBI as firmware" "no $guest/fw_dynamic.bin"
fi
plan
