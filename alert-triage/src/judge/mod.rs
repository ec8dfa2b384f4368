//! Evaluates all alerts at one instant: verdicts, incidents and priorities.
//!
//! ```text
//! entry --state--> open? --ladders--> superseded? --edges--> incidents --severity--> priority
//! ```
//!
//! Every evaluation derives everything from the ledger, so the result does not depend on the order
//! of arrival.

pub(crate) mod alert_phase;
pub(crate) mod alert_state;
mod alert_verdict;
mod evaluate;
mod evaluation;
mod flags;
mod gone;
mod groups;
mod history;
mod incident_core;
mod incidents;
mod index;
pub(crate) mod relate;
mod scopes;
mod source_scopes;
mod unmatched_resolves;
mod untimed;

pub(crate) use self::alert_verdict::{AlertVerdict, SupersededBy};
pub(crate) use self::evaluation::Evaluation;
pub(crate) use self::flags::Flags;
pub(crate) use self::incident_core::IncidentCore;
pub(crate) use self::index::{AlertIx, GroupIx, IncidentIx, ListIndex, ScopeIx, indices};
pub(crate) use self::unmatched_resolves::key_owners;
