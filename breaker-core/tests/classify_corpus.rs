//! The labelled corpus: what the classifier gets right, by table. A network verdict where none is due fails.

use std::collections::BTreeMap;

use breaker_core::{Cause, Classifier, Death, PodEvent, Termination, Verdict};
use serde_json::Value;

/// Bars below what was reached when the rules last changed: a worse table does not pass.
const NETWORK_RECALL: f64 = 0.97;
const ACCURACY: f64 = 0.95;

struct Case {
    id: String,
    want: String,
    want_kind: Option<String>,
    termination: Termination,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn case(line: &str) -> Case {
    let v: Value = serde_json::from_str(line).expect("a JSON object a line");
    let events = v["events"].as_array().into_iter().flatten();
    let t = &v["terminated"];
    let number = |field: &str| t[field].as_i64().and_then(|n| i32::try_from(n).ok());
    Case {
        id: text(&v["id"]),
        want: match v["label"].as_str() {
            Some("probe-timeout") => "probe".into(),
            _ => text(&v["label"]),
        },
        want_kind: v["network_kind"].as_str().map(|kind| match kind {
            "proxy-or-gateway" => "gateway".to_owned(),
            kind => kind.to_owned(),
        }),
        termination: Termination {
            death: Death {
                exit_code: number("exitCode").unwrap_or_default(),
                signal: number("signal"),
                reason: text(&t["reason"]),
                message: text(&t["message"]),
                ..Death::default()
            },
            waiting: text(&v["waiting"]["reason"]),
            log_tail: text(&v["logTail"]),
            events: events
                .map(|e| PodEvent {
                    reason: text(&e["reason"]),
                    message: text(&e["message"]),
                    ..PodEvent::default()
                })
                .collect(),
            ..Termination::default()
        },
    }
}

fn share(part: usize, of: usize) -> f64 {
    if of == 0 { 1.0 } else { part as f64 / of as f64 }
}

#[test]
fn the_corpus_is_read_right() {
    let corpus = match std::env::var("CLASSIFY_CORPUS") {
        Ok(path) => std::fs::read_to_string(path).expect("the corpus can be read"),
        Err(_) => include_str!("corpus/terminations-dev.jsonl").to_owned(),
    };
    let classifier = Classifier::default();
    let mut table: BTreeMap<(String, String), usize> = BTreeMap::new();
    let (mut right, mut kinds_right, mut false_alarms) = (0, 0, Vec::new());
    let cases: Vec<Case> = corpus.lines().filter(|l| !l.trim().is_empty()).map(case).collect();
    for case in &cases {
        let verdict: Verdict = classifier.classify(&case.termination);
        let got = verdict.cause.to_string();
        let kind = verdict.kind.map(|k| k.to_string());
        *table.entry((case.want.clone(), got.clone())).or_default() += 1;
        let kind_is_right = kind == case.want_kind;
        right += usize::from(got == case.want);
        kinds_right += usize::from(got == "network" && case.want == "network" && kind_is_right);
        if got != case.want || (got == "network" && !kind_is_right) {
            println!(
                "{}: want {} {}, got {} by {} on {:?}",
                case.id,
                case.want,
                case.want_kind.as_deref().unwrap_or("-"),
                verdict.label(),
                verdict.rule,
                verdict.quote
            );
        }
        if verdict.cause == Cause::Network && case.want != "network" {
            false_alarms.push(case.id.clone());
        }
    }
    let count = |want: &str, got: &str| {
        table
            .iter()
            .filter(|((w, g), _)| (want == "*" || w == want) && (got == "*" || g == got))
            .map(|(_, n)| n)
            .sum()
    };
    let found: usize = count("network", "network");
    let (recall, precision) = (share(found, count("network", "*")), share(found, count("*", "network")));
    let (accuracy, kinds) = (share(right, cases.len()), share(kinds_right, found));
    println!("\nwant          got");
    for ((want, got), n) in &table {
        println!("{want:<13} {got:<13} {n:>4}{}", if want == got { "" } else { "  <--" });
    }
    println!("\n{} cases: accuracy {accuracy:.3}", cases.len());
    println!("network: precision {precision:.3}, recall {recall:.3}, kind {kinds:.3}");

    assert!(false_alarms.is_empty(), "called network and are not: {}", false_alarms.join(", "));
    assert!(recall >= NETWORK_RECALL, "network recall {recall:.3}");
    assert!(accuracy >= ACCURACY, "accuracy {accuracy:.3}");
}
