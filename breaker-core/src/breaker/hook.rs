//! The hook: asked once the Record says `Tripping`, and before the scale is written.
//!
//! ```text
//! Record(Tripping, episode) -> CallHook(id = uid.episode) -> HookAnswered
//!   proceed                          -> ReadScale -> WriteScale(0)
//!   hold, or failed and onFailure is Hold -> back where the trip came from, `held` for `hook`,
//!                                       asked again after 10 s, then twice as long, at most 5 min,
//!                                       while the pods still fail (or the button is still pressed)
//!   failed and onFailure is Proceed  -> as proceed
//! ```
//!
//! A crash in between repeats the question with the same id. An attempt that was held ends its episode, so that
//! the next question has another id and is answered anew. A press asks too: the hook exists to save what the pods
//! hold, whoever stops them. Where the target is at zero already, nothing is left to save and nobody is asked.

use jiff::{SignedDuration, Timestamp};

use super::Breaker;
use crate::BreakerEvent;
use crate::action::Action;
use crate::state::{Override, State};
use crate::webhook::OnFailure;
use crate::webhook::{CloudEvent, HookDecision};

/// The first wait after a hold; doubles.
const ASK_AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(10);
/// The longest wait.
const ASK_AGAIN_AT_MOST: SignedDuration = SignedDuration::from_mins(5);

/// What is known of the hook; nothing that a crash could take: then it is asked again.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Hook {
    /// Id of the question under way.
    asked: Option<String>,
    /// Id of the trip that may go on.
    passed: Option<String>,
    /// Held in a row.
    holds: u32,
    /// Not asked again before.
    again_at: Option<Timestamp>,
    /// The trip that was held was a person's.
    press_again: bool,
}

impl Hook {
    /// A new episode has nothing to do with what was held before.
    pub(super) fn begin_anew(&mut self) {
        (self.holds, self.again_at, self.press_again) = (0, None, false);
    }

    pub(super) fn is_asked(&self) -> bool {
        self.asked.is_some()
    }
}

impl Breaker {
    /// The trip under way may not write its scale yet: the hook has not answered. Asks it, if nobody has.
    pub(super) fn asks_first(&mut self) -> bool {
        let Some(hook) = self.policy.hooks.before_trip.clone() else { return false };
        let State::Tripping { since, replicas, because } = self.state.clone() else { return false };
        let id = self.hook_id();
        if self.hook.passed.as_ref() == Some(&id) {
            return false;
        }
        if self.hook.asked.as_ref() != Some(&id) {
            let message = format!("about to scale {} to 0, from {replicas}: {because}", self.target);
            let event = self.cloud_event(
                &id,
                "before_trip",
                since,
                &message,
                Some(replicas),
                Some(&because),
                self.episode,
            );
            self.hook.asked = Some(id);
            self.out.push(Action::CallHook { hook, event: Box::new(event) });
        }
        true
    }

    pub(super) fn hook_answered(&mut self, id: &str, answer: Result<HookDecision, String>, now: Timestamp) {
        if self.hook.asked.as_deref() != Some(id) {
            return;
        }
        self.hook.asked = None;
        // A reset, a guard or another watcher may have been faster.
        let Some(hook) = self.policy.hooks.before_trip.clone() else { return self.read_scale() };
        if !matches!(self.state, State::Tripping { .. }) || self.hook_id() != id {
            return;
        }
        let to = hook.to.shown();
        let (held, notice) = match (answer, hook.on_failure) {
            (Ok(HookDecision::Proceed), _) => {
                (None, BreakerEvent::Hook { to, answer: "proceed", why: String::new(), proceeds: true })
            }
            (Ok(HookDecision::Hold(why)), _) => (
                Some(format!("the hook asks to hold: {why}")),
                BreakerEvent::Hook { to, answer: "hold", why, proceeds: false },
            ),
            (Err(why), OnFailure::Proceed) => {
                (None, BreakerEvent::Hook { to, answer: "failed", why, proceeds: true })
            }
            (Err(why), OnFailure::Hold) => (
                Some(format!("the hook failed: {why}")),
                BreakerEvent::Hook { to, answer: "failed", why, proceeds: false },
            ),
        };
        self.tell(notice);
        match held {
            None => {
                self.hook.passed = Some(id.into());
                self.read_scale();
            }
            Some(why) => self.held_by_hook(why, now),
        }
    }

    fn held_by_hook(&mut self, why: String, now: Timestamp) {
        let wait = ASK_AGAIN_AFTER * (1 << self.hook.holds.min(5));
        let again = now + wait.min(ASK_AGAIN_AT_MOST);
        self.hook.holds += 1;
        self.hook.again_at = Some(again);
        self.hook.press_again = self.state.because().is_some_and(|because| because.pressed);
        self.hold_back("hook", why, now);
        self.out.push(Action::Wake(again));
    }

    /// Held by the hook, and it is not time to ask again.
    pub(super) fn waits_to_ask(&self, now: Timestamp) -> bool {
        self.hook.again_at.is_some_and(|at| now < at)
    }

    /// A press that the hook held is made again for as long as the button is down.
    pub(super) fn press_again_if_due(&mut self, now: Timestamp) {
        if self.hook.press_again && !self.waits_to_ask(now) {
            self.hook.press_again = false;
            if self.override_ == Override::ForcedOpen {
                self.press();
            }
        }
    }

    /// The idempotency key: target UID and episode.
    fn hook_id(&self) -> String {
        format!("{}.{}", self.target_uid, self.episode)
    }

    #[allow(clippy::too_many_arguments)] // an event has as many facts
    pub(super) fn cloud_event(
        &self,
        id: &str,
        kind: &str,
        time: Timestamp,
        message: &str,
        replicas: Option<u32>,
        because: Option<&crate::state::TripReason>,
        episode: u64,
    ) -> CloudEvent {
        let target = &self.target;
        CloudEvent {
            specversion: "1.0",
            id: id.into(),
            source: format!("/bigredbutton/{target}"),
            kind: format!("dev.bigredbutton.{kind}"),
            subject: target.to_string(),
            time,
            datacontenttype: "application/json",
            data: serde_json::json!({
                "namespace": target.namespace,
                "kind": target.kind,
                "name": target.name,
                "uid": self.target_uid,
                "episode": episode,
                "message": message,
                "replicas": replicas,
                "because": because,
            }),
        }
    }
}
