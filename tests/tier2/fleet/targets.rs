//! Targets that are missing, created again or shared, and breakers that come and go.

use std::time::Duration;

use bigredbutton_tests::{Kubelet, REFUSED, condition, eventually};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, ListParams};
use serde_json::{Value, json};

use crate::fixture::{QUIET, controller, guarded, ready, test_namespace};

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
async fn a_breaker_of_the_same_name_with_another_target_leaves_the_former_one_as_it_is() {
    let ns = test_namespace("fleet-moved").await;
    guarded(&ns, "swype", json!({})).await.restart_unobserved(4, REFUSED).await;
    let pods = ns.deployment_beside("other", 1).await;
    let mut other = Kubelet::start(&ns, &pods[0]).await;
    let _fleet = controller(&ns);
    ns.wait_for_phase("swype", "Open").await;
    // The target of a breaker cannot be changed: the breaker is replaced.
    ns.breakers().delete("swype", &DeleteParams::default()).await.expect("deleted");
    ns.wait_for_event("swype", "WorkloadLeftScaledDown").await;
    ns.breaker("swype", json!({"targetRef": {"kind": "Deployment", "name": "other"}})).await;
    ns.wait_for_phase("swype", "Closed").await;
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
