//! Observations of pods: they update the cache and the ledger, and may change the state.

use jiff::Timestamp;

use super::machine::Breaker;
use crate::action::{Action, Attempt};
use crate::event::BreakerEvent;
use crate::pod::PodReport;
use crate::snapshot::{Blind, HoldReason};
use crate::state::{Phase, State};

impl Breaker {
    pub(super) fn pod(&mut self, pod: PodReport, now: Timestamp) {
        self.watch_showed(now);
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
        self.watch_showed(now);
        self.pods.delete(uid, now);
        self.last_pod_went();
    }

    pub(super) fn pods_listed(&mut self, mut pods: Vec<PodReport>, asked_at: Timestamp, now: Timestamp) {
        pods.retain(|pod| self.pods.owns(pod));
        for pod in &pods {
            self.observe(pod, now);
        }
        self.pods.apply_list(pods, asked_at.min(now));
        self.watch.listed();
        self.retries.succeeded(Attempt::ListPods);
        self.holds.needs_fresh_list = false;
        self.holds.clear_if(HoldReason::StaleView);
        self.listed_now = true;
        if !self.started {
            self.started = true;
            self.start(now);
        } else if std::mem::take(&mut self.trip_waits_for_list) {
            self.scale_known(now);
        } else if self.pods.live().next().is_some() {
            self.live_pod_appeared();
        }
        self.last_pod_went();
    }

    /// The watch showed a change of a pod.
    fn watch_showed(&mut self, now: Timestamp) {
        if self.watch.showed(self.pods.is_stale(now)) {
            self.pods.mark_updated(now);
        }
    }

    /// The pod watch was accepted, and no pod has changed.
    pub(super) fn watch_accepted(&mut self, now: Timestamp) {
        if self.watch.accepted(self.pods.was_silent(now)) {
            self.pods.catch_up(now);
        }
    }

    /// The pods cannot be listed or watched.
    pub(super) fn watch_failed(&mut self, why: String, now: Timestamp) {
        if let Some(at) = self.watch.failed(why, now) {
            self.out.push(Action::Wake(at));
        }
    }

    /// The target has another selector, or is another object: its pods were never listed.
    pub(super) fn await_pods(&mut self, now: Timestamp) {
        self.pods.await_list();
        self.watch_for_pods(now);
        self.out.extend(now.checked_add(Blind::REPORTED_AFTER).ok().map(Action::Wake));
        self.list_pods();
    }

    /// The watch starts: until the pods are listed, the breaker is blind.
    pub(crate) fn watch_for_pods(&mut self, now: Timestamp) {
        self.watch.await_list(now);
    }

    fn observe(&mut self, pod: &PodReport, now: Timestamp) {
        let oldest = self.oldest(now);
        let known = self.pods.get(&pod.uid);
        if !pod.odd.is_empty() && known.is_none_or(|(known, _)| known.odd != pod.odd) {
            let message = format!("pod {} cannot be read completely: {}", pod.name, pod.odd.join("; "));
            self.out.push(Action::Emit(BreakerEvent::Warning { message }));
        }
        if let Some((known, at)) = known {
            self.clock_skew.observe(pod, known, at, oldest, now);
        }
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
                    by_peer: snapshot.by_peer,
                });
                if self.scale.replicas() == Some(0) {
                    let message = "the target has 0 replicas, and no record says how many it had; a reset \
                                   restores none"
                        .into();
                    self.emit(BreakerEvent::Warning { message });
                }
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

    /// Open, and a live pod is there: reads whether another client scaled the target up.
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
