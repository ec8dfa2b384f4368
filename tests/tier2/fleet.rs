//! `watcher controller` on a real API server, with simulated kubelets.
#![allow(missing_docs)]

#[path = "../../bin-watcher/tests/receiver/mod.rs"]
mod receiver;

use std::time::Duration;

use bigredbutton_tests::{
    ApiProxy, BUG, Cluster, ControllerEndpoints, Kubelet, PAUSED_REPLICAS, PodAccess, REFUSED, TestNamespace,
    Watcher, condition, eventually,
};
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{Binding, Pod, Secret};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use receiver::{Behavior, Receiver};
use ring::hmac;
use serde_json::{Value, json};

/// How long to wait before asserting that nothing happened.
const QUIET: Duration = Duration::from_secs(3);

async fn test_namespace(name: &str) -> TestNamespace {
    Cluster::connect().await.with_breakers().await.test_namespace(name).await
}

/// A controller of only the test's namespace.
fn controller(ns: &TestNamespace) -> Watcher {
    Watcher::start(ns, &["controller", "--status-interval", "1s", "--leader-elect=false"])
}

/// A Deployment with one running pod, and a breaker of the same name.
async fn guarded(ns: &TestNamespace, name: &str, spec: Value) -> Kubelet {
    let pods = ns.deployment_beside(name, 1).await;
    ns.breaker(name, spec).await;
    Kubelet::start(ns, &pods[0]).await
}

async fn ready(ns: &TestNamespace, name: &str) {
    ns.wait_for_condition(name, "Ready", "True").await;
}

async fn ask_for_a_reset(ns: &TestNamespace, name: &str, at: &str) {
    let patch =
        Patch::Merge(json!({"metadata": {"annotations": {"bigredbutton.dev/reset-requested-at": at}}}));
    ns.breakers().patch(name, &PatchParams::default(), &patch).await.expect("annotated");
}

async fn trips(ns: &TestNamespace, name: &str) -> usize {
    ns.events_on(name).await.iter().filter(|(reason, _)| reason == "Tripped").count()
}

#[tokio::test]
async fn one_of_three_trips_says_so_in_its_status_and_comes_back_by_a_reset() {
    let ns = test_namespace("fleet-three").await;
    let mut app = guarded(&ns, "swype", json!({})).await;
    let mut other = guarded(&ns, "ledger", json!({})).await;
    guarded(&ns, "idle", json!({})).await;
    let mut fleet = controller(&ns);
    for name in ["swype", "ledger", "idle"] {
        ready(&ns, name).await;
    }
    other.restart(REFUSED).await;
    for _ in 0..3 {
        app.restart(REFUSED).await;
    }
    ns.wait_for_status("swype", "three counted", |status| status["counted"] == 3).await;
    fleet.read_for(QUIET).await;
    assert_eq!(ns.replicas("swype").await, 1, "not at the third");
    app.restart(REFUSED).await;
    let status = ns.wait_for_phase("swype", "Open").await;
    assert_eq!(ns.replicas("swype").await, 0);
    assert_eq!((ns.replicas("ledger").await, ns.replicas("idle").await), (1, 1));
    assert_eq!(
        (&status["counted"], &status["threshold"], &status["originalReplicas"], &status["byCause"]),
        (&json!(4), &json!(3), &json!(1), &json!({"network:refused": 4}))
    );
    assert_eq!(status["lastTrip"]["cause"], "network:refused");
    assert_eq!(status["lastTrip"]["peer"], "10.96.0.7:8080");
    assert_eq!(status["byPeer"], json!({"10.96.0.7:8080": 4}));
    assert!(status["lastTrip"]["quote"].as_str().is_some_and(|quote| quote.contains("connection refused")));
    let tripped = condition(&status, "Tripped");
    assert_eq!((&tripped["status"], &tripped["reason"]), (&json!("True"), &json!("Open")), "{status:#}");
    let listed = ns.cluster.kubectl(&["get", "cb", "-n", &ns.name, "--no-headers"]);
    let row = listed.lines().find(|row| row.starts_with("swype")).unwrap_or_default();
    assert_eq!(row.split_whitespace().take(4).collect::<Vec<_>>(), ["swype", "Open", "4", "swype"]);
    assert_eq!(ns.breaker_status("ledger").await["counted"], 1);
    let note = ns.wait_for_event("swype", "Tripped").await;
    let back = format!("To restore the replicas: watcher reset -n {} swype", ns.name);
    assert!(note.ends_with(&back), "{note}");
    assert_eq!(trips(&ns, "swype").await, 1);

    ask_for_a_reset(&ns, "swype", "2026-01-02T03:04:05Z").await;
    let status = ns.wait_for_phase("swype", "Closed").await;
    assert_eq!((&status["originalReplicas"], &status["counted"]), (&Value::Null, &json!(0)), "{status:#}");
    assert_eq!(ns.replicas("swype").await, 1);
    // A reset request is executed once, also by the next controller.
    fleet.kill().await;
    ns.edit_breaker("swype", json!({"override": "ForcedOpen"})).await;
    let mut fleet = controller(&ns);
    ns.wait_for_phase("swype", "Open").await;
    fleet.read_for(QUIET).await;
    assert_eq!(ns.replicas("swype").await, 0, "an old request for a reset was acted on again");
    ask_for_a_reset(&ns, "swype", &Timestamp::now().to_string()).await;
    ns.wait_for_phase("swype", "Closed").await;
    assert_eq!(ns.replicas("swype").await, 1);
    ns.delete().await;
}

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
async fn forced_open_scales_once_and_never_against_a_user_who_scales_up() {
    let ns = test_namespace("fleet-forced").await;
    guarded(&ns, "swype", json!({})).await;
    let fleet = controller(&ns);
    ready(&ns, "swype").await;
    ns.edit_breaker("swype", json!({"override": "ForcedOpen"})).await;
    let status = ns.wait_for_phase("swype", "Open").await;
    assert_eq!((&status["lastTrip"]["cause"], &status["originalReplicas"]), (&json!("button"), &json!(1)));
    assert_eq!(ns.replicas("swype").await, 0);
    eventually("the pod is gone", || async {
        ns.api::<Pod>().list(&ListParams::default()).await.ok()?.items.is_empty().then_some(())
    })
    .await;
    ns.scale("swype", 2).await;
    let status =
        ns.wait_for_status("swype", "contested", |status| status["contestedBy"] == "kubectl-scale").await;
    assert_eq!(condition(&status, "Contested")["status"], "True", "{status:#}");
    fleet.kill().await;
    let mut fleet = controller(&ns);
    fleet.read_for(QUIET).await;
    assert_eq!(ns.replicas("swype").await, 2, "pressed a second time");
    ns.delete().await;
}

