#!/bin/sh
# Images and disks that cannot be: one line that names them, and no crash.
. "$top_srcdir/tests/cli/lib.sh"
cd "$work" || exit 1

# ---- kernels ----
refuses nothing.elf run nothing.elf
mkdir folder
refuses folder run folder
: >empty
refuses empty run empty
printf 'some text\n' >text
refuses text run text

"$GLOVEBOX" --version >/dev/null && cp "$GLOVEBOX" own
case $(uname -m) in
riscv64) skip "a program for another machine" "this host is one" ;;
*) refuses own run own ;;
esac

# An ELF header for riscv64: class 64, little-endian, EXEC, machine 243, one program
# header at 64.
elf() {
    printf '\177ELF\002\001\001\000\000\000\000\000\000\000\000\000'
    printf '\002\000\363\000\001\000\000\000'                  # type machine version
    words 80200000 00000000 00000040 00000000 00000000 00000000 # entry phoff shoff
    words 00000000 00380040 00400001 00000000                   # flags, sizes, counts
}
# segment FILESZ MEMSZ PADDR_LOW PADDR_HIGH
segment() {
    words 00000001 00000007 00000078 00000000 "$3" "$4" "$3" "$4" "$1" 00000000 "$2" 00000000 \
        00001000 00000000
}
elf >header.elf
refuses header.elf run header.elf
head -c 30 header.elf >cut.elf
refuses cut.elf run cut.elf
{ elf; segment 00000100 00000100 80200000 00000000; } >short.elf
refuses short.elf run short.elf
{ elf; segment 00000008 00000004 80200000 00000000; words 0000006f 0000006f; } >inverse.elf
refuses inverse.elf run inverse.elf
{ elf; segment 00000008 00000008 00000000 00000000; words 0000006f 0000006f; } >low.elf
refuses low.elf run low.elf
{ elf; segment 00000008 ffffffff 80200000 00000000; words 0000006f 0000006f; } >vast.elf
refuses vast.elf run vast.elf
{ elf; segment 00000008 00000008 fffffff0 ffffffff; words 0000006f 0000006f; } >wrap.elf
refuses wrap.elf run wrap.elf
{ elf; segment 00000008 00000008 80200000 00000000; words 0000006f 0000006f; } >good.elf
ends 0 "the same header around a good program is taken" run good.elf --stop-at 10

# A Linux Image: text_offset 2 MiB, image_size, magic "RSC\5" at 56.
image() {
    words 0000006f 0000006f 00200000 00000000 "$1" "$2" 00000000 00000000
    words 00000000 00000000 00000000 00000000 43534952 00000056 05435352 00000000
}
image 00001000 00000000 >good.image
ends 0 "an Image is taken" run good.image --stop-at 10
image 00000000 00000001 >large.image
refuses large.image run large.image
image ffffffff ffffffff >absurd.image
refuses absurd.image run absurd.image
head -c 60 good.image >cut.image
refuses cut.image run cut.image

gzip -c good.image >good.gz
ends 0 "gzip of an Image is taken" run good.gz --stop-at 10
head -c 30 good.gz >cut.gz
refuses cut.gz run cut.gz
{ head -c 20 good.gz; printf 'damaged damaged damaged damaged'; } >bad.gz
refuses bad.gz run bad.gz
printf '\037\213' >tiny.gz
refuses tiny.gz run tiny.gz
head -c 1000000 /dev/zero | gzip -c >zeroes.gz
refuses zeroes.gz run zeroes.gz

# ---- raw bytes, initrd, firmware ----
words 0000006f >raw
refuses raw run raw
refuses raw run raw --load-addr 0x1000
refuses raw run raw --load-addr 0xffffffffffffffff
refuses raw run raw --load-addr 0xfffffffffffff000
ends 0 "raw bytes are taken at an address" run raw --load-addr 0x80200000 --stop-at 10
refuses nothing.cpio run good.image --initrd nothing.cpio
refuses folder run good.image --initrd folder
head -c 9000000 /dev/zero >large.cpio
refuses large.cpio run good.image --initrd large.cpio --memory 8M
refuses "nothing to run" run --initrd raw
refuses nothing.bin run --firmware nothing.bin
refuses large.cpio run --firmware large.cpio --memory 8M

# ---- disks ----
head -c 1024 /dev/zero >disk
head -c 1000 /dev/zero >odd
refuses nothing.img run raw --load-addr 0x80200000 --disk nothing.img
refuses folder run raw --load-addr 0x80200000 --disk folder
refuses odd run raw --load-addr 0x80200000 --disk odd
refuses disk run raw --load-addr 0x80200000 --disk disk --disk disk
refuses /dev/null run raw --load-addr 0x80200000 --disk /dev/null
refuses disk run raw --load-addr 0x80200000 --disk disk,ro --disk disk,ro --disk disk,ro \
    --disk disk,ro --disk disk,ro --disk disk,ro --disk disk,ro --disk disk,ro --disk disk,ro
