# shellcheck shell=bash
# etcd, kube-apiserver, kube-controller-manager and kube-scheduler on loopback.

readonly RESTRICTED_USERS=(plain nolog noscale bench)
readonly CONTROL_PLANE=(etcd kube-apiserver kube-controller-manager kube-scheduler)

run_dir_lock() {
    local hash
    hash=$(printf '%s' "$RUN" | sha256sum)
    only_one_at_a_time "cluster-${hash:0:12}" 900
}

cmd_up() {
    local with_node=no backoff=quick
    while (($#)); do
        case $1 in
            --node) with_node=yes ;;
            --slow-backoff) backoff=default ;;
            *) die "up: unknown argument '$1'; see 'cluster --help'" ;;
        esac
        shift
    done
    if existing_cluster; then
        check_existing_cluster
        return
    fi
    [[ $with_node == yes || $backoff == quick ]] || die "up: --slow-backoff needs --node"
    [[ $with_node == no ]] || need_root "a node (containerd, kubelet)"
    run_dir_lock
    prepare "$with_node"
    forget_a_dead_cluster
    make_run_dir
    up_control_plane
    [[ $with_node == no ]] || up_node "$backoff"
    say "kubeconfig: $RUN/kubeconfig"
    say "to use it:  eval \"\$($HERE/cluster env)\""
}

