//! What the lints find.

use std::fmt;

use serde::Serialize;

use crate::printable;

/// One finding about a rules file that parses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The line in the file.
    pub line: u64,
    /// The kind of the finding.
    pub lint: Lint,
    /// The row's id, or the section's name where rows have none.
    #[serde(serialize_with = "printable::serialize")]
    pub id: String,
    /// What is wrong and how to fix it; completes a sentence that begins with the id.
    #[serde(serialize_with = "printable::serialize")]
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}: `{}` {}", self.line, self.lint, self.id, self.message)
    }
}

/// The kinds of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Lint {
    /// The row can never match.
    Unreachable,
    /// An earlier row matches the same alerts with another value.
    Shadowed,
    /// The relation leads back to itself.
    Cyclic,
    /// The row matched nothing in the history, or can no longer match.
    NeverMatched,
    /// The row matches everything or nearly everything.
    TooBroad,
    /// The setting changes nothing.
    Ignored,
    /// The runbook is not an http(s) URL.
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
