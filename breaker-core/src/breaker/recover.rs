//! Recovery: a cool-down, a few replicas on trial, then all of them.

use jiff::{SignedDuration, Timestamp};

use super::Breaker;
use crate::BreakerEvent;
use crate::action::Action;
use crate::policy::{Mode, Recovery};
use crate::state::{Override, State, TripReason};

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
                if now >= since + probe_for
                    && !self.probe_died()
                    && self.view.live().any(|pod| pod.has_started()) =>
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

    pub(super) fn wake_for_recovery(&mut self) {
        let (since, wait) = match (&self.policy.recovery, &self.state) {
            (Recovery::HalfOpen { .. }, State::Open { since, .. }) => (since, self.cooldown()),
            (Recovery::HalfOpen { probe_for, .. }, State::HalfOpen { since, .. }) => (since, *probe_for),
            _ => return,
        };
        if let Ok(at) = since.checked_add(wait) {
            self.out.push(Action::Wake(at));
        }
    }

    /// The trial replicas are up.
    pub(super) fn probing(&mut self, now: Timestamp) {
        if let State::HalfOpen { since, probing, probe, .. } = &mut self.state {
            (*since, *probing) = (now, true);
            let replicas = *probe;
            self.save_then(vec![Action::Emit(BreakerEvent::Probing { replicas })]);
            self.wake_for_recovery();
        }
    }

    /// Trial replicas are being watched; `counted`: one of them has just had a counted restart. While
    /// opening again is held, they are neither given up nor taken for survivors; once it is not, a fresh list
    /// says whether they fail, else their trial begins anew. (The one-node rule is for closed breakers: a
    /// trial of one replica is always on one node.)
    pub(super) fn judge_probe(&mut self, counted: bool, now: Timestamp) {
        if !counted && !self.probe_died() {
            return;
        }
        if let Some(why) = self.guarded.clone() {
            return self.hold("guard", why, now);
        }
        if self.waits_to_ask(now) {
            return;
        }
        if counted {
            return self.probe_failed(now);
        }
        if self.decide_on_fresh {
            return self.list_pods();
        }
        if self.count_revisions(now).iter().any(|tally| tally.failing > 0) {
            return self.probe_failed(now);
        }
        if let State::HalfOpen { since, .. } = &mut self.state {
            *since = now;
        }
        self.save_then(vec![]);
        self.wake_for_recovery();
    }

    /// A trial replica has had a counted restart since the trial began.
    pub(super) fn probe_died(&self) -> bool {
        let State::HalfOpen { since, probing: true, .. } = &self.state else { return false };
        // Kubernetes tells times in whole seconds, cut off.
        let since = Timestamp::from_second(since.as_second()).unwrap_or(*since);
        self.ledger.restarts_since(since).any(|restart| restart.counts(self.policy.causes))
    }

    /// A counted restart among the trial replicas: open again.
    pub(super) fn probe_failed(&mut self, now: Timestamp) {
        let State::HalfOpen { replicas, because, .. } = self.state.clone() else { return };
        if self.policy.mode == Mode::Observe {
            return;
        }
        let because = TripReason { probe_failed: true, ..because };
        self.saving.forget_trip();
        self.announce("probe_failed", "", "A trial replica failed again".into(), Some(replicas), None, now);
        self.state = State::Tripping { since: now, replicas, because };
        self.save_then(vec![Action::ReadScale]);
    }

    /// The replicas are back, or somebody else has set them.
    pub(super) fn closed(&mut self, replicas: u32, now: Timestamp) {
        let event = self.event(false, "Restored", "Restore", format!("{replicas} replicas given back"));
        self.announce("restored", "", event.note.clone(), Some(replicas), None, now);
        self.publish_later(event);
        self.state = State::Closed;
        self.contested = None;
        self.cooldown_secs = None;
        self.release();
        self.new_episode(now);
        self.save_then(vec![Action::Emit(BreakerEvent::Restored { replicas })]);
    }
}
