//! The classifier on a corpus of real terminations, with its labels.

use std::collections::BTreeMap;

use breaker_core::{Cause, Classifier, Death, NetworkKind, PodEvent, Termination};
use serde::Deserialize;

const CORPUS: &str = include_str!("corpus/terminations-dev.jsonl");

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    id: String,
    terminated: Terminated,
    log_tail: String,
    events: Vec<PodEvent>,
    waiting: Option<Waiting>,
    label: String,
    #[serde(rename = "network_kind")]
    network_kind: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Terminated {
    reason: String,
    exit_code: i32,
    signal: Option<i32>,
    message: String,
}

#[derive(Deserialize)]
struct Waiting {
    reason: String,
}

impl Case {
    fn label(&self) -> Cause {
        let name = if self.label == "probe-timeout" { "probe" } else { &self.label };
        Cause::ALL.into_iter().find(|cause| cause.as_str() == name).expect("a known label")
    }

    fn kind(&self) -> Option<NetworkKind> {
        let name = self.network_kind.as_deref()?;
        let name = if name == "proxy-or-gateway" { "gateway" } else { name };
        Some(serde_json::from_value(name.into()).expect("a known kind"))
    }

    fn termination(&self) -> Termination {
        let Terminated { reason, exit_code, signal, message } = &self.terminated;
        Termination {
            death: Death {
                reason: reason.clone(),
                exit_code: *exit_code,
                signal: *signal,
                message: message.clone(),
                ..Death::default()
            },
            log_tail: self.log_tail.clone(),
            events: self.events.clone(),
            waiting: self.waiting.as_ref().map(|waiting| waiting.reason.clone()).unwrap_or_default(),
            ..Termination::default()
        }
    }
}

#[test]
fn the_corpus_is_read_without_a_false_network_verdict() {
    let classifier = Classifier::default();
    let mut confusion: BTreeMap<(Cause, Cause), u32> = BTreeMap::new();
    let (mut right_kind, mut network) = (0u32, 0u32);
    for line in CORPUS.lines() {
        let case: Case = serde_json::from_str(line).expect("a case");
        let verdict = classifier.classify(&case.termination());
        *confusion.entry((case.label(), verdict.cause)).or_default() += 1;
        if case.label() == Cause::Network && verdict.cause == Cause::Network {
            network += 1;
            right_kind += u32::from(verdict.kind == case.kind());
            if verdict.kind != case.kind() {
                println!(
                    "kind  {} is {:?}, read as {:?} by {}: {}",
                    case.id,
                    case.kind(),
                    verdict.kind,
                    verdict.rule,
                    verdict.quote
                );
            }
        }
        if verdict.cause != case.label() {
            println!(
                "wrong {} is {}, read as {} by {}: {}",
                case.id,
                case.label(),
                verdict.cause,
                verdict.rule,
                verdict.quote
            );
        }
    }
    let sum = |keep: &dyn Fn(Cause, Cause) -> bool| -> u32 {
        confusion.iter().filter(|((label, read), _)| keep(*label, *read)).map(|(_, n)| n).sum()
    };
    let all = sum(&|_, _| true);
    let right = sum(&|label, read| label == read);
    let labelled = sum(&|label, _| label == Cause::Network);
    let false_network = sum(&|label, read| label != Cause::Network && read == Cause::Network);
    println!("{:<12} {:>7} {:>6} {:>6}", "label", "cases", "right", "share");
    for cause in Cause::ALL {
        let cases = sum(&|label, _| label == cause);
        if cases > 0 {
            let right = sum(&|label, read| label == cause && read == cause);
            println!("{cause:<12} {cases:>7} {right:>6} {:>6.2}", f64::from(right) / f64::from(cases));
        }
    }
    let recall = f64::from(network) / f64::from(labelled);
    let accuracy = f64::from(right) / f64::from(all);
    println!(
        "network: {false_network} false, recall {recall:.3}, kind {:.3}; all: accuracy {accuracy:.3}",
        f64::from(right_kind) / f64::from(network)
    );
    assert_eq!(false_network, 0, "false network verdicts");
    assert!(recall >= 0.97, "network recall {recall:.3}");
    assert!(accuracy >= 0.92, "accuracy {accuracy:.3}");
}
