//! Actions under way, and those that wait to be tried again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::action::Attempt;
use crate::backoff::Backoff;
use crate::clock::shifted;

const BACKOFF: Backoff = Backoff::new(SignedDuration::from_millis(200), SignedDuration::from_secs(5));

/// Between attempts that the API server refuses. Somebody has to change something first.
const REFUSED_BACKOFF: Backoff = Backoff::new(SignedDuration::from_secs(10), SignedDuration::from_mins(5));

/// Conflicts of a scale write that are retried without a wait; conflicts are routine.
const MAX_CONFLICTS_AT_ONCE: u32 = 5;

/// The attempts of each kind.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Retries {
    in_flight: BTreeSet<Attempt>,
    failed: BTreeMap<Attempt, Retry>,
}

/// Failures in a row, and when to try again.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Retry {
    pub(super) failures: u32,
    /// Refusals in a row.
    pub(super) refusals: u32,
    /// `None` while the next attempt is under way.
    pub(super) due: Option<Timestamp>,
}

impl Retries {
    pub(super) fn is_idle(&self) -> bool {
        self.in_flight.is_empty() && self.failed.values().all(|retry| retry.due.is_none())
    }

    pub(super) fn in_flight(&self, attempt: Attempt) -> bool {
        self.in_flight.contains(&attempt)
    }

    /// Whether the attempt failed and its time has not come yet.
    pub(super) fn waits(&self, attempt: Attempt) -> bool {
        self.failed.get(&attempt).is_some_and(|retry| retry.due.is_some())
    }

    /// Marks the attempt as under way; `false` if it is already.
    pub(super) fn start(&mut self, attempt: Attempt) -> bool {
        self.in_flight.insert(attempt)
    }

    /// As [`Self::start`], but not while it waits after a failure.
    pub(super) fn start_unless_waiting(&mut self, attempt: Attempt) -> bool {
        !self.waits(attempt) && self.start(attempt)
    }

    /// The attempt has ended, with or without success.
    pub(super) fn ended(&mut self, attempt: Attempt) {
        self.in_flight.remove(&attempt);
    }

    pub(super) fn succeeded(&mut self, attempt: Attempt) {
        self.in_flight.remove(&attempt);
        self.failed.remove(&attempt);
    }

    pub(super) fn forget_failures(&mut self, attempt: Attempt) {
        self.failed.remove(&attempt);
    }

    /// Counts a conflict; whether it may be retried at once.
    pub(super) fn retry_at_once(&mut self, attempt: Attempt) -> bool {
        let retry = self.failed.entry(attempt).or_default();
        if retry.failures >= MAX_CONFLICTS_AT_ONCE {
            return false;
        }
        *retry = Retry { failures: retry.failures + 1, due: None, ..*retry };
        true
    }

    /// Counts a failure; when to try again.
    pub(super) fn retry_later(&mut self, attempt: Attempt, now: Timestamp) -> Timestamp {
        let retry = self.failed.entry(attempt).or_default();
        let due = now + BACKOFF.delay(retry.failures);
        *retry = Retry { failures: retry.failures + 1, refusals: 0, due: Some(due) };
        due
    }

    /// Counts a refusal; when to try again.
    pub(super) fn retry_refused(&mut self, attempt: Attempt, now: Timestamp) -> Timestamp {
        let retry = self.failed.entry(attempt).or_default();
        let due = now + REFUSED_BACKOFF.delay(retry.refusals);
        *retry = Retry { failures: retry.failures + 1, refusals: retry.refusals + 1, due: Some(due) };
        due
    }

    /// The number of failures in a row.
    pub(super) fn failures(&self, attempt: Attempt) -> u32 {
        self.failed.get(&attempt).map_or(0, |retry| retry.failures)
    }

    /// The number of refusals in a row.
    pub(super) fn refusals(&self, attempt: Attempt) -> u32 {
        self.failed.get(&attempt).map_or(0, |retry| retry.refusals)
    }

    pub(super) fn shift(&mut self, by: SignedDuration) {
        for retry in self.failed.values_mut() {
            retry.due = retry.due.map(|at| shifted(at, by));
        }
    }

    /// The attempts whose time has come; they no longer wait.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Vec<Attempt> {
        let due = self.failed.iter_mut().filter(|(_, retry)| retry.due.is_some_and(|due| due <= now));
        due.map(|(attempt, retry)| {
            retry.due = None;
            *attempt
        })
        .collect()
    }
}
