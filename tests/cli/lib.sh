# lib.sh - for the scripts of tests/cli and tests/real: TAP, and programs that must
# end.  A script sets `count` to nothing, calls these, and ends with `plan`.

: "${GLOVEBOX:=./glovebox}" "${SANITIZED:=no}" "${SECONDS_MAX:=60}"
case $GLOVEBOX in */*) ;; *) GLOVEBOX=./$GLOVEBOX ;; esac
unset POSIXLY_CORRECT
export LC_ALL=C
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
number=0

# result STATUS NAME: a test's line; what $work/why holds explains a failure
result() {
    number=$((number + 1))
    if [ "$1" = 0 ]; then
        echo "ok $number - $2"
    else
        echo "not ok $number - $2"
        sed 's/^/# /' "$work/why" 2>/dev/null
    fi
    : >"$work/why"
}

skip() {
    number=$((number + 1))
    echo "ok $number - $1 # SKIP $2"
}

plan() { echo "1..$number"; }

# gb ARGUMENT...: runs the program, without input; $status, $work/out, $work/err
gb() {
    timeout -k 5 "$SECONDS_MAX" "$GLOVEBOX" "$@" >"$work/out" 2>"$work/err" </dev/null
    status=$?
}

why() {
    {
        echo "status $status"
        head -n 20 "$work/out"
        echo "errors:"
        tail -n 20 "$work/err"
    } >"$work/why"
}

# refuses TEXT ARGUMENT...: one line on standard error that holds TEXT, status 2
refuses() {
    text=$1
    shift
    gb "$@"
    why
    [ $status = 2 ] && [ ! -s "$work/out" ] && [ "$(wc -l <"$work/err")" = 1 ] &&
        grep -qF -- "$text" "$work/err"
    result $? "refused: $* ($text)"
}

# ends STATUS NAME ARGUMENT...
ends() {
    want=$1 name=$2
    shift 2
    gb "$@"
    why
    [ $status = "$want" ]
    result $? "$name"
}

# said NAME TEXT: the last program's output or errors hold a line with TEXT
said() {
    why
    cat "$work/out" "$work/err" | grep -qF -- "$2"
    result $? "$1"
}

# play NAME ARGUMENT...: the program on a terminal, with ptyrun's steps from standard input
play() {
    name=$1
    shift
    cat >"$work/steps"
    TERM=xterm timeout -k 5 120 "$top_builddir/tests/real/ptyrun" "$work/steps" "$GLOVEBOX" "$@" \
        >"$work/why" 2>&1
    result $? "$name"
}

# word HEX...: 32-bit words, little-endian
words() {
    for w; do
        rest=${w#??????}
        b3=${w%??????} b2=${w#??} b1=${w#????} b0=$rest
        b2=${b2%????} b1=${b1%??}
        for b in "$b0" "$b1" "$b2" "$b3"; do
            printf "\\$(printf %03o "0x$b")"
        done
    done
}
