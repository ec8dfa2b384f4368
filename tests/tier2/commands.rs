//! `status`, `trip`, `reset` and `explain` for CircuitBreakers, with a controller that executes
//! them.
#![allow(missing_docs)]

use std::process::Stdio;

use bigredbutton_tests::{BUG, Cluster, Kubelet, REFUSED, TestNamespace, Watcher, eventually};
use serde_json::{Value, json};
use tokio::process::Command;

async fn test_namespace(name: &str) -> TestNamespace {
    Cluster::connect().await.with_breakers().await.test_namespace(name).await
}

async fn guarded(ns: &TestNamespace, more: Value) -> Kubelet {
    let pods = ns.deployment("swype-app", 1).await;
    let mut spec = json!({"targetRef": {"kind": "Deployment", "name": "swype-app"}});
    for (key, value) in more.as_object().into_iter().flatten() {
        spec[key] = value.clone();
    }
    ns.breaker("swype", spec).await;
    Kubelet::start(ns, &pods[0]).await
}

async fn controller(ns: &TestNamespace) -> Watcher {
    let controller = Watcher::start(ns, &["controller", "--status-interval", "1s", "--leader-elect=false"]);
    ns.wait_for_condition("swype", "Ready", "True").await;
    controller
}

/// The exit code and output of a finished command.
struct CommandOutput {
    code: i32,
    out: String,
    err: String,
}

async fn ask(ns: &TestNamespace, args: &[&str]) -> CommandOutput {
    let mut command = Command::new(Watcher::program());
    command.args(args).env("KUBECONFIG", &ns.cluster.kubeconfig).stdin(Stdio::null());
    if !args.contains(&"-A") {
        command.args(["-n", &ns.name]);
    }
    let output = command.output().await.expect("it runs");
    let [out, err] = [output.stdout, output.stderr].map(|said| String::from_utf8(said).expect("text"));
    CommandOutput { code: output.status.code().unwrap_or(-1), out, err }
}

/// The standard output of a command that must succeed.
async fn done(ns: &TestNamespace, args: &[&str]) -> String {
    let CommandOutput { code, out, err } = ask(ns, args).await;
    assert_eq!(code, 0, "{args:?}: {out}{err}");
    out
}

async fn explained(ns: &TestNamespace) -> Value {
    let json = done(ns, &["explain", "swype", "-o", "json"]).await;
    serde_json::from_str(&json).expect("one JSON object")
}

#[tokio::test]
async fn a_breaker_is_explained_tripped_and_reset_by_its_name() {
    let ns = test_namespace("commands").await;
    let mut app = guarded(&ns, json!({})).await;
    let mut controller = controller(&ns).await;
    app.restart(REFUSED).await;
    app.restart(BUG).await;
    app.restart(REFUSED).await;
    controller.wait_for_restarts(3).await;
    let why = eventually("the record is written", || async {
        let why = explained(&ns).await;
        (why["restarts"].as_array().map(Vec::len) == Some(3)).then_some(why)
    })
    .await;
    assert_eq!(why["verdict"], "not tripped: 2 counted, more than 3 would trip", "{why:#}");
    let counts: Vec<_> =
        why["restarts"].as_array().into_iter().flatten().map(|r| r["counts"].clone()).collect();
    assert_eq!(counts, [true, false, true]);
    assert!(why["restarts"][0]["quote"].as_str().is_some_and(|quote| quote.contains("connection refused")));
    assert_eq!(why["restarts"][1]["why_not"], "not one of the counted causes");
    let text = done(&ns, &["explain", "swype"]).await;
    assert!(text.contains("not counted: not one of the counted causes"), "{text}");
    assert!(text.contains("Conditions Ready=True Watching"), "{text}");

    let said = done(&ns, &["trip", "swype"]).await;
    assert!(said.contains("is open; a reset restores 1 replica"), "{said}");
    assert!(said.contains(&format!("to undo: watcher reset -n {} swype", ns.name)), "{said}");
    assert_eq!(ns.replicas("swype-app").await, 0);
    // On the workload, and on the CircuitBreaker for `kubectl describe cb`.
    for object in ["swype-app", "swype"] {
        assert!(ns.wait_for_event(object, "Tripped").await.contains("watcher reset -n"), "{object}");
    }
    let listed = ns.cluster.kubectl(&["get", "cb", "-n", &ns.name, "-o", "wide"]);
    assert!(listed.contains("True") && !listed.contains("NotHeld"), "{listed}");
    let again = done(&ns, &["trip", "swype"]).await;
    assert!(again.contains("is already open"), "{again}");
    assert!(explained(&ns).await["verdict"].as_str().is_some_and(|why| why.starts_with("tripped: ")));

    let table = done(&ns, &["status"]).await;
    let row = table.lines().find(|line| line.starts_with("swype")).expect("a row");
    assert_eq!(row.split_whitespace().take(2).collect::<Vec<_>>(), ["swype", "Open"], "{table}");
    let wide = done(&ns, &["status", "-A", "-o", "wide"]).await;
    assert!(wide.lines().any(|line| line.starts_with(&ns.name) && line.contains("ForcedOpen")), "{wide}");
    let list: Value = serde_json::from_str(&done(&ns, &["status", "-o", "json"]).await).expect("JSON");
    assert_eq!((&list["kind"], &list["items"][0]["status"]["phase"]), (&json!("List"), &json!("Open")));
    assert!(done(&ns, &["status", "-o", "yaml"]).await.contains("phase: Open"));

    let said = done(&ns, &["reset", "swype"]).await;
    assert!(said.contains("is closed, 1 replica restored, counting from zero"), "{said}");
    assert_eq!(ns.replicas("swype-app").await, 1);
    let spec = ns.breakers().get("swype").await.expect("it is there").data["spec"].clone();
    assert_eq!(spec["override"], "Auto");
    ns.delete().await;
}

