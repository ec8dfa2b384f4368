//! What an alert is judged to be, how urgent its incident is, and who is notified.

use std::fmt;

use serde::Serialize;

use crate::severity::Severity;

/// How urgent an incident is; the most urgent is the smallest.
///
/// By severity and standing alone: a count never changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Priority {
    /// Critical: wake somebody.
    P1,
    /// Error: wake somebody.
    P2,
    /// Warning, or a severity nobody knows: a ticket.
    P3,
    /// A transient, or one that flapped: a ticket without hurry.
    P4,
    /// For information, or set aside: nobody is told.
    P5,
}

impl Priority {
    pub(crate) fn of(severity: Severity) -> Self {
        match severity.class() {
            0 => Priority::P1,
            1 => Priority::P2,
            2 => Priority::P3,
            _ => Priority::P5,
        }
    }

    /// Who is told.
    pub fn notify(self) -> Notify {
        match self {
            Priority::P1 | Priority::P2 => Notify::Page,
            Priority::P3 | Priority::P4 => Notify::Ticket,
            Priority::P5 => Notify::None,
        }
    }

    /// P1 to P3: a person has to look, soon or in the morning.
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

/// What an incident does to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Notify {
    /// Wakes the one on call.
    Page,
    /// Waits in a queue.
    Ticket,
    /// Nothing; it is there to be looked up.
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

/// What became of an alert; of all that hold, the first in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Suppressed by a silence of the rules or of the source.
    Silenced,
    /// Suppressed by the source because another alert fires.
    Inhibited,
    /// Went on and off too often to be believed.
    Flapping,
    /// Its source says it is over.
    Resolved,
    /// Not heard of for too long; never said to be over.
    Obsolete,
    /// About to fire.
    Pending,
    /// A higher rung of the same thing stands.
    Superseded,
    /// A transient that lasts, and is judged as its lasting form.
    Sustained,
    /// Goes away by itself.
    Transient,
    /// No fault.
    Informational,
    /// None of these: stands, and speaks for itself.
    Active,
}

impl Verdict {
    /// All verdicts, in the order in which they are looked at.
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
    /// As outputs write it.
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
