//! What Alertmanager answers: alerts that it holds back itself, and ends that are only time-outs.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::alertmanager::{Alertmanager, alerts};
use crate::eventually;
use crate::http::Receiver;
use crate::triage::Report;

/// The sample as Alertmanager holds it: all of it, and two alerts inhibited.
const HELD: [&str; 8] = [
    "zone=AB EndpointRegistrationFailure active",
    "zone=AB EndpointRegistrationTransientFailure inhibited",
    "zone=AB LLMBatchProcessingJobFailures active",
    "zone=AB LLMModelStale inhibited",
    "zone=AB LLMModelVeryStale active",
    "zone=AB TooFewEndpointsRegistered active",
    "zone=OH-1 EndpointRegistrationTransientFailure transient",
    "zone=XQ EndpointRegistrationTransientFailure transient",
];

/// The paths under which it answers with alerts.
const PATHS: [&str; 2] = ["/api/v2/alerts", "/api/v2/alerts/groups"];

#[test]
fn both_answers_make_the_samples_incidents() {
    let alertmanager = Alertmanager::quick(&Receiver::start().address());
    alertmanager.post_the_sample();
    for path in PATHS {
        let answer = answer_with(&alertmanager, path, HELD.len());
        let report = Report::of([&answer]);
        assert_eq!(report.verdicts(), HELD, "{path}");
        assert_eq!(report.incidents(), Report::of_the_sample().incidents(), "{path}");
        let held = report.member("AB", "LLMModelStale");
        let by = fingerprint(&answer, "AB", "LLMModelVeryStale");
        assert!(held["why"].as_str().is_some_and(|why| why.contains(&by)), "{by}: {held:#}");
    }
    let report = Report::of([alertmanager.amtool()]);
    assert_eq!(report.verdicts(), HELD, "amtool");
    // One after the other they say it twice.
    let both = PATHS.map(|path| alertmanager.get(path));
    let report = Report::of(&both);
    assert_eq!((report.total("distinct"), report.total("duplicates")), (8, 8));
}

#[test]
fn an_answer_without_alerts_is_a_report_too() {
    let alertmanager = Alertmanager::quick(&Receiver::start().address());
    for path in PATHS {
        let report = Report::of([alertmanager.get(path)]);
        assert_eq!((report.total("records"), report.incidents()), (0, vec![]), "{path}");
    }
}

#[test]
fn an_end_in_the_answer_is_a_time_out() {
    let alertmanager = Alertmanager::quick(&Receiver::start().address());
    // As from a Prometheus that is not heard of any more.
    let ends = Timestamp::now() + SignedDuration::from_mins(4);
    let alert = |name: &str| json!({"labels": {"alertname": name, "zone": "AB"}, "endsAt": ends});
    let mut begun = alert("GatewayDown");
    begun["startsAt"] = json!(Timestamp::now());
    // Of an alert without a start Alertmanager takes the end for the start.
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
                None => Report::of([&answer]),
            };
            for alert in ["GatewayDown", "PaymentsDown"] {
                assert_eq!(report.member("AB", alert)["verdict"], verdict, "{alert}, {path}, {case}");
            }
        }
    }
}

#[test]
fn a_silence_of_alertmanager_is_shown_with_its_id_while_it_lasts() {
    let alertmanager = Alertmanager::quick(&Receiver::start().address());
    alertmanager.post_the_sample();
    let id = alertmanager.silence("AB", "TooFewEndpointsRegistered");
    for path in PATHS {
        answer_with(&alertmanager, path, HELD.len());
        let answer = eventually("the silence is seen", || {
            Some(alertmanager.get(path)).filter(|answer| String::from_utf8_lossy(answer).contains(&id))
        });
        let report = Report::of([answer]);
        let member = report.member("AB", "TooFewEndpointsRegistered");
        assert_eq!(member["verdict"], "silenced", "{path}");
        assert!(member["why"].as_str().is_some_and(|why| why.contains(&id)), "{path}: {member:#}");
        assert_eq!(report.incidents()[0], "P2 page zone=AB EndpointRegistrationFailure", "{path}");
    }
    alertmanager.unsilence(&id);
    let answer = eventually("the silence is over", || {
        Some(alertmanager.get(PATHS[0])).filter(|answer| !String::from_utf8_lossy(answer).contains(&id))
    });
    assert_eq!(Report::of([answer]).verdicts(), HELD);
}

#[test]
fn the_alert_of_two_replicas_is_one_and_stands_while_one_of_them_does() {
    let receiver = Receiver::start();
    let alertmanager = Alertmanager::quick(&receiver.address());
    let of =
        |replica: &str| json!({"labels": {"alertname": "GatewayDown", "zone": "AB", "replica": replica}});
    alertmanager.post(&json!([of("a"), of("b")]));
    let answer = answer_with(&alertmanager, PATHS[0], 2);
    let report = Report::of([&answer]);
    assert_eq!(report.incidents(), ["P1 page zone=AB GatewayDown"]);
    let member = report.member("AB", "GatewayDown");
    assert_eq!((&member["count"], &member["examples"]), (&json!(2), &json!(["a", "b"])));
    assert_eq!(member["labels"], json!({"zone": "AB"}));

    receiver.until("both are delivered", |requests| !requests.is_empty());
    for (replica, verdict) in [("a", "active"), ("b", "resolved")] {
        let mut over = of(replica);
        over["endsAt"] = json!(Timestamp::now());
        alertmanager.post(&json!([over]));
        let is_end = |alert: &Value| alert["labels"]["replica"] == replica && alert["status"] == "resolved";
        let bodies = receiver.until("the end is delivered", |requests| {
            requests.iter().flat_map(|request| alerts(&request.body)).any(|alert| is_end(&alert))
        });
        assert_eq!(Report::of(&bodies).verdicts(), [format!("zone=AB GatewayDown {verdict}")]);
    }
}

/// Waits until the answer holds so many.
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
