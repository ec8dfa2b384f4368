//! `watcher` on a real API server, with a simulated kubelet.
#![allow(missing_docs)]

use std::time::Duration;

use bigredbutton_tests::{BUG, Cluster, Kubelet, REFUSED, TestNamespace, Watcher, eventually, run_rules};
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

const APP: &str = "swype-app";

/// How long to wait before asserting that nothing happened; a trip takes milliseconds.
const QUIET: Duration = Duration::from_secs(3);

async fn test_namespace(name: &str) -> TestNamespace {
    Cluster::connect().await.test_namespace(name).await
}

fn run_rules_but(resource: &str) -> Value {
    run_rules().into_iter().filter(|rule| rule["resources"][0] != resource).collect()
}

#[tokio::test]
async fn the_fourth_restart_trips_with_a_reason_and_a_reset_restores_the_replicas() {
    let ns = test_namespace("fourth").await;
    let pods = ns.deployment(APP, 1).await;
    let mut app = Kubelet::start(&ns, &pods[0]).await;
    let mut watcher = Watcher::run(&ns, APP, &[]);
    watcher.wait_for("watching").await;
    for n in 1..=3 {
        app.restart(REFUSED).await;
        let event = watcher.wait_for("restart").await;
        assert_eq!((event["counted"].as_u64(), event["kind"].as_str()), (Some(n), Some("refused")));
    }
    watcher.read_for(QUIET).await;
    assert_eq!(ns.replicas(APP).await, 1, "not at the third");
    app.restart(REFUSED).await;
    let scaled = watcher.wait_for("scaled").await;
    assert_eq!(scaled["replicas"], 1);
    assert_eq!(watcher.wait_for_exit().await.0, 0);
    assert_eq!(ns.replicas(APP).await, 0);
    let events = ns.events_on(APP).await;
    let (_, note) = events.iter().find(|(reason, _)| reason == "Tripped").expect("an Event says so");
    assert!(note.contains("connection refused") && note.contains("watcher reset"), "{note}");

    assert_eq!(Watcher::start(&ns, &["reset", "--deployment", APP]).wait_for_exit().await.0, 0);
    assert_eq!(ns.replicas(APP).await, 1);
    ns.delete().await;
}

#[tokio::test]
async fn a_watcher_started_after_the_restarts_trips() {
    let ns = test_namespace("late").await;
    let pods = ns.deployment(APP, 1).await;
    let mut app = Kubelet::start(&ns, &pods[0]).await;
    app.restart_unobserved(4, REFUSED).await;
    let mut watcher = Watcher::run(&ns, APP, &[]);
    watcher.wait_for("scaled").await;
    assert_eq!(watcher.wait_for_exit().await.0, 0);
    ns.delete().await;
}

#[tokio::test]
async fn a_watcher_that_ignores_what_it_did_not_see_counts_one() {
    let ns = test_namespace("ignore").await;
    let pods = ns.deployment(APP, 1).await;
    let mut app = Kubelet::start(&ns, &pods[0]).await;
    app.restart_unobserved(4, REFUSED).await;
    let mut watcher = Watcher::run(&ns, APP, &["--unobserved", "ignore"]);
    let held = watcher.wait_for("held").await;
    assert!(held["why"].as_str().unwrap_or_default().contains("its end was not observed"), "{held}");
    assert_eq!(ns.replicas(APP).await, 1);
    ns.delete().await;
}

