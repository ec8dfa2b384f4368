//! Output and exit codes of the binary.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/samples/upcommerce.log");

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/samples/upcommerce-cases.yaml");

/// A made-up night with times in three zones: a dead node, registration failures, flapping,
/// silences.
const NIGHT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/night.jsonl");
const NIGHT_RULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/night-rules.yaml");

const OUTPUTS: [&str; 5] = ["table", "json", "jsonl", "markdown", "html"];

fn triage(args: &[&str], stdin: &[u8]) -> Output {
    triage_in(&[], args, stdin)
}

/// Runs with these environment variables, and without those that change colors.
fn triage_in(env: &[(&str, &str)], args: &[&str], stdin: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_triage"))
        .args(args)
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR")
        .env_remove("CLICOLOR_FORCE")
        .envs(env.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("triage starts");
    // A run that fails on its arguments does not read its input.
    let _ = child.stdin.take().expect("piped").write_all(stdin);
    child.wait_with_output().expect("triage ends")
}

fn stdout(output: &Output) -> &str {
    str::from_utf8(&output.stdout).expect("UTF-8")
}

fn stderr(output: &Output) -> &str {
    str::from_utf8(&output.stderr).expect("UTF-8")
}

/// The output of a run that succeeds without a warning.
fn printed(args: &[&str], stdin: &[u8]) -> String {
    let output = triage(args, stdin);
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));
    stdout(&output).to_owned()
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

