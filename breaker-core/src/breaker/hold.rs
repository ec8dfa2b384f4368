//! Holds: why a trip does not happen although the counts exceed the limits, and when it is decided
//! again.
//!
//! A trip in progress returns to the state before it: to closed, or to the trial replicas of a
//! half-open breaker. It gets a new episode, since the next attempt is another one.

use jiff::Timestamp;

use super::machine::Breaker;
use super::notify::{Message, in_ids};
use crate::action::{Action, Attempt};
use crate::event::BreakerEvent;
use crate::notification::NotificationKind;
use crate::policy::Mode;
use crate::snapshot::{Hold, HoldReason, RevisionCounts, failing_pods};
use crate::state::{Override, State};

impl Breaker {
    /// The outage guard of the fleet came on or went off.
    pub(super) fn guard(&mut self, why: Option<String>, now: Timestamp) {
        if why.is_none() && self.holds.outage_guard.is_some() {
            self.holds.needs_fresh_list = true;
            self.holds.clear_if(HoldReason::Guard);
        }
        self.holds.outage_guard = why;
        self.stop_if_guarded(now);
    }

    /// Takes back a trip that no person asked for and whose scale is not being written yet.
    pub(super) fn stop_if_guarded(&mut self, now: Timestamp) -> bool {
        let State::Tripping { trip, .. } = &self.state else { return false };
        let Some(why) = self.holds.outage_guard.clone().filter(|_| !trip.because.pressed) else {
            return false;
        };
        if self.retries.in_flight(Attempt::WriteScale) {
            return false;
        }
        self.step_back_to_hold(HoldReason::Guard, why, now);
        true
    }

    /// Whether the breaker reports what it would do, and scales nothing.
    pub(super) fn only_observes(&self) -> bool {
        self.override_ == Override::Disabled || self.policy.mode == Mode::Observe
    }

    /// Observe and Disabled write no scale, not even that of a trip already begun.
    pub(super) fn stop_if_only_observing(&mut self, now: Timestamp) {
        let begun = matches!(self.state, State::Tripping { .. });
        if self.only_observes() && begun && !self.retries.in_flight(Attempt::WriteScale) {
            self.step_back("the breaker now only observes".into(), now);
        }
    }

    /// Why the one-node rule holds a trip of this revision; `None` when it does not.
    pub(super) fn one_node_hold(&self, revision: &str, now: Timestamp) -> Option<String> {
        let node = self.failing_node(revision, now)?;
        Some(format!("all failing pods are on node {node}, and the target has a Ready pod elsewhere"))
    }

    /// The node on which all failing pods are, while a pod on another one is Ready.
    fn failing_node(&self, revision: &str, now: Timestamp) -> Option<String> {
        if !self.policy.one_node {
            return None;
        }
        let oldest = self.oldest(now);
        let failing = failing_pods(&self.ledger, &self.pods, &self.policy, revision, oldest, now);
        let node = failing.first().map(|pod| pod.node.clone()).filter(|node| !node.is_empty())?;
        let all_there = failing.iter().all(|pod| pod.node == node);
        let well_elsewhere =
            self.pods.live().any(|pod| pod.ready && !pod.node.is_empty() && pod.node != node);
        (all_there && well_elsewhere).then_some(node)
    }

    /// Takes back a trip that has not scaled anything.
    pub(super) fn abort_to_hold(&mut self, reason: HoldReason, why: String, now: Timestamp) {
        self.undo_trip(now);
        self.saves.request();
        self.hold_with(&self.count_revisions(now), reason, why, now);
    }

    /// Holds, if the counts ask for a trip.
    pub(super) fn hold(&mut self, reason: HoldReason, why: String, now: Timestamp) {
        let revisions = self.count_revisions(now);
        let trips = match self.state {
            State::Closed => revisions.iter().any(RevisionCounts::trips),
            State::HalfOpen { .. } => self.probe_died(),
            State::Tripping { .. } => true,
            State::Open { .. } | State::Restoring { .. } => false,
        };
        if trips {
            self.hold_with(&revisions, reason, why, now);
        }
    }

    fn hold_with(&mut self, revisions: &[RevisionCounts], reason: HoldReason, why: String, now: Timestamp) {
        let tripping = revisions.iter().find(|revision| revision.trips()).or(revisions.first());
        self.hold_once(Hold::new(reason, why, tripping), now);
    }

    /// Reported once an episode for each reason; an attempt that was held does not end it.
    pub(super) fn hold_once(&mut self, hold: Hold, now: Timestamp) {
        if !self.holds.set(hold.clone()) {
            return;
        }
        let mut event = self.event(true, "Held", "None", hold.to_string());
        event.key = format!("{}.{}", event.key, in_ids(hold.reason));
        let message = Message::new(NotificationKind::Held, event.note.clone());
        self.enqueue(Message { hold: Some(hold.reason), ..message }, now);
        self.publish_later(event);
        self.out.push(Action::Emit(BreakerEvent::Held(hold)));
    }
}
