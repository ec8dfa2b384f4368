//! Controllers that are killed, stopped, doubled, or blind.

use std::time::Duration;

use bigredbutton_tests::{ApiProxy, ControllerEndpoints, PodAccess, REFUSED, Watcher, eventually};
use jiff::Timestamp;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::fixture::{QUIET, ask_for_a_reset, controller, guarded, ready, test_namespace, trips};

/// SIGKILL after an event, then another controller: one trip, and the original replicas are kept.
#[tokio::test]
async fn a_controller_killed_and_started_again_ends_the_same() {
    for after in ["watching", "restart", "tripping", "scaled"] {
        let ns = test_namespace("fleet-killed").await;
        let mut app = guarded(&ns, "swype", json!({})).await;
        let mut fleet = controller(&ns);
        fleet.wait_for("watching").await;
        app.restart(REFUSED).await;
        app.restart(REFUSED).await;
        match after {
            "watching" => {}
            "restart" => {
                ns.wait_for_status("swype", "two counted", |status| status["counted"] == 2).await;
            }
            _ => {
                app.restart(REFUSED).await;
                app.restart(REFUSED).await;
                fleet.wait_for(after).await;
            }
        }
        fleet.kill().await;
        let mut again = controller(&ns);
        if matches!(after, "watching" | "restart") {
            ready(&ns, "swype").await;
            app.restart(REFUSED).await;
            again.read_for(QUIET).await;
            assert_eq!(ns.replicas("swype").await, 1, "three, killed after {after}");
            app.restart(REFUSED).await;
        }
        let status = ns.wait_for_phase("swype", "Open").await;
        assert_eq!(status["originalReplicas"], 1, "killed after {after}");
        eventually("its trip has an Event", || async { (trips(&ns, "swype").await > 0).then_some(()) }).await;
        again.read_for(QUIET).await;
        assert_eq!((ns.replicas("swype").await, trips(&ns, "swype").await), (0, 1), "after {after}");
        ns.delete().await;
    }
}

/// The Record says Tripping, but nothing was scaled: the state after a SIGKILL between the two
/// writes.
#[tokio::test]
async fn a_trip_that_was_recorded_and_not_carried_out_is_finished_if_it_is_still_right() {
    for (case, healed) in [("still failing", false), ("healed", true)] {
        let ns = test_namespace("fleet-half").await;
        let mut app = guarded(&ns, "swype", json!({"trip": {"maxRestarts": 10}})).await;
        let mut fleet = controller(&ns);
        fleet.wait_for("watching").await;
        for _ in 0..4 {
            app.restart(REFUSED).await;
        }
        let status = ns
            .wait_for_status("swype", "four recorded", |status| {
                status["record"]["containers"][0]["restarts"].as_array().is_some_and(|all| all.len() == 4)
            })
            .await;
        fleet.kill().await;
        ns.edit_breaker("swype", json!({"trip": {"maxRestarts": 3}})).await;
        let mut record = status["record"].clone();
        record["state"] = json!({
            "phase": "Tripping", "since": Timestamp::now(), "replicas": 1,
            "because": {"counted": 4, "threshold": 3, "failing": 1, "need": 1, "cause": "network:refused",
                        "revision": record["containers"][0]["revision"]},
        });
        let patch = Patch::Merge(json!({"status": {"phase": "Tripping", "record": record}}));
        ns.breakers().patch_status("swype", &PatchParams::default(), &patch).await.expect("written");
        if healed {
            app.has_run_for(Duration::from_secs(660)).await;
        }
        let mut fleet = controller(&ns);
        if healed {
            fleet.wait_for("abandoned").await;
            ns.wait_for_phase("swype", "Closed").await;
            assert_eq!((ns.replicas("swype").await, trips(&ns, "swype").await), (1, 0), "{case}");
        } else {
            let status = ns.wait_for_phase("swype", "Open").await;
            assert_eq!(
                status["record"]["episode"],
                json!(record["episode"].as_u64().unwrap_or(1) + 1),
                "{case}"
            );
            fleet.read_for(QUIET).await;
            assert_eq!((ns.replicas("swype").await, trips(&ns, "swype").await), (0, 1), "{case}");
        }
        ns.delete().await;
    }
}

