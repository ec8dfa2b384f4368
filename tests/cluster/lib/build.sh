# shellcheck shell=bash
# Installs what a cluster needs: Debian packages and Kubernetes binaries.

readonly CONTROL_PLANE_BINARIES=(kube-apiserver kube-controller-manager kube-scheduler kubectl)
readonly NODE_BINARIES=(kubelet pause)

# The key of the binaries: the version, and a hash of everything that determines their contents.
binaries_key() {
    local version hash
    version=$(awk '$1 == "k8s.io/kubernetes" { print $2; exit }' "$HERE/go.mod")
    hash=$(cat "$HERE"/go.mod "$HERE"/go.sum "$HERE"/cmd/*/main.go | sha256sum)
    printf '%s-%s' "$version" "${hash:0:12}"
}

cmd_build() {
    local with_node=no
    while (($#)); do
        case $1 in
            --node) with_node=yes ;;
            *) die "build: unknown argument '$1'; see 'cluster --help'" ;;
        esac
        shift
    done
    if existing_cluster; then
        say "TEST_CLUSTER=existing: nothing to build"
        return
    fi
    prepare "$with_node"
    say "binaries are in $BIN"
}

# prepare WITH_NODE: installs the missing packages and builds the missing binaries.
prepare() {
    local wanted=("${CONTROL_PLANE_BINARIES[@]}")
    [[ $1 == no ]] || wanted+=("${NODE_BINARIES[@]}")
    install_packages "$1"
    [[ -z $(missing_binaries "${wanted[@]}") ]] || build_binaries "${wanted[@]}"
}

missing_binaries() {
    local name
    for name in "$@"; do
        [[ -x $BIN/$name ]] || printf '%s\n' "$name"
    done
}

build_binaries() (
    command -v go >/dev/null || die "Go is missing: install Go $(awk '$1 == "go" { print $2 }' "$HERE/go.mod") or newer"

    # This function is a subshell, so that its lock ends with it while 'up' keeps its own.
    mkdir -p "$CACHE/locks" "$BIN"
    exec 8>"$CACHE/locks/build"
    flock -w 3600 8 || die "another build has held $CACHE/locks/build for an hour; end it and try again"

    local missing version minor
    mapfile -t missing < <(missing_binaries "$@")
    ((${#missing[@]})) || exit 0

    version=$(awk '$1 == "k8s.io/kubernetes" { print $2; exit }' "$HERE/go.mod")
    minor=${version#v1.}
    minor=${minor%%.*}
    # Clients refuse a server whose version they cannot parse; an unstamped build has the version v0.0.0.
    local stamp="-s -w" package
    for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
        stamp+=" -X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=$minor"
        stamp+=" -X $package.gitTreeState=clean"
    done

    say "building Kubernetes $version (${missing[*]}); about five minutes on two idle cores when nothing is cached"
    local fresh
    fresh=$(mktemp -d "$BIN/.fresh.XXXXXX")
    # shellcheck disable=SC2064  # the directory of now is meant
    trap "rm -rf '$fresh'" EXIT
    (
        cd "$HERE" &&
            CGO_ENABLED=0 GOCACHE=$CACHE/go-build GOMODCACHE=$CACHE/go-mod GOWORK=off \
                go build -mod=readonly -modcacherw -trimpath -buildvcs=false -ldflags "$stamp" -o "$fresh/" \
                "${missing[@]/#/./cmd/}" 2> >(sed '/^go: downloading /d' >&2)
    ) || die "go build failed; if a module could not be downloaded, check GOPROXY ('go env GOPROXY') and try again"
    # Renamed into place, so that an interrupted build leaves no half-written program behind.
    mv "$fresh"/* "$BIN/"
)

# Prints the package of each missing program. It checks programs, not packages, so that containerd or
# etcd may come from elsewhere.
missing_packages() {
    command -v etcd >/dev/null || echo etcd-server
    command -v openssl >/dev/null || echo openssl
    [[ $1 == yes ]] || return 0
    command -v containerd >/dev/null || echo containerd
    command -v runc >/dev/null || echo runc
    command -v ip >/dev/null || echo iproute2
    command -v iptables >/dev/null || echo iptables
    command -v curl >/dev/null || echo curl
    [[ -n $(cni_plugins) ]] || echo containernetworking-plugins
    [[ -n $(static_busybox) ]] || echo busybox-static
}

cni_plugins() {
    local dir
    for dir in /usr/lib/cni /opt/cni/bin; do
        if [[ -x $dir/bridge && -x $dir/host-local && -x $dir/loopback ]]; then
            printf '%s' "$dir"
            return
        fi
    done
}

# A static program has no loader, so it runs in an image without a C library.
static_busybox() {
    local busybox
    busybox=$(command -v busybox) || return 0
    if ! grep -q -a -F "/ld-linux" "$busybox"; then
        printf '%s' "$busybox"
    fi
}

install_packages() {
    local packages
    mapfile -t packages < <(missing_packages "$1")
    ((${#packages[@]})) || return 0
    command -v apt-get >/dev/null ||
        die "missing: ${packages[*]} (Debian's names); this machine has no apt-get: install them by hand"
    [[ $EUID -eq 0 ]] ||
        die "missing packages: ${packages[*]}; run 'sudo apt-get install ${packages[*]}' or this command as root"
    say "installing ${packages[*]}"
    without_services apt_install "${packages[@]}"
    hash -r
    mapfile -t packages < <(missing_packages "$1")
    ((${#packages[@]} == 0)) || die "${packages[*]} installed, but their programs are not on the PATH ($PATH)"
}

apt_install() {
    local log
    log=$(mktemp)
    if ! {
        DEBIAN_FRONTEND=noninteractive apt-get -q update &&
            DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "$@"
    } </dev/null >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        die "apt-get could not install $*; fix the package sources and try again"
    fi
    rm -f "$log"
}

# Prevents Debian from starting the installed daemons; the tests start their own.
without_services() (
    local policy=/usr/sbin/policy-rc.d
    if [[ ! -e $policy ]]; then
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
    "$@"
)
