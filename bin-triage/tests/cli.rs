//! The binary as people and scripts meet it: what it prints, and what it exits with.

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

/// What the README shows.
#[test]
fn the_sample_fits_one_glance() {
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
fn malformed_lines_are_shown_with_their_reason_and_one_warning() {
    let output =
        triage(&["-"], b"\xef\xbb\xbfZone AB: X1\r\n\r\nZone \x1b[2J: X1\nnonsense \xff\nZone AB:X1\n");
    assert_eq!(output.status.code(), Some(0));
    let (out, err) = (stdout(&output), stderr(&output));
    assert!(out.starts_with("5 lines = 1 blank + 3 malformed + 1 record"), "{out}");
    for said in
        ["line 3", r"\u{1b}[2J", "line 4", r"nonsense \xff", "line 5", "has no `:` with a blank behind it"]
    {
        assert!(out.contains(said), "{said}: {out}");
    }
    assert!(err.starts_with("triage: warning: 3 malformed, line 3 ") && err.lines().count() == 1, "{err}");
}

#[test]
fn nothing_is_a_report_too() {
    for input in ["", "\n \n", "\u{feff}"] {
        let output = triage(&["-"], input.as_bytes());
        assert_eq!(output.status.code(), Some(0), "{input:?}");
        assert!(stdout(&output).contains("nothing to report"), "{}", stdout(&output));
        assert_eq!(report(&[], input.as_bytes())["totals"]["records"], 0);
    }
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
fn json_lines_tell_incidents_from_the_rest() {
    let output = triage(&[SAMPLE, "-o", "jsonl"], b"");
    let lines: Vec<Value> =
        stdout(&output).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let types: Vec<_> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["incident", "incident", "report"]);
    assert_eq!(lines[2]["totals"]["pages"], 1);
}

#[test]
fn files_fold_together_and_places_name_them() {
    let one = scratch("one.log", b"Zone AB: X1\n");
    let two = scratch("two.log", b"\nZone AB: X1");
    let report = report(&[&one, "-", &two], b"Zone AB: X2\n");
    let members = |at: usize| &report["incidents"][at]["members"][0];
    assert_eq!(members(0)["count"], 2);
    assert_eq!(members(0)["first"], json!({"source": one, "line": 1, "at": null}));
    assert_eq!(members(0)["last"], json!({"source": two, "line": 2, "at": null}));
    assert_eq!(members(1)["first"]["source"], "-");
}

#[test]
fn colour_is_for_terminals_or_for_who_insists() {
    let run = |set: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_triage"));
        command.arg(SAMPLE).env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").envs(set.iter().copied());
        command.output().expect("triage runs").stdout.contains(&0x1b)
    };
    assert!(!run(&[]), "a pipe gets none");
    assert!(run(&[("CLICOLOR_FORCE", "1")]));
    assert!(!run(&[("NO_COLOR", "1")]));
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

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let lines: String = (0..20_000).map(|n| format!("Zone AB: X{n}\n")).collect();
    let path = scratch("many.log", lines.as_bytes());
    for output in ["json", "jsonl", "table", "markdown", "html"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_triage"))
            .args([&path, "-o", output, "--all"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("triage starts");
        drop(child.stdout.take());
        let done = child.wait_with_output().expect("triage ends");
        assert_eq!((done.status.code(), stderr(&done)), (Some(0), ""), "{output}");
    }
}
