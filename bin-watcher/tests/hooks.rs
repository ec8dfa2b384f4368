//! The before-trip hook and the notifications over real HTTP, to receivers that are slow, refuse,
//! fail, drop the connection or come back.

mod binary;
mod receiver;
mod stub;

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use binary::text;
use receiver::{Behavior, Receiver};
use ring::hmac;
use serde_json::Value;
use stub::{Stub, StubBehavior};

const SECRET: &[u8] = b"not to be printed";

fn trip(stub: &Stub, flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_watcher"));
    command.args(["trip", "--deployment", "swype-app", "-o", "json", "--kubeconfig"]);
    command.arg(stub.kubeconfig()).args(flags).env_clear();
    command
}

fn events(output: &Output) -> Vec<Value> {
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn events_named<'a>(events: &'a [Value], event: &str) -> Vec<&'a Value> {
    events.iter().filter(|line| line["event"] == event).collect()
}

fn receiver(stub: &Stub, behaviors: Vec<Behavior>) -> Receiver {
    Receiver::new(behaviors, stub.replicas_reader())
}

#[test]
fn the_hook_is_asked_before_the_scale_and_can_check_who_asks() {
    let stub = Stub::new(StubBehavior::default());
    let (hook, pager) = (receiver(&stub, vec![]), receiver(&stub, vec![]));
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("secret");
    std::fs::write(&secret, [SECRET, b"\n"].concat()).unwrap();
    let flags = [
        "--before-trip",
        &hook.url(),
        "--notify",
        &pager.url(),
        "--hook-secret-file",
        secret.to_str().unwrap(),
    ];
    let output = trip(&stub, &flags).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));

    let [asked] = &hook.requests()[..] else { panic!("asked {} times", hook.requests().len()) };
    assert_eq!(asked.replicas, 2, "replicas when it was asked");
    assert_eq!(stub.replicas(), 0);
    assert_eq!(asked.headers["request"], "POST /services/T0/s3cretpath HTTP/1.1");
    assert_eq!(asked.headers["content-type"], "application/cloudevents+json");
    let key = &asked.headers["idempotency-key"];
    let trip_id = key.strip_prefix("u1.").expect("the UID of the target first");
    assert!(trip_id.len() == 16 && trip_id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{key}");
    let hex = asked.headers["x-bigredbutton-signature"].strip_prefix("sha256=").unwrap();
    let tag: Vec<u8> =
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), &asked.bytes, &tag)
        .expect("the signature is right");
    for (field, want) in [
        ("specversion", "1.0"),
        ("id", key),
        ("source", "/bigredbutton/sre/deployment/swype-app"),
        ("type", "dev.bigredbutton.before_trip"),
        ("subject", "sre/deployment/swype-app"),
    ] {
        assert_eq!(asked.event[field], want);
    }
    assert_eq!(asked.event["data"]["replicas"], 2);
    assert_eq!(asked.event["data"]["because"]["pressed"], true);

    let [tripped] = &pager.requests()[..] else { panic!("notified {} times", pager.requests().len()) };
    assert_eq!(
        (&tripped.event["type"], &tripped.event["id"]),
        (&"dev.bigredbutton.tripped".into(), &format!("{key}.tripped").into())
    );
    let events = events(&output);
    assert_eq!(events_named(&events, "hook")[0]["answer"], "proceed");
    assert_eq!(events_named(&events, "notified")[0]["what"], "tripped");
    assert!(!text(&output.stdout).contains("s3cretpath"), "a URL may be a secret");
    assert!(!stub.record().to_string().contains("s3cretpath"), "a URL may be a secret");
}

