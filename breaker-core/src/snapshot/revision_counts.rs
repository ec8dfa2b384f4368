//! The counts of each revision of the workload, computed from the ledger and the pods.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::peer_counts::top_peers;
use crate::Cause;
use crate::counts::Counts;
use crate::ledger::{ContainerKey, Ledger};
use crate::pod::PodReport;
use crate::pod_cache::PodCache;
use crate::policy::{Policy, Uncounted};

/// How long after the newest pod of a newer revision was created an older revision cannot trip.
const ROLLOUT_GRACE: SignedDuration = SignedDuration::from_mins(10);

/// The counts of one revision of the workload.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RevisionCounts {
    /// Value of the revision label; empty when there is none.
    pub revision: String,
    /// Counted restarts and failing pods, with their limits.
    #[serde(flatten)]
    pub counts: Counts,
    /// Restarts of any cause inside the window.
    pub total: u32,
    /// Restarts inside the window by cause: `network:refused`, `oom`, ….
    pub by_cause: BTreeMap<String, u32>,
    /// Restarts inside the window by the peer that they name: the 10 most frequent, and `other`.
    pub by_peer: BTreeMap<String, u32>,
    /// Network restarts inside the window that do not count because of their peer, by peer.
    pub other_peers: BTreeMap<String, u32>,
    /// Network restarts inside the window that do not count because their peer is not known.
    pub unknown_peer: u32,
    /// Restarts of unknown cause inside the window by the rule of their verdict, which names the
    /// missing evidence.
    pub missing: BTreeMap<String, u32>,
    /// The last words of the newest restart whose last words no rule explains.
    pub unread: Option<(Timestamp, String)>,
    /// A newer revision is being rolled out, so that this one cannot trip.
    pub superseded: bool,
}

impl RevisionCounts {
    /// Whether the counts exceed their limits and the revision may trip.
    pub fn trips(&self) -> bool {
        self.counts.exceed_limits() && !self.superseded
    }

    /// Causes of the restarts that do not count, most frequent first.
    pub fn other_causes(&self, policy: &Policy) -> Vec<Cause> {
        let mut others: Vec<(u32, Cause)> = Cause::ALL
            .into_iter()
            .filter(|cause| !policy.causes.contains(*cause))
            .map(|cause| (self.total_of(cause), cause))
            .filter(|(count, _)| *count > 0)
            .collect();
        others.sort_by_key(|(count, cause)| (std::cmp::Reverse(*count), *cause));
        others.into_iter().map(|(_, cause)| cause).collect()
    }

    pub(crate) fn total_of(&self, cause: Cause) -> u32 {
        self.by_cause
            .iter()
            .filter(|(label, _)| label.split(':').next() == Some(cause.as_str()))
            .map(|(_, count)| count)
            .sum()
    }
}

/// The limits of `policy` while `started` live pods have started a container. `replicas` is the
/// target's `spec.replicas`, if known.
pub(crate) fn limits(policy: &Policy, started: u32, replicas: Option<u32>) -> Counts {
    let base = replicas.map_or(started, |replicas| replicas.min(started));
    let need = policy.min_failing_pods.required(base);
    Counts { need, threshold: policy.max_restarts.saturating_mul(need), ..Counts::default() }
}

