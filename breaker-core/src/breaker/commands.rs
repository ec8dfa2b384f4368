//! What a person may ask for.

use jiff::Timestamp;

use super::Breaker;
use crate::{Action, Command, Mode, Notice, Override, Scale, State, TripReason};

impl Breaker {
    pub(super) fn command(&mut self, command: Command, now: Timestamp) {
        match command {
            Command::Press => self.press(),
            Command::Reset => self.reset(now),
            Command::Mode(mode) => self.policy.mode = mode,
            Command::Override(set) => {
                let before = std::mem::replace(&mut self.override_, set);
                if set != before {
                    self.save_then(vec![]);
                    if set == Override::ForcedOpen {
                        self.press();
                    }
                }
            }
        }
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
        self.tell(Notice::Warning { message: format!("{why}; nothing was scaled") });
        false
    }

    fn press(&mut self) {
        if !self.may_scale() {
            return;
        }
        self.override_ = Override::ForcedOpen;
        match self.state.clone() {
            State::Closed => {
                self.pressing = true;
                self.read_scale();
            }
            State::Open { replicas, because, .. } | State::Tripping { replicas, because, .. } => {
                self.tell(Notice::AlreadyOpen { replicas, because });
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
            return self.tell(Notice::Warning { message });
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
                self.save_then(vec![Action::Tell(Notice::Reset)]);
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
