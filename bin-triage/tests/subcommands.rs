//! `explain`, `check`, `test`, `backtest` and `rules` as people and scripts meet them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/samples");
const DOCS: &str = include_str!("../../docs/triage-rules.md");

/// A directory of its own, with the samples in it.
fn room() -> TempDir {
    let room = tempfile::tempdir().expect("a directory");
    for sample in ["upcommerce.log", "upcommerce-cases.yaml", "team-rules.yaml", "team-cases.yaml"] {
        fs::copy(Path::new(SAMPLES).join(sample), room.path().join(sample)).expect("the sample is there");
    }
    room
}

fn write(room: &TempDir, name: &str, content: impl AsRef<[u8]>) {
    fs::write(room.path().join(name), content).expect("a file");
}

fn triage(room: &TempDir, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_triage"));
    command.args(args).current_dir(room.path()).stdin(Stdio::null()).env("NO_COLOR", "1");
    command.output().expect("triage runs")
}

fn stdout(output: &Output) -> &str {
    str::from_utf8(&output.stdout).expect("UTF-8")
}

fn stderr(output: &Output) -> &str {
    str::from_utf8(&output.stderr).expect("UTF-8")
}

/// Exit code and standard output of a run that has nothing to complain of.
fn run(room: &TempDir, args: &[&str]) -> (i32, String) {
    let output = triage(room, args);
    assert_eq!(stderr(&output), "", "{args:?}");
    (output.status.code().expect("an exit code"), stdout(&output).to_owned())
}

/// What a refused run says; it prints nothing else and exits with 2.
fn refused(room: &TempDir, args: &[&str]) -> String {
    let output = triage(room, args);
    assert_eq!((output.status.code(), stdout(&output)), (Some(2), ""), "{args:?}: {}", stderr(&output));
    stderr(&output).to_owned()
}

fn json(room: &TempDir, args: &[&str]) -> Value {
    let (code, text) = run(room, &[args, &["-o", "json"]].concat());
    assert_eq!(code, 0, "{args:?}");
    serde_json::from_str(&text).expect("JSON")
}

fn ids(room: &TempDir) -> Vec<String> {
    let report = json(room, &["upcommerce.log"]);
    let incidents = report["incidents"].as_array().expect("incidents");
    incidents.iter().map(|incident| incident["id"].as_str().expect("an id").to_owned()).collect()
}

#[test]
fn an_incident_of_the_sample_is_explained() {
    let room = room();
    for (name, id) in ["page", "ticket"].iter().zip(ids(&room)) {
        let (code, text) = run(&room, &["explain", &id[..8], "upcommerce.log"]);
        assert_eq!(code, 0);
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        insta::assert_snapshot!(format!("explain_{name}"), text);
    }
}

#[test]
fn a_line_of_the_sample_is_explained() {
    let room = room();
    let (code, text) = run(&room, &["explain", "12", "upcommerce.log"]);
    assert_eq!(code, 0);
    insta::assert_snapshot!(text);
    assert_eq!(run(&room, &["explain", "upcommerce.log:12", "upcommerce.log"]), (0, text));
}

#[test]
fn an_explanation_is_a_document_too() {
    let room = room();
    let page = &ids(&room)[0];
    let told = json(&room, &["explain", page, "upcommerce.log"]);
    let incident = &told["explains"]["incident"];
    assert_eq!(told["schema"], "triage/explain/v1");
    assert_eq!(incident["incident"]["id"], page.as_str());
    assert_eq!(incident["rank"]["below"]["decided_by"], "priority");
    assert_eq!(incident["evidence"][0]["lines"], serde_json::json!([{"line": 13}, {"line": 30}]));
    assert!(
        incident["would"].as_array().unwrap().iter().all(|would| would["then"][0]["priority"].is_string())
    );

    let told = json(&room, &["explain", "21", "upcommerce.log"]);
    let line = &told["explains"]["line"];
    assert_eq!((&line["is"], &line["template"]), (&"records".into(), &"line/zone".into()));
    assert_eq!(line["records"][0]["incident"]["id"], page.as_str());
}