#[tokio::test]
async fn disabled_and_observing_breakers_report_but_do_not_scale_until_they_are_enabled() {
    let ns = test_namespace("fleet-observe").await;
    let mut disabled = guarded(&ns, "disabled", json!({"override": "Disabled"})).await;
    let mut observing = guarded(&ns, "observing", json!({"mode": "Observe"})).await;
    guarded(&ns, "third", json!({})).await;
    let mut fleet = controller(&ns);
    for (name, reason) in [("disabled", "Disabled"), ("observing", "Observing"), ("third", "Watching")] {
        assert_eq!(ns.wait_for_condition(name, "Ready", "True").await["reason"], reason);
    }
    for _ in 0..4 {
        disabled.restart(REFUSED).await;
        observing.restart(REFUSED).await;
    }
    for name in ["disabled", "observing"] {
        let would_trip = |status: &Value| condition(status, "Tripped")["reason"] == "WouldTrip";
        ns.wait_for_status(name, "it would trip", would_trip).await;
    }
    fleet.read_for(QUIET).await;
    assert_eq!((ns.replicas("disabled").await, ns.replicas("observing").await), (1, 1));
    ns.edit_breaker("observing", json!({"mode": "Enforce"})).await;
    ns.wait_for_phase("observing", "Open").await;
    assert_eq!((ns.replicas("disabled").await, ns.replicas("observing").await), (1, 0));
    ns.edit_breaker("disabled", json!({"override": "Auto"})).await;
    ns.wait_for_phase("disabled", "Open").await;
    ns.delete().await;
}

#[tokio::test]
async fn restarts_of_another_cause_are_held_naming_the_field_that_would_count_them() {
    let ns = test_namespace("fleet-causes").await;
    let mut app = guarded(&ns, "swype", json!({})).await;
    let mut fleet = controller(&ns);
    ready(&ns, "swype").await;
    for _ in 0..4 {
        app.restart(BUG).await;
    }
    let held = ns.wait_for_condition("swype", "Held", "True").await;
    assert_eq!(held["reason"], "Causes", "{held}");
    let why = held["message"].as_str().unwrap_or_default();
    assert!(why.ends_with("; spec.trip.causes: [Network, Application] would trip"), "{why}");
    fleet.read_for(QUIET).await;
    assert_eq!(ns.replicas("swype").await, 1);
    ns.edit_breaker("swype", json!({"trip": {"causes": ["Network", "Application"]}})).await;
    ns.wait_for_phase("swype", "Open").await;
    ns.delete().await;
}

