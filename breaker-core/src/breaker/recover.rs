//! Recovery: a cool-down, a few replicas on trial, then all of them.

use jiff::{SignedDuration, Timestamp};

use super::machine::Breaker;
use super::notify::Message;
use crate::action::Action;
use crate::event::BreakerEvent;
use crate::notification::NotificationKind;
use crate::policy::{Mode, Recovery};
use crate::snapshot::HoldReason;
use crate::state::{Override, State, Trip, TripReason};
use crate::text::plural;

/// Trial replicas that have not started after this time are reported.
const TRIAL_START_TIMEOUT: SignedDuration = SignedDuration::from_secs(60);

impl Breaker {
    /// After the cool-down a few replicas are tried; after the trial all are restored.
    pub(super) fn recover(&mut self, now: Timestamp) {
        let Recovery::HalfOpen { probe_replicas, probe_for, .. } = self.policy.recovery else { return };
        if self.policy.mode == Mode::Observe || self.override_ != Override::Auto || !self.started {
            return;
        }
        self.follow_trial(now);
        match &self.state {
            State::Open { since, trip }
                if !trip.because.pressed && trip.replicas > 0 && now >= *since + self.cooldown() =>
            {
                let probe = probe_replicas.clamp(1, trip.replicas);
                self.state =
                    State::HalfOpen { since: now, trip: trip.clone(), probe, probing: false, started: None };
                self.trial_sent = false;
                self.saves.request_then([Action::ReadScale]);
            }
            State::HalfOpen { since, trip, probe, probing: true, started: Some(started) }
                if now >= *started + probe_for
                    && !self.probe_died()
                    && !self.probe_may_have_died()
                    && self.pods.live().any(|pod| pod.has_started()) =>
            {
                // A view that is old does not show whether they survived.
                if self.pods.is_stale(now) {
                    return self.list_pods();
                }
                self.state = State::Restoring { since: *since, trip: trip.clone(), probe: Some(*probe) };
                self.saves.request_then([Action::ReadScale]);
            }
            _ => {}
        }
    }

    /// The trial period runs once a container of the trial replicas has started. Until then the
    /// trial shows nothing.
    fn follow_trial(&mut self, now: Timestamp) {
        let State::HalfOpen { since, probing: true, started, .. } = &mut self.state else { return };
        if started.is_some() {
            return;
        }
        if self.pods.live().any(|pod| pod.has_started()) {
            *started = Some(now);
            self.saves.request();
            self.wake_for_recovery();
        } else if now >= *since + TRIAL_START_TIMEOUT && !std::mem::replace(&mut self.trial_reported, true) {
            let waiting: Vec<_> = self.pods.live().map(|pod| pod.name.clone()).collect();
            let waiting = if waiting.is_empty() { "none".into() } else { waiting.join(", ") };
            let message =
                format!("the trial replicas have not started for {TRIAL_START_TIMEOUT:#}; pods: {waiting}");
            self.emit(BreakerEvent::Warning { message });
        }
    }

    /// The trial starts again: no restart known now fails it.
    pub(super) fn restart_trial(&mut self, now: Timestamp) {
        if let State::HalfOpen { since, started, .. } = &mut self.state {
            (*since, *started) = (now, None);
            self.ledger.start_episode();
        }
    }

    /// The cool-down in force.
    fn cooldown(&self) -> SignedDuration {
        let Recovery::HalfOpen { cooldown, .. } = self.policy.recovery else { return SignedDuration::MAX };
        self.cooldown_secs.map_or(cooldown, SignedDuration::from_secs)
    }

    /// A trial that failed doubles the next cool-down.
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
            (Recovery::HalfOpen { probe_for, .. }, State::HalfOpen { started: Some(started), .. }) => {
                (started, *probe_for)
            }
            (_, State::HalfOpen { since, .. }) => (since, TRIAL_START_TIMEOUT),
            _ => return,
        };
        if let Ok(at) = since.checked_add(wait) {
            self.out.push(Action::Wake(at));
        }
    }

    /// The trial replicas are up.
    pub(super) fn probing(&mut self, now: Timestamp) {
        if let State::HalfOpen { since, probing, probe, started, .. } = &mut self.state {
            (*since, *probing, *started) = (now, true, None);
            self.trial_reported = false;
            let replicas = *probe;
            self.saves.request_then([Action::Emit(BreakerEvent::Probing { replicas })]);
            self.wake_for_recovery();
        }
    }

    /// Decides the trial; `counted`: a trial replica has just had a counted restart. While opening
    /// is held, the trial neither fails nor succeeds. After the hold a new list shows whether the
    /// replicas fail; if not, the trial starts again. The one-node rule does not apply, since a
    /// trial of one replica is always on one node.
    pub(super) fn judge_probe(&mut self, counted: bool, now: Timestamp) {
        if !counted && !self.probe_died() {
            return self.holds.clear();
        }
        if let Some(why) = self.holds.outage_guard.clone() {
            return self.hold(HoldReason::Guard, why, now);
        }
        if self.hook.waits(now) {
            return;
        }
        if counted {
            return self.probe_failed(now);
        }
        if self.holds.needs_fresh_list {
            return self.list_pods();
        }
        if self.revisions.iter().any(|revision| revision.counts.failing > 0) {
            return self.probe_failed(now);
        }
        self.restart_trial(now);
        self.saves.request();
        self.wake_for_recovery();
    }

    /// Whether a trial replica has had a counted restart.
    pub(super) fn probe_died(&self) -> bool {
        matches!(self.state, State::HalfOpen { probing: true, .. }) && self.live_pod_restarted()
    }

    /// Whether a live pod has had a counted restart in this episode.
    pub(super) fn live_pod_restarted(&self) -> bool {
        self.ledger
            .restarts_since(Timestamp::MIN)
            .any(|restart| restart.counts(&self.policy) && self.pods.is_live(&restart.key.pod))
    }

    /// Whether a trial replica has terminated, and it is not known yet whether that becomes a
    /// counted restart.
    fn probe_may_have_died(&self) -> bool {
        self.ledger.has_open_end(&self.policy, |uid| self.pods.is_live(uid))
    }

    /// A counted restart among the trial replicas: open again.
    fn probe_failed(&mut self, now: Timestamp) {
        let State::HalfOpen { trip, probe, .. } = self.state.clone() else { return };
        if self.only_observes() {
            return;
        }
        let Trip { replicas, because } = trip;
        let because = TripReason { probe_failed: true, ..because };
        let message = Message::new(NotificationKind::ProbeFailed, "A trial replica failed again");
        self.enqueue(Message { replicas: Some(replicas), ..message }, now);
        self.state = State::Tripping { since: now, trip: Trip { replicas, because }, probe: Some(probe) };
        self.saves.request();
    }

    /// The replicas are restored, or another client has set them.
    pub(super) fn closed(&mut self, replicas: u32, now: Timestamp) {
        let event =
            self.event(false, "Restored", "Restore", format!("Restored {}", plural(replicas, "replica")));
        let message = Message::new(NotificationKind::Restored, event.note.clone());
        self.enqueue(Message { replicas: Some(replicas), ..message }, now);
        self.publish_later(event);
        self.state = State::Closed;
        self.contested = None;
        self.cooldown_secs = None;
        self.release();
        self.start_episode(now);
        self.saves.request_then([Action::Emit(BreakerEvent::Restored { replicas })]);
    }
}
