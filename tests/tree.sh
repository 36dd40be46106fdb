#!/bin/sh
# tree.sh: rules about the sources as a whole.  Prints TAP.

set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0

# result STATUS NAME: one line of TAP; what $work/out holds explains a failure
result() {
    count=$((count + 1))
    if [ "$1" = 0 ]; then
        echo "ok $count - $2"
    else
        echo "not ok $count - $2"
        sed 's/^/# /' "$work/out"
    fi
}

# refuses TEXT FILE INCLUDE: a tree with this one line is refused with this text
refuses() {
    mkdir -p "$work/tree/src/$(dirname "$2")"
    echo "#include $3" >"$work/tree/src/$2"
    if "$top_srcdir/scripts/include-check" "$work/tree" >"$work/out" 2>&1; then
        echo "# accepted" >>"$work/out"
        result 1 "include-check refuses $3 in $2"
    else
        grep -q "src/$2:1: .*$1" "$work/out"
        result $? "include-check refuses $3 in $2"
    fi
    rm -rf "$work/tree"
}

accepts() {
    mkdir -p "$work/tree/src/$(dirname "$1")"
    echo "#include $2" >"$work/tree/src/$1"
    "$top_srcdir/scripts/include-check" "$work/tree" >"$work/out" 2>&1
    result $? "include-check accepts $2 in $1"
    rm -rf "$work/tree"
}

refuses 'may not include control' dev/x.c '"control/cmd.h"'
refuses 'may not include clock' mem/x.c '"clock/clock.h"'
refuses 'may not include guest/aarch64' guest/riscv64/x.c '"guest/aarch64/a.h"'
refuses 'may not include jit' guest/riscv64/x.h '"jit/jit.h"'
refuses 'may not include board' accel/x.c '"board/board.h"'
refuses 'not a path from the top' mem/x.c '"mem_impl.h"'
refuses 'not a path from the top' mem/x.c '"../base/err.h"'
refuses 'no level' attic/x.c '"base/err.h"'
refuses 'for script alone' debug/x.c '<lua.h>'
accepts jit/x86_64/x.c '"jit/target.h"'
accepts jit/x.c '"jit/x86_64/x.h"'
accepts dev/virtio/x.c '"dev/device.h"'
accepts main.c '"script/console.h"'
accepts script/x.c '<lua.h>'

"$top_srcdir/scripts/include-check" >"$work/out" 2>&1
result $? "folders include lower levels only"

# A header needs nothing before it.
: >"$work/out"
for h in $(cd "$top_srcdir/src" && find . -name '*.h' | sed 's/^\.\///' | sort); do
    echo "#include \"$h\"" | $TEST_CC -fsyntax-only -x c - >>"$work/out" 2>&1 ||
        echo "in src/$h" >>"$work/out"
done
[ ! -s "$work/out" ]
result $? "every header compiles alone"

grep -rnE '^[[:space:]]*typedef[[:space:]]+(struct|union)\b' "$top_srcdir/src" \
    --include='*.[ch]' >"$work/out"
[ ! -s "$work/out" ]
result $? "no typedef of a struct"

grep -rnE '\b(TODO|FIXME|XXX|HACK)\b' "$top_srcdir/src" "$top_srcdir/scripts" >"$work/out"
[ ! -s "$work/out" ]
result $? "nothing is left to be done"

: >"$work/out"
for s in "$top_srcdir"/scripts/*; do
    case $(head -n 1 "$s") in
    '#!/bin/sh') sh -n "$s" >>"$work/out" 2>&1 ;;
    '#!'*) ;;
    *) continue ;;
    esac
    [ -x "$s" ] || echo "$s: not executable" >>"$work/out"
done
[ ! -s "$work/out" ]
result $? "scripts parse and can be run"

echo "1..$count"
