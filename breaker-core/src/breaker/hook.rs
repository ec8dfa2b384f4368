//! The hook: called after the Record with `Tripping` is stored, and before the scale is written.
//!
//! ```text
//! Record(Tripping, episode) -> CallHook(id = uid.episode id) -> HookAnswered
//!   proceed                          -> ReadScale -> WriteScale(0)
//!   hold, or failed and onFailure is Hold -> back where the trip came from, `held` for `hook`,
//!                                       asked again after 10 s, then twice as long, at most 5 min,
//!                                       while the pods still fail (or the override is `ForcedOpen`)
//!   failed and onFailure is Proceed  -> as proceed
//! ```
//!
//! A crash in between repeats the call with the same id. An attempt that was held ends its episode,
//! so that the next call has another id and gets an answer of its own. A trip that a person asks
//! for calls the hook too, since the hook saves the state of the pods. If the target is at zero
//! already, the hook is not called.

use jiff::Timestamp;

use super::machine::Breaker;
use crate::action::Action;
use crate::event::{BreakerEvent, HookOutcome};
use crate::snapshot::HoldReason;
use crate::state::{Override, State};
use crate::webhook::{CloudEvent, CloudEventData, DeliveryError, HookDecision, OnFailure};

impl Breaker {
    /// Whether the trip in progress waits for the answer of the hook. Calls the hook, unless that
    /// has been done.
    pub(super) fn waits_for_hook(&mut self) -> bool {
        let Some(hook) = self.policy.hooks.before_trip.clone() else { return false };
        let State::Tripping { since, trip, .. } = &self.state else { return false };
        let id = self.hook_id();
        if self.hook.has_passed(&id) {
            return false;
        }
        let (since, trip) = (*since, trip.clone());
        if self.hook.ask(&id) {
            let message =
                format!("about to scale {} to 0, from {}: {}", self.target, trip.replicas, trip.because);
            let data = CloudEventData {
                replicas: Some(trip.replicas),
                because: Some(trip.because),
                ..self.event_data(message)
            };
            let event = CloudEvent::new(&self.target, id, "before_trip", since, data);
            self.out.push(Action::CallHook { hook, event: Box::new(event) });
        }
        true
    }

    pub(super) fn hook_answered(
        &mut self,
        id: &str,
        answer: Result<HookDecision, DeliveryError>,
        now: Timestamp,
    ) {
        if !self.hook.answered(id) {
            return;
        }
        // A reset, a guard or another watcher may have been faster.
        let Some(hook) = self.policy.hooks.before_trip.clone() else { return self.read_scale() };
        if !matches!(self.state, State::Tripping { .. }) || self.hook_id() != id {
            return;
        }
        let to = hook.to.shown();
        let (answer, why, hold) = match answer {
            Ok(HookDecision::Proceed) => (HookOutcome::Proceed, String::new(), None),
            Ok(HookDecision::Hold) => {
                let why = "the hook asks to hold; its reason is in the log of watcher";
                (HookOutcome::Hold, String::new(), Some(why.into()))
            }
            Err(error) => {
                let why = error.to_string();
                let hold = (hook.on_failure == OnFailure::Hold).then(|| format!("the hook failed: {why}"));
                (HookOutcome::Failed, why, hold)
            }
        };
        self.emit(BreakerEvent::Hook { to, answer, why, proceeds: hold.is_none() });
        match hold {
            None => {
                self.hook.pass(id);
                self.read_scale();
            }
            Some(why) => self.held_by_hook(why, now),
        }
    }

    fn held_by_hook(&mut self, why: String, now: Timestamp) {
        let pressed = self.state.trip().is_some_and(|trip| trip.because.pressed);
        let again = self.hook.hold(pressed, now);
        self.abort_to_hold(HoldReason::Hook, why, now);
        self.out.push(Action::Wake(again));
    }

    /// Repeats a trip that a person asked for and the hook held, while the override is
    /// `ForcedOpen`.
    pub(super) fn press_again_if_due(&mut self, now: Timestamp) {
        if self.hook.take_press(now) && self.override_ == Override::ForcedOpen {
            self.press();
        }
    }

    pub(super) fn hook_has_passed(&self) -> bool {
        self.hook.has_passed(&self.hook_id())
    }

    /// The idempotency key: target UID and the id of the episode.
    fn hook_id(&self) -> String {
        format!("{}.{}", self.target_uid, self.episode.key())
    }
}
