//! The target's pods as last observed, and how fresh that is.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::{SignedDuration, Timestamp};

use crate::WorkloadRef;
use crate::ledger::ContainerKey;
use crate::ledger::newest_instant;
use crate::pod::{ContainerReport, ContainerState, PodReport, PodUid};

/// A container that has run for this long has left its crash loop: the kubelet resets its back-off then.
pub(crate) const BACK_OFF_RESET: SignedDuration = SignedDuration::from_mins(10);

/// A trip on pods observed longer ago than this lists them first.
pub(crate) const STALE_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// Gone pods that are remembered, at most.
const MAX_TOMBSTONES: usize = 256;

/// An index over the target's pods. Fed by three verbs; a list heals missed deletions.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PodCache {
    target: WorkloadRef,
    target_uid: String,
    pods: BTreeMap<PodUid, PodReport>,
    /// UIDs that are gone for good, the last few: a late report brings none of them back.
    gone: VecDeque<PodUid>,
    alive_at: Option<Timestamp>,
    /// Pods that are live.
    live: u32,
    /// Live pods that have started a container.
    started: u32,
}

impl PodCache {
    pub(crate) fn new(target: WorkloadRef, target_uid: String) -> Self {
        Self {
            target,
            target_uid,
            pods: BTreeMap::new(),
            gone: VecDeque::new(),
            alive_at: None,
            live: 0,
            started: 0,
        }
    }

    /// The target's own pods: those it controls (a Deployment through the ReplicaSet of the pod's own
    /// template hash); for kinds that Kubernetes does not ship, all but a Job's.
    pub(crate) fn owns(&self, pod: &PodReport) -> bool {
        let Some(owner) = &pod.controller else {
            return !self.is_built_in();
        };
        if owner.uid == self.target_uid {
            return true;
        }
        match self.target.bare_kind() {
            "deployment" => {
                owner.kind == "ReplicaSet"
                    && !pod.revision.is_empty()
                    && owner.name.strip_prefix(&self.target.name).and_then(|rest| rest.strip_prefix('-'))
                        == Some(&pod.revision)
            }
            _ => !self.is_built_in() && owner.kind != "Job",
        }
    }

    fn is_built_in(&self) -> bool {
        matches!(
            self.target.kind.as_str(),
            "deployment" | "statefulset" | "replicaset" | "replicationcontroller"
        )
    }

    /// Answers whether the pod was not known before. What a late report says of a container is not taken.
    pub(crate) fn apply(&mut self, mut pod: PodReport, now: Timestamp) -> bool {
        self.alive(now);
        if self.gone.contains(&pod.uid) {
            return false;
        }
        let Some(known) = self.pods.get_mut(&pod.uid) else {
            self.recount((0, 0), standing(&pod));
            self.pods.insert(pod.uid.clone(), pod);
            return true;
        };
        pod.deleting |= known.deleting;
        pod.finished |= known.finished;
        for container in &mut pod.containers {
            let before = known.containers.iter().find(|before| before.name == container.name);
            if let Some(before) = before.filter(|before| is_later(before, container)) {
                *container = before.clone();
            }
        }
        let (before, after) = (standing(known), standing(&pod));
        *known = pod;
        self.recount(before, after);
        false
    }

    pub(crate) fn delete(&mut self, uid: &str, now: Timestamp) {
        self.alive(now);
        self.remove(uid);
    }

    pub(crate) fn keep_only(&mut self, uids: &BTreeSet<PodUid>) {
        let absent: Vec<_> = self.pods.keys().filter(|uid| !uids.contains(*uid)).cloned().collect();
        for uid in absent {
            self.remove(&uid);
        }
    }

    fn remove(&mut self, uid: &str) {
        if let Some(pod) = self.pods.remove(uid) {
            self.recount(standing(&pod), (0, 0));
            self.tombstone(uid.to_owned());
        }
    }

    fn recount(&mut self, before: (u32, u32), after: (u32, u32)) {
        self.live = self.live - before.0 + after.0;
        self.started = self.started - before.1 + after.1;
    }

    fn tombstone(&mut self, uid: PodUid) {
        if self.gone.len() == MAX_TOMBSTONES {
            self.gone.pop_front();
        }
        self.gone.push_back(uid);
    }

    /// A sign of life: an event, a finished list, a re-established watch.
    pub(crate) fn alive(&mut self, now: Timestamp) {
        self.alive_at = self.alive_at.max(Some(now));
    }

    /// Never listed, or nothing heard for longer than [`STALE_AFTER`].
    pub(crate) fn is_stale(&self, now: Timestamp) -> bool {
        self.alive_at.is_none_or(|at| now.duration_since(at) > STALE_AFTER)
    }

    pub(crate) fn pods(&self) -> impl Iterator<Item = &PodReport> {
        self.pods.values()
    }

    pub(crate) fn contains(&self, uid: &str) -> bool {
        self.pods.contains_key(uid)
    }

    /// The number of live pods.
    pub(crate) fn live_count(&self) -> u32 {
        self.live
    }

    /// The number of live pods that have started a container.
    pub(crate) fn started_count(&self) -> u32 {
        self.started
    }

    pub(crate) fn live(&self) -> impl Iterator<Item = &PodReport> {
        self.pods.values().filter(|pod| pod.is_live())
    }

    /// Containers of live pods that are failing now.
    pub(crate) fn failing(&self, now: Timestamp) -> BTreeSet<ContainerKey> {
        self.live()
            .flat_map(|pod| {
                pod.containers
                    .iter()
                    .filter(move |container| is_failing(container, now))
                    .map(|container| ContainerKey { pod: pod.uid.clone(), container: container.name.clone() })
            })
            .collect()
    }
}

/// What a pod adds to the numbers of live pods and of those that have started.
fn standing(pod: &PodReport) -> (u32, u32) {
    (u32::from(pod.is_live()), u32::from(pod.is_live() && pod.has_started()))
}

/// Whether the report `a` of a container was made after `b`, by what a container goes through: created,
/// running, terminated, waiting for its restart, then the same with a higher count. A count that falls
/// with newer times is a new series, not an old report.
fn is_later(a: &ContainerReport, b: &ContainerReport) -> bool {
    let progress = |report: &ContainerReport| match report.state {
        ContainerState::Waiting { .. } if !died_waiting(report) => 0,
        ContainerState::Running { .. } => 1,
        ContainerState::Terminated(_) => 2,
        ContainerState::Waiting { .. } => 3,
    };
    match a.restart_count.cmp(&b.restart_count) {
        Ordering::Greater => newest_instant(b) <= newest_instant(a),
        Ordering::Equal => progress(a) > progress(b),
        Ordering::Less => false,
    }
}

/// Waiting with its own termination in `lastState`.
fn died_waiting(report: &ContainerReport) -> bool {
    report.last.as_ref().is_some_and(|terminated| terminated.container_id == report.container_id)
}

/// Not running, or running for less than [`BACK_OFF_RESET`].
pub(crate) fn is_failing(container: &ContainerReport, now: Timestamp) -> bool {
    match container.state {
        ContainerState::Running { started_at } => {
            started_at.is_some_and(|at| now.duration_since(at) < BACK_OFF_RESET)
        }
        _ => true,
    }
}
