# shellcheck shell=bash
# Daemons, each identified by its PID and start time. They are ended by that PID only, never by name.

# started_at PID: the kernel tick at which the process started. It distinguishes the process from a
# later one with the same PID. A zombie counts as ended.
started_at() {
    local stat
    local -a field
    # shellcheck disable=SC2162  # one line, and the program's name in it may hold anything
    { read stat <"/proc/$1/stat"; } 2>/dev/null || return 1
    read -ra field <<<"${stat##*) }"
    [[ ${field[0]} != Z ]] || return 1
    printf '%s' "${field[19]}"
}

# pid_of NAME: prints the pid of a daemon that is alive.
pid_of() {
    local pid started
    [[ -s $RUN/pid/$1 ]] || return 1
    read -r pid started <"$RUN/pid/$1" || return 1
    [[ -n $started && $(started_at "$pid") == "$started" ]] || return 1
    printf '%s' "$pid"
}

alive() {
    pid_of "$1" >/dev/null
}

recorded() {
    local file
    for file in "$RUN"/pid/*; do
        [[ ! -e $file ]] || basename "$file"
    done
}

# launch NAME COMMAND...: starts a daemon in a new session, so that Ctrl-C does not reach it. The locks (8
# and 9) are closed, because the daemon would hold them.
launch() {
    local name=$1 pid
    shift
    mkdir -p "$RUN/pid" "$RUN/log"
    setsid -- "$@" </dev/null >>"$RUN/log/$name.log" 2>&1 8>&- 9>&- &
    pid=$!
    printf '%s %s\n' "$pid" "$(started_at "$pid" || echo gone)" >"$RUN/pid/$name"
}

# signal NAME SIGNAL
signal() {
    local pid
    pid=$(pid_of "$1") || return 1
    kill -s "$2" "$pid"
}

gone() {
    ! alive "$1"
}

# stop NAME: sends SIGTERM, waits, then sends SIGKILL. A paused process is resumed first, so that it
# handles SIGTERM.
stop() {
    if alive "$1"; then
        signal "$1" CONT || true
        signal "$1" TERM || true
        if ! within 15 gone "$1"; then
            say "$1 did not end within 15 s; killing it"
            signal "$1" KILL || true
            within 10 gone "$1" || die "$1 (pid $(pid_of "$1")) survives SIGKILL; see $RUN/log/$1.log"
        fi
    fi
    rm -f "$RUN/pid/$1"
}

# comes_up NAME CHECK...: waits until CHECK succeeds; prints the log if the daemon exits or takes too long.
comes_up() {
    local name=$1
    shift
    # shellcheck disable=SC2317  # called through 'within'
    up_or_dead() { "$@" || gone "$name"; }
    if within "$WAIT_TIMEOUT" up_or_dead "$@" && alive "$name"; then
        return
    fi
    printf '%s\n' "--- the end of $RUN/log/$name.log:" >&2
    tail -n 25 "$RUN/log/$name.log" >&2 || true
    if alive "$name"; then
        die "$name was not ready after $WAIT_TIMEOUT s (BRB_CLUSTER_WAIT_TIMEOUT); 'cluster down' cleans up"
    fi
    die "$name ended while it was starting; 'cluster down' cleans up"
}

# port NAME: a free loopback port, chosen at the first call and kept. It is below Linux' ephemeral ports
# (32768 and up) and the node ports (30000 to 32767), so that nothing else takes it.
port() {
    local file=$RUN/port/$1 candidate attempt
    if [[ ! -s $file ]]; then
        mkdir -p "$RUN/port"
        for ((attempt = 0; attempt < 100; attempt++)); do
            candidate=$((20000 + RANDOM % 10000))
            if port_is_free "$candidate" && ! grep -qxr "$candidate" "$RUN/port"; then
                echo "$candidate" >"$file"
                break
            fi
        done
        [[ -s $file ]] || die "no free port between 20000 and 29999 in 100 attempts"
    fi
    cat "$file"
}

port_is_free() {
    local listening
    printf -v listening ':%04X [0-9A-F]+:0000 0A' "$1"
    ! grep -qsE "$listening" /proc/net/tcp /proc/net/tcp6
}
