# shellcheck shell=bash
# Messages, waiting and locks. Sourced by ../cluster.

say() {
    printf 'cluster: %s\n' "$*"
}

die() {
    printf 'cluster: error: %s\n' "$*" >&2
    exit 1
}

need_root() {
    [[ $EUID -eq 0 ]] || die "$1 needs root: run it as root or with sudo"
}

# within SECONDS COMMAND...: repeats COMMAND until it succeeds; fails when SECONDS have passed.
within() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || return 1
        sleep 0.2
    done
}

# only_one_at_a_time NAME SECONDS: holds the lock NAME until this program ends. The locks are in the
# cache, because the run directory is removed.
only_one_at_a_time() {
    mkdir -p "$CACHE/locks"
    exec 9>"$CACHE/locks/$1"
    flock -w "$2" 9 ||
        die "another 'cluster' command has held $CACHE/locks/$1 for $2 s; wait for it or end it (fuser -v shows its pid)"
}
