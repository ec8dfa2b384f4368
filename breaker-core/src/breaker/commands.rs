//! What a person may ask for.

use jiff::Timestamp;

use super::Breaker;
use crate::action::{Action, Command};
use crate::cluster::Scale;
use crate::policy::Mode;
use crate::state::{Override, State, TripReason};
use crate::{BreakerEvent, Policy};

impl Breaker {
    pub(super) fn command(&mut self, command: Command, now: Timestamp) {
        match command {
            Command::Press => self.press(),
            Command::Reset => self.reset(now),
            Command::Mode(mode) => {
                self.policy.mode = mode;
                self.stop_if_only_telling(now);
            }
            Command::Policy(policy) => self.follow_policy(*policy, now),
            Command::Guard(why) => self.guard(why, now),
            Command::Override(set) => {
                let before = std::mem::replace(&mut self.override_, set);
                if set != before {
                    self.save_then(vec![]);
                    match set {
                        Override::ForcedOpen => self.press(),
                        Override::Disabled => self.stop_if_only_telling(now),
                        Override::Auto => {}
                    }
                }
            }
        }
    }

    /// Thresholds change, what was counted and where the breaker is stay.
    fn follow_policy(&mut self, policy: Policy, now: Timestamp) {
        if policy == self.policy {
            return;
        }
        self.policy = policy;
        self.told_would_trip = None;
        self.told_held.clear();
        self.held_now = None;
        self.stop_if_only_telling(now);
        self.wake_for_recovery();
    }

    /// Never against a dry run or a disabled breaker: those write no scale.
    fn may_scale(&mut self) -> bool {
        let why = if self.policy.mode == Mode::Observe {
            "the breaker only observes"
        } else if self.override_ == Override::Disabled {
            "the breaker is disabled"
        } else {
            return true;
        };
        self.tell(BreakerEvent::Warning { message: format!("{why}; nothing was scaled") });
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
                self.read_scale();
            }
            State::Open { replicas, because, .. } => {
                self.tell(BreakerEvent::AlreadyOpen { replicas, because })
            }
            State::Tripping { since, replicas, because } => {
                self.tell(BreakerEvent::AlreadyOpen { replicas, because: because.clone() });
                // From now on it is a person's trip: no guard takes it back.
                let because = TripReason { pressed: true, ..because };
                self.state = State::Tripping { since, replicas, because };
                self.saving.again();
            }
            State::HalfOpen { since, replicas, .. } => {
                let because = TripReason { pressed: true, probe_failed: true, ..TripReason::default() };
                self.state = State::Tripping { since, replicas, because };
                self.save_then(vec![Action::ReadScale]);
            }
        }
    }

    /// Pressed, and the scale is known.
    pub(super) fn press_at(&mut self, scale: Scale, now: Timestamp) {
        self.pressing = false;
        if scale.replicas == 0 {
            self.release();
            let message = "it has 0 replicas already; there is nothing to take".into();
            return self.tell(BreakerEvent::Warning { message });
        }
        self.trip(TripReason { pressed: true, ..TripReason::default() }, scale, now);
    }

    /// The button comes up again; a breaker that is disabled stays so.
    pub(super) fn release(&mut self) {
        if self.override_ == Override::ForcedOpen {
            self.override_ = Override::Auto;
        }
    }

    fn reset(&mut self, now: Timestamp) {
        self.barred = None;
        match self.state.clone() {
            State::Closed => {
                self.contested = None;
                self.release();
                self.new_episode(now);
                self.announce("reset", "", "Reset: counting anew".into(), None, None, now);
                self.save_then(vec![Action::Emit(BreakerEvent::Reset)]);
            }
            State::Tripping { since, replicas, because } | State::Open { since, replicas, because, .. } => {
                if self.may_scale() {
                    self.state = State::Open { since, replicas, because, restoring: true };
                    self.save_then(vec![Action::ReadScale]);
                }
            }
            State::HalfOpen { since, replicas, probe, because, probing, .. } => {
                if self.may_scale() {
                    self.state =
                        State::HalfOpen { since, replicas, probe, because, probing, restoring: true };
                    self.save_then(vec![Action::ReadScale]);
                }
            }
        }
    }
}
