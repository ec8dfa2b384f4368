//! What is wrong with an input is said with its line, and costs nothing but that.

mod common;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use alert_triage::fault::MAX_LINE_BYTES;
use alert_triage::{Engine, Format, Report, Rules};
use proptest::prelude::*;
use serde_json::Value;

fn report(format: Option<Format>, input: &[u8]) -> Value {
    let mut engine = Engine::new(Rules::builtin());
    engine.read("input", format.unwrap_or_else(|| Format::detect(input)), input);
    serde_json::to_value(engine.report(None)).unwrap()
}

/// Line and kind of everything malformed, the alerts that were read beside it.
fn told(format: Option<Format>, input: &[u8]) -> (Vec<(u64, String)>, Vec<String>) {
    let mut engine = Engine::new(Rules::builtin());
    engine.read("input", format.unwrap_or_else(|| Format::detect(input)), input);
    let report: Report<'_> = engine.report(None);
    let kinds: Vec<&str> = report.malformed_by_error().keys().copied().collect();
    let kind = |error: &str| match kinds.as_slice() {
        [only] => (*only).to_owned(),
        _ => error.to_owned(),
    };
    let malformed = report.malformed().map(|malformed| (malformed.line, kind(&malformed.error))).collect();
    let mut alerts: Vec<String> =
        report.incidents().flat_map(|i| i.members).map(|member| member.alert).collect();
    alerts.sort();
    (malformed, alerts)
}

#[test]
fn faults_are_named_by_line_and_the_rest_is_read() {
    let long = format!("Zone A: {}", "x".repeat(1 << 20));
    let longest = format!("Zone A: {}", "x".repeat(MAX_LINE_BYTES - "Zone A: ".len()));
    let deep = format!("{{\"alertname\":\"X\",\"a\":{}1{}}}", "[".repeat(64), "]".repeat(64));
    let very_deep = "[".repeat(1 << 20);
    let x = "{\"alertname\":\"X\"}";
    for (case, lines, line, kind, alerts) in [
        ("CR LF", "Zone A: X\r\n\r\nZone A: Y\r\n".into(), 0, "", "X,Y"),
        ("a byte order mark", "\u{feff}Zone A: X".into(), 0, "", "X"),
        ("no last line end", "Zone A: X\nZone A: Y".into(), 0, "", "X,Y"),
        ("a NUL", "Zone A: X\nZone A: Y\0\n".into(), 2, "control-character", "X"),
        ("an escape", "\n\nZone A: \u{1b}[31mY".into(), 3, "control-character", ""),
        ("a line of 1 MB", format!("Zone A: X\n{long}\nZone A: Y"), 2, "too-long", "X,Y"),
        ("a line that just fits", longest.clone(), 0, "", &longest["Zone A: ".len()..]),
        ("a line a byte longer", format!("{longest}x"), 1, "too-long", ""),
        ("prose", "Zone A: X\nwhat is this\n".into(), 2, "no-template", "X"),
        ("an array a line", format!("{x}\n[1]\n{x}"), 2, "not-an-object", "X"),
        ("a number", format!("{x}\n42\n"), 2, "not-an-object", "X"),
        ("no name", format!("{x}\n\n{{\"zone\":\"A\"}}"), 3, "no-name", "X"),
        ("an empty name", format!("{x}\n{{\"alertname\":\" \"}}"), 2, "no-name", "X"),
        ("a name that is a number", format!("{x}\n{{\"alertname\":7}}"), 2, "not-a-string", "X"),
        (
            "a label that is an array",
            format!("{x}\n{{\"labels\":{{\"alertname\":\"Y\",\"zone\":[1]}}}}"),
            2,
            "not-a-string",
            "X",
        ),
        (
            "labels that are none",
            format!("{x}\n{{\"alertname\":\"Y\",\"labels\":[]}}"),
            2,
            "not-a-string",
            "X",
        ),
        ("a bad time", format!("{x}\n{{\"alertname\":\"Y\",\"startsAt\":\"soon\"}}"), 2, "bad-time", "X"),
        (
            "a state nobody knows",
            format!("{x}\n{{\"alertname\":\"Y\",\"status\":\"mauve\"}}"),
            2,
            "bad-state",
            "X",
        ),
        (
            "a state Alertmanager does not know",
            format!("{x}\n{{\"alertname\":\"Y\",\"status\":{{\"state\":\"zombie\"}}}}"),
            2,
            "bad-state",
            "X",
        ),
        (
            "an action PagerDuty does not know",
            format!("{x}\n{{\"event_action\":\"zombie\",\"dedup_key\":\"k\"}}"),
            2,
            "bad-state",
            "X",
        ),
        ("deeper than 64", format!("{x}\n{deep}"), 2, "too-deep", "X"),
        ("cut", format!("{x}\n{{\"alertname\":\"Y\",\"zo"), 2, "cut", "X"),
        ("trailing garbage", format!("{x}\n{x} more"), 2, "not-json", "X"),
        ("a lone surrogate", format!("{x}\n{{\"alertname\":\"\\ud800\"}}"), 2, "not-json", "X"),
        ("a megabyte of brackets", very_deep, 1, "cut", ""),
        ("nothing", String::new(), 0, "", ""),
        ("white space", " \n\t\n\r\n".into(), 0, "", ""),
        ("a byte order mark alone", "\u{feff}".into(), 0, "", ""),
    ] {
        let (malformed, read) = told(None, lines.as_bytes());
        let want: Vec<(u64, String)> = if line == 0 { Vec::new() } else { vec![(line, kind.to_owned())] };
        assert_eq!(malformed, want, "{case}");
        assert_eq!(read.join(","), alerts, "{case}");
    }
    let (malformed, read) = told(None, b"Zone A: X\nZone Z\xfcrich: Y\nZone A: Z");
    assert_eq!((malformed, read.join(",").as_str()), (vec![(2, "not-utf8".to_owned())], "X,Z"), "Latin-1");
}

