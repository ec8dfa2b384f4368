//! Turns a noisy alert stream into a few ranked, explained incidents, and loses nothing on the way.
//!
//! ```text
//! bytes --Format--> Record --Engine--> alerts --report(now)--> Report
//!                   |                     |                        |
//!             SourcePosition      identity, episodes      verdicts, incidents, totals
//! ```
//!
//! An [`Engine`] reads [whole inputs](Engine::read) in any [`Format`] or takes single [`Record`]s; what is the same
//! alert adds up, in memory that grows with distinct alerts and is bounded. [`Engine::report`] judges all of it at one
//! instant: every alert gets one [`Verdict`] with its reason, alerts that belong together become an [`Incident`], and an
//! incident has a [`Priority`] that no count can change. What is known of alerts is data ([`Rules`]).
//!
//! ```
//! use alert_triage::{Engine, Format, Priority, Rules, Verdict};
//!
//! let mut engine = Engine::new(Rules::builtin());
//! engine.read(
//!     "night.log",
//!     Format::Lines,
//!     b"Zone AB: LLMModelStale\n\
//!       Zone AB: LLMModelVeryStale\n\
//!       nonsense\n\
//!       Zone AB: TooFewEndpointsRegistered\n",
//! );
//! let report = engine.report(None);
//!
//! let incidents: Vec<_> = report.incidents().collect();
//! assert_eq!(incidents.len(), 2, "nothing says that stale models have to do with endpoints");
//! assert_eq!((incidents[0].priority, incidents[0].headline.as_str()), (Priority::P1, "TooFewEndpointsRegistered"));
//! assert_eq!(incidents[1].members[1].verdict, Verdict::Superseded);
//! assert_eq!((report.totals().pages, report.totals().malformed), (2, 1));
//! ```
//!
//! # Using it
//!
//! ```text
//! cargo add alert-triage jiff
//! ```
//!
//! The feature `schema` adds the JSON Schema of a report. Nothing is asynchronous; `jiff` is how instants are given. What an input needs:
//!
//! | you have | calls | example |
//! |---|---|---|
//! | a whole file | [`Format::detect`], [`Engine::read`] | `examples/sample.rs` |
//! | a large file and several threads | [`Engine::sibling`], [`Engine::read_block`], [`Engine::merge`] | `bin-triage` |
//! | alerts of your own | [`Record`], [`Engine::ingest`] | `examples/embedded.rs` |
//! | a log that never ends | [`Engine::read_on`], [`Engine::set_arrival`], [`Engine::take_malformed`], [`Engine::retire`] | `examples/live.rs` |
//!
//! And what comes out: a [`Report`], which serializes as `triage/v1`; over time a [`IncidentTracker`], which says each thing
//! once; [`Query`], which explains why. Rules of your own are [`Rules::parse`]d, [checked](Rules::check), tested by
//! [`RuleTests`] and compared by [`Backtest`]. Whatever is shown to people goes through [`printable`], for alerts are written
//! by anybody.
//!
//! # What it holds to
//!
//! - `records = duplicates + counts` (`+ retired`, if any were forgotten), and for lines `lines = blank + malformed + records`, for any input.
//! - The order of arrival, the way an input is split over engines and merged again, and records delivered twice change
//!   nothing.
//! - One more firing record never lowers a priority; a lower rung never hides a higher one.
//! - The same input, rules and `now` give the same bytes.
//!
//! # What it leaves to others
//!
//! No IO, no clock, no exit code: whoever holds the file hands over its bytes and says what time it is (`bin-triage`
//! does).

mod backtest;
mod explain;
mod fault;
mod format;
mod hashing;
mod identity;
mod incident_tracker;
mod judge;
mod ledger;
mod line_cache;
mod lint;
mod mask;
mod name;
mod printable;
mod read;
mod record;
mod record_trace;
mod report;
mod retire;
mod rule_tests;
mod rules;
mod severity;
mod source_position;
mod verdict;
mod yaml;

pub use backtest::{
    Backtest, MissedCritical, MovedPage, PriorityChange, ReplayTotals, UnmatchedNotification,
};
pub use explain::{
    AdjacentIncident, Counterfactual, DroppedLabel, EvidenceLines, Explanation, IncidentExplanation,
    IncidentRef, LineExplanation, LineOutcome, Location, Query, Rank, RecordExplanation, WhatIf,
};
pub use fault::{Fault, MAX_LINE_BYTES};
pub use format::Format;
pub use incident_tracker::{Change, IncidentTracker, Notification};
pub use ledger::{Engine, MAX_MALFORMED_KEPT};
pub use lint::{Finding, Lint, LintHistory};
pub use printable::{MAX_PRINTABLE_CHARS, printable};
pub use record::{Ends, Record, Status, Suppression};
#[cfg(feature = "schema")]
pub use report::report_schema;
pub use report::{
    AlertRef, Cause, Group, Incident, IncidentRun, Labels, Malformed, Member, Overflow, Report,
    ReportDocument, Role, Row, Score, Seen, Totals,
};
pub use rule_tests::{RuleTests, TestFailure, TestOutcome};
pub use rules::{ListedRule, Rules};
pub use severity::Severity;
pub use source_position::SourcePosition;
pub use verdict::{Notify, Priority, Verdict};
pub use yaml::FileError;

/// The time crate of this API: instants and spans are its types.
pub use jiff;
