//! Taking evidence: from a termination to its verdict, asking the cluster for as little as possible.
//!
//! The status alone decides most terminations. Where it does not, the last words are fetched; where those say
//! network, or where a signal ended it, the pod's events are asked whether the kubelet killed it after
//! failed probes. Events can clear a termination of network; they never accuse it.

use futures::future::{Either, select};
use jiff::SignedDuration;

use crate::backoff::Backoff;
use crate::classify::Explanation;
use crate::cluster::{LogTail, LogTailRequest};
use crate::ledger::EvidenceRequest;
use crate::pod::PodEvent;
use crate::verdict::UnknownReason;
use crate::{Cause, Classifier, Clock, ClusterClient, ClusterError, Termination, Verdict};

/// A verdict is pending at most this long.
pub(crate) const EVIDENCE_TIMEOUT: SignedDuration = SignedDuration::from_secs(5);

const BACKOFF: Backoff = Backoff::new(SignedDuration::from_millis(100), EVIDENCE_TIMEOUT);

/// How far the kubelet's event may precede the start it belongs to, since events carry whole seconds.
const EVENT_SLACK: SignedDuration = SignedDuration::from_secs(1);

/// A verdict, and what an operator should know about how it came about.
#[derive(Debug)]
pub(crate) struct Evidence {
    /// What was known in the end.
    pub(crate) termination: Termination,
    pub(crate) explanation: Explanation,
    pub(crate) forbidden: Vec<ClusterError>,
}

/// The verdict that the status alone allows, without asking the cluster.
pub(crate) fn from_status(classifier: &Classifier, termination: &Termination) -> Verdict {
    let mut verdict = classifier.classify(termination);
    let signal = matches!(termination.terminated.exit_code, 137 | 143);
    if verdict.cause == Cause::Unknown && !signal {
        verdict.rule = missing_reason(termination, &verdict.rule, UnknownReason::LogGone);
    }
    verdict
}

/// Takes the evidence for one termination; answers within [`EVIDENCE_TIMEOUT`].
pub(crate) async fn take(
    client: &dyn ClusterClient,
    clock: &dyn Clock,
    classifier: &Classifier,
    namespace: &str,
    wanted: EvidenceRequest,
) -> Evidence {
    let termination = &wanted.termination;
    let by_status = classifier.explain(termination);
    let deadline = clock.now() + EVIDENCE_TIMEOUT;
    let gathering = Box::pin(gather(client, clock, classifier, namespace, &wanted, by_status.clone()));
    match select(gathering, clock.sleep_until(deadline)).await {
        Either::Left((evidence, _)) => evidence,
        Either::Right(_) => {
            let late = Explanation { verdict: Verdict::unknown(UnknownReason::EvidenceLate), place: None };
            let explanation = if by_status.verdict.cause == Cause::Unknown { late } else { by_status };
            Evidence { termination: termination.clone(), explanation, forbidden: Vec::new() }
        }
    }
}

async fn gather(
    client: &dyn ClusterClient,
    clock: &dyn Clock,
    classifier: &Classifier,
    namespace: &str,
    wanted: &EvidenceRequest,
    mut explained: Explanation,
) -> Evidence {
    let mut termination = wanted.termination.clone();
    let mut forbidden = Vec::new();
    if explained.verdict.cause == Cause::Unknown {
        let of = LogTailRequest {
            namespace: namespace.into(),
            pod: termination.pod.clone(),
            container: termination.container.clone(),
            terminated: termination.terminated.clone(),
            current: wanted.current,
        };
        match retrying(clock, || client.log_tail(&of)).await {
            Ok(LogTail::Text(text)) => {
                termination.log_tail = text;
                explained = classifier.explain(&termination);
            }
            Ok(LogTail::Gone) => {
                let verdict = &mut explained.verdict;
                verdict.rule = missing_reason(&termination, &verdict.rule, UnknownReason::LogGone);
            }
            Err(error) => {
                let reason = if matches!(error, ClusterError::Forbidden { .. }) {
                    UnknownReason::LogForbidden
                } else {
                    UnknownReason::LogGone
                };
                let verdict = &mut explained.verdict;
                verdict.rule = missing_reason(&termination, &verdict.rule, reason);
                forbidden.push(error);
            }
        }
    }
    if explained.verdict.cause == Cause::Network || matches!(termination.terminated.exit_code, 137 | 143) {
        match retrying(clock, || client.pod_events(namespace, &termination.pod_uid)).await {
            Ok(events) => {
                termination.events = concerning(events, wanted);
                let with_events = classifier.explain(&termination);
                if with_events.verdict.cause != Cause::Network {
                    explained = with_events;
                }
            }
            Err(error) => forbidden.push(error),
        }
    }
    forbidden.retain(|error| matches!(error, ClusterError::Forbidden { .. }));
    Evidence { termination, explanation: explained, forbidden }
}

/// A message that no rule knows is a better reason than a log that could not be had.
fn missing_reason(termination: &Termination, known: &str, missing: UnknownReason) -> String {
    if termination.terminated.message.is_empty() { missing.as_str().into() } else { known.into() }
}

/// Tries again while that can help; the caller's deadline ends it.
async fn retrying<T, F, Fut>(clock: &dyn Clock, call: F) -> Result<T, ClusterError>
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<T, ClusterError>>,
{
    let mut failures = 0;
    loop {
        match call().await {
            Err(error) if error.is_retryable() => {
                clock.sleep_until(clock.now() + BACKOFF.delay(failures)).await;
                failures += 1;
            }
            other => return other,
        }
    }
}

/// The events that may tell of this termination: about this container or the whole pod, and not from before
/// this instance started, unless earlier terminations went unseen and the event may be the last that the
/// kubelet could send.
fn concerning(events: Vec<PodEvent>, wanted: &EvidenceRequest) -> Vec<PodEvent> {
    let container = &wanted.termination.container;
    let started = wanted.termination.terminated.started_at;
    events
        .into_iter()
        .filter(|event| {
            let about = event.field_path.is_empty() || event.field_path.contains(&format!("{{{container}}}"));
            let timely = match (event.at, started) {
                (Some(at), Some(started)) => wanted.missed_some || at >= started - EVENT_SLACK,
                _ => true,
            };
            about && timely
        })
        .collect()
}