/// `count` alerts that are not related to each other.
fn unrelated(count: usize) -> String {
    (0..count).map(|n| format!("Zone AB: Alert{n:05}\n")).collect()
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
fn the_sample_fits_one_glance() {
    insta::assert_snapshot!(printed(&[SAMPLE], b""));
}

#[test]
fn the_sample_as_a_ticket() {
    insta::assert_snapshot!(printed(&["-o", "markdown", SAMPLE], b""));
}

#[test]
fn the_sample_as_a_page() {
    let page = printed(&["-o", "html", SAMPLE], b"");
    // The snapshot leaves out the style.
    let (before, rest) = page.split_once("<style>").expect("a style");
    let (_, after) = rest.split_once("</style>").expect("its end");
    let page = format!("{before}<style>…</style>{after}");
    // One tag per line makes a diff readable.
    insta::assert_snapshot!(page.replace("><", ">\n<"));
}

#[test]
fn a_night_with_times_in_three_zones() {
    insta::assert_snapshot!(printed(&["--rules", NIGHT_RULES, NIGHT], b""));
}

#[test]
fn malformed_lines_are_shown_with_their_reason_and_fix() {
    let input = b"\xef\xbb\xbfZone AB: X1\r\n\r\nZone \x1b[2J: X1\nnonsense \xff\nZone AB X1\n";
    let output = triage(&["-"], input);
    assert_eq!(output.status.code(), Some(0));
    insta::assert_snapshot!(format!("{}\n--- stderr\n{}", stdout(&output), stderr(&output)));
}

#[test]
fn empty_input_is_a_report() {
    for output in OUTPUTS {
        for stdin in [&b""[..], b"\n \n"] {
            let printed = printed(&["-o", output, "-"], stdin);
            assert!(
                printed.contains("nothing to report: the input contains no alert"),
                "{output}: {printed}"
            );
        }
    }
    let report = json(&["-"], b"");
    let totals = report["totals"].as_object().expect("totals");
    assert!(totals.len() >= 11 && totals.values().all(|total| *total == json!(0)), "{report}");
    assert_eq!((&report["incidents"], &report["groups"]), (&json!([]), &json!([])));
}

#[test]
fn json_is_complete() {
    let report = json(&[SAMPLE], b"");
    assert_eq!((&report["schema"], &report["now"]), (&json!("triage/v1"), &Value::Null));
    assert_eq!(
        report["totals"],
        json!({
            "lines": 31, "blank": 0, "malformed": 0, "records": 31, "duplicates": 0, "alerts": 31, "distinct": 8,
            "truncated": 0, "incidents": 2, "pages": 1, "tickets": 1
        })
    );
    let page = &report["incidents"][0];
    assert_eq!(
        (&page["priority"], &page["notify"], &page["state"]),
        (&json!("P1"), &json!("page"), &json!("active"))
    );
    assert_eq!((&page["scope"], &page["scopes"]), (&json!({"zone": "AB"}), &Value::Null));
    assert_eq!(page["headline"], "TooFewEndpointsRegistered");
    let members = page["members"].as_array().expect("members");
    let told: Vec<_> = (members.iter())
        .map(|member| {
            let text = |name: &str| member[name].as_str().unwrap_or_default();
            (text("alert"), member["count"].as_u64().unwrap_or(0), text("verdict"), text("role"))
        })
        .collect();
    assert_eq!(
        told,
        [
            ("EndpointRegistrationFailure", 2, "active", "cause"),
            ("TooFewEndpointsRegistered", 1, "active", "symptom"),
            ("LLMBatchProcessingJobFailures", 3, "active", "symptom"),
            ("LLMModelVeryStale", 1, "active", "symptom"),
            ("EndpointRegistrationTransientFailure", 3, "superseded", "member"),
            ("LLMModelStale", 1, "superseded", "symptom"),
        ]
    );
    assert_eq!(members[0]["first"], json!({"line": 13, "at": null}));
    assert_eq!(members[0]["last"], json!({"line": 30, "at": null}));
    assert_eq!(members[4]["by"], json!({"alert": "EndpointRegistrationFailure", "labels": {"zone": "AB"}}));
    let alternatives = page["alternatives"].to_string();
    assert!(alternatives.contains("upcommerce/registration-batch"), "{alternatives}");
    let ticket = &report["incidents"][1];
    assert_eq!((&ticket["priority"], &ticket["scope"]), (&json!("P4"), &Value::Null));
    assert_eq!(ticket["scopes"], json!([{"zone": "OH-1"}, {"zone": "XQ"}]));
    assert_eq!((&ticket["members"][0]["count"], &ticket["members"][1]["count"]), (&json!(8), &json!(12)));
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let lines: String = (0..30_000).map(|n| format!("Zone Z{}: Alert{}\n", n % 997, n % 29_989)).collect();
    let many = scratch("many-threads.log", lines.as_bytes());
    let text = |threads: &str| triage(&[&many, "-o", "json", "--threads", threads], b"").stdout;
    assert!(text("1") == text("2") && text("2") == text("5"), "threads change nothing");
}

#[test]
fn json_holds_every_incident_and_the_first_thousand_faults() {
    let input = unrelated(50) + &"?\n".repeat(1_200);
    let report = json(&["-"], input.as_bytes());
    assert_eq!(report["incidents"].as_array().map(Vec::len), Some(50));
    assert_eq!(report["malformed"].as_array().map(Vec::len), Some(1_000));
    assert_eq!(report["malformed_by_error"], json!({"no-template": 1_200}));
    assert_eq!(report["malformed"][0]["line"], 51);
}

#[test]
fn json_lines_are_the_same_document_in_parts() {
    for args in [vec![SAMPLE], vec!["--rules", NIGHT_RULES, NIGHT]] {
        let lines = printed(&[&["-o", "jsonl"], args.as_slice()].concat(), b"");
        let mut parts: Vec<Value> =
            lines.lines().map(|line| serde_json::from_str(line).expect("a JSON object a line")).collect();
        let kinds: Vec<Value> = (parts.iter_mut())
            .map(|part| part.as_object_mut().and_then(|part| part.remove("type")).expect("a type"))
            .collect();
        let (last, incidents) = kinds.split_last().expect("a line");
        assert_eq!(*last, "report");
        assert!(incidents.iter().all(|kind| kind == "incident"));
        let mut whole = parts.pop().expect("the report");
        whole["incidents"] = Value::Array(parts);
        assert_eq!(whole, json(&args, b""));
    }
}

#[test]
fn files_fold_together_and_rows_name_them() {
    let one = scratch("one.log", b"Zone AB: X1\n");
    let two = scratch("two.log", b"\nZone AB: X1");
    let report = json(&[&one, "-", &two], b"Zone AB: X2\n");
    let x1 = (report["incidents"].as_array().expect("incidents").iter())
        .map(|incident| &incident["members"][0])
        .find(|member| member["alert"] == "X1")
        .expect("X1");
    assert_eq!(x1["count"], 2);
    assert_eq!(x1["first"], json!({"source": one, "line": 1, "at": null}));
    assert_eq!(x1["last"], json!({"source": two, "line": 2, "at": null}));
    // A table cuts long names, so the files are named relative to their directory.
    let output = Command::new(env!("CARGO_BIN_EXE_triage"))
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .args(["one.log", "two.log"])
        .output()
        .expect("triage runs");
    assert!(stdout(&output).contains("one.log:1–two.log:2\n"), "{}", stdout(&output));
    for output in ["markdown", "html"] {
        assert!(printed(&["-o", output, &one, "-"], b"Zone AB: X2\n").contains("-:1"), "{output}");
    }
}

#[test]
fn a_table_keeps_to_100_columns_and_40_lines_of_20_incidents() {
    let wide = format!(
        "Zone {}: {}\nZone {}: X\n{}\nZone AB: ---\n{}",
        "z".repeat(300),
        "A".repeat(300),
        "東".repeat(200),
        "no blank".repeat(100),
        unrelated(60)
    );
    let name = format!("{}.log", "n".repeat(200));
    let path = scratch(&name, wide.as_bytes());
    for args in [vec!["-"], vec![path.as_str(), "-"], vec!["--all", "-"]] {
        let output = triage(&args, wide.as_bytes());
        let text = stdout(&output);
        // An ideograph takes two columns.
        let columns = |line: &str| line.chars().map(|c| if c == '東' { 2 } else { 1 }).sum::<usize>();
        assert!(text.lines().all(|line| columns(line) <= 100), "{text}");
        let heads = text.lines().filter(|line| line.starts_with("P3 ticket")).count();
        assert_eq!(heads, if args[0] == "--all" { 62 } else { 20 }, "{text}");
        if args[0] != "--all" {
            let body = text.split("\n\n42 more incidents, P3 at most (--all)").next().expect("the incidents");
            let body = body.split_once("obsolete or flapping\n").expect("after the notes").1;
            assert!(body.lines().count() <= 40, "{body}");
            assert!(text.contains("42 more incidents, P3 at most (--all)"), "{text}");
        }
    }
}

#[test]
fn an_incident_of_many_members_says_how_many_it_does_not_show() {
    let input: String = (0..80).map(|n| format!("Zone Z{n:02}: XTransientFailure\n")).collect();
    let table = printed(&["-"], input.as_bytes());
    assert!(table.contains("zone=Z00") && !table.contains("zone=Z79"), "{table}");
    assert!(table.contains("… 44 more alerts (--all)"), "{table}");
    let whole = printed(&["--all", "-"], input.as_bytes());
    assert!(whole.contains("zone=Z79") && !whole.contains("more alert"), "{whole}");
}

#[test]
fn the_same_alert_in_many_zones_takes_one_row() {
    let input = "Zone A: DiskDown\nZone B: DiskDown\nZone C: DiskDown\nZone C: Other\n";
    let table = printed(&["-"], input.as_bytes());
    let heads: Vec<&str> = table.lines().filter(|line| line.starts_with('P')).collect();
    assert_eq!(heads.len(), 2, "{table}");
    assert!(
        heads[0].contains("3 scopes: zone=A, zone=B, zone=C") && heads[0].ends_with("3 incidents"),
        "{table}"
    );
    let report = json(&["-"], input.as_bytes());
    assert_eq!(report["incidents"].as_array().map(Vec::len), Some(4), "the JSON holds each of them");
    assert_eq!(report["totals"]["pages"], 1);
}

#[test]
fn alerts_left_out_by_the_sender_are_in_every_output() {
    let webhook = br#"{"version":"4","status":"firing","truncatedAlerts":7,"alerts":[
        {"status":"firing","labels":{"alertname":"X","zone":"AB"},"startsAt":"2026-11-23T06:00:00Z"}]}"#;
    for output in OUTPUTS {
        let printed = printed(&["-o", output, "-"], webhook);
        assert!(printed.contains("7 alerts were left out by the sender"), "{output}: {printed}");
    }
}

