//! Requests of the owner of a breaker: an override, and resets with an id.
//!
//! A request is carried out once, however often it is made. It is handled when its effect is in the
//! state, and both are stored in the same Record: see
//! [`HandledRequests`](crate::record::HandledRequests).

use jiff::Timestamp;

use super::machine::Breaker;
use crate::state::{Override, State};

impl Breaker {
    pub(super) fn reset_requested(&mut self, id: String, now: Timestamp) {
        self.requests.reset = Some(id);
        self.follow_requests(now);
        if self.requests.waiting_reset().is_some() {
            self.may_scale();
        }
    }

    pub(super) fn override_requested(&mut self, set: Override, now: Timestamp) {
        self.requests.override_ = Some(set);
        self.follow_requests(now);
        if self.requests.press_waits() {
            self.may_scale();
        }
    }

    /// Carries out the requests that are not handled yet. One that is not allowed now waits. A
    /// reset comes before a trip: it is about an earlier one.
    pub(super) fn follow_requests(&mut self, now: Timestamp) {
        match self.requests.override_ {
            Some(set @ (Override::Auto | Override::Disabled)) => self.set_override(set, now),
            // It replaces Disabled.
            Some(Override::ForcedOpen) if self.override_ == Override::Disabled => {
                self.override_ = Override::Auto;
            }
            _ => {}
        }
        if let Some(id) = self.requests.waiting_reset().cloned()
            && (self.state == State::Closed || !self.only_observes())
        {
            self.reset(now);
            self.requests.handled.reset = Some(id);
        }
        // A hook that holds the trip is asked again when its wait is over.
        let press_is_due = self.requests.press_waits() && !self.pressing && !self.hook.waits(now);
        if press_is_due && !self.only_observes() {
            self.press();
        }
    }

    fn set_override(&mut self, set: Override, now: Timestamp) {
        if self.override_ == set && self.requests.handled.override_.unwrap_or_default() == set {
            return;
        }
        self.override_ = set;
        self.requests.handled.override_ = Some(set);
        self.pressing = false;
        self.saves.request();
        self.stop_if_only_observing(now);
    }

    /// The trip that the override asks for is in the state, or there is nothing to trip.
    pub(super) fn press_handled(&mut self) {
        if self.requests.presses() {
            self.requests.handled.override_ = Some(Override::ForcedOpen);
        }
        self.saves.request();
    }

    /// The trip in progress is taken back. If the override asks for it, the request waits again.
    pub(super) fn press_taken_back(&mut self) {
        let pressed = self.state.trip().is_some_and(|trip| trip.because.pressed);
        if pressed && self.requests.presses() {
            self.requests.handled.override_ = None;
        }
    }
}
