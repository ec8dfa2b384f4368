//! Events that came in a regular rhythm and have stopped.

mod common;

use serde_json::Value;

const SILENT: &str = "silent for 8 h, came every 5 min";

/// A line every 5 minutes for an hour, from 06:00 to 07:00.
fn hour() -> String {
    (0..=60).step_by(5).map(|minute| line(6 + minute / 60, minute % 60)).collect()
}

fn line(hour: u32, minute: u32) -> String {
    format!("2026-11-23T{hour:02}:{minute:02}:00Z Zone AB: LLMModelStale\n")
}

fn output(now: &str, format: &str, more: &str) -> String {
    let now = format!("2026-11-23T{now}:00Z");
    let output = common::report_with(&["--now", &now, "-o", format], &(hour() + more));
    String::from_utf8(output.stdout).unwrap()
}

fn member(now: &str, more: &str) -> Value {
    let report: Value = serde_json::from_str(&output(now, "json", more)).unwrap();
    report["incidents"][0]["members"][0].clone()
}

fn is_silent(member: &Value) -> bool {
    member["flags"].as_array().unwrap().iter().any(|flag| flag == "silent")
}

#[test]
fn a_silent_event_says_so_in_every_output() {
    let found = member("15:10", "");
    assert!(is_silent(&found), "{found}");
    assert_eq!(found["silent"], serde_json::json!({"seconds": 29_400, "every": 300}));
    assert!(found["why"].as_str().unwrap().ends_with(SILENT), "{found}");
    for format in ["table", "markdown", "html"] {
        let text = output("15:10", format, "");
        let words: Vec<_> = text.split_whitespace().collect();
        assert!(words.join(" ").contains(SILENT), "{format}: {text}");
    }
}

#[test]
fn it_takes_ten_intervals() {
    for (now, want) in [("07:00", false), ("07:49", false), ("07:50", true), ("23:00", true)] {
        assert_eq!(is_silent(&member(now, "")), want, "{now}");
    }
    // One that came again, and one that is over.
    assert!(!is_silent(&member("15:10", &line(15, 9))));
    assert!(!is_silent(&member("15:10", "2026-11-23T07:01:00Z Zone AB: LLMModelStale (closed)\n")));
}

#[test]
fn the_priority_stays() {
    let priority = |now| {
        let report: Value = serde_json::from_str(&output(now, "json", "")).unwrap();
        report["incidents"][0]["priority"].clone()
    };
    assert_eq!(priority("15:10"), priority("07:00"));
}
