//! Trips and resets that owners ask for in their CircuitBreakers, on a real API server.
#![allow(missing_docs)]

use std::time::Duration;

use bigredbutton_tests::{Cluster, TestNamespace, Watcher};
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

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
