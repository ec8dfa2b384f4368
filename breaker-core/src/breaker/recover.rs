//! Recovery: a cool-down, a few replicas on trial, then all of them.

use jiff::{SignedDuration, Timestamp};

use super::Breaker;
use crate::{Action, Mode, Notice, Override, Recovery, State, TripReason};

impl Breaker {
    /// Open for long enough: try; tried for long enough: give all back.
    pub(super) fn recover(&mut self, now: Timestamp) {
        let Recovery::HalfOpen { probe_replicas, probe_for, .. } = self.policy.recovery else { return };
        if self.policy.mode == Mode::Observe || self.override_ != Override::Auto || !self.listed {
            return;
        }
        match self.state.clone() {
            State::Open { since, replicas, because, restoring: false }
                if !because.pressed && replicas > 0 && now >= since + self.cooldown() =>
            {
                let probe = probe_replicas.clamp(1, replicas);
                self.state = State::HalfOpen {
                    since: now,
                    replicas,
                    probe,
                    because,
                    probing: false,
                    restoring: false,
                };
                self.save_then(vec![Action::ReadScale]);
            }
            State::HalfOpen { since, replicas, probe, because, probing: true, restoring: false }
                if now >= since + probe_for && self.view.live().any(|pod| pod.has_started()) =>
            {
                self.state =
                    State::HalfOpen { since, replicas, probe, because, probing: true, restoring: true };
                self.save_then(vec![Action::ReadScale]);
            }
            _ => {}
        }
    }

    /// The cool-down in force.
    fn cooldown(&self) -> SignedDuration {
        let Recovery::HalfOpen { cooldown, .. } = self.policy.recovery else { return SignedDuration::MAX };
        self.cooldown_secs.map_or(cooldown, SignedDuration::from_secs)
    }

    /// A probe that failed doubles the next cool-down.
    pub(super) fn lengthen_cooldown(&mut self, because: &TripReason) {
        if let Recovery::HalfOpen { max_cooldown, .. } = self.policy.recovery
            && because.probe_failed
        {
            let doubled = self.cooldown().as_secs().saturating_mul(2);
            self.cooldown_secs = Some(doubled.min(max_cooldown.as_secs()));
        }
    }

    pub(super) fn wake_for_recovery(&mut self, now: Timestamp) {
        let wait = match (&self.policy.recovery, &self.state) {
            (Recovery::HalfOpen { .. }, State::Open { .. }) => self.cooldown(),
            (Recovery::HalfOpen { probe_for, .. }, State::HalfOpen { .. }) => *probe_for,
            _ => return,
        };
        if let Ok(at) = now.checked_add(wait) {
            self.out.push(Action::Wake(at));
        }
    }

    /// The trial replicas are up.
    pub(super) fn probing(&mut self, now: Timestamp) {
        if let State::HalfOpen { since, probing, probe, .. } = &mut self.state {
            (*since, *probing) = (now, true);
            let replicas = *probe;
            self.save_then(vec![Action::Tell(Notice::Probing { replicas })]);
            self.wake_for_recovery(now);
        }
    }

    /// A counted restart among the trial replicas: open again.
    pub(super) fn probe_failed(&mut self, now: Timestamp) {
        let State::HalfOpen { replicas, because, .. } = self.state.clone() else { return };
        if self.policy.mode == Mode::Observe {
            return;
        }
        let because = TripReason { probe_failed: true, ..because };
        self.state = State::Tripping { since: now, replicas, because };
        self.save_then(vec![Action::ReadScale]);
    }

    /// The replicas are back, or somebody else has set them.
    pub(super) fn closed(&mut self, replicas: u32, now: Timestamp) {
        let event = self.event(false, "Restored", "Restore", format!("{replicas} replicas given back"));
        self.publish_later(event);
        self.state = State::Closed;
        self.contested = None;
        self.cooldown_secs = None;
        self.release();
        self.new_episode(now);
        self.save_then(vec![Action::Tell(Notice::Restored { replicas })]);
    }
}
