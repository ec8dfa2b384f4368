//! Pictures of `triage -o html` at the widths of a desktop and a phone, in light and dark colors.
//!
//! They are written to `target/screenshots` for people to look at. What a program can see is
//! asserted.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::chromium::{Scheme, Visit, picture};
use crate::program::repository;
use crate::triage::{program, triage};

/// The windows, as width and height.
const WINDOWS: [(u32, u32); 2] = [(1280, 1600), (390, 2400)];

fn directory() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository("target"), PathBuf::from);
    let directory = target.join("screenshots");
    fs::create_dir_all(&directory).expect("a directory");
    directory
}

/// Takes all pictures of a page, and asserts what holds of every page. Returns what the browser
/// saw.
fn show(name: &str, html: &[u8]) -> Visit {
    let visits = [("light", Scheme::Light), ("dark", Scheme::Dark)].map(|(scheme_name, scheme)| {
        for window in WINDOWS {
            let png = directory().join(format!("{name}-{}-{scheme_name}.png", window.0));
            // Printed and not asserted: it depends on what else the machine does.
            println!(
                "{name} {scheme_name} {}: drawn in {:.1?}",
                window.0,
                picture(html, scheme, window, &png)
            );
        }
        let visit = Visit::with(html.to_vec(), scheme);
        assert_eq!(visit.facts["isDark"], scheme == Scheme::Dark);
        assert_eq!(visit.list("faint"), [""; 0], "{name} {scheme_name}: texts that are hard to read");
        assert_eq!(visit.list("overflow"), [""; 0], "{name}: scrolls to the side");
        assert_eq!(visit.list("over"), [""; 0], "{name}: a mark is drawn over a name");
        assert_eq!(visit.console, [""; 0], "{name}");
        let articles = visit.list("articles");
        assert!(articles.is_sorted(), "{name}: pages come first: {articles:?}");
        visit
    });
    let [light, _] = visits;
    light
}

fn lines(alerts: impl IntoIterator<Item = Value>) -> String {
    alerts.into_iter().map(|alert| format!("{alert}\n")).collect()
}

/// A time of the night, as minutes after 02:00.
fn at(minute: usize) -> String {
    format!("2026-11-23T{:02}:{:02}:00Z", 2 + minute / 60, minute % 60)
}

#[test]
fn the_sample() {
    let input = fs::read(repository("docs/samples/upcommerce.log")).expect("the sample");
    let visit = show("sample", &triage(&["-o", "html"], [input]));
    assert_eq!(visit.list("articles"), ["P1", "P4"]);
}

/// Forty hosts go down within ten minutes.
#[test]
fn a_storm() {
    let down = (1..=40).map(|host| {
        json!({"labels": {"alertname": "InstanceDown", "severity": "critical", "cluster": "prod-1", "job": "node",
                "instance": format!("node-{host:02}.rack-7.plant.example:9100")},
            "annotations": {"summary": format!("node-{host:02} does not answer"), "runbook_url": "https://runbooks.example/instance-down"},
            "status": "firing", "startsAt": at(host / 4)})
    });
    let latency = (1..=12).map(|service| {
        json!({"labels": {"alertname": "LatencyHigh", "severity": "warning", "cluster": "prod-1",
                "service": format!("shop-{service}")},
            "status": "firing", "startsAt": at(5 + service)})
    });
    let html = triage(&["-o", "html"], [lines(down.chain(latency))]);
    let visit = show("storm", &html);
    assert_eq!(visit.list("articles").iter().filter(|class| *class == "P1").count(), 1, "one page");
    assert!(visit.text("text").contains("node-01.rack-7.plant.example:9100"));
}

/// What the API of an Alertmanager answers on a bad night: symptoms in several namespaces, some
/// silenced, and a watchdog.
#[test]
fn a_cluster() {
    let namespaces = ["payments", "search", "checkout", "monitoring"];
    let mut alerts = vec![
        (json!({"alertname": "Watchdog", "severity": "none"}), "active"),
        (json!({"alertname": "KubeNodeNotReady", "severity": "critical", "node": "worker-3"}), "active"),
        (json!({"alertname": "etcdMembersDown", "severity": "critical", "job": "etcd"}), "active"),
    ];
    for (number, namespace) in namespaces.into_iter().enumerate() {
        let name = format!("{namespace}-api");
        alerts.push((
            json!({"alertname": "KubeDeploymentReplicasMismatch", "severity": "warning", "namespace": namespace, "deployment": name}),
            if number == 3 { "suppressed" } else { "active" },
        ));
        for pod in 0..3 {
            alerts.push((
                json!({"alertname": "KubePodNotReady", "severity": "warning", "namespace": namespace,
                    "pod": format!("{name}-7c9f8b6d5-x2x4{pod}")}),
                "active",
            ));
        }
        alerts.push((
            json!({"alertname": "TargetDown", "severity": "warning", "namespace": namespace, "job": name}),
            "active",
        ));
    }
    let alerts = alerts.into_iter().enumerate().map(|(minute, (mut labels, state))| {
        labels["cluster"] = "prod-1".into();
        let silenced = if state == "suppressed" { vec!["s1"] } else { Vec::new() };
        json!({"labels": labels, "annotations": {"description": "Something that a person wrote about this alert, with a few words more than fit a line of a phone."},
            "startsAt": at(minute), "endsAt": at(200), "updatedAt": at(60), "generatorURL": "https://prometheus.example/graph?g0.expr=up",
            "fingerprint": format!("{minute:016x}"), "receivers": [{"name": "oncall"}],
            "status": {"state": state, "silencedBy": silenced, "inhibitedBy": []}})
    });
    let input = Value::Array(alerts.collect()).to_string();
    let visit = show("cluster", &triage(&["-o", "html"], [input]));
    assert!(visit.list("articles").first().is_some_and(|class| class == "P1"));
}

/// The error page of a proxy in place of alerts.
#[test]
fn an_unreadable_file() {
    let dir = tempfile::tempdir().expect("a directory");
    let page = "<!doctype html><html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>\n";
    fs::write(dir.path().join("alerts.json"), page).expect("written");
    let mut command = Command::new(program());
    let output =
        command.args(["-o", "html", "alerts.json"]).current_dir(&dir).output().expect("triage starts");
    assert_eq!(output.status.code(), Some(3));
    let visit = show("unreadable", &output.stdout);
    let text = visit.text("text");
    assert!(text.contains("nothing could be read") && text.contains("502 Bad Gateway"), "{text}");
}

#[test]
fn five_thousand_incidents() {
    let severities = ["critical", "warning", "error", "info", "warning"];
    let alerts = (0..5_000).map(|number| {
        json!({"labels": {"alertname": format!("QueueBacklog{number}"), "severity": severities[number % 5], "cluster": "prod-1",
                "queue": format!("queue-{number}")},
            "status": "firing", "startsAt": at(number % 180)})
    });
    let html = triage(&["-o", "html", "--all"], [lines(alerts)]);
    let visit = show("many", &html);
    assert_eq!(visit.list("articles").len(), 5_000);
}