#[tokio::test]
async fn restarts_by_another_peer_are_held_until_the_spec_counts_it() {
    let ns = test_namespace("fleet-peers").await;
    let mut app = guarded(&ns, "swype", json!({"trip": {"peers": ["swype-*"]}})).await;
    let mut fleet = controller(&ns);
    ready(&ns, "swype").await;
    for _ in 0..4 {
        app.restart(REFUSED).await;
    }
    let held = ns.wait_for_condition("swype", "Held", "True").await;
    assert_eq!(held["reason"], "Peers", "{held}");
    let why = held["message"].as_str().unwrap_or_default();
    assert!(why.contains("; other peers: 10.96.0.7:8080 4"), "{why}");
    assert!(why.ends_with("; spec.trip.peers: [\"swype-*\", \"10.96.0.7:8080\"] would trip"), "{why}");
    fleet.read_for(QUIET).await;
    assert_eq!(ns.replicas("swype").await, 1);
    ns.edit_breaker("swype", json!({"trip": {"peers": ["swype-*", "10.96.*"]}})).await;
    let status = ns.wait_for_phase("swype", "Open").await;
    assert_eq!(status["lastTrip"]["peer"], "10.96.0.7:8080");
    ns.delete().await;
}

/// Starts the pods of a Deployment that was scaled up from zero.
async fn start_pods(ns: &TestNamespace, replicas: usize) -> Vec<Kubelet> {
    Kubelet::start_all(ns, &ns.wait_for_pods(replicas).await).await
}

#[tokio::test]
async fn half_open_tries_one_replica_waits_longer_when_it_dies_and_gives_all_back_when_it_lives() {
    let ns = test_namespace("fleet-half-open").await;
    let recovery = json!({"mode": "HalfOpen", "cooldown": "2s", "maxCooldown": "1h", "probeReplicas": 1, "probeFor": "5s"});
    let pods = ns.deployment("swype", 3).await;
    ns.breaker("swype", json!({"recovery": recovery, "trip": {"maxRestarts": 1}})).await;
    let mut apps = Kubelet::start_all(&ns, &pods).await;
    let mut fleet = controller(&ns);
    ready(&ns, "swype").await;
    for app in &mut apps {
        app.restart(REFUSED).await;
    }
    let status = ns.wait_for_phase("swype", "Open").await;
    assert_eq!(status["originalReplicas"], 3);

    let status = ns.wait_for_phase("swype", "HalfOpen").await;
    assert_eq!(status["originalReplicas"], 3, "{status:#}");
    assert_eq!(condition(&status, "Tripped")["reason"], "HalfOpen");
    // The status is written before the scale.
    let given = eventually("a replica on trial", || async {
        Some(ns.replicas("swype").await).filter(|replicas| *replicas > 0)
    });
    assert_eq!(given.await, 1);
    let mut trial = start_pods(&ns, 1).await;
    // One restart of the probe replica fails the probe.
    trial[0].restart(REFUSED).await;
    fleet.wait_for("probing").await;
    assert_eq!(fleet.wait_for("scaled").await["probeFailed"], true);
    let status = ns.wait_for_phase("swype", "Open").await;
    let opened = std::time::Instant::now();
    assert_eq!((ns.replicas("swype").await, &status["originalReplicas"]), (0, &json!(3)), "{status:#}");

    // The next controller waits for the rest of the doubled cooldown.
    fleet.kill().await;
    let _next = controller(&ns);
    ns.wait_for_phase("swype", "HalfOpen").await;
    assert!(opened.elapsed() > Duration::from_secs(3), "not doubled: {:?}", opened.elapsed());
    start_pods(&ns, 1).await;
    ns.wait_for_phase("swype", "Closed").await;
    assert_eq!(ns.replicas("swype").await, 3);
    ns.delete().await;
}

#[tokio::test]
async fn an_edited_threshold_is_followed_without_forgetting_what_was_counted() {
    let ns = test_namespace("fleet-edit").await;
    let mut app = guarded(&ns, "swype", json!({"trip": {"maxRestarts": 10, "window": "30m"}})).await;
    let fleet = controller(&ns);
    let overlook = ns.wait_for_condition("swype", "WindowTooShort", "True").await;
    assert!(
        overlook["message"].as_str().is_some_and(|why| why.contains("spec.trip.window: 150m")),
        "{overlook}"
    );
    // The next controller does not emit it again.
    fleet.kill().await;
    let mut fleet = controller(&ns);
    fleet.wait_for("watching").await;
    fleet.read_for(QUIET).await;
    let events = ns.events_on("swype").await;
    assert_eq!(events.iter().filter(|(reason, _)| reason == "WindowTooShort").count(), 1, "{events:?}");
    for _ in 0..4 {
        app.restart(REFUSED).await;
    }
    ns.wait_for_status("swype", "four counted", |status| status["counted"] == 4).await;
    fleet.read_for(QUIET).await;
    assert_eq!(ns.replicas("swype").await, 1);
    ns.edit_breaker("swype", json!({"trip": {"maxRestarts": 3, "window": "1h"}})).await;
    let status = ns.wait_for_phase("swype", "Open").await;
    assert_eq!(condition(&status, "WindowTooShort"), Value::Null, "{status:#}");
    let generation = ns.breakers().get("swype").await.expect("there").metadata.generation;
    ns.wait_for_status("swype", "this generation", |status| {
        status["observedGeneration"] == json!(generation)
    })
    .await;
    ns.delete().await;
}