#[test]
fn what_cannot_be_explained_says_what_can() {
    let room = room();
    write(&room, "other.log", "Zone AB: X\n");
    for (case, args, says) in [
        (
            "standard input",
            vec!["1", "-"],
            "standard input cannot be used here, for explain reads its input again",
        ),
        ("a pipe", vec!["1", "/dev/null"], "/dev/null is no file, and explain reads its input again"),
        ("behind the end", vec!["32", "upcommerce.log"], "upcommerce.log has 31 lines, and no line 32"),
        (
            "a line of which file",
            vec!["1", "upcommerce.log", "other.log"],
            "line 1 of which input? Write upcommerce.log:1 or other.log:1",
        ),
        ("no such id", vec!["ffffffff", "upcommerce.log"], "no incident has the id ffffffff"),
        (
            "a name",
            vec!["llmmodelstale", "upcommerce.log"],
            "is the name of an alert: ask for an incident it is in, ",
        ),
        ("no such file", vec!["1", "none.log"], "cannot read none.log: No such file"),
        ("no file", vec!["1"], "required arguments were not provided"),
    ] {
        let said = refused(&room, &[&["explain"], args.as_slice()].concat());
        assert!(said.contains(says), "{case}: {said}");
    }
}

#[test]
fn a_long_file_is_explained_the_same_by_any_number_of_threads() {
    let room = room();
    let mut log: String = (0..200_000).map(|n| format!("Zone Z{}: Queue{}Slow\n", n % 7, n % 50)).collect();
    log.push_str("Zone AB: TooFewEndpointsRegistered\nnonsense\n");
    write(&room, "long.log", &log);
    let one = run(&room, &["explain", "200001", "long.log", "--threads", "1"]);
    assert!(one.1.contains("long.log:200001  Zone AB: TooFewEndpointsRegistered\n"), "{}", one.1);
    assert!(one.1.contains("1 record, line 200001"), "{}", one.1);
    assert_eq!(run(&room, &["explain", "200001", "long.log", "--threads", "3"]), one);
    let (_, text) = run(&room, &["explain", "200002", "long.log", "--threads", "3"]);
    assert!(text.contains("malformed (no-template): it does not begin with `Zone`"), "{text}");
    let (_, text) = run(&room, &["explain", "36", "long.log", "--threads", "3"]);
    assert!(text.contains("572 records, lines 36, 386, 736, 1086, 1436, 1786 … 198136,"), "{text}");
}