/// The breaker was tripped by hand, somebody scaled up, and it is tripped again.
#[tokio::test]
async fn an_open_breaker_can_be_tripped_again() {
    let ns = test_namespace("again").await;
    let _app = guarded(&ns, json!({})).await;
    let _controller = controller(&ns).await;
    done(&ns, &["trip", "swype"]).await;
    ns.scale("swype-app", 2).await;
    ns.wait_for_phase("swype", "Closed").await;
    done(&ns, &["trip", "swype"]).await;
    assert_eq!(ns.replicas("swype-app").await, 0);
    done(&ns, &["reset", "swype"]).await;
    assert_eq!(ns.replicas("swype-app").await, 2);
    ns.delete().await;
}

/// The breaker that knew the replicas was deleted while it was open; another one took its place.
#[tokio::test]
async fn a_reset_that_leaves_0_replicas_fails_and_says_what_to_do() {
    let ns = test_namespace("nobody-knows").await;
    let _app = guarded(&ns, json!({})).await;
    let mut fleet = controller(&ns).await;
    done(&ns, &["trip", "swype"]).await;
    ns.breakers().delete("swype", &Default::default()).await.expect("deleted");
    let event = ns.wait_for_event("swype-app", "WorkloadLeftScaledDown").await;
    assert!(
        event.contains("kubectl scale") && event.contains("deployment/swype-app --replicas=1"),
        "{event}"
    );
    ns.breaker("swype", json!({"targetRef": {"kind": "Deployment", "name": "swype-app"}})).await;
    ns.wait_for_condition("swype", "Ready", "True").await;
    let fix = format!("kubectl scale -n {} deployment/swype-app --replicas=N", ns.name);
    for subject in [["swype", ""], ["--deployment", "swype-app"]] {
        let args: Vec<_> = ["reset"].into_iter().chain(subject).filter(|arg| !arg.is_empty()).collect();
        let CommandOutput { code, err, .. } = ask(&ns, &args).await;
        assert_eq!(code, 1, "{args:?}: {err}");
        for words in ["has 0 replicas, and no Record says how many to restore", &fix] {
            assert!(err.contains(words), "{args:?}: {err}");
        }
    }
    fleet.read_for(std::time::Duration::from_millis(100)).await;
    ns.delete().await;
}

#[tokio::test]
async fn an_impossible_command_fails_with_its_fix() {
    let ns = test_namespace("cannot").await;
    let _app = guarded(&ns, json!({"mode": "Observe"})).await;
    let CommandOutput { code, err, .. } = ask(&ns, &["trip", "swype"]).await;
    assert_eq!(code, 2);
    assert!(err.contains("has spec.mode Observe; set it to Enforce"), "{err}");
    for command in ["trip", "reset", "status"] {
        let CommandOutput { code, err, .. } = ask(&ns, &[command, "nobody"]).await;
        assert_eq!(code, 3, "{command}: {err}");
        assert!(err.contains("`watcher status -A` lists all breakers"), "{command}: {err}");
    }
    let CommandOutput { code, err, .. } = ask(&ns, &["explain", "nobody"]).await;
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("there is no CircuitBreaker of that name either"), "{err}");
    let why = explained(&ns).await;
    assert_eq!(why["verdict"], "no controller has observed it yet", "{why:#}");
    ns.delete().await;
}

