# lib.sh - for all scripts of tests: TAP, and programs that must end, whatever becomes of the script.
# A script calls these, and ends with `plan`.

: "${GLOVEBOX:=./glovebox}" "${SANITIZED:=no}"
case $GLOVEBOX in */*) ;; *) GLOVEBOX=./$GLOVEBOX ;; esac
unset POSIXLY_CORRECT
export LC_ALL=C
work=$(mktemp -d) || exit 1
trap leave EXIT
trap 'exit 1' HUP INT PIPE TERM
number=0
patience=1 # how many times longer than elsewhere something may take here
[ "$SANITIZED" = no ] || patience=5
: "${SECONDS_MAX:=$((60 * patience))}"
begun=     # processes in the background

# leave: nothing is left of the script: no process, no file
leave() {
    for pid in $begun; do
        stop "$pid"
    done
    rm -rf "$work"
}

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

# skip NAME REASON: a test that cannot be made on this host
skip() {
    number=$((number + 1))
    echo "ok $number - $1 # SKIP $2"
}

# missing NAME WHAT: a test that needs what scripts/setup or scripts/fetch-guests brings, and which is
# not there.  With NOTHING_MISSING=yes (scripts/check) those have been run, and it is a failure.
missing() {
    if [ "${NOTHING_MISSING-}" = yes ]; then
        echo "missing: $2" >"$work/why"
        result 1 "$1"
    else
        skip "$1" "$2"
    fi
}

# no_tests REASON, none_missing WHAT: skip and missing for all tests of a script, which ends
no_tests() {
    echo "1..0 # SKIP $1"
    exit 0
}

none_missing() {
    [ "${NOTHING_MISSING-}" = yes ] || no_tests "$1"
    echo "not ok 1 - missing: $1"
    echo "1..1"
    exit 1
}

# need COMMAND PACKAGE: of Debian, without which there are no tests
need() { command -v "$1" >/dev/null || none_missing "no $1 (Debian package $2)"; }

plan() { echo "1..$number"; }

# await SECONDS CONDITION...: until the command says so; its status.  A slow build has more time
await() {
    late=$(($(date +%s) + $1 * patience))
    shift
    until "$@"; do
        [ "$(date +%s)" -le $late ] || return 1
        sleep 0.01
    done
}

# begin COMMAND...: in the background, with this one's input; $pid.  It ends with the script, and after
# $BEGUN_MAX seconds if nobody is left to see to that.
begin() {
    timeout --foreground -k 5 "${BEGUN_MAX:-900}" "$@" <&9 9<&- &
    pid=$!
    begun="$begun $pid"
    await 30 started "$pid" # before that, timeout could leave it behind
} 9<&0

started() { [ "$(cat "/proc/$1/task/$1/children" 2>/dev/null)" ] || gone "$1"; }

# gone PID: it has ended
gone() { ! kill -0 "$1" 2>/dev/null; }

# stop PID [SIGNAL]: of what has begun, by SIGTERM if no other is said; $status
stop() {
    kill "-${2:-TERM}" "$1" 2>/dev/null
    join "$1"
}

# join PID: waits for its own end; $status
join() {
    wait "$1" 2>/dev/null
    status=$?
    left=
    for p in $begun; do [ "$p" = "$1" ] || left="$left $p"; done
    begun=$left
}

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
    TERM=xterm timeout -k 5 $((120 * patience)) "$top_builddir/tests/real/ptyrun" "$work/steps" \
        "$GLOVEBOX" "$@" >"$work/why" 2>&1
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
