# shellcheck shell=bash
# One real node: containerd, runc, a bridge network and a kubelet, with all files in the run directory.

# Host settings that the kubelet and the bridge plugin change; 'down' restores them.
readonly KERNEL_SETTINGS=(
    kernel/keys/root_maxbytes kernel/keys/root_maxkeys kernel/panic kernel/panic_on_oops
    net/ipv4/ip_forward vm/overcommit_memory vm/panic_on_oom
)

# Directories outside the run directory that containerd, the plugins and the kubelet always create.
readonly FIXED_PATHS=(/run/containerd/s /var/lib/cni/results /var/lib/kubelet/device-plugins /var/log/containers)

up_node() {
    local began=$SECONDS backoff=$1
    mkdir -p "$RUN/node"
    if alive kubelet && [[ $(cat "$RUN/node/backoff" 2>/dev/null) != "$backoff" ]]; then
        say "restarting the kubelet to change the restart back-off to $backoff"
        stop kubelet
    fi
    if alive containerd && alive kubelet && node_is_ready; then
        say "the node is up already"
        return
    fi
    remember_the_host
    make_network
    start_containerd
    has_image "$PAUSE_IMAGE" || import_pause
    start_kubelet "$backoff"
    say "the node is up after $((SECONDS - began)) s, restart back-off $backoff"
}

# Records what 'down' restores: settings with their values, and directories that do not exist yet.
remember_the_host() {
    local setting path
    [[ ! -e $RUN/node/kernel-settings ]] || return 0
    for path in "${FIXED_PATHS[@]}"; do
        [[ -e $path ]] || echo "$path"
    done >"$RUN/node/new-paths"
    for setting in "${KERNEL_SETTINGS[@]}"; do
        [[ ! -r /proc/sys/$setting ]] || printf '%s %s\n' "$setting" "$(cat "/proc/sys/$setting")"
    done >"$RUN/node/kernel-settings"
}

# The name of the bridge is derived from the run directory, so that two clusters do not share one. There
# is no default route: a pod reaches the pods of this node and the address of the bridge, but no other host.
make_network() {
    local hash third bridge
    mkdir -p "$RUN/node/cni"
    [[ ! -s $RUN/node/bridge ]] || return 0
    hash=$(printf '%s' "$RUN" | sha256sum)
    bridge=brb-${hash:0:8}
    for third in $(shuf -i 0-255); do
        [[ $(ip -4 route show) != *10.244.$third.* ]] || continue
        break
    done
    cat >"$RUN/node/cni/10-bridge.conflist" <<CNI
{
  "cniVersion": "0.4.0",
  "name": "$bridge",
  "plugins": [{
    "type": "bridge",
    "bridge": "$bridge",
    "isGateway": true,
    "ipMasq": false,
    "ipam": {
      "type": "host-local",
      "dataDir": "$RUN/node/ipam",
      "ranges": [[{"subnet": "10.244.$third.0/24"}]]
    }
  }]
}
CNI
    # The bridge's traffic passes the host's FORWARD chain, which Docker sets to drop by default.
    if iptables -w -I FORWARD -i "$bridge" -o "$bridge" -j ACCEPT 2>>"$RUN/log/iptables.log"; then
        touch "$RUN/node/forward-rule"
    else
        say "iptables refused the rules (see $RUN/log/iptables.log): pods reach each other only if nothing drops forwarded traffic"
    fi
    echo "$bridge" >"$RUN/node/bridge"
}

start_containerd() {
    mkdir -p "$RUN/c"
    cat >"$RUN/c/config.toml" <<TOML
version = 2
root = "$RUN/c/root"
state = "$RUN/c/state"
[grpc]
  address = "$RUN/c/ctr.sock"
[ttrpc]
  address = "$RUN/c/ttrpc.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "$RUN/c/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$PAUSE_IMAGE"
  disable_apparmor = true
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$(cni_plugins)"
    conf_dir = "$RUN/node/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        Root = "$RUN/c/runc"
        SystemdCgroup = false
TOML
    alive containerd || launch containerd containerd --config "$RUN/c/config.toml" --log-level warn
    # shellcheck disable=SC2317  # called through 'comes_up'
    containerd_answers() { ctr_here version >/dev/null 2>&1; }
    comes_up containerd containerd_answers
}

start_kubelet() {
    local backoff=$1
    # No DNS: a query is refused at once on loopback instead of reaching a host of the real network.
    printf 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n' >"$RUN/node/resolv.conf"
    {
        cat <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: 127.0.0.1
port: $(port kubelet)
readOnlyPort: 0
healthzPort: $(port kubelet-healthz)
containerRuntimeEndpoint: unix://$RUN/c/ctr.sock
podLogsDir: $RUN/pods
volumePluginDir: $RUN/kubelet/volume-plugins
resolvConf: $RUN/node/resolv.conf
authentication:
  anonymous: {enabled: true}
  webhook: {enabled: false}
authorization: {mode: AlwaysAllow}
# The other settings let a kubelet run on any machine: cgroup v1 or v2, with swap, with a full disk.
failCgroupV1: false
failSwapOn: false
cgroupDriver: cgroupfs
cgroupsPerQOS: false
enforceNodeAllocatable: []
localStorageCapacityIsolation: false
makeIPTablesUtilChains: false
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, nodefs.inodesFree: 1%, imagefs.available: 1%}
YAML
        # The default back-off doubles from 10 s to 5 min: the fourth restart would take minutes.
        [[ $backoff == default ]] || printf 'crashLoopBackOff: {maxContainerRestartPeriod: 2s}\n'
    } >"$RUN/node/kubelet.yaml"
    echo "$backoff" >"$RUN/node/backoff"
    # With a name other than localhost every pods/log fails with 500: the API server cannot resolve the node.
    alive kubelet || launch kubelet "$BIN/kubelet" --config="$RUN/node/kubelet.yaml" --kubeconfig="$RUN/kubeconfig" \
        --root-dir="$RUN/kubelet" --cert-dir="$RUN/kubelet-pki" --hostname-override=localhost
    comes_up kubelet node_is_ready
}