/// The counts of each revision that has a live pod or a restart since `oldest`; the newest revision
/// first.
///
/// `replicas` is the target's `spec.replicas`; while it is unknown, only the live pods count.
pub(crate) fn count_revisions(
    ledger: &Ledger,
    pods: &PodCache,
    policy: &Policy,
    replicas: Option<u32>,
    oldest: Timestamp,
    now: Timestamp,
) -> Vec<RevisionCounts> {
    let blank = || RevisionCounts {
        counts: limits(policy, pods.started_count(), replicas),
        ..RevisionCounts::default()
    };

    let mut all: BTreeMap<&str, RevisionCounts> = BTreeMap::new();
    let mut youngest: BTreeMap<&str, Timestamp> = BTreeMap::new();
    for pod in pods.pods() {
        let created = youngest.entry(&pod.revision).or_insert(pod.created);
        *created = pod.created.max(*created);
    }
    for pod in pods.live() {
        all.entry(&pod.revision).or_insert_with(blank);
    }
    let mut with_counted: BTreeSet<&ContainerKey> = BTreeSet::new();
    let mut by_peer: BTreeMap<&str, BTreeMap<&str, u32>> = BTreeMap::new();
    for restart in ledger.restarts_since(oldest) {
        let Some(verdict) = restart.verdict() else { continue };
        let revision = all.entry(restart.revision()).or_insert_with(blank);
        revision.total += 1;
        *revision.by_cause.entry(verdict.label()).or_default() += 1;
        if verdict.cause == Cause::Unknown {
            *revision.missing.entry(verdict.rule.clone()).or_default() += 1;
            let newest = revision.unread.as_ref().map(|(at, _)| *at);
            if !verdict.quote.is_empty() && newest.is_none_or(|at| at <= restart.at()) {
                revision.unread = Some((restart.at(), verdict.quote.clone()));
            }
        }
        if let Some(peer) = &verdict.peer {
            *by_peer.entry(restart.revision()).or_default().entry(peer).or_default() += 1;
        }
        match (policy.excludes(verdict.cause, verdict.peer.as_deref()), &verdict.peer) {
            (None, _) => {
                revision.counts.counted += 1;
                with_counted.insert(restart.key);
            }
            (Some(Uncounted::OtherPeer), Some(peer)) => {
                *revision.other_peers.entry(peer.clone()).or_default() += 1;
            }
            (Some(Uncounted::UnknownPeer), _) => revision.unknown_peer += 1,
            _ => {}
        }
    }
    for pod in failing_among(pods, &with_counted, now) {
        if let Some(revision) = all.get_mut(pod.revision.as_str()) {
            revision.counts.failing += 1;
        }
    }

    let newest_live = pods.live().max_by_key(|pod| pod.created).map(|pod| pod.created);
    let mut all: Vec<_> = all
        .into_iter()
        .map(|(revision, mut counts)| {
            let own = youngest.get(revision).copied();
            let has_newest_live =
                pods.live().any(|pod| pod.revision == revision && Some(pod.created) == newest_live);
            let newer_is_fresh = youngest.iter().any(|(other, created)| {
                *other != revision
                    && own.is_none_or(|own| *created > own)
                    && now.duration_since(*created) <= ROLLOUT_GRACE
            });
            counts.superseded = !has_newest_live && newer_is_fresh;
            counts.revision = revision.to_owned();
            counts.by_peer = by_peer.remove(revision).map(top_peers).unwrap_or_default();
            (own, counts)
        })
        .collect();
    all.sort_by_key(|(created, counts)| (std::cmp::Reverse(*created), counts.revision.clone()));
    all.into_iter().map(|(_, counts)| counts).collect()
}

/// The revision that is closest to a trip; the newest one of several with equal counts.
pub(crate) fn closest_to_trip(revisions: &[RevisionCounts]) -> Option<&RevisionCounts> {
    revisions.iter().rev().max_by_key(|revision| (!revision.superseded, revision.counts.counted))
}

/// Live pods of one revision with a counted restart that are failing now.
pub(crate) fn failing_pods<'a>(
    ledger: &Ledger,
    pods: &'a PodCache,
    policy: &Policy,
    revision: &str,
    oldest: Timestamp,
    now: Timestamp,
) -> Vec<&'a PodReport> {
    let counted = ledger.restarts_since(oldest).filter(|restart| restart.counts(policy));
    let with_counted = counted.map(|restart| restart.key).collect();
    failing_among(pods, &with_counted, now).filter(|pod| pod.revision == revision).collect()
}

fn failing_among<'a>(
    pods: &'a PodCache,
    with_counted: &BTreeSet<&ContainerKey>,
    now: Timestamp,
) -> impl Iterator<Item = &'a PodReport> {
    let live = if with_counted.is_empty() { None } else { Some(pods.live()) };
    live.into_iter().flatten().filter(move |pod| {
        pod.containers.iter().any(|container| {
            container.is_failing(now)
                && with_counted.iter().any(|key| key.pod == pod.uid && key.container == container.name)
        })
    })
}
