//! Two sets of rules on one history: what each would have told, and when.
//!
//! ```text
//! records --by their time--> Engine --report at many instants--> IncidentTracker --> notices
//!                         (once by each set of rules)                              |
//!                    gained, lost, moved  <--  those of the same records  <--------+
//! ```
//!
//! Both are gone through by the same instants, so that what differs is due to the rules alone. A notification of one
//! is that of the other if it is about some of the same records: names, labels and even templates may differ.

mod compare;
mod instants;
mod replay;

use jiff::Timestamp;
use serde::Serialize;

use crate::explain::At;
use crate::incident_tracker::Change;
use crate::ledger::Engine;
use crate::printable;
use crate::report::{Labels, many_labels};
use crate::verdict::Priority;

/// What the candidate rules would have changed, had they been in force instead of the baseline.
///
/// ```
/// use alert_triage::{Backtest, Engine, Format, Rules};
///
/// let history = b"2026-11-23T06:00:00Z Zone AB: TooFewEndpointsRegistered\n";
/// let by = |rules: Rules| {
///     let mut engine = Engine::recording(rules);
///     engine.read("night.log", Format::Lines, history);
///     engine
/// };
/// let quieter = Rules::parse("informational:\n- {id: x, alert: TooFew*, because: nobody looks}\n\
///     builtin: {disable: [upcommerce/too-few-endpoints]}\n").unwrap();
/// let backtest = Backtest::of(by(quieter), by(Rules::builtin()), None);
/// assert_eq!((backtest.pages_lost.len(), backtest.criticals_missed.len()), (1, 1));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Backtest {
    /// Its first record; none if no record carries a time.
    pub from: Option<Timestamp>,
    /// The last instant that was judged at.
    pub to: Option<Timestamp>,
    /// Instants that were judged at.
    pub judged: u64,
    /// Instants at which something arrived or might have changed by itself.
    pub instants: u64,
    /// What the candidate would have told.
    pub candidate: Sent,
    /// What the baseline would have told.
    pub baseline: Sent,
    /// Pages of the candidate that the baseline does not have.
    pub pages_gained: Vec<SentNotification>,
    /// Pages of the baseline that the candidate does not have.
    pub pages_lost: Vec<SentNotification>,
    /// Pages that both have, at different times.
    pub pages_moved: Vec<Moved>,
    /// Tickets of the candidate that the baseline does not have.
    pub tickets_gained: Vec<SentNotification>,
    /// Tickets of the baseline that the candidate does not have.
    pub tickets_lost: Vec<SentNotification>,
    /// Alerts at the head of an incident that was more urgent by one than by the other, at its most urgent.
    pub priorities: Vec<Shift>,
    /// Critical alerts, by either judgement or their own label, for which the baseline pages and the candidate never does.
    pub criticals_missed: Vec<Critical>,
    /// The same the other way round.
    pub criticals_caught: Vec<Critical>,
    /// What it rests on and cannot know; sentences.
    pub caveats: Vec<String>,
}

/// How much one set of rules would have told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Sent {
    /// Records that could be read.
    pub records: u64,
    /// Lines and records that could not.
    pub malformed: u64,
    /// Distinct alerts.
    pub alerts: u64,
    /// Notifications that wake somebody, repeats for a risen priority included.
    pub pages: u64,
    /// Notifications that wait for the morning.
    pub tickets: u64,
}

/// One notification that would have been sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SentNotification {
    /// When; none without times.
    pub at: Option<Timestamp>,
    /// What was new.
    pub change: Change,
    /// As of then.
    pub priority: Priority,
    /// The alert to read first.
    #[serde(serialize_with = "printable::serialize")]
    pub headline: String,
    /// Where, once for each scope.
    #[serde(serialize_with = "many_labels")]
    pub scopes: Vec<Labels>,
    /// Why the rules that have it send it.
    pub because: String,
    /// What the other rules made of the same records.
    pub instead: String,
    /// Lines of the headline's records.
    pub evidence: Vec<At>,
}

/// A page that comes at another time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// The alert to read first.
    #[serde(serialize_with = "printable::serialize")]
    pub headline: String,
    /// Where, once for each scope.
    #[serde(serialize_with = "many_labels")]
    pub scopes: Vec<Labels>,
    /// By the candidate.
    pub candidate: Option<Timestamp>,
    /// By the baseline.
    pub baseline: Option<Timestamp>,
}

/// An alert whose incident is more urgent by one than by the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shift {
    /// Its name.
    #[serde(serialize_with = "printable::serialize")]
    pub alert: String,
    /// Its scope.
    #[serde(serialize_with = "crate::report::labels")]
    pub scope: Labels,
    /// By the candidate, at its most urgent; none if it never stood.
    pub candidate: Option<Priority>,
    /// By the baseline.
    pub baseline: Option<Priority>,
    /// Why, by the candidate.
    pub because: String,
    /// Why, by the baseline.
    pub instead_of: String,
    /// Lines of its records.
    pub evidence: Vec<At>,
}

/// A critical alert that pages by one and not by the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Critical {
    /// Its name.
    #[serde(serialize_with = "printable::serialize")]
    pub alert: String,
    /// Its scope.
    #[serde(serialize_with = "crate::report::labels")]
    pub scope: Labels,
    /// Why it does not page.
    pub because: String,
    /// Lines of its records.
    pub evidence: Vec<At>,
}

impl Backtest {
    /// Goes through a history twice. Both engines must have been [recording](Engine::recording) while they read the same
    /// inputs; `now` is where the history ends, if later than its last record.
    pub fn of(mut candidate: Engine, mut baseline: Engine, now: Option<Timestamp>) -> Self {
        let (mine, theirs) = (replay::arrivals(&mut candidate), replay::arrivals(&mut baseline));
        let distinct = candidate.entries.len().max(baseline.entries.len());
        let instants =
            instants::of([&mine, &theirs], [candidate.rules(), baseline.rules()], now, distinct as u64);
        let mine = replay::Replay::of(candidate, mine, &instants.judged);
        let theirs = replay::Replay::of(baseline, theirs, &instants.judged);
        compare::compare(&mine, &theirs, &instants)
    }

    /// Would the candidate have failed to page for a critical alert?
    pub fn misses_criticals(&self) -> bool {
        !self.criticals_missed.is_empty()
    }
}

#[cfg(test)]
mod tests;
