#!/bin/sh
# Flash and fw_cfg, as U-Boot, OpenSBI and Debian's kernel use them.
. "$top_srcdir/tests/real/lib.sh"
uboot=/usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin

# ---- flash ----
if [ -r $uboot ]; then
    { echo "from the host" && head -c 600000 /dev/zero | tr '\000' '\377'; } |
        head -c 524288 >"$work/flash0"
    cp "$work/flash0" "$work/flash1"
    sed "s/@\([0-9][0-9]*\)/\1$([ $patience = 1 ] || echo 0)/" >"$work/steps" <<'END'
expect @60 Flash: 32 MiB
expect @60 Hit any key
send \r
expect @30 =>\x20
raw
send flinfo\r
expect @10 Bank # 1: CFI conformant flash
expect @10 Intel Extended command set, Manufacturer ID: 0x89, Device ID: 0x0018
expect @10 buffer size: 2048 bytes
expect @10 Bank # 2: CFI conformant flash
expect @10 =>\x20
send md.b 20000000 10\r
expect @10 from the host
expect @10 =>\x20
send mw.l 84000000 64636261 10000; cp.b 84000000 20040000 20000; cmp.b 84000000 20040000 20000\r
expect @20 Copy to Flash... done
expect @20 Total of 131072 byte(s) were the same
expect @10 =>\x20
send erase 20000000 2001ffff; md.l 20000000 4\r
expect @20 Erased 1 sectors
expect @10 20000000: ffffffff ffffffff ffffffff ffffffff
expect @10 =>\x20
send mw.l 22000000 400040; mw.l 22000000 0; md.l 22000000 1\r
expect @10 its file is read only
expect @10 22000000: 00900090
expect @10 =>\x20
send mw.l 22000000 ff00ff; md.b 22000000 10\r
expect @10 from the host
expect @10 =>\x20
send poweroff\r
exit 0 @30
END
    TERM=xterm timeout -k 5 $SECONDS_MAX "$ptyrun" "$work/steps" "$GLOVEBOX" run --engine $fast \
        --no-paced --kernel $uboot --load-addr 0x80200000 --flash "$work/flash0" \
        --flash "$work/flash1,ro" >"$work/why" 2>&1
    result $? "U-Boot finds, programs and erases flash"
    for i in 1 2 3 4; do printf abcdabcdabcdabcd; done >"$work/text"
    dd if="$work/flash0" bs=64 skip=6143 count=1 2>/dev/null | cmp - "$work/text" >"$work/why" 2>&1 &&
        [ "$(tr -d '\377' <"$work/flash0" | wc -c)" = 131072 ]
    result $? "its file holds that"
    if [ "$engines" = "interp jit" ]; then
        gb verify --kernel $uboot --load-addr 0x80200000 --flash "$work/flash1,ro" \
            --interval 10000 --marker "Flash: 32 MiB"
        why
        [ $status = 0 ]
        result $? "verify: while U-Boot looks for flash"
    else
        skip "verify: while U-Boot looks for flash" "$one_engine"
    fi
else
    missing "U-Boot and flash" "the package u-boot-qemu is not there"
fi

# A program for S-mode that prints F and ends the machine, by the oldest SBI calls.
words 04600513 00100893 00000073 00800893 00000073 0000006f >"$work/payload"
truncate -s 512 "$work/payload"
if [ -r "$guest/fw_dynamic.bin" ]; then
    gb run --engine $fast --firmware "$guest/fw_dynamic.bin" --flash "$work/payload,ro"
    why
    [ $status = 0 ] && grep -q "Domain0 Next Address *: 0x0000000020000000" "$work/out" &&
        [ "$(tail -c 1 "$work/out")" = F ]
    result $? "OpenSBI starts what is in flash"
else
    missing "OpenSBI starts what is in flash" "no $guest/fw_dynamic.bin"
fi

# ---- fw_cfg ----
full=$guest/initramfs-full.cpio.gz
if [ -r "$full" ]; then
    head -c 300000 "$guest/Image" >"$work/file"
    sum=$(sha256sum <"$work/file" | cut -d' ' -f1)
    play "Debian reads files of fw_cfg" run --engine $fast --initrd "$full" --no-paced \
        --fw-cfg opt/org.glovebox/text=string:hello --fw-cfg "opt/org.glovebox/file=$work/file" <<END
expect @120 ~ #
send stty -echo cols 200\r
expect @10 ~ #
send cd /sys/firmware/qemu_fw_cfg && cat rev\r
expect @10 3
expect @10 #
send cat by_name/opt/org.glovebox/text/raw\r
expect @10 hello
expect @10 #
send sha256sum by_name/opt/org.glovebox/file/raw\r
expect @30 $sum
send poweroff -f\r
exit 0 @30
END
else
    missing "Debian reads files of fw_cfg" "no $full"
fi
plan
