//! Compares two sets of rules on one history: which notifications each sends, and when.
//!
//! ```text
//! records --by time--> Engine --report at many instants--> IncidentTracker --> notices
//!                (once for each set of rules)                             |
//!                   gained, lost, moved  <--  matched by records  <-------+
//! ```
//!
//! Both sets of rules are evaluated at the same instants, so a difference is due to the rules
//! alone. Two notifications match if they share records, because names, labels and even templates
//! may differ.

mod arrival;
mod compare;
mod evaluation_times;
mod pairing;
mod replay;
mod result;

pub use self::result::{
    Backtest, MissedCritical, MovedPage, PriorityChange, ReplayTotals, UnmatchedNotification,
};

#[cfg(test)]
mod tests;
