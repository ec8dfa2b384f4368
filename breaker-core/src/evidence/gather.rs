//! Gathers the evidence for one termination, with as few requests to the cluster as possible.
//!
//! The status alone decides most terminations. If it does not, or if its message looks cut, the end
//! of the log is read. If the verdict is then network, or a signal ended the container, the pod's
//! events are read to find out whether the kubelet killed it after failed probes. Events can
//! replace a network verdict; they never lead to one.

use futures::future::{Either, join, select};
use jiff::SignedDuration;

use crate::backoff::Backoff;
use crate::classify::{EvidenceSource, Explanation, begins_in_stack};
use crate::cluster::{LogTail, LogTailRequest, ServiceAddress};
use crate::ledger::EvidenceRequest;
use crate::pod::PodEvent;
use crate::verdict::UnknownReason;
use crate::{Cause, Classifier, Clock, ClusterClient, ClusterError, Termination, Verdict};

/// The time allowed for the evidence of one termination.
const EVIDENCE_TIMEOUT: SignedDuration = SignedDuration::from_secs(5);

/// How long a verdict waits for what the cluster knows of its peer.
const PEER_TIMEOUT: SignedDuration = SignedDuration::from_secs(1);

/// The end of a log that the kubelet takes as the termination message, in bytes and lines.
const MAX_LOG_MESSAGE_LEN: usize = 2048;
const MAX_LOG_MESSAGE_LINES: usize = 80;

/// The maximum length of a character, in bytes. A cut can fall into one, which is then left out.
const MAX_CHAR_LEN: usize = 4;

const BACKOFF: Backoff = Backoff::new(SignedDuration::from_millis(100), EVIDENCE_TIMEOUT);

/// How far an event of the kubelet may precede the start it belongs to. Event times have whole
/// seconds.
const EVENT_SLACK: SignedDuration = SignedDuration::from_secs(1);

/// A verdict with its evidence, and the requests that were refused.
#[derive(Debug)]
pub(crate) struct Evidence {
    /// The termination with all evidence that was read.
    pub(crate) termination: Termination,
    pub(crate) explanation: Explanation,
    pub(crate) forbidden: Vec<ClusterError>,
}

/// The verdict from the status alone, without a request to the cluster.
pub(crate) fn from_status(classifier: &Classifier, termination: &Termination) -> Verdict {
    let mut verdict = classifier.classify(termination);
    let signal = matches!(termination.terminated.exit_code, 137 | 143);
    if verdict.cause == Cause::Unknown && !signal {
        verdict.rule = missing_reason(termination, &verdict.rule, UnknownReason::LogGone);
    }
    verdict
}

/// Gathers the evidence for one termination within [`EVIDENCE_TIMEOUT`].
pub(crate) async fn take(
    client: &dyn ClusterClient,
    clock: &dyn Clock,
    classifier: &Classifier,
    namespace: &str,
    request: EvidenceRequest,
) -> Evidence {
    let termination = &request.termination;
    let by_status = classifier.explain(termination);
    let deadline = clock.now() + EVIDENCE_TIMEOUT;
    let gathering = Box::pin(gather(client, clock, classifier, namespace, &request, by_status.clone()));
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
    request: &EvidenceRequest,
    mut explained: Explanation,
) -> Evidence {
    let mut termination = request.termination.clone();
    let mut forbidden = Vec::new();
    let unknown = explained.verdict.cause == Cause::Unknown;
    let by_message = matches!(explained.place, Some(EvidenceSource::Message(_)));
    if unknown || by_message && looks_cut(&termination.terminated.message) {
        let log = LogTailRequest {
            namespace: namespace.into(),
            pod: termination.pod.clone(),
            node: termination.node.clone(),
            container: termination.container.clone(),
            terminated: termination.terminated.clone(),
            current: request.current,
        };
        match retrying(clock, || client.log_tail(&log)).await {
            Ok(LogTail::Text(text)) => {
                termination.log_tail = text;
                explained = explain_with_log(classifier, &mut termination);
            }
            Ok(LogTail::Gone) if unknown => {
                let verdict = &mut explained.verdict;
                verdict.rule = missing_reason(&termination, &verdict.rule, UnknownReason::LogGone);
            }
            Ok(LogTail::Gone) => {}
            Err(error) if !unknown => forbidden.push(error),
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
        let listing = retrying(clock, || client.pod_events(namespace, &termination.pod_uid));
        let (listed, status) = join(listing, peer_status(client, clock, namespace, &explained.verdict)).await;
        explained.verdict.peer_status = status;
        match listed {
            Ok(events) => {
                termination.events = concerning(events, request);
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

/// What the cluster knows of the peer of a verdict, if it is a Service of this cluster.
async fn peer_status(
    client: &dyn ClusterClient,
    clock: &dyn Clock,
    namespace: &str,
    verdict: &Verdict,
) -> Option<String> {
    let address = ServiceAddress::of_peer(verdict.peer.as_deref()?, namespace)?;
    let looking = client.peer_service(namespace, &address);
    match select(looking, clock.sleep_until(clock.now() + PEER_TIMEOUT)).await {
        Either::Left((service, _)) => Some(service?.describe(&address, clock.now())),
        Either::Right(_) => None,
    }
}

/// Whether a termination message is probably the end of a longer text. The kubelet keeps the last
/// 2,048 bytes or 80 lines of a log, and what a program writes can begin inside a stack.
fn looks_cut(message: &str) -> bool {
    message.len() + MAX_CHAR_LEN > MAX_LOG_MESSAGE_LEN
        || message.lines().count() >= MAX_LOG_MESSAGE_LINES
        || begins_in_stack(message)
}

/// The verdict on a termination whose log was read. If the message is the end of the log, the log
/// says all that the message says, and what was cut off: the message is then removed, so that
/// nothing judges by it again.
fn explain_with_log(classifier: &Classifier, termination: &mut Termination) -> Explanation {
    let last_line = termination.terminated.message.trim_end().lines().next_back().map(str::trim);
    let in_log = last_line.is_some_and(|line| !line.is_empty() && termination.log_tail.contains(line));
    if in_log {
        let message = std::mem::take(&mut termination.terminated.message);
        let by_log = classifier.explain(termination);
        if by_log.verdict.cause != Cause::Unknown {
            return by_log;
        }
        termination.terminated.message = message;
    }
    classifier.explain(termination)
}

/// The rule of an unknown verdict: `known` if there is a termination message, else `missing`.
///
/// A message that no rule matches is a better reason than a log that could not be read.
fn missing_reason(termination: &Termination, known: &str, missing: UnknownReason) -> String {
    if termination.terminated.message.is_empty() { missing.as_str().into() } else { known.into() }
}

/// Repeats `call` with back-off while its error is retryable. The caller's deadline ends the loop.
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

/// The events that may be about this termination.
///
/// They are about this container or the whole pod, and not older than the start of this instance.
/// If the end of an earlier instance was not observed, older events are included: the kubelet
/// limits the rate of its events, so an older one may be the last about the same failure.
fn concerning(events: Vec<PodEvent>, request: &EvidenceRequest) -> Vec<PodEvent> {
    let container = &request.termination.container;
    let started = request.termination.terminated.started_at;
    events
        .into_iter()
        .filter(|event| {
            let about = event.field_path.is_empty() || event.field_path.contains(&format!("{{{container}}}"));
            let timely = match (event.at, started) {
                (Some(at), Some(started)) => {
                    request.has_unobserved || started.duration_since(at) <= EVENT_SLACK
                }
                _ => true,
            };
            about && timely
        })
        .collect()
}
