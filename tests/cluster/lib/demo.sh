# shellcheck shell=bash
# Applies the manifests of deploy/demo on the tests' node, with three changes: the toolbox image instead
# of one from a registry, no image pull, and the addresses of the Services in the hosts files of the
# pods, because there is neither DNS nor a kube-proxy.

readonly DEMO=$HERE/../../deploy/demo

cmd_demo() {
    (($# == 1)) || die "demo takes one of: up, cut, restore, down"
    [[ -r $DEMO/swype-deployment.yml ]] || die "$DEMO/swype-deployment.yml is missing; the demo is part of the checkout"
    if ! existing_cluster; then
        need_node "cluster demo"
        run_dir_lock
        has_image "$TOOLBOX_IMAGE" || import_toolbox
    fi
    case $1 in
        up) demo_up ;;
        cut) demo_cut ;;
        restore) demo_restore ;;
        down) demo_kubectl delete namespace sre --ignore-not-found --timeout="${WAIT_TIMEOUT}s" ;;
        *) die "demo takes one of: up, cut, restore, down; not '$1'" ;;
    esac
}

demo_kubectl() {
    if existing_cluster; then
        kubectl "$@" </dev/null
    else
        KUBERC=off "$BIN/kubectl" --kubeconfig="$RUN/kubeconfig" --cache-dir="$RUN/kubectl-cache" --context=admin "$@" </dev/null
    fi
}

demo_up() {
    gateway_up
    apply_demo "" swype-rollback.yml
    demo_kubectl -n sre rollout status deployment/swype-rollback --timeout="${WAIT_TIMEOUT}s"
    apply_demo "$(host_aliases)" upcommerce-deployment.yml swype-deployment.yml swype-service.yml
    demo_kubectl -n sre rollout status deployment/upcommerce-app --timeout="${WAIT_TIMEOUT}s"
    demo_kubectl -n sre rollout status deployment/swype-app --timeout="${WAIT_TIMEOUT}s"
    # The app exits after three failures, one second apart: without a restart for 5 s it reaches its gateway.
    sleep 5
    local restarts
    restarts=$(swype 'jsonpath={.items[*].status.containerStatuses[*].restartCount}')
    [[ -n $restarts && $restarts != *[1-9]* ]] ||
        die "swype-app restarts although its gateway is there: $(demo_kubectl -n sre logs deployment/swype-app --tail=5 2>&1)"
    say "the demo runs in namespace sre; 'cluster demo cut' removes its gateway"
}

demo_cut() {
    demo_kubectl delete -f "$DEMO/swype-gateway.yml" --ignore-not-found --timeout="${WAIT_TIMEOUT}s"
    demo_kubectl -n sre wait --for=delete pod -l app=swype-gateway --timeout="${WAIT_TIMEOUT}s"
    say "the gateway is gone: swype-app terminates within about 10 s"
}

# Does not change the replicas of swype-app: 'watcher reset' restores them.
demo_restore() {
    gateway_up
    # The new gateway has a new address. A merge patch replaces the list; the default patch adds to it.
    existing_cluster || demo_kubectl -n sre patch deployment swype-app --type=merge \
        -p "{\"spec\":{\"template\":{\"spec\":{\"hostAliases\":$(host_aliases)}}}}"
    say "the gateway is back"
}

gateway_up() {
    apply_demo "" namespace.yml
    apply_demo "" swype-gateway.yml
    demo_kubectl -n sre rollout status deployment/swype-gateway --timeout="${WAIT_TIMEOUT}s"
}

# Prints the host aliases of swype-app as JSON.
host_aliases() {
    local name aliases=
    for name in swype-gateway swype-rollback; do
        aliases+=",{\"ip\":\"$(address_of "$name")\",\"hostnames\":[\"$name\"]}"
    done
    printf '[%s]' "${aliases#,}"
}

address_of() {
    demo_kubectl -n sre get pods -l app="$1" --field-selector=status.phase=Running -o 'jsonpath={.items[0].status.podIP}'
}

swype() {
    demo_kubectl -n sre get pods -l app=swype-app -o "$1"
}

# apply_demo HOST_ALIASES FILE...
apply_demo() {
    local aliases=$1 file work
    shift
    if existing_cluster; then
        for file in "$@"; do
            demo_kubectl apply -f "$DEMO/$file"
        done
        return
    fi
    work=$(mktemp -d "$RUN/demo.XXXXXX")
    {
        printf 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n'
        for file in "$@"; do
            cp "$DEMO/$file" "$work/"
            printf -- '- %s\n' "$file"
        done
        cat <<YAML
images:
- {name: busybox, newName: ${TOOLBOX_IMAGE%:*}, newTag: ${TOOLBOX_IMAGE##*:}}
- {name: curlimages/curl, newName: ${TOOLBOX_IMAGE%:*}, newTag: ${TOOLBOX_IMAGE##*:}}
patches:
- target: {kind: Deployment}
  patch: |-
    - {op: add, path: /spec/template/spec/containers/0/imagePullPolicy, value: Never}
- target: {kind: Deployment, name: swype-app}
  patch: |-
    - {op: add, path: /spec/template/spec/initContainers/0/imagePullPolicy, value: Never}
    - {op: add, path: /spec/template/spec/hostAliases, value: ${aliases:-[]}}
YAML
    } >"$work/kustomization.yaml"
    demo_kubectl apply -k "$work"
    rm -rf "$work"
}
