//! The tally: what the ledger and the view say about one revision at one instant.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ledger::{ContainerKey, Ledger};
use crate::pod::PodReport;
use crate::pod_cache::{PodCache, is_failing};
use crate::{Cause, Policy};

/// An older revision may trip only if no pod of a newer one was created for this long.
pub const ROLL_OUT_GRACE: SignedDuration = SignedDuration::from_mins(10);

/// Counts of one revision, and the thresholds they are held against.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RevisionCounts {
    /// Value of the revision label, empty when there is none.
    pub revision: String,
    /// Restarts of the counted causes inside the window.
    pub counted: u32,
    /// Restarts of any cause inside the window.
    pub total: u32,
    /// Restarts tolerated: `max_restarts` for each of `need` pods. One more trips.
    pub threshold: u32,
    /// Live pods with a counted restart that are failing now.
    pub failing: u32,
    /// Pods that must be failing now.
    pub need: u32,
    /// Restarts inside the window by label: `network:refused`, `oom`, ….
    pub by_cause: BTreeMap<String, u32>,
    /// What was missing, for restarts of unknown cause: rule ids and how often.
    pub missing: BTreeMap<String, u32>,
    /// A newer revision is being rolled out.
    pub superseded: bool,
}

impl RevisionCounts {
    /// Both conditions of a trip hold, apart from what the revision may do.
    pub fn exceeds(&self) -> bool {
        self.counted > self.threshold && self.failing >= self.need
    }

    /// Causes of the restarts that do not count, most frequent first.
    pub fn other_causes(&self, policy: &Policy) -> Vec<Cause> {
        let mut others: Vec<(u32, Cause)> = Cause::ALL
            .into_iter()
            .filter(|cause| !policy.causes.contains(*cause))
            .map(|cause| (self.of(cause), cause))
            .filter(|(count, _)| *count > 0)
            .collect();
        others.sort_by_key(|(count, cause)| (std::cmp::Reverse(*count), *cause));
        others.into_iter().map(|(_, cause)| cause).collect()
    }

    pub(crate) fn of(&self, cause: Cause) -> u32 {
        self.by_cause
            .iter()
            .filter(|(label, _)| label.split(':').next() == Some(cause.as_str()))
            .map(|(_, count)| count)
            .sum()
    }
}

/// One tally for each revision that has a live pod or a restart since `oldest`; the newest revision first.
///
/// `replicas` is the target's `spec.replicas`; while it is unknown the live pods alone tell.
pub(crate) fn count_revisions(
    ledger: &Ledger,
    view: &PodCache,
    policy: &Policy,
    replicas: Option<u32>,
    oldest: Timestamp,
    now: Timestamp,
) -> Vec<RevisionCounts> {
    let started = count(view.live().filter(|pod| pod.has_started()));
    let base = replicas.map_or(started, |replicas| replicas.min(started));
    let need = policy.min_failing_pods.of(base);
    let blank = || RevisionCounts {
        need,
        threshold: policy.max_restarts.saturating_mul(need),
        ..RevisionCounts::default()
    };

    let mut count_revisions: BTreeMap<&str, RevisionCounts> = BTreeMap::new();
    let mut youngest: BTreeMap<&str, Timestamp> = BTreeMap::new();
    for pod in view.pods() {
        let created = youngest.entry(&pod.revision).or_insert(pod.created);
        *created = pod.created.max(*created);
    }
    for pod in view.live() {
        count_revisions.entry(&pod.revision).or_insert_with(blank);
    }
    let mut with_counted: BTreeSet<&ContainerKey> = BTreeSet::new();
    for restart in ledger.restarts_since(oldest) {
        let Some(verdict) = restart.verdict() else { continue };
        let tally = count_revisions.entry(restart.revision()).or_insert_with(blank);
        tally.total += 1;
        *tally.by_cause.entry(verdict.label()).or_default() += 1;
        if verdict.cause == Cause::Unknown {
            *tally.missing.entry(verdict.rule.clone()).or_default() += 1;
        }
        if restart.counts(policy.causes) {
            tally.counted += 1;
            with_counted.insert(restart.key);
        }
    }
    for pod in failing_among(view, &with_counted, now) {
        if let Some(tally) = count_revisions.get_mut(pod.revision.as_str()) {
            tally.failing += 1;
        }
    }

    let live_now = view.live().max_by_key(|pod| pod.created).map(|pod| pod.created);
    let mut count_revisions: Vec<_> = count_revisions
        .into_iter()
        .map(|(revision, mut tally)| {
            let own = youngest.get(revision).copied();
            let has_youngest_live =
                view.live().any(|pod| pod.revision == revision && Some(pod.created) == live_now);
            let newer_is_fresh = youngest.iter().any(|(other, created)| {
                *other != revision
                    && own.is_none_or(|own| *created > own)
                    && now.duration_since(*created) <= ROLL_OUT_GRACE
            });
            tally.superseded = !has_youngest_live && newer_is_fresh;
            tally.revision = revision.to_owned();
            (own, tally)
        })
        .collect();
    count_revisions.sort_by_key(|(created, tally)| (std::cmp::Reverse(*created), tally.revision.clone()));
    count_revisions.into_iter().map(|(_, tally)| tally).collect()
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}

/// Live pods of one revision with a counted restart that are failing now.
pub(crate) fn failing_pods<'a>(
    ledger: &Ledger,
    view: &'a PodCache,
    policy: &Policy,
    revision: &str,
    oldest: Timestamp,
    now: Timestamp,
) -> Vec<&'a PodReport> {
    let counted = ledger.restarts_since(oldest).filter(|restart| restart.counts(policy.causes));
    let with_counted = counted.map(|restart| restart.key).collect();
    failing_among(view, &with_counted, now).filter(|pod| pod.revision == revision).collect()
}

fn failing_among<'a>(
    view: &'a PodCache,
    with_counted: &BTreeSet<&ContainerKey>,
    now: Timestamp,
) -> impl Iterator<Item = &'a PodReport> {
    let pods = if with_counted.is_empty() { None } else { Some(view.live()) };
    pods.into_iter().flatten().filter(move |pod| {
        pod.containers.iter().any(|container| {
            is_failing(container, now)
                && with_counted.iter().any(|key| key.pod == pod.uid && key.container == container.name)
        })
    })
}
