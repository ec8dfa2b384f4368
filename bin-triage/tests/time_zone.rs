//! Times that are written without a zone.

mod common;

use serde_json::Value;

/// One alert, whose time has no zone, in each kind of input that has such times.
const INPUTS: &[(&str, &str)] = &[
    ("line", "2026-11-23 06:51:59 Zone AB: LLMModelStale\n"),
    ("JSON line", "{\"alertname\":\"TankFull\",\"timestamp\":\"2026-11-23T06:51:59\"}\n"),
    ("column", "alert,zone,time\nTankFull,AB,2026-11-23 06:51:59\n"),
    ("syslog", "<11>Nov 23 06:51:59 host app: Zone AB: LLMModelStale\n"),
    ("syslog file", "Nov 23 06:51:59 host app: Zone AB: LLMModelStale\n"),
];

fn report(args: &[&str], input: &str) -> Value {
    let output = common::report_with(args, input);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// When the only alert was seen.
fn seen(report: &Value) -> &str {
    report["incidents"][0]["members"][0]["last"]["at"].as_str().unwrap_or_default()
}

fn note(report: &Value) -> String {
    let caveats = report["caveats"].as_array().unwrap();
    let notes: Vec<_> =
        caveats.iter().filter_map(Value::as_str).filter(|note| note.contains("zone")).collect();
    notes.join("; ")
}

#[test]
fn a_time_without_a_zone_is_in_the_assumed_one_and_the_report_says_so() {
    for (kind, input) in INPUTS {
        for (zone, at, name) in [
            (None, "2026-11-23T06:51:59Z", "UTC"),
            (Some("Europe/Berlin"), "2026-11-23T05:51:59Z", "Europe/Berlin"),
            (Some("-05:00"), "2026-11-23T11:51:59Z", "-05"),
        ] {
            let mut args = vec!["--now", "2026-11-23T12:00:00Z"];
            args.extend(zone.into_iter().flat_map(|zone| ["--timezone", zone]));
            let report = report(&args, input);
            assert_eq!(seen(&report), at, "{kind} {zone:?}: {report}");
            let want = format!("times without a zone are taken for {name}: --timezone sets another one");
            assert_eq!(note(&report), want, "{kind} {zone:?}");
        }
    }
}

#[test]
fn a_time_with_a_zone_stays_and_needs_no_note() {
    for time in ["2026-11-23T06:51:59Z", "2026-11-23T07:51:59+01:00", "1795416719"] {
        let report = report(&["--timezone", "Asia/Tokyo"], &format!("{time} Zone AB: LLMModelStale\n"));
        assert_eq!((seen(&report), note(&report).as_str()), ("2026-11-23T06:51:59Z", ""), "{time}");
    }
}

#[test]
fn now_is_in_the_zone_as_well() {
    let args = ["--timezone", "Europe/Berlin", "--now", "2026-11-23 07:00"];
    assert_eq!(report(&args, INPUTS[0].1)["now"], "2026-11-23T06:00:00Z");
}

#[test]
fn an_unknown_zone_is_an_error() {
    let output = common::report_with(&["--timezone", "Mars/Olympus"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("not a known time zone"));
}

fn triage(args: &[&str]) -> std::process::Output {
    std::process::Command::new(env!("CARGO_BIN_EXE_triage")).args(args).output().unwrap()
}

#[test]
fn the_zone_holds_in_checks_trials_and_tests() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let alert = r#"{"silo": "Full", "since": "2026-11-23 06:51:59"}"#;
    let input = write("alert.json", alert);
    let rules = write(
        "rules.yaml",
        &format!(
            "formats:\n- id: silo\n  detect: [$.silo]\n  name: $.silo\n  starts_at: $.since\n  examples:\n  \
             - input: '{alert}'\n    alerts: [{{name: Full, starts_at: '2026-11-23T05:51:59Z'}}]\n"
        ),
    );
    let cases = write(
        "cases.yaml",
        "tests:\n- name: page\n  input:\n  - lines: |\n      2026-11-23 06:51:59 Zone AB: TooFewEndpointsRegistered\n  \
         checks:\n  - {at: '2026-11-23T06:00:00Z', expect: {pages: 1}}\n",
    );
    for (zone, exit, at) in [("UTC", 1, "2026-11-23T06:51:59Z"), ("Europe/Berlin", 0, "2026-11-23T05:51:59Z")]
    {
        for args in [["check", &rules], ["test", &cases]] {
            let output = triage(&[args[0], args[1], "--timezone", zone]);
            assert_eq!(
                output.status.code(),
                Some(exit),
                "{zone}: {}",
                String::from_utf8_lossy(&output.stdout)
            );
        }
        let output = triage(&["formats", "--rules", &rules, "--timezone", zone, "--try", &input]);
        let shown = String::from_utf8_lossy(&output.stdout);
        assert!(shown.contains(at), "{zone}: {shown}");
    }
}
