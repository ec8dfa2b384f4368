//! Runs `triage -o json` on the input from a peer, and summarizes its report.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use jiff::Timestamp;
use serde_json::Value;

use crate::program::repository;

/// A `triage/v1` report.
pub(crate) struct Report(pub(crate) Value);

impl Report {
    /// The report for these inputs, one file each, in this order.
    ///
    /// # Panics
    /// When there is no report, or an input is malformed.
    pub(crate) fn from_inputs<I: AsRef<[u8]>>(inputs: impl IntoIterator<Item = I>) -> Self {
        Self::with(&[], inputs)
    }

    /// Like [`from_inputs`](Self::from_inputs), judged at `now`.
    pub(crate) fn at<I: AsRef<[u8]>>(now: Timestamp, inputs: impl IntoIterator<Item = I>) -> Self {
        Self::with(&["--now", &now.to_string()], inputs)
    }

    fn with<I: AsRef<[u8]>>(args: &[&str], inputs: impl IntoIterator<Item = I>) -> Self {
        let output = triage(&[args, &["-o", "json"]].concat(), inputs);
        let report = Self(serde_json::from_slice(&output).expect("JSON"));
        assert_eq!(report.0["malformed"], Value::Array(Vec::new()));
        report
    }

    /// The report for the sample.
    pub(crate) fn from_sample() -> Self {
        Self::from_inputs([fs::read(repository("docs/samples/upcommerce.log")).expect("the sample")])
    }

    /// `P1 page zone=AB TooFewEndpointsRegistered`: priority, notification, scope or scopes,
    /// headline.
    pub(crate) fn incidents(&self) -> Vec<String> {
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        self.list("incidents")
            .iter()
            .map(|incident| {
                let scopes = match incident["scopes"].as_array() {
                    Some(scopes) => scopes.iter().map(scope).collect(),
                    None => vec![scope(&incident["scope"])],
                };
                [
                    word(&incident["priority"]),
                    word(&incident["notify"]),
                    scopes.join("+"),
                    word(&incident["headline"]),
                ]
                .join(" ")
            })
            .collect()
    }

    /// `zone=AB LLMModelStale superseded` for each alert, sorted.
    pub(crate) fn verdicts(&self) -> Vec<String> {
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut all: Vec<String> = self
            .members()
            .map(|member| {
                [scope(&member["labels"]), word(&member["alert"]), word(&member["verdict"])].join(" ")
            })
            .collect();
        all.sort();
        all
    }

    /// The one alert of that name in that zone.
    ///
    /// # Panics
    /// When there is none or are several.
    pub(crate) fn member(&self, zone: &str, alert: &str) -> &Value {
        let found: Vec<_> = self
            .members()
            .filter(|member| member["alert"] == alert && member["labels"]["zone"] == zone)
            .collect();
        match found.as_slice() {
            [member] => member,
            _ => panic!("{} alerts {alert} in {zone}: {:#}", found.len(), self.0),
        }
    }

    /// One number of the totals.
    pub(crate) fn total(&self, name: &str) -> u64 {
        self.0["totals"][name].as_u64().unwrap_or_else(|| panic!("no total {name}: {:#}", self.0["totals"]))
    }

    fn members(&self) -> impl Iterator<Item = &Value> {
        self.list("incidents").iter().flat_map(|incident| incident["members"].as_array()).flatten()
    }

    fn list(&self, name: &str) -> &[Value] {
        self.0[name].as_array().map_or(&[], Vec::as_slice)
    }
}

/// The scope of the labels, as in `zone=AB`.
fn scope(labels: &Value) -> String {
    match labels["zone"].as_str() {
        Some(zone) => format!("zone={zone}"),
        None => "nowhere".to_owned(),
    }
}

/// Runs `triage ARGS FILE...` and returns its standard output.
///
/// # Panics
/// When it fails or prints a warning.
pub(crate) fn triage<I: AsRef<[u8]>>(args: &[&str], inputs: impl IntoIterator<Item = I>) -> Vec<u8> {
    let dir = tempfile::tempdir().expect("a directory");
    let mut command = Command::new(program());
    // Files are named by number, so that equal inputs make equal reports.
    command.args(args).current_dir(&dir);
    for (n, input) in inputs.into_iter().enumerate() {
        fs::write(dir.path().join(n.to_string()), input).expect("written");
        command.arg(n.to_string());
    }
    let Output { status, stdout, stderr } = command.output().expect("triage starts");
    assert!(status.success() && stderr.is_empty(), "{status}: {}", String::from_utf8_lossy(&stderr));
    stdout
}

/// The `triage` under test: `TRIAGE_BIN`, or else the one built with this test.
pub(crate) fn program() -> PathBuf {
    if let Some(path) = std::env::var_os("TRIAGE_BIN") {
        return path.into();
    }
    let mut path = std::env::current_exe().expect("this test has a path");
    path.pop();
    if path.ends_with("deps") {
        path.pop();
    }
    path.join("triage")
}
