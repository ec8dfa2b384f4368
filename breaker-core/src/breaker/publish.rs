//! Events on the target: each at least once, kept in the Record until acknowledged.

use jiff::Timestamp;

use super::machine::Breaker;
use crate::action::{Action, Attempt, Failure};
use crate::cluster::KubernetesEvent;
use crate::event::BreakerEvent;
use crate::text::truncate;

/// The longest note that events.k8s.io accepts, in bytes.
const MAX_NOTE_LEN: usize = 1024;

impl Breaker {
    /// An Event of the current episode.
    pub(super) fn event(
        &self,
        warning: bool,
        reason: &str,
        action: &str,
        mut note: String,
    ) -> KubernetesEvent {
        truncate(&mut note, MAX_NOTE_LEN);
        KubernetesEvent {
            key: format!("{}.{}.{}", self.target_uid, self.episode.key(), reason.to_ascii_lowercase()),
            uid: self.target_uid.clone(),
            warning,
            reason: reason.into(),
            action: action.into(),
            note,
        }
    }

    /// Puts the Event into the Record and sends it.
    pub(super) fn publish_later(&mut self, event: KubernetesEvent) {
        if self.events.is_muted() {
            return;
        }
        self.events.push(event.clone());
        self.publish(event);
    }

    fn publish(&mut self, event: KubernetesEvent) {
        self.retries.start(Attempt::Publish);
        self.out.push(Action::Publish(event));
    }

    pub(super) fn publish_undelivered(&mut self) {
        for event in self.events.undelivered().to_vec() {
            self.publish(event);
        }
    }

    pub(super) fn delivered(&mut self, key: &str) {
        self.events.delivered(key);
        self.saves.request();
    }

    pub(super) fn publish_failed(&mut self, failure: &Failure, now: Timestamp) {
        if failure.retryable {
            return self.retry_later(Attempt::Publish, now);
        }
        self.events.mute();
        self.emit(BreakerEvent::Warning { message: format!("no Events on the target: {}", failure.why) });
    }
}
