#!/bin/sh
# The Debian guest finds every virtio device and works with it.
. "$top_srcdir/tests/real/lib.sh"

need_full

mkdir -p "$work/share/sub"
echo "from the host" >"$work/share/hello"
echo secret >"$work/secret"
ln -s ../secret "$work/share/out"
head -c 3145728 "$guest/Image" >"$work/disk"
sum=$(head -c 1048576 "$work/disk" | sha256sum | cut -c1-16)

probe() {
    gb run "$guest/Image" --initrd "$full" --engine $fast --append "console=ttyS0 guest=probe" "$@"
}
rng() { sed -n 's/.*GUEST-RNG virtio_rng.0 \([0-9a-f]*\).*/\1/p' "$work/out"; }

probe --disk "$work/disk" --net user --port log="$work/log" --share "$work/share,tag=host" \
    --balloon 0
found "a disk" "^GUEST-DISK vda 6144 $sum"
found "a network that answers" "^GUEST-NET 52:54:00:12:34:56 10.0.2.2 answers"
found "entropy" "^GUEST-RNG virtio_rng.0 [0-9a-f]{16}"
slot=0
for device in "0x0002 virtio_blk" "0x0001 virtio_net" "0x0004 virtio_rng" \
    "0x0003 virtio_console" "0x0009 9pnet_virtio" "0x0005 virtio_balloon"; do
    found "$device" "^GUEST-VIRTIO virtio$slot type $device under 1000$((slot + 1))000"
    slot=$((slot + 1))
done

# Without outside events every run is the same, and the seed is what makes the entropy.
probe --hash
first=$(rng) hash=$(tail -n 1 "$work/err")
probe --hash
why
[ "$first" ] && [ "$(rng)" = "$first" ] && [ "$(tail -n 1 "$work/err")" = "$hash" ]
result $? "the same seed, the same run"
probe --rng-seed 7
why
[ "$(rng)" ] && [ "$(rng)" != "$first" ]
result $? "another seed"

# Nine and more devices: slots behind QEMU's.
for n in 1 2 3 4 5 6 7; do
    head -c 4096 "$guest/Image" >"$work/disk$n"
    set -- "$@" --disk "$work/disk$n,ro"
done
probe "$@" --net user,mac=02:00:00:00:00:07
found "a device in the ninth slot" "^GUEST-VIRTIO virtio8 type 0x0004 virtio_rng under 10009000"
found "a network with another address" "^GUEST-NET 02:00:00:00:00:07 10.0.2.2 answers"

play "a shared folder, a port and a discard at the shell" run --engine $fast --initrd "$full" \
    --share "$work/share,tag=host" --share "$work/share,tag=locked,ro" --disk "$work/disk" \
    --port log="$work/log" --port console="$work/hvc" --net user <<'END'
expect @120 ~ #
send stty -echo cols 200\r
expect @10 ~ #
send mount -t 9p -o trans=virtio,version=9p2000.L host /mnt && cat /mnt/hello\r
expect @20 from the host
expect @10 ~ #
send echo from the guest >/mnt/sub/new && mv /mnt/sub /mnt/moved && cat /mnt/moved/new && ls /mnt\r
expect @10 from the guest
expect @10 hello
expect @10 moved
expect @10 ~ #
send cat /mnt/out || echo no way out; cd /mnt/moved; echo more >>new; ln new second; ln -s new soft; cat soft; cd; rm /mnt/moved/second\r
expect @10 no way out
expect @10 from the guest
expect @10 more
expect @10 ~ #
send dd if=/dev/urandom of=/mnt/big bs=64k count=64 2>/dev/null; sync; sha256sum /mnt/big >/mnt/sum; umount /mnt; echo $?,done\r
expect @30 0,done
send mkdir /ro; mount -t 9p -o trans=virtio,version=9p2000.L locked /ro && cat /ro/hello; echo x >/ro/x || echo refused\r
expect @10 from the host
expect @10 refused
expect @10 ~ #
send echo through a port >/dev/vport3p0; echo on a console >/dev/hvc0; echo $?,written\r
expect @10 0,written
send blkdiscard /dev/vda && echo left $(head -c 1000000 /dev/vda | tr -d "\\000" | wc -c)\r
expect @10 left 0\r
expect @10 ~ #
send poweroff -f\r
exit 0 30
END
check() {
    ls -l "$work/share" "$work/share/moved" >"$work/why" 2>&1
    eval "$2"
    result $? "$1"
}
check "what the guest wrote is there" '
    [ "$(cat "$work/share/moved/new")" = "from the guest
more" ] && [ "$(readlink "$work/share/moved/soft")" = new ] && [ ! -e "$work/share/moved/second" ]'
check "a file of four megabytes is whole" '
    [ "$(cut -d" " -f1 "$work/share/sum")" = "$(sha256sum <"$work/share/big" | cut -d" " -f1)" ] &&
    [ "$(wc -c <"$work/share/big")" = 4194304 ]'
check "bytes came through the ports" '
    grep -qx "through a port" "$work/log" && tr -d "\r" <"$work/hvc" | grep -qx "on a console"'
check "what was discarded is 0 on the host" '[ "$(tr -d "\000" <"$work/disk" | wc -c)" = 0 ]'
check "nothing else was touched" '[ "$(cat "$work/secret")" = secret ] && [ ! -e "$work/share/x" ]'
plan
