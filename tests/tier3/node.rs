//! `watcher` on a real node, with containers that really terminate.
#![allow(missing_docs)]

use std::process::Command;
use std::time::{Duration, Instant};

use bigredbutton_tests::{Cluster, TestNamespace, Watcher, eventually};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ListParams, LogParams};
use serde_json::{Value, json};

const TOOLBOX: &str = "bigredbutton.dev/toolbox:test";

/// Restarts that the watcher observes of each container that must not trip.
const MIN_RESTARTS: i32 = 6;

fn cluster(args: &[&str]) {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/cluster/cluster");
    let status = Command::new(program).args(args).status().expect("cluster runs");
    assert!(status.success(), "cluster {args:?}: {status}");
}

fn deployment(name: &str, policy: &str, script: &str, probe: Value) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {
                    "terminationGracePeriodSeconds": 2,
                    "automountServiceAccountToken": false,
                    "containers": [{
                        "name": "app",
                        "image": TOOLBOX,
                        "imagePullPolicy": "Never",
                        "command": ["sh", "-c", script],
                        "terminationMessagePolicy": policy,
                        "livenessProbe": probe,
                        "resources": {"limits": {"memory": "24Mi"}},
                    }],
                },
            },
        },
    })
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

async fn restarts(ns: &TestNamespace, name: &str) -> i32 {
    let params = ListParams::default().labels(&format!("app={name}"));
    let pods = ns.api::<Pod>().list(&params).await.expect("pods").items;
    let statuses = pods.into_iter().filter_map(|pod| pod.status?.container_statuses).flatten();
    statuses.map(|container| container.restart_count).max().unwrap_or(0)
}

/// IP address and log of the only pod of an app.
async fn pod_of(ns: &TestNamespace, app: &str) -> (String, String) {
    let pods = ns.api::<Pod>();
    let found = pods.list(&ListParams::default().labels(&format!("app={app}"))).await.expect("pods").items;
    let pod = found.into_iter().next().unwrap_or_else(|| panic!("no pod of {app}"));
    let name = pod.metadata.name.expect("a name");
    let log = pods.logs(&name, &LogParams::default()).await.expect("its log");
    (pod.status.and_then(|status| status.pod_ip).expect("an address"), log)
}

/// The outage of the demo, with the manifests that users apply: waiting payments are rolled back
/// before their worker is stopped.
#[tokio::test]
async fn the_demo_trips_at_the_fourth_network_restart_and_is_restored() {
    cluster(&["demo", "up"]);
    let ns = Cluster::connect().await.existing_namespace("sre");
    let rollback = format!("http://{}:8080/cgi-bin", pod_of(&ns, "swype-rollback").await.0);
    let before_trip = format!("{rollback}/before-trip");
    let flags = ["--before-trip", &before_trip, "--hook-failure", "hold"];
    let mut watcher = Watcher::run(&ns, "swype-app", &flags);
    watcher.wait_for("watching").await;
    cluster(&["demo", "cut"]);
    let cut = Instant::now();
    for n in 1..=3 {
        let event = watcher.wait_for("restart").await;
        assert_eq!(
            (event["counted"].as_u64(), event["cause"].as_str()),
            (Some(n), Some("network")),
            "{event}"
        );
        println!(
            "{:>5.1} s {}/3 {}:{} \"{}\"",
            cut.elapsed().as_secs_f64(),
            n,
            text(&event["cause"]),
            text(&event["kind"]),
            text(&event["quote"])
        );
    }
    assert_eq!(ns.replicas("swype-app").await, 1, "not at the third");
    let hook = watcher.wait_for("hook").await;
    assert_eq!((text(&hook["answer"]), watcher.has_emitted("scaled")), ("proceed", false), "{hook}");
    let log = pod_of(&ns, "swype-rollback").await.1;
    let rolled_back = log.lines().find(|line| line.contains("queued payments for")).expect("it was asked");
    println!("{:>5.1} s swype-rollback: {rolled_back}", cut.elapsed().as_secs_f64());
    // Each of the four terminations was the third failure in a row.
    let payments = rolled_back.split_whitespace().nth(2).and_then(|n| n.parse::<u32>().ok());
    assert!(payments >= Some(9), "{log}");
    let scaled = watcher.wait_for("scaled").await;
    println!("{:>5.1} s scaled to 0: {}", cut.elapsed().as_secs_f64(), text(&scaled["quote"]));
    assert_eq!(scaled["counted"], 4);
    assert_eq!(watcher.wait_for_exit().await.0, 0);
    assert_eq!(ns.replicas("swype-app").await, 0);

    let neighbour = ns.api::<Deployment>().get("upcommerce-app").await.expect("upcommerce-app");
    let ready = neighbour.status.and_then(|status| status.ready_replicas);
    assert_eq!((neighbour.spec.and_then(|spec| spec.replicas), ready), (Some(1), Some(1)), "untouched");
    let quote = scaled["quote"].as_str().unwrap_or_default();
    let events = ns.events_on("swype-app").await;
    let says_why =
        events.iter().any(|(reason, note)| reason == "Tripped" && !quote.is_empty() && note.contains(quote));
    assert!(says_why, "{events:?}");

    cluster(&["demo", "restore"]);
    let notice = format!("{rollback}/notice");
    let reset = ["reset", "--deployment", "swype-app", "--notify", &notice];
    assert_eq!(Watcher::start(&ns, &reset).wait_for_exit().await.0, 0);
    let log = pod_of(&ns, "swype-rollback").await.1;
    assert!(log.contains("payments may wait again"), "{log}");
    eventually("swype-app is well again", || async {
        let app = ns.api::<Deployment>().get("swype-app").await.ok()?;
        (app.status?.ready_replicas? == 1).then_some(())
    })
    .await;
    cluster(&["demo", "down"]);
}

