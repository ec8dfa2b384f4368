//! Alertmanager's deliveries to a webhook.

use crate::alertmanager::{Alertmanager, alerts_of, delivered_alerts};
use crate::http::{Receiver, Request};
use crate::triage::Report;

/// The alerts of the sample that Alertmanager's inhibition rules leave.
const FIRING: [&str; 6] = [
    "AB EndpointRegistrationFailure firing",
    "AB LLMBatchProcessingJobFailures firing",
    "AB LLMModelVeryStale firing",
    "AB TooFewEndpointsRegistered firing",
    "OH-1 EndpointRegistrationTransientFailure firing",
    "XQ EndpointRegistrationTransientFailure firing",
];

fn has_all_firing(requests: &[Request]) -> bool {
    let delivered = delivered_alerts(requests);
    FIRING.iter().all(|alert| delivered.contains(*alert))
}

#[test]
fn webhooks_of_the_sample_make_its_incidents() {
    let receiver = Receiver::start();
    let alertmanager = Alertmanager::with_short_waits(&receiver.address());
    alertmanager.post_the_sample();
    let bodies = receiver.wait_until("all zones are delivered", has_all_firing);
    let report = Report::from_inputs(&bodies);
    assert_eq!(report.incidents(), Report::from_sample().incidents());
    assert_eq!(
        report.verdicts(),
        [
            "zone=AB EndpointRegistrationFailure active",
            "zone=AB LLMBatchProcessingJobFailures active",
            "zone=AB LLMModelVeryStale active",
            "zone=AB TooFewEndpointsRegistered active",
            "zone=OH-1 EndpointRegistrationTransientFailure transient",
            "zone=XQ EndpointRegistrationTransientFailure transient",
        ],
        "the inhibited ones reach no webhook"
    );
}

#[test]
fn deliveries_that_alertmanager_repeats_change_nothing_but_the_duplicates() {
    let receiver = Receiver::start();
    let alertmanager = Alertmanager::with_short_waits(&receiver.address());
    alertmanager.post_the_sample();
    let once = receiver.wait_until("all zones are delivered", has_all_firing);
    let often = receiver.wait_until("each group is delivered three times", |requests| {
        let of =
            |zone: &str, request: &Request| alerts_of(request).iter().any(|alert| alert.starts_with(zone));
        let times = |zone: &str| requests.iter().filter(|request| of(zone, request)).count();
        ["AB ", "OH-1 ", "XQ "].iter().all(|zone| times(zone) >= 3)
    });
    let (once, often) = (Report::from_inputs(&once), Report::from_inputs(&often));
    assert_eq!(often.0["incidents"], once.0["incidents"]);
    assert!(often.total("duplicates") >= 12, "{:#}", often.0["totals"]);
    assert_eq!(often.total("records"), often.total("duplicates") + often.total("alerts"));
}

#[test]
fn only_a_real_resolve_makes_an_alert_resolved() {
    let receiver = Receiver::start();
    let alertmanager = Alertmanager::with_short_waits(&receiver.address());
    alertmanager.post_the_sample();
    let mut before = receiver.wait_until("all zones are delivered", has_all_firing);
    alertmanager.resolve("AB", "TooFewEndpointsRegistered");
    let resolved = "AB TooFewEndpointsRegistered resolved";
    let after =
        receiver.wait_until("the end is delivered", |requests| delivered_alerts(requests).contains(resolved));

    let report = Report::from_inputs(&after);
    let member = report.member("AB", "TooFewEndpointsRegistered");
    assert_eq!(member["verdict"], "resolved");
    assert_eq!(
        report.incidents()[0],
        "P2 page zone=AB EndpointRegistrationFailure",
        "the critical one is over"
    );
    let others = report.verdicts().iter().filter(|line| line.ends_with(" resolved")).count();
    assert_eq!(others, 1, "and nothing else: {:#?}", report.verdicts());

    // The end without its firing, and the other way round.
    let last = after.last().expect("the end");
    assert_eq!(Report::from_inputs([last]).member("AB", "TooFewEndpointsRegistered")["verdict"], "resolved");
    let reversed: Vec<_> = after.iter().rev().collect();
    assert_eq!(Report::from_inputs(&reversed).verdicts(), report.verdicts());

    // Alertmanager's response no longer contains it, but that does not prove its end.
    let answer = alertmanager.get("/api/v2/alerts");
    assert!(!String::from_utf8_lossy(&answer).contains("TooFewEndpointsRegistered"));
    before.push(answer);
    assert_eq!(Report::from_inputs(&before).member("AB", "TooFewEndpointsRegistered")["verdict"], "active");
}

#[test]
fn what_alertmanager_leaves_out_of_a_delivery_is_said() {
    let receiver = Receiver::start();
    let alertmanager =
        Alertmanager::with_webhook(&format!("url: http://{}/, max_alerts: 1", receiver.address()));
    alertmanager.post_the_sample();
    let of_ab = |request: &&Request| alerts_of(request).iter().any(|alert| alert.starts_with("AB "));
    receiver.wait_until("the zone is delivered", |requests| requests.iter().any(|request| of_ab(&request)));
    let requests = receiver.requests();
    let report = Report::from_inputs(requests.iter().find(of_ab).map(|request| &request.body));
    assert_eq!((report.total("alerts"), report.total("truncated")), (1, 3));
}