#[tokio::test]
async fn a_missing_target_is_reported_and_watched_as_soon_as_it_appears() {
    let ns = test_namespace("fleet-missing").await;
    ns.breaker("swype", json!({})).await;
    let _fleet = controller(&ns);
    let found = ns.wait_for_condition("swype", "TargetFound", "False").await;
    assert_eq!(found["reason"], "TargetNotFound");
    assert_eq!(ns.wait_for_condition("swype", "Ready", "False").await["reason"], "TargetNotFound");
    // The back-off doubles from 5 s; a pod of the target ends it.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let pods = ns.deployment("swype", 1).await;
    let mut app = Kubelet::start(&ns, &pods[0]).await;
    let started = std::time::Instant::now();
    ns.wait_for_condition("swype", "TargetFound", "True").await;
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
    for _ in 0..4 {
        app.restart(REFUSED).await;
    }
    ns.wait_for_phase("swype", "Open").await;
    ns.delete().await;
}

/// Deleted while open and created again: the Record of the old target does not apply.
#[tokio::test]
async fn a_target_created_again_is_another_one() {
    let ns = test_namespace("fleet-again").await;
    guarded(&ns, "swype", json!({})).await.restart_unobserved(4, REFUSED).await;
    let _fleet = controller(&ns);
    ns.wait_for_phase("swype", "Open").await;
    ns.api::<Deployment>().delete("swype", &DeleteParams::default()).await.expect("deleted");
    eventually("the pods are gone", || async {
        ns.api::<Pod>().list(&ListParams::default()).await.ok()?.items.is_empty().then_some(())
    })
    .await;
    let pods = ns.deployment("swype", 2).await;
    let mut apps = Kubelet::start_all(&ns, &pods).await;
    let closed =
        |status: &Value| status["phase"] == "Closed" && condition(status, "Ready")["status"] == "True";
    let status = ns.wait_for_status("swype", "watched again", closed).await;
    assert_eq!((&status["originalReplicas"], &status["counted"]), (&Value::Null, &json!(0)), "{status:#}");
    for _ in 0..4 {
        apps[0].restart(REFUSED).await;
    }
    assert_eq!(ns.wait_for_phase("swype", "Open").await["originalReplicas"], 2);
    ns.delete().await;
}

#[tokio::test]
async fn an_edited_target_is_watched_instead_and_the_former_one_is_left_as_it_is() {
    let ns = test_namespace("fleet-moved").await;
    guarded(&ns, "swype", json!({})).await.restart_unobserved(4, REFUSED).await;
    let pods = ns.deployment_beside("other", 1).await;
    let mut other = Kubelet::start(&ns, &pods[0]).await;
    let _fleet = controller(&ns);
    ns.wait_for_phase("swype", "Open").await;
    ns.edit_breaker("swype", json!({"targetRef": {"name": "other"}})).await;
    ns.wait_for_phase("swype", "Closed").await;
    assert!(ns.events_on("swype").await.iter().any(|(reason, _)| reason == "WorkloadLeftScaledDown"));
    for _ in 0..4 {
        other.restart(REFUSED).await;
    }
    ns.wait_for_phase("swype", "Open").await;
    assert_eq!((ns.replicas("swype").await, ns.replicas("other").await), (0, 0));
    ns.delete().await;
}

#[tokio::test]
async fn of_two_breakers_on_one_target_the_older_acts_until_it_goes() {
    let ns = test_namespace("fleet-rivals").await;
    let mut app = guarded(&ns, "swype", json!({})).await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let target = json!({"targetRef": {"kind": "Deployment", "name": "swype"}, "trip": {"maxRestarts": 1}});
    ns.breaker("a-younger", target).await;
    let mut fleet = controller(&ns);
    let conflict = ns.wait_for_condition("a-younger", "Conflict", "True").await;
    assert!(conflict["message"].as_str().is_some_and(|why| why.contains("/swype is older")), "{conflict}");
    ready(&ns, "swype").await;
    app.restart(REFUSED).await;
    app.restart(REFUSED).await;
    fleet.read_for(QUIET).await;
    assert_eq!(ns.replicas("swype").await, 1, "the younger one does not act");
    ns.breakers().delete("swype", &DeleteParams::default()).await.expect("deleted");
    let status = ns.wait_for_phase("a-younger", "Open").await;
    assert_eq!(condition(&status, "Conflict"), Value::Null);
    ns.delete().await;
}

