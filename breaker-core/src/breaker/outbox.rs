//! Notifications that wait for their receivers.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::retries::Retry;
use crate::backoff::Backoff;
use crate::clock::shifted;
use crate::notification::{Notification, NotificationKind};

/// The largest number of waiting notifications; the Record has room for them beside the counts.
const MAX_WAITING: usize = 16;
/// A notification that is not acknowledged within this time is dropped.
const MAX_AGE: SignedDuration = SignedDuration::from_hours(24);
const BACKOFF: Backoff = Backoff::new(SignedDuration::from_millis(200), SignedDuration::from_mins(1));

/// The notifications, oldest first. Receivers are named by the hash of their URL.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Outbox {
    waiting: Vec<Notification>,
    /// Receivers with a notification in flight.
    sending: BTreeSet<String>,
    retries: BTreeMap<String, Retry>,
    /// No notifications are sent.
    muted: bool,
}

impl Outbox {
    pub(super) fn new(waiting: Vec<Notification>) -> Self {
        Self { waiting, ..Self::default() }
    }

    pub(super) fn waiting(&self) -> &[Notification] {
        &self.waiting
    }

    pub(super) fn is_muted(&self) -> bool {
        self.muted
    }

    pub(super) fn mute(&mut self) {
        self.muted = true;
    }

    /// Adds the notifications of another watcher's Record that are not known here.
    pub(super) fn merge(&mut self, theirs: Vec<Notification>) {
        for notification in theirs {
            if !self.waiting.iter().any(|known| known.id == notification.id) {
                self.waiting.push(notification);
            }
        }
        self.waiting.sort_by_key(|notification| notification.at);
    }

    /// Adds a notification, in place of one with the same id; returns those for which there is no
    /// room.
    pub(super) fn push(&mut self, notification: Notification) -> Vec<Notification> {
        self.waiting.retain(|known| known.id != notification.id);
        self.waiting.push(notification);
        let excess = self.waiting.len().saturating_sub(MAX_WAITING);
        self.waiting.drain(..excess).collect()
    }

    /// Removes and returns what is too old.
    pub(super) fn take_expired(&mut self, now: Timestamp) -> Vec<Notification> {
        let expired = |notification: &mut Notification| now.duration_since(notification.at) >= MAX_AGE;
        self.waiting.extract_if(.., expired).collect()
    }

    /// The oldest notification for a receiver that is free; it is in flight then.
    pub(super) fn next_for(&mut self, receiver: &str, now: Timestamp) -> Option<Notification> {
        let waits = self.retries.get(receiver).and_then(|retry| retry.due).is_some_and(|due| now < due);
        if waits || self.sending.contains(receiver) {
            return None;
        }
        let next =
            self.waiting.iter().find(|notification| notification.to.iter().any(|to| to == receiver))?;
        self.sending.insert(receiver.to_owned());
        Some(next.clone())
    }

    /// The receiver acknowledged the notification; its kind, if it was still waiting.
    pub(super) fn acknowledged(&mut self, receiver: &str, id: &str) -> Option<NotificationKind> {
        self.sending.remove(receiver);
        self.retries.remove(receiver);
        let at = self.waiting.iter().position(|notification| notification.id == id)?;
        let notification = &mut self.waiting[at];
        notification.to.retain(|to| to != receiver);
        let what = notification.what;
        if notification.to.is_empty() {
            self.waiting.remove(at);
        }
        Some(what)
    }

    pub(super) fn shift(&mut self, by: SignedDuration) {
        for retry in self.retries.values_mut() {
            retry.due = retry.due.map(|at| shifted(at, by));
        }
        if by.is_negative() {
            self.waiting.iter_mut().for_each(|notification| notification.at = shifted(notification.at, by));
        }
    }

    /// The receiver did not acknowledge it; when to retry, and whether it is the first failure in a
    /// row.
    pub(super) fn failed(&mut self, receiver: &str, now: Timestamp) -> (Timestamp, bool) {
        self.sending.remove(receiver);
        let retry = self.retries.entry(receiver.to_owned()).or_default();
        let first = retry.failures == 0;
        let due = now + BACKOFF.delay(retry.failures);
        *retry = Retry { failures: retry.failures + 1, due: Some(due), ..*retry };
        (due, first)
    }
}