#[test]
fn nothing_that_a_terminal_obeys_is_printed() {
    let room = room();
    let evil = r#"{"labels":{"alertname":"Disk\u001b[2JDown","zone":"A\u202eB","replica":"\u009b31m"},"startsAt":"2026-11-23T06:00:00Z"}"#;
    write(&room, "evil.json", format!("{evil}\n{evil}\nnot \u{1b}[31m json\n"));
    write(
        &room,
        "evil.yml",
        "severities:\n- {id: \"a\\e[31m\", alert: \"Disk\\e[2JDown\", labels: {replica: b}, severity: info}\n",
    );
    write(
        &room,
        "evil-cases.yml",
        "tests:\n- name: \"\\e[31m\"\n  input: [{file: evil.json}]\n  checks: [{expect: {malformed: 1, pages: 9, alerts: [{alert: \"\\e\"}]}}]\n",
    );
    let id = {
        let report: Value =
            serde_json::from_slice(&triage(&room, &["evil.json", "-o", "json"]).stdout).expect("JSON");
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
        let output = triage(&room, &args);
        let text = format!("{}{}", stdout(&output), stderr(&output));
        assert!(!text.is_empty() && !text.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{args:?}: {text:?}");
    }
}

#[test]
fn a_repeat_is_told_from_the_record_it_repeats() {
    let room = room();
    let fires =
        r#"{"labels":{"alertname":"X","zone":"AB"},"status":"firing","startsAt":"2026-11-23T06:00:00Z"}"#;
    write(&room, "a.json", format!("{fires}\n"));
    write(&room, "b.json", format!("\n{fires}\n"));
    let (_, text) = run(&room, &["explain", "b.json:2", "a.json", "b.json"]);
    assert!(text.contains("duplicate: says what a.json:1 said already"), "{text}");
    let (_, text) = run(&room, &["explain", "a.json:1", "a.json", "b.json"]);
    assert!(!text.contains("duplicate"), "{text}");
}

/// The block of the page on rules that begins with this line of a terminal, without it; and the text before it.
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
fn check_says_what_the_page_shows() {
    let room = room();
    let (before, want) = shown("triage check faulty.yml --now 2026-11-23T06:00:00Z");
    write(&room, "faulty.yml", last("yaml faulty", before));
    let args = ["check", "faulty.yml", "--now", "2026-11-23T06:00:00Z"];
    assert_eq!(run(&room, &args), (1, want.to_owned()));
}

#[test]
fn check_exits_by_what_it_finds() {
    let room = room();
    write(&room, "bad.yml", "severities:\n- {id: a, alert: X, severity: mauve}\n");
    write(
        &room,
        "odd.yml",
        "edges:\n- {id: loop, cause: X, symptoms: [X]}\n\nsilences:\n- {id: s, alert: '*'}\n",
    );
    let now = ["--now", "2026-11-23T06:00:00Z"];
    let check = |args: &[&str]| run(&room, &[&["check"], args, &now].concat());

    assert_eq!(check(&["team-rules.yaml"]), (0, "no fault found, 9 rows\n".to_owned()));
    assert_eq!(
        check(&["odd.yml"]),
        (
            1,
            "odd.yml:2: cyclic: `loop` leads back to its cause: X -> X\n\
             odd.yml:5: too broad: `s` silences every alert: name the alerts or the labels it is for\n\
             2 faults, 2 rows\n"
                .to_owned()
        )
    );
    let later = run(&room, &["check", "team-rules.yaml", "--now", "2026-11-24T00:00:00Z"]);
    assert!(
        later.1.starts_with("team-rules.yaml:19: never matched: `team/xq-rebuild` is over since "),
        "{}",
        later.1
    );

    write(&room, "met.log", "queue payments in AB: QueueBacklog\nZone AB: EndpointRegistrationFailure\n?\n");
    let (code, text) = check(&["team-rules.yaml", "--history", "met.log", "upcommerce.log"]);
    assert_eq!(
        (code, text.as_str()),
        (0, "history: 33 records of 9 alerts, 1 malformed\nno fault found, 9 rows\n")
    );
    let (code, text) = check(&["team-rules.yaml", "--history", "upcommerce.log"]);
    assert!(code == 1 && text.contains("`team/queues` met nothing in the history"), "{text}");
    assert!(text.contains("`team/queue` met nothing in the history: no line of it has the shape"), "{text}");

    // The page on rules shows this very message.
    let said = refused(&room, &["check", "bad.yml"]);
    assert!(DOCS.contains(&format!("```text\n{}```", said.replace("bad.yml", "rules.yml"))), "{said}");
    assert!(refused(&room, &["check", "none.yml"]).contains("cannot read none.yml"));
    assert!(
        refused(&room, &["check", "team-rules.yaml", "--history", "-"])
            .contains("standard input cannot be used")
    );
}

/// Whatever takes rules refuses bad ones alike.
#[test]
fn bad_rules_are_refused_wherever_they_are_given() {
    let room = room();
    write(&room, "bad.yml", "ladders:\n- id: a\n  rungs: [X]\n");
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
            refused(&room, &args),
            "triage: bad.yml:2:7: ladder `a` has fewer than two rungs\n2 | - id: a\n          ^\n",
            "{args:?}"
        );
    }
}

#[test]
fn cases_pass_or_say_why_not() {
    let room = room();
    let (code, text) = run(&room, &["test", "upcommerce-cases.yaml", "team-cases.yaml"]);
    assert_eq!((code, text.lines().last()), (0, Some("16 tests passed")), "{text}");
    assert!(text.lines().rev().skip(1).all(|line| line.starts_with("ok   ")), "{text}");

    // The page on rules shows this failure.
    let broken = fs::read_to_string(room.path().join("team-cases.yaml")).unwrap().replacen("P1", "P2", 1);
    write(&room, "team-cases.yaml", broken);
    let (code, text) = run(&room, &["test", "team-cases.yaml"]);
    let failed: String =
        text.lines().filter(|line| !line.starts_with("ok ")).map(|line| format!("{line}\n")).collect();
    assert_eq!(code, 1);
    assert!(DOCS.contains(&format!("```text\n{failed}```")), "{failed}");
}

#[test]
fn rules_of_the_command_line_come_before_those_of_the_cases() {
    let room = room();
    write(
        &room,
        "cases.yml",
        "rules: mine.yml\ntests:\n- name: t\n  input: [{alert: X}]\n  checks: [{expect: {pages: 1}}]\n",
    );
    write(&room, "mine.yml", "severities:\n- {id: x, alert: X, severity: critical}\n");
    write(&room, "other.yml", "severities:\n- {id: x, alert: X, severity: info}\n");
    assert_eq!(run(&room, &["test", "cases.yml"]), (0, "ok   t\n1 test passed\n".to_owned()));
    assert_eq!(
        run(&room, &["test", "cases.yml", "--rules", "other.yml"]),
        (1, "FAIL t\n     cases.yml:5: pages: expected 1, got 0\n1 of 1 test failed\n".to_owned())
    );
    let (_, both) = run(&room, &["test", "cases.yml", "cases.yml", "--rules", "other.yml"]);
    assert_eq!(both.lines().last(), Some("2 of 2 tests failed"));
}

