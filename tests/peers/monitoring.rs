//! The rules and queries of `deploy/monitoring` and the controller's metrics, checked with
//! `promtool`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

fn of_the_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// Runs `promtool` and panics with its output when it fails.
fn promtool(args: &[&str], input: &[u8]) {
    let mut command = Command::new("promtool");
    command.args(args).current_dir(of_the_repository("deploy/monitoring"));
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().expect("promtool starts");
    child.stdin.take().expect("a pipe").write_all(input).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    assert!(output.status.success(), "promtool {args:?}: {}", said.join("\n"));
}

#[test]
fn the_alerts_fire_when_they_should() {
    promtool(&["check", "rules", "--lint-fatal", "rules.yml"], b"");
    promtool(&["test", "rules", "rules-test.yml"], b"");
}

/// A test of bin-watcher keeps the snapshot equal to the program's output.
#[test]
fn prometheus_reads_the_metrics_and_finds_nothing_unusual() {
    let path = "bin-watcher/src/controller/snapshots/watcher__controller__metrics__tests__every_metric_there_is.snap";
    let snapshot = fs::read_to_string(of_the_repository(path)).expect("the sample is there");
    let page = snapshot.splitn(3, "---\n").nth(2).expect("a snapshot has a head");
    promtool(&["check", "metrics"], page.as_bytes());
}

#[test]
fn every_query_of_the_dashboard_can_be_read() {
    let text =
        fs::read_to_string(of_the_repository("deploy/monitoring/dashboard.json")).expect("it is there");
    let dashboard: Value = serde_json::from_str(&text).expect("JSON");
    let targets = dashboard["panels"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|panel| &panel["targets"].as_array().expect("targets")[..]);
    let annotations = dashboard["annotations"]["list"].as_array().into_iter().flatten();
    let rules: Vec<Value> = targets
        .chain(annotations)
        .map(|query| query["expr"].as_str().expect("an expression"))
        .map(|query| {
            query.replace("$__rate_interval", "5m").replace("$job", ".*").replace("$namespace", ".*")
        })
        .enumerate()
        .map(|(n, expr)| serde_json::json!({"record": format!("panel:{n}"), "expr": expr}))
        .collect();
    assert!(rules.len() > 15, "{}", rules.len());
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("panels.yml");
    let file = serde_json::json!({"groups": [{"name": "dashboard", "rules": rules}]});
    fs::write(&path, file.to_string()).expect("written");
    promtool(&["check", "rules", path.to_str().expect("a path")], b"");
}
