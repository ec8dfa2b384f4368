//! Commands of a person, or of the fleet around the breaker.

use jiff::Timestamp;

use super::machine::Breaker;
use super::notify::Message;
use crate::action::{Action, Attempt, Command};
use crate::cluster::Scale;
use crate::event::BreakerEvent;
use crate::notification::NotificationKind;
use crate::policy::{Mode, Policy};
use crate::state::{Override, State, Trip, TripReason};

impl Breaker {
    pub(super) fn command(&mut self, command: Command, now: Timestamp) {
        match command {
            Command::Press => {
                self.press();
                self.press_once = self.pressing || matches!(self.state, State::Tripping { .. });
            }
            Command::Reset => self.reset(now),
            Command::ResetRequest(id) => self.reset_requested(id, now),
            Command::Mode(mode) => {
                self.policy.mode = mode;
                self.stop_if_only_observing(now);
                self.follow_requests(now);
            }
            Command::Policy(policy) => self.follow_policy(*policy, now),
            Command::Guard(why) => self.guard(why, now),
            Command::Override(set) => self.override_requested(set, now),
        }
    }

    /// Replaces the policy; the counts and the state stay.
    fn follow_policy(&mut self, policy: Policy, now: Timestamp) {
        if policy == self.policy {
            return;
        }
        self.policy = policy;
        self.holds.follow_policy();
        self.stop_if_only_observing(now);
        self.wake_for_recovery();
        self.follow_requests(now);
    }

    /// Whether the breaker may write the scale: not in a dry run, and not while disabled.
    pub(super) fn may_scale(&mut self) -> bool {
        let why = if self.policy.mode == Mode::Observe {
            "the breaker only observes"
        } else if self.override_ == Override::Disabled {
            "the breaker is disabled"
        } else {
            return true;
        };
        self.emit(BreakerEvent::Warning { message: format!("{why}; nothing was scaled") });
        false
    }

    pub(super) fn press(&mut self) {
        if !self.may_scale() {
            return;
        }
        self.override_ = Override::ForcedOpen;
        match self.state.clone() {
            State::Closed => {
                self.pressing = true;
                return self.read_scale();
            }
            State::Open { trip, .. } => {
                self.emit(BreakerEvent::already_open(trip));
            }
            State::Tripping { since, trip, probe } => {
                self.emit(BreakerEvent::already_open(trip.clone()));
                // From now on a person has asked for this trip: no guard takes it back.
                let because = TripReason { pressed: true, ..trip.because };
                self.state = State::Tripping { since, trip: Trip { because, ..trip }, probe };
                self.saves.request();
            }
            State::Restoring { since, trip, probe: None } => {
                let trip = Trip { because: TripReason::pressed(), ..trip };
                self.state = State::Tripping { since, trip, probe: None };
                self.saves.request_then([Action::ReadScale]);
            }
            State::HalfOpen { since, trip, probe, .. }
            | State::Restoring { since, trip, probe: Some(probe) } => {
                let because = TripReason { probe_failed: true, ..TripReason::pressed() };
                self.state = State::Tripping { since, trip: Trip { because, ..trip }, probe: Some(probe) };
                self.saves.request_then([Action::ReadScale]);
            }
        }
        self.press_handled();
    }

    /// A person asked for a trip, and the scale is known.
    pub(super) fn press_at(&mut self, scale: Scale, now: Timestamp) {
        self.pressing = false;
        if scale.replicas == 0 {
            self.press_once = false;
            self.release();
            self.press_handled();
            let message = "the target has 0 replicas already; nothing was scaled".into();
            return self.emit(BreakerEvent::Warning { message });
        }
        self.trip(TripReason::pressed(), scale, now);
        self.press_handled();
    }

    /// Clears the override `ForcedOpen`; a disabled breaker stays disabled.
    pub(super) fn release(&mut self) {
        if self.override_ == Override::ForcedOpen {
            self.override_ = Override::Auto;
        }
    }

    pub(super) fn reset(&mut self, now: Timestamp) {
        // A refusal may have ended: the restore is tried at once.
        self.retries.forget_failures(Attempt::WriteScale);
        let (since, trip, probe) = match self.state.clone() {
            State::Closed => {
                self.contested = None;
                self.release();
                self.start_episode(now);
                self.enqueue(Message::new(NotificationKind::Reset, "Reset: counting from zero"), now);
                self.saves.request_then([Action::Emit(BreakerEvent::Reset)]);
                return;
            }
            State::Open { since, trip } => (since, trip, None),
            State::Tripping { since, trip, probe } => (since, trip, probe),
            State::HalfOpen { since, trip, probe, .. } => (since, trip, Some(probe)),
            State::Restoring { since, trip, probe } => (since, trip, probe),
        };
        if self.may_scale() {
            self.press_once = false;
            self.state = State::Restoring { since, trip, probe };
            self.saves.request_then([Action::ReadScale]);
        }
    }
}
