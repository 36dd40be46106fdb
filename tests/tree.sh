#!/bin/sh
# tree.sh: rules about the sources as a whole.  Prints TAP.

. "$top_srcdir/tests/cli/lib.sh"

# refuses_include TEXT FILE INCLUDE: a tree with this one line is refused with this text
refuses_include() {
    mkdir -p "$work/tree/src/$(dirname "$2")"
    echo "#include $3" >"$work/tree/src/$2"
    if "$top_srcdir/scripts/include-check" "$work/tree" >"$work/why" 2>&1; then
        echo "accepted" >>"$work/why"
        result 1 "include-check refuses $3 in $2"
    else
        grep -q "src/$2:1: .*$1" "$work/why"
        result $? "include-check refuses $3 in $2"
    fi
    rm -rf "$work/tree"
}

accepts() {
    mkdir -p "$work/tree/src/$(dirname "$1")"
    echo "#include $2" >"$work/tree/src/$1"
    "$top_srcdir/scripts/include-check" "$work/tree" >"$work/why" 2>&1
    result $? "include-check accepts $2 in $1"
    rm -rf "$work/tree"
}

refuses_include 'may not include control' dev/x.c '"control/cmd.h"'
refuses_include 'may not include clock' mem/x.c '"clock/clock.h"'
refuses_include 'may not include guest/aarch64' guest/riscv64/x.c '"guest/aarch64/a.h"'
refuses_include 'may not include jit' guest/riscv64/x.h '"jit/jit.h"'
refuses_include 'may not include board' accel/x.c '"board/board.h"'
refuses_include 'not a path from the top' mem/x.c '"mem_impl.h"'
refuses_include 'not a path from the top' mem/x.c '"../base/err.h"'
refuses_include 'no level' attic/x.c '"base/err.h"'
refuses_include 'for script alone' debug/x.c '<lua.h>'
accepts jit/x86_64/x.c '"jit/target.h"'
accepts jit/x.c '"jit/x86_64/x.h"'
accepts dev/virtio/x.c '"dev/device.h"'
accepts main.c '"script/console.h"'
accepts script/x.c '<lua.h>'

"$top_srcdir/scripts/include-check" >"$work/why" 2>&1
result $? "folders include lower levels only"

# A header needs nothing before it.
: >"$work/why"
headers=$(cd "$top_srcdir/src" && find . -name '*.h' | sed 's/^\.\///' | sort)
[ "$headers" ] || echo "no headers in $top_srcdir/src" >"$work/why"
for h in $headers; do
    echo "#include \"$h\"" | $TEST_CC -fsyntax-only -x c - >>"$work/why" 2>&1 ||
        echo "in src/$h" >>"$work/why"
done
[ ! -s "$work/why" ]
result $? "every header compiles alone"

grep -rnE '^[[:space:]]*typedef[[:space:]]+(struct|union)\b' "$top_srcdir/src" \
    --include='*.[ch]' >"$work/why" 2>&1
[ ! -s "$work/why" ]
result $? "no typedef of a struct"

grep -rnE '\b(TODO|FIXME|XXX|HACK)\b' "$top_srcdir/src" "$top_srcdir/scripts" >"$work/why" 2>&1
[ ! -s "$work/why" ]
result $? "nothing is left to be done"

: >"$work/why"
for s in "$top_srcdir"/scripts/*; do
    case $(head -n 1 "$s") in
    '#!/bin/sh') sh -n "$s" >>"$work/why" 2>&1 ;;
    '#!'*) ;;
    *) continue ;;
    esac
    [ -x "$s" ] || echo "$s: not executable" >>"$work/why"
done
[ ! -s "$work/why" ]
result $? "scripts parse and can be run"

"$top_srcdir/scripts/include-check" "$work" >"$work/why" 2>&1
[ $? = 1 ]
result $? "include-check refuses a tree without sources"
plan
