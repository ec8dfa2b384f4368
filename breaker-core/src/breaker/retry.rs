//! Retries of failed actions.

use jiff::Timestamp;

use super::machine::Breaker;
use crate::action::{Action, Attempt, Failure};

impl Breaker {
    pub(super) fn retry_later(&mut self, attempt: Attempt, now: Timestamp) {
        let due = self.retries.retry_later(attempt, now);
        self.out.push(Action::Wake(due));
    }

    /// Retries soon what can succeed by itself, and ever more rarely what the API server refuses.
    pub(super) fn retry_failed(&mut self, failure: &Failure, now: Timestamp) {
        let due = if failure.is_refusal() {
            self.retries.retry_refused(failure.of, now)
        } else {
            self.retries.retry_later(failure.of, now)
        };
        self.out.push(Action::Wake(due));
    }

    pub(super) fn retry_what_is_due(&mut self, now: Timestamp) {
        for attempt in self.retries.take_due(now) {
            match attempt {
                // A write that failed may have happened all the same: read first.
                Attempt::ReadScale | Attempt::WriteScale => self.read_scale(),
                Attempt::ListPods => self.list_pods(),
                Attempt::SaveRecord => self.save_retried(now),
                Attempt::LoadRecord => self.load_record(),
                Attempt::FindScaler => {}
                Attempt::Publish => self.publish_undelivered(),
            }
        }
    }
}
