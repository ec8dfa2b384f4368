//! Observations of pods: they update the cache and the ledger, and may change the state.

use jiff::Timestamp;

use super::machine::Breaker;
use crate::action::{Action, Attempt};
use crate::event::BreakerEvent;
use crate::pod::PodReport;
use crate::state::{Phase, State};

impl Breaker {
    pub(super) fn pod(&mut self, pod: PodReport, now: Timestamp) {
        self.pods.mark_updated(now);
        if !self.pods.owns(&pod) {
            return;
        }
        let live = pod.is_live();
        self.observe(&pod, now);
        self.refresh_later(now);
        let new = self.pods.apply(pod, now);
        if new && live {
            self.live_pod_appeared();
        }
        if !live {
            self.last_pod_went();
        }
    }

    pub(super) fn pod_deleted(&mut self, uid: &str, now: Timestamp) {
        self.pods.delete(uid, now);
        self.last_pod_went();
    }

    pub(super) fn pods_listed(&mut self, pods: Vec<PodReport>, now: Timestamp) {
        let pods: Vec<_> = pods.into_iter().filter(|pod| self.pods.owns(pod)).collect();
        self.pods.keep_only(&pods.iter().map(|pod| pod.uid.clone()).collect());
        let mut appeared = false;
        for pod in pods {
            appeared |= pod.is_live() && !self.pods.contains(&pod.uid);
            self.observe(&pod, now);
            self.pods.apply(pod, now);
        }
        self.pods.mark_updated(now);
        self.retries.succeeded(Attempt::ListPods);
        self.holds.needs_fresh_list = false;
        if !self.started {
            self.started = true;
            self.start(now);
        } else if std::mem::take(&mut self.trip_waits_for_list) {
            self.scale_known(now);
        } else if appeared {
            self.live_pod_appeared();
        }
        self.last_pod_went();
    }

    fn observe(&mut self, pod: &PodReport, now: Timestamp) {
        let oldest = self.oldest(now);
        for request in self.ledger.observe(pod, oldest, now) {
            self.out.push(Action::GatherEvidence(Box::new(request)));
        }
    }

    /// Emits the first event, then continues where an earlier watcher stopped.
    fn start(&mut self, now: Timestamp) {
        self.publish_undelivered();
        match &self.state {
            State::Closed => {
                let snapshot = self.snapshot(now);
                self.emit(BreakerEvent::Watching {
                    target: self.target.to_string(),
                    replicas: self.scale.replicas().unwrap_or_default(),
                    pods: snapshot.pods,
                    counts: snapshot.counts,
                    by_cause: snapshot.by_cause,
                });
            }
            State::Tripping { .. } => self.resume_trip(now),
            State::Open { trip, .. } if self.scale.replicas() == Some(0) => {
                let trip = trip.clone();
                self.emit(BreakerEvent::already_open(trip));
                self.wake_for_recovery();
            }
            State::Open { .. } | State::HalfOpen { .. } | State::Restoring { .. } => self.scale_known(now),
        }
    }

    /// Open, and a live pod appeared: reads whether another client scaled the target up.
    fn live_pod_appeared(&mut self) {
        if self.state.phase() == Phase::Open {
            self.read_scale();
        }
    }

    /// No pod is left: reads whether the target was scaled down or deleted.
    fn last_pod_went(&mut self) {
        if self.started && self.pods.pods().next().is_none() {
            self.read_scale();
        }
    }

    pub(super) fn list_pods(&mut self) {
        if self.retries.start_unless_waiting(Attempt::ListPods) {
            self.out.push(Action::ListPods);
        }
    }
}
