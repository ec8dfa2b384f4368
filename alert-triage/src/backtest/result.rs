//! The result of a backtest.

use jiff::Timestamp;
use serde::Serialize;

use crate::explain::Location;
use crate::incident_tracker::Change;
use crate::printable;
use crate::report::{Labels, many_labels};
use crate::verdict::Priority;

/// How the notifications of the candidate rules differ from those of the baseline rules on one
/// history.
///
/// ```
/// use alert_triage::backtest::Backtest;
/// use alert_triage::{Engine, Format, Rules};
///
/// let history = b"2026-11-23T06:00:00Z Zone AB: TooFewEndpointsRegistered\n";
/// let by = |rules: Rules| {
///     let mut engine = Engine::recording(rules);
///     engine.read("night.log", Format::Lines, history);
///     engine
/// };
/// let quieter = Rules::parse("informational:\n- {id: x, alert: TooFew*, because: nobody looks}\n\
///     builtin: {disable: [upcommerce/too-few-endpoints]}\n").unwrap();
/// let backtest = Backtest::run(by(quieter), by(Rules::builtin()), None);
/// assert_eq!((backtest.pages_lost.len(), backtest.criticals_missed.len()), (1, 1));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Backtest {
    /// The time of the first record; `None` if no record has a time.
    pub from: Option<Timestamp>,
    /// The last instant at which the history was evaluated.
    pub to: Option<Timestamp>,
    /// The number of instants at which the history was evaluated.
    pub judged: u64,
    /// The number of instants at which a verdict could have changed.
    pub instants: u64,
    /// Totals of the candidate rules.
    pub candidate: ReplayTotals,
    /// Totals of the baseline rules.
    pub baseline: ReplayTotals,
    /// Pages that only the candidate sends.
    pub pages_gained: Vec<UnmatchedNotification>,
    /// Pages that only the baseline sends.
    pub pages_lost: Vec<UnmatchedNotification>,
    /// Pages that both send, at different times.
    pub pages_moved: Vec<MovedPage>,
    /// Tickets that only the candidate sends.
    pub tickets_gained: Vec<UnmatchedNotification>,
    /// Tickets that only the baseline sends.
    pub tickets_lost: Vec<UnmatchedNotification>,
    /// Headline alerts whose incident reached a different highest priority with the other rules.
    pub priorities: Vec<PriorityChange>,
    /// Critical alerts that page with the baseline and never with the candidate. An alert is
    /// critical if either set of rules or its own label says so.
    pub criticals_missed: Vec<MissedCritical>,
    /// Critical alerts that page with the candidate and never with the baseline.
    pub criticals_caught: Vec<MissedCritical>,
    /// Limits of the comparison, one sentence each.
    pub caveats: Vec<String>,
}

/// What one set of rules read and sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct ReplayTotals {
    /// Records read.
    pub records: u64,
    /// Malformed lines and records.
    pub malformed: u64,
    /// Distinct alerts.
    pub alerts: u64,
    /// Pages, including repeats after a rise in priority.
    pub pages: u64,
    /// Tickets.
    pub tickets: u64,
}

/// A notification that only one of the two sets of rules sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct UnmatchedNotification {
    /// When it is sent; `None` if the history has no times.
    pub at: Option<Timestamp>,
    /// What the notification reports.
    pub change: Change,
    /// The priority at that time.
    pub priority: Priority,
    /// The headline of the incident.
    #[serde(serialize_with = "printable::serialize")]
    pub headline: String,
    /// The scopes of the incident, each once.
    #[serde(serialize_with = "many_labels")]
    pub scopes: Vec<Labels>,
    /// Why these rules send it.
    pub because: String,
    /// What the other rules conclude from the same records.
    pub instead: String,
    /// Lines of the headline's first records, at most 5.
    pub evidence: Vec<Location>,
}

/// A page that both sets of rules send, at different times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MovedPage {
    /// The headline of the incident.
    #[serde(serialize_with = "printable::serialize")]
    pub headline: String,
    /// The scopes of the incident, each once.
    #[serde(serialize_with = "many_labels")]
    pub scopes: Vec<Labels>,
    /// When the candidate sends it.
    pub candidate: Option<Timestamp>,
    /// When the baseline sends it.
    pub baseline: Option<Timestamp>,
}

/// An alert whose incident has another priority with the candidate than with the baseline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PriorityChange {
    /// Its name.
    #[serde(serialize_with = "printable::serialize")]
    pub alert: String,
    /// Its scope.
    #[serde(serialize_with = "crate::report::labels")]
    pub scope: Labels,
    /// The highest priority with the candidate; `None` if the alert was never open.
    pub candidate: Option<Priority>,
    /// The highest priority with the baseline; `None` if the alert was never open.
    pub baseline: Option<Priority>,
    /// Why the candidate gives that priority.
    pub because: String,
    /// Why the baseline gives that priority.
    pub instead_of: String,
    /// Lines of its first records, at most 5.
    pub evidence: Vec<Location>,
}

/// A critical alert that pages with one set of rules and never with the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MissedCritical {
    /// Its name.
    #[serde(serialize_with = "printable::serialize")]
    pub alert: String,
    /// Its scope.
    #[serde(serialize_with = "crate::report::labels")]
    pub scope: Labels,
    /// Why it does not page.
    pub because: String,
    /// Lines of its first records, at most 5.
    pub evidence: Vec<Location>,
}

impl Backtest {
    /// Does the baseline page for a critical alert for which the candidate never pages?
    pub fn misses_criticals(&self) -> bool {
        !self.criticals_missed.is_empty()
    }
}
