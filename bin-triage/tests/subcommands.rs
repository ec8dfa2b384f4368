//! Output and exit codes of `explain`, `check`, `test`, `backtest` and `rules`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/samples");
const DOCS: &str = include_str!("../../docs/triage-rules.md");

/// A temporary directory with the samples.
fn directory() -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    for sample in ["upcommerce.log", "upcommerce-cases.yaml", "team-rules.yaml", "team-cases.yaml"] {
        fs::copy(Path::new(SAMPLES).join(sample), directory.path().join(sample))
            .expect("the sample is there");
    }
    directory
}

fn write(directory: &TempDir, name: &str, content: impl AsRef<[u8]>) {
    fs::write(directory.path().join(name), content).expect("a file");
}

fn triage(directory: &TempDir, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_triage"));
    command.args(args).current_dir(directory.path()).stdin(Stdio::null()).env("NO_COLOR", "1");
    command.output().expect("triage runs")
}

fn stdout(output: &Output) -> &str {
    str::from_utf8(&output.stdout).expect("UTF-8")
}

fn stderr(output: &Output) -> &str {
    str::from_utf8(&output.stderr).expect("UTF-8")
}

/// Exit code and standard output of a run without errors or warnings.
fn run(directory: &TempDir, args: &[&str]) -> (i32, String) {
    let output = triage(directory, args);
    assert_eq!(stderr(&output), "", "{args:?}");
    (output.status.code().expect("an exit code"), stdout(&output).to_owned())
}

/// The error of a run that exits with 2 and prints no output.
fn refused(directory: &TempDir, args: &[&str]) -> String {
    let output = triage(directory, args);
    assert_eq!((output.status.code(), stdout(&output)), (Some(2), ""), "{args:?}: {}", stderr(&output));
    stderr(&output).to_owned()
}

fn json(directory: &TempDir, args: &[&str]) -> Value {
    let (code, text) = run(directory, &[args, &["-o", "json"]].concat());
    assert_eq!(code, 0, "{args:?}");
    serde_json::from_str(&text).expect("JSON")
}

fn ids(directory: &TempDir) -> Vec<String> {
    let report = json(directory, &["upcommerce.log"]);
    let incidents = report["incidents"].as_array().expect("incidents");
    incidents.iter().map(|incident| incident["id"].as_str().expect("an id").to_owned()).collect()
}

#[test]
fn an_incident_of_the_sample_is_explained() {
    let directory = directory();
    for (name, id) in ["page", "ticket"].iter().zip(ids(&directory)) {
        let (code, text) = run(&directory, &["explain", &id[..8], "upcommerce.log"]);
        assert_eq!(code, 0);
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        insta::assert_snapshot!(format!("explain_{name}"), text);
    }
}

#[test]
fn a_line_of_the_sample_is_explained() {
    let directory = directory();
    let (code, text) = run(&directory, &["explain", "12", "upcommerce.log"]);
    assert_eq!(code, 0);
    insta::assert_snapshot!(text);
    assert_eq!(run(&directory, &["explain", "upcommerce.log:12", "upcommerce.log"]), (0, text));
}

#[test]
fn an_explanation_is_a_document_too() {
    let directory = directory();
    let page = &ids(&directory)[0];
    let told = json(&directory, &["explain", page, "upcommerce.log"]);
    let incident = &told["explains"]["incident"];
    assert_eq!(told["schema"], "triage/explain/v1");
    assert_eq!(incident["incident"]["id"], page.as_str());
    assert_eq!(incident["rank"]["below"]["decided_by"], "priority");
    assert_eq!(incident["evidence"][0]["lines"], serde_json::json!([{"line": 13}, {"line": 30}]));
    assert!(
        incident["what_ifs"]
            .as_array()
            .unwrap()
            .iter()
            .all(|what_if| what_if["then"][0]["priority"].is_string())
    );

    let told = json(&directory, &["explain", "21", "upcommerce.log"]);
    let line = &told["explains"]["line"];
    assert_eq!((&line["is"], &line["template"]), (&"records".into(), &"line/zone".into()));
    assert_eq!(line["records"][0]["incident"]["id"], page.as_str());
}