/// A bug, an exit 137, a container out of memory and a failed probe, each after network errors in
/// the log, and each with the message in the log only and in the status. None trips; a refused
/// connection does.
#[tokio::test]
async fn only_network_deaths_trip() {
    cluster(&["images"]);
    let noise = "echo 'dial tcp 10.96.0.7:443: connect: connection refused'";
    let fails = json!({"exec": {"command": ["false"]}, "periodSeconds": 1, "failureThreshold": 1});
    let bug =
        "sleep 1; echo 'panic: runtime error: index out of range [3] with length 3' >&2; exit 1".to_owned();
    let killed = format!("{noise}; sleep 1; exit 137");
    let oom = format!("{noise}; sleep 1; exec tail /dev/zero");
    let probed = format!("trap \"{noise}; exit 1\" TERM; while :; do sleep 1; done");
    let refused = "sleep 1; exec curl -sS http://127.0.0.1:9/charge".to_owned();

    let ns = Cluster::connect().await.test_namespace("causes").await;
    let mut watched = Vec::new();
    for (policy, suffix) in [("File", "log"), ("FallbackToLogsOnError", "status")] {
        for (name, script, probe) in [
            ("bug", &bug, Value::Null),
            ("killed", &killed, Value::Null),
            ("oom", &oom, Value::Null),
            ("probed", &probed, fails.clone()),
            ("refused", &refused, Value::Null),
        ] {
            let app = format!("{name}-{suffix}");
            ns.create(deployment(&app, policy, script, probe)).await;
            let watcher = Watcher::run(&ns, &app, &["--heartbeat", "2s"]);
            watched.push((app, watcher));
        }
    }
    for (app, watcher) in &mut watched {
        if app.starts_with("refused") {
            let scaled = watcher.wait_for("scaled").await;
            assert_eq!(
                (scaled["counted"].as_u64(), scaled["cause"].as_str()),
                (Some(4), Some("network:refused"))
            );
            println!("{app}: tripped, \"{}\"", text(&scaled["quote"]));
            continue;
        }
        let end = Instant::now() + Duration::from_secs(150);
        while restarts(&ns, app).await < MIN_RESTARTS {
            assert!(Instant::now() < end, "{app} restarted {} times", restarts(&ns, app).await);
            watcher.read_for(Duration::from_secs(1)).await;
        }
        watcher.read_for(Duration::from_secs(4)).await;
        assert_eq!(ns.replicas(app).await, 1, "{app}: {:#?}", watcher.events);
        assert!(!watcher.has_emitted("tripping"), "{app}");
        let last = watcher.events.iter().rfind(|event| event["event"] == "heartbeat").expect("a heartbeat");
        println!("{app}: not tripped after {} restarts, {}", restarts(&ns, app).await, last["byCause"]);
        for (name, cause) in [("probed", "probe"), ("oom", "oom"), ("bug", "application")] {
            if app.starts_with(name) {
                assert!(last["byCause"][cause].as_u64() >= Some(4), "{app}: {last}");
            }
        }
    }
    ns.delete().await;
}

/// A JVM-like stack of 200 frames below the statement that says why. Under either policy the
/// statement is outside what the kubelet keeps as the termination message.
#[tokio::test]
async fn a_stack_of_200_frames_is_understood_under_both_termination_message_policies() {
    cluster(&["images"]);
    let frame = "\tat com.acme.payments.client.internal.RetryingInvoker.proceed(RetryingInvoker.java:$n)";
    let statement =
        "Exception in thread \"main\" java.net.ConnectException: Connection refused: swype-gateway:443";
    let script = format!(
        "echo 'INFO charging payment 4711'; echo '{statement}'; n=0; \
         while [ $n -lt 200 ]; do n=$((n+1)); echo \"{frame}\"; done; sleep 1; exit 1"
    );
    let ns = Cluster::connect().await.test_namespace("stacks").await;
    let mut watched = Vec::new();
    for (policy, app) in [("File", "stack-log"), ("FallbackToLogsOnError", "stack-status")] {
        ns.create(deployment(app, policy, &script, Value::Null)).await;
        watched.push((app, Watcher::run(&ns, app, &[])));
    }
    for (app, watcher) in &mut watched {
        let scaled = watcher.wait_for("scaled").await;
        assert_eq!(
            (scaled["counted"].as_u64(), scaled["cause"].as_str(), scaled["peer"].as_str()),
            (Some(4), Some("network:refused"), Some("swype-gateway:443")),
            "{app}: {scaled}"
        );
        println!("{app}: tripped, \"{}\"", text(&scaled["quote"]));
    }
    ns.delete().await;
}
