//! A namespace with breakers, a controller of it, and what most tests do with them.

use std::time::Duration;

use bigredbutton_tests::{Cluster, Kubelet, TestNamespace, Watcher};
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

/// How long to wait before asserting that nothing happened.
pub(crate) const QUIET: Duration = Duration::from_secs(3);

pub(crate) async fn test_namespace(name: &str) -> TestNamespace {
    Cluster::connect().await.with_breakers().await.test_namespace(name).await
}

/// A controller of only the test's namespace.
pub(crate) fn controller(ns: &TestNamespace) -> Watcher {
    Watcher::start(
        ns,
        &["controller", "--status-interval", "1s", "--leader-elect=false", "--allow-local-hooks"],
    )
}

/// A Deployment with one running pod, and a breaker of the same name.
pub(crate) async fn guarded(ns: &TestNamespace, name: &str, spec: Value) -> Kubelet {
    let pods = ns.deployment_beside(name, 1).await;
    ns.breaker(name, spec).await;
    Kubelet::start(ns, &pods[0]).await
}

pub(crate) async fn ready(ns: &TestNamespace, name: &str) {
    ns.wait_for_condition(name, "Ready", "True").await;
}

pub(crate) async fn ask_for_a_reset(ns: &TestNamespace, name: &str, at: &str) {
    let patch =
        Patch::Merge(json!({"metadata": {"annotations": {"bigredbutton.dev/reset-requested-at": at}}}));
    ns.breakers().patch(name, &PatchParams::default(), &patch).await.expect("annotated");
}

pub(crate) async fn trips(ns: &TestNamespace, name: &str) -> usize {
    ns.trips_of(name).await
}

/// Starts the pods of a Deployment that was scaled up from zero.
pub(crate) async fn start_pods(ns: &TestNamespace, replicas: usize) -> Vec<Kubelet> {
    Kubelet::start_all(ns, &ns.wait_for_pods(replicas).await).await
}
