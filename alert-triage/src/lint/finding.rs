//! What the lints find.

use std::fmt;

use serde::Serialize;

use crate::printable;

/// One fault of a rules file that parses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// Line in the file.
    pub line: u64,
    /// What kind of fault.
    pub lint: Lint,
    /// The row's id, or the section's name where rows have none.
    #[serde(serialize_with = "printable::serialize")]
    pub id: String,
    /// What is wrong and what would mend it, going on from the id.
    #[serde(serialize_with = "printable::serialize")]
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}: `{}` {}", self.line, self.lint, self.id, self.message)
    }
}

/// Kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lint {
    /// Can never come to its turn.
    Unreachable,
    /// An earlier row says something else of the same alerts.
    Shadowed,
    /// Leads back to itself.
    Cyclic,
    /// Matched nothing in the history given, or cannot match any more.
    NeverMatched,
    /// Matches everything, or nearly.
    TooBroad,
    /// Is written and changes nothing.
    Ignored,
    /// A runbook that nobody can open.
    NoLink,
}

impl fmt::Display for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Lint::Unreachable => "unreachable",
            Lint::Shadowed => "shadowed",
            Lint::Cyclic => "cyclic",
            Lint::NeverMatched => "never matched",
            Lint::TooBroad => "too broad",
            Lint::Ignored => "ignored",
            Lint::NoLink => "no link",
        })
    }
}
