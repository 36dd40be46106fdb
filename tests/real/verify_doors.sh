#!/bin/sh
# Two engines side by side on what one of them got from a network, with a disk that the
# guest writes.
. "$top_srcdir/tests/real/lib.sh"
[ "$engines" = "interp jit" ] || no_tests "$one_engine"

head -c 3M /dev/zero >"$work/disk"
printf 'never changed' | dd of="$work/disk" conv=notrunc 2>/dev/null
sum=$(cksum <"$work/disk")
gb verify "$guest/Image" --initrd "$guest/initramfs-full.cpio.gz" --net user \
    --disk "$work/disk" --append "console=ttyS0 guest=probe" --cpus 2 \
    --interval 10M
why
[ $status = 0 ] && grep -q "^same at" "$work/out"
result $? "devices probed, the gateway pinged: the same on both engines"
[ "$(cksum <"$work/disk")" = "$sum" ]
result $? "the disk is as it was"

plan
