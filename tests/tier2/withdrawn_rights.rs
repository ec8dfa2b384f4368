//! Rights that are withdrawn while `watcher` runs: nothing goes blind without saying so.
#![allow(missing_docs)]

use std::time::{Duration, Instant};

use bigredbutton_tests::{Cluster, ControllerEndpoints, TestNamespace, Watcher, controller_rules};
use k8s_openapi::api::rbac::v1::Role;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

/// The API server ends a watch after a minute; only the next one is refused.
const WATCH_TIME: Duration = Duration::from_secs(100);

async fn set_rules(ns: &TestNamespace, user: &str, rules: Vec<Value>) {
    let patch = Patch::Merge(json!({"rules": rules}));
    ns.api::<Role>().patch(user, &PatchParams::default(), &patch).await.expect("the role is changed");
}

fn without_watch_of(resource: &str) -> Vec<Value> {
    let mut rules = controller_rules();
    for rule in &mut rules {
        if rule["resources"][0] == resource {
            rule["verbs"] = json!(["get"]);
        }
    }
    rules
}

/// Waits until `/readyz` has this status and its text has these words.
async fn readyz(endpoints: &ControllerEndpoints, status: u16, words: &str) {
    let end = Instant::now() + WATCH_TIME;
    loop {
        let answer = endpoints.get("/readyz").await;
        if answer.0 == status && answer.1.contains(words) {
            return;
        }
        assert!(Instant::now() < end, "not {status} `{words}`: {answer:?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test]
async fn a_user_who_may_no_longer_watch_breakers_is_told_by_readyz() {
    let ns = Cluster::connect().await.with_breakers().await.test_namespace("unseen").await;
    ns.allow("plain", controller_rules().into()).await;
    ns.create_deployment("swype", 2).await;
    ns.breaker("swype", json!({})).await;
    let args = ["controller", "--context", "plain", "--leader-elect=false", "--bind-address", "127.0.0.1:0"];
    let mut fleet = Watcher::start(&ns, &args);
    let endpoints = ControllerEndpoints::wait_for(&mut fleet).await;
    readyz(&endpoints, 200, "leader").await;
    ns.wait_for_condition("swype", "Ready", "True").await;
    set_rules(&ns, "plain", without_watch_of("circuitbreakers")).await;
    readyz(&endpoints, 503, "the watch of CircuitBreakers is down: ").await;
    let (_, why) = endpoints.get("/readyz").await;
    assert!(why.contains("cannot watch resource \"circuitbreakers\""), "{why}");
    assert!(!why.contains("Status {") && !why.contains("Some("), "{why}");
    // What is asked for now is heard once the right is back.
    ns.edit_breaker("swype", json!({"override": "ForcedOpen"})).await;
    set_rules(&ns, "plain", controller_rules()).await;
    readyz(&endpoints, 200, "leader").await;
    ns.wait_for_phase("swype", "Open").await;
    fleet.read_for(Duration::from_secs(1)).await;
    let told = |words: &str| {
        let notes = fleet.events.iter().filter(|event| event["event"] == "note");
        notes.filter(|note| note["message"].as_str().is_some_and(|text| text.contains(words))).count()
    };
    assert_eq!(told("the watch of CircuitBreakers is down"), 1, "{:#?}", fleet.events);
    assert_eq!(told("the watch of CircuitBreakers works again"), 1, "{:#?}", fleet.events);
    ns.delete().await;
}

#[tokio::test]
async fn a_user_who_may_no_longer_watch_pods_is_told_by_each_heartbeat() {
    let ns = Cluster::connect().await.test_namespace("blind").await;
    ns.allow("nolog", controller_rules().into()).await;
    ns.deployment("swype-app", 1).await;
    let mut watcher = Watcher::run(&ns, "swype-app", &["--context", "nolog", "--heartbeat", "2s"]);
    assert_eq!(watcher.wait_for("heartbeat").await["blind"], Value::Null);
    set_rules(&ns, "nolog", without_watch_of("pods")).await;
    let end = Instant::now() + WATCH_TIME;
    let blind = loop {
        let heartbeat = watcher.wait_for("heartbeat").await;
        if !heartbeat["blind"].is_null() {
            break heartbeat;
        }
        assert!(Instant::now() < end, "no heartbeat says that it is blind: {heartbeat:#}");
    };
    let why = blind["blind"]["why"].as_str().unwrap_or_default();
    assert!(why.contains("cannot watch resource \"pods\""), "{blind:#}");
    assert!(!watcher.wait_for("heartbeat").await["blind"].is_null(), "each heartbeat says it");
    set_rules(&ns, "nolog", controller_rules()).await;
    let end = Instant::now() + WATCH_TIME;
    while !watcher.wait_for("heartbeat").await["blind"].is_null() {
        assert!(Instant::now() < end, "still blind: {:#?}", watcher.events.last());
    }
    let warned = watcher.events.iter().filter(|event| event["event"] == "warning");
    let warned = warned.filter(|event| event["message"].as_str().is_some_and(|text| text.contains("watch")));
    assert_eq!(warned.count(), 1, "{:#?}", watcher.events);
    ns.delete().await;
}