#[tokio::test]
async fn two_controllers_that_both_believe_they_lead_make_one_trip() {
    let ns = test_namespace("fleet-two").await;
    let mut app = guarded(&ns, "swype", json!({})).await;
    let mut one = controller(&ns);
    let mut two = controller(&ns);
    one.wait_for("watching").await;
    two.wait_for("watching").await;
    for _ in 0..4 {
        app.restart(REFUSED).await;
    }
    let status = ns.wait_for_phase("swype", "Open").await;
    assert_eq!(status["originalReplicas"], 1);
    one.read_for(QUIET).await;
    two.read_for(QUIET).await;
    let acted = one.events.iter().chain(&two.events);
    let acted = acted.filter(|event| event["event"] == "scaled" && event["already"] == false).count();
    assert_eq!((acted, trips(&ns, "swype").await), (1, 1), "{:#?} {:#?}", one.events, two.events);
    assert_eq!(ns.replicas("swype").await, 0);
    ns.delete().await;
}

#[tokio::test]
async fn a_controller_that_is_stopped_says_so_and_the_next_one_goes_on() {
    let ns = test_namespace("fleet-stopped").await;
    let mut app = guarded(&ns, "swype", json!({})).await;
    let mut fleet = controller(&ns);
    fleet.wait_for("watching").await;
    for _ in 0..3 {
        app.restart(REFUSED).await;
    }
    ns.wait_for_status("swype", "three counted", |status| status["counted"] == 3).await;
    fleet.stop();
    assert_eq!(fleet.wait_for_exit().await.0, 143);
    assert!(
        fleet
            .events
            .last()
            .is_some_and(|event| event["message"].as_str().is_some_and(|why| why.contains("SIGTERM")))
    );
    let mut next = controller(&ns);
    assert_eq!(next.wait_for("watching").await["counted"], 3);
    app.restart(REFUSED).await;
    assert_eq!(ns.wait_for_phase("swype", "Open").await["counted"], 4);
    ns.delete().await;
}

/// The pod watch falls silent and everything else works. A lower threshold is the cause of the
/// trip, because no restart can be observed.
#[tokio::test]
async fn on_a_stale_view_nothing_trips_it_says_so_and_goes_on_once_the_pods_can_be_listed() {
    let ns = test_namespace("fleet-stale").await;
    let mut app = guarded(&ns, "swype", json!({})).await;
    let proxy = ApiProxy::start(&ns.cluster).await;
    let mut behind = ns.clone();
    behind.cluster.kubeconfig = proxy.kubeconfig.clone();
    let bind = ["--bind-address", "127.0.0.1:0"];
    let args = ["controller", "--status-interval", "1s", "--leader-elect=false"];
    let mut fleet = Watcher::start(&behind, &[&args[..], &bind].concat());
    let endpoints = ControllerEndpoints::wait_for(&mut fleet).await;
    ready(&ns, "swype").await;
    for _ in 0..3 {
        app.restart(REFUSED).await;
    }
    ns.wait_for_status("swype", "three counted", |status| status["counted"] == 3).await;

    proxy.set(PodAccess::Blocked);
    let silent = std::time::Instant::now();
    tokio::time::sleep(Duration::from_secs(62)).await;
    assert_eq!(endpoints.get("/readyz").await.0, 200);
    ns.edit_breaker("swype", json!({"trip": {"maxRestarts": 2}})).await;
    let held = ns.wait_for_condition("swype", "Held", "True").await;
    assert_eq!(held["reason"], "StaleView", "{held}");
    assert!(held["message"].as_str().is_some_and(|why| why.contains("the pods cannot be listed")), "{held}");
    ns.wait_for_event("swype", "Held").await;
    let why = loop {
        let (status, why) = endpoints.get("/readyz").await;
        if status == 503 {
            break why;
        }
        assert!(silent.elapsed() < Duration::from_secs(160), "ready all the same: {why}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    assert!(why.contains("the pod watch is down: "), "{why}");
    assert_eq!((ns.replicas("swype").await, endpoints.get("/healthz").await.0), (1, 200));

    proxy.set(PodAccess::ListOnly);
    ns.wait_for_phase("swype", "Open").await;
    assert_eq!((ns.replicas("swype").await, endpoints.get("/readyz").await.0), (0, 503));

    proxy.set(PodAccess::Allowed);
    let passed = std::time::Instant::now();
    while endpoints.get("/readyz").await.0 != 200 {
        assert!(passed.elapsed() < Duration::from_secs(90), "the watch does not come back");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    println!("the pod watch came back {:.1?} after it could", passed.elapsed());
    ask_for_a_reset(&ns, "swype", &Timestamp::now().to_string()).await;
    ns.wait_for_phase("swype", "Closed").await;
    ns.delete().await;
}
