//! Notifications: sent at least once to each receiver, in order, and kept in the Record until they
//! are acknowledged.
//!
//! They never delay a trip. After a failure they are sent again, first after 200 ms and at least
//! every minute. If a watcher stops before a notification is acknowledged, the next watcher with
//! the same receiver sends it. The Record holds a hash of the URL, never the URL. Notifications
//! older than a day are dropped, and so are the oldest when the Record has no room.

use jiff::Timestamp;

use super::machine::Breaker;
use crate::action::Action;
use crate::event::BreakerEvent;
use crate::notification::{Notification, NotificationKind};
use crate::snapshot::HoldReason;
use crate::state::TripReason;
use crate::text::truncate;
use crate::webhook::{CloudEvent, CloudEventData, DeliveryError, Endpoint};
use crate::workload::WorkloadRef;

/// The longest message of a notification, in bytes.
const MAX_MESSAGE_LEN: usize = 512;

/// The content of a notification.
pub(super) struct Message {
    pub(super) kind: NotificationKind,
    pub(super) text: String,
    pub(super) replicas: Option<u32>,
    pub(super) because: Option<TripReason>,
    pub(super) hold: Option<HoldReason>,
}

impl Message {
    pub(super) fn new(kind: NotificationKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), replicas: None, because: None, hold: None }
    }
}

impl Breaker {
    /// Puts a notification into the Record; it is sent at the end of the step.
    pub(super) fn enqueue(&mut self, message: Message, now: Timestamp) {
        if self.policy.hooks.notify.is_empty() || self.outbox.is_muted() {
            return;
        }
        let Message { kind, mut text, replicas, because, hold } = message;
        truncate(&mut text, MAX_MESSAGE_LEN);
        let mut id = format!("{}.{}.{kind}", self.target_uid, self.episode.key());
        if let Some(reason) = hold {
            id = format!("{id}.{}", in_ids(reason));
        }
        let dropped = self.outbox.push(Notification {
            id,
            what: kind,
            at: now,
            episode: self.episode.number,
            message: text,
            replicas,
            because,
            to: self.policy.hooks.notify.iter().map(Endpoint::tag).collect(),
        });
        self.report_dropped(dropped, "too many notifications wait");
        self.saves.request();
    }

    fn report_dropped(&mut self, dropped: Vec<Notification>, why: &str) {
        for Notification { what, at, .. } in dropped {
            let message = format!("the notification {what} of {at} was not delivered: {why}");
            self.emit(BreakerEvent::Warning { message });
            self.saves.request();
        }
    }

    /// Sends the oldest notification to each receiver that is free.
    pub(super) fn send_due(&mut self, now: Timestamp) {
        if self.outbox.waiting().is_empty() || !self.started || self.outbox.is_muted() {
            return;
        }
        let expired = self.outbox.take_expired(now);
        self.report_dropped(expired, "no receiver acknowledged it within a day");
        for to in self.policy.hooks.notify.clone() {
            let Some(next) = self.outbox.next_for(&to.tag(), now) else { continue };
            let Notification { id, what, at, message, replicas, because, episode, .. } = next;
            let data = CloudEventData { episode, replicas, because, ..self.event_data(message) };
            let event = CloudEvent::new(&self.target, id, what.as_str(), at, data);
            self.out.push(Action::Notify { to, event: Box::new(event) });
        }
    }

    /// The data of a message about the current episode.
    pub(super) fn event_data(&self, message: String) -> CloudEventData {
        let WorkloadRef { namespace, kind, name } = self.target.clone();
        CloudEventData {
            namespace,
            kind,
            name,
            uid: self.target_uid.clone(),
            episode: self.episode.number,
            message,
            replicas: None,
            because: None,
        }
    }

    pub(super) fn notified(
        &mut self,
        to: &Endpoint,
        id: &str,
        failure: Option<DeliveryError>,
        now: Timestamp,
    ) {
        match failure {
            None => {
                if let Some(what) = self.outbox.acknowledged(&to.tag(), id) {
                    self.saves.request();
                    self.emit(BreakerEvent::Notified { to: to.shown(), what });
                }
            }
            Some(why) => {
                let (due, first) = self.outbox.failed(&to.tag(), now);
                if first {
                    let message = format!(
                        "{} did not acknowledge a notification, which is kept and sent again: {why}",
                        to.shown()
                    );
                    self.emit(BreakerEvent::Warning { message });
                }
                self.out.push(Action::Wake(due));
            }
        }
    }
}

/// The reason of a hold as the keys of Events and notifications write it.
pub(super) fn in_ids(reason: HoldReason) -> String {
    reason.as_str().replace('_', "-")
}
