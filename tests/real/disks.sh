#!/bin/sh
# Disks of the Debian guest: what was flushed survives the emulator's death, an orderly end leaves
# them clean, and a host that fails is an I/O error for the guest and a line for the person.
. "$top_srcdir/tests/real/lib.sh"

PATH=$PATH:/usr/sbin:/sbin
need_full
need mke2fs e2fsprogs
need debugfs e2fsprogs
formats="raw qcow2"
if ! command -v qemu-img >/dev/null || ! command -v qemu-nbd >/dev/null; then
    formats=raw
    missing "qcow2 disks" "no qemu-utils"
fi
cd "$work" || exit 1
mkfifo keys
mkdir small
trap '' PIPE # of a guest that is over; what it has not done fails
trap 'umount small 2>/dev/null; cd /; leave' EXIT

# ---- a guest at its shell ----

# boot OPTION...: in the background; $emulator is its process, the console is in ./out
boot() {
    : >out
    exec 3<>keys
    begin sh -c 'echo $$ >pid; exec "$@"' sh "$GLOVEBOX" run \
        "$guest/Image" --initrd "$full" --engine $fast "$@" <keys >out 2>err 3<&-
    job=$pid
    exec 3>keys
    seen "~ #"
    emulator=$(cat pid)
}

# seen TEXT [TIMES]: waits until so many lines of the console hold it, or the guest is over
seen() { await 180 is_seen "$1" "${2:-1}"; }

is_seen() { [ "$(grep -ca -- "$1" out)" -ge "$2" ] || gone $job; }

send() { echo "$1" >&3; }

# over: the guest comes to its end; $status
over() {
    exec 3>&-
    join $job
    why
}

# servers: the processes that serve qcow2 disks, if there are any; the first disk's comes first
servers() { cat "/proc/$emulator/task/$emulator/children" 2>/dev/null; }

# ---- its file system ----

# plain FORMAT: what is in ./disk, as ./plain; a server that was told to end may take a moment
plain() {
    rm -f plain
    if [ "$1" = raw ]; then
        cp --sparse=always disk plain
        return
    fi
    for try in 1 2 3 4 5 6 7 8 9 10; do
        qemu-img check -q -f "$1" disk >"$work/why" 2>&1
        case $? in
        0 | 3) break ;; # 3: clusters that nobody uses
        esac
        [ $try != 10 ] || return 1
        sleep 0.5
    done
    qemu-img convert -f "$1" -O raw disk plain
}

# kept: the journal is replayed, and every file of ./sums is there, with what was written
kept() {
    e2fsck -f -p plain >"$work/why" 2>&1
    [ $? -le 1 ] || return 1
    rm -rf tree
    mkdir tree
    debugfs -R "rdump / tree" plain >/dev/null 2>&1
    (cd tree && sha256sum --quiet -c ../sums) >"$work/why" 2>&1
}

# Files of random bytes; a line is printed when one is flushed.
write_files() {
    send "mount -t ext4 /dev/vda /mnt; i=$1; while head -c \$((i % 9 * 9000 + 1)) /dev/urandom >/tmp/x && dd if=/tmp/x of=/mnt/f\$i bs=64k conv=fsync 2>/dev/null; do s=\$(sha256sum </tmp/x); echo flushed f\$i \${s%% *}; i=\$((i + 1)); done"
}
flushed() { tr -d '\r' <out | sed -n 's/^flushed \(f[0-9]*\) \([0-9a-f]\{64\}\)$/\2  \1/p'; }

rounds="1 7 40"
[ "$SANITIZED" = no ] || rounds=7
for format in $formats; do
    rm -f disk sums
    truncate -s 64M disk && mke2fs -q -t ext4 disk
    [ $format = raw ] || { qemu-img convert -f raw -O $format disk new && mv new disk; }
    round=0
    for lines in $rounds; do
        round=$((round + 1))
        boot --disk "disk,format=$format"
        write_files "${round}000"
        seen "^flushed" $lines
        # every other time, the server gets no time to say goodbye either
        if [ $((round % 2)) = 1 ]; then
            kill -9 "$emulator" $(servers)
        else
            kill -9 "$emulator"
        fi
        over
        flushed >>sums
        [ $status = 137 ] && [ "$(flushed | wc -l)" -ge $lines ] && plain $format && kept
        result $? "$format: killed after $lines files and more, all that was flushed is there"
    done
    boot --disk "disk,format=$format"
    send "mount -t ext4 /dev/vda /mnt; cat /mnt/f* >/mnt/all; echo more >/mnt/more; umount /mnt; poweroff -f"
    over
    [ $status = 0 ] && [ ! -s err ] && plain $format && kept &&
        e2fsck -f -n plain >"$work/why" 2>&1 && [ "$(cat tree/more)" = more ]
    result $? "$format: clean after an orderly end"
done

# ---- a host that fails ----

# told NAME TEXT: the guest was told by an error, the person once by TEXT
told() {
    why
    tr -d '\r' <out | grep -q "^$1: failed" && [ "$(grep -cF -- "$2" err)" = 1 ]
    result $? "$1: an I/O error, and one line: $2"
}

# A file system without room, a file that may not grow, one that is cut, a server that dies.
why_not=
mount -t tmpfs -o size=4m none small 2>/dev/null || why_not="mounting a small file system needs root"
truncate -s 64M small/disk cut
truncate -s 512M limited
set -- --disk small/disk --disk limited --disk cut
[ "$formats" = raw ] || {
    qemu-img create -q -f qcow2 image 64M
    qemu-img create -q -f qcow2 small/image 64M
    set -- "$@" --disk image,format=qcow2 --disk small/image,format=qcow2
}
cat >commands <<'EOF'
t() { n=$1; shift; dd bs=64k "$@" 2>/dev/null && echo $n: worked || echo $n: failed; }
w() { n=$1 to=$2; shift 2; t $n count=128 if=/dev/urandom conv=fsync of=/dev/$to "$@"; }
w small vda; w small vda; w small-image vde; w limited vdb seek=4032
echo 3 >/proc/sys/vm/drop_caches
t small-read count=16 if=/dev/vda of=/dev/null; t cut count=128 if=/dev/vdc of=/dev/null
EOF
prlimit --pid $$ --fsize=268435456 # RAM counts as a file, too
boot --memory 128M "$@"
truncate -s 1M cut
send "$(cat commands)"
seen "^cut: "
[ "$formats" = raw ] || kill -9 "$(servers | cut -d" " -f1)"
send "w server vdd; w server vdd; echo 1 >/tmp/x && poweroff -f"
over
[ $status = 0 ]
result $? "a guest whose disks fail goes on to its end"
[ "$(wc -l <err)" -le 12 ]
result $? "it takes few lines"
if [ -z "$why_not" ]; then
    told small "small/disk: cannot write: No space left on device"
else
    skip "a full file system" "$why_not"
fi
said "what can still be read is" "small-read: worked"
told limited "limited: cannot write: File too large"
told cut "cut: has become shorter"
if [ "$formats" != raw ]; then
    told server "image: its server is lost"
    if [ -z "$why_not" ]; then
        told small-image "small/image: cannot write: No space left on device"
        qemu-img check -q -f qcow2 small/image >"$work/why" 2>&1 || [ $? = 3 ]
        result $? "small-image: it is damaged no further"
    else
        skip "a full file system under qcow2" "$why_not"
    fi
fi
plan
