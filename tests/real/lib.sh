# lib.sh - for the scripts of tests/real: the Debian guest and its boots.
. "$top_srcdir/tests/cli/lib.sh"

guest=${GLOVEBOX_GUESTS:-${HOME:-/nonexistent}/.cache/glovebox/guests}/riscv64
ptyrun=$top_builddir/tests/real/ptyrun
if [ ! -r "$guest/Image" ] || [ ! -r "$guest/initramfs.cpio.gz" ]; then
    none_missing "no Debian kernel in $guest (scripts/fetch-guests brings it)"
fi

# Engines that can be asked for boots here.  A sanitized interpreter takes minutes.
engines=interp
[ "$(uname -m)" != x86_64 ] || engines="interp jit"
[ "$SANITIZED" = no ] || engines=${engines#interp }
SECONDS_MAX=$((180 * patience))
one_engine="only with both engines: there is no JIT for this host, or the sanitized interpreter takes minutes"
case $engines in *jit*) fast=jit ;; *) fast=interp ;; esac

# linux COMMAND OPTION...: with the Debian guest
linux() {
    command=$1
    shift
    gb "$command" "$guest/Image" --initrd "$guest/initramfs.cpio.gz" "$@"
}

# found NAME PATTERN: a line of the last run's output matches
found() {
    why
    [ $status = 0 ] && tr -d '\r' <"$work/out" | grep -qE "$2"
    result $? "$1"
}

# need_full: sets $full to the initial file system with modules, without which there are no tests
need_full() {
    full=$guest/initramfs-full.cpio.gz
    [ -r "$full" ] || none_missing "no $full (scripts/fetch-guests brings it)"
}

# play NAME COMMAND OPTION...: the same on a terminal, with ptyrun's steps from standard input;
# @N stands for N seconds of patience
play() {
    name=$1 command=$2
    shift 2
    sed "s/@\([0-9][0-9]*\)/\1$([ $patience = 1 ] || echo 0)/" >"$work/steps"
    TERM=xterm timeout -k 5 "$SECONDS_MAX" "$ptyrun" "$work/steps" "$GLOVEBOX" "$command" \
        "$guest/Image" --initrd "$guest/initramfs.cpio.gz" "$@" >"$work/why" 2>&1
    result $? "$name"
}
