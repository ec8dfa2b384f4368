# shellcheck shell=bash
# TEST_CLUSTER=existing: uses the cluster of KUBECONFIG (kind, minikube) and does not change it.

existing_cluster() {
    case ${TEST_CLUSTER:-} in
        existing) return 0 ;;
        '' | own) return 1 ;;
        *) die "TEST_CLUSTER=$TEST_CLUSTER is not known; leave it empty, or set it to 'existing'" ;;
    esac
}

only_on_own_cluster() {
    if existing_cluster; then
        die "'$1' is not available with TEST_CLUSTER=existing: it would change a cluster that does not belong to the tests"
    fi
}

check_existing_cluster() {
    command -v kubectl >/dev/null || die "TEST_CLUSTER=existing needs kubectl on the PATH"
    local answer
    answer=$(kubectl get --raw /readyz --request-timeout=10s 2>&1 </dev/null) ||
        die "the cluster of KUBECONFIG=${KUBECONFIG:-$HOME/.kube/config} does not answer: $answer"
    say "using the existing cluster of context $(kubectl config current-context)"
}
