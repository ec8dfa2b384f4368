//! The rule itself, computed from the pods without a ledger.

use std::collections::BTreeMap;

use breaker_core::Policy;
use breaker_core::cluster::PodWatchEvent;
use breaker_core::pod::{ContainerState, PodReport, PodUid};
use jiff::{SignedDuration, Timestamp};

/// What the rule looks at: the pods, and the network terminations of their containers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Oracle {
    pods: BTreeMap<PodUid, PodReport>,
    /// By pod and container ID.
    deaths: BTreeMap<(PodUid, String), Death>,
}

#[derive(Debug, Clone)]
struct Death {
    pod: PodUid,
    revision: String,
    number: u32,
    at: Timestamp,
    /// A successor has been seen: only then is it a restart.
    restarted: bool,
}

impl Oracle {
    pub(crate) fn see(&mut self, report: &PodReport) {
        for container in &report.containers {
            if let ContainerState::Terminated(terminated) = &container.state
                && (terminated.message == "network" || terminated.message.contains("connection refused"))
                && !report.deleting
            {
                let key = (report.uid.clone(), terminated.container_id.clone());
                self.deaths.entry(key).or_insert_with(|| Death {
                    pod: report.uid.clone(),
                    revision: report.revision.clone(),
                    number: container.restart_count,
                    at: terminated.finished_at.unwrap(),
                    restarted: false,
                });
            }
            for death in self.deaths.values_mut().filter(|death| death.pod == report.uid) {
                death.restarted |= container.restart_count > death.number;
            }
        }
        self.pods.insert(report.uid.clone(), report.clone());
    }

    pub(crate) fn see_event(&mut self, event: &PodWatchEvent) {
        match event {
            PodWatchEvent::Applied(pod) => self.see(pod),
            PodWatchEvent::Deleted(uid) => drop(self.pods.remove(uid)),
            other => panic!("{other:?} changes no pod"),
        }
    }

    /// Whether a revision that may trip has more counted restarts than `max_restarts x need`, and
    /// `need` of its pods fail now. Restarts before `from` do not count.
    pub(crate) fn should_trip(
        &self,
        policy: &Policy,
        replicas: u32,
        from: Option<Timestamp>,
        now: Timestamp,
    ) -> bool {
        let started = self.live().filter(|pod| pod.has_started()).count();
        let need = policy.min_failing_pods.required(replicas.min(u32::try_from(started).unwrap()).max(1));
        let oldest = policy.window.oldest(now).max(from);
        self.revisions_that_may_trip(now).into_iter().any(|revision| {
            let counted: Vec<_> =
                self.restarts_since(oldest).filter(|death| death.revision == revision).collect();
            let failing = self.live().filter(|pod| {
                pod.revision == revision
                    && counted.iter().any(|death| death.pod == pod.uid)
                    && fails(pod, now)
            });
            counted.len() > (policy.max_restarts * need) as usize && failing.count() >= need as usize
        })
    }

    /// Whether a live pod has had a counted restart since then, and fails now.
    pub(crate) fn trial_fails(&self, since: Timestamp, now: Timestamp) -> bool {
        let since = Timestamp::from_second(since.as_second()).unwrap();
        self.live()
            .any(|pod| fails(pod, now) && self.restarts_since(Some(since)).any(|death| death.pod == pod.uid))
    }

    fn live(&self) -> impl Iterator<Item = &PodReport> {
        self.pods.values().filter(|pod| pod.is_live())
    }

    fn restarts_since(&self, oldest: Option<Timestamp>) -> impl Iterator<Item = &Death> {
        let oldest = oldest.unwrap_or(Timestamp::MIN);
        self.deaths.values().filter(move |death| death.restarted && death.at >= oldest)
    }

    /// The revision of the youngest live pod, and each older one unless a pod of a newer one was
    /// created in the last ten minutes.
    fn revisions_that_may_trip(&self, now: Timestamp) -> Vec<String> {
        let mut youngest: BTreeMap<&str, Timestamp> = BTreeMap::new();
        for pod in self.pods.values() {
            let created = youngest.entry(&pod.revision).or_insert(pod.created);
            *created = pod.created.max(*created);
        }
        let newest = self.live().map(|pod| pod.created).max();
        let may = |revision: &str, own: Timestamp| {
            self.live().any(|pod| pod.revision == revision && Some(pod.created) == newest)
                || youngest.iter().all(|(other, created)| {
                    *other == revision
                        || *created <= own
                        || now.duration_since(*created) > SignedDuration::from_mins(10)
                })
        };
        let all = youngest.iter().filter(|(revision, own)| may(revision, **own));
        all.map(|(revision, _)| (*revision).to_owned()).collect()
    }
}

/// A container does not run, or has run for less than ten minutes.
fn fails(pod: &PodReport, now: Timestamp) -> bool {
    pod.containers.iter().any(|container| match container.state {
        ContainerState::Running { started_at } => {
            now.duration_since(started_at.unwrap()) < SignedDuration::from_mins(10)
        }
        _ => true,
    })
}
