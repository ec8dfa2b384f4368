//! Formats of a rules file: one that replaces a built-in one, one that is disabled, and what
//! `triage formats` says of both.

use std::fs;
use std::process::{Command, Output};

use serde_json::Value;

/// A message of CloudWatch, which the built-in format `cloudwatch/sns-message` reads.
const ALARM: &str = r#"{"AlarmName": "TankFull", "NewStateValue": "ALARM", "StateChangeTime": "2026-11-20T07:00:00.000+0000",
"Trigger": {"MetricName": "level"}, "NewStateReason": "95 %"}"#;

fn triage(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_triage")).args(args).output().unwrap()
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

/// The exit code and the name of the first alert with these rules.
fn read_with(rules: &str) -> (Option<i32>, Option<String>) {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (input, rules) = (path("alarm.json", ALARM), path("rules.yaml", rules));
    let output = triage(&[&input, "--rules", &rules, "-o", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    (output.status.code(), report["incidents"][0]["headline"].as_str().map(str::to_owned))
}

#[test]
fn a_row_with_the_id_of_a_builtin_format_replaces_it() {
    assert_eq!(read_with(""), (Some(0), Some("TankFull".to_owned())));
    let own = "formats:\n- {id: cloudwatch/sns-message, detect: [$.AlarmName, $.NewStateValue], name: $.Trigger.MetricName, \
               status: firing}\n";
    assert_eq!(read_with(own), (Some(0), Some("level".to_owned())));
}

#[test]
fn a_disabled_format_is_not_read() {
    let disabled = "builtin: {disable: [cloudwatch/sns-message]}\n";
    assert_eq!(read_with(disabled), (Some(3), None));
}

#[test]
fn a_trial_shows_the_format_and_what_became_of_each_record() {
    let directory = tempfile::tempdir().unwrap();
    let input = directory.path().join("alarm.json");
    fs::write(&input, ALARM).unwrap();
    let output = triage(&["formats", "--try", input.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0));
    for wanted in ["cloudwatch/sns-message", "TankFull", "firing", "2026-11-20T07:00:00Z"] {
        assert!(stdout(&output).contains(wanted), "{wanted}: {}", stdout(&output));
    }
    let rules = directory.path().join("rules.yaml");
    fs::write(&rules, "builtin: {disable: [cloudwatch/sns-message]}\n").unwrap();
    let output = triage(&["formats", "--try", input.to_str().unwrap(), "--rules", rules.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3), "{}", stdout(&output));
    assert!(!stdout(&output).contains("cloudwatch/sns-message"), "{}", stdout(&output));
}
