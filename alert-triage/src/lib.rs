//! Turns a noisy alert stream into rows a person can read, and loses nothing on the way.
//!
//! ```text
//! bytes --Record::parse--> blank | Record | Fault --Ledger--> Report
//!                                   |                           |
//!                          Identity (alert, Scope)    members, malformed, totals
//! ```
//!
//! Lines read `Zone {zone}: {alert}`. Equal alerts of one zone fold into one [`Member`] with its count, its
//! first and its last line. Whatever fits no template is kept as [`Malformed`] with its line number and reason,
//! so that `lines = blank + malformed + records` holds for every input ([`Totals`]).
//!
//! ```
//! use alert_triage::{Ledger, Severity};
//!
//! let mut ledger = Ledger::new();
//! ledger.source("night.log").lines(
//!     b"Zone AB: LLMModelStale\n\
//!       Zone AB: LLMModelStale\n\
//!       nonsense\n\
//!       Zone AB: TooFewEndpointsRegistered\n",
//! );
//! let report = ledger.report();
//!
//! let first = &report.members[0];
//! assert_eq!(first.identity.to_string(), "zone AB: TooFewEndpointsRegistered");
//! assert_eq!((first.severity, first.count, first.first.line), (Severity::Critical, 1, 4));
//! assert_eq!(report.members[1].count, 2);
//! assert_eq!((report.malformed[0].place.line, report.totals.malformed), (3, 1));
//! ```
//!
//! # What it does not do yet
//!
//! - It reads plain lines of that one template, without a leading time: no JSON, no webhooks, no syslog.
//! - Every alert stands for itself. Nothing is joined into incidents, superseded, called transient or obsolete.
//! - Rows are ordered by [`Severity`], known for a handful of names only, then by first appearance. That is no
//!   priority, and the count never moves a row: the loudest alert is rarely the one that matters.
//! - Memory grows with distinct alerts, without a cap.
//!
//! # What it leaves to others
//!
//! No IO, no clock, no exit code: whoever holds the file hands over its lines (`bin-triage` does).

mod ledger;
mod line;
mod printable;
mod severity;

pub use ledger::{EXAMPLES_KEPT, Ledger, MALFORMED_KEPT, Malformed, Member, Place, Report, Source, Totals};
pub use line::{Fault, Identity, LINE_LIMIT, Record, Scope};
pub use printable::{SHOWN, printable};
pub use severity::Severity;