#[tokio::test]
async fn one_bad_pod_of_three_does_not_trip_and_two_do_at_the_seventh() {
    let ns = test_namespace("three").await;
    let pods = ns.deployment(APP, 3).await;
    let mut apps = Kubelet::start_all(&ns, &pods).await;
    let mut watcher = Watcher::run(&ns, APP, &[]);
    watcher.wait_for("watching").await;
    for _ in 0..6 {
        apps[0].restart(REFUSED).await;
    }
    watcher.wait_for_restarts(6).await;
    watcher.read_for(QUIET).await;
    assert_eq!(ns.replicas(APP).await, 3, "six restarts of one bad pod");
    apps[0].restart(REFUSED).await;
    watcher.wait_for_restarts(1).await;
    watcher.read_for(QUIET).await;
    assert_eq!(ns.replicas(APP).await, 3, "seven restarts of one bad pod");
    apps[1].restart(REFUSED).await;
    let scaled = watcher.wait_for("scaled").await;
    assert_eq!((scaled["counted"].as_u64(), scaled["failing"].as_u64()), (Some(8), Some(2)));
    ns.delete().await;
}

#[tokio::test]
async fn two_bad_pods_of_three_trip_at_the_seventh_counted_restart() {
    let ns = test_namespace("seventh").await;
    let pods = ns.deployment(APP, 3).await;
    let mut apps = Kubelet::start_all(&ns, &pods).await;
    let mut watcher = Watcher::run(&ns, APP, &[]);
    watcher.wait_for("watching").await;
    for n in 0..6 {
        apps[n % 2].restart(REFUSED).await;
    }
    watcher.wait_for_restarts(6).await;
    watcher.read_for(QUIET).await;
    assert_eq!(ns.replicas(APP).await, 3, "not at the sixth");
    apps[0].restart(REFUSED).await;
    assert_eq!(watcher.wait_for("scaled").await["counted"], 7);
    assert_eq!(ns.replicas(APP).await, 0);
    ns.delete().await;
}

#[tokio::test]
async fn ten_pods_that_each_restart_once_do_not_trip() {
    let ns = test_namespace("blip").await;
    let pods = ns.deployment(APP, 10).await;
    let mut apps = Kubelet::start_all(&ns, &pods).await;
    let mut watcher = Watcher::run(&ns, APP, &[]);
    watcher.wait_for("watching").await;
    for app in &mut apps {
        app.restart(REFUSED).await;
    }
    assert_eq!(watcher.wait_for_restarts(10).await["threshold"], 15);
    watcher.read_for(QUIET).await;
    assert_eq!(ns.replicas(APP).await, 10);
    ns.delete().await;
}

#[tokio::test]
async fn after_a_reset_one_more_restart_does_not_trip() {
    let ns = test_namespace("reset").await;
    let pods = ns.deployment(APP, 1).await;
    Kubelet::start(&ns, &pods[0]).await.restart_unobserved(4, REFUSED).await;
    assert_eq!(Watcher::run(&ns, APP, &[]).wait_for_exit().await.0, 0);
    assert_eq!(Watcher::start(&ns, &["reset", "--deployment", APP]).wait_for_exit().await.0, 0);
    let pods = ns.wait_for_pods(1).await;
    let mut app = Kubelet::start(&ns, &pods[0]).await;
    let mut watcher = Watcher::run(&ns, APP, &[]);
    watcher.wait_for("watching").await;
    app.restart(REFUSED).await;
    assert_eq!(watcher.wait_for("restart").await["counted"], 1);
    watcher.read_for(QUIET).await;
    assert_eq!(ns.replicas(APP).await, 1);
    ns.delete().await;
}

#[tokio::test]
async fn somebody_who_scales_up_by_hand_is_left_alone_and_named() {
    let ns = test_namespace("contested").await;
    let pods = ns.deployment(APP, 1).await;
    Kubelet::start(&ns, &pods[0]).await.restart_unobserved(4, REFUSED).await;
    let mut watcher = Watcher::run(&ns, APP, &["--keep-watching"]);
    watcher.wait_for("scaled").await;
    eventually("the pod is gone", || async {
        ns.api::<Pod>().list(&Default::default()).await.ok()?.items.is_empty().then_some(())
    })
    .await;
    ns.scale(APP, 2).await;
    let contested = watcher.wait_for("contested").await;
    assert_eq!(contested["by"], "kubectl-scale");
    let pods = ns.wait_for_pods(2).await;
    let mut apps = Kubelet::start_all(&ns, &pods).await;
    apps[0].restart(REFUSED).await;
    watcher.wait_for("restart").await;
    watcher.read_for(QUIET).await;
    assert_eq!(ns.replicas(APP).await, 2, "never re-asserted");
    assert!(ns.events_on(APP).await.iter().any(|(reason, _)| reason == "Contested"));
    ns.delete().await;
}

