//! Trips and resets that owners ask for in their CircuitBreakers, on a real API server.
#![allow(missing_docs)]

use std::process::Stdio;
use std::time::Duration;

use bigredbutton_tests::{Cluster, TestNamespace, Watcher};
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use tokio::process::Command;

/// Many, so that a controller is killed in the middle of its start.
const BREAKERS: usize = 30;

fn controller(ns: &TestNamespace) -> Watcher {
    Watcher::start(ns, &["controller", "--status-interval", "1s", "--leader-elect=false"])
}

fn names() -> Vec<String> {
    (0..BREAKERS).map(|n| format!("app-{n}")).collect()
}

async fn edit(ns: &TestNamespace, name: &str, patch: Value) {
    ns.breakers().patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.expect("edited");
}

/// A controller that starts, and is killed after a random time.
async fn start_and_kill(ns: &TestNamespace) {
    let killed = controller(ns);
    tokio::time::sleep(Duration::from_millis(fastrand::u64(200..600))).await;
    killed.kill().await;
}

#[tokio::test]
async fn requests_made_while_no_controller_runs_survive_controllers_that_are_killed_as_they_start() {
    let ns = Cluster::connect().await.with_breakers().await.test_namespace("requests").await;
    for name in names() {
        ns.create_deployment(&name, 2).await;
        ns.breaker(&name, json!({"override": "ForcedOpen"})).await;
    }
    for round in 0..3 {
        start_and_kill(&ns).await;
        let fleet = controller(&ns);
        for name in names() {
            let status = ns.wait_for_phase(&name, "Open").await;
            assert_eq!(status["originalReplicas"], 2, "{name}: {status:#}");
            assert_eq!(ns.replicas(&name).await, 0, "{name}");
        }
        fleet.kill().await;

        let at = format!("2026-01-02T03:04:0{round}Z");
        for name in names() {
            let annotations = json!({"bigredbutton.dev/reset-requested-at": at});
            let patch = json!({"metadata": {"annotations": annotations}, "spec": {"override": "Auto"}});
            edit(&ns, &name, patch).await;
        }
        start_and_kill(&ns).await;
        let fleet = controller(&ns);
        for name in names() {
            let done = |status: &Value| status["resetHandled"] == *at && status["phase"] == "Closed";
            ns.wait_for_status(&name, "reset", done).await;
            assert_eq!(ns.replicas(&name).await, 2, "{name}");
        }
        fleet.kill().await;
        for name in names() {
            edit(&ns, &name, json!({"spec": {"override": "ForcedOpen"}})).await;
        }
    }
    ns.delete().await;
}

/// As with kubectl alone: the documented patch, the annotation, and the same patch again.
#[tokio::test]
async fn the_same_patch_presses_again_after_a_reset_by_annotation() {
    let ns = Cluster::connect().await.with_breakers().await.test_namespace("press-again").await;
    ns.create_deployment("swype", 2).await;
    ns.breaker("swype", json!({})).await;
    let fleet = controller(&ns);
    for round in 0..3 {
        edit(&ns, "swype", json!({"spec": {"override": "ForcedOpen"}})).await;
        ns.wait_for_phase("swype", "Open").await;
        assert_eq!(ns.replicas("swype").await, 0, "round {round}");
        let at = format!("2026-01-02T03:04:0{round}Z");
        let annotations = json!({"bigredbutton.dev/reset-requested-at": at});
        edit(&ns, "swype", json!({"metadata": {"annotations": annotations}})).await;
        let done = |status: &Value| status["resetHandled"] == *at && status["overrideHandled"] == "Auto";
        let status = ns.wait_for_status("swype", "reset", done).await;
        assert_eq!(status["phase"], "Closed", "round {round}: {status:#}");
        assert_eq!(ns.replicas("swype").await, 2, "round {round}");
        let breaker = ns.breakers().get("swype").await.expect("read");
        assert_eq!(breaker.data["spec"]["override"], "Auto", "round {round}");
    }
    fleet.kill().await;
    ns.delete().await;
}

/// The controller runs outside of the cluster here; its environment says that it is this pod.
#[tokio::test]
async fn a_breaker_of_the_controllers_own_deployment_is_refused_and_cannot_be_pressed() {
    let ns = Cluster::connect().await.with_breakers().await.test_namespace("own").await;
    let pods = ns.deployment("brb", 1).await;
    ns.deployment_beside("other", 1).await;
    for name in ["brb", "other"] {
        ns.breaker(name, json!({"override": "ForcedOpen"})).await;
    }
    let mut fleet = Command::new(Watcher::program())
        .args(["controller", "--leader-elect=false", "-n", &ns.name])
        .env("KUBECONFIG", &ns.cluster.kubeconfig)
        .env("POD_NAME", pods[0].metadata.name.as_deref().expect("a name"))
        .env("POD_NAMESPACE", &ns.name)
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("watcher starts");
    ns.wait_for_phase("other", "Open").await;
    let refused = ns.wait_for_condition("brb", "Ready", "False").await;
    assert_eq!(refused["reason"], "OwnWorkload", "{refused:#}");
    let note = ns.wait_for_event("brb", "OwnWorkload").await;
    assert!(note.contains("runs this controller"), "{note}");
    assert_eq!((ns.replicas("brb").await, ns.replicas("other").await), (1, 0));
    assert_eq!(ns.breaker_status("brb").await["overrideHandled"], Value::Null);
    fleet.kill().await.expect("killed");
    ns.delete().await;
}
