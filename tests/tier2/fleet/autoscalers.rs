//! KEDA and HorizontalPodAutoscalers beside a breaker.

use bigredbutton_tests::{Kubelet, PAUSED_REPLICAS, REFUSED, TestNamespace, condition, eventually};
use jiff::Timestamp;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::fixture::{QUIET, ask_for_a_reset, controller, guarded, ready, test_namespace};

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