/// `explain` still shows what the breaker has recorded.
#[tokio::test]
async fn a_breaker_whose_target_is_gone_is_explained_and_refuses_with_the_reason() {
    let ns = test_namespace("gone").await;
    let spec = json!({"targetRef": {"kind": "Deployment", "name": "swype-app"}});
    ns.breaker("swype", spec).await;
    let missing = format!("{}/deployment/swype-app does not exist", ns.name);
    let before = explained(&ns).await;
    assert_eq!(before["verdict"], "no controller has observed it yet", "{before:#}");
    assert_eq!(before["unseen"], missing.as_str(), "{before:#}");
    let _controller = Watcher::start(&ns, &["controller", "--status-interval", "1s", "--leader-elect=false"]);
    ns.wait_for_condition("swype", "Ready", "False").await;
    let verdict =
        format!("not watched, TargetNotFound: {missing}; create it, or create a breaker of another target");
    assert_eq!(explained(&ns).await["verdict"], verdict.as_str());
    let text = done(&ns, &["status", "swype"]).await;
    assert!(text.contains(&format!("Workload   {missing}")), "{text}");
    assert!(done(&ns, &["status", "swype", "-o", "yaml"]).await.contains("TargetNotFound"));
    let CommandOutput { code, err, .. } = ask(&ns, &["trip", "swype"]).await;
    assert_eq!(code, 1, "{err}");
    assert!(err.contains(&missing) && err.contains("carries the command out"), "{err}");
    ns.delete().await;
}

#[tokio::test]
async fn a_user_without_rights_sees_the_missing_rule() {
    let ns = test_namespace("rights").await;
    let CommandOutput { code, err, .. } = ask(&ns, &["status", "-A", "--context", "plain"]).await;
    assert_eq!(code, 4, "{err}");
    assert!(
        err.contains(
            "apiGroups: [\"bigredbutton.dev\"], resources: [\"circuitbreakers\"], verbs: [\"list\"]"
        ),
        "{err}"
    );
    for command in ["status", "trip", "reset"] {
        let CommandOutput { code, err, .. } = ask(&ns, &[command, "swype", "--context", "plain"]).await;
        assert_eq!(code, 4, "{command}: {err}");
        let missing = match command {
            "status" => "resources: [\"circuitbreakers\"], verbs: [\"get\"]",
            _ => "not allowed to get circuitbreakers.bigredbutton.dev and patch circuitbreakers",
        };
        assert!(err.contains(missing), "{command}: {err}");
    }
    let CommandOutput { code, err, .. } = ask(&ns, &["explain", "swype", "--context", "plain"]).await;
    assert_eq!(code, 4, "{err}");
    for words in [
        "warning: not allowed to get circuitbreakers.bigredbutton.dev",
        "swype is looked up as a pod",
        "resources: [\"pods\"], verbs: [\"get\"]",
    ] {
        assert!(err.contains(words), "{words}: {err}");
    }
    // The printed Role is complete: with it the trip only lacks a breaker.
    let CommandOutput { err, .. } = ask(&ns, &["trip", "swype", "--context", "plain"]).await;
    ns.apply_missing_rights(&err);
    let CommandOutput { code, err, .. } = ask(&ns, &["trip", "swype", "--context", "plain"]).await;
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("swype"), "{err}");
    ns.delete().await;
}

