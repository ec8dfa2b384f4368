//! Explains why an incident has its rank, or how a line was read, and what would change the result.
//!
//! ```text
//! id or line --Query--> (rerun: reads the same inputs again) --> Explanation
//! ```
//!
//! An engine adds records up and keeps none, so single records need the input again. What would
//! change an incident is simulated: the alerts that share a scope with it are evaluated again with
//! the change.

mod evidence_lines;
mod explanation;
mod line_explanation;
mod location;
mod naming;
mod paging;
mod query;
mod query_error;
mod rank;
mod record_explanation;
mod subject;
mod what_if;

pub use self::evidence_lines::EvidenceLines;
pub use self::explanation::{Explanation, IncidentExplanation};
pub use self::line_explanation::{LineExplanation, LineOutcome};
pub use self::location::Location;
pub use self::query::Query;
pub use self::query_error::QueryError;
pub use self::rank::{AdjacentIncident, Rank};
pub use self::record_explanation::{DroppedLabel, IncidentRef, RecordExplanation};
pub use self::what_if::{Counterfactual, WhatIf};

#[cfg(test)]
mod tests;
