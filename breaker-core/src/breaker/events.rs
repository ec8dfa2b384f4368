//! Events on the target: each at least once, kept in the Record until acknowledged.

use jiff::Timestamp;

use super::Breaker;
use crate::BreakerEvent;
use crate::action::Action;
use crate::action::{Attempt, Failure};
use crate::cluster::KubernetesEvent;

/// The longest note that events.k8s.io accepts, in bytes.
const LONGEST_NOTE: usize = 1024;

impl Breaker {
    /// An Event of the current episode.
    pub(super) fn event(
        &self,
        warning: bool,
        reason: &str,
        action: &str,
        mut note: String,
    ) -> KubernetesEvent {
        if note.len() > LONGEST_NOTE {
            note.truncate(note.floor_char_boundary(LONGEST_NOTE - '…'.len_utf8()));
            note.push('…');
        }
        KubernetesEvent {
            key: format!("{}.{}.{}", self.target_uid, self.episode, reason.to_ascii_lowercase()),
            uid: self.target_uid.clone(),
            warning,
            reason: reason.into(),
            action: action.into(),
            note,
        }
    }

    /// Puts the Event into the Record and sends it.
    pub(super) fn publish_later(&mut self, event: KubernetesEvent) {
        if self.saving.silent {
            return;
        }
        self.undelivered.retain(|known| known.key != event.key);
        self.undelivered.push(event.clone());
        self.publish(event);
    }

    pub(super) fn publish(&mut self, event: KubernetesEvent) {
        if self.saving.silent {
            return;
        }
        self.in_flight.insert(Attempt::Publish);
        self.out.push(Action::Publish(event));
    }

    pub(super) fn delivered(&mut self, key: &str) {
        self.undelivered.retain(|event| event.key != key);
        self.saving.again();
    }

    pub(super) fn publish_failed(&mut self, failure: &Failure, now: Timestamp) {
        if failure.retryable {
            return self.retry_later(Attempt::Publish, now);
        }
        self.undelivered.clear();
        self.saving.silent = true;
        self.tell(BreakerEvent::Warning { message: format!("no Events on the target: {}", failure.why) });
    }
}
