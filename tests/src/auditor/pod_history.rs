//! [`PodHistory`]: which pods were failing, and how often they have restarted.

use std::collections::HashMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::history::PodRevision;

/// A container that has run for this time is not failing any more.
const FAILING_TIME: SignedDuration = SignedDuration::from_mins(10);

/// The pods of a target up to some revision.
#[derive(Debug, Default)]
pub(crate) struct PodHistory {
    pods: HashMap<String, SeenPod>,
    /// Restarts by network failures since the last [`start_counting`](Self::start_counting), each
    /// observation with its number of restarts.
    network_restarts: Vec<(Timestamp, u32)>,
}

#[derive(Debug, Default)]
struct SeenPod {
    now: Option<PodRevision>,
    /// The last revision by which it was failing was replaced at this time.
    failed_until: Option<Timestamp>,
    /// Since when this pod has a container that has started.
    started_at: Option<Timestamp>,
}

impl PodHistory {
    pub(crate) fn observe(&mut self, name: &str, pod: Option<PodRevision>, at: Timestamp) {
        let seen = self.pods.entry(name.to_owned()).or_default();
        if seen.now.as_ref().is_some_and(|before| is_failing(before, at)) {
            seen.failed_until = Some(at);
        }
        if let Some(pod) = &pod {
            let before = seen.now.as_ref().filter(|before| before.uid == pod.uid);
            let new = pod.restarts.saturating_sub(before.map_or(0, |before| before.restarts));
            if pod.is_network {
                self.network_restarts.push((at, new));
            }
        }
        let is_same = pod.as_ref().map(|pod| &pod.uid) == seen.now.as_ref().map(|pod| &pod.uid);
        let before = seen.started_at.filter(|_| is_same);
        seen.started_at = before.or_else(|| pod.as_ref().filter(|pod| has_started(pod)).map(|_| at));
        seen.now = pod;
    }

    /// Pods that were failing at `at` or within `grace` before it.
    pub(crate) fn failing(&self, at: Timestamp, grace: Duration) -> usize {
        let failing = |seen: &&SeenPod| {
            seen.now.as_ref().is_some_and(|pod| is_failing(pod, at))
                || seen.failed_until.is_some_and(|until| until >= at - grace)
        };
        self.pods.values().filter(failing).count()
    }

    /// Pods that exist at `at` and had started a container by `grace` before it.
    pub(crate) fn started(&self, at: Timestamp, grace: Duration) -> usize {
        self.pods.values().filter(|seen| seen.started_at.is_some_and(|start| start <= at - grace)).count()
    }

    /// Restarts by network failures that were observed at `until` or before.
    pub(crate) fn network_restarts(&self, until: Timestamp) -> u32 {
        self.network_restarts.iter().filter(|(at, _)| *at <= until).map(|(_, restarts)| restarts).sum()
    }

    /// Counts restarts from here on.
    pub(crate) fn start_counting(&mut self) {
        self.network_restarts.clear();
    }
}

/// Whether a container with a restart does not run, or has run for less than 10 minutes.
fn is_failing(pod: &PodRevision, at: Timestamp) -> bool {
    let runs_long = pod.running_since.is_some_and(|since| at.duration_since(since) >= FAILING_TIME);
    // The first termination is visible before restartCount rises.
    (pod.restarts > 0 || pod.is_network) && !runs_long
}

fn has_started(pod: &PodRevision) -> bool {
    pod.restarts > 0 || pod.is_network || pod.running_since.is_some()
}