#[test]
fn colors_are_for_terminals() {
    let escapes = |env: &[(&str, &str)], output: &str| {
        stdout(&triage_in(env, &["-o", output, SAMPLE], b"")).contains('\u{1b}')
    };
    for (case, env, want) in [
        ("into a pipe", &[][..], false),
        ("into a pipe, forced", &[("CLICOLOR_FORCE", "1")], true),
        ("not wanted", &[("NO_COLOR", "1")], false),
        ("not wanted, also if forced", &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], false),
    ] {
        assert_eq!(escapes(env, "table"), want, "{case}");
        for output in &OUTPUTS[1..] {
            assert!(!escapes(env, output), "{output} {case}");
        }
    }
    let coloured = triage_in(&[("CLICOLOR_FORCE", "1")], &[SAMPLE], b"");
    let mut words = String::new();
    for part in stdout(&coloured).split('\u{1b}') {
        words.push_str(
            part.strip_prefix('[').map_or(part, |part| part.split_once('m').map_or("", |(_, text)| text)),
        );
    }
    assert_eq!(words, printed(&[SAMPLE], b""), "colors carry no information of their own");
}

#[test]
fn a_page_fetches_and_runs_nothing() {
    let page = printed(&["-o", "html", "--rules", NIGHT_RULES, NIGHT], b"");
    assert!(page.contains("default-src 'none'"), "{page}");
    for word in ["<script", "<link", "<img", "<iframe", "@import", "url(", " src=", "javascript:"] {
        assert!(!page.contains(word), "{word}");
    }
    // Runbooks of the rules are the only external links.
    let addresses = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    for address in addresses {
        assert!(address.starts_with("#i") || address.starts_with("https://runbooks.example/"), "{address}");
    }
    assert!(page.contains("rel=\"noreferrer\""));
}

