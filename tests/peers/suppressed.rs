//! Alertmanager's API: alerts that it suppresses, and ends that are only time-outs.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::alertmanager::{Alertmanager, alerts};
use crate::eventually;
use crate::http::Receiver;
use crate::triage::Report;

/// The sample in Alertmanager's API: all alerts, two of them inhibited.
const SUPPRESSED: [&str; 8] = [
    "zone=AB EndpointRegistrationFailure active",
    "zone=AB EndpointRegistrationTransientFailure inhibited",
    "zone=AB LLMBatchProcessingJobFailures active",
    "zone=AB LLMModelStale inhibited",
    "zone=AB LLMModelVeryStale active",
    "zone=AB TooFewEndpointsRegistered active",
    "zone=OH-1 EndpointRegistrationTransientFailure transient",
    "zone=XQ EndpointRegistrationTransientFailure transient",
];

/// The paths that return alerts.
const PATHS: [&str; 2] = ["/api/v2/alerts", "/api/v2/alerts/groups"];

#[test]
fn both_answers_make_the_samples_incidents() {
    let alertmanager = Alertmanager::with_short_waits(&Receiver::start().address());
    alertmanager.post_the_sample();
    for path in PATHS {
        let answer = answer_with(&alertmanager, path, SUPPRESSED.len());
        let report = Report::from_inputs([&answer]);
        assert_eq!(report.verdicts(), SUPPRESSED, "{path}");
        assert_eq!(report.incidents(), Report::from_sample().incidents(), "{path}");
        let held = report.member("AB", "LLMModelStale");
        let by = fingerprint(&answer, "AB", "LLMModelVeryStale");
        assert!(held["why"].as_str().is_some_and(|why| why.contains(&by)), "{by}: {held:#}");
    }
    let report = Report::from_inputs([alertmanager.amtool()]);
    assert_eq!(report.verdicts(), SUPPRESSED, "amtool");
    // Both responses together contain each alert twice.
    let both = PATHS.map(|path| alertmanager.get(path));
    let report = Report::from_inputs(&both);
    assert_eq!((report.total("distinct"), report.total("duplicates")), (8, 8));
}

#[test]
fn an_answer_without_alerts_is_a_report_too() {
    let alertmanager = Alertmanager::with_short_waits(&Receiver::start().address());
    for path in PATHS {
        let report = Report::from_inputs([alertmanager.get(path)]);
        assert_eq!((report.total("records"), report.incidents()), (0, vec![]), "{path}");
    }
}

#[test]
fn an_end_in_the_answer_is_a_time_out() {
    let alertmanager = Alertmanager::with_short_waits(&Receiver::start().address());
    // As from a Prometheus that has stopped sending.
    let ends = Timestamp::now() + SignedDuration::from_mins(4);
    let alert = |name: &str| json!({"labels": {"alertname": name, "zone": "AB"}, "endsAt": ends});
    let mut begun = alert("GatewayDown");
    begun["startsAt"] = json!(Timestamp::now());
    // Alertmanager uses the end as the start of an alert that has no start.
    alertmanager.post(&json!([begun, alert("PaymentsDown")]));
    let second = SignedDuration::from_secs(1);
    for path in PATHS {
        let answer = answer_with(&alertmanager, path, 2);
        for (case, now, verdict) in [
            ("at the newest time in it", None, "active"),
            ("before the end", Some(ends - second), "active"),
            ("after the end, nobody has said that it is over", Some(ends + second), "obsolete"),
        ] {
            let report = match now {
                Some(now) => Report::at(now, [&answer]),
                None => Report::from_inputs([&answer]),
            };
            for alert in ["GatewayDown", "PaymentsDown"] {
                assert_eq!(report.member("AB", alert)["verdict"], verdict, "{alert}, {path}, {case}");
            }
        }
    }
}

#[test]
fn a_silence_of_alertmanager_is_shown_with_its_id_while_it_lasts() {
    let alertmanager = Alertmanager::with_short_waits(&Receiver::start().address());
    alertmanager.post_the_sample();
    let id = alertmanager.silence("AB", "TooFewEndpointsRegistered");
    for path in PATHS {
        answer_with(&alertmanager, path, SUPPRESSED.len());
        let answer = eventually("the silence is seen", || {
            Some(alertmanager.get(path)).filter(|answer| String::from_utf8_lossy(answer).contains(&id))
        });
        let report = Report::from_inputs([answer]);
        let member = report.member("AB", "TooFewEndpointsRegistered");
        assert_eq!(member["verdict"], "silenced", "{path}");
        assert!(member["why"].as_str().is_some_and(|why| why.contains(&id)), "{path}: {member:#}");
        assert_eq!(report.incidents()[0], "P2 page zone=AB EndpointRegistrationFailure", "{path}");
    }
    alertmanager.unsilence(&id);
    let answer = eventually("the silence is over", || {
        Some(alertmanager.get(PATHS[0])).filter(|answer| !String::from_utf8_lossy(answer).contains(&id))
    });
    assert_eq!(Report::from_inputs([answer]).verdicts(), SUPPRESSED);
}

#[test]
fn the_alert_of_two_replicas_is_one_and_stands_while_one_of_them_does() {
    let receiver = Receiver::start();
    let alertmanager = Alertmanager::with_short_waits(&receiver.address());
    let of =
        |replica: &str| json!({"labels": {"alertname": "GatewayDown", "zone": "AB", "replica": replica}});
    alertmanager.post(&json!([of("a"), of("b")]));
    let answer = answer_with(&alertmanager, PATHS[0], 2);
    let report = Report::from_inputs([&answer]);
    assert_eq!(report.incidents(), ["P1 page zone=AB GatewayDown"]);
    let member = report.member("AB", "GatewayDown");
    assert_eq!((&member["count"], &member["examples"]), (&json!(2), &json!(["a", "b"])));
    assert_eq!(member["labels"], json!({"zone": "AB"}));

    receiver.wait_until("both are delivered", |requests| !requests.is_empty());
    for (replica, verdict) in [("a", "active"), ("b", "resolved")] {
        let mut over = of(replica);
        over["endsAt"] = json!(Timestamp::now());
        alertmanager.post(&json!([over]));
        let is_end = |alert: &Value| alert["labels"]["replica"] == replica && alert["status"] == "resolved";
        let bodies = receiver.wait_until("the end is delivered", |requests| {
            requests.iter().flat_map(|request| alerts(&request.body)).any(|alert| is_end(&alert))
        });
        assert_eq!(Report::from_inputs(&bodies).verdicts(), [format!("zone=AB GatewayDown {verdict}")]);
    }
}

/// Waits until the response contains `count` alerts.
fn answer_with(alertmanager: &Alertmanager, path: &str, count: usize) -> Vec<u8> {
    eventually("all alerts are held", || {
        let answer = alertmanager.get(path);
        (alerts(&answer).len() == count).then_some(answer)
    })
}

fn fingerprint(answer: &[u8], zone: &str, alert: &str) -> String {
    let all = alerts(answer);
    let found = all.iter().find(|held| held["labels"] == json!({"alertname": alert, "zone": zone}));
    found.and_then(|found| found["fingerprint"].as_str()).expect("a fingerprint").to_owned()
}
