//! When a breaker trips, what it says, and how its workload comes back.

use std::time::Duration;

use bigredbutton_tests::{BUG, Kubelet, REFUSED, condition, eventually};
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::fixture::{QUIET, ask_for_a_reset, controller, guarded, ready, start_pods, test_namespace, trips};

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
    let columns: Vec<_> = row.split_whitespace().take(6).collect();
    assert_eq!(columns, ["swype", "True", "Watching", "Open", "4", "swype"]);
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
        let would_trip = |status: &Value| {
            condition(status, "Tripped")["reason"] == "WouldTrip"
                && status["wouldTrip"][0]["cause"] == "network:refused"
        };
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