#[test]
fn errors_of_explain_say_what_can_be_explained() {
    let directory = directory();
    write(&directory, "other.log", "Zone AB: X\n");
    for (case, args, says) in [
        (
            "standard input",
            vec!["1", "-"],
            "standard input can be read only once, but explain reads its input twice",
        ),
        ("a pipe", vec!["1", "/dev/null"], "/dev/null is not a file, but explain reads its input twice"),
        ("behind the end", vec!["32", "upcommerce.log"], "upcommerce.log has 31 lines and no line 32"),
        (
            "a line of which file",
            vec!["1", "upcommerce.log", "other.log"],
            "several inputs have a line 1: write upcommerce.log:1 or other.log:1",
        ),
        ("no such id", vec!["ffffffff", "upcommerce.log"], "no incident has the id ffffffff"),
        (
            "a name",
            vec!["llmmodelstale", "upcommerce.log"],
            "is the name of an alert: use the id of an incident that contains it, ",
        ),
        ("no such file", vec!["1", "none.log"], "cannot read none.log: No such file"),
        ("no file", vec!["1"], "required arguments were not provided"),
    ] {
        let said = refused(&directory, &[&["explain"], args.as_slice()].concat());
        assert!(said.contains(says), "{case}: {said}");
    }
}

#[test]
fn a_long_file_is_explained_the_same_by_any_number_of_threads() {
    let directory = directory();
    let mut log: String = (0..200_000).map(|n| format!("Zone Z{}: Queue{}Slow\n", n % 7, n % 50)).collect();
    log.push_str("Zone AB: TooFewEndpointsRegistered\nnonsense\n");
    write(&directory, "long.log", &log);
    let one = run(&directory, &["explain", "200001", "long.log", "--threads", "1"]);
    assert!(one.1.contains("long.log:200001  Zone AB: TooFewEndpointsRegistered\n"), "{}", one.1);
    assert!(one.1.contains("1 record, line 200001"), "{}", one.1);
    assert_eq!(run(&directory, &["explain", "200001", "long.log", "--threads", "3"]), one);
    let (_, text) = run(&directory, &["explain", "200002", "long.log", "--threads", "3"]);
    assert!(text.contains("malformed (no-template): it does not begin with `Zone`"), "{text}");
    let (_, text) = run(&directory, &["explain", "36", "long.log", "--threads", "3"]);
    assert!(text.contains("572 records, lines 36, 386, 736, 1086, 1436, 1786 … 198136,"), "{text}");
}

