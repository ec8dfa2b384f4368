//! Alerts of described formats over time, and inside other records.
#![allow(missing_docs)]

use alert_triage::record::{Ends, Status};
use alert_triage::trial::Reading;
use alert_triage::{Engine, Record, Rules, Verdict};

/// Reads each input as a source of its own, in the format that is detected.
fn read(inputs: &[&str]) -> Engine {
    let mut engine = Engine::new(Rules::builtin());
    for (number, input) in inputs.iter().enumerate() {
        let format = engine.rules().detect(input.as_bytes());
        engine.read(&format!("input-{number}"), format, input.as_bytes());
    }
    engine
}

fn nagios(second: u32, state: &str) -> String {
    format!("[{}] SERVICE ALERT: t1;Tank level;{state};HARD;3;level\n", 1_795_158_000 + second)
}

fn checkmk(second: u32, state: &str) -> String {
    format!(
        r#"{{"NOTIFY_WHAT":"SERVICE","NOTIFY_HOSTNAME":"t1","NOTIFY_SERVICEDESC":"Tank level","NOTIFY_SERVICESTATE":"{state}","NOTIFY_MICROTIME":"{}000000"}}"#,
        1_795_158_000 + second
    )
}

fn icinga(second: u32, state: &str) -> String {
    let state = if state == "OK" { 0 } else { 2 };
    format!(
        r#"{{"results":[{{"attrs":{{"name":"level","display_name":"Tank level","host_name":"t1","state":{state}.0,"last_hard_state_change":{}.5}},"name":"t1!level","type":"Service"}}]}}"#,
        1_795_158_000 + second
    )
}

fn sentry(second: u32, state: &str) -> String {
    // A resolve has the start of the alert.
    let (action, second) = if state == "OK" { ("resolved", 10) } else { ("critical", second) };
    format!(
        r#"{{"action":"{action}","data":{{"metric_alert":{{"alert_rule":{{"name":"Tank level"}},"date_started":"2026-11-20T07:00:{second:02}Z","identifier":"3","projects":["t1"]}}}}}}"#
    )
}

/// A resolve without a severity ends the alert that has one: the severity is part of the identity.
#[test]
fn a_recovery_ends_the_alert() {
    type Report = fn(u32, &str) -> String;
    let formats: [(&str, Report); 4] =
        [("nagios", nagios), ("checkmk", checkmk), ("icinga", icinga), ("sentry", sentry)];
    for (format, report) in formats {
        let (critical, ok) = (report(10, "CRITICAL"), report(20, "OK"));
        for order in [[critical.as_str(), ok.as_str()], [ok.as_str(), critical.as_str()]] {
            let mut engine = read(&order);
            let report = engine.report(None);
            let totals = report.totals();
            assert_eq!((totals.records, totals.malformed, totals.pages), (2, 0, 0), "{format}");
            let members: Vec<_> = report.incidents().flat_map(|incident| incident.members).collect();
            assert_eq!(members.len(), 1, "{format}: the recovery is not an alert of its own");
            assert_eq!((members[0].verdict, members[0].count), (Verdict::Resolved, 2), "{format}");
        }
        let critical_again = report(30, "CRITICAL");
        let mut engine = read(&[&critical, &ok, &critical_again]);
        assert_eq!(engine.report(None).totals().pages, 1, "{format}: it fires again");
    }
}

/// A recovery whose alert is not in the input has its own name and labels.
#[test]
fn a_recovery_alone_is_named() {
    let other = nagios(5, "CRITICAL").replace("t1", "t2");
    let mut engine = read(&[&nagios(10, "OK"), &other]);
    let report = engine.report(None);
    assert_eq!((report.totals().records, report.totals().pages), (2, 1));
    let members: Vec<_> = report.incidents().flat_map(|incident| incident.members).collect();
    let recovery = members.iter().find(|member| member.verdict == Verdict::Resolved).unwrap();
    assert_eq!((recovery.alert.as_str(), recovery.count), ("Tank level", 1));
    assert_eq!(recovery.labels.values().map(String::as_str).collect::<Vec<_>>(), ["t1"]);
}

/// The split of an input over engines does not change the report.
#[test]
fn a_recovery_ends_the_alert_of_another_engine() {
    let mut first = read(&[&nagios(10, "CRITICAL")]);
    let mut second = first.sibling();
    let format = second.rules().detect(nagios(20, "OK").as_bytes());
    second.read_block(0, 1, format, nagios(20, "OK").as_bytes());
    first.merge(second);
    let totals = first.report(None).totals();
    assert_eq!((totals.records, totals.pages), (2, 0));
}

