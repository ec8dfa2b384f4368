//! The ledger: every restart once, with its verdict.
//!
//! ```text
//! PodReport --observe--> terminations that are new --(evidence)--> verdict --> restarts that count
//! ```
//!
//! Evidence is asked for when a termination is first seen; the restart exists once `restartCount` shows the
//! successor, so that "more than three" is what `kubectl get pods` shows.

mod container_history;
mod container_record;
mod identity;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

pub(crate) use self::container_history::newest_instant;
use self::container_history::{ContainerHistory, Instance};
pub use self::container_record::{ContainerRecord, RestartRecord};
pub use self::identity::{ContainerKey, InstanceId, TerminationId};
use crate::pod::{ContainerReport, ContainerState, PodReport, PodUid, Terminated};
use crate::policy::{CauseSet, Unobserved};
use crate::{Cause, Termination, Verdict};

/// A termination whose evidence is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceRequest {
    /// Whose.
    pub id: TerminationId,
    /// What its status said.
    pub termination: Termination,
    /// It still is its container's current instance: its log is not yet `previous`.
    pub current: bool,
    /// Earlier terminations of this container were never seen, so that what an older event of the pod says
    /// about one of them may hold for this one too.
    pub missed_some: bool,
}

/// A restart, as told to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restart {
    /// Whose.
    pub key: ContainerKey,
    /// Name of the pod.
    pub pod_name: String,
    /// Value of the pod's revision label.
    pub revision: String,
    /// When the ended instance finished.
    pub at: Timestamp,
    /// Exit code; `None` when the termination was not observed.
    pub exit_code: Option<i32>,
    /// Why.
    pub verdict: Verdict,
}

/// Restarts and their verdicts, by container.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ledger {
    series: BTreeMap<ContainerKey, ContainerHistory>,
}

impl Ledger {
    /// Takes in one observation of a pod. Restarts that finished before `oldest` never count; those that
    /// nobody saw exist only if all of the gap lies after it.
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
        let mut wanted = Vec::new();
        for container in &pod.containers {
            let key = ContainerKey { pod: pod.uid.clone(), container: container.name.clone() };
            let series = match self.series.get_mut(&key) {
                Some(series) => series,
                // Most containers never die; they cost nothing here.
                None if container.restart_count == 0 && !shows_a_termination(container) => continue,
                None => self
                    .series
                    .entry(key.clone())
                    .or_insert_with(|| ContainerHistory::new(&pod.name, &pod.revision, pod.created)),
            };
            let stopped = |terminated: &Terminated| {
                pod.restarting_all
                    && (matches!(terminated.exit_code, 137 | 143)
                        || trigger.is_some_and(|first| first != container.name))
            };
            let fresh = series.observe(container, stopped, oldest, now);
            let missed_some = series.missed_some();
            let terminations = container_history::numbered_terminations(container);
            for (number, terminated) in terminations.into_iter().filter(|(number, _)| fresh.contains(number))
            {
                wanted.push(EvidenceRequest {
                    id: TerminationId { key: key.clone(), instance: InstanceId::of(terminated, number) },
                    termination: termination(pod, container, terminated),
                    current: matches!(&container.state, ContainerState::Terminated(d) if **d == *terminated),
                    missed_some,
                });
            }
        }
        wanted
    }

    /// Takes in a verdict. Later terminations of a container that was once killed by a failed probe, with the
    /// same exit code, are probe kills too, since the kubelet's events dry up.
    pub(crate) fn decide(&mut self, id: &TerminationId, mut verdict: Verdict) {
        let Some(series) = self.series.get_mut(&id.key) else { return };
        let Some(exit_code) = series.instance_mut(&id.instance).map(|entry| entry.exit_code) else { return };
        match verdict.cause {
            Cause::Probe => {
                series.probe_exits.insert(exit_code);
            }
            Cause::Network if series.probe_exits.contains(&exit_code) => {
                verdict.cause = Cause::Probe;
                verdict.kind = None;
                verdict.rule = "probe-exit-code-seen".into();
            }
            _ => {}
        }
        if let Some(entry) = series.instance_mut(&id.instance) {
            entry.verdict.get_or_insert(verdict);
        }
    }

    pub(crate) fn has_gaps(&self) -> bool {
        self.series.values().any(ContainerHistory::has_gaps)
    }

    /// Settles the restarts that nobody saw, as far as the evidence allows.
    pub(crate) fn settle(&mut self, rule: Unobserved, failing: &BTreeSet<ContainerKey>, oldest: Timestamp) {
        for (key, series) in &mut self.series {
            series.settle(rule, failing.contains(key), oldest);
        }
    }

    /// Restarts with a verdict that finished at `oldest` or later, in no particular order.
    pub(crate) fn restarts_since(&self, oldest: Timestamp) -> impl Iterator<Item = RestartView<'_>> {
        self.series.iter().flat_map(move |(key, series)| {
            series.restarts().filter(move |entry| entry.at >= oldest).map(move |entry| RestartView {
                key,
                series,
                entry,
            })
        })
    }

    /// Restarts not told yet, marked as told. A jump's unobserved ones follow the observed one.
    pub(crate) fn take_new(&mut self, oldest: Timestamp) -> Vec<Restart> {
        let mut told = Vec::new();
        for (key, series) in &mut self.series {
            let (pod_name, revision) = (series.pod_name.clone(), series.revision.clone());
            for entry in series.restarts_mut().filter(|entry| !entry.told) {
                entry.told = true;
                if entry.at < oldest {
                    continue;
                }
                let Some(verdict) = entry.verdict.clone() else { continue };
                told.push(Restart {
                    key: key.clone(),
                    pod_name: pod_name.clone(),
                    revision: revision.clone(),
                    at: entry.at,
                    exit_code: entry.observed.then_some(entry.exit_code),
                    verdict,
                });
            }
        }
        told.sort_by(|a, b| (a.at, &a.key).cmp(&(b.at, &b.key)));
        told
    }

    /// A new episode: only terminations not seen yet can count.
    pub(crate) fn start_episode(&mut self) {
        self.series.values_mut().for_each(ContainerHistory::start_episode);
    }

    /// Forgets what has left the window, and containers of pods that are gone and have nothing left.
    pub(crate) fn forget(&mut self, oldest: Timestamp, present: impl Fn(&PodUid) -> bool) {
        self.series.retain(|key, series| {
            series.forget_before(oldest);
            present(&key.pod) || !series.terminations.is_empty() || !series.earlier.is_empty()
        });
    }
}

/// A restart in place, borrowed.
pub(crate) struct RestartView<'a> {
    pub(crate) key: &'a ContainerKey,
    series: &'a ContainerHistory,
    entry: &'a Instance,
}

impl<'a> RestartView<'a> {
    pub(crate) fn revision(&self) -> &'a str {
        &self.series.revision
    }

    pub(crate) fn verdict(&self) -> Option<&'a Verdict> {
        self.entry.verdict.as_ref()
    }

    pub(crate) fn at(&self) -> Timestamp {
        self.entry.at
    }

    pub(crate) fn counts(&self, causes: CauseSet) -> bool {
        self.verdict().is_some_and(|verdict| causes.contains(verdict.cause))
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

fn shows_a_termination(container: &ContainerReport) -> bool {
    container.last.is_some() || matches!(container.state, ContainerState::Terminated(_))
}

/// During a restart of all containers: the one whose exit was the reason, the first to end of its own.
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
