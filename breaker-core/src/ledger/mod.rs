//! The ledger, which counts every restart once and keeps its verdict.
//!
//! ```text
//! PodReport --observe--> new terminations --(evidence)--> verdict --> restarts that count
//! ```
//!
//! Evidence is requested when a termination is first observed. The termination becomes a restart
//! once `restartCount` includes it, so that the counts match `kubectl get pods`.

mod container_history;
mod container_record;
mod identity;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

pub(crate) use self::container_history::newest_instant;
use self::container_history::{ContainerHistory, Instance};
pub use self::container_record::{ContainerRecord, RestartRecord};
pub use self::identity::{ContainerKey, InstanceId, TerminationId};
use crate::clock::shifted;
use crate::pod::{ContainerReport, ContainerState, PodReport, PodUid, Terminated};
use crate::policy::Policy;
use crate::{Cause, Termination, Verdict};

/// A request for the evidence about one termination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceRequest {
    /// The identity of the termination.
    pub id: TerminationId,
    /// The termination as the pod's status reports it.
    pub termination: Termination,
    /// The ended instance is still the current one of its container, so that its log is the current
    /// log, not the `previous` one.
    pub current: bool,
    /// The end of some earlier instance of this container was not observed. Then an older event of
    /// the pod may be about this termination.
    pub has_unobserved: bool,
}

/// A restart, as emitted in a [`BreakerEvent`](crate::BreakerEvent).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restart {
    /// The container that restarted.
    pub key: ContainerKey,
    /// Name of the pod.
    pub pod_name: String,
    /// Value of the pod's revision label; empty when the pod has none.
    pub revision: String,
    /// When the instance ended.
    pub at: Timestamp,
    /// Exit code; `None` when the end was not observed.
    pub exit_code: Option<i32>,
    /// Why the instance ended.
    pub verdict: Verdict,
}

/// The restarts of a workload and their verdicts, by container.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Ledger {
    containers: BTreeMap<ContainerKey, ContainerHistory>,
}

impl Ledger {
    /// Takes in one report of a pod and returns a request for each new termination.
    ///
    /// Restarts before `oldest` never count. Unobserved restarts are added only if their whole gap
    /// is after `oldest`.
    pub(crate) fn observe(
        &mut self,
        pod: &PodReport,
        oldest: Timestamp,
        now: Timestamp,
    ) -> Vec<EvidenceRequest> {
        if pod.deleting {
            return Vec::new();
        }
        let trigger = pod.restarting_all.then(|| first_to_end(pod)).flatten();
        let mut requests = Vec::new();
        for container in &pod.containers {
            let key = ContainerKey { pod: pod.uid.clone(), container: container.name.clone() };
            let history = match self.containers.get_mut(&key) {
                Some(history) => history,
                // Most containers never restart, so they get no history.
                None if container.restart_count == 0 && !has_termination(container) => continue,
                None => self
                    .containers
                    .entry(key.clone())
                    .or_insert_with(|| ContainerHistory::new(&pod.name, &pod.revision, pod.created)),
            };
            let stopped = |terminated: &Terminated| {
                pod.restarting_all
                    && (matches!(terminated.exit_code, 137 | 143)
                        || trigger.is_some_and(|first| first != container.name))
            };
            let fresh = history.observe(container, stopped, oldest, now);
            let has_unobserved = history.has_unobserved();
            let terminations = container_history::numbered_terminations(container);
            for (number, terminated) in terminations.into_iter().filter(|(number, _)| fresh.contains(number))
            {
                requests.push(EvidenceRequest {
                    id: TerminationId { key: key.clone(), instance: history.id_of(number) },
                    termination: termination(pod, container, terminated),
                    current: matches!(&container.state, ContainerState::Terminated(d) if **d == *terminated),
                    has_unobserved,
                });
            }
        }
        requests
    }

    /// Sets the verdict of a termination, unless it has one.
    ///
    /// Once a container was killed by a failed probe, its later network terminations with the same
    /// exit code are probe kills too, because the kubelet limits the rate of its events.
    pub(crate) fn decide(&mut self, id: &TerminationId, mut verdict: Verdict) {
        let Some(history) = self.containers.get_mut(&id.key) else { return };
        let Some(exit_code) = history.instance_mut(&id.instance).map(|instance| instance.exit_code) else {
            return;
        };
        match verdict.cause {
            Cause::Probe => {
                history.probe_exits.insert(exit_code);
            }
            Cause::Network if history.probe_exits.contains(&exit_code) => {
                verdict.cause = Cause::Probe;
                verdict.kind = None;
                verdict.peer = None;
                verdict.peer_status = None;
                verdict.rule = "probe-exit-code-seen".into();
            }
            _ => {}
        }
        if let Some(instance) = history.instance_mut(&id.instance) {
            instance.verdict.get_or_insert(verdict);
        }
    }

