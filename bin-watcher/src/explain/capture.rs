//! What a capture of the cluster shows of pods: ended containers and events.
//!
//! The readers of each format fill it: [`objects`](super::objects), [`describe`](super::describe)
//! and [`event_table`](super::event_table).

use std::collections::BTreeMap;

use breaker_core::classify::Explanation;
use breaker_core::pod::{PodEvent, Terminated};
use breaker_core::{Cause, Classifier, Termination};
use jiff::SignedDuration;

use super::case::UNKNOWN_EXIT_CODE;
use super::report::TerminationReport;

/// How far an event may precede the start that it belongs to. Both have whole seconds.
const EVENT_SLACK: SignedDuration = SignedDuration::from_secs(1);

/// Waiting reasons of containers that have not failed, or whose termination says why.
const NOT_FAILED: [&str; 4] = ["", "ContainerCreating", "PodInitializing", "CrashLoopBackOff"];

/// Namespace and name of a pod; the namespace is empty if the capture does not name it.
type PodName = (String, String);

/// Ended containers and events of pods.
#[derive(Debug, Default)]
pub(crate) struct Capture {
    terminations: Vec<(PodName, Termination)>,
    /// The pods that were seen themselves, and whether anything of them has ended.
    pods: BTreeMap<PodName, bool>,
    /// Reason and message of the pods that ended as a whole.
    ended_pods: BTreeMap<PodName, (String, String)>,
    events: BTreeMap<PodName, Vec<PodEvent>>,
}

/// The status of one container.
#[derive(Debug, Default)]
pub(crate) struct ContainerStatus {
    pub(crate) name: String,
    /// `state.waiting.reason`.
    pub(crate) waiting: String,
    /// `state.terminated`.
    pub(crate) terminated: Option<Terminated>,
    /// `lastState.terminated`.
    pub(crate) last: Option<Terminated>,
}

impl Capture {
    /// Adds a pod.
    pub(crate) fn pod(&mut self, namespace: &str, name: &str, node: &str, containers: Vec<ContainerStatus>) {
        let pod = (namespace.to_owned(), name.to_owned());
        let before = self.terminations.len();
        for ContainerStatus { name: container, waiting, terminated, last } in containers {
            let mut ended: Vec<_> = last.into_iter().chain(terminated).collect();
            // A container that waits for its restart shows one termination twice.
            ended.dedup();
            if ended.is_empty() && !NOT_FAILED.contains(&waiting.as_str()) {
                ended.push(Terminated { exit_code: UNKNOWN_EXIT_CODE, ..Terminated::default() });
            }
            for terminated in ended {
                let mut termination = Termination::new(terminated, "");
                termination.pod.clone_from(&pod.1);
                termination.node = node.to_owned();
                termination.container.clone_from(&container);
                termination.waiting.clone_from(&waiting);
                self.terminations.push((pod.clone(), termination));
            }
        }
        *self.pods.entry(pod).or_default() |= self.terminations.len() > before;
    }

    /// Adds a pod that ended as a whole, as an evicted one does.
    pub(crate) fn ended_pod(&mut self, namespace: &str, name: &str, reason: &str, message: &str) {
        let pod = (namespace.to_owned(), name.to_owned());
        self.ended_pods.insert(pod.clone(), (reason.to_owned(), message.to_owned()));
        if std::mem::replace(self.pods.entry(pod.clone()).or_default(), true) {
            return;
        }
        let terminated = Terminated {
            exit_code: UNKNOWN_EXIT_CODE,
            reason: reason.to_owned(),
            message: message.to_owned(),
            ..Terminated::default()
        };
        let mut termination = Termination::new(terminated, "");
        termination.pod = name.to_owned();
        self.terminations.push((pod, termination));
    }

    /// Adds a container that no pod owns, as Docker shows it.
    pub(crate) fn container(&mut self, name: &str, terminated: Option<Terminated>) {
        let pod = (String::new(), name.to_owned());
        *self.pods.entry(pod.clone()).or_default() |= terminated.is_some();
        if let Some(terminated) = terminated {
            let mut termination = Termination::new(terminated, "");
            termination.pod = name.to_owned();
            self.terminations.push((pod, termination));
        }
    }

    /// Adds an event of a pod.
    pub(crate) fn event(&mut self, namespace: &str, pod: &str, event: PodEvent) {
        self.events.entry((namespace.to_owned(), pod.to_owned())).or_default().push(event);
    }

    /// Whether nothing was found.
    pub(crate) fn is_empty(&self) -> bool {
        self.pods.is_empty() && self.terminations.is_empty() && self.events.is_empty()
    }

    /// The explanations: one for each ended container instance, and one for each pod of which only
    /// events were captured.
    pub(crate) fn explain(mut self, classifier: &Classifier) -> Vec<TerminationReport> {
        let mut terminations = std::mem::take(&mut self.terminations);
        for (pod, events) in &self.events {
            if self.pods.contains_key(pod) || !events.iter().any(is_failure) {
                continue;
            }
            let mut termination = Termination::default();
            termination.terminated.exit_code = UNKNOWN_EXIT_CODE;
            termination.pod.clone_from(&pod.1);
            terminations.push((pod.clone(), termination));
        }
        let explained = terminations.into_iter().map(|(pod, termination)| {
            let events = self.events.get(&pod).map(Vec::as_slice).unwrap_or_default();
            let explanation = explain(classifier, &termination, events);
            let says_why = !matches!(explanation.verdict.cause, Cause::Unknown | Cause::Node);
            let explanation = match self.ended_pods.get(&pod) {
                Some((reason, message)) if !says_why => {
                    explain_ended_pod(classifier, &termination, reason, message)
                }
                _ => explanation,
            };
            TerminationReport::new(&id(&pod, &termination), &explanation)
        });
        explained.collect()
    }
}