/// A format of a queue whose messages hold alerts.
const QUEUE: &str = "
formats:
- id: silo/queue
  detect: [$.queue, $.body]
  message: $.body
  labels: {plant: $.plant}
  severity: $.level
  status: $.state
  starts_at: $.since
  ends_at: $.until
  updated_at: $.sent
  key: $.key
  url: $.link
  acknowledged: $.seen
  snapshot: true
";

fn message(body: &str) -> Record<'static> {
    let input = serde_json::json!({
        "queue": "q", "plant": "north", "level": "critical", "state": "closed", "since": "2026-11-20T07:00:00Z",
        "until": "2026-11-20T07:30:00Z", "sent": "2026-11-20T07:31:00Z", "key": "k1", "link": "https://q.example/1",
        "seen": true, "body": body,
    });
    let reading = Reading::new(&Rules::parse(QUEUE).unwrap(), input.to_string().as_bytes());
    let [(_, record)] = &reading.records[..] else { panic!("{reading:?}") };
    record.clone()
}

/// What the alert in a message does not say is what the record around it says, whether the message
/// is a line or JSON.
#[test]
fn an_alert_in_a_message_keeps_what_is_around_it() {
    for body in ["Zone K1: TankFull", r#"{"alertname": "TankFull", "zone": "K1"}"#] {
        let record = message(body);
        let label = |name: &str| {
            let found = record.labels.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.to_string())
        };
        assert_eq!(record.alert, "TankFull", "{body}");
        assert_eq!(label("zone").as_deref(), Some("K1"), "{body}");
        assert_eq!(label("plant").as_deref(), Some("north"), "{body}");
        assert_eq!(label("severity").as_deref(), Some("critical"), "{body}");
        assert_eq!(record.status, Status::Resolved, "{body}");
        assert_eq!(record.starts, "2026-11-20T07:00:00Z".parse().ok(), "{body}");
        assert_eq!(record.ends, Ends::At("2026-11-20T07:30:00Z".parse().unwrap()), "{body}");
        assert_eq!(record.time, "2026-11-20T07:31:00Z".parse().ok(), "{body}");
        assert_eq!((record.key.as_deref(), record.keyed), (Some("k1"), true), "{body}");
        assert!(record.acknowledged && record.snapshot, "{body}");
        assert_eq!(record.annotations, [("url".into(), "https://q.example/1".into())], "{body}");
    }
}

#[test]
fn an_alert_in_a_message_keeps_what_it_says_itself() {
    let body = r#"{"labels": {"alertname": "TankFull", "plant": "south", "severity": "info"}, "status": "firing",
        "startsAt": "2026-11-20T06:00:00Z"}"#;
    let record = message(body);
    assert_eq!(record.status, Status::Firing);
    assert_eq!(record.starts, "2026-11-20T06:00:00Z".parse().ok());
    let labels: Vec<(&str, &str)> =
        record.labels.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
    assert_eq!(labels, [("plant", "south"), ("severity", "info")]);
}

/// The level of a log is that of the program that wrote the line.
#[test]
fn the_level_of_a_log_does_not_hide_an_alert_in_it() {
    for message in ["Zone K1: TooFewEndpointsRegistered", r#"{\"alertname\": \"TooFewEndpointsRegistered\"}"#]
    {
        let line = format!(
            r#"{{"__REALTIME_TIMESTAMP":"1795158000000000","PRIORITY":"6","SYSLOG_IDENTIFIER":"relay","MESSAGE":"{message}"}}"#
        );
        let mut engine = read(&[&line]);
        assert_eq!(engine.report(None).totals().pages, 1, "{message}");
    }
}

/// A format of maps in maps.
const MAPS: &str = "
formats:
- id: silo/map
  detect: [$.silos]
  each: $.silos[*].alarms[*]
  name: {member: [1, 2]}
  labels: {silo: {member: 3}, site: {around: $.site}, plant: {around: $.plant}, '*': {around: [$.tags, $.all]}}
  severity: {from: $.level, around: $.level}
  status: firing
";

#[test]
fn a_field_may_be_around_the_alert_or_the_name_of_a_member() {
    let rules = Rules::parse(MAPS).unwrap();
    let silos = r#"{"plant": "p", "level": "critical", "all": {"a": "1"}, "silos": {
        "s1": {"site": "north", "plant": "q", "alarms": {"Full": {"level": "warning"}, "Hot": {}}},
        "s2": {"tags": {"b": "2"}, "alarms": [{}]}}}"#;
    let reading = Reading::new(&rules, silos.as_bytes());
    let shown: Vec<String> = reading
        .records
        .iter()
        .map(|(line, record)| {
            let labels = record.labels.iter().map(|(name, value)| format!(" {name}={value}"));
            format!("{line} {}{}", record.alert, labels.collect::<String>())
        })
        .collect();
    assert_eq!(
        shown,
        [
            "1 Full a=1 plant=q silo=s1 site=north severity=warning",
            "1 Hot a=1 plant=q silo=s1 site=north severity=critical",
            "1 alarms b=2 a=1 plant=p silo=s2 severity=critical",
        ]
    );
    let error = Rules::parse(&MAPS.replace("member: 3", "member: 0")).unwrap_err();
    assert!(error.message().contains("counts from 1"), "{error}");
}