#[tokio::test]
async fn when_all_fail_at_once_every_trip_holds_with_one_alert_and_the_button_still_works() {
    let ns = test_namespace("fleet-guard").await;
    let names = ["one", "two", "three", "four", "five"];
    let mut apps = Vec::new();
    for name in names {
        apps.push(guarded(&ns, name, json!({})).await);
    }
    let mut fleet = controller(&ns);
    for name in names {
        ready(&ns, name).await;
    }
    for _ in 0..4 {
        for app in &mut apps {
            app.restart(REFUSED).await;
        }
    }
    for name in names {
        let held = ns.wait_for_condition(name, "Held", "True").await;
        assert_eq!(held["reason"], "Guard", "{held}");
        let why = held["message"].as_str().unwrap_or_default();
        assert!(why.contains("of 5 targets") && why.contains("10.96.0.7:8080 is the peer of "), "{held}");
    }
    fleet.read_for(QUIET).await;
    for name in names {
        assert_eq!(ns.replicas(name).await, 1, "{name}");
    }
    let alerts = fleet.events.iter().filter(|event| {
        event["event"] == "note"
            && event["message"].as_str().is_some_and(|message| message.contains("outage guard on"))
    });
    assert_eq!(alerts.count(), 1, "{:#?}", fleet.events);
    ns.edit_breaker("three", json!({"override": "ForcedOpen"})).await;
    ns.wait_for_phase("three", "Open").await;
    assert_eq!((ns.replicas("three").await, ns.replicas("four").await), (0, 1));
    ns.delete().await;
}

/// The controller starts in the middle of the outage: no breaker may act before the others have
/// observed their pods.
#[tokio::test]
async fn a_controller_that_starts_when_all_are_failing_holds_every_trip() {
    let ns = test_namespace("fleet-late").await;
    let names = ["one", "two", "three", "four", "five"];
    for name in names {
        guarded(&ns, name, json!({})).await.restart_unobserved(4, REFUSED).await;
    }
    let mut fleet = controller(&ns);
    for name in names {
        assert_eq!(ns.wait_for_condition(name, "Held", "True").await["reason"], "Guard");
    }
    fleet.read_for(QUIET).await;
    for name in names {
        assert_eq!(ns.replicas(name).await, 1, "{name}");
    }
    ns.delete().await;
}

#[tokio::test]
async fn an_outage_of_a_gateway_with_four_dependants_among_ten_trips_all_four() {
    let ns = test_namespace("fleet-four").await;
    let mut dependants = Vec::new();
    for n in 0..4 {
        dependants.push(guarded(&ns, &format!("dependant-{n}"), json!({})).await);
    }
    for n in 0..6 {
        guarded(&ns, &format!("other-{n}"), json!({})).await;
    }
    let _fleet = controller(&ns);
    for n in 0..6 {
        ready(&ns, &format!("other-{n}")).await;
    }
    for n in 0..4 {
        ready(&ns, &format!("dependant-{n}")).await;
    }
    for _ in 0..4 {
        for app in &mut dependants {
            app.restart(REFUSED).await;
        }
    }
    for n in 0..4 {
        ns.wait_for_phase(&format!("dependant-{n}"), "Open").await;
        assert_eq!(ns.replicas(&format!("dependant-{n}")).await, 0);
    }
    for n in 0..6 {
        assert_eq!(ns.replicas(&format!("other-{n}")).await, 1);
    }
    ns.delete().await;
}

#[tokio::test]
async fn pods_that_fail_on_one_node_alone_hold_the_trip_until_another_node_has_them_too() {
    let ns = test_namespace("fleet-node").await;
    let pods = ns.deployment("swype", 2).await;
    for (pod, node) in pods.iter().zip(["node-a", "node-b"]) {
        let name = pod.metadata.name.clone().unwrap_or_default();
        let binding: Binding = serde_json::from_value(json!({
            "metadata": {"name": name},
            "target": {"kind": "Node", "name": node},
        }))
        .expect("a binding");
        let created: Result<Value, _> =
            ns.api::<Pod>().create_subresource("binding", &name, &PostParams::default(), &binding).await;
        created.expect("bound");
    }
    let mut apps = Kubelet::start_all(&ns, &pods).await;
    ns.breaker("swype", json!({})).await;
    let mut fleet = controller(&ns);
    ready(&ns, "swype").await;
    for _ in 0..4 {
        apps[0].restart(REFUSED).await;
    }
    let held = ns.wait_for_condition("swype", "Held", "True").await;
    assert_eq!(held["reason"], "OneNode");
    assert!(held["message"].as_str().is_some_and(|why| why.contains("node-a")), "{held}");
    fleet.read_for(QUIET).await;
    assert_eq!(ns.replicas("swype").await, 2);
    apps[1].restart(REFUSED).await;
    ns.wait_for_phase("swype", "Open").await;
    ns.delete().await;
}

