//! The configurations that the survey of ticketing tools offers, in the tools that they are for.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::alertmanager::{Alertmanager, alerts_of, told};
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

/// The documented configuration, told to wait less: seconds for half minutes and more.
fn shortened(receiver: &str) -> String {
    let path = repository("docs/ticketing-toil/alertmanager.yml");
    let config = fs::read_to_string(path).expect("the configuration").replace("127.0.0.1:9095", receiver);
    let waits = [
        ("group_wait: 30s", "group_wait: 2s"),
        ("group_interval: 5m", "group_interval: 1s"),
        ("group_interval: 1m", "group_interval: 1s"),
    ];
    waits.iter().fold(config, |config, (long, short)| {
        assert!(config.contains(long), "alertmanager.yml no longer says {long}");
        config.replace(long, short)
    })
}

#[test]
fn the_documented_alertmanager_sends_three_notifications_for_the_sample() {
    let receiver = Receiver::start();
    let alertmanager = Alertmanager::start(&shortened(&receiver.address()));
    let alerts = Command::new(repository("docs/ticketing-toil/post-sample")).arg("--print").output();
    let alerts = String::from_utf8(alerts.expect("post-sample runs").stdout).expect("UTF-8");
    for alert in alerts.lines() {
        let alert: Value = serde_json::from_str(alert).expect("JSON");
        alertmanager.post(&Value::Array(vec![alert]));
    }
    assert_eq!(alerts.lines().count(), 31);
    receiver.until("everything is told", |requests| told(requests).len() >= 6);
    // Each of the groups is looked at once a second. Whoever had more to say would have said it.
    let looks = looks(&alertmanager);
    eventually("the groups are looked at four times more", || {
        (self::looks(&alertmanager) >= looks + 12).then_some(())
    });

    let mut sent: Vec<String> = receiver.requests().iter().map(notification).collect();
    sent.sort();
    assert_eq!(
        sent,
        [
            "/low: OH-1 EndpointRegistrationTransientFailure firing, XQ EndpointRegistrationTransientFailure firing",
            "/page: AB EndpointRegistrationFailure firing, AB LLMModelVeryStale firing, AB TooFewEndpointsRegistered firing",
            "/ticket: AB LLMBatchProcessingJobFailures firing",
        ]
    );
    let bodies = receiver.until("they are kept", |requests| requests.len() == 3);
    assert_eq!(Report::of(&bodies).incidents(), Report::of_the_sample().incidents());
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