#[test]
fn no_control_character_is_printed() {
    let directory = directory();
    let evil = r#"{"labels":{"alertname":"Disk\u001b[2JDown","zone":"A\u202eB","replica":"\u009b31m"},"startsAt":"2026-11-23T06:00:00Z"}"#;
    write(&directory, "evil.json", format!("{evil}\n{evil}\nnot \u{1b}[31m json\n"));
    write(
        &directory,
        "evil.yml",
        "severities:\n- {id: \"a\\e[31m\", alert: \"Disk\\e[2JDown\", labels: {replica: b}, severity: info}\n",
    );
    write(
        &directory,
        "evil-cases.yml",
        "tests:\n- name: \"\\e[31m\"\n  input: [{file: evil.json}]\n  checks: [{expect: {malformed: 1, pages: 9, alerts: [{alert: \"\\e\"}]}}]\n",
    );
    let id = {
        let report: Value =
            serde_json::from_slice(&triage(&directory, &["evil.json", "-o", "json"]).stdout).expect("JSON");
        report["incidents"][0]["id"].as_str().expect("an id").to_owned()
    };
    for args in [
        vec!["explain", "1", "evil.json"],
        vec!["explain", "2", "evil.json"],
        vec!["explain", "3", "evil.json"],
        vec!["explain", &id, "evil.json"],
        vec!["explain", &id, "evil.json", "-o", "json"],
        vec!["explain", "\u{1b}[31m", "evil.json"],
        vec!["check", "evil.yml", "--history", "evil.json"],
        vec!["test", "evil-cases.yml"],
        vec!["backtest", "evil.json", "--rules", "evil.yml", "--against", "builtin"],
        vec!["backtest", "evil.json", "--rules", "evil.yml", "--against", "builtin", "-o", "json"],
        vec!["rules", "--rules", "evil.yml"],
    ] {
        let output = triage(&directory, &args);
        let text = format!("{}{}", stdout(&output), stderr(&output));
        assert!(!text.is_empty() && !text.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{args:?}: {text:?}");
    }
}

#[test]
fn a_duplicate_names_its_original() {
    let directory = directory();
    let fires =
        r#"{"labels":{"alertname":"X","zone":"AB"},"status":"firing","startsAt":"2026-11-23T06:00:00Z"}"#;
    write(&directory, "a.json", format!("{fires}\n"));
    write(&directory, "b.json", format!("\n{fires}\n"));
    let (_, text) = run(&directory, &["explain", "b.json:2", "a.json", "b.json"]);
    assert!(text.contains("duplicate of a.json:1: it changes nothing"), "{text}");
    let (_, text) = run(&directory, &["explain", "a.json:1", "a.json", "b.json"]);
    assert!(!text.contains("duplicate"), "{text}");
}

/// The output of a command in docs/triage-rules.md, and the text before it.
fn shown(command: &str) -> (&'static str, &'static str) {
    let (before, after) = DOCS.split_once(&format!("```text\n$ {command}\n")).expect("the page shows it");
    (before, after.split("```").next().expect("the block ends"))
}

/// The last block of that kind.
fn last(kind: &str, text: &'static str) -> &'static str {
    let (_, block) = text.rsplit_once(&format!("```{kind}\n")).expect("the page has it");
    block.split("```").next().expect("the block ends")
}

#[test]
fn check_prints_what_the_docs_show() {
    let directory = directory();
    let (before, want) = shown("triage check faulty.yml --now 2026-11-23T06:00:00Z");
    write(&directory, "faulty.yml", last("yaml faulty", before));
    let args = ["check", "faulty.yml", "--now", "2026-11-23T06:00:00Z"];
    assert_eq!(run(&directory, &args), (1, want.to_owned()));
}

#[test]
fn check_exits_by_what_it_finds() {
    let directory = directory();
    write(&directory, "bad.yml", "severities:\n- {id: a, alert: X, severity: mauve}\n");
    write(
        &directory,
        "odd.yml",
        "edges:\n- {id: loop, cause: X, symptoms: [X]}\n\nsilences:\n- {id: s, alert: '*'}\n",
    );
    let now = ["--now", "2026-11-23T06:00:00Z"];
    let check = |args: &[&str]| run(&directory, &[&["check"], args, &now].concat());

    assert_eq!(check(&["team-rules.yaml"]), (0, "no fault found in 9 rows\n".to_owned()));
    assert_eq!(
        check(&["odd.yml"]),
        (
            1,
            "odd.yml:2: cyclic: `loop` leads back to its cause: X -> X\n\
             odd.yml:5: too broad: `s` silences every alert: name the alerts or the labels it is for\n\
             2 faults found in 2 rows\n"
                .to_owned()
        )
    );
    let later = run(&directory, &["check", "team-rules.yaml", "--now", "2026-11-24T00:00:00Z"]);
    assert!(
        later.1.starts_with("team-rules.yaml:19: never matched: `team/xq-rebuild` is over since "),
        "{}",
        later.1
    );

    write(
        &directory,
        "met.log",
        "queue payments in AB: QueueBacklog\nZone AB: EndpointRegistrationFailure\n?\n",
    );
    let (code, text) = check(&["team-rules.yaml", "--history", "met.log", "upcommerce.log"]);
    assert_eq!(
        (code, text.as_str()),
        (0, "history: 33 records of 9 alerts, 1 malformed\nno fault found in 9 rows\n")
    );
    let (code, text) = check(&["team-rules.yaml", "--history", "upcommerce.log"]);
    assert!(code == 1 && text.contains("`team/queues` met nothing in the history"), "{text}");
    assert!(text.contains("`team/queue` met nothing in the history: no line of it has the shape"), "{text}");

    // docs/triage-rules.md shows this message.
    let said = refused(&directory, &["check", "bad.yml"]);
    assert!(DOCS.contains(&format!("```text\n{}```", said.replace("bad.yml", "rules.yml"))), "{said}");
    assert!(refused(&directory, &["check", "none.yml"]).contains("cannot read none.yml"));
    assert!(
        refused(&directory, &["check", "team-rules.yaml", "--history", "-"])
            .contains("standard input can be read only once")
    );
}

/// Every command that takes rules refuses invalid ones with the same error.
#[test]
fn bad_rules_are_refused_wherever_they_are_given() {
    let directory = directory();
    write(&directory, "bad.yml", "ladders:\n- id: a\n  rungs: [X]\n");
    for args in [
        vec!["upcommerce.log", "--rules", "bad.yml"],
        vec!["explain", "1", "upcommerce.log", "--rules", "bad.yml"],
        vec!["check", "bad.yml"],
        vec!["test", "team-cases.yaml", "--rules", "bad.yml"],
        vec!["backtest", "upcommerce.log", "--rules", "bad.yml", "--against", "builtin"],
        vec!["backtest", "upcommerce.log", "--rules", "team-rules.yaml", "--against", "bad.yml"],
        vec!["rules", "--rules", "bad.yml"],
    ] {
        assert_eq!(
            refused(&directory, &args),
            "triage: bad.yml:2:7: ladder `a` has fewer than two rungs\n2 | - id: a\n          ^\n",
            "{args:?}"
        );
    }
}

#[test]
fn cases_pass_or_say_why_not() {
    let directory = directory();
    let (code, text) = run(&directory, &["test", "upcommerce-cases.yaml", "team-cases.yaml"]);
    assert_eq!((code, text.lines().last()), (0, Some("16 tests passed")), "{text}");
    assert!(text.lines().rev().skip(1).all(|line| line.starts_with("ok   ")), "{text}");

    // docs/triage-rules.md shows this failure.
    let broken =
        fs::read_to_string(directory.path().join("team-cases.yaml")).unwrap().replacen("P1", "P2", 1);
    write(&directory, "team-cases.yaml", broken);
    let (code, text) = run(&directory, &["test", "team-cases.yaml"]);
    let failed: String =
        text.lines().filter(|line| !line.starts_with("ok ")).map(|line| format!("{line}\n")).collect();
    assert_eq!(code, 1);
    assert!(DOCS.contains(&format!("```text\n{failed}```")), "{failed}");
}

#[test]
fn rules_of_the_command_line_come_before_those_of_the_cases() {
    let directory = directory();
    write(
        &directory,
        "cases.yml",
        "rules: mine.yml\ntests:\n- name: t\n  input: [{alert: X}]\n  checks: [{expect: {pages: 1}}]\n",
    );
    write(&directory, "mine.yml", "severities:\n- {id: x, alert: X, severity: critical}\n");
    write(&directory, "other.yml", "severities:\n- {id: x, alert: X, severity: info}\n");
    assert_eq!(run(&directory, &["test", "cases.yml"]), (0, "ok   t\n1 test passed\n".to_owned()));
    assert_eq!(
        run(&directory, &["test", "cases.yml", "--rules", "other.yml"]),
        (1, "FAIL t\n     cases.yml:5: pages: expected 1, got 0\n1 of 1 test failed\n".to_owned())
    );
    let (_, both) = run(&directory, &["test", "cases.yml", "cases.yml", "--rules", "other.yml"]);
    assert_eq!(both.lines().last(), Some("2 of 2 tests failed"));
}

#[test]
fn an_invalid_file_of_cases_stops_the_run_before_it_starts() {
    let directory = directory();
    write(&directory, "bad.yml", "tests:\n- name: t\n  checks: [{expect: {page: 1}}]\n");
    let said = refused(&directory, &["test", "team-cases.yaml", "bad.yml"]);
    assert!(
        said.starts_with("triage: bad.yml:3:22: unknown field `page`, expected one of pages, "),
        "{said}"
    );
    write(
        &directory,
        "gone.yml",
        "tests:\n- name: t\n  input: [{file: gone.log}]\n  checks: [{expect: {pages: 1}}]\n",
    );
    let said = refused(&directory, &["test", "gone.yml"]);
    assert!(said.starts_with("triage: gone.yml:3: cannot read gone.log: No such file"), "{said}");
    write(
        &directory,
        "norules.yml",
        "rules: gone.yml.yml\ntests:\n- name: t\n  checks: [{expect: {pages: 1}}]\n",
    );
    assert!(refused(&directory, &["test", "norules.yml"]).contains("cannot read gone.yml.yml"));
}

#[test]
fn rules_that_are_not_utf8_are_refused_with_the_position() {
    let directory = directory();
    write(&directory, "latin.yml", b"# caf\xc3\xa9\nsilences: # caf\xe9\n");
    let said = refused(&directory, &["--rules", "latin.yml", "upcommerce.log"]);
    assert_eq!(said, "triage: latin.yml:2:16: `\\xe9` is not valid UTF-8: save the file as UTF-8\n");
}

#[test]
fn a_backtest_says_what_is_missed() {
    let directory = directory();
    // docs/triage-rules.md shows these rules and their result.
    let (before, want) = shown("triage backtest upcommerce.log --rules quieter.yml --against builtin");
    write(&directory, "quieter.yml", last("yaml rules", before));
    let quieter = ["backtest", "upcommerce.log", "--rules", "quieter.yml", "--against", "builtin"];
    assert_eq!(run(&directory, &quieter), (1, want.to_owned()));

    let (code, text) = run(
        &directory,
        &["backtest", "upcommerce.log", "--rules", "team-rules.yaml", "--against", "team-rules.yaml"],
    );
    assert_eq!((code, text.lines().last()), (0, Some("no difference in notifications; no critical missed")));

    let (code, text) = run(
        &directory,
        &["backtest", "upcommerce.log", "--rules", "quieter.yml", "--against", "builtin", "-o", "json"],
    );
    let document: Value = serde_json::from_str(&text).unwrap();
    let backtest = &document["backtest"];
    assert_eq!((code, &document["schema"]), (1, &"triage/backtest/v1".into()));
    assert_eq!(backtest["criticals_missed"][0]["alert"], "TooFewEndpointsRegistered");
    assert_eq!((&backtest["candidate"]["pages"], &backtest["baseline"]["pages"]), (&0.into(), &1.into()));
    assert_eq!(backtest["pages_lost"][0]["evidence"], serde_json::json!([{"line": 21}]));

    for sides in [["team-rules.yaml", "builtin"], ["builtin", "team-rules.yaml"], ["builtin", "builtin"]] {
        let (code, text) =
            run(&directory, &["backtest", "upcommerce.log", "--rules", sides[0], "--against", sides[1]]);
        assert!(code == 0 && text.contains("no critical missed"), "{sides:?}: {text}");
    }
    let stdin = ["backtest", "-", "--rules", "quieter.yml", "--against", "builtin"];
    assert!(refused(&directory, &stdin).contains("backtest reads a history twice"));
}

#[test]
fn rules_lists_what_is_in_force() {
    let directory = directory();
    let (code, text) = run(&directory, &["rules", "--rules", "team-rules.yaml"]);
    assert_eq!(code, 0);
    assert!(text.contains("QueueBacklog{queue=\"payments\"} is critical  [team-rules.yaml:9]\n"), "{text}");
    assert!(text.contains("  ladder/name "), "{text}");
    // Every id that is listed as built in can be disabled.
    let (_, text) = run(&directory, &["rules"]);
    let ids: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next()).collect();
    write(
        &directory,
        "off.yml",
        format!("builtin:\n  disable:\n{}", ids.iter().map(|id| format!("  - {id}\n")).collect::<String>()),
    );
    assert!(ids.len() > 30, "{text}");
    assert_eq!(run(&directory, &["rules", "--rules", "off.yml"]), (0, String::new()));
    let (code, yaml) = run(&directory, &["rules", "--builtin"]);
    write(&directory, "builtin.yml", yaml);
    assert_eq!(code, 0);
    assert_eq!(run(&directory, &["check", "builtin.yml"]).0, 0);
}

/// A rules file whose every section has an effect on the report.
#[test]
fn every_section_of_a_rules_file_reaches_the_report() {
    let directory = directory();
    write(
        &directory,
        "all.yml",
        "
templates: [{id: node, line: 'node {node} of {site}: {alert}'}]
identity: {drop: [node]}
scope: {labels: [[site]]}
severities: [{id: sev, alert: DiskFull, severity: error}]
ladders: [{id: lad, rungs: [DiskFilling, DiskFull]}]
edges: [{id: edge, cause: DiskFull, symptoms: [WritesFail]}]
transients: [{id: trans, alert: DiskBlip, of: DiskGone}]
informational: [{id: info, alert: DiskScrub, because: it is planned}]
silences: [{id: quiet, alert: DiskNoisy, because: known}]
ttls: [{id: ttl-old, alert: DiskOld, ttl: 1h}]
runbooks: [{id: book, alert: DiskFull, url: 'https://runbooks.example/full'}]
limits: {recurring: 2}
builtin: {disable: [severity/name]}
",
    );
    write(
        &directory,
        "nodes.log",
        "2026-11-23T05:00:00Z node n1 of north: DiskOld\n\
         2026-11-23T06:30:00Z node n1 of north: DiskFull\n\
         2026-11-23T06:30:00Z node n2 of north: DiskFull\n\
         2026-11-23T06:31:00Z node n1 of north: DiskFilling\n\
         2026-11-23T06:32:00Z node n1 of north: WritesFail\n\
         2026-11-23T06:33:00Z node n1 of north: DiskBlip\n\
         2026-11-23T06:34:00Z node n1 of north: DiskBlip\n\
         2026-11-23T06:35:00Z node n1 of north: DiskScrub\n\
         2026-11-23T06:36:00Z node n1 of north: DiskNoisy\n\
         2026-11-23T06:37:00Z node n1 of north: DiskDown\n",
    );
    let report = json(&directory, &["nodes.log", "--rules", "all.yml"]);
    let incidents = report["incidents"].as_array().unwrap();
    let members = || incidents.iter().flat_map(|incident| incident["members"].as_array().unwrap());
    let member = |alert: &str| members().find(|member| member["alert"] == alert).unwrap();
    for (alert, verdict, rule) in [
        ("DiskFull", "active", "sev"),
        ("DiskFilling", "superseded", "lad"),
        ("WritesFail", "active", "default"),
        ("DiskBlip", "transient", "trans"),
        ("DiskScrub", "informational", "info"),
        ("DiskNoisy", "silenced", "quiet"),
        ("DiskOld", "obsolete", "ttl-old"),
        ("DiskDown", "active", "default"),
    ] {
        assert_eq!(
            (&member(alert)["verdict"], &member(alert)["rule"]),
            (&verdict.into(), &rule.into()),
            "{alert}"
        );
    }
    assert_eq!(member("DiskFull")["labels"], serde_json::json!({"site": "north"}), "identity, scope");
    assert_eq!(
        (&member("DiskFull")["count"], &member("DiskFull")["examples"]),
        (&2.into(), &serde_json::json!(["n1", "n2"]))
    );
    assert_eq!(member("DiskFull")["runbook"], "https://runbooks.example/full");
    assert_eq!(member("WritesFail")["cause"]["rule"], "edge");
    assert_eq!(member("DiskBlip")["flags"], serde_json::json!(["recurring"]));
}
