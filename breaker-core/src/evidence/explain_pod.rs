//! The explanations of the terminations in a pod's status.

use jiff::Timestamp;

use super::gather::{self, Evidence};
use crate::classify::Explanation;
use crate::ledger::Ledger;
use crate::pod::PodReport;
use crate::{Classifier, Clock, ClusterClient, ClusterError, Termination};

/// One termination of a pod's container with its explanation.
#[derive(Debug)]
pub struct ExplainedTermination {
    /// The termination, with the log tail and the events that were read.
    pub termination: Termination,
    /// The verdict, and where its quote was found.
    pub explanation: Explanation,
    /// The errors of requests that the API server refused for lack of a permission.
    pub forbidden: Vec<ClusterError>,
}

/// Explains the terminations in the status of `pod`.
///
/// The status of each container holds at most two: the current instance, if it has ended, and the
/// one before. Requests logs and events from `client` exactly as a running breaker does.
pub async fn explain_pod(
    client: &dyn ClusterClient,
    clock: &dyn Clock,
    classifier: &Classifier,
    namespace: &str,
    pod: &PodReport,
) -> Vec<ExplainedTermination> {
    // The ledger ignores pods that are being deleted, but their terminations can be explained.
    let pod = PodReport { deleting: false, ..pod.clone() };
    let mut terminations = Vec::new();
    for request in Ledger::default().observe(&pod, Timestamp::MIN, clock.now()) {
        let Evidence { termination, explanation, forbidden } =
            gather::take(client, clock, classifier, namespace, request).await;
        terminations.push(ExplainedTermination { termination, explanation, forbidden });
    }
    terminations
}
