//! Holding: why a trip that the counts ask for does not happen now, and when it is decided anew.
//!
//! A trip that had begun goes back to where it came from: to closed, or to the trial replicas of a half-open
//! breaker. It gets a new episode, since the next attempt is another one.

use jiff::Timestamp;

use super::Breaker;
use crate::BreakerEvent;
use crate::action::Action;
use crate::action::Attempt;
use crate::event::Hold;
use crate::policy::Mode;
use crate::revision_counts::{RevisionCounts, failing_pods};
use crate::state::{Override, State};

impl Breaker {
    /// The fleet's guard came on or went off.
    pub(super) fn guard(&mut self, why: Option<String>, now: Timestamp) {
        if why.is_none() && self.guarded.is_some() {
            self.decide_on_fresh = true;
            self.held_now = self.held_now.take().filter(|(reason, _)| *reason != "guard");
        }
        self.guarded = why;
        self.stop_if_guarded(now);
    }

    /// A trip that no person asked for, and whose scale is not being written yet, goes back.
    pub(super) fn stop_if_guarded(&mut self, now: Timestamp) -> bool {
        let State::Tripping { because, .. } = &self.state else { return false };
        let Some(why) = self.guarded.clone().filter(|_| !because.pressed) else { return false };
        if self.in_flight.contains(&Attempt::WriteScale) {
            return false;
        }
        self.hold_back("guard", why, now);
        true
    }

    /// Observe and Disabled write no scale, not even that of a trip already begun.
    pub(super) fn stop_if_only_telling(&mut self, now: Timestamp) {
        let only_tells = self.override_ == Override::Disabled || self.policy.mode == Mode::Observe;
        let begun = matches!(self.state, State::Tripping { .. });
        if only_tells && begun && !self.in_flight.contains(&Attempt::WriteScale) {
            self.abandon("the breaker only tells now".into(), now);
        }
    }

    /// The node on which all failing pods are, while a pod on another one is Ready.
    pub(super) fn failing_node(&self, tally: &RevisionCounts, now: Timestamp) -> Option<String> {
        if !self.policy.one_node {
            return None;
        }
        let failing =
            failing_pods(&self.ledger, &self.view, &self.policy, &tally.revision, self.oldest(now), now);
        let node = failing.first().map(|pod| pod.node.clone()).filter(|node| !node.is_empty())?;
        let all_there = failing.iter().all(|pod| pod.node == node);
        let well_elsewhere =
            self.view.live().any(|pod| pod.ready && !pod.node.is_empty() && pod.node != node);
        (all_there && well_elsewhere).then_some(node)
    }

    /// Takes back a trip that has not scaled anything.
    pub(super) fn hold_back(&mut self, reason: &'static str, why: String, now: Timestamp) {
        let State::Tripping { replicas, because, .. } = self.state.clone() else { return };
        self.episode += 1;
        let probe = self.scale.as_ref().map_or(0, |scale| scale.replicas);
        if because.probe_failed && probe > 0 {
            let because = crate::state::TripReason { probe_failed: false, ..because };
            // Its trial began after the breaker was last opened; what died since then has failed it.
            let since = self.counts_from.unwrap_or(now);
            self.state = State::HalfOpen { since, replicas, probe, because, probing: true, restoring: false };
            if !self.probe_died()
                && let State::HalfOpen { since, .. } = &mut self.state
            {
                *since = now;
            }
            self.wake_for_recovery();
        } else {
            self.state = State::Closed;
        }
        let held = self.held_as(reason, why, now);
        self.save_then(vec![]);
        self.hold_once(held, now);
    }

    /// The counts ask for a trip and it holds.
    pub(super) fn hold(&mut self, reason: &'static str, why: String, now: Timestamp) {
        let asked_for = match self.state {
            State::Closed => {
                self.count_revisions(now).iter().any(|tally| tally.exceeds() && !tally.superseded)
            }
            State::HalfOpen { .. } => self.probe_died(),
            State::Tripping { .. } | State::Open { .. } => false,
        };
        if asked_for {
            let held = self.held_as(reason, why, now);
            self.hold_once(held, now);
        }
    }

    fn held_as(&self, reason: &'static str, why: String, now: Timestamp) -> Hold {
        let count_revisions = self.count_revisions(now);
        let exceeding = count_revisions.iter().find(|tally| tally.exceeds() && !tally.superseded);
        let tally = exceeding.or_else(|| count_revisions.first()).cloned().unwrap_or_default();
        Self::held_for(reason, why, &tally)
    }

    /// Told once an episode for each reason; an attempt that was held does not end it.
    pub(super) fn hold_once(&mut self, held: Hold, now: Timestamp) {
        self.held_now = Some((held.reason, held.why.clone()));
        if !self.told_held.insert(held.reason) {
            return;
        }
        let mut event = self.event(true, "Held", "None", held.to_string());
        let detail = held.reason.replace('_', "-");
        event.key = format!("{}.{detail}", event.key);
        self.announce("held", &detail, event.note.clone(), None, None, now);
        self.publish_later(event);
        self.out.push(Action::Emit(BreakerEvent::Held(held)));
    }
}
