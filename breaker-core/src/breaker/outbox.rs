//! Notices: each told at least once to each address, in order, kept in the Record until acknowledged.
//!
//! They never hold a trip up: a receiver that does not answer is tried again, after 200 ms first and at most every
//! minute, and what an earlier watcher could not deliver is sent by the next one that knows the address. The Record
//! holds a hash of the address, never the URL. The oldest go first when there are too many, and those older than
//! a day.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::{Breaker, Retry};
use crate::BreakerEvent;
use crate::action::Action;
use crate::notification::Notification;
use crate::state::TripReason;
use crate::webhook::Endpoint;

/// So many wait at most; the Record has room for them beside the counts.
const MOST_WAITING: usize = 16;
const LONGEST_MESSAGE: usize = 512;
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(24);
const RETRY_AT_MOST: SignedDuration = SignedDuration::from_mins(1);

#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Outbox {
    pub(super) waiting: Vec<Notification>,
    /// Addresses that a letter is on its way to.
    sending: BTreeSet<String>,
    retries: BTreeMap<String, Retry>,
    pub(super) mute: bool,
}

impl Outbox {
    pub(super) fn holding(waiting: Vec<Notification>) -> Self {
        Self { waiting, ..Self::default() }
    }

    /// Another watcher's letters: told twice is told once.
    pub(super) fn adopt(&mut self, theirs: Vec<Notification>) {
        for letter in theirs {
            if !self.waiting.iter().any(|known| known.id == letter.id) {
                self.waiting.push(letter);
            }
        }
        self.waiting.sort_by_key(|letter| letter.at);
    }
}

impl Breaker {
    /// Notices that an address of the policy has not acknowledged yet.
    pub fn notices_left(&self) -> usize {
        let known: BTreeSet<_> = self.policy.hooks.notify.iter().map(Endpoint::tag).collect();
        self.outbox.waiting.iter().filter(|letter| letter.to.iter().any(|tag| known.contains(tag))).count()
    }

    /// Puts a notice into the Record; it is sent with the next step's end.
    pub(super) fn announce(
        &mut self,
        what: &str,
        detail: &str,
        message: String,
        replicas: Option<u32>,
        because: Option<TripReason>,
        now: Timestamp,
    ) {
        if self.policy.hooks.notify.is_empty() || self.outbox.mute {
            return;
        }
        let mut id = format!("{}.{}.{what}", self.target_uid, self.episode);
        if !detail.is_empty() {
            id = format!("{id}.{detail}");
        }
        let mut message = message;
        message.truncate(message.floor_char_boundary(LONGEST_MESSAGE));
        let letter = Notification {
            id,
            what: what.into(),
            at: now,
            episode: self.episode,
            message,
            replicas,
            because,
            to: self.policy.hooks.notify.iter().map(Endpoint::tag).collect(),
        };
        self.outbox.waiting.retain(|known| known.id != letter.id);
        self.outbox.waiting.push(letter);
        while self.outbox.waiting.len() > MOST_WAITING {
            let lost = self.outbox.waiting.remove(0);
            self.give_up(&lost, "too many wait");
        }
        self.saving.again();
    }

    fn give_up(&mut self, letter: &Notification, why: &str) {
        let message = format!("a notice of {} at {} was not delivered: {why}", letter.what, letter.at);
        self.tell(BreakerEvent::Warning { message });
        self.saving.again();
    }

    /// The oldest letter to each address that is free.
    pub(super) fn send_letters(&mut self, now: Timestamp) {
        if self.outbox.waiting.is_empty() || !self.listed || self.outbox.mute {
            return;
        }
        let (kept, old): (Vec<_>, Vec<_>) = std::mem::take(&mut self.outbox.waiting)
            .into_iter()
            .partition(|letter| now.duration_since(letter.at) < KEPT_FOR);
        self.outbox.waiting = kept;
        for letter in old {
            self.give_up(&letter, "nobody took it for a day");
        }
        for address in self.policy.hooks.notify.clone() {
            let tag = address.tag();
            let waits =
                self.outbox.retries.get(&tag).and_then(|retry| retry.due).is_some_and(|due| now < due);
            if waits || self.outbox.sending.contains(&tag) {
                continue;
            }
            let Some(letter) = self.outbox.waiting.iter().find(|letter| letter.to.contains(&tag)) else {
                continue;
            };
            let Notification { id, what, at, message, replicas, because, episode, .. } = letter.clone();
            let event = self.cloud_event(&id, &what, at, &message, replicas, because.as_ref(), episode);
            self.outbox.sending.insert(tag);
            self.out.push(Action::Notify { to: address, event: Box::new(event) });
        }
    }

    pub(super) fn notified(&mut self, to: &Endpoint, id: &str, failure: Option<String>, now: Timestamp) {
        let tag = to.tag();
        self.outbox.sending.remove(&tag);
        let Some(why) = failure else {
            self.outbox.retries.remove(&tag);
            if let Some(at) = self.outbox.waiting.iter().position(|letter| letter.id == id) {
                self.outbox.waiting[at].to.retain(|other| *other != tag);
                let what = self.outbox.waiting[at].what.clone();
                if self.outbox.waiting[at].to.is_empty() {
                    self.outbox.waiting.remove(at);
                }
                self.saving.again();
                self.tell(BreakerEvent::Notified { to: to.shown(), what });
            }
            return;
        };
        let tries = self.outbox.retries.get(&tag).map_or(0, |retry| retry.tries);
        if tries == 0 {
            let message = format!("{} did not take a notice, it is kept and sent again: {why}", to.shown());
            self.tell(BreakerEvent::Warning { message });
        }
        let wait = SignedDuration::from_millis(200i64 << tries.min(9)).min(RETRY_AT_MOST);
        let due = now + wait;
        self.outbox.retries.insert(tag, Retry { tries: tries + 1, due: Some(due) });
        self.out.push(Action::Wake(due));
    }
}