#[test]
fn a_page_of_very_many_incidents_shows_the_first_ones() {
    let input = unrelated(1_000);
    let page = printed(&["-o", "html", "-"], input.as_bytes());
    assert_eq!(page.matches("<article").count(), 200);
    assert!(page.contains("800 more incidents") && page.contains("Only the first 200 alerts are drawn."));
    let whole = printed(&["-o", "html", "--all", "-"], input.as_bytes());
    assert_eq!(whole.matches("<article").count(), 1_000);
    assert!(!whole.contains("more incident") && whole.contains("Only the first 200 alerts are drawn."));
}

#[test]
fn exit_codes() {
    let missing = "/nonexistent/night.log";
    let directory = env!("CARGO_MANIFEST_DIR");
    let rules = scratch("rules.yaml", b"severities:\n- {id: a, alert: X1, severity: critical}\n");
    let faulty = scratch("faulty.yaml", b"severities:\n- {id: a, alert: '*', severity: info}\n");
    let broken = scratch("broken.yaml", b"severity: []\n");
    let failing = scratch("failing.yaml", b"tests:\n- name: wrong\n  input:\n  - {alert: X, labels: {zone: A}}\n  checks:\n  - expect: {pages: 7}\n");
    for (case, args, stdin, code, says) in [
        ("a report", vec!["-"], "Zone AB: X1", 0, ""),
        ("malformed is reported", vec!["-"], "Zone AB: X1\n?", 0, "warning: 1 malformed, line 2"),
        ("nothing can be read", vec!["-"], "?", 3, "nothing could be read: the input is text"),
        ("nothing can be read, strict", vec!["--strict", "-"], "?", 3, "nothing could be read"),
        ("one of two cannot be read", vec!["-", &failing], "Zone AB: X1", 3, "nothing could be read from "),
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
            "an invalid time",
            vec!["--now", "soon", "-"],
            "",
            2,
            "write 2026-11-23T06:51:59Z, 2026-11-23, 1795157519 (seconds since 1970)",
        ),
        ("a time ago", vec!["--now", "-2h", "-"], "Zone AB: X1", 0, ""),
        ("a word for a time", vec!["--now=yesterday", "-"], "Zone AB: X1", 0, ""),
        (
            "a mistyped subcommand",
            vec!["folow", "night.log"],
            "",
            2,
            "no subcommand and no file has the name folow: did you mean `triage follow`?",
        ),
        ("no such subcommand", vec!["night"], "", 2, "night: No such file or directory"),
        ("completions", vec!["completions", "bash"], "", 0, ""),
        ("no such shell", vec!["completions", "csh"], "", 2, "bash, elvish, fish, powershell, zsh"),
        ("the man page", vec!["man"], "", 0, ""),
        ("rules of one's own", vec!["--rules", &rules, "-"], "Zone AB: X1", 0, ""),
        ("no such rules", vec!["--rules", "/nonexistent/rules.yaml", "-"], "", 2, "rules.yaml"),
        ("rules that cannot be used", vec!["--rules", &broken, "-"], "", 2, "broken.yaml"),
        ("explain a line", vec!["explain", "12", SAMPLE], "", 0, ""),
        ("explain nothing", vec!["explain", "ffffffff", SAMPLE], "", 2, "ffffffff"),
        ("explain standard input", vec!["explain", "1", "-"], "", 2, "explain reads its input twice"),
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
fn one_line_warns_of_all_that_is_malformed() {
    let output = triage(&["-"], b"?\nZone AB: X1\n\x1b[2J\n?\n");
    let warning = stderr(&output);
    assert_eq!(warning.lines().count(), 1, "{warning}");
    assert!(warning.contains("3 malformed, line 1 ") && warning.contains("; 2 more"), "{warning}");
}

/// The scripts and pages come from the definitions of the flags, so they name each subcommand.
#[test]
fn completions_and_man_pages_name_every_subcommand() {
    let help = triage(&["--help"], b"");
    let commands: Vec<&str> = (stdout(&help).lines())
        .skip_while(|line| !line.starts_with("Commands:"))
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(commands.len() > 9 && commands.contains(&"follow"), "{commands:?}");
    let directory = std::env::temp_dir().join(format!("triage-man-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&directory);
    let written = triage(&["man", directory.to_str().unwrap()], b"");
    assert_eq!((written.status.code(), stderr(&written)), (Some(0), ""));
    let page = triage(&["man"], b"");
    let bash = triage(&["completions", "bash"], b"");
    for command in commands {
        assert!(stdout(&bash).contains(&format!("triage,{command})")), "{command}");
        if command != "help" {
            assert!(
                stdout(&page).contains(&format!("triage\\-{command}(1)")),
                "{command}: {}",
                stdout(&page)
            );
            let own = std::fs::read_to_string(directory.join(format!("triage-{command}.1"))).unwrap();
            assert!(own.starts_with(".ie"), "{own}");
        }
    }
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn a_reader_that_closes_the_pipe_early_is_not_an_error() {
    let path = scratch("many.log", unrelated(20_000).as_bytes());
    for output in OUTPUTS {
        let mut child = Command::new(env!("CARGO_BIN_EXE_triage"))
            .args([&path, "--all", "-o", output])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("triage starts");
        drop(child.stdout.take());
        let ended = child.wait_with_output().expect("triage ends");
        assert_eq!((ended.status.code(), stderr(&ended)), (Some(0), ""), "{output}");
    }
}