/// Once 0 was written to the scale, the API server keeps no manager of what is written there.
#[tokio::test]
async fn a_client_that_scales_up_by_the_scale_subresource_is_another_client() {
    let ns = test_namespace("unnamed").await;
    let pods = ns.deployment(APP, 1).await;
    Kubelet::start(&ns, &pods[0]).await.restart_unobserved(4, REFUSED).await;
    let mut watcher = Watcher::run(&ns, APP, &["--keep-watching"]);
    watcher.wait_for("scaled").await;
    eventually("the pod is gone", || async {
        ns.api::<Pod>().list(&Default::default()).await.ok()?.items.is_empty().then_some(())
    })
    .await;
    let params = PatchParams { field_manager: Some("kubectl".into()), ..PatchParams::default() };
    let patch = Patch::Merge(json!({"spec": {"replicas": 2}}));
    ns.api::<Deployment>().patch_scale(APP, &params, &patch).await.expect("scaled");
    assert_eq!(watcher.wait_for("contested").await["by"], "another client");
    ns.delete().await;
}

#[tokio::test]
async fn an_old_revision_that_dies_during_the_roll_out_of_the_fix_does_not_trip() {
    let ns = test_namespace("rollout").await;
    let pods = ns.deployment(APP, 1).await;
    let mut old = Kubelet::start(&ns, &pods[0]).await;
    let mut watcher = Watcher::run(&ns, APP, &[]);
    watcher.wait_for("watching").await;
    for _ in 0..3 {
        old.restart(REFUSED).await;
    }
    watcher.wait_for_restarts(3).await;
    // Creation times have a resolution of one second.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    // The default rollout keeps the old pod until the new one is ready.
    let fix = Patch::Merge(json!({"spec": {"template": {"metadata": {"annotations": {"fix": "1"}}}}}));
    ns.api::<Deployment>().patch(APP, &PatchParams::default(), &fix).await.unwrap();
    let pods = ns.wait_for_pods(2).await;
    assert_eq!(pods[0].metadata.name.as_ref(), Some(&old.pod), "the fix is the younger one");
    for _ in 0..4 {
        old.restart(REFUSED).await;
    }
    watcher.wait_for_restarts(4).await;
    watcher.read_for(QUIET).await;
    assert_eq!(ns.replicas(APP).await, 1, "{:#?}", watcher.events);
    ns.delete().await;
}

#[tokio::test]
async fn a_stateful_set_whose_first_pod_crash_loops_trips() {
    let ns = test_namespace("sts").await;
    let pods = ns.stateful_set("ledger", 3).await;
    let mut app = Kubelet::start(&ns, &pods[0]).await;
    app.terminate("").await;
    app.start_again().await;
    let mut watcher = Watcher::start(&ns, &["run", "--target", "sts/ledger"]);
    watcher.wait_for("watching").await;
    for _ in 0..4 {
        app.restart(REFUSED).await;
    }
    let scaled = watcher.wait_for("scaled").await;
    assert_eq!((scaled["need"].as_u64(), scaled["replicas"].as_u64()), (Some(1), Some(3)));
    let ledger = ns.api::<StatefulSet>().get("ledger").await.unwrap();
    assert_eq!(ledger.spec.and_then(|spec| spec.replicas), Some(0));
    ns.delete().await;
}