#[tokio::test]
async fn deleting_the_breaker_of_an_open_workload_leaves_it_and_says_how_to_bring_it_back() {
    let ns = test_namespace("fleet-deleted").await;
    guarded(&ns, "swype", json!({})).await.restart_unobserved(4, REFUSED).await;
    let mut fleet = controller(&ns);
    ns.wait_for_phase("swype", "Open").await;
    ns.breakers().delete("swype", &DeleteParams::default()).await.expect("deleted");
    let note = ns.wait_for_event("swype", "WorkloadLeftScaledDown").await;
    assert!(note.contains("--replicas=1") && note.contains("deployment/swype"), "{note}");
    fleet.read_for(QUIET).await;
    assert_eq!(ns.replicas("swype").await, 0);
    ns.delete().await;
}

#[tokio::test]
async fn a_breaker_created_beside_running_ones_lists_its_pods_by_itself() {
    let ns = test_namespace("fleet-later").await;
    guarded(&ns, "first", json!({})).await;
    let _fleet = controller(&ns);
    ready(&ns, "first").await;
    let pods = ns.deployment_beside("later", 1).await;
    let mut app = Kubelet::start(&ns, &pods[0]).await;
    app.restart_unobserved(3, REFUSED).await;
    ns.breaker("later", json!({})).await;
    ns.wait_for_status("later", "three counted", |status| status["counted"] == 3).await;
    app.restart(REFUSED).await;
    ns.wait_for_phase("later", "Open").await;
    assert_eq!(ns.replicas("first").await, 1);
    ns.delete().await;
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
async fn keda_is_paused_before_the_trip_and_gets_back_what_its_owner_had_written() {
    let ns = test_namespace("fleet-keda").await;
    ns.install_keda().await;
    let mut apps = Vec::new();
    for (name, before) in [
        ("free", None),
        ("kept", Some("3")),
        ("changed", None),
        ("left", Some("4")),
        ("one", None),
        ("two", None),
    ] {
        apps.push(guarded(&ns, name, json!({})).await);
        if !matches!(name, "one" | "two") {
            ns.scaled_object(name, before).await;
        }
    }
    let _fleet = controller(&ns);
    for name in ["free", "kept", "changed", "left"] {
        ready(&ns, name).await;
    }
    for name in ["free", "kept", "changed", "left"] {
        ns.edit_breaker(name, json!({"override": "ForcedOpen"})).await;
        let status = ns.wait_for_phase(name, "Open").await;
        assert_eq!(status["paused"]["scaledObject"], format!("{name}-queue"), "{status:#}");
        assert_eq!(ns.paused_replicas(name).await.as_deref(), Some("0"), "{name}");
    }
    let patch = Patch::Merge(json!({"metadata": {"annotations": {PAUSED_REPLICAS: "5"}}}));
    ns.scaled_objects().patch("changed-queue", &PatchParams::default(), &patch).await.expect("changed");
    for (name, after) in [("free", None), ("kept", Some("3")), ("changed", Some("5"))] {
        ask_for_a_reset(&ns, name, &Timestamp::now().to_string()).await;
        ns.wait_for_status(name, "closed, nobody paused", |status| {
            status["phase"] == "Closed" && status["paused"] == Value::Null
        })
        .await;
        assert_eq!(ns.replicas(name).await, 1);
        assert_eq!(ns.paused_replicas(name).await.as_deref(), after, "{name}");
    }
    ns.breakers().delete("left", &DeleteParams::default()).await.expect("deleted");
    let note = ns.wait_for_event("left", "WorkloadLeftScaledDown").await;
    let undo =
        format!("kubectl annotate -n {} scaledobject left-queue {PAUSED_REPLICAS}=4 --overwrite", ns.name);
    assert!(note.contains(&undo), "{note}");
    assert_eq!((ns.replicas("left").await, ns.paused_replicas("left").await.as_deref()), (0, Some("0")));
    ns.delete().await;
}

/// Acts like Argo CD with self-heal, which restores the replicas of the manifest.
#[tokio::test]
async fn a_rival_that_scales_back_up_is_named_and_left_alone_until_there_is_new_evidence() {
    let ns = test_namespace("fleet-argo").await;
    let mut app = guarded(&ns, "swype", json!({})).await;
    let mut fleet = controller(&ns);
    ready(&ns, "swype").await;
    for trip in 1..=3 {
        for _ in 0..4 {
            app.restart(REFUSED).await;
        }
        ns.wait_for_phase("swype", "Open").await;
        eventually("the pod is gone", || async {
            ns.api::<Pod>().list(&ListParams::default()).await.ok()?.items.is_empty().then_some(())
        })
        .await;
        let patch = Patch::Merge(json!({"spec": {"replicas": 1}}));
        let argo = PatchParams { field_manager: Some("argocd-controller".into()), ..PatchParams::default() };
        ns.api::<Deployment>().patch("swype", &argo, &patch).await.expect("healed");
        let status = ns.wait_for_status("swype", "contested", |status| {
            status["phase"] == "Closed" && status["contestedBy"] == "argocd-controller"
        });
        assert_eq!(condition(&status.await, "Contested")["status"], "True");
        let pods = ns.wait_for_pods(1).await;
        app = Kubelet::start(&ns, &pods[0]).await;
        fleet.read_for(Duration::from_secs(1)).await;
        assert_eq!(ns.replicas("swype").await, 1, "re-asserted after trip {trip}");
    }
    for _ in 0..4 {
        app.restart(REFUSED).await;
    }
    assert_eq!(ns.wait_for_condition("swype", "Held", "True").await["reason"], "Contested");
    fleet.read_for(QUIET).await;
    assert_eq!((ns.replicas("swype").await, trips(&ns, "swype").await), (1, 3), "a fourth trip in the hour");
    ns.delete().await;
}

#[tokio::test]
async fn the_hook_is_asked_before_the_pods_go_signed_by_a_secret_of_the_namespace() {
    let ns = test_namespace("fleet-hook").await;
    let secret =
        serde_json::from_value(json!({"metadata": {"name": "hook"}, "stringData": {"key": "s3cret"}}));
    ns.api::<Secret>().create(&PostParams::default(), &secret.expect("a Secret")).await.expect("created");
    let asked = Receiver::new(vec![Behavior::RespondsAfter(Duration::from_secs(3))], || 0);
    let notified = Receiver::new(vec![], || 0);
    let hooks = json!({
        "beforeTrip": {"url": asked.url(), "secretRef": {"name": "hook"}},
        "notify": [{"url": notified.url()}],
    });
    let mut app = guarded(&ns, "swype", json!({"hooks": hooks})).await;
    let mut fleet = controller(&ns);
    ready(&ns, "swype").await;
    for _ in 0..4 {
        app.restart(REFUSED).await;
    }
    fleet.wait_for("tripping").await;
    let request = asked.wait_for(1).remove(0);
    let status = ns.breaker_status("swype").await;
    assert_eq!(
        (ns.replicas("swype").await, &status["phase"]),
        (1, &json!("Tripping")),
        "asked before the scale"
    );
    let signature = request.headers["x-bigredbutton-signature"].strip_prefix("sha256=").expect("hexadecimal");
    let signature: Vec<u8> = (0..signature.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&signature[at..at + 2], 16).expect("hexadecimal"))
        .collect();
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"s3cret");
    hmac::verify(&key, &request.bytes, &signature).expect("signed by the Secret");
    ns.wait_for_phase("swype", "Open").await;
    assert!(!notified.wait_for(1).is_empty());
    let delivered = |status: &Value| status["record"]["notices"] == Value::Null;
    ns.wait_for_status("swype", "the notice is acknowledged", delivered).await;
    assert_eq!((ns.replicas("swype").await, asked.requests().len()), (0, 1));
    ns.delete().await;
}