#[test]
fn what_is_wrong_names_the_fix() {
    for (input, want) in [
        ("Zones: X", "write `Zone {zone}: {alert}`"),
        ("{\"alertname\":\"X\",\"time\":\"soon\"}", "write 2026-11-23T06:51:59Z or seconds since 1970"),
        (
            "{\"alertname\":\"X\",\"status\":\"mauve\"}",
            "known states are firing, pending, resolved and words like open, alarm",
        ),
        (
            "{\"zone\":\"A\"}",
            "has zone, but no name (labels.alertname, alertname, alert or name): add one, or map a field",
        ),
        ("{\"alertname\":\"X\"", "fetch the rest again"),
    ] {
        let report = report(None, input.as_bytes());
        let error = report["malformed"][0]["error"].as_str().unwrap();
        assert!(error.contains(want), "{input}: {error}");
    }
}

#[test]
fn an_unknown_field_is_no_fault() {
    let (malformed, read) =
        told(None, br#"{"alertname":"X","zone":"A","new":{"deep":[1,{"x":null}]},"n":1e999}"#);
    assert_eq!((malformed, read), (vec![], vec!["X".to_owned()]));
}

/// A document that is cut gives the complete alerts before the cut, and one fault for the cut.
#[test]
fn documents_cut_anywhere_lose_only_what_was_cut() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    for name in [
        "alertmanager-webhook-v4-mixed.json",
        "alertmanager-api-v2-ha-replicas.json",
        "prometheus-api-v1-alerts.json",
        "grafana-webhook.json",
        "cloudevents-batch.json",
        "pagerduty-events-v2-trigger.json",
        "prometheus-push-api-v2.json",
    ] {
        let whole = fs::read(fixtures.join(name)).unwrap();
        let format = Format::detect(&whole);
        let all = told(Some(format), &whole).1.len();
        let end = whole.trim_ascii_end().len();
        let mut before = 0;
        for cut in 1..end {
            let part = &whole[..cut];
            if part.trim_ascii().is_empty() {
                continue;
            }
            let (malformed, read) = told(Some(format), part);
            let lines = part.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
            assert_eq!(malformed.len(), 1, "{name} cut at {cut}: {malformed:?}");
            assert!(malformed[0].0 <= lines, "{name} cut at {cut}: line {} of {lines}", malformed[0].0);
            assert!(
                read.len() >= before && read.len() <= all,
                "{name} cut at {cut}: {} after {before}",
                read.len()
            );
            before = read.len();
        }
        if all > 1 && format != Format::PagerDuty {
            assert!(before >= all - 1, "{name}: {before} of {all} alerts stood whole before the last byte");
        }
    }
}

