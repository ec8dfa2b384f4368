//! The calls of the hook. They are not in the Record: after a crash the hook is called again.

use jiff::{SignedDuration, Timestamp};

use crate::backoff::Backoff;
use crate::clock::shifted;

const BACKOFF: Backoff = Backoff::new(SignedDuration::from_secs(10), SignedDuration::from_mins(5));

/// The calls of the hook in this episode.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct HookCalls {
    /// Id of the call under way.
    asked: Option<String>,
    /// Id of the trip that may go on.
    passed: Option<String>,
    /// Holds in a row.
    holds: u32,
    /// The hook is not asked again before this.
    again_at: Option<Timestamp>,
    /// The trip that was held was asked for by a person.
    press_again: bool,
}

impl HookCalls {
    /// A new episode: earlier holds no longer apply.
    pub(super) fn start_episode(&mut self) {
        (self.holds, self.again_at, self.press_again) = (0, None, false);
    }

    pub(super) fn is_asked(&self) -> bool {
        self.asked.is_some()
    }

    pub(super) fn has_passed(&self, id: &str) -> bool {
        self.passed.as_deref() == Some(id)
    }

    /// Marks the call as under way; `false` if it is already.
    pub(super) fn ask(&mut self, id: &str) -> bool {
        let new = self.asked.as_deref() != Some(id);
        if new {
            self.asked = Some(id.to_owned());
        }
        new
    }

    /// Takes in the answer to a call; `false` if no call waits for it.
    pub(super) fn answered(&mut self, id: &str) -> bool {
        let asked = self.asked.as_deref() == Some(id);
        if asked {
            self.asked = None;
        }
        asked
    }

    pub(super) fn pass(&mut self, id: &str) {
        self.passed = Some(id.to_owned());
    }

    /// Counts a hold of a trip, `pressed` by a person or not; when the hook is asked again.
    pub(super) fn hold(&mut self, pressed: bool, now: Timestamp) -> Timestamp {
        let again = now + BACKOFF.delay(self.holds);
        self.holds += 1;
        self.again_at = Some(again);
        self.press_again = pressed;
        again
    }

    /// Whether a hold is in force and its wait is not over.
    pub(super) fn waits(&self, now: Timestamp) -> bool {
        self.again_at.is_some_and(|at| now < at)
    }

    pub(super) fn shift(&mut self, by: SignedDuration) {
        self.again_at = self.again_at.map(|at| shifted(at, by));
    }

    /// Whether a press that was held is due; it is then no longer due.
    pub(super) fn take_press(&mut self, now: Timestamp) -> bool {
        let due = self.press_again && !self.waits(now);
        if due {
            self.press_again = false;
        }
        due
    }
}
