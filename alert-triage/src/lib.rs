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
//! instant: every alert gets one [`Verdict`] with its reason, alerts that belong together become an [`Incident`](report::Incident), and an
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
//! once; [`Query`](explain::Query), which explains why. Rules of your own are [`Rules::parse`]d, [checked](Rules::check), tested by
//! [`RuleTests`](rule_tests::RuleTests) and compared by [`Backtest`](backtest::Backtest). Whatever is shown to people goes through [`printable`], for alerts are written
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

pub mod backtest;
pub mod explain;
pub mod fault;
mod format;
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
pub mod verdict;
mod yaml;

pub use format::{Format, UnknownFormat};
pub use incident_tracker::IncidentTracker;
/// The time crate of this API: instants and spans are its types.
pub use jiff;
pub use ledger::Engine;
pub use printable::printable;
pub use record::Record;
pub use report::Report;
pub use rules::Rules;
pub use severity::Severity;
pub use source_position::SourcePosition;
pub use verdict::{Priority, Verdict};
