//! A cache of the target's pods as last reported, with the time of the last report.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::{SignedDuration, Timestamp};

use crate::WorkloadRef;
use crate::clock::shifted;
use crate::ledger::{ContainerKey, newest_instant};
use crate::pod::{ContainerReport, ContainerState, PodReport, PodUid};

/// The cache is stale when the watch has been silent for longer than this. A trip then lists the
/// pods first.
const STALE_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// After a longer silence a sign of life is not enough: changes that were missed may still be on
/// their way. A list makes the cache fresh, or a watch that works for one more turn. The API server
/// ends each watch after 60 s, so a watch that works is silent for little more than that.
const MAX_SILENCE: SignedDuration = SignedDuration::from_secs(90);

/// The number of deleted pods whose UIDs are kept.
const MAX_TOMBSTONES: usize = 256;

/// The target's pods by UID. [`apply`](Self::apply) and [`delete`](Self::delete) take in single
/// changes, [`apply_list`](Self::apply_list) a list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PodCache {
    target: WorkloadRef,
    target_uid: String,
    pods: BTreeMap<PodUid, CachedPod>,
    /// UIDs of the pods deleted last, and when, so that a late list does not add them again.
    gone: VecDeque<(PodUid, Timestamp)>,
    /// When the watch was last known to work.
    updated_at: Option<Timestamp>,
    /// When the newest list was asked for.
    listed_at: Option<Timestamp>,
    /// Number of live pods.
    live: u32,
    /// Number of live pods that have started a container.
    started: u32,
}

/// A pod, and when it was last known to be so.
#[derive(Debug, Clone, PartialEq)]
struct CachedPod {
    report: PodReport,
    at: Timestamp,
}

impl PodCache {
    pub(crate) fn new(target: WorkloadRef, target_uid: String) -> Self {
        Self {
            target,
            target_uid,
            pods: BTreeMap::new(),
            gone: VecDeque::new(),
            updated_at: None,
            listed_at: None,
            live: 0,
            started: 0,
        }
    }

    /// Whether `pod` belongs to the target.
    ///
    /// The target owns the pods it controls. A Deployment controls them through the ReplicaSet
    /// whose name ends in the pod's template hash. A target of a custom kind owns every pod except
    /// those of a Job.
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

    /// Takes in a report of the watch and returns whether the pod is new. A container's report that
    /// is older than the known one is ignored.
    pub(crate) fn apply(&mut self, pod: PodReport, now: Timestamp) -> bool {
        if let Some(at) = self.gone.iter().position(|(uid, _)| *uid == pod.uid) {
            // A pod that the watch shows alive again exists. A late report of its end does not
            // count.
            if !pod.is_live() {
                return false;
            }
            self.gone.remove(at);
        }
        self.insert(pod, now)
    }

    /// Takes in a list that was asked for at `asked_at`. It says nothing about a pod that was
    /// reported or deleted since then, and nothing at all after a list that was asked for later.
    pub(crate) fn apply_list(&mut self, pods: Vec<PodReport>, asked_at: Timestamp) {
        if self.listed_at.is_some_and(|at| asked_at < at) {
            return;
        }
        let listed: BTreeSet<PodUid> = pods.iter().map(|pod| pod.uid.clone()).collect();
        let absent = |uid: &PodUid, pod: &CachedPod| pod.at <= asked_at && !listed.contains(uid);
        let absent: Vec<_> =
            self.pods.iter().filter(|(uid, pod)| absent(uid, pod)).map(|(uid, _)| uid.clone()).collect();
        for uid in absent {
            self.remove(&uid);
        }
        for pod in pods {
            if self.gone.iter().any(|(uid, at)| *uid == pod.uid && *at >= asked_at) {
                continue;
            }
            self.gone.retain(|(uid, _)| *uid != pod.uid);
            match self.pods.get(&pod.uid) {
                Some(known) if known.at > asked_at => continue,
                // The list is newer than all that is known, also where it goes back: the storage of
                // the API server may have been restored from a backup.
                Some(known) if known.at < asked_at => self.remove(&pod.uid),
                _ => {}
            }
            self.insert(pod, asked_at);
        }
        self.updated_at = self.updated_at.max(Some(asked_at));
        self.listed_at = self.listed_at.max(Some(asked_at));
    }