    /// The wall clock was set by `by`.
    pub(crate) fn shift(&mut self, by: SignedDuration) {
        for history in self.containers.values_mut() {
            history.observed_at = shifted(history.observed_at, by);
        }
    }

    /// Whether unobserved restarts of any container wait for their verdicts.
    pub(crate) fn has_gaps(&self) -> bool {
        self.containers.values().any(ContainerHistory::has_gaps)
    }

    /// Sets the verdicts of unobserved restarts, where the evidence around them is complete.
    pub(crate) fn settle(&mut self, policy: &Policy, failing: &BTreeSet<ContainerKey>, oldest: Timestamp) {
        for (key, history) in &mut self.containers {
            history.settle(policy, failing.contains(key), oldest);
        }
    }

    /// The restarts with a verdict that ended at `oldest` or later, in no particular order.
    pub(crate) fn restarts_since(&self, oldest: Timestamp) -> impl Iterator<Item = RestartView<'_>> {
        self.containers.iter().flat_map(move |(key, history)| {
            history
                .restarts()
                .filter(move |instance| instance.at >= oldest)
                .map(move |instance| RestartView { key, history, instance })
        })
    }

    /// Whether a container of such a pod has ended in a way that may yet become a counted restart.
    pub(crate) fn has_open_end(&self, policy: &Policy, of: impl Fn(&PodUid) -> bool) -> bool {
        self.containers.iter().any(|(key, history)| of(&key.pod) && history.has_open_end(policy))
    }

    /// The restarts since `oldest` that were not emitted yet, by time. They are marked as emitted.
    pub(crate) fn take_new(&mut self, oldest: Timestamp) -> Vec<Restart> {
        let mut emitted = Vec::new();
        for (key, history) in &mut self.containers {
            let (pod_name, revision) = (history.pod_name.clone(), history.revision.clone());
            for instance in history.restarts_mut().filter(|instance| !instance.emitted) {
                instance.emitted = true;
                if instance.at < oldest {
                    continue;
                }
                let Some(verdict) = instance.verdict.clone() else { continue };
                emitted.push(Restart {
                    key: key.clone(),
                    pod_name: pod_name.clone(),
                    revision: revision.clone(),
                    at: instance.at,
                    exit_code: instance.observed.then_some(instance.exit_code),
                    verdict,
                });
            }
        }
        emitted.sort_by(|a, b| (a.at, &a.key).cmp(&(b.at, &b.key)));
        emitted
    }

    /// Starts an episode: no termination known now counts.
    pub(crate) fn start_episode(&mut self) {
        self.containers.values_mut().for_each(ContainerHistory::start_episode);
    }

    /// Removes the restarts before `oldest`, and the containers without restarts whose pod is not
    /// `present`.
    pub(crate) fn forget(&mut self, oldest: Timestamp, present: impl Fn(&PodUid) -> bool) {
        self.containers.retain(|key, history| {
            history.forget_before(oldest);
            present(&key.pod) || !history.terminations.is_empty() || !history.earlier.is_empty()
        });
    }
}

/// A borrowed restart of the ledger.
pub(crate) struct RestartView<'a> {
    pub(crate) key: &'a ContainerKey,
    history: &'a ContainerHistory,
    instance: &'a Instance,
}

impl<'a> RestartView<'a> {
    pub(crate) fn revision(&self) -> &'a str {
        &self.history.revision
    }

    pub(crate) fn verdict(&self) -> Option<&'a Verdict> {
        self.instance.verdict.as_ref()
    }

    pub(crate) fn at(&self) -> Timestamp {
        self.instance.at
    }

    pub(crate) fn counts(&self, policy: &Policy) -> bool {
        self.verdict().is_some_and(|verdict| policy.counts(verdict.cause, verdict.peer.as_deref()))
    }
}

fn termination(pod: &PodReport, container: &ContainerReport, terminated: &Terminated) -> Termination {
    Termination {
        pod_uid: pod.uid.clone(),
        pod: pod.name.clone(),
        node: pod.node.clone(),
        container: container.name.clone(),
        kind: container.kind,
        terminated: terminated.clone(),
        waiting: match &container.state {
            ContainerState::Waiting { reason } => reason.clone(),
            _ => String::new(),
        },
        ..Termination::default()
    }
}

fn has_termination(container: &ContainerReport) -> bool {
    container.last.is_some() || matches!(container.state, ContainerState::Terminated(_))
}

/// The name of the container whose end made the kubelet restart all containers of the pod: the
/// first one that was not killed by a signal.
fn first_to_end(pod: &PodReport) -> Option<&str> {
    pod.containers
        .iter()
        .filter_map(|container| {
            let (_, terminated) = container_history::numbered_terminations(container).pop()?;
            (!matches!(terminated.exit_code, 137 | 143))
                .then_some((terminated.finished_at?, container.name.as_str()))
        })
        .min()
        .map(|(_, name)| name)
}
