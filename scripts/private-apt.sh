# private-apt.sh - for scripts that fetch packages of Debian: an apt of their own.
#
# A script has `die` and sets $suite, calls find_mirror, then private_apt; from then on
# `apt get ...` and `apt cache ...` work.  $mirror and $keyring are its to use.  What cannot be had ends
# the script by `die`.

# mirrors FILTER...: the mirrors of the machine's apt that bring "main"; one of
# another distribution, or of Debian's security fixes, is of no use
mirrors() {
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' "$@" |
        grep debian | grep -v security
}

find_mirror() {
    # Before the first apt-get update, apt knows the addresses but not who is there
    mirror=${MIRROR:-$( (mirrors 'Origin: Debian'; mirrors) | head -n 1)}
    [ "$mirror" ] || die "apt has no Debian mirror: give one as MIRROR=URL"
    keyring=${KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}
    [ -r "$keyring" ] || die "$keyring: missing (package debian-archive-keyring)"
}

# private_apt DIR ARCHITECTURE...: its own sources, state and cache, in DIR, which is the caller's to
# remove; the system's own are not read (apart from apt.conf.d, where a proxy may be set) and never
# written.  The first architecture is the one that a package is for if no other is said.  With
# kind=deb-src before it, source packages.
private_apt() {
    apt_dir=$1
    shift
    case "$apt_dir$keyring$mirror" in
    *[\"\;\]\ ]*) die "no spaces, quotes, brackets or semicolons in $apt_dir, $keyring and $mirror, please" ;;
    esac
    mkdir -p "$apt_dir/state/lists/partial" "$apt_dir/cache/archives/partial" ||
        die "$apt_dir: cannot be made"
    : >"$apt_dir/status"
    echo "${kind:-deb} [signed-by=$keyring] $mirror $suite main" >"$apt_dir/sources.list"
    cat >"$apt_dir/apt.conf" <<END
Dir::Etc::sourcelist "$apt_dir/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "$apt_dir/state";
Dir::State::status "$apt_dir/status";
Dir::Cache "$apt_dir/cache";
APT::Architecture "$1";
APT::Architectures "$(echo "$@" | tr ' ' ',')";
APT::Sandbox::User "root";
APT::Get::AllowUnauthenticated "false";
Acquire::AllowInsecureRepositories "false";
Acquire::Languages "none";
END
    apt get update --error-on=any >&2 || die "apt cannot read the package lists of $mirror, $suite"
}

apt() { cmd=$1; shift; "apt-$cmd" -q -c "$apt_dir/apt.conf" "$@"; }
