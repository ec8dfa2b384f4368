//! Retries of failed actions.

use jiff::Timestamp;

use super::machine::Breaker;
use crate::action::{Action, Attempt};

impl Breaker {
    pub(super) fn retry_later(&mut self, attempt: Attempt, now: Timestamp) {
        let due = self.retries.retry_later(attempt, now);
        self.out.push(Action::Wake(due));
    }

    pub(super) fn retry_what_is_due(&mut self, now: Timestamp) {
        for attempt in self.retries.take_due(now) {
            match attempt {
                // A write that failed may have happened all the same: read first.
                Attempt::ReadScale | Attempt::WriteScale => self.read_scale(),
                Attempt::ListPods => self.list_pods(),
                Attempt::SaveRecord | Attempt::LoadRecord => self.saves.request(),
                Attempt::FindScaler => {}
                Attempt::Publish => self.publish_undelivered(),
            }
        }
    }
}