#[tokio::test]
async fn a_pod_replaced_half_way_keeps_its_restarts() {
    let ns = test_namespace("replaced").await;
    let pods = ns.deployment(APP, 1).await;
    let mut first = Kubelet::start(&ns, &pods[0]).await;
    let mut watcher = Watcher::run(&ns, APP, &[]);
    watcher.wait_for("watching").await;
    first.restart(REFUSED).await;
    first.restart(REFUSED).await;
    watcher.wait_for_restarts(2).await;
    ns.api::<Pod>().delete(&first.pod, &DeleteParams::default()).await.unwrap();
    let pods = eventually("another pod", || async {
        let pods = ns.api::<Pod>().list(&Default::default()).await.ok()?.items;
        (pods.len() == 1 && pods[0].metadata.name.as_ref() != Some(&first.pod)).then_some(pods)
    })
    .await;
    let mut second = Kubelet::start(&ns, &pods[0]).await;
    second.restart(REFUSED).await;
    watcher.wait_for_restarts(1).await;
    watcher.read_for(QUIET).await;
    assert_eq!(ns.replicas(APP).await, 1, "three so far");
    second.restart(REFUSED).await;
    assert_eq!(watcher.wait_for("scaled").await["counted"], 4);
    ns.delete().await;
}

#[tokio::test]
async fn restarts_of_unknown_cause_are_held_naming_the_flag() {
    let ns = test_namespace("unknown").await;
    let pods = ns.deployment(APP, 1).await;
    let mut app = Kubelet::start(&ns, &pods[0]).await;
    let mut watcher = Watcher::run(&ns, APP, &["--heartbeat", "1s"]);
    watcher.wait_for("watching").await;
    for _ in 0..5 {
        app.restart("").await;
    }
    let held = watcher.wait_for("held").await;
    assert_eq!(held["wouldTripWith"], json!(["network", "unknown"]));
    let heartbeat = watcher.wait_for("heartbeat").await;
    assert!(heartbeat["held"]["why"].as_str().unwrap_or_default().contains("unknown"), "{heartbeat}");
    assert_eq!(ns.replicas(APP).await, 1);

    let mut counting = Watcher::run(&ns, APP, &["--causes", "network,unknown"]);
    counting.wait_for("scaled").await;
    ns.delete().await;
}

#[tokio::test]
async fn other_causes_do_not_trip() {
    let ns = test_namespace("others").await;
    let pods = ns.deployment(APP, 1).await;
    let mut app = Kubelet::start(&ns, &pods[0]).await;
    let mut watcher = Watcher::run(&ns, APP, &[]);
    watcher.wait_for("watching").await;
    for _ in 0..3 {
        app.restart(BUG).await;
        app.restart_with(137, "OOMKilled", REFUSED).await;
        app.restart_with(137, "Error", REFUSED).await;
    }
    watcher.wait_for_restarts(9).await;
    watcher.read_for(QUIET).await;
    assert_eq!(ns.replicas(APP).await, 1);
    assert!(watcher.has_emitted("held"));
    ns.delete().await;
}

#[tokio::test]
async fn a_user_without_pods_log_is_warned_once_and_messages_still_count() {
    let ns = test_namespace("nolog").await;
    ns.allow("nolog", run_rules_but("pods/log")).await;
    let pods = ns.deployment(APP, 1).await;
    let mut app = Kubelet::start(&ns, &pods[0]).await;
    let mut watcher = Watcher::run(&ns, APP, &["--context", "nolog"]);
    watcher.wait_for("watching").await;
    app.restart("").await;
    app.restart("").await;
    let event = watcher.wait_for_restarts(2).await;
    assert_eq!(event["rule"], "log-forbidden");
    for _ in 0..4 {
        app.restart(REFUSED).await;
    }
    watcher.wait_for("scaled").await;
    let warned = watcher.events.iter().filter(|event| event["event"] == "warning");
    let warned: Vec<_> =
        warned.filter(|event| event["message"].as_str().unwrap_or_default().contains("pods/log")).collect();
    assert_eq!(warned.len(), 1, "{:#?}", watcher.events);
    ns.delete().await;
}