/// The controller is killed before the hook responds, and again before the notification is
/// delivered.
#[tokio::test]
async fn the_next_controller_asks_again_under_the_same_key_and_delivers_what_was_not() {
    let ns = test_namespace("fleet-asks").await;
    let asked = Receiver::new(vec![Behavior::RespondsAfter(Duration::from_secs(9))], || 0);
    let notified = Receiver::later(Duration::from_secs(12), || 0);
    let hooks = json!({"beforeTrip": {"url": asked.url()}, "notify": [{"url": notified.url()}]});
    let mut app = guarded(&ns, "swype", json!({"hooks": hooks})).await;
    let mut fleet = controller(&ns);
    ready(&ns, "swype").await;
    for _ in 0..4 {
        app.restart(REFUSED).await;
    }
    fleet.wait_for("tripping").await;
    asked.wait_for(1);
    fleet.kill().await;
    assert_eq!(ns.replicas("swype").await, 1);
    let next = controller(&ns);
    let status = ns.wait_for_phase("swype", "Open").await;
    assert_ne!(status["record"]["notices"], Value::Null, "not acknowledged yet: {status:#}");
    next.kill().await;
    let keys: Vec<_> =
        asked.requests().iter().map(|request| request.headers["idempotency-key"].clone()).collect();
    assert!(matches!(&keys[..], [first, second] if first == second), "{keys:?}");
    let _last = controller(&ns);
    let delivered = |status: &Value| status["record"]["notices"] == Value::Null;
    ns.wait_for_status("swype", "the notice is acknowledged", delivered).await;
    assert_eq!(notified.requests()[0].event["type"], "dev.bigredbutton.tripped");
    assert_eq!((asked.requests().len(), trips(&ns, "swype").await), (2, 1));
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

fn hpa(name: &str, min_replicas: u32) -> HorizontalPodAutoscaler {
    serde_json::from_value(json!({
        "metadata": {"name": name},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": min_replicas,
            "maxReplicas": 5,
            "metrics": [{"type": "External", "external": {
                "metric": {"name": "queue"}, "target": {"type": "AverageValue", "averageValue": "30"},
            }}],
        },
    }))
    .expect("an HPA")
}