#[test]
fn a_receiver_that_stumbles_is_asked_the_same_again() {
    for (case, behaviors) in [
        ("answers 500", vec![Behavior::Responds(500, "no"), Behavior::Responds(503, "no")]),
        ("dies half-way", vec![Behavior::DropsConnection, Behavior::DropsConnection]),
    ] {
        let stub = Stub::new(StubBehavior::default());
        let hook = receiver(&stub, behaviors);
        let output = trip(&stub, &["--before-trip", &hook.url(), "--hook-failure", "hold"]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{case}: {}", text(&output.stderr));
        let asked = hook.requests();
        assert_eq!(asked.len(), 3, "{case}");
        assert!(
            asked.iter().all(|request| request.bytes == asked[0].bytes && request.replicas == 2),
            "{case}"
        );
    }
    let stub = Stub::new(StubBehavior::default());
    let hook = Receiver::later(Duration::from_millis(1500), stub.replicas_reader());
    let output = trip(&stub, &["--before-trip", &hook.url(), "--hook-failure", "hold"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "refuses, comes back: {}", text(&output.stderr));
    assert_eq!(hook.requests().len(), 1);
}

#[test]
fn a_hook_that_fails_for_good_lets_go_on_or_holds_as_wished() {
    let slow = || vec![Behavior::RespondsAfter(Duration::from_secs(8))];
    for (case, behaviors, why) in [
        ("slow", slow(), "no answer within 1s"),
        ("unknown", vec![Behavior::Responds(404, "")], "it answered 404 Not Found"),
        ("riddles", vec![Behavior::Responds(200, r#"{"decision":"maybe"}"#)], "must be proceed or hold"),
    ] {
        for (wish, replicas, code) in [("proceed", 0, 0), ("hold", 2, 1)] {
            let stub = Stub::new(StubBehavior::default());
            let hook = receiver(&stub, behaviors.clone());
            let began = Instant::now();
            let flags = ["--before-trip", &hook.url(), "--hook-timeout", "1s", "--hook-failure", wish];
            let output = trip(&stub, &flags).output().unwrap();
            assert!(began.elapsed() < Duration::from_secs(6), "{case}: {:?}", began.elapsed());
            assert_eq!(output.status.code(), Some(code), "{case}, {wish}: {}", text(&output.stderr));
            assert_eq!(stub.replicas(), replicas, "{case}, {wish}");
            let events = events(&output);
            let asked = events_named(&events, "hook")[0];
            assert_eq!(
                (&asked["answer"], &asked["proceeds"]),
                (&"failed".into(), &(wish == "proceed").into())
            );
            assert!(asked["why"].as_str().unwrap().contains(why), "{case}: {asked}");
            assert_eq!(
                events_named(&events, "held").len(),
                usize::from(wish == "hold"),
                "{case}: {events:?}"
            );
        }
    }
}

#[test]
fn a_hook_that_answers_hold_holds_the_trip_and_its_reason_is_logged() {
    let stub = Stub::new(StubBehavior::default());
    let hook = receiver(
        &stub,
        vec![Behavior::Responds(200, r#"{"decision":"hold","reason":"a payout is running"}"#)],
    );
    let output = trip(&stub, &["--before-trip", &hook.url()]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stub.replicas(), 2);
    let events = events(&output);
    let held = events_named(&events, "held")[0];
    assert_eq!(
        (&held["reason"], &held["why"]),
        (&"hook".into(), &"the hook asks to hold; its reason is in the log of watcher".into())
    );
    assert!(text(&output.stderr).contains("a payout is running"), "{}", text(&output.stderr));
    assert!(!stub.record().to_string().contains("payout"), "what a receiver says is only logged");
    assert_eq!(stub.record()["state"]["phase"], "Closed");
    assert_eq!(stub.record()["override"], "Auto");
}

#[test]
fn a_press_that_was_held_is_not_made_again_while_its_notice_waits() {
    let stub = Stub::new(StubBehavior::default());
    let hook = receiver(&stub, vec![Behavior::Responds(200, r#"{"decision":"hold"}"#)]);
    let nobody = Receiver::later(Duration::from_secs(60), || 0);
    let output = trip(&stub, &["--before-trip", &hook.url(), "--notify", &nobody.url()]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!((hook.requests().len(), stub.replicas()), (1, 2));
    assert_eq!(stub.record()["notices"][0]["what"], "held");
}

#[test]
fn a_hook_over_tls_is_asked_only_if_its_certificate_is_trusted() {
    let dir = tempfile::tempdir().unwrap();
    for trusted in [true, false] {
        let stub = Stub::new(StubBehavior::default());
        let (hook, own) = Receiver::secure(stub.replicas_reader());
        let (_, of_another) = Receiver::secure(|| 0);
        let file = dir.path().join("trusted.pem");
        std::fs::write(&file, if trusted { own } else { of_another }).unwrap();
        let flags = ["--before-trip", &hook.url(), "--hook-failure", "hold"];
        let output = trip(&stub, &flags).env("SSL_CERT_FILE", &file).output().unwrap();
        let events = events(&output);
        let hook_event = events_named(&events, "hook")[0];
        if trusted {
            assert_eq!((output.status.code(), hook.requests().len(), stub.replicas()), (Some(0), 1, 0));
            assert_eq!(hook_event["answer"], "proceed");
        } else {
            assert_eq!((output.status.code(), hook.requests().len(), stub.replicas()), (Some(1), 0, 2));
            assert!(hook_event["why"].as_str().unwrap().contains("certificate"), "{hook_event}");
        }
    }
}

#[test]
fn a_redirect_is_not_followed_with_a_message_signed_for_another() {
    let stub = Stub::new(StubBehavior::default());
    let elsewhere = receiver(&stub, vec![]);
    let hook = receiver(&stub, vec![Behavior::RedirectsTo(elsewhere.url())]);
    let output = trip(&stub, &["--before-trip", &hook.url(), "--hook-failure", "hold"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(elsewhere.requests().is_empty());
    let events = events(&output);
    assert!(events_named(&events, "hook")[0]["why"].as_str().unwrap().contains("redirects are not followed"));
}

#[test]
fn killed_while_the_hook_thinks_it_asks_the_same_again_and_trips_once() {
    let stub = Stub::new(StubBehavior::default());
    let hook = receiver(&stub, vec![Behavior::RespondsAfter(Duration::from_secs(20))]);
    let flags = ["--before-trip", &hook.url(), "--hook-timeout", "30s"];
    let mut first = trip(&stub, &flags).stdout(Stdio::null()).spawn().unwrap();
    hook.wait_for(1);
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!((stub.replicas(), &stub.record()["state"]["phase"]), (2, &"Tripping".into()));
    let output = trip(&stub, &flags).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let asked = hook.requests();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0].bytes, asked[1].bytes);
    assert_eq!(
        stub.requests()
            .iter()
            .filter(|asked| asked.starts_with("PATCH") && asked.ends_with("/scale"))
            .count(),
        1
    );
}

#[test]
fn a_notice_that_nobody_took_is_kept_in_the_record_and_sent_by_the_next_watcher() {
    let stub = Stub::new(StubBehavior::default());
    let pager = Receiver::later(Duration::from_secs(4), stub.replicas_reader());
    let mut first = trip(&stub, &["--notify", &pager.url()]).stdout(Stdio::piped()).spawn().unwrap();
    let end = Instant::now() + Duration::from_secs(20);
    while stub.record()["notices"].as_array().is_none_or(Vec::is_empty) || stub.replicas() != 0 {
        assert!(Instant::now() < end, "{}", stub.record());
        std::thread::sleep(Duration::from_millis(10));
    }
    // The trip did not wait for it.
    let id = stub.record()["notices"][0]["id"].clone();
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(pager.requests().is_empty());
    std::thread::sleep(Duration::from_secs(4));
    let output = trip(&stub, &["--notify", &pager.url()]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let delivered: Vec<_> =
        pager.wait_for(1).into_iter().map(|request| request.event["id"].clone()).collect();
    assert_eq!(delivered, [id]);
    assert_eq!(stub.record()["notices"], Value::Null);
}

/// Each receiver gets the message of its service, again until it takes it. The URLs of the chats
/// are in files, and are shown nowhere.
#[test]
fn chats_and_alertmanager_get_messages_of_their_own_until_they_take_them() {
    let stub = Stub::new(StubBehavior::default());
    let slack = receiver(&stub, vec![Behavior::Responds(500, "rollup_error"), Behavior::Responds(200, "ok")]);
    let failed =
        "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429";
    let teams = receiver(&stub, vec![Behavior::Responds(200, failed), Behavior::Responds(202, "")]);
    let alertmanager = receiver(&stub, vec![]);
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        let path = dir.path().join(name);
        std::fs::write(&path, text + "\n").unwrap();
        path.display().to_string()
    };
    let flags = [
        "--notify".into(),
        format!("slack=file:{}", file("slack", slack.url())),
        "--notify".into(),
        format!("teams=file:{}", file("teams", teams.url())),
        "--notify".into(),
        format!("alertmanager=http://{}", alertmanager.address),
    ];
    let output = trip(&stub, &flags.each_ref().map(String::as_str)).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));

    let requests = slack.requests();
    let [first, again] = &requests[..] else { panic!("{} requests to Slack", requests.len()) };
    assert_eq!(first.bytes, again.bytes);
    assert_eq!(again.headers["content-type"], "application/json");
    assert!(!again.headers.contains_key("webhook-signature"));
    assert!(again.event["text"].as_str().unwrap().contains("sre/deployment/swype-app"), "{}", again.event);
    assert_eq!(again.event["blocks"][0]["type"], "header");
    let requests = teams.requests();
    let [_, again] = &requests[..] else { panic!("{} requests to Teams", requests.len()) };
    assert_eq!(again.event["attachments"][0]["content"]["type"], "AdaptiveCard");
    let [alerts] = &alertmanager.requests()[..] else { panic!("one request to Alertmanager") };
    assert_eq!(alerts.headers["request"], "POST /api/v2/alerts HTTP/1.1");
    assert_eq!(alerts.event[0]["labels"]["alertname"], "BreakerOpen");

    let all = text(&output.stdout) + &text(&output.stderr) + &stub.record().to_string();
    assert!(!all.contains("s3cretpath"), "a URL may be a secret: {all}");
    assert_eq!(events_named(&events(&output), "notified").len(), 3);
}

#[test]
fn a_file_of_a_receiver_that_cannot_be_read_is_named_at_the_start() {
    let stub = Stub::new(StubBehavior::default());
    let output = trip(&stub, &["--notify", "pagerduty=file:/nonexistent/key"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let stderr = text(&output.stderr);
    assert!(stderr.contains("/nonexistent/key") && stderr.contains("--notify"), "{stderr}");
    assert_eq!(stub.replicas(), 2);
}