#[tokio::test]
async fn a_user_without_scale_sees_the_missing_rule() {
    let ns = test_namespace("noscale").await;
    ns.allow("noscale", run_rules_but("deployments/scale")).await;
    ns.deployment(APP, 1).await;
    let (code, errors) = Watcher::run(&ns, APP, &["--context", "noscale"]).wait_for_exit().await;
    assert_eq!(code, 4, "{errors}");
    assert!(errors.contains("not allowed to get deployments/scale"), "{errors}");
    ns.apply_missing_rights(&errors);
    let mut watcher = Watcher::run(&ns, APP, &["--context", "noscale"]);
    watcher.wait_for("watching").await;
    ns.delete().await;
}

#[tokio::test]
async fn a_user_who_may_read_but_not_patch_the_scale_is_refused_at_the_start() {
    let ns = test_namespace("readonly").await;
    let mut rules = run_rules();
    rules[0]["verbs"] = json!(["get"]);
    ns.allow("plain", rules.into()).await;
    ns.deployment(APP, 1).await;
    let (code, errors) = Watcher::run(&ns, APP, &["--context", "plain"]).wait_for_exit().await;
    assert_eq!(code, 4, "{errors}");
    assert!(errors.contains("patch"), "{errors}");
    let mut dry = Watcher::run(&ns, APP, &["--context", "plain", "--dry-run"]);
    dry.wait_for("watching").await;
    ns.delete().await;
}

#[tokio::test]
async fn an_unknown_deployment_is_not_found() {
    let ns = test_namespace("nobody").await;
    let (code, errors) = Watcher::run(&ns, "no-such-app", &[]).wait_for_exit().await;
    assert_eq!(code, 3, "{errors}");
    assert!(errors.contains("no-such-app"), "{errors}");
    ns.delete().await;
}

#[tokio::test]
async fn a_deployment_deleted_under_the_watch_is_lost() {
    let ns = test_namespace("lost").await;
    let pods = ns.deployment(APP, 1).await;
    Kubelet::start(&ns, &pods[0]).await;
    let mut watcher = Watcher::run(&ns, APP, &[]);
    watcher.wait_for("watching").await;
    ns.api::<Deployment>().delete(APP, &DeleteParams::default()).await.unwrap();
    assert_eq!(watcher.wait_for_exit().await.0, 3);
    ns.delete().await;
}

#[tokio::test]
async fn two_watchers_at_once_make_one_trip() {
    let ns = test_namespace("two").await;
    let pods = ns.deployment(APP, 1).await;
    let mut app = Kubelet::start(&ns, &pods[0]).await;
    let mut one = Watcher::run(&ns, APP, &[]);
    let mut two = Watcher::run(&ns, APP, &[]);
    one.wait_for("watching").await;
    two.wait_for("watching").await;
    for _ in 0..4 {
        app.restart(REFUSED).await;
    }
    assert_eq!(one.wait_for_exit().await.0, 0);
    assert_eq!(two.wait_for_exit().await.0, 0);
    let acted = [&one, &two].into_iter().filter(|watcher| {
        watcher.events.iter().any(|event| event["event"] == "scaled" && event["already"] == false)
    });
    assert_eq!(acted.count(), 1);
    let tripped = ns.events_on(APP).await.into_iter().filter(|(reason, _)| reason == "Tripped");
    assert_eq!(tripped.count(), 1);
    assert_eq!(ns.record(APP).await.unwrap()["state"]["replicas"], 1);
    ns.delete().await;
}

