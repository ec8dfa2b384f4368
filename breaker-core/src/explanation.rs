//! A verdict with the place of its words, and the explanation of all deaths that a pod still remembers.

use std::fmt;

use jiff::Timestamp;

use crate::evidence::{self, Evidence};
use crate::{Classifier, Clock, ClusterClient, ClusterError, Ledger, PodReport, Termination, Verdict};

/// A verdict, and where the words that decided it stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Why the container ended.
    pub verdict: Verdict,
    /// Where [`Verdict::quote`] was found; absent when no words decided.
    pub place: Option<EvidenceSource>,
}

/// A place in the evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvidenceSource {
    /// This line of the termination message, from 1.
    Message(usize),
    /// This line of the log's end, from 1.
    Log(usize),
    /// The container's status, or an event of its pod.
    Kubernetes,
}

impl fmt::Display for EvidenceSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(line) => write!(f, "message line {line}"),
            Self::Log(line) => write!(f, "log line {line}"),
            Self::Kubernetes => f.write_str("status or events"),
        }
    }
}

/// One death of a pod's container, explained.
#[derive(Debug)]
pub struct ExplainedTermination {
    /// What was known of it, with the last words and events that were asked for.
    pub termination: Termination,
    /// Why it ended.
    pub explanation: Explanation,
    /// Evidence that could not be had for lack of a right.
    pub forbidden: Vec<ClusterError>,
}

/// Explains the deaths that `pod` still remembers: of each container the current one, if it has ended, and the one
/// before. Asks `client` for last words and events exactly as a watch does.
pub async fn explain_pod(
    client: &dyn ClusterClient,
    clock: &dyn Clock,
    classifier: &Classifier,
    namespace: &str,
    pod: &PodReport,
) -> Vec<ExplainedTermination> {
    // A pod that is being deleted has deaths worth reading, though none that counts.
    let pod = PodReport { deleting: false, ..pod.clone() };
    let mut deaths = Vec::new();
    for wanted in Ledger::default().observe(&pod, Timestamp::MIN, clock.now()) {
        let Evidence { termination, explanation, forbidden } =
            evidence::take(client, clock, classifier, namespace, wanted).await;
        deaths.push(ExplainedTermination { termination, explanation, forbidden });
    }
    deaths
}