    fn insert(&mut self, mut pod: PodReport, at: Timestamp) -> bool {
        let Some(CachedPod { report: known, at: known_at }) = self.pods.get_mut(&pod.uid) else {
            self.recount((0, 0), live_and_started(&pod));
            self.pods.insert(pod.uid.clone(), CachedPod { report: pod, at });
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
        let (before, after) = (live_and_started(known), live_and_started(&pod));
        *known = pod;
        *known_at = at.max(*known_at);
        self.recount(before, after);
        false
    }

    /// Removes a pod that the watch reports as deleted.
    pub(crate) fn delete(&mut self, uid: &str, now: Timestamp) {
        if !self.pods.contains_key(uid) {
            return;
        }
        self.remove(uid);
        if self.gone.len() == MAX_TOMBSTONES {
            self.gone.pop_front();
        }
        self.gone.push_back((uid.to_owned(), now));
    }

    fn remove(&mut self, uid: &str) {
        if let Some(pod) = self.pods.remove(uid) {
            self.recount(live_and_started(&pod.report), (0, 0));
        }
    }

    fn recount(&mut self, before: (u32, u32), after: (u32, u32)) {
        self.live = self.live - before.0 + after.0;
        self.started = self.started - before.1 + after.1;
    }

    /// Records that the watch works: it showed an event, and was not silent for long.
    pub(crate) fn mark_updated(&mut self, now: Timestamp) {
        if !self.was_silent(now) {
            self.catch_up(now);
        }
    }

    /// Records that the watch has shown everything up to now. Without a list that means nothing.
    pub(crate) fn catch_up(&mut self, now: Timestamp) {
        self.updated_at = self.updated_at.map(|at| at.max(now));
    }

    /// Whether the watch has been silent for longer than [`MAX_SILENCE`], so that changes may have
    /// been missed.
    pub(crate) fn was_silent(&self, now: Timestamp) -> bool {
        self.updated_at.is_none_or(|at| now.duration_since(at) > MAX_SILENCE)
    }

    /// The pods have to be listed again: the selector has changed.
    pub(crate) fn await_list(&mut self) {
        self.updated_at = None;
    }

    /// Whether the pods were never listed, or the watch has been silent for longer than
    /// [`STALE_AFTER`].
    pub(crate) fn is_stale(&self, now: Timestamp) -> bool {
        self.updated_at.is_none_or(|at| now.duration_since(at) > STALE_AFTER)
    }

    /// When the newest list was asked for.
    pub(crate) fn listed_at(&self) -> Option<Timestamp> {
        self.listed_at
    }

    /// The wall clock was set by `by`. A clock that was set forward leaves the cache as old as it
    /// then looks: a machine that was suspended has missed changes.
    pub(crate) fn shift(&mut self, by: SignedDuration) {
        for pod in self.pods.values_mut() {
            pod.at = shifted(pod.at, by);
        }
        for (_, at) in &mut self.gone {
            *at = shifted(*at, by);
        }
        if by.is_negative() {
            self.updated_at = self.updated_at.map(|at| shifted(at, by));
            self.listed_at = self.listed_at.map(|at| shifted(at, by));
        }
    }

    pub(crate) fn pods(&self) -> impl Iterator<Item = &PodReport> {
        self.pods.values().map(|pod| &pod.report)
    }

    pub(crate) fn contains(&self, uid: &str) -> bool {
        self.pods.contains_key(uid)
    }

    /// Whether the pod exists and is live.
    pub(crate) fn is_live(&self, uid: &str) -> bool {
        self.pods.get(uid).is_some_and(|pod| pod.report.is_live())
    }

    /// A pod as last reported, and when.
    pub(crate) fn get(&self, uid: &str) -> Option<(&PodReport, Timestamp)> {
        self.pods.get(uid).map(|pod| (&pod.report, pod.at))
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
        self.pods().filter(|pod| pod.is_live())
    }

    /// Containers of live pods that are failing now.
    pub(crate) fn failing(&self, now: Timestamp) -> BTreeSet<ContainerKey> {
        self.live()
            .flat_map(|pod| {
                pod.containers
                    .iter()
                    .filter(move |container| container.is_failing(now))
                    .map(|container| ContainerKey { pod: pod.uid.clone(), container: container.name.clone() })
            })
            .collect()
    }
}

/// What `pod` adds to the number of live pods and to the number of started pods: 0 or 1 each.
fn live_and_started(pod: &PodReport) -> (u32, u32) {
    (u32::from(pod.is_live()), u32::from(pod.is_live() && pod.has_started()))
}

/// Whether the report `a` of a container is newer than `b`.
///
/// A container is created, runs, terminates and waits for its restart; then the same states follow
/// with a higher `restartCount`. A lower count with newer times is a counter reset, not an old
/// report.
fn is_later(a: &ContainerReport, b: &ContainerReport) -> bool {
    let progress = |report: &ContainerReport| match report.state {
        ContainerState::Waiting { .. } if !waits_for_restart(report) => 0,
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

/// Whether the waiting container has ended, and `lastState` holds that termination.
fn waits_for_restart(report: &ContainerReport) -> bool {
    report.last.as_ref().is_some_and(|terminated| terminated.container_id == report.container_id)
}