#[tokio::test]
async fn a_trip_by_hand_is_shown_by_status() {
    let ns = test_namespace("press").await;
    ns.deployment(APP, 2).await;
    assert_eq!(Watcher::start(&ns, &["trip", "--deployment", APP]).wait_for_exit().await.0, 0);
    assert_eq!(ns.replicas(APP).await, 0);
    let mut status = Watcher::start(&ns, &["status", "--deployment", APP]);
    assert_eq!(status.wait_for_exit().await.0, 0);
    assert_eq!(status.events[0]["phase"], "Open", "{:#?}", status.events);
    assert_eq!(Watcher::start(&ns, &["reset", "--deployment", APP]).wait_for_exit().await.0, 0);
    assert_eq!(ns.replicas(APP).await, 2);
    ns.delete().await;
}

#[tokio::test]
async fn the_terminations_of_a_pod_are_explained_with_the_source_of_their_evidence() {
    let ns = test_namespace("explain").await;
    let pods = ns.deployment(APP, 1).await;
    let name = pods[0].metadata.name.clone().expect("a name");
    Kubelet::start(&ns, &pods[0]).await.restart(REFUSED).await;
    let mut watcher = Watcher::start_lines(&ns, &["explain", &name]);
    assert_eq!(watcher.wait_for_exit().await.0, 0);
    let death = &watcher.events[0];
    assert_eq!((&death["cause"], &death["kind"]), (&json!("network"), &json!("refused")), "{death:#}");
    assert_eq!(death["place"], "message line 1", "{death:#}");
    let id = death["id"].as_str().unwrap_or_default();
    assert!(id.starts_with(&format!("{name}/")) && id.contains(" exit 1 at "), "{id}");
    assert_eq!(Watcher::start_lines(&ns, &["explain", "nobody-0"]).wait_for_exit().await.0, 3);
    ns.delete().await;
}

#[tokio::test]
async fn a_dry_run_writes_nothing_at_all() {
    let ns = test_namespace("dry").await;
    let pods = ns.deployment(APP, 1).await;
    Kubelet::start(&ns, &pods[0]).await.restart_unobserved(4, REFUSED).await;
    let mut watcher = Watcher::run(&ns, APP, &["--dry-run"]);
    watcher.wait_for("would_trip").await;
    assert_eq!(watcher.wait_for_exit().await.0, 0);
    assert_eq!((ns.replicas(APP).await, ns.record(APP).await), (1, None));
    assert!(ns.events_on(APP).await.is_empty());
    ns.delete().await;
}

/// SIGKILL after an event, then a restart: at once, and after the service has recovered.
#[tokio::test]
async fn a_watcher_killed_and_started_again_ends_the_same() {
    for after in ["watching", "restart", "tripping", "scaled"] {
        let ns = test_namespace("killed").await;
        let pods = ns.deployment(APP, 1).await;
        let mut app = Kubelet::start(&ns, &pods[0]).await;
        let mut watcher = Watcher::run(&ns, APP, &[]);
        watcher.wait_for("watching").await;
        app.restart(REFUSED).await;
        app.restart(REFUSED).await;
        if after == "restart" {
            watcher.wait_for_restarts(2).await;
        } else if after != "watching" {
            app.restart(REFUSED).await;
            app.restart(REFUSED).await;
            watcher.wait_for(after).await;
        }
        watcher.kill().await;
        let mut again = Watcher::run(&ns, APP, &[]);
        if matches!(after, "watching" | "restart") {
            again.wait_for("watching").await;
            app.restart(REFUSED).await;
            again.read_for(QUIET).await;
            assert_eq!(ns.replicas(APP).await, 1, "three after {after}");
            app.restart(REFUSED).await;
        }
        assert_eq!(again.wait_for_exit().await.0, 0, "after {after}");
        assert_eq!(ns.replicas(APP).await, 0, "after {after}");
        let record = ns.record(APP).await.unwrap();
        assert_eq!((&record["state"]["phase"], &record["state"]["replicas"]), (&json!("Open"), &json!(1)));
        let tripped = ns.events_on(APP).await.into_iter().filter(|(reason, _)| reason == "Tripped");
        assert_eq!(tripped.count(), 1, "after {after}");
        ns.delete().await;
    }
}