cmd_down() {
    (($# == 0)) || die "down takes no arguments"
    if existing_cluster; then
        check_existing_cluster
        say "the cluster is left unchanged"
        return
    fi
    run_dir_lock
    if [[ ! -d $RUN ]]; then
        say "nothing to stop: $RUN does not exist"
        return
    fi
    take_down
    say "stopped, and $RUN removed"
}

# Checks that 'up' has created the run directory, because it is removed with all its contents.
take_down() {
    local name
    [[ -e $RUN/.big-red-button ]] || die "$RUN is not a run directory of 'cluster up'; nothing was removed"
    down_node
    # All are stopped at once, because none has anything to save: the API server would wait for its
    # clients, and they for the API server.
    for name in "${CONTROL_PLANE[@]}"; do
        signal "$name" CONT || true
        signal "$name" TERM || true
    done
    for name in "${CONTROL_PLANE[@]}"; do
        stop "$name"
    done
    rm -rf "$RUN"
}

# After a crash or a reboot only files are left: removes them. If a component is alive, keeps them, and
# 'up' starts only the missing components.
forget_a_dead_cluster() {
    local name
    [[ -e $RUN/.big-red-button ]] || return 0
    for name in $(recorded); do
        ! alive "$name" || return 0
    done
    say "removing the files of a dead cluster from $RUN"
    take_down
}

make_run_dir() {
    # containerd's sockets are deeper inside, and Linux limits the path of a socket to 107 characters.
    ((${#RUN} <= 60)) || die "the run directory $RUN is longer than 60 characters; set BRB_CLUSTER_DIR to a shorter one"
    [[ $RUN =~ ^[A-Za-z0-9._/+-]+$ ]] || die "the run directory '$RUN' may hold letters, digits and ._/+- only; set BRB_CLUSTER_DIR"
    if [[ -d $RUN && ! -e $RUN/.big-red-button && -n $(ls -A "$RUN") ]]; then
        die "$RUN exists and is not a run directory of 'cluster up'; set BRB_CLUSTER_DIR to another one"
    fi
    mkdir -p "$RUN"
    chmod 700 "$RUN"
    mkdir -p "$RUN/pid" "$RUN/log" "$RUN/port"
    touch "$RUN/.big-red-button"
}

up_control_plane() {
    local began=$SECONDS all_up=yes name
    for name in "${CONTROL_PLANE[@]}"; do
        alive "$name" || all_up=no
    done
    if [[ $all_up == yes ]] && api_answers && healthy kube-controller-manager && healthy kube-scheduler; then
        say "the control plane is up already"
        return
    fi
    make_credentials
    start_etcd
    start_apiserver
    start_controller_manager
    start_scheduler
    comes_up kube-controller-manager healthy kube-controller-manager
    comes_up kube-scheduler healthy kube-scheduler
    # Pods are refused until their service account exists, so a cluster without it is not ready.
    comes_up kube-controller-manager default_service_account
    say "the control plane is up after $((SECONDS - began)) s: $(admin version -o json | sed -n 's/.*"gitVersion": "\(.*\)".*/\1/p' | tail -n 1)"
}

default_service_account() {
    admin get serviceaccount default -n default -o name >/dev/null
}

# admin ARGS...: kubectl as administrator, with a short timeout and without a cache in the home directory.
# It prints no errors; admin_says does.
admin() {
    admin_says "$@" 2>/dev/null
}

admin_says() {
    KUBERC=off "$BIN/kubectl" --kubeconfig="$RUN/kubeconfig" --cache-dir="$RUN/kubectl-cache" --context=admin \
        --request-timeout=10s "$@" </dev/null
}

api_answers() {
    [[ -s $RUN/kubeconfig ]] && admin get --raw /readyz >/dev/null
}

# healthy NAME: whether /healthz of the controller manager or the scheduler responds. They have a
# self-signed certificate and ignore the name and password, without which kubectl would prompt.
healthy() {
    KUBERC=off "$BIN/kubectl" --kubeconfig=/dev/null --server="https://127.0.0.1:$(port "$1")" --insecure-skip-tls-verify \
        --username=anyone --password=any --request-timeout=2s get --raw /healthz </dev/null >/dev/null 2>&1
}

random_token() {
    head -c 20 /dev/urandom | od -An -tx1 | tr -d ' \n'
}

make_credentials() (
    umask 077
    mkdir -p "$RUN/pki"
    [[ -s $RUN/pki/service-account.key ]] ||
        openssl genrsa -out "$RUN/pki/service-account.key" 2048 2>/dev/null ||
        die "openssl could not make a key"
    if [[ ! -s $RUN/pki/tokens.csv ]]; then
        local user
        {
            printf '%s,admin,admin,"system:masters"\n' "$(random_token)"
            for user in "${RESTRICTED_USERS[@]}"; do
                printf '%s,%s,%s\n' "$(random_token)" "$user" "$user"
            done
        } >"$RUN/pki/tokens.csv"
    fi
)

# The API server writes its certificate at its first start; clients trust exactly that certificate.
write_kubeconfig() (
    umask 077
    local token user rest
    {
        cat <<CONFIG
apiVersion: v1
kind: Config
current-context: admin
clusters:
- name: big-red-button
  cluster:
    server: https://127.0.0.1:$(port kube-apiserver)
    certificate-authority-data: $(base64 -w 0 <"$RUN/pki/apiserver.crt")
users:
CONFIG
        while IFS=, read -r token user rest; do
            printf -- '- name: %s\n  user: {token: %s}\n' "$user" "$token"
        done <"$RUN/pki/tokens.csv"
        echo 'contexts:'
        while IFS=, read -r token user rest; do
            printf -- '- name: %s\n  context: {cluster: big-red-button, user: %s}\n' "$user" "$user"
        done <"$RUN/pki/tokens.csv"
    } >"$RUN/kubeconfig.new"
    mv "$RUN/kubeconfig.new" "$RUN/kubeconfig"
)

start_etcd() {
    local url peer
    url=http://127.0.0.1:$(port etcd)
    peer=http://127.0.0.1:$(port etcd-peer)
    alive etcd || launch etcd etcd --name=test --data-dir="$RUN/etcd" --logger=zap --log-level=warn \
        --listen-client-urls="$url" --advertise-client-urls="$url" \
        --listen-peer-urls="$peer" --initial-advertise-peer-urls="$peer" --initial-cluster="test=$peer" \
        --snapshot-count=50000 --auto-compaction-retention=0
    comes_up etcd port_is_taken "$(port etcd)"
}

port_is_taken() {
    ! port_is_free "$1"
}

start_apiserver() {
    signal kube-apiserver CONT || true
    # - feature-gates: only an HPA with minReplicas 0 scales a workload up from zero.
    # - endpoint-reconciler-type=none: the 'kubernetes' Service needs an address that is not loopback, and
    #   the reconciler delays every stop.
    # - max-*-inflight: a load test measures the watcher, not the fairness limits of the server.
    # - shutdown-watch-termination-grace-period: without it a stop waits a minute for watches to end.
    # - no kubelet-certificate-authority: the kubelet's self-signed certificate is accepted on loopback.
    alive kube-apiserver || launch kube-apiserver "$BIN/kube-apiserver" \
        --etcd-servers="http://127.0.0.1:$(port etcd)" \
        --bind-address=127.0.0.1 --advertise-address=127.0.0.1 --secure-port="$(port kube-apiserver)" \
        --cert-dir="$RUN/pki" --token-auth-file="$RUN/pki/tokens.csv" --authorization-mode=RBAC \
        --service-account-key-file="$RUN/pki/service-account.key" \
        --service-account-signing-key-file="$RUN/pki/service-account.key" \
        --service-account-issuer=https://kubernetes.default.svc \
        --service-cluster-ip-range=10.96.0.0/16 --allow-privileged=true \
        --endpoint-reconciler-type=none --profiling=false --shutdown-watch-termination-grace-period=2s \
        --max-requests-inflight=2000 --max-mutating-requests-inflight=1000 --feature-gates=HPAScaleToZero=true
    comes_up kube-apiserver test -s "$RUN/pki/apiserver.crt"
    write_kubeconfig
    comes_up kube-apiserver api_answers
}

start_controller_manager() {
    alive kube-controller-manager || launch kube-controller-manager "$BIN/kube-controller-manager" \
        --kubeconfig="$RUN/kubeconfig" --leader-elect=false \
        --bind-address=127.0.0.1 --secure-port="$(port kube-controller-manager)" \
        --service-account-private-key-file="$RUN/pki/service-account.key" --root-ca-file="$RUN/pki/apiserver.crt" \
        --use-service-account-credentials=true --controllers='*,-nodeipam' \
        --kube-api-qps=300 --kube-api-burst=600 --concurrent-deployment-syncs=20 --concurrent-replicaset-syncs=20 \
        --flex-volume-plugin-dir="$RUN/volume-plugins" --horizontal-pod-autoscaler-sync-period=5s --profiling=false
}

start_scheduler() {
    alive kube-scheduler || launch kube-scheduler "$BIN/kube-scheduler" \
        --kubeconfig="$RUN/kubeconfig" --leader-elect=false \
        --bind-address=127.0.0.1 --secure-port="$(port kube-scheduler)" \
        --kube-api-qps=300 --kube-api-burst=600 --profiling=false
}

cmd_apiserver() {
    only_on_own_cluster "cluster apiserver ${1:-}"
    (($# == 1)) || die "apiserver takes one of: stop, kill, start, pause, resume"
    [[ -e $RUN/.big-red-button ]] || die "no cluster in $RUN; start one with 'cluster up'"
    run_dir_lock
    case $1 in
        stop) stop kube-apiserver ;;
        kill)
            signal kube-apiserver KILL || die "the API server is not running; start it with 'cluster apiserver start'"
            within 10 gone kube-apiserver || die "the API server survives SIGKILL; see $RUN/log/kube-apiserver.log"
            ;;
        start) start_apiserver ;;
        pause) signal kube-apiserver STOP || die "the API server is not running; start it with 'cluster apiserver start'" ;;
        resume)
            signal kube-apiserver CONT || die "the API server is not running; start it with 'cluster apiserver start'"
            comes_up kube-apiserver api_answers
            ;;
        *) die "apiserver takes one of: stop, kill, start, pause, resume; not '$1'" ;;
    esac
}

cmd_status() {
    (($# == 0)) || die "status takes no arguments"
    if existing_cluster; then
        check_existing_cluster
        return
    fi
    local name pid state all_well=yes
    if [[ ! -e $RUN/.big-red-button ]]; then
        say "no cluster in $RUN"
        exit 1
    fi
    for name in $(recorded); do
        if pid=$(pid_of "$name"); then
            state=$(sed -n 's/^State:\t//p' "/proc/$pid/status" 2>/dev/null || true)
            [[ $state != T* ]] || all_well=no
        else
            pid=- state=dead all_well=no
        fi
        printf '%-26s %-8s %s\n' "$name" "$pid" "$state"
    done
    if api_answers; then
        printf '%-26s %s\n' "API" "ready at https://127.0.0.1:$(port kube-apiserver), kubeconfig $RUN/kubeconfig"
        ! alive kubelet || admin get nodes || true
    else
        printf '%-26s %s\n' "API" "does not answer"
        all_well=no
    fi
    [[ $all_well == yes ]]
}

cmd_env() {
    (($# == 0)) || die "env takes no arguments"
    if existing_cluster; then
        printf 'export KUBECONFIG=%q\n' "${KUBECONFIG:-$HOME/.kube/config}"
        return
    fi
    [[ -s $RUN/kubeconfig ]] || die "no cluster in $RUN; start one with 'cluster up'"
    printf 'export KUBECONFIG=%q BRB_CLUSTER_DIR=%q\n' "$RUN/kubeconfig" "$RUN"
    # Adds to the PATH only once, also when evaluated twice.
    # shellcheck disable=SC2016  # the PATH of whoever evaluates it is meant
    [[ :$PATH: == *":$BIN:"* ]] || printf 'export PATH=%q:$PATH\n' "$BIN"
}
