//! Prometheus' API, and its pushes to an Alertmanager.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::alertmanager::{Alertmanager, alerts, delivered_alerts};
use crate::eventually;
use crate::http::Receiver;
use crate::prometheus::Prometheus;
use crate::triage::Report;

/// Two alerts that fire and one that is pending.
const RULES: &str = r#"
groups:
- name: upcommerce
  rules:
  - {alert: LLMModelStale, expr: vector(1), labels: {zone: AB, severity: warning}}
  - {alert: LLMModelVeryStale, expr: vector(1), for: 1h, labels: {zone: AB, severity: error}}
  - {alert: PaymentsSlow, expr: vector(1), labels: {zone: XQ, severity: critical}}
"#;

#[test]
fn prometheus_answer_tells_firing_from_pending() {
    let none = Prometheus::start("a", "groups: []", &[], &[]).alerts();
    assert_eq!(Report::from_inputs([none]).total("records"), 0);
    let prometheus = Prometheus::start("a", RULES, &[], &[]);
    let answer = eventually("all three are held", || {
        let answer = prometheus.alerts();
        let read: Value = serde_json::from_slice(&answer).expect("JSON");
        (read["data"]["alerts"].as_array()?.len() == 3).then_some(answer)
    });
    let report = Report::from_inputs([answer]);
    assert_eq!(
        report.verdicts(),
        ["zone=AB LLMModelStale active", "zone=AB LLMModelVeryStale pending", "zone=XQ PaymentsSlow active",],
        "a pending rung supersedes nothing"
    );
    assert_eq!(
        report.incidents(),
        ["P1 page zone=XQ PaymentsSlow", "P3 ticket zone=AB LLMModelStale"],
        "and raises nothing"
    );
}

#[test]
fn what_prometheus_pushes_stands_until_the_end_it_announces() {
    let receiver = Receiver::start();
    let _prometheus = Prometheus::start("a", RULES, &[&receiver.address()], &[]);
    let bodies = receiver.wait_until("both are pushed", |requests| delivered_alerts(requests).len() == 2);
    assert!(receiver.requests().iter().all(|request| request.target == "/api/v2/alerts"));
    let standing = ["zone=AB LLMModelStale active", "zone=XQ PaymentsSlow active"];
    assert_eq!(Report::from_inputs(&bodies).verdicts(), standing);
    let first = bodies.iter().flat_map(|body| ends(body)).min().expect("each has an end");
    assert_eq!(Report::at(first - SignedDuration::from_secs(1), &bodies).verdicts(), standing);

    // Each push extends the end.
    let more = receiver.wait_until("they are pushed again", |requests| requests.len() >= bodies.len() + 2);
    assert_eq!(Report::at(first, &more).verdicts(), standing);
    let report = Report::from_inputs(&more);
    assert_eq!(report.total("duplicates"), report.total("records") - 2);
}

#[test]
fn one_alert_of_two_prometheus_is_one_alert() {
    let alertmanager = Alertmanager::with_short_waits(&Receiver::start().address());
    let address = alertmanager.0.address.as_str();
    let replicas = ["a", "b"].map(|replica| Prometheus::start(replica, RULES, &[address], &[]));
    let answer = eventually("both replicas have told both alerts", || {
        let answer = alertmanager.get("/api/v2/alerts");
        (alerts(&answer).len() == 4).then_some(answer)
    });
    let report = Report::from_inputs([&answer]);
    assert_eq!(report.incidents(), ["P1 page zone=XQ PaymentsSlow", "P3 ticket zone=AB LLMModelStale"]);
    for (zone, alert) in [("XQ", "PaymentsSlow"), ("AB", "LLMModelStale")] {
        assert_eq!(report.member(zone, alert)["examples"], json!(["a", "b"]), "{alert}");
    }
    // Prometheus' own answers carry no replica, and are about the same alerts.
    let mut all = vec![answer];
    all.extend(replicas.iter().map(Prometheus::alerts));
    let report = Report::from_inputs(&all);
    assert_eq!(report.total("distinct"), 3, "{:#?}", report.verdicts());
}

#[test]
fn an_alert_that_ends_in_prometheus_is_resolved_here_and_through_alertmanager() {
    let (pushed, delivered) = (Receiver::start(), Receiver::start());
    let alertmanager = Alertmanager::with_short_waits(&delivered.address());
    let gateway = Arc::new(AtomicU8::new(0));
    let up = gateway.clone();
    let shop = Receiver::responding(move |_| {
        let metrics = format!("gateway_up{{zone=\"AB\"}} {}\n", up.load(Ordering::Relaxed));
        Some(("text/plain; version=0.0.4", metrics.into_bytes()))
    });
    let rules = "groups: [{name: upcommerce, rules: [{alert: GatewayDown, expr: gateway_up == 0}]}]";
    let receivers = [alertmanager.0.address.as_str(), &pushed.address()];
    let _prometheus = Prometheus::start("a", rules, &receivers, &[&shop.address()]);
    pushed.wait_until("Prometheus tells the start", |requests| !requests.is_empty());
    let start = "AB GatewayDown firing";
    delivered
        .wait_until("Alertmanager tells the start", |requests| delivered_alerts(requests).contains(start));
    gateway.store(1, Ordering::Relaxed);
    let end = "AB GatewayDown resolved";
    let bodies = delivered
        .wait_until("Alertmanager tells the end", |requests| delivered_alerts(requests).contains(end));
    assert_eq!(Report::from_inputs(&bodies).verdicts(), ["zone=AB GatewayDown resolved"]);

    let pushes = pushed.wait_until("Prometheus tells the end", |requests| {
        requests.iter().flat_map(|request| ends(&request.body)).any(|end| end <= Timestamp::now())
    });
    assert_eq!(Report::from_inputs(&pushes[..1]).verdicts(), ["zone=AB GatewayDown active"]);
    for (case, pushes) in [
        ("as they came", pushes.clone()),
        ("the start delivered again behind the end", [&pushes[..], &pushes[..1]].concat()),
        ("the end alone", pushes[pushes.len() - 1..].to_vec()),
    ] {
        let report = Report::at(Timestamp::now(), &pushes);
        assert_eq!(report.verdicts(), ["zone=AB GatewayDown resolved"], "{case}");
    }
}

#[test]
fn an_end_that_amtool_pushes_without_a_start_ends_the_alert() {
    let receiver = Receiver::start();
    let url = format!("--alertmanager.url=http://{}", receiver.address());
    let add = |more: &[&str]| {
        let args = [&[&url, "alert", "add", "GatewayDown", "zone=AB"], more].concat();
        let status = Command::new("amtool").args(args).status().expect("amtool starts");
        assert!(status.success());
    };
    let now = Timestamp::now();
    add(&[]);
    add(&[&format!("--end={now}")]);
    let mut pushes = receiver.bodies();
    // amtool asks for the version before each push.
    pushes.retain(|body| !body.is_empty());
    assert_eq!(pushes.len(), 2);
    assert_eq!(Report::at(now, &pushes[..1]).verdicts(), ["zone=AB GatewayDown active"]);
    let before = now - SignedDuration::from_secs(1);
    assert_eq!(Report::at(before, &pushes).verdicts(), ["zone=AB GatewayDown active"]);
    assert_eq!(Report::at(now, &pushes).verdicts(), ["zone=AB GatewayDown resolved"]);
}

/// The `endsAt` of the alerts of a push.
fn ends(body: &[u8]) -> Vec<Timestamp> {
    let end = |alert: &Value| alert["endsAt"].as_str().expect("an end").parse().expect("a time");
    alerts(body).iter().map(end).collect()
}
