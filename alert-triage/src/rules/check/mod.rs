//! Lints of a rules file: what cannot work, would work too well, or is written for nothing.

mod history;
mod relations;
mod rows;
mod whole;

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

pub use self::history::History;
use super::Rules;
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

impl Rules {
    /// Faults of the file these rules were parsed from, by line; built-in rows are not looked at.
    ///
    /// `now` finds silences that are over, `history` finds rows that match nothing there.
    ///
    /// ```
    /// use alert_triage::{Lint, Rules};
    ///
    /// let rules = Rules::parse("edges:\n- {id: loop, cause: X, symptoms: [X]}\n").unwrap();
    /// let found = rules.check(None, None);
    /// assert_eq!((found[0].line, found[0].lint), (2, Lint::Cyclic));
    /// ```
    pub fn check(&self, now: Option<Timestamp>, history: Option<&History>) -> Vec<Finding> {
        let mut check = Check { rules: self, found: BTreeSet::new() };
        check.whole();
        check.templates();
        check.rows();
        check.silences(now);
        check.ladders();
        check.edges();
        check.transients();
        if let Some(history) = history {
            check.history(history);
        }
        check.found.into_iter().collect()
    }
}

struct Check<'r> {
    rules: &'r Rules,
    found: BTreeSet<Finding>,
}

impl Check<'_> {
    /// Only rows of the file have a line.
    fn find(&mut self, id: &str, lint: Lint, message: impl Into<String>) {
        if let Some(&line) = self.rules.0.lines.get(id) {
            self.find_at(line, id, lint, message);
        }
    }

    fn is_mine(&self, id: &str) -> bool {
        self.rules.0.lines.contains_key(id)
    }

    fn find_at(&mut self, line: u64, id: &str, lint: Lint, message: impl Into<String>) {
        self.found.insert(Finding { line, lint, id: id.to_owned(), message: message.into() });
    }
}

#[cfg(test)]
mod tests;