refuses "which file" run raw --load-addr 0x80200000 --disk ""
ends 0 "a disk is taken" run raw --load-addr 0x80200000 --disk disk --stop-at 10
ends 0 "a disk is taken twice read only" run raw --load-addr 0x80200000 --disk disk,ro \
    --disk disk,ro --stop-at 10

# ---- disks of other kinds ----
# disk TEXT DISK: is refused
disk() { refuses "$1" run raw --load-addr 0x80200000 --disk "$2"; }
printf 'QFI\373\0\0\0\3' | cat - disk | head -c 1024 >magic
disk "format=qcow2, or ,format=raw" magic
disk "format=qcow2, or ,format=raw" magic,ro
ends 0 "what only looks like qcow2 can be raw" run raw --load-addr 0x80200000 --stop-at 10 \
    --disk magic,format=raw
disk "no qcow2 image" disk,format=qcow2
disk "nothing.img" nothing.img,format=qcow2,ro
disk folder folder,format=qcow2
for n in vmdk QCOW2 "" raw,ro,format=x; do disk "the formats are raw and qcow2" "disk,format=$n"; done
disk "disk,rw" disk,rw
disk "which file" ,ro
disk "is for format=qcow2" disk,backing
disk "format=qcow2 is for files" nbd://localhost/x,format=qcow2
disk "nbd+unix:///?socket=nowhere" "nbd+unix:///?socket=nowhere"
disk "nbd://" nbd://
cp disk "comma,ro,x" && chmod 644 "comma,ro,x"
ends 0 "a name may hold commas" run raw --load-addr 0x80200000 --disk comma,ro,x,ro --stop-at 10
if command -v qemu-img >/dev/null && command -v qemu-nbd >/dev/null; then
    qemu-img create -q -f qcow2 image 1M && qemu-img create -q -f qcow2 -b image -F qcow2 over
    disk "append ,backing" over,format=qcow2
    ends 0 "qcow2 images are taken" run raw --load-addr 0x80200000 --stop-at 10 \
        --disk image,format=qcow2,ro --disk over,ro,backing,format=qcow2
    disk "format=qcow2, or ,format=raw" image
    # It prints when its disk is there: lui t0, 0x10000; li t1, 'k'; sb t1, (t0); j .-4
    words 100002b7 06b00313 00628023 ffdff06f >talk
    begin sh -c 'echo $$ >pid; exec "$@"' sh "$GLOVEBOX" run talk --load-addr 0x80200000 \
        --disk image,format=qcow2 >printed 2>"$work/why" </dev/null
    await 30 test -s printed
    kill -TERM "$(cat pid)"
    join $pid
    [ $status = 143 ] && qemu-img check -q -f qcow2 image >>"$work/why" 2>&1 && [ ! -s "$work/why" ]
    result $? "SIGTERM ends the image's server too, before we are done"
    timeout -k 5 "$SECONDS_MAX" env PATH="$work/none" "$GLOVEBOX" run raw --load-addr 0x80200000 \
        --disk image,format=qcow2 2>"$work/why"
    [ $? = 2 ] && grep -q "qemu-nbd.*qemu-utils" "$work/why"
    result $? "a missing qemu-nbd is named, with its package"
else
    missing "qcow2 images" "no qemu-utils"
fi
if command -v nbdkit >/dev/null; then
    timeout -k 5 "$SECONDS_MAX" nbdkit -U "$work/socket" memory 1M --run "'$GLOVEBOX' run raw \
        --load-addr 0x80200000 --stop-at 10 --disk 'nbd+unix:///?socket=$work/socket'" >"$work/why" 2>&1
    result $? "a server's disk is taken"
    timeout -k 5 "$SECONDS_MAX" nbdkit -r -U "$work/socket.ro" memory 1M --run "'$GLOVEBOX' run raw \
        --load-addr 0x80200000 --disk 'nbd+unix:///?socket=$work/socket.ro'" >"$work/why" 2>&1
    [ $? = 2 ] && grep -q "append ,ro" "$work/why"
    result $? "one that can only be read needs ,ro"
    for command in "run raw --load-addr 0x80200000 --stop-at 10" "machine virt" \
        "debug raw --load-addr 0x80200000"; do
        nbdkit -U "$work/socket.${command%% *}" eval get_size="echo 1M" can_flush="exit 0" \
            can_write="exit 0" pread="head -c \$3 /dev/zero" pwrite="cat >/dev/null" \
            flush="echo EIO >&2; exit 1" --run "'$GLOVEBOX' $command \
            --disk 'nbd+unix:///?socket=$work/socket.${command%% *}' </dev/null" >"$work/why" 2>&1
        [ $? = 2 ] && [ "$(grep -c "error: .*cannot write it to the medium" "$work/why")" = 1 ]
        result $? "a last flush that fails is an error of ours: ${command%% *}"
    done
else
    missing "a server's disk" "no nbdkit"
fi

if [ "$(id -u)" = 0 ]; then
    skip "files that may not be read" "this is root"
else
    cp good.image secret && chmod 0 secret
    refuses secret run secret
    cp disk secret.img && chmod 0 secret.img
    refuses secret.img run raw --load-addr 0x80200000 --disk secret.img
fi
plan
