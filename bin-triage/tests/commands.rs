//! What the README shows, and the commands beside the report: what they exit with, and why.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/samples/upcommerce.log");
const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/samples/upcommerce-cases.yaml");

fn triage(args: &[&str], stdin: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_triage"))
        .args(args)
        .env_remove("CLICOLOR_FORCE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("triage starts");
    // A run that ends on its arguments reads nothing, and that is fine.
    let _ = child.stdin.take().expect("piped").write_all(stdin);
    child.wait_with_output().expect("triage ends")
}

fn stdout(output: &Output) -> &str {
    str::from_utf8(&output.stdout).expect("UTF-8")
}

fn stderr(output: &Output) -> &str {
    str::from_utf8(&output.stderr).expect("UTF-8")
}

fn report(args: &[&str], stdin: &[u8]) -> Value {
    let output = triage(&[args, &["-o", "json"]].concat(), stdin);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn scratch(name: &str, content: &[u8]) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, content).expect("scratch file");
    path.into_os_string().into_string().expect("UTF-8")
}

#[test]
fn the_readme_shows_what_the_sample_gives() {
    let output = triage(&[SAMPLE], b"");
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).expect("README");
    assert!(
        readme.contains(stdout(&output).trim_end()),
        "the README shows another table than\n{}",
        stdout(&output)
    );
}

#[test]
fn json_is_complete_with_any_number_of_threads() {
    let one = report(&[SAMPLE, "--threads", "1"], b"");
    assert_eq!(
        one["totals"],
        json!({
            "lines": 31, "blank": 0, "malformed": 0, "records": 31, "duplicates": 0, "alerts": 31, "distinct": 8,
            "truncated": 0, "incidents": 2, "pages": 1, "tickets": 1
        })
    );
    assert_eq!((&one["schema"], &one["now"]), (&"triage/v1".into(), &Value::Null));
    let lines: String = (0..30_000).map(|n| format!("Zone Z{}: Alert{}\n", n % 997, n % 29_989)).collect();
    let many = scratch("many-threads.log", lines.as_bytes());
    let text = |threads: &str| triage(&[&many, "-o", "json", "--threads", threads], b"").stdout;
    assert!(text("1") == text("2") && text("2") == text("5"), "threads change nothing");
}

#[test]
fn exit_codes_tell_scripts() {
    let missing = "/nonexistent/night.log";
    let directory = env!("CARGO_MANIFEST_DIR");
    let rules = scratch("rules.yaml", b"severities:\n- {id: a, alert: X1, severity: critical}\n");
    let faulty = scratch("faulty.yaml", b"severities:\n- {id: a, alert: '*', severity: info}\n");
    let broken = scratch("broken.yaml", b"severity: []\n");
    let failing = scratch("failing.yaml", b"tests:\n- name: wrong\n  input:\n  - {alert: X, labels: {zone: A}}\n  checks:\n  - expect: {pages: 7}\n");
    for (case, args, stdin, code, says) in [
        ("a report", vec!["-"], "Zone AB: X1", 0, ""),
        ("malformed is reported", vec!["-"], "?", 0, "warning: 1 malformed, line 1"),
        ("strict and clean", vec!["--strict", "-"], "Zone AB: X1\n\n", 0, ""),
        ("strict and malformed", vec!["--strict", "-"], "Zone AB: X1\n?", 1, "warning"),
        ("help", vec!["--help"], "", 0, ""),
        ("no such file", vec![missing], "", 2, "night.log: No such file or directory (os error 2); check"),
        ("a directory", vec![directory], "", 2, "Is a directory"),
        ("one of two is missing", vec!["-", missing], "Zone AB: X1", 2, "night.log"),
        ("standard input twice", vec!["-", "-"], "", 2, "name it once"),
        ("no such flag", vec!["--colour"], "", 2, "--colour"),
        ("no such output", vec!["-o", "pdf"], "", 2, "table, json, jsonl, markdown, html"),
        ("no such format", vec!["--format", "xml"], "", 2, "auto, lines, jsonl"),
        (
            "no such time",
            vec!["--now", "soon", "-"],
            "",
            2,
            "write 2026-11-23T06:51:59Z or seconds since 1970",
        ),
        ("rules of one's own", vec!["--rules", &rules, "-"], "Zone AB: X1", 0, ""),
        ("rules that cannot be used", vec!["--rules", &broken, "-"], "", 2, "broken.yaml"),
        ("explain a line", vec!["explain", "12", SAMPLE], "", 0, ""),
        ("explain nothing", vec!["explain", "ffffffff", SAMPLE], "", 2, "ffffffff"),
        ("explain standard input", vec!["explain", "1", "-"], "", 2, "reads its input again"),
        ("sound rules", vec!["check", &rules], "", 0, ""),
        ("a fault in rules", vec!["check", &faulty], "", 1, ""),
        ("rules that do not parse", vec!["check", &broken], "", 2, "broken.yaml"),
        ("tests that pass", vec!["test", CASES], "", 0, ""),
        ("a test that fails", vec!["test", &failing], "", 1, ""),
        (
            "a backtest of the same",
            vec!["backtest", SAMPLE, "--rules", &rules, "--against", "builtin"],
            "",
            0,
            "",
        ),
        ("the rules in force", vec!["rules"], "", 0, ""),
    ] {
        let output = triage(&args, stdin.as_bytes());
        assert_eq!(output.status.code(), Some(code), "{case}: {}{}", stdout(&output), stderr(&output));
        assert!(stderr(&output).contains(says), "{case}: {}", stderr(&output));
        assert_eq!(stderr(&output).is_empty(), says.is_empty(), "{case}: {}", stderr(&output));
        assert_eq!(output.stdout.is_empty(), code == 2, "{case}: a report, or an error");
    }
}

#[test]
fn a_backtest_names_the_critical_that_would_be_missed() {
    let quiet = scratch(
        "quiet.yaml",
        b"silences:\n- {id: all-ab, alert: TooFewEndpointsRegistered, because: noise}\n",
    );
    let output = triage(&["backtest", SAMPLE, "--rules", &quiet, "--against", "builtin"], b"");
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stdout(&output).contains("TooFewEndpointsRegistered"), "{}", stdout(&output));
}