/// Waits until the HPA controller reports this reason for ScalingActive.
async fn scaling_active(ns: &TestNamespace, name: &str, reason: &str) {
    let all = ns.api::<HorizontalPodAutoscaler>();
    eventually(&format!("the HPA says {reason}"), || async {
        let conditions = all.get(name).await.ok()?.status?.conditions?;
        conditions
            .iter()
            .any(|c| c.type_ == "ScalingActive" && c.reason.as_deref() == Some(reason))
            .then_some(())
    })
    .await;
}

/// The HPA controller runs, but has no metrics.
#[tokio::test]
async fn an_hpa_leaves_an_open_workload_at_zero_and_works_on_after_the_reset() {
    let ns = test_namespace("fleet-hpa").await;
    let pods = ns.deployment("swype", 2).await;
    ns.api::<HorizontalPodAutoscaler>()
        .create(&PostParams::default(), &hpa("swype", 1))
        .await
        .expect("created");
    ns.breaker("swype", json!({})).await;
    let mut apps = Kubelet::start_all(&ns, &pods).await;
    let mut fleet = controller(&ns);
    ready(&ns, "swype").await;
    scaling_active(&ns, "swype", "FailedGetExternalMetric").await;
    for _ in 0..4 {
        apps[0].restart(REFUSED).await;
    }
    ns.wait_for_phase("swype", "Open").await;
    scaling_active(&ns, "swype", "ScalingDisabled").await;
    fleet.read_for(QUIET).await;
    let status = ns.breaker_status("swype").await;
    assert_eq!((ns.replicas("swype").await, &status["phase"]), (0, &json!("Open")));
    assert_eq!(condition(&status, "HPAMayScaleUp"), Value::Null, "{status:#}");
    ask_for_a_reset(&ns, "swype", &Timestamp::now().to_string()).await;
    ns.wait_for_phase("swype", "Closed").await;
    assert_eq!(ns.replicas("swype").await, 2);
    scaling_active(&ns, "swype", "FailedGetExternalMetric").await;
    ns.delete().await;
}

/// Only an API server with the feature gate HPAScaleToZero accepts such an HPA.
#[tokio::test]
async fn an_hpa_that_may_wake_an_open_workload_is_named_also_by_the_next_controller() {
    let ns = test_namespace("fleet-wake").await;
    guarded(&ns, "swype", json!({})).await;
    let hpas = ns.api::<HorizontalPodAutoscaler>();
    if let Err(kube::Error::Api(refused)) = hpas.create(&PostParams::default(), &hpa("swype", 0)).await {
        assert!(refused.message.contains("spec.minReplicas"), "{refused:?}");
        println!("left out, without the feature gate HPAScaleToZero: {}", refused.message);
        return ns.delete().await;
    }
    let fleet = controller(&ns);
    ready(&ns, "swype").await;
    assert_eq!(condition(&ns.breaker_status("swype").await, "HPAMayScaleUp"), Value::Null);
    ns.edit_breaker("swype", json!({"override": "ForcedOpen"})).await;
    let wakes = ns.wait_for_condition("swype", "HPAMayScaleUp", "True").await;
    assert!(
        wakes["message"].as_str().is_some_and(|why| why.contains("HorizontalPodAutoscaler swype")),
        "{wakes}"
    );
    ns.wait_for_event("swype", "HPAMayScaleUp").await;
    fleet.kill().await;
    let mut next = controller(&ns);
    next.wait_for("already_open").await;
    next.read_for(QUIET).await;
    let still = condition(&ns.breaker_status("swype").await, "HPAMayScaleUp");
    assert_eq!(still["lastTransitionTime"], wakes["lastTransitionTime"], "{still}");
    ask_for_a_reset(&ns, "swype", &Timestamp::now().to_string()).await;
    ns.wait_for_status("swype", "closed, and no warning", |status| {
        status["phase"] == "Closed" && condition(status, "HPAMayScaleUp") == Value::Null
    })
    .await;
    ns.delete().await;
}
