//! Objects without `labels`: which fields tell alerts apart, and acknowledges.

use alert_triage::{Engine, Format, Rules};
use proptest::prelude::*;

fn engine(lines: &[String]) -> Engine {
    let mut engine = Engine::new(Rules::builtin());
    engine.read("events", Format::Jsonl, lines.join("\n").as_bytes());
    engine
}

fn distinct(field: &str, one: &str, other: &str) -> u64 {
    let line = |value: &str| format!("{{\"alertname\": \"X\", \"{field}\": {value}}}");
    let mut engine = engine(&[line(one), line(other)]);
    let totals = engine.report(None).totals();
    assert_eq!((totals.records, totals.malformed), (2, 0), "{field}");
    totals.distinct
}

#[test]
fn fields_that_name_places_tell_alerts_apart() {
    for field in [
        "hostname", "database", "tenant", "url", "check", "site", "server", "source", "type", "class",
        "subject", "room",
    ] {
        assert_eq!(distinct(field, "\"http://a\"", "\"http://b\""), 2, "{field}");
    }
    assert_eq!(distinct("port", "5432", "5433"), 2);
    assert_eq!(distinct("primary", "true", "false"), 2);
    for (field, one, other) in [
        ("message", "\"a\"", "\"b\""),
        ("description", "\"a\"", "\"b\""),
        ("value", "1", "2"),
        ("load", "0.71", "0.72"),
        ("trace_id", "\"a1\"", "\"b2\""),
        ("checked_at", "\"x\"", "\"y\""),
        ("polled", "\"2026-11-20T07:00:00Z\"", "\"2026-11-20T07:01:00Z\""),
        ("detail_url", "\"http://a\"", "\"http://b\""),
        ("extra", "{\"a\": 1}", "{\"a\": 2}"),
        ("extra", "[1]", "[2]"),
        ("extra", "1e999", "null"),
    ] {
        assert_eq!(distinct(field, one, other), 1, "{field}");
    }
}

proptest! {
    /// Records that differ in a field of any other name are never one alert, so that the end of one
    /// is not the end of the other.
    #[test]
    fn no_two_places_are_one_alert(field in "zz[a-z_]{1,8}q", one in "[a-z]{1,9}", other in "[a-z]{1,9}") {
        prop_assume!(one != other);
        let line = |value: &str, status: &str| {
            format!("{{\"alertname\": \"X\", \"severity\": \"critical\", \"{field}\": \"{value}\", \"status\": \"{status}\"}}")
        };
        let lines = [line(&one, "firing"), line(&other, "firing"), line(&one, "resolved")];
        let mut engine = engine(&lines);
        prop_assert_eq!(engine.report(None).totals().pages, 1);
    }
}

#[test]
fn an_acknowledge_holds_for_its_episode() {
    let event = |action: &str, minute: u8| {
        format!(
            "{{\"routing_key\": \"r\", \"dedup_key\": \"k\", \"event_action\": \"{action}\", \"payload\": {{\"summary\": \"Kiln hot\", \"severity\": \"critical\", \"source\": \"k2\", \"timestamp\": \"2026-11-20T07:{minute:02}:00Z\"}}}}"
        )
    };
    for (case, events, want) in [
        ("none", vec![("trigger", 0)], None),
        ("one", vec![("trigger", 0), ("acknowledge", 4)], Some("2026-11-20T07:04:00Z")),
        ("in any order", vec![("acknowledge", 4), ("trigger", 0)], Some("2026-11-20T07:04:00Z")),
        (
            "the newest",
            vec![("trigger", 0), ("acknowledge", 9), ("acknowledge", 4)],
            Some("2026-11-20T07:09:00Z"),
        ),
        (
            "of an earlier episode",
            vec![("trigger", 0), ("acknowledge", 4), ("resolve", 5), ("trigger", 6)],
            None,
        ),
    ] {
        let lines: Vec<String> = events.iter().map(|(action, minute)| event(action, *minute)).collect();
        let mut engine = engine(&lines);
        let report = engine.report(None);
        let incident = report.incidents().next().unwrap();
        let member = &incident.members[0];
        assert_eq!(incident.priority.to_string(), "P1", "{case}");
        assert_eq!(member.acknowledged.map(|at| at.to_string()).as_deref(), want, "{case}");
        assert_eq!(member.flags.iter().any(|flag| flag == "acknowledged"), want.is_some(), "{case}");
        assert_eq!(incident.because[0].contains("acknowledged"), want.is_some(), "{case}");
    }
}
