# shellcheck shell=bash
# Builds images without a registry: packs a directory as a tar file and imports it into containerd.

readonly TOOLBOX_IMAGE=bigredbutton.dev/toolbox:test
readonly PAUSE_IMAGE=bigredbutton.dev/pause:test

cmd_image() {
    only_on_own_cluster "cluster image"
    local usage="image takes NAME DIR [-- COMMAND...], for example: cluster image bigredbutton.dev/app:test ./rootfs -- /app"
    (($# >= 2)) || die "$usage"
    local name=$1 dir=$2
    shift 2
    if (($#)); then
        [[ $1 == -- && $# -ge 2 ]] || die "$usage"
        shift
    fi
    [[ $name == */*:* ]] || die "the image name '$name' needs a host part and a tag, as in bigredbutton.dev/app:test"
    [[ -d $dir ]] || die "$dir is not a directory"
    need_node "cluster image"
    import_image "$name" "$dir" "$@"
}

cmd_images() {
    only_on_own_cluster "cluster images"
    (($# == 0)) || die "images takes no arguments"
    need_node "cluster images"
    import_toolbox
    local name path
    for name in watcher triage; do
        if path=$(project_binary "$name"); then
            import_program "bigredbutton.dev/$name:test" "$path"
        else
            say "no $name in target/release or target/debug, so it gets no image ('cargo build --release' builds both)"
        fi
    done
}

need_node() {
    need_root "$1"
    alive containerd || die "'$1' imports the image into the node, but no node is running; start one with 'cluster up --node'"
}

ctr_here() {
    ctr --address "$RUN/c/ctr.sock" --namespace k8s.io "$@"
}

has_image() {
    [[ -n $(ctr_here images list -q "name==$1") ]]
}

# import_image NAME ROOTFS [COMMAND...]
import_image() {
    local name=$1 rootfs=$2 work diff config architecture command=
    shift 2
    case $(uname -m) in
        x86_64) architecture=amd64 ;;
        aarch64) architecture=arm64 ;;
        *) architecture=$(uname -m) ;;
    esac
    (($# == 0)) || command=$(printf ',"%s"' "${@//\"/\\\"}")
    work=$(mktemp -d "$RUN/image.XXXXXX")
    # Sorted and without dates, so that equal files make an equal image.
    tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$rootfs" -cf "$work/layer.tar" .
    diff=$(sha256sum "$work/layer.tar")
    config=$(
        printf '{"architecture":"%s","os":"linux","config":{"Env":["PATH=/usr/bin:/bin"],"Entrypoint":[%s]},' \
            "$architecture" "${command#,}"
        printf '"rootfs":{"type":"layers","diff_ids":["sha256:%s"]},"history":[{"created_by":"cluster image"}]}' "${diff%% *}"
    )
    printf '%s' "$config" >"$work/config.json"
    printf '[{"Config":"config.json","RepoTags":["%s"],"Layers":["layer.tar"]}]' "$name" >"$work/manifest.json"
    tar -C "$work" -cf "$work/image.tar" manifest.json config.json layer.tar
    if ! ctr_here images import --snapshotter native "$work/image.tar" >"$work/log" 2>&1; then
        cat "$work/log" >&2
        rm -rf "$work"
        die "containerd did not import the image $name; see $RUN/log/containerd.log"
    fi
    rm -rf "$work"
    say "image $name is on the node"
}

# with_libraries ROOTFS PROGRAM: copies a program and its shared libraries to the same paths in ROOTFS.
with_libraries() {
    local file
    mkdir -p "$1/usr/bin"
    cp -L "$2" "$1/usr/bin/"
    # 'ldd' prints "name => /path (address)" and "/loader (address)"; a static program has no such line.
    { ldd "$2" 2>/dev/null || true; } | grep -oE '/[^ ]+' | sort -u | while read -r file; do
        mkdir -p "$1$(dirname "$file")"
        cp -L "$file" "$1$file"
    done
}

with_users() {
    mkdir -p "$1/etc" "$1/tmp"
    chmod 1777 "$1/tmp"
    printf 'root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n' >"$1/etc/passwd"
    printf 'root:x:0:\nnobody:x:65534:\n' >"$1/etc/group"
}

import_pause() {
    local rootfs
    rootfs=$(mktemp -d "$RUN/rootfs.XXXXXX")
    chmod 755 "$rootfs"
    cp "$BIN/pause" "$rootfs/pause"
    import_image "$PAUSE_IMAGE" "$rootfs" /pause
    rm -rf "$rootfs"
}

# Debian's static busybox crashes when it resolves a name, so the toolbox uses the host's curl.
import_toolbox() {
    local rootfs applet busybox
    rootfs=$(mktemp -d "$RUN/rootfs.XXXXXX")
    chmod 755 "$rootfs"
    busybox=$(static_busybox)
    [[ -n $busybox ]] || die "no static busybox; run 'cluster build --node'"
    mkdir -p "$rootfs/bin"
    cp "$busybox" "$rootfs/bin/busybox"
    for applet in $("$busybox" --list); do
        [[ $applet == busybox ]] || ln -s busybox "$rootfs/bin/$applet"
    done
    with_users "$rootfs"
    with_libraries "$rootfs" "$(command -v curl)"
    import_image "$TOOLBOX_IMAGE" "$rootfs"
    rm -rf "$rootfs"
}

project_binary() {
    local target=${CARGO_TARGET_DIR:-$HERE/../../target} profile
    for profile in release debug; do
        if [[ -x $target/$profile/$1 ]]; then
            printf '%s' "$target/$profile/$1"
            return
        fi
    done
    return 1
}

import_program() {
    local rootfs
    rootfs=$(mktemp -d "$RUN/rootfs.XXXXXX")
    chmod 755 "$rootfs"
    with_users "$rootfs"
    with_libraries "$rootfs" "$2"
    import_image "$1" "$rootfs" "/usr/bin/$(basename "$2")"
    rm -rf "$rootfs"
}
