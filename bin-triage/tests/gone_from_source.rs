//! Alerts that a newer snapshot of the same source no longer contains.

mod common;

use serde_json::{Value, json};

/// An alert in an answer of Alertmanager.
fn alert(name: &str) -> Value {
    json!({
        "labels": {"alertname": name, "severity": "critical", "namespace": "plant"}, "annotations": {},
        "status": {"state": "active", "silencedBy": [], "inhibitedBy": []}, "fingerprint": name,
        "startsAt": "2026-11-23T06:00:00Z", "updatedAt": "2026-11-23T06:00:00Z", "endsAt": "2026-11-23T07:00:00Z",
        "receivers": [], "generatorURL": "",
    })
}

fn alertmanager(names: &[&str]) -> String {
    let alerts: Vec<Value> = names.iter().map(|name| alert(name)).collect();
    serde_json::to_string(&alerts).unwrap() + "\n"
}

fn prometheus(names: &[&str]) -> String {
    let alert = |name: &&str| {
        json!({"labels": {"alertname": name, "severity": "critical", "namespace": "plant"}, "annotations": {},
            "state": "firing", "activeAt": "2026-11-23T06:00:00Z", "value": "1e+00"})
    };
    let alerts: Vec<Value> = names.iter().map(alert).collect();
    json!({"status": "success", "data": {"alerts": alerts}}).to_string() + "\n"
}

fn output(input: &str, format: &str) -> String {
    let output = common::report_with(&["--now", "2026-11-23T06:30:00Z", "-o", format], input);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The alerts, each with its verdict and whether it is gone from its source.
fn members(input: &str) -> Vec<String> {
    let report: Value = serde_json::from_str(&output(input, "json")).unwrap();
    let incidents = report["incidents"].as_array().unwrap();
    let members = incidents.iter().flat_map(|incident| {
        let notify = incident["notify"].as_str().unwrap();
        incident["members"].as_array().unwrap().iter().map(move |member| (notify, member))
    });
    let line = |(notify, member): (&str, &Value)| {
        let is_gone = member["flags"].as_array().unwrap().iter().any(|flag| flag == "gone-from-source");
        let gone = if is_gone { " gone" } else { "" };
        format!(
            "{} {} {notify}{gone}",
            member["alert"].as_str().unwrap(),
            member["verdict"].as_str().unwrap()
        )
    };
    let mut lines: Vec<String> = members.map(line).collect();
    lines.sort();
    lines
}

#[test]
fn what_the_newest_snapshot_lacks_is_gone_and_pages_nobody() {
    for snapshot in [alertmanager, prometheus] {
        let input = snapshot(&["PumpDown", "TankDown"]) + &snapshot(&["TankDown"]);
        assert_eq!(members(&input), ["PumpDown obsolete none gone", "TankDown active page"], "{input}");
        for format in ["table", "markdown", "html"] {
            assert!(output(&input, format).contains("gone-from-source"), "{format}");
        }
        // It comes back.
        let again = input + &snapshot(&["PumpDown", "TankDown"]);
        assert_eq!(members(&again), ["PumpDown active page", "TankDown active page"], "{again}");
    }
}

#[test]
fn what_may_be_of_another_server_stays() {
    // Nothing shows that these are two answers of one server.
    let input = alertmanager(&["PumpDown"]) + &alertmanager(&["TankDown"]);
    assert_eq!(members(&input), ["PumpDown active page", "TankDown active page"]);
    let watchdog = alertmanager(&["PumpDown", "Watchdog"]) + &alertmanager(&["TankDown", "Watchdog"]);
    assert!(!members(&watchdog).concat().contains("gone"), "{watchdog}");
}

#[test]
fn single_alerts_and_groups_of_one_answer_are_not_snapshots() {
    let single = |name: &str| alert(name).to_string() + "\n";
    let lines = single("PumpDown") + &single("TankDown") + &single("TankDown");
    assert!(!members(&lines).concat().contains("gone"), "{lines}");
    let group = |names: &[&str]| {
        let alerts: Vec<Value> = names.iter().map(|name| alert(name)).collect();
        json!({"labels": {}, "receiver": {"name": "r"}, "alerts": alerts})
    };
    let groups = json!([group(&["PumpDown", "TankDown"]), group(&["TankDown"])]);
    let groups = serde_json::to_string_pretty(&groups).unwrap();
    assert!(!members(&groups).concat().contains("gone"), "{groups}");
}

#[test]
fn without_the_heuristic_it_stands() {
    let dir = std::env::temp_dir().join(format!("triage-gone-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let rules = dir.join("rules.yaml");
    std::fs::write(&rules, "builtin: {disable: [gone-from-source]}\n").unwrap();
    let input = alertmanager(&["PumpDown", "TankDown"]) + &alertmanager(&["TankDown"]);
    let output = common::report_with(&["--rules", rules.to_str().unwrap()], &input);
    std::fs::remove_dir_all(&dir).unwrap();
    let report = String::from_utf8(output.stdout).unwrap();
    assert!(!report.contains("gone-from-source"), "{report}");
}
