//! What an alert is judged to be, how urgent its incident is, and who is notified.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::severity::Severity;

/// The priority of an incident; the most urgent is the smallest.
///
/// It depends on severity and verdict only, never on a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Priority {
    /// Critical: pages.
    P1,
    /// Error: pages.
    P2,
    /// Warning or an unknown severity: a ticket.
    P3,
    /// A transient, or an alert that flapped: a low-urgency ticket.
    P4,
    /// For information, or set aside: no notification.
    P5,
}

impl Priority {
    pub(crate) fn from_severity(severity: Severity) -> Self {
        match severity.class() {
            0 => Priority::P1,
            1 => Priority::P2,
            2 => Priority::P3,
            _ => Priority::P5,
        }
    }

    /// How people are notified.
    pub fn notify(self) -> Notify {
        match self {
            Priority::P1 | Priority::P2 => Notify::Page,
            Priority::P3 | Priority::P4 => Notify::Ticket,
            Priority::P5 => Notify::None,
        }
    }

    /// Whether a person has to look at the incident: P1 to P3.
    pub fn needs_a_person(self) -> bool {
        self <= Priority::P3
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Priority::P1 => "P1",
            Priority::P2 => "P2",
            Priority::P3 => "P3",
            Priority::P4 => "P4",
            Priority::P5 => "P5",
        })
    }
}

/// How people are notified of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Notify {
    /// Pages the person on call.
    Page,
    /// Opens a ticket.
    Ticket,
    /// No notification.
    None,
}

impl fmt::Display for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Notify::Page => "page",
            Notify::Ticket => "ticket",
            Notify::None => "none",
        })
    }
}

/// The verdict on an alert: of all that apply, the first in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Suppressed by a silence of the rules or of the source.
    Silenced,
    /// Suppressed by the source because another alert fires.
    Inhibited,
    /// Fired and resolved repeatedly within a short time.
    Flapping,
    /// Resolved by its source.
    Resolved,
    /// Not seen for its TTL, and not resolved.
    Obsolete,
    /// About to fire.
    Pending,
    /// A higher rung of its ladder is open.
    Superseded,
    /// A transient that lasts and is judged as its lasting form.
    Sustained,
    /// Expected to go away by itself.
    Transient,
    /// Not a fault.
    Informational,
    /// None of these: open.
    Active,
}

impl Verdict {
    /// All verdicts, in order of precedence.
    pub const ALL: [Verdict; 11] = [
        Verdict::Silenced,
        Verdict::Inhibited,
        Verdict::Flapping,
        Verdict::Resolved,
        Verdict::Obsolete,
        Verdict::Pending,
        Verdict::Superseded,
        Verdict::Sustained,
        Verdict::Transient,
        Verdict::Informational,
        Verdict::Active,
    ];
}

impl Verdict {
    /// The word in outputs.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Silenced => "silenced",
            Verdict::Inhibited => "inhibited",
            Verdict::Flapping => "flapping",
            Verdict::Resolved => "resolved",
            Verdict::Obsolete => "obsolete",
            Verdict::Pending => "pending",
            Verdict::Superseded => "superseded",
            Verdict::Sustained => "sustained",
            Verdict::Transient => "transient",
            Verdict::Informational => "informational",
            Verdict::Active => "active",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}
