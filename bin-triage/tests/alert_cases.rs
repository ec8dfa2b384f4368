//! Inputs of people on call, each with what the program must say about it.
//!
//! `cases/NAME/expected.json` lists runs of the program. A run has an `input` (a file beside it) or
//! `stdin`, optional `args`, the `exit` code (0 unless given), and what must hold:
//!
//! - `report`: a part of the JSON report. An object may have more fields, an array has this length.
//! - `table`, `markdown`, `html`, `json`, `stdout`: texts that the output contains.
//! - `not_json`: texts that the JSON does not contain.
//! - `first_line`: a text in the first line of table, Markdown, JSON lines and the heading of HTML.
//! - `html_order`: texts that the page contains in this order.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn cases() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut cases: Vec<PathBuf> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

fn triage(case: &Path, args: &[&str], stdin: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_triage"));
    command.args(args).current_dir(case).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // The program may end without reading it.
    let _ = child.stdin.take().unwrap().write_all(stdin.unwrap_or_default().as_bytes());
    child.wait_with_output().unwrap()
}

/// Where `found` differs from `want`, which names a part of it.
fn difference(want: &Value, found: &Value, at: &str) -> Option<String> {
    match (want, found) {
        (Value::Object(want), Value::Object(found)) => want.iter().find_map(|(key, want)| {
            difference(want, found.get(key).unwrap_or(&Value::Null), &format!("{at}.{key}"))
        }),
        (Value::Array(want), Value::Array(found)) if want.len() == found.len() => want
            .iter()
            .zip(found)
            .enumerate()
            .find_map(|(number, (want, found))| difference(want, found, &format!("{at}[{number}]"))),
        _ if want == found => None,
        _ => Some(format!("{at} is {found}, not {want}")),
    }
}

fn texts<'v>(run: &'v Value, field: &str) -> Vec<&'v str> {
    run[field].as_array().into_iter().flatten().map(|text| text.as_str().unwrap()).collect()
}

/// The first thing that does not hold in a run.
fn failure(case: &Path, run: &Value) -> Option<String> {
    let stdin = run["stdin"].as_str();
    let file = run["input"].as_str().unwrap_or("-");
    let want_exit = run["exit"].as_i64().unwrap_or(0);
    let with = |output: &str| {
        let mut args = match run["check"].as_str() {
            Some(rules) => vec!["check", rules],
            None => vec![file, "-o", output],
        };
        args.extend(texts(run, "args"));
        let output = triage(case, &args, stdin);
        let exit = output.status.code().map(i64::from);
        let stdout = String::from_utf8(output.stdout).unwrap();
        let fault = (exit != Some(want_exit))
            .then(|| format!("exit {exit:?}, not {want_exit}: {}", String::from_utf8_lossy(&output.stderr)));
        (stdout, fault)
    };
    let contains = |output: &str, wanted: &[&str]| {
        let (stdout, fault) = with(output);
        // Sentences may be wrapped.
        let joined = stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        let missing = wanted.iter().find(|text| !stdout.contains(*text) && !joined.contains(*text));
        fault.or(missing.map(|text| format!("{output} lacks {text:?}: {stdout}")))
    };
    if run.get("check").is_some() {
        return contains("table", &texts(run, "stdout"));
    }
    let (json, fault) = with("json");
    if fault.is_some() {
        return fault;
    }
    let report: Value = match serde_json::from_str(&json) {
        Ok(report) => report,
        Err(error) => return Some(error.to_string()),
    };
    if let Some(difference) = run.get("report").and_then(|want| difference(want, &report, "report")) {
        return Some(difference);
    }
    if let Some(text) = texts(run, "not_json").into_iter().find(|text| json.contains(text)) {
        return Some(format!("the JSON contains {text:?}"));
    }
    for output in ["table", "markdown", "html", "json"] {
        if let Some(fault) = contains(output, &texts(run, output)) {
            return Some(fault);
        }
    }
    let (html, fault) = with("html");
    if fault.is_some() {
        return fault;
    }
    if let Some(text) = run["first_line"].as_str() {
        for output in ["table", "markdown", "jsonl"] {
            let (stdout, _) = with(output);
            let first = stdout.lines().next().unwrap_or_default().to_owned();
            let says = if output == "jsonl" { "\"type\":\"unread\"" } else { text };
            if !first.contains(says) {
                return Some(format!("the first line of {output} lacks {says:?}: {first}"));
            }
        }
        let heading = html.split_once("<h1>").and_then(|(_, rest)| rest.split_once("</h1>"));
        if !heading.is_some_and(|(heading, _)| heading.contains(text)) {
            return Some(format!("the heading of the page lacks {text:?}"));
        }
    }
    let order: Vec<Option<usize>> = texts(run, "html_order").iter().map(|text| html.find(text)).collect();
    (order.contains(&None) || !order.is_sorted()).then(|| format!("the order of the page is {order:?}"))
}

#[test]
fn every_case_holds() {
    let mut wrong = Vec::new();
    for case in cases() {
        let expected = fs::read_to_string(case.join("expected.json")).unwrap();
        let runs: Vec<Value> = serde_json::from_str(&expected).unwrap();
        assert!(!runs.is_empty(), "{}", case.display());
        let failures: Vec<String> = runs.iter().filter_map(|run| failure(&case, run)).collect();
        if !failures.is_empty() {
            wrong.push(format!("{}: {}", case.file_name().unwrap().display(), failures.join("; ")));
        }
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
}