/// One thing wrong with a document costs the alert it is in, and is told by its line and byte.
#[test]
fn a_fault_in_a_document_costs_one_alert() {
    let alert =
        |name: &str| format!(r#"{{"labels":{{"alertname":"{name}"}},"startsAt":"2026-11-23T06:00:00Z"}}"#);
    let (x, y) = (alert("X"), alert("Y"));
    // Each of its characters is one byte of Latin-1.
    let latin = |text: &str| text.chars().map(|c| c as u8).collect();
    let deep = format!(r#"{{"labels":{{"alertname":"Z"}},"a":{}1{}}}"#, "[".repeat(64), "]".repeat(64));
    let rows: Vec<(&str, Vec<u8>, &str, &str)> = vec![
        ("cut in the second line", format!("[{x},\n{}", &y[..20]).into(), "2 ends at byte 21,", "X"),
        ("cut behind the last alert", format!("[{x},{y}").into(), "1 ends at byte 127,", "X,Y"),
        ("cut, with a byte order mark", format!("\u{feff}[{x},").into(), "1 ends at byte 68,", "X"),
        ("cut behind blank lines", format!("\n\n[\n{x},\n{y},\n\n").into(), "5 ends at byte 64,", "X,Y"),
        ("one nests too deep", format!("[{x},\n{deep},\n{y}]").into(), "2 nests deeper", "X,Y"),
        (
            "one of a payload nests too deep",
            format!("{{\"version\":\"4\",\"alerts\":[{x},\n{deep},\n{y}]}}").into(),
            "2 nests deeper",
            "X,Y",
        ),
        (
            "Latin-1 in one",
            latin(&format!("[{x},\n{},\n{y}]", alert("Zürich"))),
            "2 is not valid UTF-8 at byte 26:",
            "X,Y",
        ),
        (
            "Latin-1 in none",
            latin(&format!("{{\"version\":\"4\",\n \"receiver\":\"Zürich\",\"alerts\":[{x},{y}]}}")),
            "2 is not valid UTF-8 at byte 15:",
            "X,Y",
        ),
        (
            "a NUL in one, on one line",
            format!("[{x},{},{y}]", alert("Z\0")).into(),
            "1 contains the control",
            "X,Y",
        ),
        (
            "a NUL in none",
            format!("{{\"version\":\"4\",\n \"receiver\":\"\0\",\"alerts\":[{x},{y}]}}").into(),
            "2 contains the control",
            "X,Y",
        ),
        (
            "a lone surrogate in one",
            format!("[{x},\n {},\n{y}]", alert("\\ud800")).into(),
            "2 is not valid JSON at column 32:",
            "X,Y",
        ),
        (
            "one that is broken",
            format!("[{x},\n{{\"labels\":}},\n{y}]").into(),
            "2 is not valid JSON at column 11:",
            "X,Y",
        ),
        (
            "one of many that is broken",
            format!("[{x},\n{{\"labels\":}},\n{x},\n{x}\n,{x},\n{y}]").into(),
            "2 is not valid JSON at column 11:",
            "X,Y",
        ),
        (
            "a broken document between two",
            format!("{x}\n{{\"labels\"\n}}\n{y}\n").into(),
            "3 is not valid JSON at column 1:",
            "X,Y",
        ),
        (
            "prose between two documents",
            format!("{x}\nwhat is this\n{y}\n").into(),
            "2 is not valid JSON at column 1:",
            "X,Y",
        ),
        (
            "a state that is none",
            format!("[{x},\n{}\n,{y}]", alert("Z").replace("\"startsAt\"", "\"status\":\"zombie\",\"a\""))
                .into(),
            "2 has the state `zombie`: known states are firing, pending, resolved and words like open, alarm",
            "X,Y",
        ),
    ];
    for (case, input, want, alerts) in rows {
        let report = report(Some(Format::Alertmanager), &input);
        let malformed = report["malformed"].as_array().unwrap();
        let told = format!("{} {}", malformed[0]["line"], malformed[0]["error"].as_str().unwrap());
        assert!(told.starts_with(want) && malformed.len() == 1, "{case}: {told}");
        let mut names: Vec<_> =
            common::members(&report).map(|(_, member)| member["alert"].as_str().unwrap()).collect();
        names.sort_unstable();
        assert_eq!(names.join(","), alerts, "{case}");
    }
}

/// What is large and broken is gone through a few times, and not once for each of its parts.
#[test]
fn large_and_broken_documents_take_linear_time() {
    const SIZE: usize = 4 << 20;
    let alert =
        |n: usize| format!(r#"{{"labels":{{"alertname":"X{n}"}},"startsAt":"2026-11-23T06:00:00Z"}},"#);
    let alerts: String = (0..SIZE / 80).map(alert).collect();
    let many = |part: &str| part.repeat(SIZE / part.len());
    let started = Instant::now();
    for (case, input, found) in [
        ("an array that is cut", format!("[{alerts}"), SIZE / 80),
        ("a payload that is cut", format!("{{\"version\":\"4\",\"alerts\":[{alerts}"), SIZE / 80),
        ("groups that are cut", format!("[{{\"alerts\":[{{}}]}},{{\"alerts\":[{alerts}"), SIZE / 80),
        ("arrays in arrays", many("["), 0),
        ("objects in objects", many("{\"a\":"), 0),
        ("payloads in payloads", many("{\"alerts\":["), 0),
        ("payloads of nothing", many("{\"alerts\":[]}"), 0),
        ("a broken document a line", many("{\"alerts\":[1,]}\n"), 0),
        ("a document a line that goes on", many("{\"alerts\":\n"), 0),
        ("numbers", many("1 "), 0),
        ("quotes", many("\""), 0),
        ("the key of a list", format!("{{{}", many("\"alerts\",")), 0),
        ("no text at all", many("\u{1}"), 0),
    ] {
        let report = report(Some(Format::Alertmanager), input.as_bytes());
        assert_eq!(report["totals"]["records"], found, "{case}");
        assert!(
            report["totals"]["malformed"].as_u64().unwrap() > 0 || case == "payloads of nothing",
            "{case}"
        );
        // A second or two; the hours of a square are far away.
        assert!(started.elapsed() < Duration::from_secs(120), "{case}");
    }
}

#[test]
fn many_faults_are_counted_and_the_first_thousand_shown() {
    let report = report(Some(Format::Lines), "nonsense\n".repeat(2_500).as_bytes());
    assert_eq!(report["malformed"].as_array().unwrap().len(), 1_000);
    assert_eq!(report["malformed"][999]["line"], 1_000);
    assert_eq!(report["malformed_by_error"]["no-template"], 2_500);
    assert_eq!(report["totals"]["malformed"], 2_500);
}

fn seeds() -> Vec<Vec<u8>> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut paths: Vec<_> = fs::read_dir(fixtures).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| fs::read(path).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    /// Mutated inputs hold what any bytes do.
    #[test]
    fn no_input_is_too_bad(
        seed in prop::sample::select(seeds()),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..5), 0..12),
        cut: u16,
    ) {
        let mut input = seed;
        for (at, byte, edit) in edits {
            let at = at.index(input.len() + 1);
            match edit {
                0 => input.insert(at, byte),
                1 => input.truncate(at),
                2 => input.extend_from_within(at..),
                3 if at < input.len() => input[at] = byte,
                _ => drop(input.drain(at..(at + usize::from(byte)).min(input.len()))),
            }
            input.truncate(20_000);
        }
        common::any_bytes::hold(&input, usize::from(cut));
    }
}
