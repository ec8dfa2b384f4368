//! Missing rights are all printed before anything is done, as one manifest that can be applied.

mod binary;
mod stub;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use binary::{refused, text, watcher};
use serde_json::Value;
use stub::{Stub, StubBehavior};

/// The rules of the Roles in a text, each with namespace, resource and verb.
fn granted(stderr: &str) -> Vec<String> {
    let yaml: String =
        stderr.lines().filter(|line| !line.starts_with("error: ")).map(|line| format!("{line}\n")).collect();
    let documents: Vec<Value> = serde_saphyr::from_multiple(&yaml).unwrap_or_else(|e| panic!("{e}: {yaml}"));
    let bound = documents.iter().filter(|document| document["subjects"][0]["name"] == "jane").count();
    let mut granted = Vec::new();
    for role in documents.iter().filter(|document| document["rules"].is_array()) {
        assert_eq!(documents.len(), 2 * bound, "{yaml}");
        let strings = |value: &Value| -> Vec<String> {
            value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
        };
        for rule in role["rules"].as_array().unwrap() {
            for verb in strings(&rule["verbs"]) {
                for resource in strings(&rule["resources"]) {
                    let place = role["metadata"]["namespace"].as_str().unwrap_or("everywhere");
                    granted.push(format!("{place}: {verb} {resource}"));
                }
            }
        }
    }
    granted.sort();
    granted
}

fn ask(stub: &Stub, args: &[&str]) -> std::process::Output {
    let config = stub.kubeconfig();
    watcher(&[args, &["--kubeconfig", config.to_str().unwrap()]].concat())
}

#[test]
fn every_missing_right_is_printed_at_once_and_nothing_is_done() {
    let missing = vec![
        "get deployments/scale",
        "patch deployments/scale",
        "watch pods",
        "get pods/log",
        "patch configmaps",
        "patch circuitbreakers",
        "list circuitbreakers",
        "patch circuitbreakers/status",
        "update leases",
    ];
    let workload = &["--deployment", "swype-app"][..];
    for (args, want) in [
        (
            [&["run"][..], workload].concat(),
            &[
                "sre: get deployments/scale",
                "sre: get pods/log",
                "sre: patch configmaps",
                "sre: patch deployments/scale",
                "sre: watch pods",
            ][..],
        ),
        (
            [&["trip"][..], workload].concat(),
            &[
                "sre: get deployments/scale",
                "sre: patch configmaps",
                "sre: patch deployments/scale",
                "sre: watch pods",
            ],
        ),
        (vec!["trip", "swype"], &["sre: patch circuitbreakers"]),
        (vec!["reset", "swype"], &["sre: patch circuitbreakers"]),
        (
            vec!["controller"],
            &[
                "everywhere: get deployments/scale",
                "everywhere: get pods/log",
                "everywhere: list circuitbreakers",
                "everywhere: patch circuitbreakers",
                "everywhere: patch circuitbreakers/status",
                "everywhere: patch deployments/scale",
                "everywhere: watch pods",
                "sre: update leases",
            ],
        ),
    ] {
        let stub = Stub::new(StubBehavior { missing_rights: missing.clone(), ..StubBehavior::default() });
        let output = ask(&stub, &args);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{args:?}: {stderr}");
        assert!(stderr.starts_with("error: not allowed to "), "{stderr}");
        assert_eq!(granted(&stderr), want, "{args:?}: {stderr}");
        let requests = stub.requests();
        let only_reviews = requests.iter().all(|request| request.starts_with("POST /apis/auth"));
        assert!(only_reviews, "{args:?}: {requests:?}");
    }
}

/// Who may not even read Records trips without one; who may read them must be able to store them.
#[test]
fn a_trip_without_any_right_to_configmaps_goes_on_and_one_that_cannot_store_its_record_does_not() {
    let all = vec!["get configmaps", "create configmaps", "patch configmaps"];
    for (missing, forbid, code) in [(all, vec!["/configmaps"], 0), (vec!["create configmaps"], vec![], 4)] {
        let stub =
            Stub::new(StubBehavior { missing_rights: missing.clone(), forbid, ..StubBehavior::default() });
        let output = ask(&stub, &["trip", "--deployment", "swype-app"]);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{missing:?}: {stderr}");
        assert_eq!(granted(&stderr).len(), missing.len(), "{stderr}");
        assert_eq!(stub.replicas() == 0, code == 0);
    }
}

#[test]
fn rights_that_a_watch_can_do_without_are_printed_and_it_starts() {
    let missing = vec!["get pods/log", "create events"];
    let stub = Stub::new(StubBehavior { missing_rights: missing, ..StubBehavior::default() });
    let mut child = Command::new(env!("CARGO_BIN_EXE_watcher"))
        .args(["run", "--deployment", "swype-app", "-o", "json", "--kubeconfig"])
        .arg(stub.kubeconfig())
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("\"event\":\"watching\"")));
    child.kill().unwrap();
    let stderr = text(&child.wait_with_output().unwrap().stderr);
    assert_eq!(granted(&stderr), ["sre: create events", "sre: get pods/log"], "{stderr}");
    assert!(stderr.contains("It works without these, but less well: get pods/log"), "{stderr}");
}

/// A review that is refused says nothing about the right: the call itself decides.
#[test]
fn a_trip_goes_on_when_reviews_are_not_answered() {
    let forbid = vec!["authorization.k8s.io"];
    let stub = Stub::new(StubBehavior { forbid, ..StubBehavior::default() });
    let output = ask(&stub, &["trip", "--deployment", "swype-app"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(stub.replicas(), 0);
    let stderr = refused("breaker", &ask(&stub, &["trip", "swype"]), 3);
    assert!(stderr.contains("the kind CircuitBreaker does not exist"), "{stderr}");
}
