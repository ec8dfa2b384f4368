//! What `watcher` prints and sends, read by `triage`.
//!
//! `fixtures/watcher-demo.jsonl` is the output of `watcher demo -o json`; a test of `bin-watcher`
//! compares it with what the program prints.

mod common;

use serde_json::{Value, json};

const DEMO: &str = include_str!("fixtures/watcher-demo.jsonl");

fn report(input: &str) -> Value {
    let output = common::report_of(input);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["totals"]["malformed"], 0, "{report}");
    report
}

/// Priority, headline and members of each incident.
fn incidents(report: &Value) -> Vec<String> {
    let member = |member: &Value| {
        let symptom = if member["role"] == "symptom" { " (explained)" } else { "" };
        format!("{} {}{symptom}", member["alert"].as_str().unwrap(), member["verdict"].as_str().unwrap())
    };
    let line = |incident: &Value| {
        let members: Vec<String> = incident["members"].as_array().unwrap().iter().map(member).collect();
        format!(
            "{} {}: {}",
            incident["priority"].as_str().unwrap(),
            incident["headline"].as_str().unwrap(),
            members.join(", ")
        )
    };
    report["incidents"].as_array().unwrap().iter().map(line).collect()
}

/// A notification, as `watcher --notify` sends it.
fn event(what: &str, time: &str) -> String {
    json!({
        "specversion": "1.0", "id": format!("u1.3.{what}"), "source": "/bigredbutton/sre/deployment/swype-app",
        "type": format!("dev.bigredbutton.{what}"), "subject": "sre/deployment/swype-app", "time": time,
        "datacontenttype": "application/json",
        "data": {"namespace": "sre", "kind": "deployment", "name": "swype-app", "uid": "u1", "episode": 3,
            "message": format!("{what} by the breaker"), "replicas": 1, "because": null},
    })
    .to_string()
        + "\n"
}

fn tripped() -> String {
    event("tripped", "2027-01-15T08:27:38Z")
}

/// Alertmanager's view of the same minutes, on the same standard input.
#[test]
fn an_open_breaker_explains_the_alerts_of_its_workload_and_no_others() {
    let alert = |name: &str, labels: Value| {
        let mut labels = labels;
        labels["alertname"] = name.into();
        labels["severity"] = "warning".into();
        json!({"labels": labels, "startsAt": "2027-01-15T08:29:00Z", "status": "firing"}).to_string() + "\n"
    };
    let own = [
        alert("KubeDeploymentReplicasMismatch", json!({"namespace": "sre", "deployment": "swype-app"})),
        alert("KubePodNotReady", json!({"namespace": "sre", "pod": "swype-app-7c9f8d6b5-l5z8k"})),
        alert("TargetDown", json!({"namespace": "sre", "job": "swype-app"})),
    ];
    let others = [
        alert("KubeDeploymentReplicasMismatch", json!({"namespace": "sre", "deployment": "ledger"})),
        alert("KubePodNotReady", json!({"namespace": "shop", "pod": "swype-app-7c9f8d6b5-l5z8k"})),
        alert("TargetDown", json!({"namespace": "sre", "job": "ledger"})),
    ];
    let found = incidents(&report(&(tripped() + &own.concat() + &others.concat())));
    for name in ["KubeDeploymentReplicasMismatch", "KubePodNotReady", "TargetDown"] {
        assert!(found[0].contains(&format!("{name} active (explained)")), "{found:#?}");
        assert!(found[1..].iter().any(|line| *line == format!("P3 {name}: {name} active")), "{found:#?}");
    }
}

#[test]
fn a_trip_is_the_page_and_its_restore_resolves_it() {
    let restored = event("restored", "2027-01-15T09:14:38Z");
    let trip = report(&tripped());
    assert_eq!(incidents(&trip), ["P1 BreakerOpen: BreakerOpen active"]);
    let member = &trip["incidents"][0]["members"][0];
    assert_eq!(
        member["labels"],
        json!({"namespace": "sre", "workload": "swype-app", "severity": "critical"})
    );
    assert_eq!(member["annotations"]["summary"], "tripped by the breaker");
    assert_eq!(incidents(&report(&(tripped() + &restored))), ["P5 BreakerOpen: BreakerOpen resolved"]);
    // Delivered at least once: a second delivery changes nothing.
    let again = tripped() + &restored + &tripped();
    assert_eq!(incidents(&report(&again)), ["P5 BreakerOpen: BreakerOpen resolved"]);
}

#[test]
fn lines_of_a_controller_are_read() {
    let line = |event: &str, time: &str| {
        format!("{{\"time\":\"{time}\",\"breaker\":\"sre/swype\",\"event\":\"{event}\",\"replicas\":1}}\n")
    };
    let open = line("scaled", "2027-01-15T08:27:38.000Z");
    assert_eq!(incidents(&report(&open)), ["P1 BreakerOpen: BreakerOpen active"]);
    let over = report(&(open + &line("restored", "2027-01-15T09:14:38.000Z")));
    assert_eq!(incidents(&over), ["P5 BreakerOpen: BreakerOpen resolved"]);
}

#[test]
fn lines_of_a_run_are_read() {
    let before_restore: String =
        DEMO.lines().filter(|line| !line.contains("\"restored\"")).map(|line| format!("{line}\n")).collect();
    let trip = report(&before_restore);
    assert_eq!(trip["totals"]["pages"], 1);
    let open = incidents(&trip);
    assert!(open[0].starts_with("P1 BreakerOpen: BreakerOpen active"), "{open:#?}");
    assert!(open[0].contains("BreakerHeld active (explained)"), "{open:#?}");
    let member = &trip["incidents"][0]["members"][0];
    assert_eq!(
        member["labels"],
        json!({"namespace": "sre", "workload": "swype-app", "severity": "critical"})
    );
    assert!(member["annotations"]["summary"].as_str().unwrap().contains("connection refused"), "{member}");
    let restored = report(DEMO);
    let over = incidents(&restored);
    assert_eq!(restored["totals"]["pages"], 0, "{over:#?}");
    assert!(over.iter().any(|line| line.contains("BreakerOpen resolved")), "{over:#?}");
    // The same alert as in a notification.
    let both = incidents(&report(&(before_restore + &tripped())));
    assert_eq!(both.iter().filter(|line| line.contains("BreakerOpen")).count(), 1, "{both:#?}");
}

/// A trip that is held is a ticket until the breaker restores or resets its workload.
#[test]
fn a_restore_ends_what_was_held() {
    let held = event("held", "2027-01-15T08:20:00Z");
    assert_eq!(report(&held)["totals"]["tickets"], 1);
    for end in ["restored", "reset"] {
        let report = report(&(held.clone() + &tripped() + &event(end, "2027-01-15T08:40:00Z")));
        let totals = &report["totals"];
        assert_eq!((&totals["pages"], &totals["tickets"]), (&json!(0), &json!(0)), "{end}: {report}");
    }
}