#[test]
fn cases_that_cannot_be_used_are_no_half_of_a_run() {
    let room = room();
    write(&room, "bad.yml", "tests:\n- name: t\n  checks: [{expect: {page: 1}}]\n");
    let said = refused(&room, &["test", "team-cases.yaml", "bad.yml"]);
    assert!(
        said.starts_with("triage: bad.yml:3:22: unknown field `page`, expected one of pages, "),
        "{said}"
    );
    write(
        &room,
        "gone.yml",
        "tests:\n- name: t\n  input: [{file: gone.log}]\n  checks: [{expect: {pages: 1}}]\n",
    );
    let said = refused(&room, &["test", "gone.yml"]);
    assert!(said.starts_with("triage: gone.yml:3: cannot read gone.log: No such file"), "{said}");
    write(&room, "norules.yml", "rules: gone.yml.yml\ntests:\n- name: t\n  checks: [{expect: {pages: 1}}]\n");
    assert!(refused(&room, &["test", "norules.yml"]).contains("cannot read gone.yml.yml"));
}

#[test]
fn rules_that_are_no_utf8_say_where() {
    let room = room();
    write(&room, "latin.yml", b"# caf\xc3\xa9\nsilences: # caf\xe9\n");
    let said = refused(&room, &["--rules", "latin.yml", "upcommerce.log"]);
    assert_eq!(said, "triage: latin.yml:2:16: `\\xe9` is no UTF-8: save the file as UTF-8\n");
}

#[test]
fn a_backtest_says_what_is_missed() {
    let room = room();
    // The page on rules has these rules, and what they come to.
    let (before, want) = shown("triage backtest upcommerce.log --rules quieter.yml --against builtin");
    write(&room, "quieter.yml", last("yaml rules", before));
    let quieter = ["backtest", "upcommerce.log", "--rules", "quieter.yml", "--against", "builtin"];
    assert_eq!(run(&room, &quieter), (1, want.to_owned()));

    let (code, text) = run(
        &room,
        &["backtest", "upcommerce.log", "--rules", "team-rules.yaml", "--against", "team-rules.yaml"],
    );
    assert_eq!((code, text.lines().last()), (0, Some("no difference in what is told; no critical missed")));

    let (code, text) = run(
        &room,
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
            run(&room, &["backtest", "upcommerce.log", "--rules", sides[0], "--against", sides[1]]);
        assert!(code == 0 && text.contains("no critical missed"), "{sides:?}: {text}");
    }
    let stdin = ["backtest", "-", "--rules", "quieter.yml", "--against", "builtin"];
    assert!(refused(&room, &stdin).contains("a history is read by both sets of rules"));
}

#[test]
fn rules_lists_what_is_in_force() {
    let room = room();
    let (code, text) = run(&room, &["rules", "--rules", "team-rules.yaml"]);
    assert_eq!(code, 0);
    assert!(text.contains("QueueBacklog{queue=\"payments\"} is critical  [team-rules.yaml:9]\n"), "{text}");
    assert!(text.contains("  ladder/name "), "{text}");
    // Every id that is listed as built in can be disabled.
    let (_, text) = run(&room, &["rules"]);
    let ids: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next()).collect();
    write(
        &room,
        "off.yml",
        format!("builtin:\n  disable:\n{}", ids.iter().map(|id| format!("  - {id}\n")).collect::<String>()),
    );
    assert!(ids.len() > 30, "{text}");
    assert_eq!(run(&room, &["rules", "--rules", "off.yml"]), (0, String::new()));
    let (code, yaml) = run(&room, &["rules", "--builtin"]);
    write(&room, "builtin.yml", yaml);
    assert_eq!(code, 0);
    assert_eq!(run(&room, &["check", "builtin.yml"]).0, 0);
}

/// One file of rules, every section of it at work in a report.
#[test]
fn every_section_of_a_rules_file_reaches_the_report() {
    let room = room();
    write(
        &room,
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
        &room,
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
    let report = json(&room, &["nodes.log", "--rules", "all.yml"]);
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