# The Node object outlives its kubelet, so the kubelet itself must respond as well.
node_is_ready() {
    [[ $(admin get node localhost -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}') == True ]] &&
        (exec 7<>"/dev/tcp/127.0.0.1/$(port kubelet)") 2>/dev/null
}

# Works when no part of the node is alive, so that it also cleans up after a crash in the middle of 'up'.
down_node() {
    [[ -d $RUN/node ]] || return 0
    need_root "stopping the node"
    stop kubelet
    stop containerd
    end_containers
    unmount_run_dir
    remove_network
    restore_the_host
}

remove_network() {
    local bridge
    [[ -s $RUN/node/bridge ]] || return 0
    bridge=$(cat "$RUN/node/bridge")
    [[ ! -e $RUN/node/forward-rule ]] || iptables -w -D FORWARD -i "$bridge" -o "$bridge" -j ACCEPT 2>/dev/null || true
    ! ip link show "$bridge" >/dev/null 2>&1 || ip link delete "$bridge"
    rm -f /var/lib/cni/results/"$bridge"-*
}

restore_the_host() {
    local setting value path link
    for link in /var/log/containers/*.log; do
        [[ $(readlink "$link" 2>/dev/null) != "$RUN"/* ]] || rm -f "$link"
    done
    [[ -s $RUN/node/kernel-settings ]] || return 0
    while read -r setting value; do
        [[ $(cat "/proc/sys/$setting") == "$value" ]] || echo "$value" >"/proc/sys/$setting"
    done <"$RUN/node/kernel-settings"
    [[ -s $RUN/node/new-paths ]] || return 0
    # Only directories that did not exist before, and only if they are empty.
    while read -r path; do
        [[ $path != /var/lib/kubelet/* ]] || rm -f "$path/kubelet.sock" "$path/kubelet_internal_checkpoint" "$path/DEPRECATION"
        [[ ! -d $path ]] || rmdir -p --ignore-fail-on-non-empty "$path"
    done <"$RUN/node/new-paths"
}

# The processes of a container have its ID in their cgroup; a shim has our socket among its arguments.
end_containers() {
    local bundle id file pid address
    local -a ids=() shims=() sockets=()
    for bundle in "$RUN"/c/state/io.containerd.runtime.v2.task/k8s.io/*/; do
        [[ -d $bundle ]] || continue
        id=$(basename "$bundle")
        ids+=("$id")
        if [[ -s $bundle/address ]]; then
            address=$(cat "$bundle/address")
            sockets+=("${address#unix://}")
        fi
        while read -r file; do
            kill -KILL "${file//[!0-9]/}" 2>/dev/null || true
        done < <(grep -ls -- "$id" /proc/[0-9]*/cgroup)
    done
    # -z: each argument in /proc/PID/cmdline ends with a zero byte.
    while read -r file; do
        shims+=("${file//[!0-9]/}")
    done < <(grep -lszxF -- "$RUN/c/ctr.sock" /proc/[0-9]*/cmdline | xargs -r grep -lszxF -- -id)
    for pid in "${shims[@]}"; do
        kill -KILL "$pid" 2>/dev/null || true
    done
    ((${#sockets[@]} == 0)) || rm -f "${sockets[@]}"
    for id in "${ids[@]}"; do
        rm -f "/var/lib/cni/results/cni-loopback-$id-lo"
        within 10 remove_cgroups "$id" || say "the cgroup of container $id is still in use"
    done
    find /sys/fs/cgroup -maxdepth 2 -type d -name k8s.io -exec rmdir --ignore-fail-on-non-empty {} + 2>/dev/null || true
}

remove_cgroups() {
    # A cgroup is a directory whose files cannot be removed; rmdir removes it once its processes are gone.
    find /sys/fs/cgroup -depth -type d -name "*$1*" -exec rmdir {} + 2>/dev/null || true
    [[ -z $(find /sys/fs/cgroup -type d -name "*$1*" -print -quit 2>/dev/null) ]]
}

unmount_run_dir() {
    local mount
    awk -v inside="$RUN/" 'index($5, inside) == 1 { print $5 }' /proc/self/mountinfo | sort -r |
        while read -r mount; do
            umount -l "$mount" || die "cannot unmount $mount; 'fuser -vm $mount' shows who uses it"
        done
}