/// As a running breaker does: events replace a network verdict and explain a signal or a container
/// that did not start; they never lead to network.
fn explain(classifier: &Classifier, termination: &Termination, events: &[PodEvent]) -> Explanation {
    let explained = classifier.explain(termination);
    let started = termination.terminated.started_at;
    let did_not_run = termination.terminated.exit_code == UNKNOWN_EXIT_CODE && started.is_none();
    let killed = matches!(termination.terminated.exit_code, 137 | 143);
    if explained.verdict.cause != Cause::Network && !killed && !did_not_run {
        return explained;
    }
    let timely = |event: &&PodEvent| match (event.at, started) {
        (Some(at), Some(started)) => started.duration_since(at) <= EVENT_SLACK,
        _ => true,
    };
    let mut with_events = termination.clone();
    let about = |event: &&PodEvent| is_about(event, &termination.container);
    with_events.events = events.iter().filter(about).filter(timely).cloned().collect();
    let by_events = classifier.explain(&with_events);
    let decides = by_events.verdict.cause != Cause::Unknown
        && (did_not_run || by_events.verdict.cause != Cause::Network);
    if decides { by_events } else { explained }
}

/// A container whose own status does not say why it ended, of a pod that ended as a whole.
fn explain_ended_pod(
    classifier: &Classifier,
    termination: &Termination,
    reason: &str,
    message: &str,
) -> Explanation {
    let mut with_pod = termination.clone();
    with_pod.terminated.reason = reason.to_owned();
    if with_pod.terminated.message.is_empty() {
        message.clone_into(&mut with_pod.terminated.message);
    }
    classifier.explain(&with_pod)
}

/// Whether an event is about this container, or about its whole pod.
fn is_about(event: &PodEvent, container: &str) -> bool {
    event.field_path.is_empty()
        || container.is_empty()
        || event.field_path.contains(&format!("{{{container}}}"))
}

/// Whether an event reports that something went wrong, beside what every start reports.
fn is_failure(event: &PodEvent) -> bool {
    !["Scheduled", "Pulling", "Pulled", "Created", "Started", "SuccessfulCreate"]
        .contains(&event.reason.as_str())
}

/// `NAMESPACE/POD/CONTAINER exit CODE at TIME`, as far as it is known.
fn id((namespace, pod): &PodName, termination: &Termination) -> String {
    let Termination { container, terminated, .. } = termination;
    let parts = [namespace, pod, container];
    let mut id = parts.into_iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join("/");
    if id.is_empty() {
        // A part of a status names nothing.
        id.push_str("container");
    }
    if terminated.exit_code != UNKNOWN_EXIT_CODE {
        id = format!("{id} exit {}", terminated.exit_code);
    }
    match terminated.finished_at {
        Some(at) => format!("{id} at {at:.0}"),
        None => id,
    }
}

/// The field path of the container that the message of an event names, for formats that do not show
/// it: `Container app failed liveness probe`, `restarting failed container app in pod`.
pub(crate) fn field_path_of(message: &str) -> String {
    let mut words = message.split_whitespace();
    let before = |word: &str| word.eq_ignore_ascii_case("container");
    let name = if words.by_ref().any(before) { words.next() } else { None };
    let name = name.map(|name| name.trim_matches(|c: char| !c.is_ascii_alphanumeric()));
    match name {
        Some(name) if !name.is_empty() && !["image", "runtime", "is"].contains(&name) => {
            format!("spec.containers{{{name}}}")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use jiff::Timestamp;

    use super::*;

    #[test]
    fn a_start_at_the_first_instant_of_the_calendar_is_compared_with_events() {
        let started_at = Some(Timestamp::MIN);
        let killed = Terminated { exit_code: 137, started_at, ..Terminated::default() };
        for at in [Timestamp::MIN, Timestamp::MAX] {
            let mut capture = Capture::default();
            let app = ContainerStatus { terminated: Some(killed.clone()), ..ContainerStatus::default() };
            capture.pod("sre", "a", "", vec![app]);
            let event = PodEvent { reason: "Killing".into(), at: Some(at), ..PodEvent::default() };
            capture.event("sre", "a", event);
            assert_eq!(capture.explain(&Classifier::default()).len(), 1, "{at}");
        }
    }

    #[test]
    fn a_pod_that_ended_with_its_containers_has_their_answers_only() {
        let mut capture = Capture::default();
        let ended = ContainerStatus { last: Some(Terminated::default()), ..ContainerStatus::default() };
        for (name, containers) in [("a", vec![ended]), ("b", vec![]), ("b", vec![])] {
            capture.pod("sre", name, "", containers);
            capture.ended_pod("sre", name, "Evicted", "The node was low on resource: memory.");
        }
        let ended: Vec<_> = capture.terminations.iter().map(|((_, name), _)| name.as_str()).collect();
        assert_eq!(ended, ["a", "b"]);
    }

    /// A comparison of each pod with each other one takes several times as long as is allowed here.
    #[test]
    fn many_evicted_pods_are_read_in_linear_time() {
        let (mut capture, from) = (Capture::default(), Instant::now());
        for n in 0..100_000 {
            let name = format!("swype-app-6d4f9c7b5-{n:05}");
            capture.pod("sre", &name, "", Vec::new());
            capture.ended_pod("sre", &name, "Evicted", "");
        }
        assert_eq!(capture.terminations.len(), 100_000);
        assert!(from.elapsed() < Duration::from_secs(5), "{:?}", from.elapsed());
    }
}
