//! Reports of the binary match the published JSON Schema and deserialize with the library's types.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use alert_triage::report::ReportDocument;
use serde_json::Value;

/// The published schema. `UPDATE_SCHEMA=1 cargo test -p bin-triage --test schema` writes it.
const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/schemas/triage-v1.json");

fn triage(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_triage")).args(args).output().expect("triage runs");
    // 3 is the code of a report on an input that could not be read.
    let is_report = matches!(output.status.code(), Some(0 | 3));
    assert!(is_report, "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Alerts in every format, and files with nothing, damage, and texts that are escaped or cut.
fn inputs() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut inputs = vec![
        root.join("docs/samples/upcommerce.log"),
        root.join("docs/samples/upcommerce-cases.yaml"),
        root.join("bin-triage/tests/fixtures/night.jsonl"),
    ];
    let mut directories = vec![root.join("alert-triage/tests/fixtures")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).expect("the fixtures") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { directories.push(path) } else { inputs.push(path) }
        }
    }
    assert!(inputs.len() > 10, "{inputs:?}");
    let long = "x".repeat(400);
    let odd = format!(
        "{{\"alertname\": \"{long}\", \"labels\": {{\"zone\": \"A\\u001b\", \"n{long}\": \"1\", \"n{long}b\": \"2\"}}}}\n\
         {{\"alertname\": \"X\\u202e{long}\"}}\nnonsense \u{1b}[2J{long}\n"
    );
    for (name, text) in [("schema-empty.log", ""), ("schema-odd.jsonl", &odd)] {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::write(&path, text).expect("a file");
        inputs.push(path);
    }
    inputs
}

/// The report of each input, and one of two inputs, which names its sources.
fn reports() -> Vec<(String, String)> {
    let inputs = inputs();
    let names: Vec<&str> = inputs.iter().map(|path| path.to_str().expect("UTF-8")).collect();
    let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/night-rules.yaml");
    let mut reports: Vec<(String, String)> = (names.iter())
        .map(|name| ((*name).to_owned(), triage(&["-o", "json", "--rules", rules, name])))
        .collect();
    reports.push(("two inputs".to_owned(), triage(&["-o", "json", names[0], names[2]])));
    reports
}

#[test]
fn reports_match_the_schema() {
    let schema: Value = serde_json::from_str(&triage(&["schema"])).expect("JSON");
    let validator = jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&schema)
        .expect("a valid schema");
    for (name, report) in reports() {
        let report: Value = serde_json::from_str(&report).expect("JSON");
        let errors: Vec<String> = validator
            .iter_errors(&report)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
    let mut damaged: Value =
        serde_json::from_str(&triage(&["-o", "json", inputs()[0].to_str().unwrap()])).unwrap();
    damaged["incidents"][0]["priority"] = "P9".into();
    assert!(!validator.is_valid(&damaged), "the schema has the values of priorities");
    damaged["incidents"][0].as_object_mut().unwrap().remove("priority");
    assert!(!validator.is_valid(&damaged), "the schema has the required fields");
}

#[test]
fn reports_are_the_same_after_a_round_trip() {
    for (name, report) in reports() {
        let document: ReportDocument =
            serde_json::from_str(&report).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(serde_json::to_string(&document).expect("JSON"), report.trim_end(), "{name}");
    }
}

#[test]
fn the_published_schema_is_current() {
    let schema = triage(&["schema"]);
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(SCHEMA, &schema).expect("the schema is written");
    }
    assert!(
        fs::read_to_string(SCHEMA).is_ok_and(|published| published == schema),
        "docs/schemas/triage-v1.json is not current: run UPDATE_SCHEMA=1 cargo test -p bin-triage --test schema"
    );
}
