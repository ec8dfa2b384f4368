//! The configurations of the survey of ticketing tools, checked with the real tools.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::alertmanager::{Alertmanager, alerts, alerts_of};
use crate::eventually;
use crate::http::{Receiver, Request};
use crate::program::repository;
use crate::triage::Report;

/// Runs a checker in the directory of the configurations.
fn check(program: &str, args: &[&str]) {
    let dir = repository("docs/ticketing-toil");
    let output = Command::new(program).args(args).current_dir(dir).output().expect("it starts");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&said));
}

#[test]
fn the_checkers_of_alertmanager_and_prometheus_pass_them() {
    let files = fs::read_dir(repository("docs/ticketing-toil")).expect("the configurations");
    let names = files.map(|file| file.expect("a file").file_name().into_string().expect("UTF-8"));
    let configs: Vec<_> = names.filter(|name| name.starts_with("alertmanager")).collect();
    assert!(configs.iter().any(|name| name == "alertmanager.yml"));
    for config in &configs {
        check("amtool", &["check-config", config]);
    }
    check("promtool", &["check", "rules", "prometheus-rules.yml"]);
    check("promtool", &["test", "rules", "prometheus-rules-test.yml"]);
}

/// A documented configuration, told to wait less: seconds for half minutes and more.
fn shortened(name: &str, receiver: &str, waits: &[(&str, &str)]) -> String {
    let path = repository("docs/ticketing-toil").join(name);
    let config = fs::read_to_string(path).expect("the configuration").replace("127.0.0.1:9095", receiver);
    waits.iter().fold(config, |config, (long, short)| {
        assert!(config.contains(long), "{name} no longer says {long}");
        config.replace(long, short)
    })
}

const WAITS: [(&str, &str); 3] = [
    ("group_wait: 30s", "group_wait: 1s"),
    ("group_interval: 5m", "group_interval: 1s"),
    ("group_interval: 1m", "group_interval: 1s"),
];

/// The sample's alerts as `post-sample` makes them, each distinct one once, in the order of the
/// sample.
fn alerts_of_the_sample() -> Vec<Value> {
    let output = Command::new(repository("docs/ticketing-toil/post-sample")).arg("--print").output();
    let lines = String::from_utf8(output.expect("post-sample runs").stdout).expect("UTF-8");
    assert_eq!(lines.lines().count(), 31);
    let mut alerts: Vec<Value> = Vec::new();
    for line in lines.lines() {
        let alert = serde_json::from_str(line).expect("JSON");
        if !alerts.contains(&alert) {
            alerts.push(alert);
        }
    }
    alerts
}

const LOW: &str =
    "/low: OH-1 EndpointRegistrationTransientFailure firing, XQ EndpointRegistrationTransientFailure firing";
const PAGE: &str = "/page: AB EndpointRegistrationFailure firing, AB LLMModelVeryStale firing, AB TooFewEndpointsRegistered firing";
const TICKET: &str = "/ticket: AB LLMBatchProcessingJobFailures firing";

#[test]
fn the_documented_alertmanager_sends_three_notifications_for_the_sample() {
    let receiver = Receiver::start();
    let alertmanager = Alertmanager::start(&shortened("alertmanager.yml", &receiver.address(), &WAITS));
    alertmanager.post(&alerts_of_the_sample().into());
    assert_eq!(sent(&alertmanager, &receiver, 3), [LOW, PAGE, TICKET]);
    assert_eq!(Report::from_inputs(receiver.bodies()).incidents(), Report::from_sample().incidents());

    let held: Vec<_> = Report::from_inputs([alertmanager.get("/api/v2/alerts")]).verdicts();
    let inhibited: Vec<_> = held.iter().filter(|line| line.ends_with(" inhibited")).collect();
    assert_eq!(
        inhibited,
        ["zone=AB EndpointRegistrationTransientFailure inhibited", "zone=AB LLMModelStale inhibited"]
    );
}

#[test]
fn one_more_inhibition_makes_them_two_and_hides_the_batch_jobs() {
    let receiver = Receiver::start();
    let config = shortened("alertmanager.yml", &receiver.address(), &WAITS);
    let rule = r#"
  - source_matchers: ['alertname="EndpointRegistrationFailure"']
    target_matchers: ['alertname="LLMBatchProcessingJobFailures"']
    equal: [zone]
"#;
    let alertmanager =
        Alertmanager::start(&config.replace("\ninhibit_rules:\n", &format!("\ninhibit_rules:{rule}")));
    alertmanager.post(&alerts_of_the_sample().into());
    assert_eq!(sent(&alertmanager, &receiver, 2), [LOW, PAGE]);
}

#[test]
fn the_page_is_sent_again_as_it_grows() {
    let receiver = Receiver::start();
    let alertmanager = Alertmanager::start(&shortened("alertmanager.yml", &receiver.address(), &WAITS));
    let grave =
        |alert: &&Value| ["critical", "error"].iter().any(|word| alert["labels"]["severity"] == *word);
    for (n, alert) in alerts_of_the_sample().iter().filter(grave).enumerate() {
        alertmanager.post(&Value::Array(vec![alert.clone()]));
        receiver.wait_until("it is told", |requests| requests.len() > n);
    }
    assert_eq!(
        receiver.requests().iter().map(notification).collect::<Vec<_>>(),
        [
            "/page: AB EndpointRegistrationFailure firing",
            "/page: AB EndpointRegistrationFailure firing, AB TooFewEndpointsRegistered firing",
            PAGE,
        ]
    );
}

#[test]
fn the_configuration_before_sends_twelve_and_half_of_them_claim_an_end() {
    let receiver = Receiver::start();
    let waits = [WAITS[0], WAITS[1], ("resolve_timeout: 5m", "resolve_timeout: 6s")];
    let alertmanager =
        Alertmanager::start(&shortened("alertmanager-before.yml", &receiver.address(), &waits));
    alertmanager.post(&alerts_of_the_sample().into());
    receiver.wait_until("all is told", |requests| requests.len() >= 12);
    assert!(alerts(&alertmanager.get("/api/v2/alerts")).is_empty(), "there is nothing left to tell");
    let sent: Vec<_> = receiver.requests().iter().map(notification).collect();
    let ends = sent.iter().filter(|notification| notification.ends_with(" resolved")).count();
    assert_eq!((sent.len(), ends), (12, 6), "{sent:#?}");
}

/// All notifications, once as many as expected have come and Alertmanager had time for more.
fn sent(alertmanager: &Alertmanager, receiver: &Receiver, expected: usize) -> Vec<String> {
    receiver.wait_until("all is told", |requests| requests.len() >= expected);
    // Each group is looked at once a second. Whoever had more to say would have said it.
    let before = looks(alertmanager);
    let wanted = before + 4 * expected as u64;
    eventually("the groups are looked at four times more", || (looks(alertmanager) >= wanted).then_some(()));
    let mut sent: Vec<String> = receiver.requests().iter().map(notification).collect();
    sent.sort();
    sent
}

fn notification(request: &Request) -> String {
    let alerts: Vec<_> = alerts_of(request).into_iter().collect();
    format!("{}: {}", request.target, alerts.join(", "))
}

/// How often Alertmanager has asked itself whether a group is to be told again.
fn looks(alertmanager: &Alertmanager) -> u64 {
    let metrics = alertmanager.get("/metrics");
    let metrics = String::from_utf8(metrics).expect("UTF-8");
    let line = metrics.lines().find_map(|line| line.strip_prefix("alertmanager_nflog_queries_total "));
    line.expect("it counts them").parse().expect("a number")
}
