//! A verdict with the place of its words, and the explanation of all terminations that a pod still remembers.

use jiff::Timestamp;

use super::gather::{self, Evidence};
use crate::classify::Explanation;
use crate::ledger::Ledger;
use crate::pod::PodReport;
use crate::{Classifier, Clock, ClusterClient, ClusterError, Termination};

/// One termination of a pod's container, explained.
#[derive(Debug)]
pub struct ExplainedTermination {
    /// What was known of it, with the last words and events that were asked for.
    pub termination: Termination,
    /// Why it ended.
    pub explanation: Explanation,
    /// Evidence that could not be had for lack of a right.
    pub forbidden: Vec<ClusterError>,
}

/// Explains the terminations that `pod` still remembers: of each container the current one, if it has ended, and the one
/// before. Asks `client` for last words and events exactly as a watch does.
pub async fn explain_pod(
    client: &dyn ClusterClient,
    clock: &dyn Clock,
    classifier: &Classifier,
    namespace: &str,
    pod: &PodReport,
) -> Vec<ExplainedTermination> {
    // A pod that is being deleted has terminations worth reading, though none that counts.
    let pod = PodReport { deleting: false, ..pod.clone() };
    let mut terminations = Vec::new();
    for wanted in Ledger::default().observe(&pod, Timestamp::MIN, clock.now()) {
        let Evidence { termination, explanation, forbidden } =
            gather::take(client, clock, classifier, namespace, wanted).await;
        terminations.push(ExplainedTermination { termination, explanation, forbidden });
    }
    terminations
}