/// Creates a Service without pods, with the endpoints that are ready or not. Returns its ClusterIP.
async fn service(ns: &TestNamespace, name: &str, ready: &[bool]) -> String {
    let service = json!({"metadata": {"name": name}, "spec": {"ports": [{"port": 443}]}});
    let service: Service = serde_json::from_value(service).expect("a Service");
    let created = ns.api::<Service>().create(&PostParams::default(), &service).await.expect("created");
    let endpoint = |(n, ready): (usize, &bool)| json!({"addresses": [format!("10.1.0.{n}")], "conditions": {"ready": ready}});
    let slice = json!({
        "metadata": {
            "name": format!("{name}-1"),
            "labels": {"kubernetes.io/service-name": name},
            "annotations": {"endpoints.kubernetes.io/last-change-trigger-time": "2026-01-02T08:24:31Z"},
        },
        "addressType": "IPv4",
        "endpoints": ready.iter().enumerate().map(endpoint).collect::<Vec<_>>(),
        "ports": [{"port": 443}],
    });
    let slice: EndpointSlice = serde_json::from_value(slice).expect("an EndpointSlice");
    ns.api::<EndpointSlice>().create(&PostParams::default(), &slice).await.expect("created");
    created.spec.and_then(|spec| spec.cluster_ip).expect("a ClusterIP")
}

#[tokio::test]
async fn a_peer_that_is_a_service_is_shown_with_its_endpoints() {
    let ns = test_namespace("peer-service").await;
    let gateway_ip = service(&ns, "swype-gateway", &[false, false]).await;
    service(&ns, "ledger", &[true, true, true]).await;
    let pods = ns.deployment(APP, 1).await;
    let mut app = Kubelet::start(&ns, &pods[0]).await;
    let mut watcher = Watcher::run(&ns, APP, &["--max-restarts", "10"]);
    watcher.wait_for("watching").await;
    let none = "0 ready endpoints since 2026-01-02 08:24";
    let (space, by_ip) = (&ns.name, format!("Service {}/swype-gateway: {none}", ns.name));
    for (peer, status) in [
        ("swype-gateway:443".to_owned(), Some(none)),
        (format!("swype-gateway.{space}.svc.cluster.local:443"), Some(none)),
        (format!("{gateway_ip}:443"), Some(by_ip.as_str())),
        (format!("ledger.{space}:443"), Some("all 3 endpoints ready: the fault may be on the way")),
        ("elsewhere:443".to_owned(), None),
    ] {
        app.restart(&format!("Error: connect ECONNREFUSED {peer}")).await;
        let event = watcher.wait_for("restart").await;
        assert_eq!(event["peer"], *peer, "{event}");
        assert_eq!(event["peerStatus"].as_str(), status, "{event}");
    }
    watcher.kill().await;
    ns.delete().await;
}

/// Without the optional right nothing is said of endpoints, and nothing is warned of.
#[tokio::test]
async fn without_the_right_to_endpoints_the_watcher_says_nothing_of_them() {
    let ns = test_namespace("peer-forbidden").await;
    ns.allow("plain", run_rules().into()).await;
    service(&ns, "swype-gateway", &[false]).await;
    let pods = ns.deployment(APP, 1).await;
    let mut app = Kubelet::start(&ns, &pods[0]).await;
    let mut watcher = Watcher::run(&ns, APP, &["--context", "plain"]);
    watcher.wait_for("watching").await;
    for _ in 0..4 {
        app.restart("Error: connect ECONNREFUSED swype-gateway:443").await;
    }
    let scaled = watcher.wait_for("scaled").await;
    assert_eq!((scaled["peer"].as_str(), scaled["peerStatus"].as_str()), (Some("swype-gateway:443"), None));
    assert!(!watcher.has_emitted("warning"), "{:#?}", watcher.events);
    ns.delete().await;
}