/// A user who may only read and edit breakers still sees the state of the breaker.
#[tokio::test]
async fn a_user_who_sees_breakers_alone_sees_their_state_and_the_missing_right() {
    let ns = test_namespace("sees").await;
    let _app = guarded(&ns, json!({})).await;
    let _controller = controller(&ns).await;
    let get =
        json!([{"apiGroups": ["bigredbutton.dev"], "resources": ["circuitbreakers"], "verbs": ["get"]}]);
    ns.allow("plain", get).await;
    let text = done(&ns, &["explain", "swype", "--context", "plain"]).await;
    for words in ["Ready=True Watching", "Workload   not allowed to get deployments", "missing rule: - {"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let CommandOutput { code, err, .. } = ask(&ns, &["trip", "swype", "--context", "plain"]).await;
    assert_eq!(code, 4, "{err}");
    assert!(err.contains("not allowed to patch circuitbreakers.bigredbutton.dev in namespace"), "{err}");
    ns.apply_missing_rights(&err);
    done(&ns, &["trip", "swype", "--context", "plain"]).await;
    assert_eq!(ns.replicas("swype-app").await, 0);
    ns.delete().await;
}

#[tokio::test]
async fn without_a_controller_the_wait_ends() {
    let ns = test_namespace("nobody").await;
    let _app = guarded(&ns, json!({})).await;
    let CommandOutput { code, err, .. } = ask(&ns, &["trip", "swype"]).await;
    assert_eq!(code, 1);
    assert!(
        err.contains("the controller has not tripped")
            && err.contains("check that a controller runs and leads"),
        "{err}"
    );
    // The request is stored, and a controller executes it as soon as it runs.
    let _controller = Watcher::start(&ns, &["controller", "--leader-elect=false"]);
    ns.wait_for_phase("swype", "Open").await;
    assert_eq!(ns.replicas("swype-app").await, 0);
    ns.delete().await;
}

/// A breaker is reconciled, then its controller is killed.
#[tokio::test]
async fn without_a_controller_the_status_says_since_when_and_a_trip_says_so_at_once() {
    let ns = test_namespace("stopped").await;
    let _app = guarded(&ns, json!({})).await;
    let fleet = Watcher::start(&ns, &["controller", "--status-interval", "1s"]);
    ns.wait_for_condition("swype", "Ready", "True").await;
    assert!(!done(&ns, &["status", "swype"]).await.contains("Controller"));
    fleet.kill().await;
    // It was killed twelve minutes ago.
    let long_ago = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(12);
    let patch = kube::api::Patch::Merge(json!({"spec": {"renewTime": format!("{long_ago:.6}")}}));
    let leases = ns.api::<k8s_openapi::api::coordination::v1::Lease>();
    let lease = leases.patch("bigredbutton-controller", &Default::default(), &patch).await.expect("a lease");
    assert_eq!(lease.metadata.name.as_deref(), Some("bigredbutton-controller"));

    let stopped = format!(
        "no controller has renewed its lease {}/bigredbutton-controller since {long_ago:.0} (12 min)",
        ns.name
    );
    let text = done(&ns, &["status", "swype"]).await;
    assert!(text.contains(&format!("Controller {stopped}")), "{text}");
    assert!(text.contains("Verdict    no controller runs; at last: not tripped: 0 counted"), "{text}");
    let CommandOutput { out, err, .. } = ask(&ns, &["status"]).await;
    assert!(err.contains(&format!("warning: {stopped}")), "{err}");
    assert!(out.contains("NoController"), "{out}");
    for command in ["trip", "reset"] {
        let start = std::time::Instant::now();
        let CommandOutput { code, err, .. } = ask(&ns, &[command, "swype"]).await;
        assert_eq!(code, 1, "{err}");
        assert!(err.contains(&stopped) && err.contains("the request is stored"), "{err}");
        assert!(start.elapsed() < std::time::Duration::from_secs(10), "{:?}", start.elapsed());
    }
    ns.delete().await;
}

#[tokio::test]
async fn a_dry_run_is_kept_listed_and_reported_once() {
    let ns = test_namespace("observed").await;
    let mut app = guarded(&ns, json!({"mode": "Observe"})).await;
    let fleet = controller(&ns).await;
    for _ in 0..4 {
        app.restart(REFUSED).await;
    }
    assert!(ns.wait_for_event("swype", "WouldTrip").await.contains("4 network:refused restarts"));
    ns.wait_for_status("swype", "the outage is kept", |status| status["wouldTrip"][0]["counted"] == 4).await;
    // The next controller does not report the same outage again.
    fleet.kill().await;
    let mut fleet = controller(&ns).await;
    fleet.wait_for("would_trip").await;
    fleet.read_for(std::time::Duration::from_secs(3)).await;
    let json = done(&ns, &["status", "--would-trip", "-o", "json"]).await;
    let outages: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(outages.as_array().map(Vec::len), Some(1), "{outages:#}");
    assert_eq!((&outages[0]["breaker"], &outages[0]["cause"]), (&json!("swype"), &json!("network:refused")));
    let table = done(&ns, &["status", "--would-trip"]).await;
    assert!(table.contains("WOULD TRIP AT") && table.contains("network:refused"), "{table}");
    assert!(done(&ns, &["status"]).await.contains("WOULD TRIP"));
    let why = explained(&ns).await;
    let verdict = why["verdict"].as_str().unwrap_or_default();
    assert!(verdict.starts_with("not tripped: 4 counted, more than 3, but spec.mode is Observe"), "{why:#}");
    let wide = ns.cluster.kubectl(&["get", "cb", "-n", &ns.name, "-o", "wide"]);
    assert!(wide.contains("WOULDTRIP"), "{wide}");
    assert_eq!(ns.replicas("swype-app").await, 1);
    ns.delete().await;
}
