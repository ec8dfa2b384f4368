//! `watcher` with its output piped into `triage`: both real programs.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use bigredbutton_tests::Watcher;
use serde_json::Value;

/// The `triage` under test: `TRIAGE_BIN`, or else the one built with this test.
fn triage() -> PathBuf {
    std::env::var_os("TRIAGE_BIN").map_or_else(|| Watcher::program().with_file_name("triage"), Into::into)
}

/// The report of `watcher demo -o json | triage - ARGS -o json`.
fn report(args: &[&str]) -> Value {
    let missing = "`cargo build --bin watcher --bin triage` makes the programs";
    let mut watcher = Command::new(Watcher::program())
        .args(["demo", "-o", "json"])
        .stdout(Stdio::piped())
        .spawn()
        .expect(missing);
    let lines = watcher.stdout.take().expect("a pipe");
    let triage =
        Command::new(triage()).arg("-").args(args).args(["-o", "json"]).stdin(lines).output().expect(missing);
    assert!(watcher.wait().expect("it ends").success());
    assert_eq!(triage.status.code(), Some(0), "{}", String::from_utf8_lossy(&triage.stderr));
    serde_json::from_slice(&triage.stdout).expect("a report")
}

#[test]
fn every_line_of_the_demo_is_an_alert_and_the_restore_resolves_the_trip() {
    let report = report(&[]);
    let totals = &report["totals"];
    assert_eq!(totals["malformed"], 0, "{report}");
    assert_eq!(totals["records"], totals["lines"], "{report}");
    assert_eq!(totals["pages"], 0, "{report}");
    let incidents = report["incidents"].as_array().expect("a list");
    let members: Vec<&Value> =
        incidents.iter().flat_map(|incident| incident["members"].as_array().expect("a list")).collect();
    let open: Vec<_> = members.iter().filter(|member| member["alert"] == "BreakerOpen").collect();
    assert_eq!(open.len(), 1, "{report}");
    assert_eq!(open[0]["verdict"], "resolved", "{report}");
    assert_eq!(open[0]["labels"]["workload"], "swype-app", "{report}");
    assert!(members.iter().any(|member| member["alert"] == "BreakerHeld"), "{report}");
}
