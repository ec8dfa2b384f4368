//! Incidents.

use serde::{Deserialize, Serialize};

use super::labels::Labels;
use super::member::Member;
use super::wording::{counted, span};
use crate::verdict::{Notify, Priority, Verdict};

/// Related alerts, with one priority and one headline.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Incident {
    /// 16 hexadecimal digits: a hash of the scope and the first firing alert, equal in any order of
    /// arrival.
    pub id: String,
    /// Earlier ids of merged incidents. Only [`IncidentTracker`](crate::IncidentTracker) fills
    /// them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// The highest priority of its firing members.
    pub priority: Priority,
    /// The notification that the priority calls for. A [folded group](super::Group::folded) has one
    /// notification for all its incidents.
    pub notify: Notify,
    /// The verdict on the headline.
    pub state: Verdict,
    /// The scope. `None` for a pattern over several scopes, empty if the members have no scope
    /// labels.
    pub scope: Option<Labels>,
    /// The scopes of a pattern, if there are several.
    pub scopes: Option<Vec<Labels>>,
    /// The firing member of the highest severity; among equals, the nearest to the cause.
    pub headline: String,
    /// The number of firing members with the name of the headline.
    #[serde(default)]
    pub instances: u64,
    /// Orders incidents of one priority.
    pub score: Score,
    /// The firing members first, from the cause down; then those set aside.
    pub members: Vec<Member>,
    /// Why it has its priority and its members, one sentence each.
    pub because: Vec<String>,
    /// What is uncertain about it, one sentence each.
    pub alternatives: Vec<String>,
}

/// A score that orders incidents of one priority. It never sets a priority.
///
/// The total is rounded. The order compares the exact figures and never contradicts the total.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Score {
    /// The number of members that other members explain, 0 to 99.
    pub impact: u32,
    /// The highest firing rung, 0 to 9.
    pub urgency: u32,
    /// Scopes, hours and records, one digit each.
    pub persistence: u32,
    /// `impact` x 10000 + `urgency` x 1000 + `persistence`.
    pub total: u32,
    /// The exact figures, in words.
    pub terms: Vec<String>,
}

impl Score {
    pub(super) fn new(explained: u32, rung: u8, scopes: u32, lasted: u32, count: u64) -> Self {
        let hours = lasted / 3600;
        let impact = explained.min(99);
        let urgency = u32::from(rung).min(9);
        let digits = (count.max(1).ilog10()).min(9);
        let persistence = scopes.saturating_sub(1).min(9) * 100 + hours.min(9) * 10 + digits;
        let mut terms = vec![format!("explains {}", counted(u64::from(explained), "alert"))];
        terms.push(format!("rung {rung}"));
        terms.push(counted(u64::from(scopes), "scope"));
        terms.push(match lasted {
            0 => "unknown duration".to_owned(),
            lasted => format!("lasted {}", span(i64::from(lasted))),
        });
        terms.push(counted(count, "record"));
        Self { impact, urgency, persistence, total: impact * 10_000 + urgency * 1_000 + persistence, terms }
    }
}
