//! The published JSON Schemas are current, and what the program writes is valid by them.

mod binary;
mod receiver;
mod stub;

use std::fs;
use std::path::Path;
use std::process::Command;

use binary::{text, watcher};
use breaker_core::BreakerEvent;
use receiver::Receiver;
use serde_json::Value;
use stub::{Stub, StubBehavior};

const SCHEMAS: [(&str, &str); 2] = [("events", "watcher-events.json"), ("notification", "notification.json")];

fn schema(subject: &str) -> Value {
    let output = watcher(&["schema", subject]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn assert_valid(schema: &Value, instances: &[Value]) {
    assert!(!instances.is_empty());
    let validator = jsonschema::validator_for(schema).unwrap();
    for instance in instances {
        let errors: Vec<_> = validator.iter_errors(instance).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{instance}: {errors:?}");
    }
}

fn lines(stdout: &[u8]) -> Vec<Value> {
    text(stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_published_schemas_are_current() {
    for (subject, file) in SCHEMAS {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schemas").join(file);
        let stored = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            stored == text(&watcher(&["schema", subject]).stdout),
            "docs/schemas/{file} differs: run `watcher schema {subject} >docs/schemas/{file}` and read the difference"
        );
    }
}

#[test]
fn lines_of_the_demo_are_valid_and_read_back_as_the_events_of_the_library() {
    let lines = lines(&watcher(&["demo", "-o", "json"]).stdout);
    assert_valid(&schema("events"), &lines);
    for line in &lines {
        let event: BreakerEvent = serde_json::from_value(line.clone()).unwrap();
        let mut written = serde_json::to_value(&event).unwrap();
        written["time"] = line["time"].clone();
        written["workload"] = "sre/deployment/swype-app".into();
        assert_eq!(&written, line);
    }
}

#[test]
fn lines_of_a_trip_its_hook_call_and_its_notification_are_valid() {
    let stub = Stub::new(StubBehavior::default());
    let receiver = Receiver::new(Vec::new(), || 0);
    let mut command = Command::new(env!("CARGO_BIN_EXE_watcher"));
    command.args(["trip", "--deployment", "swype-app", "-o", "json", "--kubeconfig"]).arg(stub.kubeconfig());
    command.args(["--before-trip", &receiver.url(), "--notify", &receiver.url()]);
    let output = command.env_clear().output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let lines = lines(&output.stdout);
    assert!(lines.iter().any(|line| line["event"] == "undo"), "{lines:?}");
    for line in &lines {
        assert_eq!(line["workload"], "sre/deployment/swype-app", "{line}");
    }
    assert_valid(&schema("events"), &lines);
    let received: Vec<_> = receiver.wait_for(2).into_iter().map(|request| request.event).collect();
    assert_valid(&schema("notification"), &received);
}

#[test]
fn an_unknown_event_is_not_valid() {
    let line = serde_json::json!({"time": "2026-01-02T03:04:05Z", "event": "exploded"});
    assert!(!jsonschema::is_valid(&schema("events"), &line));
}
