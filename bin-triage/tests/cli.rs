//! The binary as people and scripts meet it: what it prints, and what it exits with.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/samples/upcommerce.log");

fn triage(args: &[&str], stdin: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_triage"))
        .args(args)
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

fn json(args: &[&str], stdin: &[u8]) -> Value {
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
fn the_sample_fits_one_glance() {
    let output = triage(&[SAMPLE], b"");
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));
    insta::assert_snapshot!(stdout(&output));
}

#[test]
fn malformed_lines_are_shown_with_their_reason() {
    let output =
        triage(&["-"], b"\xef\xbb\xbfZone AB: X1\r\n\r\nZone \x1b[2J: X1\nnonsense \xff\nZone AB:X1\n");
    assert_eq!(output.status.code(), Some(0));
    insta::assert_snapshot!(stdout(&output));
}

#[test]
fn nothing_is_a_report_too() {
    let output = triage(&["-"], b"");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(stdout(&output), "0 lines = 0 blank + 0 malformed + 0 records; 0 distinct alerts\n");
}

#[test]
fn json_is_complete() {
    let report = json(&[SAMPLE], b"");
    assert_eq!(
        report["totals"],
        json!({"lines": 31, "blank": 0, "malformed": 0, "records": 31, "distinct": 8})
    );
    assert_eq!(
        report["members"][1],
        json!({
            "alert": "EndpointRegistrationFailure", "labels": {"zone": "AB"}, "severity": "error", "count": 2,
            "first": {"source": 0, "line": 13}, "last": {"source": 0, "line": 30}, "examples": []
        })
    );

    let report = json(&[], b"Zone AB: X1 slow\nZone \xe2\x80\xaeBA: X1\n?\n");
    assert_eq!(report["sources"], json!(["-"]));
    assert_eq!(report["members"][0]["examples"], json!(["slow"]));
    assert_eq!(report["members"][1]["labels"]["zone"], json!(r"\u{202e}BA"));
    assert_eq!(
        report["malformed"],
        json!([{
            "source": 0, "line": 3, "kind": "no-zone", "text": "?",
            "error": "does not begin with `Zone `: write `Zone {zone}: {alert}`"
        }])
    );
    assert_eq!(report["malformed_by_error"], json!({"no-zone": 1}));
}

#[test]
fn files_fold_together_and_rows_name_them() {
    let one = scratch("one.log", b"Zone AB: X1\n");
    let two = scratch("two.log", b"\nZone AB: X1");
    let report = json(&[&one, "-", &two], b"Zone AB: X2\n");
    assert_eq!(report["sources"], json!([one, "-", two]));
    assert_eq!(report["members"][0]["first"], json!({"source": 0, "line": 1}));
    assert_eq!(report["members"][0]["last"], json!({"source": 2, "line": 2}));
    let table = triage(&[&one, "-"], b"Zone AB: X2\n");
    assert!(stdout(&table).contains("-:1"), "{}", stdout(&table));
}

#[test]
fn a_table_keeps_to_100_columns() {
    let wide = format!(
        "Zone {}: {}\nZone {}: X\n{}\nZone AB: ---\n",
        "z".repeat(300),
        "A".repeat(300),
        "東".repeat(200),
        "no blank".repeat(100)
    );
    let name = format!("{}.log", "n".repeat(200));
    let path = scratch(&name, wide.as_bytes());
    for args in [vec!["-"], vec![path.as_str(), "-"]] {
        let output = triage(&args, wide.as_bytes());
        let text = stdout(&output);
        // An ideograph takes two columns.
        let columns = |line: &str| line.chars().map(|c| if c == '東' { 2 } else { 1 }).sum::<usize>();
        assert!(text.lines().all(|line| columns(line) <= 100), "{text}");
    }
}

#[test]
fn exit_codes_tell_scripts() {
    let missing = "/nonexistent/night.log";
    let directory = env!("CARGO_MANIFEST_DIR");
    for (case, args, stdin, code, says) in [
        ("a report", vec!["-"], "Zone AB: X1", 0, ""),
        ("malformed is reported", vec!["-"], "?", 0, ""),
        ("strict and clean", vec!["--strict", "-"], "Zone AB: X1\n\n", 0, ""),
        ("strict and malformed", vec!["--strict", "-"], "Zone AB: X1\n?", 1, ""),
        ("help", vec!["--help"], "", 0, ""),
        ("no such file", vec![missing], "", 2, "night.log: No such file or directory (os error 2); check"),
        ("a directory", vec![directory], "", 2, "Is a directory"),
        ("one of two is missing", vec!["-", missing], "Zone AB: X1", 2, "night.log"),
        ("standard input twice", vec!["-", "-"], "", 2, "name it once"),
        ("no such flag", vec!["--rules", "x"], "", 2, "--rules"),
        ("no such output", vec!["-o", "html"], "", 2, "table, json"),
    ] {
        let output = triage(&args, stdin.as_bytes());
        assert_eq!(output.status.code(), Some(code), "{case}: {}", stderr(&output));
        assert!(stderr(&output).contains(says), "{case}: {}", stderr(&output));
        assert_eq!(stderr(&output).is_empty(), says.is_empty(), "{case}");
        assert_eq!(output.stdout.is_empty(), code == 2, "{case}: a report, or an error");
    }
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let lines: String = (0..20_000).map(|n| format!("Zone AB: X{n}\n")).collect();
    let path = scratch("many.log", lines.as_bytes());
    let mut child = Command::new(env!("CARGO_BIN_EXE_triage"))
        .args([&path, "-o", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("triage starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("triage ends");
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));
}
