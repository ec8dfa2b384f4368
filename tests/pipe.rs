//! `watcher` with its output piped into `triage`: both real programs.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use bigredbutton_tests::Watcher;
use serde_json::Value;

/// The `triage` under test: `TRIAGE_BIN`, or else the one built with this test.
fn triage() -> PathBuf {
    std::env::var_os("TRIAGE_BIN").map_or_else(|| Watcher::program().with_file_name("triage"), Into::into)
}

/// The lines of `watcher demo -o json`.
fn demo() -> String {
    let missing = "`cargo build --bin watcher --bin triage` makes the programs";
    let watcher = Command::new(Watcher::program()).args(["demo", "-o", "json"]).output().expect(missing);
    assert!(watcher.status.success());
    String::from_utf8(watcher.stdout).expect("UTF-8")
}

/// The report of triage on lines from its standard input.
fn report_of(lines: &str) -> Value {
    let mut triage = Command::new(triage())
        .args(["-", "-o", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("`cargo build --bin triage` makes the program");
    triage.stdin.take().expect("a pipe").write_all(lines.as_bytes()).expect("it reads");
    let output = triage.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0));
    serde_json::from_slice(&output.stdout).expect("a report")
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

/// The controller's lines name the breaker beside the workload, so a trip explains the alerts of
/// the workload there too.
#[test]
fn a_line_of_the_controller_explains_what_a_line_of_one_watcher_explains() {
    let demo = demo();
    // Up to the trip: the restore would resolve it.
    let end = demo.find("\"event\":\"scaled\"").expect("a trip");
    let end = end + demo[end..].find('\n').expect("whole lines") + 1;
    let demo = &demo[..end];
    let trip: Value = serde_json::from_str(demo.lines().last().expect("a line")).expect("JSON");
    let alert = serde_json::json!({
        "labels": {"alertname": "KubeDeploymentReplicasMismatch", "namespace": "sre", "deployment": "swype-app", "severity": "warning"},
        "status": "firing", "startsAt": trip["time"],
    });
    let controller: String = demo
        .lines()
        .map(|line| {
            let mut line: Value = serde_json::from_str(line).expect("JSON");
            line["breaker"] = "sre/swype".into();
            format!("{line}\n")
        })
        .collect();
    for lines in [demo, &controller] {
        let report = report_of(&format!("{lines}{alert}\n"));
        assert_eq!(report["totals"]["pages"], 1, "{report}");
        let pages = report["incidents"].as_array().expect("a list").iter();
        let page = pages.clone().find(|incident| incident["notify"] == "page").expect("a page");
        assert_eq!(page["headline"], "BreakerOpen", "{report}");
        let members = page["members"].as_array().expect("a list").iter();
        let symptom = members.clone().find(|member| member["alert"] == "KubeDeploymentReplicasMismatch");
        assert_eq!(symptom.expect("one incident")["role"], "symptom", "{report}");
        let open = members.clone().find(|member| member["alert"] == "BreakerOpen").expect("the head");
        let breaker = &open["labels"]["breaker"];
        let want = lines.contains("\"breaker\"").then_some("swype");
        assert_eq!(breaker.as_str(), want, "{report}");
    }
}