/// The records of an input without their lines.
fn records(input: &str) -> Vec<Record<'static>> {
    let reading = Reading::new(&Rules::builtin(), input.as_bytes());
    assert_eq!(reading.malformed.first(), None, "{input}");
    reading.records.into_iter().map(|(_, record)| record).collect()
}

/// Several mails in a file are what each of them is alone.
#[test]
fn blocks_in_one_file_are_what_they_are_alone() {
    let formats = Rules::builtin().listed_formats();
    let examples: Vec<(String, String)> = formats
        .into_iter()
        .filter(|format| format.reads == "blocks")
        .map(|format| (format.id, format.example))
        .collect();
    assert!(examples.len() > 5);
    for (a, first) in &examples {
        for (b, second) in &examples {
            let want = [records(first), records(second)].concat();
            let mailbox = "From x@y.example Fri Nov 20 07:00:05 2026\n";
            let always = ["----------\n", "\n=====\n\n", mailbox];
            let same: &[&str] = if a == b { &["\n"] } else { &[] };
            for between in always.iter().chain(same) {
                assert_eq!(records(&format!("{first}{between}{second}")), want, "{a} {between:?} {b}");
            }
        }
    }
}

/// A mail that is not an alert is not lost without a word.
#[test]
fn a_block_of_no_format_is_malformed() {
    let alert = "Alert: TankFull\nSeverity: critical\n";
    let other = "Subject: lunch\nFrom: a@b.example\n\nAt noon.\n";
    let mailbox = "From x@y.example Fri Nov 20 07:00:05 2026\n";
    let reading = Reading::new(&Rules::builtin(), format!("{alert}{mailbox}{other}").as_bytes());
    assert_eq!((reading.records.len(), reading.malformed.len()), (1, 1));
    assert_eq!(reading.malformed[0].line, 4);
    assert!(reading.malformed[0].error.contains("from, subject"), "{}", reading.malformed[0].error);
}

/// YAML is read as the same document of JSON is: all examples, and the fixtures of core formats.
#[test]
fn yaml_is_read_as_its_json() {
    let formats = Rules::builtin().listed_formats().into_iter();
    let examples = formats.filter(|format| format.reads == "json").map(|format| format.example);
    let fixtures = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures")).unwrap();
    let fixtures =
        fixtures.map(|entry| entry.unwrap().path()).filter(|path| path.extension().unwrap() == "json");
    let fixtures = fixtures.map(|path| std::fs::read_to_string(path).unwrap());
    let mut count = 0;
    for json in examples.chain(fixtures) {
        let Ok(value) = serde_json::from_str::<serde_json::Value>(&json) else { continue };
        let yaml = serde_saphyr::to_string(&value).unwrap();
        let reading = Reading::new(&Rules::builtin(), yaml.as_bytes());
        assert_eq!(reading.format, "yaml", "{yaml}");
        let found: Vec<_> = reading.records.into_iter().map(|(_, record)| record).collect();
        assert_eq!(found, records(&value.to_string()), "{yaml}");
        count += 1;
    }
    assert!(count > 90, "{count}");
}

#[test]
fn alerts_of_yaml_have_their_lines() {
    let yaml = "# exported\nalerts:\n- labels:\n    alertname: A\n- labels: {alertname: B}\n\n- labels:\n    alertname: C\n";
    for (cut, lines) in
        [("", vec![3, 5, 7]), ("- labels: [\n", vec![3, 5, 7]), ("---\nalertname: D\n", vec![3, 5, 7, 10])]
    {
        let reading = Reading::new(&Rules::builtin(), format!("{yaml}{cut}").as_bytes());
        let found: Vec<u64> = reading.records.iter().map(|(line, _)| *line).collect();
        assert_eq!(found, lines, "{cut}");
        assert_eq!(reading.malformed.len(), usize::from(cut.contains('[')), "{cut}");
    }
}
