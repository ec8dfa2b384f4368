//! Labelled terminations, and how many of them a classifier reads right.
#![allow(dead_code)] // each test binary uses its part

use std::collections::BTreeMap;

use breaker_core::pod::{PodEvent, Terminated};
use breaker_core::{Cause, Classifier, Termination, Verdict};
use serde_json::Value;

/// A termination with its label.
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) want: String,
    pub(crate) want_kind: Option<String>,
    /// The peer that the evidence names; `None` if the case is not labelled with one.
    pub(crate) want_peer: Option<String>,
    pub(crate) termination: Termination,
}

/// The cases of a corpus, one JSON object a line.
pub(crate) fn cases(corpus: &str) -> Vec<Case> {
    corpus.lines().filter(|line| !line.trim().is_empty()).map(case).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn case(line: &str) -> Case {
    let v: Value = serde_json::from_str(line).expect("a JSON object a line");
    let events = v["events"].as_array().into_iter().flatten();
    let t = &v["terminated"];
    let number = |field: &str| t[field].as_i64().and_then(|n| i32::try_from(n).ok());
    let terminated = Terminated {
        exit_code: number("exitCode").unwrap_or_default(),
        signal: number("signal"),
        reason: text(&t["reason"]),
        message: text(&t["message"]),
        ..Terminated::default()
    };
    let mut termination = Termination::new(terminated, text(&v["logTail"]));
    termination.waiting = text(&v["waiting"]["reason"]);
    termination.events = events
        .map(|e| PodEvent { reason: text(&e["reason"]), message: text(&e["message"]), ..PodEvent::default() })
        .collect();
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
        want_peer: v["peer"].as_str().map(str::to_owned),
        termination,
    }
}

/// How a classifier reads a corpus.
#[derive(Default)]
pub(crate) struct Score {
    /// Number of cases by wanted and given cause.
    table: BTreeMap<(String, String), usize>,
    cases: usize,
    right: usize,
    kinds_right: usize,
    peers: usize,
    peers_right: usize,
    /// IDs of cases that were called network and are not.
    pub(crate) false_alarms: Vec<String>,
    /// One line for each case with a wrong cause, kind or peer.
    pub(crate) misses: Vec<String>,
}

impl Score {
    pub(crate) fn new(classifier: &Classifier, cases: &[Case]) -> Self {
        let mut score = Self::default();
        cases.iter().for_each(|case| score.add(case, &classifier.classify(&case.termination)));
        score
    }

    fn add(&mut self, case: &Case, verdict: &Verdict) {
        let got = verdict.cause.to_string();
        let kind = verdict.kind.map(|k| k.to_string());
        *self.table.entry((case.want.clone(), got.clone())).or_default() += 1;
        let network = got == "network" && case.want == "network";
        let kind_is_right = kind == case.want_kind;
        let peer_is_right = case.want_peer.is_none() || case.want_peer == verdict.peer;
        self.cases += 1;
        self.right += usize::from(got == case.want);
        self.kinds_right += usize::from(network && kind_is_right);
        if network && case.want_peer.is_some() {
            self.peers += 1;
            self.peers_right += usize::from(peer_is_right);
        }
        if verdict.cause == Cause::Network && case.want != "network" {
            self.false_alarms.push(case.id.clone());
        }
        if got != case.want || network && !(kind_is_right && peer_is_right) {
            self.misses.push(format!(
                "{}: want {} {} {}, got {} {} by {} on {:?}",
                case.id,
                case.want,
                case.want_kind.as_deref().unwrap_or("-"),
                case.want_peer.as_deref().unwrap_or("-"),
                verdict.label(),
                verdict.peer.as_deref().unwrap_or("-"),
                verdict.rule,
                verdict.quote
            ));
        }
    }

    fn count(&self, is_counted: impl Fn(&str, &str) -> bool) -> usize {
        self.table.iter().filter(|((want, got), _)| is_counted(want, got)).map(|(_, n)| n).sum()
    }

    fn found(&self) -> usize {
        self.count(|want, got| want == "network" && got == "network")
    }

    pub(crate) fn precision(&self) -> f64 {
        share(self.found(), self.count(|_, got| got == "network"))
    }

    pub(crate) fn recall(&self) -> f64 {
        share(self.found(), self.count(|want, _| want == "network"))
    }

    pub(crate) fn accuracy(&self) -> f64 {
        share(self.right, self.cases)
    }

    pub(crate) fn peers(&self) -> f64 {
        share(self.peers_right, self.peers)
    }

    /// Shows the table of causes and the figures.
    pub(crate) fn print(&self, name: &str) {
        println!("\nwant          got");
        for ((want, got), n) in &self.table {
            println!("{want:<13} {got:<13} {n:>4}{}", if want == got { "" } else { "  <--" });
        }
        println!("\n{name}: {} cases: accuracy {:.3}", self.cases, self.accuracy());
        println!(
            "network: precision {:.3}, recall {:.3}, kind {:.3}; peer {:.3} of {}",
            self.precision(),
            self.recall(),
            share(self.kinds_right, self.found()),
            self.peers(),
            self.peers
        );
    }
}

fn share(part: usize, of: usize) -> f64 {
    if of == 0 { 1.0 } else { part as f64 / of as f64 }
}
