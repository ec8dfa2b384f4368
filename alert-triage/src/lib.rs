//! Turns a noisy alert stream into a few ranked, explained incidents, and accounts for every line.
//!
//! ```text
//! bytes --Format--> Record --Engine--> alerts --report(now)--> Report
//!                   |                     |                        |
//!             SourcePosition      identity, episodes      verdicts, incidents, totals
//! ```
//!
//! An [`Engine`] reads [whole inputs](Engine::read) in any [`Format`], or takes single [`Record`]s.
//! It adds up the records of one alert, in memory that is bounded by the number of distinct alerts.
//! [`Engine::report`] judges all alerts at one instant. Each alert gets one [`Verdict`] with a
//! reason, and related alerts form an [`Incident`](report::Incident). An incident has a
//! [`Priority`], which does not depend on any count. Knowledge about alerts is data ([`Rules`]).
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
//! assert_eq!(incidents.len(), 2, "no rule relates stale models to endpoints");
//! assert_eq!((incidents[0].priority, incidents[0].headline.as_str()), (Priority::P1, "TooFewEndpointsRegistered"));
//! assert_eq!(incidents[1].members[1].verdict, Verdict::Superseded);
//! assert_eq!((report.totals().pages, report.totals().malformed), (2, 1));
//! ```
//!
//! # Usage
//!
//! ```text
//! cargo add alert-triage
//! ```
//!
//! Times are types of [`jiff`], which this crate re-exports. Nothing is asynchronous. The feature
//! `syslog`, on by default, reads [`Format::Syslog`]; without it such lines are malformed. The
//! feature `schema` adds `report::report_schema`, the JSON Schema of a report.
//!
//! | input | calls | example |
//! |---|---|---|
//! | a whole file | [`Format::detect`], [`Engine::read`] | `examples/sample.rs` |
//! | a large file on several threads | [`Engine::sibling`], [`Engine::read_block`], [`Engine::merge`] | `bin-triage` |
//! | alerts of your program | [`Record`], [`Engine::ingest`] | `examples/embedded.rs` |
//! | a log that grows | [`Engine::read_on`], [`Engine::set_arrival`], [`Engine::take_malformed`], [`Engine::retire`] | `examples/live.rs` |
//!
//! | output | type |
//! |---|---|
//! | the incidents at one instant, as `triage/v1` JSON too | [`Report`] |
//! | the same, read from its JSON | [`report::ReportDocument`] |
//! | the notifications that are due from report to report | [`IncidentTracker`] |
//! | why an incident has its rank, or how a line was read | [`explain::Query`] |
//! | mistakes in a rules file | [`Rules::check`] |
//! | results of rule tests | [`rule_tests::RuleTests`] |
//! | the notifications of two sets of rules on one history | [`backtest::Backtest`] |
//!
//! Alert texts come from many sources: pass them through [`printable`](printable()) before you
//! print them. The errors of this crate and the strings of its JSON are printable already.
//!
//! # Guarantees
//!
//! - `records = duplicates + alerts + retired`, and for line formats
//!   `lines = blank + malformed + records`, for any input.
//! - The order of arrival, the split of an input over engines, and records that are delivered twice
//!   do not change the report.
//! - Another firing record never lowers a priority. A lower rung never hides a higher one.
//! - The same input, rules and `now` give the same bytes.
//!
//! The crate does no IO, reads no clock and sets no exit code: the caller passes bytes and times.

pub mod backtest;
pub mod explain;
pub mod fault;
mod format;
mod formats;
mod hashing;
mod identity;
pub mod incident_tracker;
mod judge;
mod ledger;
mod line_cache;
pub mod lint;
mod mask;
mod name;
pub mod printable;
mod read;
pub mod record;
mod record_trace;
pub mod report;
mod retire;
pub mod rule_tests;
pub mod rules;
mod severity;
mod source_position;
mod time;
pub mod trial;
mod unread;
pub mod verdict;
mod yaml;

pub use format::{Format, MappedId, UnknownFormat};
pub use incident_tracker::IncidentTracker;
/// The time crate of this API: instants and spans are its types.
pub use jiff;
pub use ledger::Engine;
pub use printable::{is_link, printable};
pub use record::Record;
pub use report::Report;
pub use rules::Rules;
pub use severity::Severity;
pub use source_position::SourcePosition;
pub use verdict::{Priority, Verdict};
