//! `status`, `trip`, `reset` and `explain` of CircuitBreakers, with a controller that carries them out.
#![allow(missing_docs)]

use std::process::Stdio;

use bigredbutton_tests::{BUG, Cluster, Kubelet, REFUSED, Space, Watcher, eventually};
use serde_json::{Value, json};
use tokio::process::Command;

async fn space(name: &str) -> Space {
    Cluster::connect().await.with_breakers().await.space(name).await
}

async fn guarded(space: &Space, more: Value) -> Kubelet {
    let pods = space.deployment("swype-app", 1).await;
    let mut spec = json!({"targetRef": {"kind": "Deployment", "name": "swype-app"}});
    for (key, value) in more.as_object().into_iter().flatten() {
        spec[key] = value.clone();
    }
    space.breaker("swype", spec).await;
    Kubelet::start(space, &pods[0]).await
}

async fn controller(space: &Space) -> Watcher {
    let controller = Watcher::start(space, &["controller", "--heartbeat", "1s", "--lease", "none"]);
    space.condition("swype", "Ready", "True").await;
    controller
}

/// What a command that ends by itself said.
struct Said {
    code: i32,
    out: String,
    err: String,
}

async fn ask(space: &Space, args: &[&str]) -> Said {
    let mut command = Command::new(Watcher::program());
    command.args(args).env("KUBECONFIG", &space.cluster.kubeconfig).stdin(Stdio::null());
    if !args.contains(&"-A") {
        command.args(["-n", &space.name]);
    }
    let output = command.output().await.expect("it runs");
    let [out, err] = [output.stdout, output.stderr].map(|said| String::from_utf8(said).expect("text"));
    Said { code: output.status.code().unwrap_or(-1), out, err }
}

/// What a command that succeeds said on stdout.
async fn done(space: &Space, args: &[&str]) -> String {
    let Said { code, out, err } = ask(space, args).await;
    assert_eq!(code, 0, "{args:?}: {out}{err}");
    out
}

async fn explained(space: &Space) -> Value {
    let json = done(space, &["explain", "swype", "-o", "json"]).await;
    serde_json::from_str(&json).expect("one JSON object")
}

#[tokio::test]
async fn a_breaker_is_explained_tripped_and_reset_by_its_name() {
    let space = space("commands").await;
    let mut app = guarded(&space, json!({})).await;
    let mut controller = controller(&space).await;
    app.restart(REFUSED).await;
    app.restart(BUG).await;
    app.restart(REFUSED).await;
    controller.restarts(3).await;
    let why = eventually("the record is written", || async {
        let why = explained(&space).await;
        (why["restarts"].as_array().map(Vec::len) == Some(3)).then_some(why)
    })
    .await;
    assert_eq!(why["verdict"], "not tripped: 2 counted, more than 3 would trip", "{why:#}");
    let counts: Vec<_> =
        why["restarts"].as_array().into_iter().flatten().map(|r| r["counts"].clone()).collect();
    assert_eq!(counts, [true, false, true]);
    assert!(why["restarts"][0]["quote"].as_str().is_some_and(|quote| quote.contains("connection refused")));
    assert_eq!(why["restarts"][1]["why_not"], "not one of the counted causes");
    let text = done(&space, &["explain", "swype"]).await;
    assert!(text.contains("not counted: not one of the counted causes"), "{text}");
    assert!(text.contains("Conditions Ready=True Watching"), "{text}");

    let said = done(&space, &["trip", "swype"]).await;
    assert!(said.contains("is open, a reset gives back 1 replicas"), "{said}");
    assert!(said.contains(&format!("to undo: watcher reset -n {} swype", space.name)), "{said}");
    assert_eq!(space.replicas("swype-app").await, 0);
    let again = done(&space, &["trip", "swype"]).await;
    assert!(again.contains("is open already"), "{again}");
    assert!(explained(&space).await["verdict"].as_str().is_some_and(|why| why.starts_with("tripped: ")));

    let table = done(&space, &["status"]).await;
    let row = table.lines().find(|line| line.starts_with("swype")).expect("a row");
    assert_eq!(row.split_whitespace().take(2).collect::<Vec<_>>(), ["swype", "Open"], "{table}");
    let wide = done(&space, &["status", "-A", "-o", "wide"]).await;
    assert!(wide.lines().any(|line| line.starts_with(&space.name) && line.contains("ForcedOpen")), "{wide}");
    let list: Value = serde_json::from_str(&done(&space, &["status", "-o", "json"]).await).expect("JSON");
    assert_eq!((&list["kind"], &list["items"][0]["status"]["phase"]), (&json!("List"), &json!("Open")));
    assert!(done(&space, &["status", "-o", "yaml"]).await.contains("phase: Open"));

    let said = done(&space, &["reset", "swype"]).await;
    assert!(said.contains("is closed, 1 replicas given back, counting anew"), "{said}");
    assert_eq!(space.replicas("swype-app").await, 1);
    let spec = space.breakers().get("swype").await.expect("it is there").data["spec"].clone();
    assert_eq!(spec["override"], "Auto");
    space.close().await;
}

/// The button was pressed, somebody scaled up, and it is pressed again.
#[tokio::test]
async fn a_button_that_is_down_already_is_pressed_anew() {
    let space = space("again").await;
    let _app = guarded(&space, json!({})).await;
    let _controller = controller(&space).await;
    done(&space, &["trip", "swype"]).await;
    space.scale("swype-app", 2).await;
    space.phase("swype", "Closed").await;
    done(&space, &["trip", "swype"]).await;
    assert_eq!(space.replicas("swype-app").await, 0);
    done(&space, &["reset", "swype"]).await;
    assert_eq!(space.replicas("swype-app").await, 2);
    space.close().await;
}

