//! From alerts to verdicts, incidents and priorities: what is known, judged at one instant.
//!
//! ```text
//! entry --state--> open? --ladders--> superseded? --edges--> incidents --severity--> priority
//! ```
//!
//! Everything is derived anew from the ledger, so that it cannot depend on the order in which things were learnt.

mod bind;
mod evaluate;
mod history;
mod incident;
mod incident_core;
mod judgement;
pub(crate) mod relate;
mod scopes;
pub(crate) mod stand;
pub(crate) mod state;

pub(crate) use self::bind::holders;
pub(crate) use self::incident_core::Core;
pub(crate) use self::judgement::{Judged, Judgement, Ladder, NONE, flag};
