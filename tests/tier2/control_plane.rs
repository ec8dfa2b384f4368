//! `watcher` on a real API server, with a kubelet played by hand.
#![allow(missing_docs)]

use std::time::Duration;

use bigredbutton_tests::{BUG, Cluster, Kubelet, REFUSED, Space, Watcher, eventually};
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};

const APP: &str = "swype-app";

/// Long enough for anything that was going to happen: a trip takes milliseconds.
const QUIET: Duration = Duration::from_secs(3);

async fn space(name: &str) -> Space {
    Cluster::connect().await.space(name).await
}

/// Everything that `watcher run` needs.
fn all_rules() -> Vec<Value> {
    vec![
        json!({"apiGroups": ["apps"], "resources": ["deployments/scale"], "verbs": ["get", "patch"]}),
        json!({"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"]}),
        json!({"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"]}),
        json!({"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]}),
        json!({"apiGroups": [""], "resources": ["events"], "verbs": ["list"]}),
        json!({"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"]}),
        json!({"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "create", "patch", "update"]}),
    ]
}

fn all_rules_but(resource: &str) -> Value {
    all_rules().into_iter().filter(|rule| rule["resources"][0] != resource).collect()
}

#[tokio::test]
async fn the_fourth_restart_trips_says_why_and_a_reset_gives_back() {
    let space = space("fourth").await;
    let pods = space.deployment(APP, 1).await;
    let mut app = Kubelet::start(&space, &pods[0]).await;
    let mut watcher = Watcher::run(&space, APP, &[]);
    watcher.until("watching").await;
    for n in 1..=3 {
        app.restart(REFUSED).await;
        let told = watcher.until("restart").await;
        assert_eq!((told["counted"].as_u64(), told["kind"].as_str()), (Some(n), Some("refused")));
    }
    watcher.for_a_while(QUIET).await;
    assert_eq!(space.replicas(APP).await, 1, "not at the third");
    app.restart(REFUSED).await;
    let scaled = watcher.until("scaled").await;
    assert_eq!(scaled["replicas"], 1);
    assert_eq!(watcher.end().await.0, 0);
    assert_eq!(space.replicas(APP).await, 0);
    let events = space.events_on(APP).await;
    let (_, note) = events.iter().find(|(reason, _)| reason == "Tripped").expect("an Event says so");
    assert!(note.contains("connection refused") && note.contains("watcher reset"), "{note}");

    assert_eq!(Watcher::start(&space, &["reset", "--deployment", APP]).end().await.0, 0);
    assert_eq!(space.replicas(APP).await, 1);
    space.close().await;
}

#[tokio::test]
async fn a_watcher_started_after_the_restarts_trips() {
    let space = space("late").await;
    let pods = space.deployment(APP, 1).await;
    let mut app = Kubelet::start(&space, &pods[0]).await;
    app.jump(4, REFUSED).await;
    let mut watcher = Watcher::run(&space, APP, &[]);
    watcher.until("scaled").await;
    assert_eq!(watcher.end().await.0, 0);
    space.close().await;
}

#[tokio::test]
async fn a_watcher_that_ignores_what_it_did_not_see_counts_one() {
    let space = space("ignore").await;
    let pods = space.deployment(APP, 1).await;
    let mut app = Kubelet::start(&space, &pods[0]).await;
    app.jump(4, REFUSED).await;
    let mut watcher = Watcher::run(&space, APP, &["--unobserved", "ignore"]);
    let held = watcher.until("held").await;
    assert!(held["why"].as_str().unwrap_or_default().contains("nobody saw"), "{held}");
    assert_eq!(space.replicas(APP).await, 1);
    space.close().await;
}

#[tokio::test]
async fn one_bad_pod_of_three_does_not_trip_and_two_do_at_the_seventh() {
    let space = space("three").await;
    let pods = space.deployment(APP, 3).await;
    let mut apps = Kubelet::start_all(&space, &pods).await;
    let mut watcher = Watcher::run(&space, APP, &[]);
    watcher.until("watching").await;
    for _ in 0..6 {
        apps[0].restart(REFUSED).await;
    }
    watcher.restarts(6).await;
    watcher.for_a_while(QUIET).await;
    assert_eq!(space.replicas(APP).await, 3, "six restarts of one bad pod");
    apps[0].restart(REFUSED).await;
    watcher.restarts(1).await;
    watcher.for_a_while(QUIET).await;
    assert_eq!(space.replicas(APP).await, 3, "seven restarts of one bad pod");
    apps[1].restart(REFUSED).await;
    let scaled = watcher.until("scaled").await;
    assert_eq!((scaled["counted"].as_u64(), scaled["failing"].as_u64()), (Some(8), Some(2)));
    space.close().await;
}

#[tokio::test]
async fn two_bad_pods_of_three_trip_at_the_seventh_counted_restart() {
    let space = space("seventh").await;
    let pods = space.deployment(APP, 3).await;
    let mut apps = Kubelet::start_all(&space, &pods).await;
    let mut watcher = Watcher::run(&space, APP, &[]);
    watcher.until("watching").await;
    for n in 0..6 {
        apps[n % 2].restart(REFUSED).await;
    }
    watcher.restarts(6).await;
    watcher.for_a_while(QUIET).await;
    assert_eq!(space.replicas(APP).await, 3, "not at the sixth");
    apps[0].restart(REFUSED).await;
    assert_eq!(watcher.until("scaled").await["counted"], 7);
    assert_eq!(space.replicas(APP).await, 0);
    space.close().await;
}

#[tokio::test]
async fn ten_pods_that_each_restart_once_do_not_trip() {
    let space = space("blip").await;
    let pods = space.deployment(APP, 10).await;
    let mut apps = Kubelet::start_all(&space, &pods).await;
    let mut watcher = Watcher::run(&space, APP, &[]);
    watcher.until("watching").await;
    for app in &mut apps {
        app.restart(REFUSED).await;
    }
    assert_eq!(watcher.restarts(10).await["threshold"], 15);
    watcher.for_a_while(QUIET).await;
    assert_eq!(space.replicas(APP).await, 10);
    space.close().await;
}

#[tokio::test]
async fn after_a_reset_one_more_restart_does_not_trip() {
    let space = space("reset").await;
    let pods = space.deployment(APP, 1).await;
    Kubelet::start(&space, &pods[0]).await.jump(4, REFUSED).await;
    assert_eq!(Watcher::run(&space, APP, &[]).end().await.0, 0);
    assert_eq!(Watcher::start(&space, &["reset", "--deployment", APP]).end().await.0, 0);
    let pods = space.pods(1).await;
    let mut app = Kubelet::start(&space, &pods[0]).await;
    let mut watcher = Watcher::run(&space, APP, &[]);
    watcher.until("watching").await;
    app.restart(REFUSED).await;
    assert_eq!(watcher.until("restart").await["counted"], 1);
    watcher.for_a_while(QUIET).await;
    assert_eq!(space.replicas(APP).await, 1);
    space.close().await;
}

#[tokio::test]
async fn somebody_who_scales_up_by_hand_is_left_alone_and_named() {
    let space = space("contested").await;
    let pods = space.deployment(APP, 1).await;
    Kubelet::start(&space, &pods[0]).await.jump(4, REFUSED).await;
    let mut watcher = Watcher::run(&space, APP, &["--keep-watching"]);
    watcher.until("scaled").await;
    eventually("the pod is gone", || async {
        space.api::<Pod>().list(&Default::default()).await.ok()?.items.is_empty().then_some(())
    })
    .await;
    space.scale(APP, 2).await;
    let contested = watcher.until("contested").await;
    assert_eq!(contested["by"], "kubectl-scale");
    let pods = space.pods(2).await;
    let mut apps = Kubelet::start_all(&space, &pods).await;
    apps[0].restart(REFUSED).await;
    watcher.until("restart").await;
    watcher.for_a_while(QUIET).await;
    assert_eq!(space.replicas(APP).await, 2, "never re-asserted");
    assert!(space.events_on(APP).await.iter().any(|(reason, _)| reason == "Contested"));
    space.close().await;
}

#[tokio::test]
async fn an_old_revision_that_dies_during_the_roll_out_of_the_fix_does_not_trip() {
    let space = space("rollout").await;
    let pods = space.deployment(APP, 1).await;
    let mut old = Kubelet::start(&space, &pods[0]).await;
    let mut watcher = Watcher::run(&space, APP, &[]);
    watcher.until("watching").await;
    for _ in 0..3 {
        old.restart(REFUSED).await;
    }
    watcher.restarts(3).await;
    // Two pods of the same second have no order.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    // The default roll-out keeps the old pod until the new one is ready.
    let fix = Patch::Merge(json!({"spec": {"template": {"metadata": {"annotations": {"fix": "1"}}}}}));
    space.api::<Deployment>().patch(APP, &PatchParams::default(), &fix).await.unwrap();
    let pods = space.pods(2).await;
    assert_eq!(pods[0].metadata.name.as_ref(), Some(&old.pod), "the fix is the younger one");
    for _ in 0..4 {
        old.restart(REFUSED).await;
    }
    watcher.restarts(4).await;
    watcher.for_a_while(QUIET).await;
    assert_eq!(space.replicas(APP).await, 1, "{:#?}", watcher.told);
    space.close().await;
}

#[tokio::test]
async fn a_stateful_set_whose_first_pod_crash_loops_trips() {
    let space = space("sts").await;
    let pods = space.stateful_set("ledger", 3).await;
    let mut app = Kubelet::start(&space, &pods[0]).await;
    app.die("").await;
    app.runs_again().await;
    let mut watcher = Watcher::start(&space, &["run", "--target", "sts/ledger"]);
    watcher.until("watching").await;
    for _ in 0..4 {
        app.restart(REFUSED).await;
    }
    let scaled = watcher.until("scaled").await;
    assert_eq!((scaled["need"].as_u64(), scaled["replicas"].as_u64()), (Some(1), Some(3)));
    let ledger = space.api::<StatefulSet>().get("ledger").await.unwrap();
    assert_eq!(ledger.spec.and_then(|spec| spec.replicas), Some(0));
    space.close().await;
}

#[tokio::test]
async fn a_pod_replaced_half_way_keeps_its_restarts() {
    let space = space("replaced").await;
    let pods = space.deployment(APP, 1).await;
    let mut first = Kubelet::start(&space, &pods[0]).await;
    let mut watcher = Watcher::run(&space, APP, &[]);
    watcher.until("watching").await;
    first.restart(REFUSED).await;
    first.restart(REFUSED).await;
    watcher.restarts(2).await;
    space.api::<Pod>().delete(&first.pod, &DeleteParams::default()).await.unwrap();
    let pods = eventually("another pod", || async {
        let pods = space.api::<Pod>().list(&Default::default()).await.ok()?.items;
        (pods.len() == 1 && pods[0].metadata.name.as_ref() != Some(&first.pod)).then_some(pods)
    })
    .await;
    let mut second = Kubelet::start(&space, &pods[0]).await;
    second.restart(REFUSED).await;
    watcher.restarts(1).await;
    watcher.for_a_while(QUIET).await;
    assert_eq!(space.replicas(APP).await, 1, "three so far");
    second.restart(REFUSED).await;
    assert_eq!(watcher.until("scaled").await["counted"], 4);
    space.close().await;
}

#[tokio::test]
async fn restarts_of_unknown_cause_are_held_naming_the_flag() {
    let space = space("unknown").await;
    let pods = space.deployment(APP, 1).await;
    let mut app = Kubelet::start(&space, &pods[0]).await;
    let mut watcher = Watcher::run(&space, APP, &["--heartbeat", "1s"]);
    watcher.until("watching").await;
    for _ in 0..5 {
        app.restart("").await;
    }
    let held = watcher.until("held").await;
    assert_eq!(held["flag"], "--causes network,unknown");
    let heartbeat = watcher.until("heartbeat").await;
    assert!(heartbeat["held"]["why"].as_str().unwrap_or_default().contains("unknown"), "{heartbeat}");
    assert_eq!(space.replicas(APP).await, 1);

    let mut counting = Watcher::run(&space, APP, &["--causes", "network,unknown"]);
    counting.until("scaled").await;
    space.close().await;
}

#[tokio::test]
async fn other_causes_do_not_trip() {
    let space = space("others").await;
    let pods = space.deployment(APP, 1).await;
    let mut app = Kubelet::start(&space, &pods[0]).await;
    let mut watcher = Watcher::run(&space, APP, &[]);
    watcher.until("watching").await;
    for _ in 0..3 {
        app.restart(BUG).await;
        app.restart_with(137, "OOMKilled", REFUSED).await;
        app.restart_with(137, "Error", REFUSED).await;
    }
    watcher.restarts(9).await;
    watcher.for_a_while(QUIET).await;
    assert_eq!(space.replicas(APP).await, 1);
    assert!(watcher.has_told("held"));
    space.close().await;
}

#[tokio::test]
async fn a_user_without_pods_log_is_warned_once_and_messages_still_count() {
    let space = space("nolog").await;
    space.allow("nolog", all_rules_but("pods/log")).await;
    let pods = space.deployment(APP, 1).await;
    let mut app = Kubelet::start(&space, &pods[0]).await;
    let mut watcher = Watcher::run(&space, APP, &["--context", "nolog"]);
    watcher.until("watching").await;
    app.restart("").await;
    app.restart("").await;
    let told = watcher.restarts(2).await;
    assert_eq!(told["rule"], "log-forbidden");
    for _ in 0..4 {
        app.restart(REFUSED).await;
    }
    watcher.until("scaled").await;
    let warned = watcher.told.iter().filter(|told| told["event"] == "warning");
    let warned: Vec<_> =
        warned.filter(|told| told["message"].as_str().unwrap_or_default().contains("pods/log")).collect();
    assert_eq!(warned.len(), 1, "{:#?}", watcher.told);
    space.close().await;
}

#[tokio::test]
async fn a_user_without_scale_is_told_the_missing_rule() {
    let space = space("noscale").await;
    space.allow("noscale", all_rules_but("deployments/scale")).await;
    space.deployment(APP, 1).await;
    let (code, errors) = Watcher::run(&space, APP, &["--context", "noscale"]).end().await;
    assert_eq!(code, 4, "{errors}");
    assert!(errors.contains("deployments/scale") && errors.contains("verbs: ["), "{errors}");
    space.close().await;
}

#[tokio::test]
async fn a_user_who_may_read_but_not_patch_the_scale_is_told_at_the_start() {
    let space = space("readonly").await;
    let mut rules = all_rules();
    rules[0]["verbs"] = json!(["get"]);
    space.allow("plain", rules.into()).await;
    space.deployment(APP, 1).await;
    let (code, errors) = Watcher::run(&space, APP, &["--context", "plain"]).end().await;
    assert_eq!(code, 4, "{errors}");
    assert!(errors.contains("patch"), "{errors}");
    let mut dry = Watcher::run(&space, APP, &["--context", "plain", "--dry-run"]);
    dry.until("watching").await;
    space.close().await;
}

#[tokio::test]
async fn an_unknown_deployment_is_not_found() {
    let space = space("nobody").await;
    let (code, errors) = Watcher::run(&space, "no-such-app", &[]).end().await;
    assert_eq!(code, 3, "{errors}");
    assert!(errors.contains("no-such-app"), "{errors}");
    space.close().await;
}

#[tokio::test]
async fn a_deployment_deleted_under_the_watch_is_lost() {
    let space = space("lost").await;
    let pods = space.deployment(APP, 1).await;
    Kubelet::start(&space, &pods[0]).await;
    let mut watcher = Watcher::run(&space, APP, &[]);
    watcher.until("watching").await;
    space.api::<Deployment>().delete(APP, &DeleteParams::default()).await.unwrap();
    assert_eq!(watcher.end().await.0, 3);
    space.close().await;
}

#[tokio::test]
async fn two_watchers_at_once_make_one_trip() {
    let space = space("two").await;
    let pods = space.deployment(APP, 1).await;
    let mut app = Kubelet::start(&space, &pods[0]).await;
    let mut one = Watcher::run(&space, APP, &[]);
    let mut two = Watcher::run(&space, APP, &[]);
    one.until("watching").await;
    two.until("watching").await;
    for _ in 0..4 {
        app.restart(REFUSED).await;
    }
    assert_eq!(one.end().await.0, 0);
    assert_eq!(two.end().await.0, 0);
    let acted = [&one, &two].into_iter().filter(|watcher| {
        watcher.told.iter().any(|told| told["event"] == "scaled" && told["already"] == false)
    });
    assert_eq!(acted.count(), 1);
    let tripped = space.events_on(APP).await.into_iter().filter(|(reason, _)| reason == "Tripped");
    assert_eq!(tripped.count(), 1);
    assert_eq!(space.record(APP).await.unwrap()["state"]["replicas"], 1);
    space.close().await;
}

#[tokio::test]
async fn the_button_can_be_pressed_and_status_says_so() {
    let space = space("press").await;
    space.deployment(APP, 2).await;
    assert_eq!(Watcher::start(&space, &["trip", "--deployment", APP]).end().await.0, 0);
    assert_eq!(space.replicas(APP).await, 0);
    let mut status = Watcher::start(&space, &["status", "--deployment", APP]);
    assert_eq!(status.end().await.0, 0);
    assert_eq!(status.told[0]["phase"], "Open", "{:#?}", status.told);
    assert_eq!(Watcher::start(&space, &["reset", "--deployment", APP]).end().await.0, 0);
    assert_eq!(space.replicas(APP).await, 2);
    space.close().await;
}

#[tokio::test]
async fn a_pods_deaths_are_explained_with_the_place_of_their_words() {
    let space = space("explain").await;
    let pods = space.deployment(APP, 1).await;
    let name = pods[0].metadata.name.clone().expect("a name");
    Kubelet::start(&space, &pods[0]).await.restart(REFUSED).await;
    let mut watcher = Watcher::start_lines(&space, &["explain", &name]);
    assert_eq!(watcher.end().await.0, 0);
    let death = &watcher.told[0];
    assert_eq!((&death["cause"], &death["kind"]), (&json!("network"), &json!("refused")), "{death:#}");
    assert_eq!(death["place"], "message line 1", "{death:#}");
    let id = death["id"].as_str().unwrap_or_default();
    assert!(id.starts_with(&format!("{name}/")) && id.contains(" exit 1 at "), "{id}");
    assert_eq!(Watcher::start_lines(&space, &["explain", "nobody-0"]).end().await.0, 3);
    space.close().await;
}

#[tokio::test]
async fn a_dry_run_writes_nothing_at_all() {
    let space = space("dry").await;
    let pods = space.deployment(APP, 1).await;
    Kubelet::start(&space, &pods[0]).await.jump(4, REFUSED).await;
    let mut watcher = Watcher::run(&space, APP, &["--dry-run"]);
    watcher.until("would_trip").await;
    assert_eq!(watcher.end().await.0, 0);
    assert_eq!((space.replicas(APP).await, space.record(APP).await), (1, None));
    assert!(space.events_on(APP).await.is_empty());
    space.close().await;
}

/// SIGKILL after what it told, then again from the start: at once, and after the service has healed.
#[tokio::test]
async fn a_watcher_killed_and_started_again_ends_the_same() {
    for after in ["watching", "restart", "tripping", "scaled"] {
        let space = space("killed").await;
        let pods = space.deployment(APP, 1).await;
        let mut app = Kubelet::start(&space, &pods[0]).await;
        let mut watcher = Watcher::run(&space, APP, &[]);
        watcher.until("watching").await;
        app.restart(REFUSED).await;
        app.restart(REFUSED).await;
        if after == "restart" {
            watcher.restarts(2).await;
        } else if after != "watching" {
            app.restart(REFUSED).await;
            app.restart(REFUSED).await;
            watcher.until(after).await;
        }
        watcher.kill().await;
        let mut again = Watcher::run(&space, APP, &[]);
        if matches!(after, "watching" | "restart") {
            again.until("watching").await;
            app.restart(REFUSED).await;
            again.for_a_while(QUIET).await;
            assert_eq!(space.replicas(APP).await, 1, "three after {after}");
            app.restart(REFUSED).await;
        }
        assert_eq!(again.end().await.0, 0, "after {after}");
        assert_eq!(space.replicas(APP).await, 0, "after {after}");
        let record = space.record(APP).await.unwrap();
        assert_eq!((&record["state"]["phase"], &record["state"]["replicas"]), (&json!("Open"), &json!(1)));
        let tripped = space.events_on(APP).await.into_iter().filter(|(reason, _)| reason == "Tripped");
        assert_eq!(tripped.count(), 1, "after {after}");
        space.close().await;
    }
}