#[tokio::test]
async fn what_cannot_be_done_is_said_with_its_fix() {
    let space = space("cannot").await;
    let _app = guarded(&space, json!({"mode": "Observe"})).await;
    let Said { code, err, .. } = ask(&space, &["trip", "swype"]).await;
    assert_eq!(code, 2);
    assert!(err.contains("only observes: set spec.mode to Enforce first"), "{err}");
    for command in ["trip", "reset", "status"] {
        let Said { code, err, .. } = ask(&space, &[command, "nobody"]).await;
        assert_eq!(code, 3, "{command}: {err}");
        assert!(err.contains("`watcher status -A` lists the breakers there are"), "{command}: {err}");
    }
    let Said { code, err, .. } = ask(&space, &["explain", "nobody"]).await;
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("there is no CircuitBreaker of that name either"), "{err}");
    let why = explained(&space).await;
    assert_eq!(why["verdict"], "no controller has looked at it yet", "{why:#}");
    space.close().await;
}

/// What is known of it is told all the same.
#[tokio::test]
async fn a_breaker_whose_target_is_gone_is_explained_and_refuses_with_the_reason() {
    let space = space("gone").await;
    let spec = json!({"targetRef": {"kind": "Deployment", "name": "swype-app"}});
    space.breaker("swype", spec).await;
    let missing = format!("{}/deployment/swype-app does not exist", space.name);
    let before = explained(&space).await;
    assert_eq!(before["verdict"], "no controller has looked at it yet", "{before:#}");
    assert_eq!(before["unseen"], missing.as_str(), "{before:#}");
    let _controller = Watcher::start(&space, &["controller", "--heartbeat", "1s", "--lease", "none"]);
    space.condition("swype", "Ready", "False").await;
    let verdict =
        format!("it is not watched, TargetNotFound: {missing}; create it, or correct spec.targetRef");
    assert_eq!(explained(&space).await["verdict"], verdict.as_str());
    let text = done(&space, &["status", "swype"]).await;
    assert!(text.contains(&format!("Workload   {missing}")), "{text}");
    assert!(done(&space, &["status", "swype", "-o", "yaml"]).await.contains("TargetNotFound"));
    let Said { code, err, .. } = ask(&space, &["trip", "swype"]).await;
    assert_eq!(code, 1, "{err}");
    assert!(err.contains(&missing) && err.contains("What was asked for stays asked for"), "{err}");
    space.close().await;
}

#[tokio::test]
async fn a_user_without_rights_is_told_which_is_missing() {
    let space = space("rights").await;
    let Said { code, err, .. } = ask(&space, &["status", "-A", "--context", "plain"]).await;
    assert_eq!(code, 4, "{err}");
    assert!(
        err.contains(
            "apiGroups: [\"bigredbutton.dev\"], resources: [\"circuitbreakers\"], verbs: [\"list\"]"
        ),
        "{err}"
    );
    for command in ["status", "trip", "reset"] {
        let Said { code, err, .. } = ask(&space, &[command, "swype", "--context", "plain"]).await;
        assert_eq!(code, 4, "{command}: {err}");
        assert!(err.contains("resources: [\"circuitbreakers\"], verbs: [\"get\"]"), "{command}: {err}");
    }
    let Said { code, err, .. } = ask(&space, &["explain", "swype", "--context", "plain"]).await;
    assert_eq!(code, 4, "{err}");
    for words in [
        "warning: not allowed to get circuitbreakers.bigredbutton.dev",
        "swype is taken for a pod",
        "resources: [\"pods\"], verbs: [\"get\"]",
    ] {
        assert!(err.contains(words), "{words}: {err}");
    }
    space.close().await;
}

/// Who may read and edit breakers and nothing else still learns what the breaker itself knows.
#[tokio::test]
async fn a_user_who_sees_breakers_alone_is_told_their_state_and_the_right_to_see_more() {
    let space = space("sees").await;
    let _app = guarded(&space, json!({})).await;
    let _controller = controller(&space).await;
    let get =
        json!([{"apiGroups": ["bigredbutton.dev"], "resources": ["circuitbreakers"], "verbs": ["get"]}]);
    space.allow("plain", get).await;
    let text = done(&space, &["explain", "swype", "--context", "plain"]).await;
    for words in ["Ready=True Watching", "Workload   not allowed to get deployments", "missing rule: - {"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let Said { code, err, .. } = ask(&space, &["trip", "swype", "--context", "plain"]).await;
    assert_eq!(code, 4, "{err}");
    assert!(err.contains("resources: [\"circuitbreakers\"], verbs: [\"patch\"]"), "{err}");
    space.close().await;
}

#[tokio::test]
async fn without_a_controller_it_does_not_wait_for_ever() {
    let space = space("nobody").await;
    let _app = guarded(&space, json!({})).await;
    let Said { code, err, .. } = ask(&space, &["trip", "swype"]).await;
    assert_eq!(code, 1);
    assert!(
        err.contains("the controller has not tripped") && err.contains("does one run and lead?"),
        "{err}"
    );
    // It was asked for, and is done as soon as one runs.
    let _controller = Watcher::start(&space, &["controller", "--lease", "none"]);
    space.phase("swype", "Open").await;
    assert_eq!(space.replicas("swype-app").await, 0);
    space.close().await;
}
