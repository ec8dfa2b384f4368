//! Changes to an incident and the incidents that would result.

use serde::Serialize;

use crate::printable;
use crate::verdict::{Notify, Priority};

/// A change, and the incidents that would result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WhatIf {
    /// The change as a noun phrase: `a firing X zone=AB`.
    #[serde(serialize_with = "printable::serialize")]
    pub change: String,
    /// The resulting incidents: several if the incident splits, none if no alert is left.
    pub then: Vec<Counterfactual>,
    /// The change and its result in a sentence.
    pub sentence: String,
}

/// An incident that would result from a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counterfactual {
    /// The priority.
    pub priority: Priority,
    /// The notification that the priority calls for.
    pub notify: Notify,
    /// The headline.
    #[serde(serialize_with = "printable::serialize")]
    pub headline: String,
}

impl std::fmt::Display for Counterfactual {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, {}, headline {}", self.priority, self.notify, printable::printable(&self.headline))
    }
}
